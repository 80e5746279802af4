"""What a reader gets of a dataset in a few words, and what would change about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from privet.model.decisions import CellOption, ColumnDecision, Decision, TransformUse, Verdict
from privet.model.expressions import And, Expr, Or
from privet.policy.language.printing import filter_sql, transform_sql

_IN_CLEAR = "in clear"


class Portion(StrEnum):
    """How many of the rows of a dataset somebody sees."""

    NONE = "none"
    SOME = "some"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Rows:
    """Which rows somebody sees; `filter` says which, in SQL, where it is some of them."""

    portion: Portion
    filter: str = ""

    def __str__(self) -> str:
        return f"only where {self.filter}" if self.filter else str(self.portion)


@dataclass(frozen=True, slots=True)
class Shown:
    """What somebody gets of a column; `how` in words, with the filters that decide it."""

    verdict: Verdict
    how: str


class Direction(StrEnum):
    """Whether somebody sees more of a column than before; OTHER where that cannot be said."""

    GAINS = "gains"
    LOSES = "loses"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class ColumnChange:
    """A column that would be seen otherwise."""

    name: str
    before: Shown
    after: Shown
    direction: Direction


@dataclass(frozen=True, slots=True)
class Change:
    """What would change for one reader of one dataset."""

    rows_before: Rows
    rows_after: Rows
    columns: tuple[ColumnChange, ...]


_OPENNESS = {Verdict.HIDDEN: 0, Verdict.TRANSFORMED: 1, Verdict.PARTLY: 1, Verdict.CLEAR: 2}


def compare(before: Decision, after: Decision) -> Change | None:
    """What differs between two decisions for one principal and one dataset; None if nothing.

    Both are decisions about the same columns.
    """
    if before.digest == after.digest:
        return None
    rows_before, rows_after = rows_of(before), rows_of(after)
    same_rows = rows_before == rows_after
    columns = tuple(
        ColumnChange(b.column.name, was, will, _direction(was, will, same_rows=same_rows))
        for b, a in zip(before.columns, after.columns, strict=True)
        if (was := shown_as(b, before)) != (will := shown_as(a, after))
    )
    return None if same_rows and not columns else Change(rows_before, rows_after, columns)


def _direction(before: Shown, after: Shown, *, same_rows: bool) -> Direction:
    """Verdicts are about the rows in view, so they compare only where these are the same."""
    was, will = _OPENNESS[before.verdict], _OPENNESS[after.verdict]
    if was == will or (was and will and not same_rows):
        return Direction.OTHER
    return Direction.GAINS if was < will else Direction.LOSES


def rows_of(decision: Decision) -> Rows:
    """Which rows a decision shows."""
    if not decision.allowed:
        return Rows(Portion.NONE)
    if decision.bypass or (row_filter := filter_of(decision)) is None:
        return Rows(Portion.ALL)
    return Rows(Portion.SOME, filter_sql(row_filter))


def filter_of(decision: Decision) -> Expr | None:
    """What is true of the rows that a decision shows; None if every row is shown."""
    parts = [*_any_of(decision.filters), *decision.restrictions]
    return And(tuple(parts)) if len(parts) > 1 else next(iter(parts), None)


def shown_as(column: ColumnDecision, decision: Decision) -> Shown:
    """What a decision shows of one of its columns."""
    if column.verdict is Verdict.HIDDEN:
        return Shown(Verdict.HIDDEN, "not at all")
    ways = [_way(option, column.safeguards) for option in column.options]
    if column.verdict is not Verdict.PARTLY:
        return Shown(column.verdict, ways[0])
    parts = [
        f"{way}{_where(option, decision)}" for way, option in zip(ways, column.options, strict=True)
    ]
    parts += [f"only where {filter_sql(f)}" for f in column.cell_filters]
    return Shown(Verdict.PARTLY, "; ".join(parts))


def _where(option: CellOption, decision: Decision) -> str:
    chosen = _any_of([decision.filters[i] for i in sorted(option.filters)])
    every = len(option.filters) == len(decision.filters)
    return "" if every or not chosen else f" where {filter_sql(chosen[0])}"


def _any_of(filters: Iterable[Expr | None]) -> list[Expr]:
    """One filter that holds where one of these does; none where one of them always does."""
    each = list(filters)
    known = [f for f in each if f is not None]
    if len(known) < len(each) or not known:
        return []
    return [Or(tuple(known)) if len(known) > 1 else known[0]]


def _way(option: CellOption, safeguards: tuple[TransformUse, ...]) -> str:
    """The transforms that a cell goes through; what was done already is not done again."""
    own = option.transform
    added = (use for use in safeguards if use != own)
    uses = [transform_sql(use.call) for use in (*([own] if own else []), *added)]
    return ", then ".join(uses) or _IN_CLEAR
