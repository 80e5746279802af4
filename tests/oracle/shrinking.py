"""A counter-example made small: fewer grants, rows, columns and clauses while it still is one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pyarrow as pa
from law import World

from privet.model.permissions import Permission


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
    dataset = world.dataset
    if dataset.tags or dataset.database_tags:
        yield replace(world, dataset=replace(dataset, tags=frozenset(), database_tags=frozenset()))
    for role in world.roles:
        yield replace(world, roles={r: m for r, m in world.roles.items() if r != role})


def _less(permission: Permission) -> Iterator[Permission]:
    if permission.having is not None:
        yield replace(permission, having=None)
    for number in range(len(permission.transforms)):
        clauses = permission.transforms[:number] + permission.transforms[number + 1 :]
        yield replace(permission, transforms=clauses)
    if permission.where is not None:
        yield replace(permission, where=None)
    if permission.properties:
        yield replace(permission, properties={})
    if permission.role != "public_role":
        yield replace(permission, role="public_role")
