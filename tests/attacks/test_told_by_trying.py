"""What an analyst learns by trying: of records sent in, of statements rewritten, of refusals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import cast

import pyarrow as pa
import pytest

from privet.model.datasets import TagOrigin
from privet.model.errors import Forbidden, InvalidRequest, NotExpressible, PrivetError, Revoked
from privet.model.names import DatasetName, TagName
from privet.service.crawling.starters import as_last_seen
from query.platforms import Person, Place, open_place

ROWS = pa.table({"mrn": ["M1", "M2"], "ssn": ["111", "222"], "grade": [5, 6]})
TAGS = {"mrn": ["phi.mrn"], "ssn": ["phi.ssn"], "grade": ["phi.grade"]}
HIDES = "HAVING ATTRIBUTE NOT IN (phi.ssn, phi.grade)"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A platform that rewrites statements."""
    with open_place(tmp_path_factory.mktemp("trying") / "p", rewriting=True) as place:
        yield place


def reader_of(place: Place, *clauses: str) -> tuple[Person, DatasetName]:
    """Somebody who sees one column of a new dataset, or its tokens."""
    name = place.dataset(ROWS, tags=TAGS).name
    return place.person(f"GRANT SELECT ON TABLE {name} {HIDES} {' '.join(clauses)}"), name


@pytest.mark.parametrize("call", ["tokenize()", "nfp_ref_tokenize()", "sha2()", "hash()"])
def test_records_are_no_way_to_look_tokens_up(place: Place, call: str) -> None:
    """Tokens of values that somebody thought up would give back those of all rows."""
    reader, name = reader_of(place, f"TRANSFORM phi.mrn WITH {call}")
    assert set(place.scan(reader, str(name))["mrn"].to_pylist()).isdisjoint({"M1", "M2"})
    with pytest.raises(NotExpressible) as caught:
        place.services.rewrites.records(reader.caller, name, ['{"mrn": "M1"}'])
    assert caught.value.audit_id


def test_records_need_the_setting(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whoever tries values learns what a filter over a hidden column lets pass."""
    with open_place(tmp_path_factory.mktemp("set") / "p") as place:
        reader, name = reader_of(place)
        with pytest.raises(Forbidden):
            place.services.rewrites.records(reader.caller, name, ['{"mrn": "M1"}'])


def test_records_do_not_name_hidden_columns(place: Place) -> None:
    """That a filter reads one is not for its reader, nor of which type it is."""
    reader, name = reader_of(place)
    place.safeguard(f"RESTRICT SELECT ON TABLE {name} WHERE grade > 5", reader.role)
    with pytest.raises(InvalidRequest) as caught:
        place.services.rewrites.records(reader.caller, name, [json.dumps({"grade": "x"})])
    assert "grade" not in str(caught.value)
    assert "int64" not in str(caught.value)


NESTED = pa.struct([("country", pa.string()), ("zip", pa.int64()), ("floor", pa.int64())])
NESTED_ROWS = pa.table(
    {
        "place": pa.array([{"country": "AT", "zip": 5, "floor": 1}], NESTED),
        "parts": pa.array([[{"country": "AT", "zip": 5, "floor": 1}]], pa.list_(NESTED)),
    }
)


@pytest.mark.parametrize("where", ["", "WHERE place.floor = 1"])
@pytest.mark.parametrize("column", ["place", "parts"])
def test_records_do_not_tell_of_hidden_fields(place: Place, where: str, column: str) -> None:
    """Neither what they are called nor of which type they are, by a refusal or its text."""
    name = place.dataset(NESTED_ROWS).name
    grant = f"GRANT SELECT(place.country, parts.country) ON TABLE {name}"
    reader = place.person(f"{grant} {where}")

    def told(inside: object) -> object:
        cell = [inside] if column == "parts" else inside
        whole = {"place": {"country": "AT", "floor": 1}, column: cell}
        try:
            found = place.services.rewrites.records(reader.caller, name, [json.dumps(whole)])
        except PrivetError as error:
            return error.code, error.message, error.hint
        return found.passed, found.records

    known = {"country": "AT", "floor": 1}
    assert told(known | {"zip": "x"}) == told(known | {"zap": "x"}) == told(known | {"zip": 7})
    for wrong in (5, "x", [], {"country": 5, "zip": "x", "floor": 1}):
        code, message, _ = cast("tuple[str, str, str]", told(wrong))
        assert code == "invalid_request"
        assert "zip" not in message
        assert "floor" not in message


def test_keys_of_answers_differ_by_where_names_are(place: Place) -> None:
    """One text reads other rows in another database."""
    one, two = (place.dataset(ROWS, tags=TAGS).name for _ in range(2))
    grants = (f"GRANT SELECT ON TABLE {n} {HIDES}" for n in (one, two))
    reader = place.person(*grants)
    text = f"SELECT t.mrn FROM t, {one} AS p, {two} AS q"
    keys = {
        place.services.rewrites.cache_key(reader.caller, "duckdb", text, n.database)
        for n in (one, two)
    }
    assert len(keys) == 2


def test_a_column_that_is_hidden_is_not_named_by_a_rewrite(place: Place) -> None:
    """Whatever it is called at its source."""
    reader, name = reader_of(place)
    dataset = place.platform.catalog.datasets.get(name)
    columns = tuple(
        replace(c, source_name="Social Nr") if c.name == "ssn" else c for c in dataset.columns
    )
    place.platform.catalog.datasets.update_columns(
        name, columns, by="root", expected_revision=dataset.revision
    )
    with pytest.raises(NotExpressible) as caught:
        place.services.rewrites.statement(reader.caller, "duckdb", f"SELECT mrn FROM {name}")
    assert "ssn" not in str(caught.value)
    assert "Social" not in str(caught.value)


def test_rejecting_reads_alike_whether_the_tag_is_there(place: Place) -> None:
    """To who may reject nothing."""
    reader, name = reader_of(place)
    dataset = place.platform.catalog.datasets.get(name)
    columns = tuple(
        replace(c, field_tags=tuple(replace(t, origin=TagOrigin.RULE) for t in c.field_tags))
        for c in dataset.columns
    )
    place.platform.catalog.datasets.update_columns(
        name, columns, by="root", expected_revision=dataset.revision
    )
    told: set[str] = set()
    for column in ("ssn", "nothing"):
        with pytest.raises(PrivetError) as caught:
            place.services.proposals.reject(reader.caller, name, (column,), TagName("phi", "ssn"))
        told.add(caught.value.message)
    assert len(told) == 1


def test_nothing_runs_by_rights_that_were_revoked(place: Place) -> None:
    """Schedules and crawls that go on are by the groups that somebody was last seen with."""
    reader, name = reader_of(place)
    place.scan(reader, str(name))
    issuer = place.platform.identity.authenticate(reader.caller.credentials).issuer
    assert as_last_seen(place.platform, issuer, reader.user).user == reader.user
    place.services.sessions.revoke(place.admin.caller, reader.user)
    with pytest.raises(Revoked):
        as_last_seen(place.platform, issuer, reader.user)
