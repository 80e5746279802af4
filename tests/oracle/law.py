"""The law for SELECT on a dataset, as a small, slow interpreter over rows and cells.

It answers what a principal gets: nothing at all (the dataset is like an unknown name), or columns
and rows. Written from the law's text; shares nothing with `privet.policy` or `privet.enforcement`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
from cells import Cell, cells_of
from kinds import Misfit, kind_of, kind_of_type, replaced
from meaning import holds
from never import can_be_true
from showing import CLEAR, Keyed, Way, fits, leaves_as, transformed, way_of

from privet.model.datasets import Column, Dataset
from privet.model.expressions import Expr, HasTag, TagAnd, TagExpr, TagNot, TagOr
from privet.model.names import TagName
from privet.model.permissions import Permission, ScopeKind
from privet.model.principals import Principal

PUBLIC = "public_role"


@dataclass(frozen=True)
class World:
    """A question: who asks, for what, when, and all that is the case.

    `roles` maps a role to the (issuer, group) pairs that hold it.
    """

    principal: Principal
    dataset: Dataset
    table: pa.Table
    permissions: tuple[Permission, ...]
    roles: Mapping[str, frozenset[tuple[str, str]]]
    now: datetime


@dataclass(frozen=True)
class Answer:
    """What is seen: names and types of the columns, and the rows in order."""

    columns: tuple[tuple[str, pa.DataType], ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Said:
    """What one grant says alone: V and T as one mapping, and F (None: every row)."""

    shown: Mapping[str, Way]
    where: Expr | None


def answer(world: World, keyed: Keyed) -> Answer | None:
    """What the principal gets, or None if the dataset does not exist for them (rule 3)."""
    columns = visible(world)
    if not columns:
        return None
    seen = tuple(row for row in rows_seen(world, keyed) if row is not None)
    return Answer(tuple((c.name, leaves_as(c.type)) for c in columns), seen)


def visible(world: World) -> list[Column]:
    """The columns that some grant shows, in order."""
    grants = _heard(world)
    return [c for c in world.dataset.columns if any(c.name in g.shown for g in grants)]


def rows_seen(world: World, keyed: Keyed) -> list[tuple[Cell, ...] | None]:
    """For each row of the table, what is seen of it; None if it is hidden (rule 1)."""
    grants, columns = _heard(world), visible(world)
    kinds = {c.name: kind_of_type(c.type) for c in world.dataset.columns}
    cells = {c.name: cells_of(world.table.column(c.name)) for c in world.dataset.columns}
    seen: list[tuple[Cell, ...] | None] = []
    for values in zip(*cells.values(), strict=True):
        row = dict(zip(cells, values, strict=True))
        true = [g for g in grants if g.where is None or holds(g.where, row, kinds)]
        shown = tuple(_cell(world, c, row[c.name], true, grants, keyed) for c in columns)
        seen.append(shown if true else None)
    return seen


def _heard(world: World) -> list[Said]:
    """The grants; for an admin, rule 8: reads that know no policy."""
    if world.principal.admin:
        return [Said({c.name: CLEAR for c in world.dataset.columns}, None)]
    return list(grants_of(world))


def _cell(
    world: World, column: Column, cell: Cell, true: list[Said], grants: list[Said], keyed: Keyed
) -> Cell:
    ways = [g.shown[column.name] for g in true if column.name in g.shown]
    if not ways:
        return None
    best = min(ways, key=Way.protectiveness)
    if best.call is None or cell is None:
        return cell
    # Beside clear cells, shared tokens would make the column its own dictionary.
    own = any(g.shown.get(column.name) == CLEAR for g in grants)
    reader = (world.principal.issuer, world.principal.user) if own else None
    return transformed(best, column, world.dataset, reader, cell, keyed)


# ---- what a grant says alone


def grants_of(world: World) -> Iterator[Said]:
    """The grants that are active, cover the dataset and grant something on it."""
    held = roles_of(world)
    # A filter may use hidden columns, but not ones that nobody has reviewed.
    kinds = {c.name: kind_of_type(c.type) for c in world.dataset.columns if c.reviewed}
    for permission in world.permissions:
        if permission.role not in held or not covers(permission, world.dataset):
            continue
        if not active(permission, world.now):
            continue
        where = filter_of(permission, world)
        shown = dict(shown_by(permission, world.dataset))
        if shown and (where is None or grants_something(where, kinds)):
            yield Said(shown, where)


def roles_of(world: World) -> frozenset[str]:
    """The roles of the principal's groups, `user:<name>` among them, and the public one."""
    reader = world.principal
    groups = {(reader.issuer, g) for g in (*reader.groups, f"user:{reader.user}")}
    return frozenset({PUBLIC, *(r for r, members in world.roles.items() if members & groups)})


