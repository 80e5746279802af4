"""What must hold of the engine whatever the facts, shown on generated worlds.

PRIVET_ORACLE_SEED and PRIVET_ORACLE_CASES choose other worlds; a failure names its case.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from random import Random

import pyarrow as pa
import pytest
from cells import Cell, identity
from engine import answer, applied, decision_of, derive, difference, plan_of, raw_batch
from generate import world_of
from law import Answer, World, covers, roles_of
from planting import MARKERS, beneath, pattern, planted
from showing import Keyed
from twins import twin_of

from privet.enforcement import enforce
from privet.model.expressions import Call, ColumnSlot
from privet.model.permissions import Permission
from privet.model.requests import ScanRequest

SEED = int(os.environ.get("PRIVET_ORACLE_SEED", "0"))
CASES = max(1, int(os.environ.get("PRIVET_ORACLE_CASES", "10000")) // 10)
NULL = Call("null", (ColumnSlot(),))


def worlds() -> Iterator[tuple[str, World, Random]]:
    """The cases, each with dice of its own for what is done to it."""
    for case in range(SEED, SEED + CASES):
        yield f"case {case}", world_of(case), Random(f"properties {case}")


def serialised(batch: pa.RecordBatch) -> bytes:
    """A batch as the bytes of an IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    return sink.getvalue().to_pybytes()


def leaving(world: World) -> bytes | None:
    """What leaves of a world, as bytes."""
    plan = plan_of(world)
    return None if plan is None else serialised(plan.apply(raw_batch(plan, world.table)))


# ---- monotone in grants


def _as_written(grants: Iterable[Permission]) -> tuple[Permission, ...]:
    return tuple(grants)


def _nulling(grants: Iterable[Permission]) -> tuple[Permission, ...]:
    """The grants with NULL for every transform: whatever is not NULL is clear."""
    return tuple(
        replace(g, transforms=tuple(replace(c, call=NULL) for c in g.transforms)) for g in grants
    )


@pytest.mark.parametrize("change", [_as_written, _nulling])
def test_adding_a_grant_takes_no_cell_away(
    change: Callable[[Iterable[Permission]], tuple[Permission, ...]],
) -> None:
    """Columns, rows and values stay; where transforms give NULL, the values stay as they are."""
    for case, world, random in worlds():
        grants = change(world.permissions)
        added = random.choice(grants)
        fewer = _by_row(replace(world, permissions=tuple(g for g in grants if g is not added)))
        more = _by_row(replace(world, permissions=grants))
        for before, after in zip(fewer, more, strict=True):
            assert before.keys() <= after.keys(), case
            for name, cell in before.items():
                assert cell is None or after[name] is not None, case
                if change is _nulling and cell is not None:
                    assert identity(cell) == identity(after[name]), case


def _by_row(world: World) -> list[dict[str, Cell]]:
    """For each row of the table what is seen of it, by column: nothing, where it is hidden."""
    plan = plan_of(world)
    if plan is None:
        return [{}] * world.table.num_rows
    batch = raw_batch(plan, world.table)
    seen: list[dict[str, Cell]] = []
    for place in range(batch.num_rows):
        found = applied(plan, batch.slice(place, 1))
        names = [name for name, _ in found.columns]
        seen.append(dict(zip(names, found.rows[0], strict=True)) if found.rows else {})
    return seen


# ---- what is irrelevant


def test_the_order_of_facts_is_irrelevant() -> None:
    """Permissions and their clauses in any order give the same decision and the same bytes."""
    for case, world, random in worlds():
        mixed = tuple(
            replace(p, transforms=tuple(random.sample(p.transforms, len(p.transforms))))
            for p in random.sample(world.permissions, len(world.permissions))
        )
        other = replace(world, permissions=mixed)
        assert decision_of(other).digest == decision_of(world).digest, case
        assert leaving(other) == leaving(world), case


