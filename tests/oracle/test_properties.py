"""What must hold of the engine whatever the facts, shown on generated worlds.

PRIVET_ORACLE_SEED and PRIVET_ORACLE_CASES choose other worlds; a failure names its case.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from random import Random

import pyarrow as pa
import pytest
from asked import elements, roles_misplaced
from cells import Cell, identity
from drawing import ROLES, TAGS
from engine import answer, applied, decision_of, derive, difference, facts_of, plan_of, raw_batch
from generate import world_of
from kinds import kind_of_type
from law import Answer
from meaning import holds
from planting import MARKERS, beneath, pattern, planted
from showing import Keyed
from twins import twin_of
from world import World, covers, roles_bound, roles_of

from privet.enforcement import EnforcedPlan, enforce
from privet.model.errors import InvalidRequest
from privet.model.expressions import (
    Call,
    Case,
    ColumnRef,
    ColumnSlot,
    Compare,
    CompareOp,
    Expr,
    In,
    IsNull,
    Literal,
    Not,
)
from privet.model.permissions import Effect, Permission, Scope, ScopeKind
from privet.model.requests import ScanRequest
from privet.policy import Vocabulary, check, decide
from privet.policy import elements as elements_of

SEED = int(os.environ.get("PRIVET_ORACLE_SEED", "0"))
CASES = max(1, int(os.environ.get("PRIVET_ORACLE_CASES", "10000")) // 10)
NULL = Call("null", (ColumnSlot(),))
TRUE = Literal(True)


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


# ---- monotone in grants, antitone in safeguards


def _as_written(permissions: Iterable[Permission]) -> tuple[Permission, ...]:
    return tuple(permissions)


def _nulling(permissions: Iterable[Permission]) -> tuple[Permission, ...]:
    """The same with NULL for every transform: whatever is not NULL is clear."""
    return tuple(
        replace(p, transforms=tuple(replace(c, call=NULL) for c in p.transforms))
        for p in permissions
    )


Change = Callable[[Iterable[Permission]], tuple[Permission, ...]]
changes = pytest.mark.parametrize("change", [_as_written, _nulling])


@changes
def test_adding_a_grant_takes_no_cell_away(change: Change) -> None:
    """Columns, rows and values stay; where transforms give NULL, the values stay as they are."""
    for case, world, random in worlds():
        more = replace(world, permissions=change(world.permissions))
        added = random.choice([p for p in more.permissions if p.effect is Effect.GRANT])
        _shows_no_more(_without(more, added), more, case, clear=change is _nulling)


@changes
def test_adding_a_safeguard_shows_no_more(change: Change) -> None:
    """Fewer columns, fewer rows, no value for a NULL, nothing clear that was not."""
    taking = 0
    for case, world, random in worlds():
        less = replace(world, permissions=change(world.permissions))
        guards = [p for p in less.permissions if p.effect is not Effect.GRANT]
        if not guards:
            continue
        more = _without(less, random.choice(guards))
        _shows_no_more(less, more, case, clear=change is _nulling)
        taking += decision_of(less).digest != decision_of(more).digest
    assert taking > CASES // 10, "hardly a safeguard takes anything"


@changes
def test_a_narrowed_token_shows_no_more(change: Change) -> None:
    """Groups that a token leaves out still bind, and give nothing."""
    for case, world, random in worlds():
        reader = world.principal
        out = frozenset(g for g in sorted(reader.groups) if random.random() < 0.5)
        narrowed = replace(
            reader, groups=reader.groups - out, other_groups=reader.other_groups | out
        )
        whole = replace(world, permissions=change(world.permissions))
        _shows_no_more(replace(whole, principal=narrowed), whole, case, clear=change is _nulling)


def _without(world: World, permission: Permission) -> World:
    return replace(world, permissions=tuple(p for p in world.permissions if p is not permission))


def _shows_no_more(less: World, more: World, case: str, *, clear: bool) -> None:
    """Whatever is seen of `less` is seen of `more`; the very same, if all that is seen is clear."""
    for fewer, seen in zip(_by_row(less), _by_row(more), strict=True):
        assert fewer.keys() <= seen.keys(), case
        for name, cell in fewer.items():
            assert cell is None or seen[name] is not None, case
            if clear and cell is not None:
                assert identity(cell) == identity(seen[name]), case


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


def test_roles_are_asked_for_only_where_that_cannot_be_negated() -> None:
    """A filter that gaining a role could make false is refused when it is stored."""
    vocabulary = Vocabulary(frozenset(TAGS), frozenset(ROLES))
    refused = 0
    for case, world, _ in worlds():
        for where in {p.where: p for p in world.permissions if p.where is not None}:
            for form in (where, Not(where), IsNull(where), Case(((where, TRUE),), Not(TRUE))):
                found = _refusal(form, vocabulary)
                assert roles_misplaced(form) == ("has_roles" in found), f"{case}: {form}"
                refused += bool(found)
    assert refused, "no role was asked for"


def _refusal(where: Expr, vocabulary: Vocabulary) -> str:
    try:
        check(Permission(Scope(ScopeKind.CATALOG), ROLES[0], where=where), vocabulary, ())
    except InvalidRequest as error:
        return error.message
    return ""


def test_lists_are_read_alike() -> None:
    """Whatever stands in a text, it has the same elements."""
    random = Random(SEED)
    for _ in range(CASES * 10):
        text = "".join(random.choice('ab,,""  \t\r\n\0') for _ in range(random.randint(0, 9)))
        assert set(elements_of(text)) == set(elements(text)), repr(text)


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
        heard = tuple(
            p
            for p in world.permissions
            if covers(p, world)
            and p.role in (roles_of if p.effect is Effect.GRANT else roles_bound)(world)
        )
        decision_of(world_of(random.randint(0, CASES)))
        for facts in (heard, world.permissions, tuple(map(replace, heard))):
            again = decision_of(replace(world, permissions=facts))
            assert again.digest == decided.digest, case
            assert again.columns == decided.columns, case


def test_what_was_decided_before_is_irrelevant() -> None:
    """One set of facts serves other moments, attributes and readers as if each came first."""
    for case, world, random in worlds():
        reader, facts = world.principal, facts_of(world)
        asked = [
            (reader, world.now),
            (replace(reader, attributes={"team": "a,b", "city": "7"}), world.now),
            (replace(reader, attributes={}), world.now),
            (reader, world.now + timedelta(seconds=random.choice((-61, -1, 1, 61)))),
            (replace(reader, admin=not reader.admin), world.now),
            (replace(reader, user="Ada"), world.now),
        ]
        for principal, now in random.choices(asked, k=6):
            found, alone = decide(principal, facts, now), decide(principal, facts_of(world), now)
            assert found.digest == alone.digest, case
            assert (found.columns, found.filters) == (alone.columns, alone.filters), case
            assert found.restrictions == alone.restrictions, case


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
        fewer = _spared(plan, batch)
        spared += sum(b.num_rows for b in fewer) < batch.num_rows
        found = difference(applied(plan, *fewer), answer(world))
        assert not found, f"{case}: {found}"
    assert spared > CASES // 100, "hints hardly spare a row"


def _spared(plan: EnforcedPlan, batch: pa.RecordBatch) -> list[pa.RecordBatch]:
    """The rows that a source delivers which knows the hint."""
    if plan.hint is None:
        return [batch]
    table = pa.Table.from_batches([batch]).rename_columns([c.source_name for c in plan.reads])
    fewer = table.filter(plan.hint).combine_chunks().rename_columns(batch.schema.names)
    return fewer.to_batches()


def test_asking_for_some_rows_gives_a_part_of_the_whole() -> None:
    """Those whose cells, as they are seen, meet what is asked; a source may use its hint."""
    asked = 0
    for case, world, random in worlds():
        whole = answer(world)
        condition = None if whole is None else _condition(whole, random)
        if whole is None or condition is None:
            continue
        asked += 1
        request = ScanRequest(world.dataset.name, where=(condition,))
        plan = enforce(decision_of(world), request, derive)
        kinds = {name: kind_of_type(kind) for name, kind in whole.columns}
        met = (dict(zip(kinds, row, strict=True)) for row in whole.rows)
        part = Answer(
            whole.columns, tuple(tuple(r.values()) for r in met if holds(condition, r, kinds))
        )
        batch = raw_batch(plan, world.table)
        found = difference(applied(plan, batch), part)
        assert not found, f"{case}: {found}"
        found = difference(applied(plan, *_spared(plan, batch)), part)
        assert not found, f"{case}, as hinted: {found}"
    assert asked > CASES // 10, "hardly a row is asked for"


def _is_small(cell: Cell) -> bool:
    return not isinstance(cell, int) or -(2**63) <= cell < 2**63


def _condition(whole: Answer, random: Random) -> Expr | None:
    """A condition that a row or two may meet: a column against a cell that it shows."""
    cells = [
        (name, row[place])
        for place, (name, _) in enumerate(whole.columns)
        for row in whole.rows
        if isinstance(row[place], str | bool | int) and _is_small(row[place])
    ]
    if not cells:
        return None
    name, cell = random.choice(cells)
    others = tuple(Literal(c) for n, c in cells if n == name)
    if random.random() < 0.3:
        return In(ColumnRef(name), tuple(random.sample(others, min(2, len(others)))))
    return Compare(random.choice(list(CompareOp)), ColumnRef(name), Literal(cell))


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
