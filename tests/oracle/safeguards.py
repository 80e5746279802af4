"""What DENY and RESTRICT take away from a reader, whatever grants show."""

from __future__ import annotations

from dataclasses import dataclass, field

from asked import answered
from fitting import Fit, fit_of, may_be_true
from showing import Way, fits, way_of
from world import World, matches, readings_of, safeguards_heard, tags_of

from privet.model.datasets import Column
from privet.model.expressions import Expr, TagExpr
from privet.model.permissions import Effect, Permission


@dataclass
class Taken:
    """All that the safeguards of a reader take: columns, rows, and cells of what is left.

    Attributes:
        closed: nothing is left.
        hidden: columns, by name.
        rows: what has to be true of a row.
        cells: what has to be true of a row for a column's cells in it, by column.
        ways: how what is left of a column is transformed, by column.
    """

    closed: bool = False
    hidden: set[str] = field(default_factory=set)
    rows: list[Expr] = field(default_factory=list)
    cells: dict[str, list[Expr]] = field(default_factory=dict)
    ways: dict[str, set[Way]] = field(default_factory=dict)

    def in_turn(self, name: str) -> list[Way]:
        """The transforms of a column, the mildest first; identical ones once."""
        return sorted(self.ways.get(name, ()), key=Way.protectiveness)


def taken_from(world: World) -> Taken:
    """What is taken from who asks."""
    taken = Taken()
    for safeguard in safeguards_heard(world):
        meant = [c for c in world.dataset.columns if _meant(safeguard.having, c, world)]
        if safeguard.effect is Effect.DENY or not (safeguard.transforms or safeguard.where):
            taken.hidden |= {c.name for c in meant}
            continue
        for column in meant:
            _transform(safeguard, column, world, taken)
        _test(safeguard, {c.name for c in meant}, world, taken)
    return taken


def _meant(tags: TagExpr | None, column: Column, world: World) -> bool:
    """Whether tags mean a column: that any field in it bears them is enough to protect it."""
    return tags is None or any(matches(tags, t) for t in readings_of(column, world.dataset))


def _transform(safeguard: Permission, column: Column, world: World, taken: Taken) -> None:
    """Several clauses of one safeguard: the most protective; if it does not fit, no column."""
    held = tags_of(column, world.dataset)
    clauses = [c for c in safeguard.transforms if _meant(c.tags, column, world)]
    ways = [way_of(c, held, world.dataset) for c in clauses]
    if not ways:
        return
    strictest = max(ways, key=Way.protectiveness)
    if fits(strictest, column, world.dataset):
        taken.ways.setdefault(column.name, set()).add(strictest)
    else:
        taken.hidden.add(column.name)


def _test(safeguard: Permission, meant: set[str], world: World, taken: Taken) -> None:
    """WHERE is for rows; with HAVING for the cells of the columns that are meant."""
    where, whole_rows = safeguard.where, safeguard.having is None
    if where is None:
        return
    fit = fit_of(where, world)
    if fit is Fit.MISSING and safeguard.properties.get("missing_columns") == "ignore":
        return
    if fit is not Fit.WELL or not may_be_true(where, world):
        taken.closed = taken.closed or whole_rows
        taken.hidden |= meant
    elif whole_rows:
        taken.rows.append(answered(where, world))
    else:
        for name in meant:
            taken.cells.setdefault(name, []).append(answered(where, world))
