"""Values of one column as bytes, by whole buffers: nothing here is done value by value."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat

Numbers = npt.NDArray[Any]

_INT32_DIGITS, _INT64_DIGITS = 9, 18
_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_MOMENT = np.dtype([("millis", "<i8"), ("nanos", "<i4")])
_LENGTH = np.dtype("<i4")


def nulls(column: pa.Array) -> Numbers:
    """A byte for each row: 1 where it is NULL."""
    if not column.null_count:
        return np.zeros(len(column), np.uint8)
    return column.is_null().cast(pa.uint8()).to_numpy(zero_copy_only=False)


def fixed(column: pa.Array) -> Numbers | None:
    """Values of a type whose values have one size, zero where NULL; None if it is another type."""
    kind = column.type
    if pat.is_decimal(kind):
        return _decimals(_filled(column, pa.scalar(Decimal(0), kind)), kind.precision)
    if pat.is_timestamp(kind):
        return _moments(_filled(column.cast(pa.int64()), 0), kind.unit)
    if pat.is_boolean(kind):
        return _filled(column, False).cast(pa.uint8()).to_numpy(zero_copy_only=False)
    if pat.is_date(kind):
        return _filled(column.cast(pa.int32()), 0).to_numpy(zero_copy_only=False)
    if pat.is_integer(kind) or pat.is_floating(kind):
        return _filled(column, 0).to_numpy(zero_copy_only=False)
    return None


def _filled(column: pa.Array, value: Any) -> pa.Array:
    return pc.fill_null(column, value) if column.null_count else column


def _decimals(column: pa.Array, precision: int) -> Numbers:
    """The unscaled values, in 4, 8 or 16 bytes as the precision asks for."""
    data = column.buffers()[1]
    if data is None:
        return np.zeros((0, 16), np.uint8)
    words = np.frombuffer(data, "<i8").reshape(-1, 2)[column.offset :][: len(column)]
    if precision <= _INT32_DIGITS:
        return words[:, 0].astype("<i4")
    return words[:, 0] if precision <= _INT64_DIGITS else words


def _moments(column: pa.Array, unit: str) -> Numbers:
    """Milliseconds since the epoch, and nanoseconds within the second."""
    ticks = column.to_numpy(zero_copy_only=False)
    per_second = _PER_SECOND[unit]
    seconds, within = np.divmod(ticks, per_second)
    nanos = within * (1_000_000_000 // per_second)
    moments = np.empty(len(ticks), _MOMENT)
    moments["millis"] = seconds * 1_000 + nanos // 1_000_000
    moments["nanos"] = nanos
    return moments


def texts(column: pa.Array) -> tuple[Numbers, Numbers]:
    """Lengths in bytes of all rows (of NULL: 0), and the bytes of those that are not NULL."""
    present = column.drop_null() if column.null_count else column
    offsets, data = _offsets(present), present.buffers()[2]
    held = np.zeros(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)
    lengths = np.diff(offsets).astype(_LENGTH)
    held = held[offsets[0] : offsets[-1]]
    if not column.null_count:
        return lengths, held
    spread = np.zeros(len(column), _LENGTH)
    spread[nulls(column) == 0] = lengths
    return spread, held


def with_lengths(lengths: Numbers, data: Numbers) -> Numbers:
    """Each value with its length before it, one after another."""
    size = _LENGTH.itemsize
    ends = np.cumsum(lengths.astype(np.int64) + size)
    starts = ends - lengths - size
    mixed = np.empty(int(ends[-1]) if len(ends) else 0, np.uint8)
    is_data = np.ones(len(mixed), np.bool_)
    heads = (starts[:, None] + np.arange(size)).ravel()
    is_data[heads] = False
    mixed[heads] = lengths.view(np.uint8)
    mixed[is_data] = data
    return mixed


def list_lengths(present: pa.Array) -> tuple[Numbers, int, int]:
    """Of lists or maps without NULL: how many items each has, and where these begin and end."""
    offsets = _offsets(present)
    return np.diff(offsets).astype(_LENGTH), int(offsets[0]), int(offsets[-1])


def _offsets(column: pa.Array) -> Numbers:
    buffer = column.buffers()[1]
    if not len(column) or buffer is None:
        return np.zeros(1, np.int32)
    return np.frombuffer(buffer, np.int32)[column.offset : column.offset + len(column) + 1]
