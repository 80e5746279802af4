"""The EnforcedPlan: made by `enforce` only, and what it does to a raw batch."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from enforcement.plans import NAME, column, dataset, decision, derive, plan, where
from privet.enforcement import EnforcedPlan, enforce
from privet.model.datasets import CanonicalType, Dataset, TokenDomain
from privet.model.errors import NotFound
from privet.model.requests import ScanRequest

DATA = dataset(
    column("id", pa.int64()),
    column("mrn", pa.string(), "phi.mrn"),
    column("phone", pa.string(), "phi.phone_number"),
    column("opted_out", pa.int64()),
)
RAW = pa.record_batch(
    {
        "id": pa.array([1, 2, 3, 4]),
        "mrn": pa.array(["10000001", "10000002", None, "10000001"]),
        "phone": pa.array(["555-1", "555-2", "555-3", "555-4"]),
        "opted_out": pa.array([0, 1, 0, None]),
    }
)
POLICY = (
    "GRANT SELECT ON DATABASE db HAVING ATTRIBUTE NOT IN (phi.phone_number)"
    " TRANSFORM phi.mrn WITH tokenize() WHERE opted_out != 1"
)


def raw(of: EnforcedPlan) -> pa.RecordBatch:
    """What a source would deliver for a plan."""
    return RAW.select([c.name for c in of.reads])


@pytest.mark.parametrize("seal", [None, object(), "seal", True])
def test_nobody_else_makes_one(seal: Any) -> None:
    """Not with any seal but the module's own, which is not a value that can be copied."""
    with pytest.raises(TypeError, match="enforce"):
        EnforcedPlan(seal, decision(DATA), (), None)  # type: ignore[arg-type]


def test_a_denial_makes_none() -> None:
    """A decision that shows nothing reads like an unknown name, and gives no plan."""
    refused = decision(DATA, "GRANT SELECT ON TABLE db.other")
    with pytest.raises(NotFound, match="does not exist, or you have no access"):
        enforce(refused, ScanRequest(NAME), derive)


def test_plans_do_not_travel() -> None:
    """Neither pickled nor sent: what travels is a request, and it is decided again."""
    with pytest.raises((TypeError, pickle.PicklingError, AttributeError)):
        pickle.dumps(plan(DATA, POLICY))


def test_the_acceptance_policy() -> None:
    """No phone, tokens for mrn, no opted-out row - and a NULL flag is not `!= 1`."""
    governed = plan(DATA, POLICY)
    assert [c.name for c in governed.reads] == ["id", "mrn", "opted_out"]
    assert governed.schema.names == ["id", "mrn", "opted_out"]
    out = governed.apply(raw(governed))
    assert out.schema.equals(governed.schema)
    assert out["id"].to_pylist() == [1, 3]
    tokens = out["mrn"].to_pylist()
    assert tokens[1] is None
    assert len(tokens[0]) == 8
    assert tokens[0].isdigit()
    assert tokens[0] not in RAW["mrn"].to_pylist()
    assert b"555-" not in out.serialize().to_pybytes()


def test_columns_of_the_filter_are_read_and_do_not_leave() -> None:
    """A filter may look at what its reader does not get or did not ask for."""
    narrow = plan(DATA, POLICY, columns=("id",))
    assert [c.name for c in narrow.reads] == ["id", "opted_out"]
    assert narrow.apply(raw(narrow)).to_pydict() == {"id": [1, 3]}
    hidden = plan(
        DATA,
        "GRANT SELECT ON DATABASE db HAVING ATTRIBUTE NOT IN (phi.phone_number)"
        " WHERE phone = '555-2'",
        columns=("id",),
    )
    assert [c.name for c in hidden.reads] == ["id", "phone"]
    assert hidden.apply(raw(hidden)).to_pydict() == {"id": [2]}


def test_requested_columns_come_once_in_the_asked_order() -> None:
    """As asked; a hidden column and an absent one are refused alike, naming visible ones only."""
    governed = plan(DATA, POLICY, columns=("opted_out", "id", "id"))
    assert governed.schema.names == ["opted_out", "id"]
    texts: list[str] = []
    for name in ("phone", "absent"):
        with pytest.raises(NotFound) as refused:
            plan(DATA, POLICY, columns=(name,))
        assert "phone" not in refused.value.hint
        texts.append(str(refused.value).replace(name, "X"))
    assert texts[0] == texts[1]


def test_nothing_visible_is_an_empty_batch() -> None:
    """Under the announced schema."""
    none = where(DATA, "id > 100")
    out = none.apply(raw(none))
    assert out.num_rows == 0
    assert out.schema.equals(none.schema)
    assert all(not b or not b.size for a in out.columns for b in a.buffers()[-1:])


def test_cells_differ_from_row_to_row() -> None:
    """Two permissions: a cell is in the clear in the rows of the one that shows it so."""
    both = plan(
        DATA,
        "GRANT SELECT ON TABLE db.t WHERE id = 1",
        "GRANT SELECT ON TABLE db.t HAVING ATTRIBUTE NOT IN (phi.phone_number)"
        " TRANSFORM phi.mrn WITH mask() WHERE id <= 2",
    )
    out = both.apply(raw(both)).to_pydict()
    assert out["id"] == [1, 2]
    assert out["phone"] == ["555-1", None]
    assert out["mrn"][0] == "10000001"
    assert out["mrn"][1] not in ("10000002", None)
    sent = both.apply(raw(both)).serialize().to_pybytes()
    for hidden in (b"555-2", b"10000002", b"555-3"):
        assert hidden not in sent
    marked = {f.name for f in both.schema if f.metadata}
    assert marked == {"mrn", "phone"}


def test_threads_share_a_plan() -> None:
    """`apply` from several threads at once gives what it gives on one."""
    governed = plan(DATA, POLICY)
    expected = governed.apply(raw(governed))
    with ThreadPoolExecutor(4) as pool:
        for out in pool.map(lambda _: governed.apply(raw(governed)), range(64)):
            assert out.equals(expected)


def with_domain(data: Dataset, identity: str, version: int = 1) -> Dataset:
    """Another dataset, admitted to the tag's domain."""
    domain = TokenDomain("phi.mrn", CanonicalType.TEXT, version)
    return replace(data, id=identity, domains={"phi.mrn": domain})


def tokens(data: Dataset) -> list[str | None]:
    """What an analyst gets for mrn."""
    governed = plan(data, "GRANT SELECT ON DATABASE db TRANSFORM phi.mrn WITH tokenize()")
    return governed.apply(raw(governed))["mrn"].to_pylist()


def test_tokens_follow_their_domain() -> None:
    """Equal in every dataset that is admitted, other ones in those that are not, by version."""
    shared = tokens(with_domain(DATA, "one"))
    assert tokens(with_domain(DATA, "two")) == shared
    assert tokens(with_domain(DATA, "two", version=2)) != shared
    own = tokens(replace(DATA, id="one"))
    assert own != shared
    assert tokens(replace(DATA, id="two")) not in (own, shared)
    assert shared[0] == shared[3]
