"""A decision as SQL of another engine shows what a scan shows, or is refused.

The other engine is DuckDB, over the raw rows; worlds are those on which the law is tested.
`PRIVET_ORACLE_SEED` and `PRIVET_REWRITTEN_CASES` choose other worlds, and more of them.
"""

from __future__ import annotations

import os
from collections import Counter

import duckdb
import engine
import pyarrow as pa
import pytest
from cells import cells_of
from generate import world_of
from law import Answer
from world import World

import cases
from privet.enforcement.rewriting import Foreign, get_engine
from privet.model.datasets import plain_type
from privet.model.errors import NotExpressible

SEED = int(os.environ.get("PRIVET_ORACLE_SEED", "0"))
CASES = int(os.environ.get("PRIVET_REWRITTEN_CASES", "800"))
ELSEWHERE = get_engine("duckdb")
LEAST_SHOWN, LEAST_FILTERED = 60, 12


def elsewhere(world: World, sql: str) -> pa.Table:
    """What the other engine answers over the raw rows."""
    name = world.dataset.name
    types = [plain_type(column.type) for column in world.dataset.columns]
    raw = pa.table(
        [
            world.table.column(c.name).cast(t)
            for c, t in zip(world.dataset.columns, types, strict=True)
        ],
        names=[c.name for c in world.dataset.columns],
    )
    with duckdb.connect() as connection:
        connection.register("raw_rows", raw)
        connection.execute(f'CREATE SCHEMA "{name.database}"')
        connection.execute(f'CREATE VIEW "{name.database}"."{name.name}" AS SELECT * FROM raw_rows')
        return connection.sql(sql).to_arrow_reader(1_000).read_all()


def rewritten(world: World) -> str:
    """The whole dataset, as a statement for the other engine.

    Raises:
        NotExpressible: there is no such statement.
    """
    name = world.dataset.name
    asked = Foreign(f"SELECT * FROM {name.database}.{name.name}", ELSEWHERE)
    return asked.rewrite({name: engine.decision_of(world)})


def compared(world: World) -> str:
    """How a world is answered: `hidden`, `refused`, `all` or `filtered` rows; they are alike."""
    right = engine.answer(world)
    plan = engine.plan_of(world)
    if right is None or plan is None:
        return "hidden"
    try:
        sql = rewritten(world)
    except NotExpressible:
        return "refused"
    found = elsewhere(world, sql)
    pairs = zip(found.columns, plan.schema, strict=True)
    columns = [cells_of(column.cast(field.type)) for column, field in pairs]
    named = tuple((f.name, f.type) for f in plan.schema)
    told = Answer(named, tuple(zip(*columns, strict=True)))
    assert found.column_names == [name for name, _ in right.columns]
    assert not engine.difference(told, right), sql
    return "all" if len(right.rows) == world.table.num_rows else "filtered"


def test_another_engine_shows_what_a_scan_shows() -> None:
    """On generated worlds columns, rows in order and cells are equal, or nothing is rewritten."""
    seen = Counter(compared(world_of(seed)) for seed in range(SEED, SEED + CASES))
    assert seen["all"] + seen["filtered"] >= LEAST_SHOWN * CASES // 800
    assert seen["filtered"] >= LEAST_FILTERED * CASES // 800


@pytest.mark.parametrize("name", sorted(cases.kept()))
def test_kept_cases(name: str) -> None:
    """What once showed too much is refused or shown alike, too."""
    assert compared(cases.read(cases.kept()[name])) in {"hidden", "refused", "all", "filtered"}
