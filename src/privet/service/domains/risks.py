"""How identifiable the tokens of a column remain: how often each value occurs, never which."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from privet.crawler import small_values
from privet.model.datasets import Dataset, plain_type
from privet.model.errors import InvalidRequest, NotFound, ResourcesExceeded
from privet.model.names import DatasetName
from privet.model.permissions import AccessLevel, on_dataset
from privet.model.principals import Principal
from privet.model.transforms import get_spec
from privet.policy import Need
from privet.service.access import Act, administer, now_and_then, still_allowed
from privet.service.domains.raw import read_columns, require_files
from privet.service.platform import Caller, Platform

SMALLEST_CELL = 10
"""Counts below it are withheld from all but catalog administrators, and others rounded to it."""
_CLASSES = ((1, 1), (2, 4), (5, 9), (10, 49), (50, 99), (100, None))
_MOST_VALUES = 5_000_000
_TOP = 10
_MERGE_ROWS = 1_000_000


@dataclass(frozen=True, slots=True)
class FrequencyClass:
    """Values that occur about as often: each `least` to `most` times."""

    least: int
    most: int | None
    values: int | None
    rows: int | None


@dataclass(frozen=True, slots=True)
class TokenRisk:
    """What tokens of a column tell by their frequencies. Counts are None where withheld.

    Attributes:
        domains: the token domains that the column is in.
        rows: all rows of the dataset, seen by whomever.
        nulls: cells that are NULL, and stay it.
        distinct: different values, and so different tokens.
        small: different values that `tokenize` has no format for.
        top: how often the most frequent values occur, the most frequent first.
        classes: how many values share how often they occur: who occurs once is alone.
        exact: false where small counts are withheld and others rounded.
    """

    dataset: DatasetName
    column: str
    domains: tuple[str, ...]
    rows: int | None
    nulls: int | None
    distinct: int | None
    small: int | None
    top: tuple[int | None, ...]
    classes: tuple[FrequencyClass, ...]
    exact: bool

    @property
    def told(self) -> str:
        """What that comes to, in words."""
        if not self.rows:
            return "there are too few rows to say anything"
        frequent = self.top[0] if self.top else None
        parts: list[str] = []
        if frequent and 2 * frequent > self.rows:
            parts.append("more than half of the rows have one value: its token names it")
        if alone := self.classes[0].rows:
            share = 100 * alone // self.rows
            parts.append(f"{share} % of the rows have a value of their own")
        if self.small and self.distinct and 2 * self.small > self.distinct:
            parts.append("most values have few others of their format to hide among")
        return "; ".join(parts) or "no value stands out by how often it occurs"


class TokenRisks:
    """Frequency reports for those who may see everything about a dataset."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def of_column(self, caller: Caller, dataset: DatasetName, column: str) -> TokenRisk:
        """Count how often each value of a column occurs, over all rows.

        Raises:
            Forbidden, NotFound: the caller lacks VIEW_COMPLETE_METADATA on the dataset.
            NotFound: there is no such column.
            InvalidRequest: it is a view.
            ResourcesExceeded: more different values than are counted.
        """
        act = Act(
            "token.risk",
            str(dataset),
            detail={"column": column},
            needs=(Need(AccessLevel.VIEW_COMPLETE_METADATA, on_dataset(dataset)),),
        )
        with administer(self._platform, caller, act) as asker:
            table = self._platform.catalog.datasets.get(dataset)
            require_files(table)
            found = next((c for c in table.columns if c.name == column), None)
            if found is None:
                names = ", ".join(c.name for c in table.columns)
                raise NotFound(f"`{dataset}` has no column `{column}`", hint=f"it has {names}")
            if not get_spec("tokenize").fits(plain_type(found.type)):
                raise InvalidRequest(
                    f"there are no tokens of columns of type `{found.type}`",
                    hint="ask about a column of single values other than booleans",
                )
            counted = self._count(asker, dataset, column)
            return _report(table, column, counted, exact=asker.admin)

    def _count(self, asker: Principal, dataset: DatasetName, column: str) -> pa.Table:
        check = now_and_then(still_allowed(self._platform, asker))
        parts: list[pa.Table] = []
        waiting = 0
        with read_columns(self._platform, asker, dataset, (column,), check) as stream:
            for batch in stream:
                counts = pc.value_counts(batch.column(0))
                parts.append(pa.table({"v": counts.field(0), "n": counts.field(1)}))
                waiting += parts[-1].num_rows
                if waiting >= _MERGE_ROWS:
                    parts, waiting = [_merged(parts, check)], 0
        return _merged(parts, check)


def _merged(parts: list[pa.Table], check: Callable[[], None]) -> pa.Table:
    check()
    if not parts:
        return pa.table({"v": pa.nulls(0), "n": pa.array([], pa.int64())})
    merged = pa.concat_tables(parts).group_by("v").aggregate([("n", "sum")])
    if merged.num_rows > _MOST_VALUES:
        raise ResourcesExceeded(
            f"the column has more than {_MOST_VALUES:,} different values",
            hint="so many are mostly unique: count a smaller dataset of the same kind",
        )
    return merged.rename_columns({"n_sum": "n"}).select(["v", "n"])


def _report(table: Dataset, column: str, counted: pa.Table, *, exact: bool) -> TokenRisk:
    present = counted.filter(pc.is_valid(counted["v"]))
    counts = present["n"]
    rows = pc.sum(counted["n"]).as_py() or 0
    known = pc.sum(counts).as_py() or 0
    shown = _exactly if exact else _coarsely
    kept = next(c for c in table.columns if c.name == column)
    top = pc.array_sort_indices(counts.combine_chunks(), order="descending")[:_TOP]
    return TokenRisk(
        dataset=table.name,
        column=column,
        domains=tuple(
            sorted({d.name for t, d in table.domains.items() if t in _texts(table, column)})
        ),
        rows=shown(rows),
        nulls=shown(rows - known),
        distinct=shown(present.num_rows),
        small=shown(small_values(present["v"], kept.type)),
        top=tuple(shown(n) for n in counts.take(top).to_pylist()),
        classes=tuple(_class(counts, least, most, shown) for least, most in _CLASSES),
        exact=exact,
    )


def _texts(table: Dataset, column: str) -> set[str]:
    return {str(t) for c in table.columns if c.name == column for t in table.outer_tags(c)}


def _class(
    counts: pa.ChunkedArray, least: int, most: int | None, shown: Callable[[int], int | None]
) -> FrequencyClass:
    inside = pc.greater_equal(counts, least)
    if most is not None:
        inside = pc.and_(inside, pc.less_equal(counts, most))
    found = counts.filter(inside)
    return FrequencyClass(least, most, shown(len(found)), shown(pc.sum(found).as_py() or 0))


def _exactly(count: int) -> int | None:
    return count


def _coarsely(count: int) -> int | None:
    """Rounded down, so that no difference of two counts gives a small one away."""
    return count // SMALLEST_CELL * SMALLEST_CELL if count >= SMALLEST_CELL or not count else None
