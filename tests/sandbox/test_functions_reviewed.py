"""Every function of the engine has been looked at, and is served or refused as was decided."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from privet.sandbox.functions import (
    refused_function,
    served_table_function,
)
from query.platforms import Place

FILE = Path(__file__).with_name("reviewed_functions.txt")
Reviewed = dict[tuple[str, str], str]
CANNOT = "SELECT DISTINCT function_name, function_type FROM duckdb_functions()"
# Names with which something would be read, written, run, waited for, or told of the engine.
DANGEROUS = (
    *("read_", "_scan", "glob", "sniff", "getenv", "query", "duckdb_", "pragma_", "parquet_"),
    *("copy_", "import_", "load", "install", "attach", "secret", "setting", "sleep", "nextval"),
    *("currval", "setseed", "setval", "write_", "log_", "_logs", "checkpoint", "serialize"),
    *("external_resource", "profiling", "__internal", "has_", "_privilege", "inet_", "txid"),
    *("getvariable", "execute", "test_all", "test_vector", "python_", "pandas_", "arrow_scan"),
)
HARMLESS = frozenset(
    {
        # These only look dangerous.
        *("list_has", "list_has_all", "list_has_any", "array_has", "array_has_all"),
        *("array_has_any", "struct_has"),
    }
)


@pytest.fixture(scope="module")
def reviewed() -> Reviewed:
    """The verdicts by kind and name."""
    lines = FILE.read_text(encoding="utf-8").splitlines()
    parts = [line.split(" ", 2) for line in lines if not line.startswith("#")]
    found = {(kind, name): verdict for verdict, kind, name in parts}
    assert set(found.values()) == {"served", "refused"}
    return found


def engine_functions() -> set[tuple[str, str]]:
    """What the engine has, by kind and name."""
    with duckdb.connect(":memory:") as connection:
        rows = connection.execute(CANNOT).fetchall()
    tables = {("table", name) for name, kind in rows if kind in {"table", "table_macro"}}
    kinds = {"table", "table_macro", "pragma"}
    return tables | {("value", name) for name, kind in rows if kind not in kinds}


def test_every_function_is_reviewed(reviewed: Reviewed) -> None:
    """A new version of the engine adds functions: each is looked at before it is served."""
    there = engine_functions()
    assert sorted(there - reviewed.keys()) == [], "functions that nobody has looked at"
    assert sorted(reviewed.keys() - there) == [], "functions that are gone"


def test_verdicts_hold(reviewed: Reviewed) -> None:
    """What was decided is what the gate does."""
    for (kind, name), verdict in reviewed.items():
        served = served_table_function(name) if kind == "table" else not refused_function(name)
        assert served == (verdict == "served"), (kind, name)


def test_dangerous_names_are_refused(reviewed: Reviewed) -> None:
    """By their names alone: what reads, writes, runs, waits or tells of the engine."""
    served = {name for (_, name), verdict in reviewed.items() if verdict == "served"}
    assert {n for n in served for part in DANGEROUS if part in n} - HARMLESS == set()


def test_refused_functions_are_refused_in_statements(place: Place, reviewed: Reviewed) -> None:
    """In any spelling: bare, qualified, quoted, as a method, in FROM."""
    served = {name for (_, name), verdict in reviewed.items() if verdict == "served"}
    names = [n for _, n in reviewed if n not in served and n.isidentifier()][::17]
    for name in names:
        spellings = (
            f"SELECT {name}('x')",
            f"SELECT system.main.{name.upper()}('x')",
            f'SELECT "{name}"()',
            f"SELECT 'x'.{name}()",
            f"SELECT * FROM {name}('x')",
            f"SELECT list_transform(['x'], lambda y: {name}(y))",
            f"SELECT 1 ORDER BY {name}('x')",
            f"SELECT {name}('x') OVER ()",
            f"SELECT (SELECT {name}('x'))",
        )
        for sql in spellings[:: max(1, len(name) % 3)]:
            got = place.ask(place.admin, sql)
            assert got.error is not None, sql
            assert got.code in {"unknown_name", "parse_failed", "invalid_request"}, (sql, got.error)
