"""Statements in other engines' SQL that would keep their parser busy for minutes."""

from __future__ import annotations

from contextlib import suppress

import pytest

from privet.model.errors import ParseFailed, ResourcesExceeded
from privet.model.foreign_sql import read_statements

DIALECTS = ("hive", "snowflake", "trino", "postgres", "bigquery", "duckdb")
DEPTH = 60
NESTED = (
    ("date(", ")"), ("timestamp(", ")"), ("decimal(", ")"), ("struct(", ")"), ("array(", ")"),
    ("map(1, ", ")"), ("(", ")"), ("(SELECT ", ")"), ("CASE WHEN a = 1 THEN ", " END"),
    ("f(x -> ", ")"), ("f((x) -> ", ")"), ("a[", "]"), ("{'a': ", "}"), ("[", "]"),
    ("CAST(", " AS INT)"), ("EXISTS(SELECT ", ")"), ("1 IN (", ")"), ("NOT (", ")"),
    ("INTERVAL (", ") DAY"), ("EXTRACT(DAY FROM ", ")"), ("TRIM(BOTH FROM ", ")"),
    ("SUM(", ") OVER ()"), ("TRY(", ")"), ("INT(", ")"), ("VARCHAR(", ")"),
)  # fmt: skip


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("around", NESTED, ids=[before for before, _ in NESTED])
def test_nesting_takes_bounded_work(dialect: str, around: tuple[str, str]) -> None:
    """What would take twice the work for every level is refused; nothing runs for ever."""
    before, after = around
    with suppress(ParseFailed, ResourcesExceeded):
        read_statements(f"SELECT {before * DEPTH}1{after * DEPTH} FROM d.t", dialect)


def test_what_doubles_is_refused() -> None:
    """With advice."""
    with pytest.raises(ResourcesExceeded) as caught:
        read_statements(f"SELECT {'date(' * DEPTH}1{')' * DEPTH}", "hive")
    assert caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        f"SELECT {'date(' * 6}ts{')' * 6} FROM d.t",
        f"SELECT {'f(' * 40}ts{')' * 40} FROM d.t",
        "SELECT " + ", ".join(f"struct(a, {n}).a AS c{n}" for n in range(500)) + " FROM d.t",
        "SELECT 1 FROM d.t WHERE " + " OR ".join(f"a = date('2020-01-{n:02}')" for n in range(900)),
    ],
    ids=["casts in casts", "calls in calls", "many structs", "many dates"],
)
def test_honest_statements_are_read(text: str) -> None:
    """Long ones too, and those that nest as people do."""
    (tree,) = read_statements(text, "hive")
    assert tree.sql("hive")