def covers(permission: Permission, dataset: Dataset) -> bool:
    """Whether a permission is on the catalog, on this database or on this dataset."""
    scope = permission.scope
    if scope.kind is ScopeKind.CATALOG:
        return True
    if scope.database != dataset.name.database:
        return False
    return scope.kind is ScopeKind.DATABASE or scope.dataset == dataset.name.name


def active(permission: Permission, now: datetime) -> bool:
    """Enabled, and start <= now < end, in seconds since 1970."""
    properties = permission.properties
    start, end = properties.get("start_datetime"), properties.get("end_datetime")
    return (
        properties.get("enabled", "true") == "true"
        and (start is None or int(start) <= now.timestamp())
        and (end is None or now.timestamp() < int(end))
    )


def filter_of(permission: Permission, world: World) -> Expr | None:
    """The filter, with `user()` and `now()` replaced."""
    values = {"user": world.principal.user, "now": world.now}
    return None if permission.where is None else replaced(permission.where, values)


def grants_something(where: Expr, kinds: Mapping[str, str]) -> bool:
    """Whether the filter fits the dataset's columns, and is not FALSE or NULL from the start."""
    try:
        fits = kind_of(where, kinds) in {"boolean", "null"}
    except Misfit:
        return False
    return fits and can_be_true(where, kinds)


def shown_by(permission: Permission, dataset: Dataset) -> Iterator[tuple[str, Way]]:
    """The columns that a grant shows, and how."""
    for column in dataset.columns:
        held = tags_of(column, dataset)
        # What is inside a column counts where that protects: all of the column must be granted,
        # and any field in it can be what a transform is for.
        readings = (held, tags_of(column, dataset, inside=False))
        clauses = [
            c for c in permission.transforms if any(matches(c.tags, tags) for tags in readings)
        ]
        granted = all(permission.having is None or matches(permission.having, t) for t in readings)
        if not column.reviewed or not (granted or any(c.excepted for c in clauses)):
            continue
        ways = [way_of(c, held, dataset) for c in clauses]
        # Several clauses of one grant: the most protective one; if it does not fit, no column.
        best = max(ways, key=Way.protectiveness, default=CLEAR)
        if fits(best, column, dataset):
            yield column.name, best


def tags_of(column: Column, dataset: Dataset, *, inside: bool = True) -> frozenset[TagName]:
    """The column's own tags, its dataset's and its database's, and those on fields inside it."""
    own = {t.tag for t in column.field_tags if inside or t.path == (column.name,)}
    return frozenset(own | dataset.tags | dataset.database_tags)


def matches(tags: TagExpr, held: frozenset[TagName]) -> bool:
    """Whether a tag expression is true of these tags."""
    match tags:
        case HasTag(tag):
            return tag in held
        case TagNot(part):
            return not matches(part, held)
        case TagAnd(parts):
            return all(matches(p, held) for p in parts)
        case TagOr(parts):
            return any(matches(p, held) for p in parts)
    raise AssertionError(tags)
