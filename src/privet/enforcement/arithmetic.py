"""Arithmetic and casts on working values: what has no value for a row fails for that row."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat

from privet.enforcement.values import (
    Mask,
    Value,
    either,
    is_number,
    numbers,
    spread,
    to_decimal,
    to_float,
    to_int64,
    true_rows,
    valid_rows,
    without,
)
from privet.model.errors import TypeMismatch
from privet.model.expressions import ArithmeticOp
from privet.model.transforms import is_text

_LEAST = np.int64(-(2**63))
_NO_NUMBER = pa.scalar(None, pa.int64())
_INTEGER_TEXT = r"^-?[0-9]{1,20}$"
_DATE_TEXT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_FIRST_DAY = (np.datetime64("0001-01-01", "D") - np.datetime64("1970-01-01", "D")).astype(int)
_LAST_DAY = (np.datetime64("9999-12-31", "D") - np.datetime64("1970-01-01", "D")).astype(int)


def calculate(op: ArithmeticOp, left: Value, right: Value, rows: int) -> Value:
    """`left op right` on numbers.

    Raises:
        TypeMismatch: an operand is no number.
    """
    left, right = _operand(left), _operand(right)
    integers = pat.is_integer(left.datum.type) and pat.is_integer(right.datum.type)
    if integers and op is not ArithmeticOp.DIV:
        a, b = to_int64(left, rows), to_int64(right, rows)
        result, failed = _integers(op, _dense(a, rows), _dense(b, rows))
    else:
        a, b = to_float(left, rows), to_float(right, rows)
        result, failed = _floats(op, _dense(a, rows), _dense(b, rows))
    known = valid_rows(a.datum, rows) & valid_rows(b.datum, rows)
    failed &= known
    return Value(
        pa.array(result, mask=~known | failed),
        either(a.failed, b.failed, failed if failed.any() else None),
    )


def negate(value: Value, rows: int) -> Value:
    """Unary minus: `0 - x`, which is -x for every number but keeps the sign of a float zero."""
    value = _operand(value)
    if pat.is_integer(value.datum.type):
        return calculate(ArithmeticOp.SUB, Value(pa.scalar(0, pa.int64())), value, rows)
    floats = to_float(value, rows)
    return Value(pc.negate(floats.datum), floats.failed)


def absolute(value: Value, rows: int) -> Value:
    """`abs(x)`; the least 64-bit integer has none and fails."""
    value = _operand(value)
    if pat.is_integer(value.datum.type):
        plain = to_int64(value, rows)
        minus = negate(value, rows)
        negative = pc.less(plain.datum, pa.scalar(0, pa.int64()))
        failed = either(plain.failed, minus.failed)
        return Value(pc.if_else(negative, minus.datum, plain.datum), failed)
    floats = to_float(value, rows)
    return Value(pc.abs(floats.datum), floats.failed)


def _operand(value: Value) -> Value:
    if pat.is_null(value.datum.type):
        return Value(_NO_NUMBER, value.failed)
    if not is_number(value.datum.type):
        raise TypeMismatch(f"no arithmetic on values of type `{value.datum.type}`")
    return value


def _dense(value: Value, rows: int) -> npt.NDArray[Any]:
    return np.broadcast_to(numbers(value.datum), (rows,))


def _integers(
    op: ArithmeticOp, a: npt.NDArray[np.int64], b: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], Mask]:
    with np.errstate(over="ignore", divide="ignore"):
        match op:
            case ArithmeticOp.ADD:
                result = a + b
                return result, ((a ^ result) & (b ^ result)) < 0
            case ArithmeticOp.SUB:
                result = a - b
                return result, ((a ^ b) & (a ^ result)) < 0
            case ArithmeticOp.MUL:
                result = a * b
                divisor = np.where((a == 0) | (a == -1), 1, a)
                inexact = (result // divisor != b) & (a != 0) & (a != -1)
                return result, inexact | ((a == -1) & (b == _LEAST))
            case _:
                # The remainder by -1 is 0 for every dividend; asking the processor could trap.
                safe = np.where((b == 0) | (b == -1), 1, b)
                return np.fmod(a, safe), b == 0


def _floats(
    op: ArithmeticOp, a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], Mask]:
    with np.errstate(all="ignore"):
        match op:
            case ArithmeticOp.ADD:
                result = a + b
            case ArithmeticOp.SUB:
                result = a - b
            case ArithmeticOp.MUL:
                result = a * b
            case ArithmeticOp.DIV:
                result = a / b
            case ArithmeticOp.MOD:
                result = np.fmod(a, b)
    failed = np.isinf(result) & np.isfinite(a) & np.isfinite(b)
    if op in (ArithmeticOp.DIV, ArithmeticOp.MOD):
        failed |= b == 0
    return result, failed


def cast_bigint(value: Value, rows: int) -> Value:
    """As int64; fractions, NaN, out-of-range values and text that is no integer fail."""
    kind = value.datum.type
    if pat.is_boolean(kind):
        return Value(value.datum.cast(pa.int64()), value.failed)
    if pat.is_integer(kind):
        return to_int64(value, rows)
    array = spread(value.datum, rows)
    known = valid_rows(array, rows)
    if pat.is_float64(kind):
        raw = numbers(array)
        fits = (raw >= -(2.0**63)) & (raw < 2.0**63) & (np.trunc(raw) == raw)
        failed = known & ~fits
        integers = np.where(fits, raw, 0).astype(np.int64)
        result = Value(pa.array(integers, mask=~known | failed), value.failed)
        return Value(result.datum, either(value.failed, failed if failed.any() else None))
    if is_text(kind):
        matches = pc.match_substring_regex(array, _INTEGER_TEXT)
        bad = known & ~true_rows(matches, rows)
        value = without(Value(array, value.failed), bad, rows)
    elif not pat.is_decimal(kind):
        raise TypeMismatch(f"values of type `{kind}` do not cast to bigint")
    return _decimal_to_int64(to_decimal(value, rows), rows)


def _decimal_to_int64(value: Value, rows: int) -> Value:
    array = spread(value.datum, rows)
    # Exact comparison in the widest decimal: rounding to scale 0 and the bounds of int64.
    wide = array.cast(pa.decimal256(76, array.type.scale))
    whole = pc.equal(pc.round(wide), wide)
    bounds = [pa.scalar(b, pa.int64()).cast(wide.type) for b in (-(2**63), 2**63 - 1)]
    inside = pc.and_(pc.greater_equal(wide, bounds[0]), pc.less_equal(wide, bounds[1]))
    failed = valid_rows(array, rows) & ~true_rows(pc.and_(whole, inside), rows)
    kept = without(Value(wide, value.failed), failed, rows)
    integers = kept.datum.cast(pa.decimal256(76, 0), safe=False).cast(pa.int64())
    return Value(integers, kept.failed)


def cast_double(value: Value, rows: int) -> Value:
    """As 64-bit float, by the rules of comparison."""
    if not (is_number(value.datum.type) or is_text(value.datum.type)):
        raise TypeMismatch(f"values of type `{value.datum.type}` do not cast to double")
    return to_float(value, rows)


def cast_varchar(value: Value, rows: int) -> Value:
    """Integers, booleans, dates and text as text; dates outside the years 1 to 9999 fail."""
    kind = value.datum.type
    if pat.is_date32(kind):
        days = np.broadcast_to(numbers(value.datum.cast(pa.int32())), (rows,))
        beyond = valid_rows(value.datum, rows) & ((days < _FIRST_DAY) | (days > _LAST_DAY))
        value = without(value, beyond, rows)
    elif not (pat.is_integer(kind) or pat.is_boolean(kind) or is_text(kind)):
        raise TypeMismatch(f"values of type `{kind}` do not cast to varchar")
    return Value(value.datum.cast(pa.string()), value.failed)


def cast_date(value: Value, rows: int) -> Value:
    """Text `YYYY-MM-DD`, a timestamp's day (UTC), or a date."""
    kind = value.datum.type
    if pat.is_date32(kind):
        return value
    if pat.is_timestamp(kind):
        array = spread(value.datum, rows)
        per_day = {"s": 86_400, "ms": 86_400_000, "us": 86_400_000_000}.get(kind.unit)
        days = numbers(array.cast(pa.int64())) // (per_day or 86_400_000_000_000)
        beyond = (days < -(2**31)) | (days > 2**31 - 1)
        known = valid_rows(array, rows)
        failed = known & beyond
        small = np.where(beyond, 0, days).astype(np.int32)
        dates = pa.array(small, mask=~known | failed).cast(pa.date32())
        return Value(dates, either(value.failed, failed if failed.any() else None))
    if not is_text(kind):
        raise TypeMismatch(f"values of type `{kind}` do not cast to date")
    return _text_to_date(value, rows)


def _text_to_date(value: Value, rows: int) -> Value:
    array = spread(value.datum, rows)
    shaped = pc.match_substring_regex(array, _DATE_TEXT)
    text = pc.if_else(pc.fill_null(shaped, fill_value=False), array, pa.scalar("1970-01-01"))
    year, month, day = (
        numbers(pc.utf8_slice_codeunits(text, a, b).cast(pa.int64()))
        for a, b in ((0, 4), (5, 7), (8, 10))
    )
    in_range = (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)  # noqa: PLR2004
    months = np.where(in_range, (year - 1970) * 12 + month - 1, 0).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + (np.where(in_range, day, 1) - 1)
    exists = in_range & (days.astype("datetime64[M]") == months)
    known = valid_rows(array, rows)
    failed = known & ~(exists & true_rows(shaped, rows))
    dates = pa.array(days.astype(np.int64).astype(np.int32), mask=~known | failed)
    failed_any = failed if failed.any() else None
    return Value(dates.cast(pa.date32()), either(value.failed, failed_any))
