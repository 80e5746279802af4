"""The corpus of hostile statements, rewritten for another engine and run there over raw rows."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from attacks.sql_corpus import Attack, planted_in, read_corpus
from attacks.sql_worlds import HIDDEN_COLUMNS, TOWN_TABLE, TOWNS, VISITS, difference
from doors.planted import COMMENT, PHONE, planted
from privet.enforcement.rewriting import Foreign, get_engine
from privet.model.datasets import Column, Dataset, Format, Source
from privet.model.decisions import CellOption, ColumnDecision, Decision, TransformUse, Verdict
from privet.model.errors import PrivetError
from privet.model.expressions import (
    Call,
    ColumnRef,
    ColumnSlot,
    Compare,
    CompareOp,
    Expr,
    Literal,
)
from privet.model.names import DatasetName
from privet.model.principals import Principal

SECONDS = 5.0
LEAST_ANSWERED = 90
ELSEWHERE = get_engine("duckdb")
VISIT_TABLE = planted().slice(0, 300)


def decided(name: str, table: pa.Table | None, where: Expr | None = None) -> Decision:
    """Without a table nothing is there; otherwise all but hidden columns, and no raw mrn."""
    parsed = DatasetName.parse(name)
    if table is None:
        return Decision(Principal("analyst"), parsed, 1, None)
    columns = tuple(Column(f.name, f.type, f.name) for f in table.schema)
    dataset = Dataset(name, parsed, Source(f"file:///{name}", Format.PARQUET), columns)
    nothing = TransformUse(Call("null", (ColumnSlot(),)))
    shown = tuple(
        ColumnDecision(c, Verdict.HIDDEN)
        if c.name in HIDDEN_COLUMNS
        else ColumnDecision(
            c,
            Verdict.TRANSFORMED if c.name == "mrn" else Verdict.CLEAR,
            (CellOption(nothing if c.name == "mrn" else None, frozenset({0})),),
        )
        for c in columns
    )
    return Decision(Principal("analyst"), parsed, 1, dataset, filters=(where,), columns=shown)


DECISIONS = {
    VISITS: decided(VISITS, VISIT_TABLE, Compare(CompareOp.NE, ColumnRef("opted_out"), Literal(1))),
    TOWNS: decided(TOWNS, TOWN_TABLE, Compare(CompareOp.NE, ColumnRef("region"), Literal("south"))),
}


def holding(tables: dict[str, pa.Table]) -> duckdb.DuckDBPyConnection:
    """An engine with some tables, and no way out."""
    connection = duckdb.connect(config={"enable_external_access": "false", "threads": "1"})
    connection.execute("SET memory_limit = '512MB'")
    for schema in {name.partition(".")[0] for name in tables}:
        connection.execute(f"CREATE SCHEMA {schema}")
    for name, table in tables.items():
        connection.register("given", table)
        connection.execute(f"CREATE TABLE {name} AS SELECT * FROM given")
        connection.unregister("given")
    return connection


@pytest.fixture(scope="module")
def raw() -> Iterator[duckdb.DuckDBPyConnection]:
    """The other engine: everything is there, whatever a name or a function may reach."""
    secret = pa.table({"id": [1], "word": [COMMENT], "call": [PHONE]})
    tables = {VISITS: VISIT_TABLE, TOWNS: TOWN_TABLE, "clinic.vault": VISIT_TABLE}
    bare = {"visits": VISIT_TABLE, "towns": TOWN_TABLE, "vault": secret, "t": secret}
    named = {f"main.{name}": table for name, table in bare.items()}
    with holding(tables | {"secret.t": secret}) as connection:
        for name, table in named.items():
            connection.register("given", table)
            connection.execute(f"CREATE TABLE {name} AS SELECT * FROM given")
        yield connection


@pytest.fixture(scope="module")
def sanitised() -> Iterator[duckdb.DuckDBPyConnection]:
    """An engine that holds only what the analyst sees."""
    open_visits = VISIT_TABLE.filter(pc.field("opted_out") != 1).drop_columns(HIDDEN_COLUMNS)
    place = open_visits.schema.get_field_index("mrn")
    visits = open_visits.set_column(place, "mrn", pa.nulls(len(open_visits), pa.string()))
    towns = TOWN_TABLE.filter(pc.field("region") != "south")
    with holding({VISITS: visits, TOWNS: towns}) as connection:
        yield connection


def run(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[pa.Table | None, str]:
    """The answer, or the error's words."""
    timer = threading.Timer(SECONDS, connection.interrupt)
    timer.start()
    try:
        return connection.sql(sql).to_arrow_reader(10_000).read_all(), ""
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        return None, str(error)
    finally:
        timer.cancel()


def rewritten(sql: str) -> str | None:
    """The statement as it goes to the engine; None where it does not."""
    try:
        asked = Foreign(sql, ELSEWHERE)
        return asked.rewrite(
            {name: DECISIONS.get(str(name)) or decided(str(name), None) for name in asked.datasets}
        )
    except PrivetError:
        return None


def wrong_with(
    raw: duckdb.DuckDBPyConnection, sanitised: duckdb.DuckDBPyConnection, attack: Attack
) -> tuple[str, str]:
    """How an attack ends, and what is wrong with that."""
    told = rewritten(attack.sql)
    if told is None:
        return "refused", ""
    table, error = run(raw, told)
    if found := planted_in([str(table and table.to_pydict()).encode(), error.encode()], attack.sql):
        return "", f"planted values came back: {found}"
    if table is None:
        return "failed", ""
    copied, complaint = run(sanitised, attack.sql)
    if copied is None:
        # What the parser here takes for a slip, the engine may not.
        told = "" if complaint.startswith("Parser Error") else complaint
        return "answered", told and f"answered, and over the copy: {told}"
    # Engines name what is computed after how it is written.
    return "answered", difference(table.rename_columns(copied.column_names), copied)


def test_hostile_statements_say_the_same_as_over_a_sanitised_copy(
    raw: duckdb.DuckDBPyConnection, sanitised: duckdb.DuckDBPyConnection
) -> None:
    """Each is refused, fails without a hidden value, or is answered as over what is visible."""
    ends: Counter[str] = Counter()
    wrong: dict[str, str] = {}
    for attack in read_corpus():
        end, complaint = wrong_with(raw, sanitised, attack)
        ends[end] += 1
        if complaint:
            wrong[attack.sql] = complaint
    assert not wrong
    assert ends["answered"] >= LEAST_ANSWERED, ends