def test_where_batches_are_cut_is_irrelevant() -> None:
    """A table in pieces, empty ones among them, gives the cells of the whole."""
    for case, world, random in worlds():
        plan = plan_of(world)
        if plan is None:
            continue
        batch = raw_batch(plan, world.table)
        cuts = sorted(random.randint(0, batch.num_rows) for _ in range(3))
        edges = zip((0, *cuts), (*cuts, batch.num_rows), strict=True)
        pieces = [batch.slice(start, stop - start) for start, stop in edges]
        found = difference(applied(plan, *pieces), answer(world))
        assert not found, f"{case}: {found}"


def test_what_else_is_known_is_irrelevant() -> None:
    """One by one or in a list: permissions on other things, and decisions before, change nothing.

    A listing hands over what covers each dataset, or all that a reader's roles have.
    """
    for case, world, random in worlds():
        decided = decision_of(world)
        held = roles_of(world)
        heard = tuple(p for p in world.permissions if p.role in held and covers(p, world.dataset))
        decision_of(world_of(random.randint(0, CASES)))
        for facts in (heard, world.permissions, tuple(map(replace, heard))):
            again = decision_of(replace(world, permissions=facts))
            assert again.digest == decided.digest, case
            assert again.columns == decided.columns, case


def test_asking_for_some_columns_gives_a_part_of_the_whole() -> None:
    """The same rows and cells, also rows in which nothing that was asked for is shown."""
    for case, world, random in worlds():
        whole = answer(world)
        if whole is None:
            continue
        places = random.sample(range(len(whole.columns)), random.randint(1, len(whole.columns)))
        some = tuple(whole.columns[place][0] for place in places)
        plan = enforce(decision_of(world), ScanRequest(world.dataset.name, some), derive)
        part = Answer(
            tuple(whole.columns[place] for place in places),
            tuple(tuple(row[place] for place in places) for row in whole.rows),
        )
        found = difference(applied(plan, raw_batch(plan, world.table)), part)
        assert not found, f"{case}: {found}"


def test_hints_spare_no_visible_row() -> None:
    """A source that leaves out what the hint allows gives the same answer."""
    spared = 0
    for case, world, _ in worlds():
        plan = plan_of(world)
        if plan is None or plan.hint is None:
            continue
        batch = raw_batch(plan, world.table)
        table = pa.Table.from_batches([batch]).rename_columns([c.source_name for c in plan.reads])
        fewer = table.filter(plan.hint).combine_chunks().rename_columns(batch.schema.names)
        spared += fewer.num_rows < table.num_rows
        found = difference(applied(plan, *fewer.to_batches()), answer(world))
        assert not found, f"{case}: {found}"
    assert spared > CASES // 100, "hints hardly spare a row"


# ---- non-interference


def test_what_is_hidden_changes_no_byte() -> None:
    """Other values, fewer or more rows where the law shows nothing: the same bytes leave."""
    keyed = Keyed(derive)
    changed = 0
    for case, world, random in worlds():
        twin = twin_of(world, random, keyed)
        changed += not twin.table.equals(world.table)
        assert leaving(twin) == leaving(world), case
    assert changed > CASES // 4, "the twins hardly differ"


def test_no_buffer_holds_a_hidden_value() -> None:
    """Values planted in hidden cells, under NULLs and beside slices are in no byte that leaves."""
    keyed = Keyed(derive)
    searched = 0
    for case, world, random in worlds():
        wary = planted(world, random, keyed)
        plan = plan_of(wary)
        if plan is None:
            continue
        dirty = beneath(raw_batch(plan, wary.table), random)
        found = difference(applied(plan, dirty), answer(wary))
        assert not found, f"{case}: {found}"
        left = plan.apply(dirty)
        for name in set(MARKERS) & {c.name for c in plan.reads}:
            searched += 1
            for held in (serialised(left), *_buffers(left)):
                assert pattern(name) not in held, f"{case}: {name}"
    assert searched > CASES // 4, "hardly anything was planted"


def _buffers(batch: pa.RecordBatch) -> Iterator[bytes]:
    for column in batch.columns:
        yield from (b.to_pybytes() for b in column.buffers() if b is not None)
