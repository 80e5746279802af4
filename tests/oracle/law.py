"""The law for SELECT on a dataset, as a small, slow interpreter over rows and cells.

It answers what a principal gets: nothing at all (the dataset is like an unknown name), or columns
and rows. Written from the law's text; shares nothing with `privet.policy` or `privet.enforcement`.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import pyarrow as pa
from asked import answered
from cells import Cell, Opaque, cells_of, opaque
from fitting import Fit, fit_of, may_be_true
from kinds import inner_kinds, kind_of_type
from meaning import Row, holds
from safeguards import Taken, taken_from
from showing import CLEAR, Keyed, Place, Way, fits, in_part, leaves_as, left_of, transformed, way_of
from world import World, grants_heard, matches, readings_of, tags_of

from privet.model.datasets import Column
from privet.model.expressions import Expr
from privet.model.permissions import Permission


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
    view = View(world, *heard(world), keyed)
    if not view.columns:
        return None
    seen = tuple(row for row in view.rows() if row is not None)
    return Answer(tuple((c.name, view.type_of(c)) for c in view.columns), seen)


def visible(world: World) -> list[Column]:
    """The columns that are seen, in order."""
    grants, _ = heard(world)
    return [c for c in world.dataset.columns if any(c.name in g.shown for g in grants)]


def rows_seen(world: World, keyed: Keyed) -> list[tuple[Cell, ...] | None]:
    """For each row of the table, what is seen of it; None if it is hidden (rules 1 and 2)."""
    return View(world, *heard(world), keyed).rows()


def heard(world: World) -> tuple[list[Said], Taken]:
    """What the grants say, less what safeguards hide; for an admin, rule 8: no policy at all."""
    if world.principal.admin and not world.lenders:
        return [Said({c.name: CLEAR for c in world.dataset.columns}, None)], Taken()
    taken = taken_from(world)
    if taken.closed:
        return [], taken
    less = [
        Said({name: way for name, way in g.shown.items() if name not in taken.hidden}, g.where)
        for g in grants_of(world)
    ]
    return [g for g in less if g.shown], taken


@dataclass(frozen=True)
class View:
    """How rows are seen by who asks."""

    world: World
    grants: list[Said]
    taken: Taken
    keyed: Keyed

    @cached_property
    def columns(self) -> list[Column]:
        """The columns that some grant shows, in order."""
        named = {name for g in self.grants for name in g.shown}
        return [c for c in self.world.dataset.columns if c.name in named]

    def type_of(self, column: Column) -> pa.DataType:
        """The type in which a column leaves: without fields that no grant shows."""
        ways = [g.shown[column.name] for g in self.grants if column.name in g.shown]
        if not all(way.fields for way in ways):
            return leaves_as(column.type)
        return left_of(column.type, frozenset().union(*(way.fields for way in ways)))

    def rows(self) -> list[tuple[Cell, ...] | None]:
        """What is seen of each row of the table; None if it is hidden."""
        table, names = self.world.table, [c.name for c in self.world.dataset.columns]
        cells = [cells_of(table.column(name)) for name in names]
        return [self._row(dict(zip(names, row, strict=True))) for row in zip(*cells, strict=True)]

    def _row(self, row: Row) -> tuple[Cell, ...] | None:
        true = [g for g in self.grants if g.where is None or self._holds(g.where, row)]
        if not true or not all(self._holds(test, row) for test in self.taken.rows):
            return None
        return tuple(self._cell(column, row, true) for column in self.columns)

    def _cell(self, column: Column, row: Row, true: list[Said]) -> Cell:
        """A cell as the grants that are true show it, less what safeguards take of that."""
        name, cell = column.name, row[column.name]
        ways = [g.shown[name] for g in true if name in g.shown]
        if not ways or not all(self._holds(test, row) for test in self.taken.cells.get(name, ())):
            return None
        best = min(ways, key=Way.protectiveness)
        if best.fields and isinstance(cell, Opaque):
            fields = frozenset().union(*(way.fields for way in ways))
            cell = opaque(in_part(cell.inside, self.type_of(column), fields))
        # Beside clear cells, shared tokens would make the column its own dictionary.
        own = best.keyed and any(g.shown.get(name) == CLEAR for g in self.grants)
        place = Place(column, self.world.dataset)
        if best.call is not None:
            reader = self.world.principal
            whose = replace(place, reader=(reader.issuer, reader.user)) if own else place
            cell = transformed(best, whose, cell, self.keyed)
        for way in self.taken.in_turn(name):
            if way != best or own:
                cell = transformed(way, place, cell, self.keyed)
        return cell

    def _holds(self, test: Expr, row: Row) -> bool:
        return holds(test, row, self._kinds)

    @cached_property
    def _kinds(self) -> dict[str, str]:
        columns = self.world.dataset.columns
        inside = [inner_kinds(c.name, c.type) for c in columns]
        return {c.name: kind_of_type(c.type) for c in columns} | dict(ChainMap(*inside))


# ---- what a grant says alone


def grants_of(world: World) -> Iterator[Said]:
    """The grants that grant something on the dataset, if nothing is taken."""
    for permission in grants_heard(world):
        where, shown = permission.where, dict(shown_by(permission, world))
        if not shown:
            continue
        if where is None:
            yield Said(shown, None)
        elif fit_of(where, world) is Fit.WELL and may_be_true(where, world):
            yield Said(shown, answered(where, world))


def shown_by(permission: Permission, world: World) -> Iterator[tuple[str, Way]]:
    """The columns that a grant shows, and how."""
    dataset = world.dataset
    for column in dataset.columns:
        # What is inside a column counts where that protects: all of the column must be granted,
        # and any field in it can be what a transform is for.
        readings = readings_of(column, dataset)
        clauses = [
            c for c in permission.transforms if any(matches(c.tags, tags) for tags in readings)
        ]
        granted = all(permission.having is None or matches(permission.having, t) for t in readings)
        fields = frozenset[tuple[str, ...]]()
        listed = not permission.columns or column.name in permission.columns
        if not listed:
            there = inner_kinds(column.name, column.type).keys() & {*permission.columns}
            fields = frozenset(tuple(path.split(".")[1:]) for path in there)
        if not (
            column.reviewed and (listed or fields) and (granted or any(c.excepted for c in clauses))
        ):
            continue
        ways = [way_of(c, tags_of(column, dataset), dataset) for c in clauses]
        # Several clauses of one grant: the most protective one; if it does not fit, no column.
        best = max(ways, key=Way.protectiveness, default=CLEAR)
        # What is shown in part is shown in clear: transforms are of the whole.
        if not (fields and clauses) and fits(best, column, dataset):
            yield column.name, replace(best, fields=fields)
