"""Days and points in time made coarser. Zoned ones are cut by the clock of UTC."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.types as pat
from numpy.typing import NDArray

from privet.privacy.base import Kernel
from privet.privacy.columns import place, present_of
from privet.privacy.general.numbers import floor_to

Integers = NDArray[np.int64]
_UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_HOURS = 24
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_THURSDAY = 3
"""1970-01-01 was one, counted from Monday."""
_OLDEST = 90


class CoarserMoments(Kernel):
    """Points in time, as hours since 1970, floored by `change`.

    What the type cannot say any more becomes its first hour.
    """

    def __init__(self, kind: pa.DataType, change: Callable[[Integers], Integers]) -> None:
        super().__init__(kind)
        self._change = change
        self._stored = np.dtype(np.int32 if pat.is_date32(kind) else np.int64)
        # Units of an hour; of a day where the type knows only days.
        self._hours = _HOURS if pat.is_date32(kind) else 1
        unit = "ms" if pat.is_date64(kind) else getattr(kind, "unit", "s")
        self._unit = 1 if pat.is_date32(kind) else 3600 * _UNITS[unit]

    def _apply(self, column: pa.Array) -> pa.Array:
        present, column = present_of(column), column.drop_null()
        raw = np.frombuffer(column.buffers()[1], self._stored)
        raw = raw[column.offset : column.offset + len(column)]
        hours = raw.astype(np.int64) // self._unit * self._hours
        changed = self._change(hours) // self._hours
        info = np.iinfo(self._stored)
        # One inside, because the first of all stands for no time in other libraries.
        first = -((-(info.min + 1)) // self._unit)
        values = (np.maximum(changed, first) * self._unit).astype(self._stored)
        made = pa.Array.from_buffers(self.kind, len(values), [None, pa.py_buffer(values)])
        return place(made, present, np.ones(len(values), bool))


def truncating_moments(kind: pa.DataType, unit: str) -> Kernel:
    """`truncate` of points in time: to the beginning of a unit."""
    return CoarserMoments(kind, lambda hours: _to_unit(hours, unit))


def bucketing_moments(kind: pa.DataType, days: int) -> Kernel:
    """`bucket` of points in time: so many days, counted from 1970-01-01."""
    return CoarserMoments(kind, lambda hours: floor_to(hours, days * _HOURS))


def years(kind: pa.DataType) -> Kernel:
    """`phi_date`: the first of January of the same year."""
    return truncating_moments(kind, "year")


def births(kind: pa.DataType, today: date) -> Kernel:
    """`phi_dob`: the same, and no year more than 90 before this one."""
    earliest = np.datetime64(f"{today.year - _OLDEST:04}-01-01", "h").astype(np.int64)
    return CoarserMoments(kind, lambda hours: np.maximum(_to_unit(hours, "year"), earliest))


def _to_unit(hours: Integers, unit: str) -> Integers:
    if unit == "hour":
        return hours
    days = hours // _HOURS
    if unit == "week":
        days = (days + _THURSDAY) // 7 * 7 - _THURSDAY
    elif months := _MONTHS.get(unit):
        since = days.astype("M8[D]").astype("M8[M]").astype(np.int64) // months * months
        days = since.astype("M8[M]").astype("M8[D]").astype(np.int64)
    return days * _HOURS
