"""The gate: which datasets a statement names, what is refused, and where it says so."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from privet.model.errors import (
    InvalidRequest,
    ParseFailed,
    PrivetError,
    ResourcesExceeded,
    UnknownName,
)
from privet.sandbox import gate


@pytest.fixture(scope="module")
def parser() -> Iterator[duckdb.DuckDBPyConnection]:
    """Anything with a parser."""
    with duckdb.connect(":memory:") as connection:
        yield connection


NAMED: dict[str, set[str]] = {
    "SELECT 1": set(),
    "SELECT * FROM d.t": {"d.t"},
    "SELECT * FROM D.T, d.t, privet.d.T": {"d.t"},
    "FROM t": {"def.t"},
    'SELECT * FROM "T"': {"def.t"},
    "SELECT * FROM d.a JOIN d.b USING (id) LEFT JOIN d.c ON true": {"d.a", "d.b", "d.c"},
    "SELECT (SELECT max(id) FROM d.x) FROM d.y WHERE EXISTS (FROM d.z)": {"d.x", "d.y", "d.z"},
    "SELECT list_transform([1], lambda q: (SELECT max(id) FROM d.t))": {"d.t"},
    "SELECT 1 ORDER BY (SELECT 1 FROM d.t)": {"d.t"},
    "SELECT 1 LIMIT (SELECT 1 FROM d.t)": {"d.t"},
    "SELECT sum(1) OVER (ORDER BY (SELECT 1 FROM d.t))": {"d.t"},
    "SELECT count(*) FILTER (1 IN (FROM d.t))": {"d.t"},
    "SELECT * FROM range((SELECT 1 FROM d.t))": {"d.t"},
    "VALUES ((SELECT 1 FROM d.t))": {"d.t"},
    "PIVOT d.t ON a IN ('x') USING max(b)": {"d.t"},
    "UNPIVOT d.t ON a, b INTO NAME k VALUE v": {"d.t"},
    "SELECT * FROM d.t PIVOT (max(b) FOR a IN ('x'))": {"d.t"},
    "DESCRIBE d.t": {"d.t"},
    "SUMMARIZE d.t": {"d.t"},
    "DESCRIBE SELECT * FROM d.t": {"d.t"},
    "SELECT * FROM (SUMMARIZE d.t)": {"d.t"},
    "EXPLAIN SELECT * FROM d.t": {"d.t"},
    "TABLE d.t": {"d.t"},
    "SELECT * FROM d.a UNION SELECT * FROM d.b EXCEPT SELECT * FROM d.c": {"d.a", "d.b", "d.c"},
    "SELECT * FROM d.a ASOF JOIN d.b ON a.x >= b.x": {"d.a", "d.b"},
    "SELECT * FROM d.a, LATERAL (SELECT * FROM d.b)": {"d.a", "d.b"},
    "SELECT * FROM d.a TABLESAMPLE 10%": {"d.a"},
    # Names of parts.
    "WITH t AS (SELECT 1) SELECT * FROM t": set(),
    "WITH t AS (SELECT 1) SELECT * FROM T": set(),
    "WITH t AS (SELECT 1) SELECT * FROM d.t": {"d.t"},
    "WITH t AS (SELECT * FROM t) SELECT * FROM t": {"def.t"},
    "WITH a AS (SELECT * FROM b), b AS (SELECT 1) SELECT * FROM a, b": {"def.b"},
    "WITH a AS (SELECT 1), b AS (SELECT * FROM a) SELECT * FROM b": set(),
    "SELECT * FROM (WITH t AS (SELECT 1) SELECT * FROM t), t": {"def.t"},
    "WITH t AS (SELECT 1) SELECT (SELECT max(x) FROM (SELECT * FROM t))": set(),
    "WITH RECURSIVE t AS (SELECT 1 UNION ALL SELECT * FROM t) SELECT * FROM t": set(),
    "WITH RECURSIVE t AS (SELECT * FROM t UNION ALL SELECT * FROM t) FROM t": {"def.t"},
    "WITH RECURSIVE t AS (SELECT * FROM d.t UNION ALL SELECT * FROM t) FROM t": {"d.t"},
    "WITH RECURSIVE a AS (SELECT 1 UNION ALL SELECT * FROM b), b AS (SELECT 2) FROM a": {"def.b"},
    'WITH "d.t" AS (SELECT 1) SELECT * FROM "d.t"': set(),
    'WITH "d.t" AS (SELECT 1) SELECT * FROM d.t': {"d.t"},
    "WITH d AS (SELECT 1) SELECT * FROM d.t": {"d.t"},
    "WITH t AS (WITH u AS (SELECT * FROM v) SELECT * FROM u) SELECT * FROM t, u": {
        "def.v",
        "def.u",
    },
    "WITH t AS (SELECT 1) (SELECT * FROM t) UNION (SELECT * FROM t)": set(),
    "(WITH t AS (SELECT 1) SELECT * FROM t) UNION SELECT * FROM t": {"def.t"},
    "WITH t AS MATERIALIZED (FROM d.a) PIVOT t ON x IN ('y') USING max(z)": {"d.a"},
}


@pytest.mark.parametrize("sql", NAMED)
def test_datasets_that_are_named(parser: duckdb.DuckDBPyConnection, sql: str) -> None:
    """By scope, as the engine looks names up; one too few could not be resolved there."""
    found = gate.read(parser, sql, "def")
    assert {str(name) for name in found.datasets} == NAMED[sql]


def test_places_are_those_in_the_text(parser: duckdb.DuckDBPyConnection) -> None:
    """Line and column of the first mention, also behind EXPLAIN, blanks and wide letters."""
    text = "/* é */ EXPLAIN\n SELECT '😀',\n  x FROM d.t, d.t"
    ((name, place),) = gate.read(parser, text, None).datasets.items()
    assert str(name) == "d.t"
    assert place is not None
    assert place[:2] == (3, 10)
    assert text[place.offset : place.offset + 3] == "d.t"


REFUSED: dict[str, tuple[type[PrivetError], str]] = {
    "": (ParseFailed, "exactly one"),
    ";": (ParseFailed, "exactly one"),
    "SELECT 1; SELECT 2": (ParseFailed, "exactly one"),
    "SELECT": (ParseFailed, "breaks off"),
    "SELECT 1 +": (ParseFailed, "not expected"),
    "SELECT 1 1": (ParseFailed, "`1` is not expected"),
    "INSERT INTO d.t VALUES (1)": (InvalidRequest, "only a SELECT"),
    "WITH x AS (DELETE FROM d.t RETURNING *) FROM x": (InvalidRequest, "only SELECT"),
    "COPY (SELECT 1) TO 'x'": (InvalidRequest, "only a SELECT"),
    "PIVOT d.t ON a USING max(b)": (InvalidRequest, "only a SELECT"),
    "SHOW TABLES": (InvalidRequest, "not a query"),
    "EXPLAIN ANALYZE SELECT 1": (InvalidRequest, "only a plain EXPLAIN"),
    "EXPLAIN (FORMAT JSON) SELECT 1": (InvalidRequest, "only a plain EXPLAIN"),
    "SELECT * FROM d.t AT (VERSION => 1)": (InvalidRequest, "as they are now"),
    "SELECT * FROM a.b.c": (UnknownName, "in which database"),
    "SELECT * FROM a.b.c.d": (UnknownName, "in which database"),
    "SELECT * FROM read_csv('x')": (UnknownName, "`read_csv` does not exist"),
    "SELECT getenv('x')": (UnknownName, "`getenv` does not exist"),
    "SELECT ?, $a": (InvalidRequest, "numbered or named"),
    "SELECT * FROM d.'t-1'": (InvalidRequest, "not a valid"),
    "SELECT * FROM 'x.parquet'": (InvalidRequest, "not a valid"),
    f"SELECT {'[' * 400}1{']' * 400}": (PrivetError, "deep|breaks"),
    f"SELECT {'(SELECT ' * 300}1{')' * 300}": (PrivetError, "deep|breaks"),
    f"VALUES {', '.join(['(1)'] * 60_000)}": (ResourcesExceeded, "too large"),
}


@pytest.mark.parametrize("sql", REFUSED, ids=lambda sql: sql[:40])
def test_what_is_refused(parser: duckdb.DuckDBPyConnection, sql: str) -> None:
    """With an error of ours that says why, and a hint."""
    kind, said = REFUSED[sql]
    with pytest.raises(kind, match=said) as refused:
        gate.read(parser, sql, "def")
    assert refused.value.hint


PARAMETERS = {
    "SELECT ?, ?": ("1", "2"),
    "SELECT $2, $1, $2": ("1", "2"),
    "SELECT $b, $a": ("a", "b"),
    "SELECT ? FROM d.t WHERE x = ? LIMIT ?": ("1", "2", "3"),
    "SELECT '?', \"$1\" FROM d.t -- ?": (),
    "SELECT $$?$$": (),
    f"SELECT {', '.join(['?'] * 12)}": tuple(str(n) for n in range(1, 13)),
    "EXPLAIN SELECT ?": ("1",),
    "PIVOT d.t ON a IN ('x') USING max(b) GROUP BY c": (),
}


@pytest.mark.parametrize("sql", PARAMETERS, ids=lambda sql: sql[:40])
def test_parameters(parser: duckdb.DuckDBPyConnection, sql: str) -> None:
    """By number or name, in order; not those within quotes and comments."""
    assert gate.read(parser, sql, None).parameters == PARAMETERS[sql]


def test_semicolons_before_a_statement(parser: duckdb.DuckDBPyConnection) -> None:
    """Are taken away without moving anything, so that EXPLAIN can stand there."""
    text = gate.read(parser, ";; SELECT ';', $$;$$ /* ; */ ; -- ;", None).text
    assert text.startswith("   SELECT ';', $$;$$ /* ; */")


def test_a_default_database_must_be_a_name(parser: duckdb.DuckDBPyConnection) -> None:
    """Dots, quotes and other letters make none."""
    for database in ("a.b", 'a"', "é", "", " ", "a b", "temp\n"):
        with pytest.raises(PrivetError):
            gate.read(parser, "SELECT * FROM t", database)
