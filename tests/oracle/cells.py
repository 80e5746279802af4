"""Cells as plain Python values, and back to Arrow.

NULL is None; numbers are int, float or Decimal, text is str, flags are bool. Dates and timestamps
are `Day` and `Moment`, since Arrow's reach further than Python's: days and nanoseconds from
1970-01-01, UTC. Everything else is whatever Arrow says, wrapped as `Opaque`.
"""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pyarrow as pa
import pyarrow.types as pat

NANOSECONDS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
NANOSECONDS_A_DAY = 86_400 * 10**9


@dataclass(frozen=True, slots=True, order=True)
class Day:
    """A date: days since 1970-01-01."""

    days: int


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """A point in time: nanoseconds since 1970-01-01, UTC."""

    nanoseconds: int


@dataclass(frozen=True, slots=True)
class Opaque:
    """A value of a type that filters cannot compare; into structs and lists they look by path."""

    said: str
    inside: object = field(default=None, compare=False, repr=False)


Cell = None | bool | int | float | Decimal | str | Day | Moment | Opaque


def civil(days: int) -> tuple[int, int, int]:
    """Year, month and day of a day, in the Gregorian calendar extended both ways."""
    eras, day_of_era = divmod(days + 719_468, 146_097)
    year_of_era = (
        day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096
    ) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    day = day_of_year - (153 * shifted + 2) // 5 + 1
    return year_of_era + eras * 400 + (month <= 2), month, day


def from_date(value: date) -> Day:
    """A Python date."""
    return Day((value - date(1970, 1, 1)).days)


def from_datetime(value: datetime) -> Moment:
    """A Python datetime with a zone."""
    past = value - datetime(1970, 1, 1, tzinfo=UTC)
    return Moment((past.days * 86_400 + past.seconds) * 10**9 + past.microseconds * 1000)


def cells_of(column: pa.Array | pa.ChunkedArray) -> list[Cell]:
    """The cells of a column, in order."""
    if isinstance(column, pa.ChunkedArray):
        return [cell for chunk in column.chunks for cell in cells_of(chunk)]
    kind = column.type
    if pat.is_timestamp(kind):
        scale = NANOSECONDS[kind.unit]
        counts = column.cast(pa.timestamp(kind.unit)).view(pa.int64()).to_pylist()
        return [None if n is None else Moment(n * scale) for n in counts]
    if pat.is_date32(kind):
        return [None if n is None else Day(n) for n in column.view(pa.int32()).to_pylist()]
    if pat.is_date64(kind):
        counts = column.view(pa.int64()).to_pylist()
        return [None if n is None else Day(n // 86_400_000) for n in counts]
    values = column.to_pylist()
    if _is_plain(kind):
        return values
    return list(map(opaque, values))


def opaque(value: object) -> Opaque | None:
    """A value that filters cannot compare."""
    return None if value is None else Opaque(repr(value), value)


def to_array(cells: list[Cell], kind: pa.DataType) -> pa.Array:
    """A column of these cells; they must be of that type's values."""
    if pat.is_timestamp(kind):
        scale = NANOSECONDS[kind.unit]
        counts = [None if c is None else c.nanoseconds // scale for c in cells]
        return pa.array(counts, pa.int64()).view(kind)
    if pat.is_date32(kind):
        return pa.array([None if c is None else c.days for c in cells], pa.int32()).view(kind)
    if pat.is_date64(kind):
        counts = [None if c is None else c.days * 86_400_000 for c in cells]
        return pa.array(counts, pa.int64()).view(kind)
    return pa.array([_said(c) if isinstance(c, Opaque) else c for c in cells], kind)


def _said(cell: Opaque) -> bytes | time:
    """What an opaque cell of a single value is."""
    if cell.said.startswith("b"):
        return ast.literal_eval(cell.said)
    inside = cell.said.removeprefix("datetime.time(").removesuffix(")")
    return time(*map(int, inside.split(", ")))


def identity(cell: Cell) -> tuple[str, str]:
    """Two cells are the same answer iff these are equal: NaN is NaN, -0.0 is not 0.0."""
    if isinstance(cell, float) and math.isnan(cell):
        return "float", "nan"
    return type(cell).__name__, repr(cell)


def _is_plain(kind: pa.DataType) -> bool:
    return (
        pat.is_integer(kind)
        or pat.is_floating(kind)
        or pat.is_decimal(kind)
        or pat.is_boolean(kind)
        or pat.is_string(kind)
        or pat.is_large_string(kind)
        or pat.is_string_view(kind)
    )
