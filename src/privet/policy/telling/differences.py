"""What a reader gets of a dataset in a few words, and what would change about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from privet.model.decisions import CellOption, ColumnDecision, Decision, TransformUse, Verdict
from privet.model.expressions import And, Expr, Or
from privet.model.names import DatasetName, paths_text
from privet.policy.language.english import condition_english
from privet.policy.language.printing import filter_sql, transform_sql

_IN_CLEAR = "in clear"


class Portion(StrEnum):
    """How many of the rows of a dataset somebody sees."""

    NONE = "none"
    SOME = "some"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Rows:
    """Which rows somebody sees; where it is some, `filter` and `english` say which.

    Those of a view are made of `behind`: what is left of the datasets behind it, where that is not
    all.
    """

    portion: Portion
    filter: str = ""
    english: str = ""
    behind: tuple[tuple[DatasetName, Rows], ...] = ()

    def __str__(self) -> str:
        own = f"only where {self.english}" if self.english else str(self.portion)
        return "; ".join((own, *(f"of `{name}` {rows}" for name, rows in self.behind)))


@dataclass(frozen=True, slots=True)
class Shown:
    """What somebody gets of a column; `how` in words, with the filters that decide it.

    That of a view is made of `parts`: columns of datasets behind it, where they are not in clear.
    """

    verdict: Verdict
    how: str
    parts: tuple[tuple[DatasetName, str, Shown], ...] = ()

    def __str__(self) -> str:
        made = " and ".join(f"`{name}.{column}` {shown}" for name, column, shown in self.parts)
        return f"{self.how}, made of {made}" if made else self.how


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
_CLEAR = frozenset({Shown(Verdict.CLEAR, _IN_CLEAR)})


def compare(before: Decision, after: Decision) -> Change | None:
    """What differs between two decisions for one principal and one dataset; None if nothing.

    Both are decisions about the same columns.
    """
    if before.digest == after.digest:
        return None
    rows_before, rows_after = rows_of(before), rows_of(after)
    shown = (
        (b.column.name, shown_as(b, before), shown_as(a, after))
        for b, a in zip(before.columns, after.columns, strict=True)
    )
    return change_of(rows_before, rows_after, shown)


def change_of(
    rows_before: Rows, rows_after: Rows, shown: Iterable[tuple[str, Shown, Shown]]
) -> Change | None:
    """What differs between two ways to see a dataset; None if nothing.

    Args:
        rows_before: which rows are seen.
        rows_after: which will be.
        shown: of each column its name, and how it is seen before and after.
    """
    same_rows = rows_before == rows_after
    columns = tuple(
        ColumnChange(name, was, will, _direction(was, will, same_rows=same_rows))
        for name, was, will in shown
        if was != will
    )
    return None if same_rows and not columns else Change(rows_before, rows_after, columns)


def _direction(before: Shown, after: Shown, *, same_rows: bool) -> Direction:
    """Verdicts are about the rows in view, so they compare only where these are the same."""
    if Verdict.HIDDEN not in (before.verdict, after.verdict):
        if not same_rows:
            return Direction.OTHER
        return _common(_steps(before, after))
    gains = before.verdict is Verdict.HIDDEN
    return Direction.GAINS if gains else Direction.LOSES


def _steps(before: Shown, after: Shown) -> Iterator[Direction]:
    """How each thing that differs is seen: the column itself, and what it is made of."""
    if (before.verdict, before.how) != (after.verdict, after.how):
        yield _step(before.verdict, after.verdict)
    was, will = _by_part(before), _by_part(after)
    for part in was.keys() | will.keys():
        one, other = was.get(part, _CLEAR), will.get(part, _CLEAR)
        if one != other:
            yield _step(_least(one), _least(other))


def _by_part(shown: Shown) -> dict[tuple[DatasetName, str], frozenset[Shown]]:
    """How the parts are seen; one may be seen in several ways, by several views."""
    found: dict[tuple[DatasetName, str], frozenset[Shown]] = {}
    for name, column, part in shown.parts:
        found[name, column] = found.get((name, column), frozenset()) | {part}
    return found


def _least(ways: frozenset[Shown]) -> Verdict:
    return min((way.verdict for way in ways), key=_OPENNESS.__getitem__)


def _step(before: Verdict, after: Verdict) -> Direction:
    was, will = _OPENNESS[before], _OPENNESS[after]
    if was == will:
        return Direction.OTHER
    return Direction.GAINS if was < will else Direction.LOSES


def _common(steps: Iterable[Direction]) -> Direction:
    """That of all of them, if they have one."""
    found = frozenset(steps)
    return next(iter(found)) if len(found) == 1 else Direction.OTHER


def rows_of(decision: Decision) -> Rows:
    """Which rows a decision shows."""
    if not decision.allowed:
        return Rows(Portion.NONE)
    if decision.bypass or (row_filter := filter_of(decision)) is None:
        return Rows(Portion.ALL)
    return Rows(Portion.SOME, filter_sql(row_filter), condition_english(row_filter))


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
    parts += [f"only where {condition_english(f)}" for f in column.cell_filters]
    return Shown(Verdict.PARTLY, "; ".join(parts))


def _where(option: CellOption, decision: Decision) -> str:
    chosen = _any_of([decision.filters[i] for i in sorted(option.filters)])
    every = len(option.filters) == len(decision.filters)
    return "" if every or not chosen else f" where {condition_english(chosen[0])}"


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
    seen = _IN_CLEAR
    if option.fields is not None:
        seen = f"only its fields {paths_text(option.fields)}"
        uses = [seen, *uses] if uses else []
    return ", then ".join(uses) or seen
