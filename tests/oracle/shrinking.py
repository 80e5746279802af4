"""A counter-example made small: fewer grants, rows, columns and clauses while it still is one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pyarrow as pa
from asked import inside
from showing import steps_of
from world import World

from privet.model.permissions import (
    Effect,
    Permission,
    Scope,
    ScopeKind,
    TransformClause,
)


def shrink(world: World, still: Callable[[World], bool]) -> World:
    """The smallest world found for which `still` holds, by taking things away one at a time."""
    while True:
        smaller = next((w for w in _smaller(world) if still(w)), None)
        if smaller is None:
            return world
        world = smaller


def _smaller(world: World) -> Iterator[World]:
    for number in range(len(world.permissions)):
        rest = world.permissions[:number] + world.permissions[number + 1 :]
        yield replace(world, permissions=rest)
    for number in range(world.table.num_rows):
        parts = world.table.slice(0, number), world.table.slice(number + 1)
        yield replace(world, table=pa.concat_tables(parts))
    for name in world.table.column_names:
        columns = tuple(c for c in world.dataset.columns if c.name != name)
        dataset = replace(world.dataset, columns=columns)
        if columns:
            yield replace(world, dataset=dataset, table=world.table.drop_columns([name]))
    for number, permission in enumerate(world.permissions):
        for less in _less(permission):
            grants = (*world.permissions[:number], less, *world.permissions[number + 1 :])
            yield replace(world, permissions=grants)
    yield from _fewer_facts(world)


def _fewer_facts(world: World) -> Iterator[World]:
    dataset, reader = world.dataset, world.principal
    if dataset.tags or dataset.database_tags:
        yield replace(world, dataset=replace(dataset, tags=frozenset(), database_tags=frozenset()))
    for role in world.roles:
        yield replace(world, roles={r: m for r, m in world.roles.items() if r != role})
    if reader.attributes:
        yield replace(world, principal=replace(reader, attributes={}))
    for kind in ("groups", "other_groups"):
        if getattr(reader, kind):
            yield replace(world, principal=replace(reader, **{kind: frozenset()}))


def _less(permission: Permission) -> Iterator[Permission]:
    """What is still a statement, and says less."""
    for less in _without(permission):
        takes = less.having or (less.effect is Effect.RESTRICT and (less.transforms or less.where))
        if less.effect is Effect.GRANT or takes:
            yield less


def _without(permission: Permission) -> Iterator[Permission]:
    if permission.having is not None:
        yield replace(permission, having=None)
    yield from (replace(permission, transforms=t) for t in _fewer(permission.transforms))
    if permission.where is not None:
        yield replace(permission, where=None)
        yield from (replace(permission, where=part) for part in inside(permission.where))
    plain = {
        "properties": {},
        "role": "public_role",
        "columns": (),
        "scope": Scope(ScopeKind.CATALOG),
    }
    for name, value in plain.items():
        if getattr(permission, name) != value:
            yield replace(permission, **{name: value})


def _fewer(clauses: tuple[TransformClause, ...]) -> Iterator[tuple[TransformClause, ...]]:
    """Without one, or with one of the transforms of a nested one."""
    for number, clause in enumerate(clauses):
        before, behind = clauses[:number], clauses[number + 1 :]
        yield (*before, *behind)
        if len(steps_of(clause.call)) > 1:
            for call in steps_of(clause.call):
                yield (*before, replace(clause, call=call), *behind)
