"""Values of row-filter expressions on a batch, and how two of them are brought to one type.

The law is docs/reference/expressions.md. A value is an Arrow array or scalar of one of a few
working types - int64, uint64, decimal, float64, string, bool, date32, timestamp - and a mask of
the rows for which computing it failed. Failed rows hold NULL.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat

from privet.model.errors import TypeMismatch
from privet.model.transforms import is_text

Mask = npt.NDArray[np.bool_]
Whole = npt.NDArray[np.int64]
Datum: TypeAlias = "pa.Array | pa.Scalar"

_PLAIN_NUMBER = r"^-?[0-9]{1,20}(\.[0-9]{1,18})?$"
PLAIN_DECIMAL = pa.decimal128(38, 18)
"""Holds every plain number exactly: up to 20 digits before the point and 18 after it."""
_WIDEST = 76
_UNITS_PER_DAY = {"s": 86_400, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}


class Value(NamedTuple):
    """`failed` is None when no row failed."""

    datum: Datum
    failed: Mask | None = None


def either(*masks: Mask | None) -> Mask | None:
    """The union of failures."""
    union: Mask | None = None
    for mask in masks:
        if mask is not None:
            union = mask if union is None else union | mask
    return union


def true_rows(datum: Datum, rows: int) -> Mask:
    """Where a boolean datum is TRUE (not NULL, not FALSE)."""
    if isinstance(datum, pa.Scalar):
        return np.full(rows, datum.as_py() is True)
    return np.asarray(pc.fill_null(datum, fill_value=False))


def valid_rows(datum: Datum, rows: int) -> Mask:
    """Where a datum is not NULL."""
    if isinstance(datum, pa.Scalar):
        return np.full(rows, datum.is_valid)
    return np.asarray(pc.is_valid(datum))


def spread(datum: Datum, rows: int) -> pa.Array:
    """A scalar as an array of `rows` equal values."""
    return pa.repeat(datum, rows) if isinstance(datum, pa.Scalar) else datum


def without(value: Value, failed: Mask | None, rows: int) -> Value:
    """The value with more rows failed: these become NULL."""
    if failed is None or not failed.any():
        return value
    array = pc.if_else(pa.array(failed), pa.scalar(None, value.datum.type), value.datum)
    return Value(spread(array, rows), either(value.failed, failed))


def is_number(kind: pa.DataType) -> bool:
    """Integers, floats, decimals."""
    return pat.is_integer(kind) or pat.is_floating(kind) or pat.is_decimal(kind)


def working(datum: Datum) -> Datum:
    """A column or literal in its working type: narrow floats widened, encodings undone."""
    kind = datum.type
    if pat.is_dictionary(kind):
        return working(datum.dictionary_decode())
    if pat.is_floating(kind) and not pat.is_float64(kind):
        return datum.cast(pa.float64())
    if pat.is_large_string(kind) or pat.is_string_view(kind):
        return datum.cast(pa.string())
    if pat.is_date64(kind):
        # Days are whole, or a file is odd; a safe cast would refuse the batch for one such cell.
        return datum.cast(pa.date32(), safe=False)
    return datum


def numbers(datum: Datum) -> npt.NDArray[Any]:
    """The numpy values of a number or time datum; NULL rows hold an arbitrary value."""
    if isinstance(datum, pa.Scalar):
        zero = pa.scalar(0, pa.int64()).cast(datum.type)
        return np.asarray(pa.array([datum if datum.is_valid else zero], datum.type))
    return np.asarray(pc.fill_null(datum, pa.scalar(0, pa.int64()).cast(datum.type)))


def to_float(value: Value, rows: int) -> Value:
    """As 64-bit floats: integers exactly or failed, decimals to nearest, plain-number text.

    Text that is no plain number fails.
    """
    datum = value.datum
    kind = datum.type
    if pat.is_float64(kind):
        return value
    if pat.is_decimal(kind):
        # Arrow's own cast of decimals misses the nearest float now and then; reading text never.
        return Value(datum.cast(pa.string()).cast(pa.float64()), value.failed)
    if is_text(kind):
        plain, failed = _plain_text(datum, rows)
        return Value(plain.cast(pa.float64()), either(value.failed, failed))
    if isinstance(datum, pa.Scalar):
        datum = spread(datum, rows)
    floats = datum.cast(pa.float64(), safe=False)
    if pat.is_integer(kind) and kind.bit_width < 64:  # noqa: PLR2004 - narrower ones all fit
        return Value(floats, value.failed)
    raw = numbers(datum)
    with np.errstate(invalid="ignore"):
        nearest = raw.astype(np.float64)
        top = 2.0**63 if raw.dtype == np.int64 else 2.0**64
        exact = (nearest < top) & (np.where(nearest < top, nearest, 0).astype(raw.dtype) == raw)
    return without(Value(floats, value.failed), ~exact & valid_rows(datum, rows), rows)


def to_int64(value: Value, rows: int) -> Value:
    """Integers as int64; unsigned ones beyond its range fail."""
    datum = value.datum
    if pat.is_uint64(datum.type):
        datum = spread(datum, rows)
        beyond = numbers(datum) > np.uint64(2**63 - 1)
        kept = pc.if_else(pa.array(beyond), pa.scalar(None, pa.uint64()), datum)
        failed = beyond & valid_rows(datum, rows)
        return Value(kept.cast(pa.int64()), either(value.failed, failed if failed.any() else None))
    return Value(datum.cast(pa.int64()), value.failed)


def _plain_text(datum: Datum, rows: int) -> tuple[pa.Array, Mask | None]:
    text = spread(datum, rows)
    plain = pc.match_substring_regex(text, _PLAIN_NUMBER)
    failed = valid_rows(text, rows) & ~true_rows(plain, rows)
    return pc.if_else(plain, text, pa.scalar(None, text.type)), failed if failed.any() else None


def to_decimal(value: Value, rows: int) -> Value:
    """Integers and plain-number text as exact decimals; decimals as they are."""
    datum = value.datum
    if pat.is_decimal(datum.type):
        return value
    if is_text(datum.type):
        plain, failed = _plain_text(datum, rows)
        return Value(plain.cast(PLAIN_DECIMAL), either(value.failed, failed))
    return Value(datum.cast(pa.decimal128(20, 0)), value.failed)


def unify_numbers(left: Value, right: Value, rows: int) -> tuple[Value, Value]:
    """Two numbers, or a number and a text, as one comparable type."""
    kinds = (left.datum.type, right.datum.type)
    if any(pat.is_floating(k) for k in kinds):
        return to_float(left, rows), to_float(right, rows)
    if all(pat.is_integer(k) for k in kinds):
        if kinds[0] == kinds[1]:
            return left, right
        if not any(pat.is_uint64(k) for k in kinds):
            return to_int64(left, rows), to_int64(right, rows)
    a, b = to_decimal(left, rows), to_decimal(right, rows)
    if a.datum.type == b.datum.type:
        return a, b
    shared = pa.decimal256(_WIDEST, max(a.datum.type.scale, b.datum.type.scale))
    return Value(a.datum.cast(shared), a.failed), Value(b.datum.cast(shared), b.failed)


def unify_results(values: list[Value], rows: int) -> list[Value]:
    """Branches of CASE or arguments of coalesce as one type."""
    typed = [v for v in values if not pat.is_null(v.datum.type)]
    if not typed:
        return values
    kinds = [v.datum.type for v in typed]
    if all(is_number(k) for k in kinds):
        integers = all(pat.is_integer(k) for k in kinds)
        target = pa.int64() if integers else pa.float64()
        convert = to_int64 if integers else to_float
    elif all(k == kinds[0] for k in kinds):
        target, convert = kinds[0], None
    elif all(pat.is_timestamp(k) for k in kinds):
        return _finest(values, rows)
    else:
        raise TypeMismatch("different kinds of values in one CASE or coalesce")
    return [
        Value(v.datum.cast(target), v.failed)
        if pat.is_null(v.datum.type)
        else (convert(v, rows) if convert else v)
        for v in values
    ]


def _finest(values: list[Value], rows: int) -> list[Value]:
    """Timestamps in the finest of their units, UTC; what does not fit into it fails."""
    units = list(_UNITS_PER_DAY)
    unit = max(
        (v.datum.type.unit for v in values if pat.is_timestamp(v.datum.type)), key=units.index
    )
    target = pa.timestamp(unit, tz="UTC")
    found: list[Value] = []
    for value in values:
        if pat.is_null(value.datum.type):
            found.append(Value(value.datum.cast(target), value.failed))
            continue
        coarse, per_day = ticks(value.datum)
        ratio = _UNITS_PER_DAY[unit] // per_day
        fits = (coarse >= -(2**63 // ratio)) & (coarse <= (2**63 - 1) // ratio)
        known = np.broadcast_to(valid_rows(value.datum, rows), (rows,))
        failed = known & ~np.broadcast_to(fits, (rows,))
        fine = np.broadcast_to(np.where(fits, coarse, 0) * ratio, (rows,))
        array = pa.array(fine, pa.int64(), mask=~known | failed).cast(target)
        found.append(Value(array, either(value.failed, failed if failed.any() else None)))
    return found


def ticks(datum: Datum) -> tuple[npt.NDArray[np.int64], int]:
    """A date's or timestamp's integers since the epoch, and how many of them make a day."""
    kind = datum.type
    if pat.is_date32(kind):
        return numbers(datum.cast(pa.int32())).astype(np.int64), 1
    return numbers(datum.cast(pa.int64())), _UNITS_PER_DAY[kind.unit]


class DayParts(NamedTuple):
    """Years, months, days of the month, hours, and days since Monday; UTC."""

    year: Whole
    month: Whole
    day: Whole
    hour: Whole
    weekday: Whole


def day_parts(datum: Datum) -> DayParts:
    """The parts of dates or timestamps of any year; Arrow's own kernels know 16 bits of them."""
    count, per_day = ticks(datum)
    since, ticks_today = np.divmod(count, per_day)
    days = since.astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    first = months.astype("datetime64[D]")
    year, month = np.divmod(months.astype(np.int64), 12)
    hour = ticks_today * 24 // per_day
    # The epoch was a Thursday.
    weekday = (since + 3) % 7
    return DayParts(year + 1970, month + 1, (days - first).astype(np.int64) + 1, hour, weekday)
