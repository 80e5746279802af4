"""The same over a real PostgreSQL: what is rewritten for it shows what a scan shows."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator

import engine
import psycopg
import pyarrow as pa
import pyarrow.types as pat
import pytest
from cells import cells_of
from generate import world_of
from law import Answer
from world import World

from privet.enforcement.rewriting import Foreign, get_engine
from privet.model.datasets import plain_type
from privet.model.errors import NotExpressible
from services.postgres import DATABASE, SourceServer, source_server

pytestmark = pytest.mark.service
SEED = int(os.environ.get("PRIVET_ORACLE_SEED", "0"))
CASES = int(os.environ.get("PRIVET_REWRITTEN_CASES", "800"))
ELSEWHERE = get_engine("postgres")
LEAST_SHOWN, LEAST_FILTERED = 30, 4
TYPES = {
    pa.bool_(): "boolean",
    pa.int8(): "smallint",
    pa.int16(): "smallint",
    pa.int32(): "integer",
    pa.int64(): "bigint",
    pa.float32(): "real",
    pa.float64(): "double precision",
    pa.string(): "text",
    pa.date32(): "date",
    pa.timestamp("us"): "timestamp",
}


@pytest.fixture(scope="module")
def source() -> Iterator[SourceServer]:
    """A PostgreSQL of its own."""
    with source_server() as server:
        yield server


def type_there(kind: pa.DataType) -> str | None:
    """What a column is there; None for types that it has no like of."""
    if pat.is_decimal128(kind) and 0 <= kind.scale <= kind.precision:
        return f"numeric({kind.precision}, {kind.scale})"
    return TYPES.get(kind)


def put(connection: psycopg.Connection, world: World) -> bool:
    """Put the raw rows there, as far as their types are; False if their cells do not fit."""
    name = world.dataset.name
    kinds = {c.name: plain_type(c.type) for c in world.dataset.columns}
    there = {n: t for n, kind in kinds.items() if (t := type_there(kind))}
    if not there:
        return False
    table = f'"{name.database}"."{name.name}"'
    declared = ", ".join(f'"{n}" {t}' for n, t in there.items())
    connection.execute(f'CREATE SCHEMA "{name.database}"'.encode())
    connection.execute(f"CREATE TABLE {table} ({declared})".encode())
    try:
        columns = [world.table.column(n).cast(kinds[n]).to_pylist() for n in there]
    except (ValueError, OverflowError):
        return False
    marks = ", ".join(["%s"] * len(there))
    with connection.cursor() as cursor:
        try:
            rows = list(zip(*columns, strict=True))
            cursor.executemany(f"INSERT INTO {table} VALUES ({marks})".encode(), rows)
        except (psycopg.DataError, OverflowError):
            return False
    return True


def compared(source: SourceServer, world: World) -> str:
    """How a world is answered; where it is, the answers are alike."""
    right, plan, name = engine.answer(world), engine.plan_of(world), world.dataset.name
    if right is None or plan is None:
        return "hidden"
    try:
        asked = Foreign(f"SELECT * FROM {name.database}.{name.name}", ELSEWHERE)
        sql = asked.rewrite({name: engine.decision_of(world)})
    except NotExpressible:
        return "refused"
    told = f"host={source.folder} port={source.port} user=privet dbname={DATABASE}"
    with psycopg.connect(told) as connection:
        try:
            if not put(connection, world):
                return "unfit"
            rows = connection.execute(sql.encode()).fetchall()
        except psycopg.errors.UndefinedColumn:
            return "unfit"
        finally:
            connection.rollback()
    fields = list(plan.schema)
    arrays = [pa.array([row[i] for row in rows], f.type) for i, f in enumerate(fields)]
    cells = [cells_of(array) for array in arrays]
    found = Answer(right.columns, tuple(zip(*cells, strict=True)))
    assert not engine.difference(found, right), sql
    return "all" if len(right.rows) == world.table.num_rows else "filtered"


def test_a_real_postgres_shows_what_a_scan_shows(source: SourceServer) -> None:
    """On generated worlds rows and cells are equal, or nothing is rewritten."""
    seen = Counter(compared(source, world_of(seed)) for seed in range(SEED, SEED + CASES))
    assert seen["all"] + seen["filtered"] >= LEAST_SHOWN * CASES // 800
    assert seen["filtered"] >= LEAST_FILTERED * CASES // 800
