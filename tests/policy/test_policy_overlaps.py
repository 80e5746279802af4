"""Permissions that hold together and that nobody may have meant: stored, with a warning."""

from __future__ import annotations

import pyarrow as pa
import pytest
from policy_cases import grant, guard

from privet.model.datasets import Column, Dataset, Format, Source
from privet.model.names import DatasetName
from privet.policy import to_sql
from privet.policy.overlaps import remarks

T = Dataset(
    "t",
    DatasetName("d", "t"),
    Source("file:///t", Format.PARQUET),
    (Column("a", pa.int64(), "a"), Column("b", pa.string(), "b")),
)


def told(text: str, *beside: str) -> list[str]:
    """What is said of a grant or safeguard beside others."""
    one = grant(text) if not text.startswith(("DENY", "RESTRICT")) else guard(text)
    return list(remarks(one, [T], [grant(each, each) for each in beside]))


@pytest.mark.parametrize(
    ("text", "beside"),
    [
        ("GRANT SELECT ON TABLE d.t TO r", "GRANT SELECT ON DATABASE d TO r"),
        ("GRANT SELECT ON TABLE d.t TO r", "GRANT SELECT ON TABLE d.t TO public_role"),
        ("GRANT SELECT(a) ON TABLE d.t TO r", "GRANT ALL ON CATALOG TO r"),
        ("GRANT SELECT ON TABLE d.t TRANSFORM x.y WITH mask() WHERE a = 1 TO r",
         "GRANT SELECT ON TABLE d.t TO r"),
        ("GRANT ALTER ON TABLE d.t TO r", "GRANT ALTER ON DATABASE d TO r"),
        ("GRANT SELECT ON URI 's3://b/a/x' TO r", "GRANT SELECT ON URI 's3://b/a' TO r"),
    ],
)  # fmt: skip
def test_what_is_given_already(text: str, beside: str) -> None:
    """A grant that adds nothing says so; the other way round, that it gives all of another."""
    assert told(text, beside) == [f"all of it is given already by `{to_sql(grant(beside))}`"]
    if "public_role" not in beside:
        (said,) = told(beside, text)
        assert said.startswith("it gives all that is given by `GRANT ")


@pytest.mark.parametrize(
    ("text", "beside"),
    [
        ("GRANT SELECT ON TABLE d.t TO r", "GRANT SELECT ON TABLE d.u TO r"),
        ("GRANT SELECT ON TABLE d.t TO r", "GRANT ALTER ON DATABASE d TO r"),
        ("GRANT SELECT ON DATABASE d TO r", "GRANT SELECT ON TABLE d.t WHERE a = 1 TO s"),
        ("GRANT SELECT ON TABLE d.t TO r", "GRANT SELECT ON DATABASE d WHERE a = 1 TO r"),
        ("GRANT SELECT ON TABLE d.t TO r",
         "GRANT SELECT ON DATABASE d TO r POLICYPROPERTIES('enabled'='false')"),
        ("GRANT SELECT ON TABLE d.t TO r WITH GRANT OPTION", "GRANT SELECT ON DATABASE d TO r"),
        ("GRANT MANAGE_GRANTS ON TABLE d.t TO r", "GRANT ALL ON DATABASE d TO r"),
        ("GRANT DETOKENIZE ON CATALOG TO r", "GRANT ALL ON CATALOG TO r"),
    ],
)  # fmt: skip
def test_what_is_not(text: str, beside: str) -> None:
    """Another object, level, role, or one with clauses or at other times gives something else."""
    assert told(text, beside) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("HAVING ATTRIBUTE a.b AND NOT a.b", "no column can have tags"),
        ("HAVING ATTRIBUTE a.b OR NOT IN (a.b, c.d)", ""),
        ("HAVING ATTRIBUTE a.b OR NOT a.b", "every column has tags"),
        ("DENY HAVING ATTRIBUTE NOT (a.b OR NOT a.b)", "so it takes nothing"),
        ("WHERE a = 1 AND FALSE", "is true of no row, so it grants nothing"),
        ("WHERE a = NULL", "is true of no row, so it grants nothing"),
        ("WHERE a = 1 OR TRUE", "is true of every row: it means the same without"),
        ("RESTRICT WHERE NULL", "is true of no row, so it closes what it is on"),
        ("RESTRICT WHERE TRUE", "is true of every row: it means nothing"),
        ("WHERE user() = 'x' AND FALSE", ""),
        ("WHERE nowhere = 1", ""),
        ("WHERE a = 1", ""),
    ],
)
def test_clauses_that_never_or_always_hold(text: str, says: str) -> None:
    """Tags that nothing has, and filters that fold; not where it depends on who asks."""
    found = told(text)
    assert len(found) == bool(says)
    assert all(says in each for each in found)


def test_opposites_show_everything() -> None:
    """Two grants of which each shows what the other leaves out, on one object, of one role."""
    on = "GRANT SELECT ON TABLE d.t HAVING ATTRIBUTE {} TO {}"
    (said,) = told(on.format("NOT a.b", "r"), on.format("a.b", "r"))
    assert said.endswith("it shows every column")
    assert told(on.format("NOT a.b", "r"), on.format("a.b", "public_role")) == []
    assert told(on.format("NOT a.b", "r"), on.format("a.b AND c.d", "r")) == []
    many = " OR ".join(f"n.k{number}" for number in range(30))
    assert told(on.format(f"NOT ({many})", "r"), on.format(many, "r")) == []
