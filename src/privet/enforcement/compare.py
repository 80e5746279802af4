"""Comparison on working values: exact, NaN-aware, across kinds where the law allows it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat

from privet.enforcement.values import (
    Datum,
    Value,
    either,
    is_number,
    ticks,
    unify_numbers,
    valid_rows,
)
from privet.model.errors import TypeMismatch
from privet.model.expressions import CompareOp
from privet.model.transforms import is_text

_KERNELS: dict[CompareOp, Callable[[Datum, Datum], Datum]] = {
    CompareOp.EQ: pc.equal,
    CompareOp.NE: pc.not_equal,
    CompareOp.LT: pc.less,
    CompareOp.LE: pc.less_equal,
    CompareOp.GT: pc.greater,
    CompareOp.GE: pc.greater_equal,
}
_MIRRORED = {
    CompareOp.LT: CompareOp.GT,
    CompareOp.LE: CompareOp.GE,
    CompareOp.GT: CompareOp.LT,
    CompareOp.GE: CompareOp.LE,
}


def compare(op: CompareOp, left: Value, right: Value, rows: int) -> Value:
    """`left op right` as a boolean value.

    Raises:
        TypeMismatch: kinds that do not compare.
    """
    a, b = left.datum.type, right.datum.type
    if pat.is_null(a) or pat.is_null(b):
        return Value(pa.scalar(None, pa.bool_()), either(left.failed, right.failed))
    if _is_time(a) and _is_time(b):
        result = _compare_times(op, left.datum, right.datum, rows)
        return Value(result, either(left.failed, right.failed))
    if (is_text(a) and is_text(b)) or (pat.is_boolean(a) and pat.is_boolean(b)):
        return Value(_KERNELS[op](left.datum, right.datum), either(left.failed, right.failed))
    if (is_number(a) or is_text(a)) and (is_number(b) or is_text(b)):
        x, y = unify_numbers(left, right, rows)
        kernel = _compare_floats if pat.is_float64(x.datum.type) else _exact
        return Value(kernel(op, x.datum, y.datum), either(x.failed, y.failed))
    raise TypeMismatch(f"values of type `{a}` and `{b}` do not compare")


def _exact(op: CompareOp, left: Datum, right: Datum) -> Datum:
    return _KERNELS[op](left, right)


def _compare_floats(op: CompareOp, left: Datum, right: Datum) -> Datum:
    """IEEE comparison made total: NaN equals NaN and is above everything."""
    if op is CompareOp.NE:
        return pc.invert(_compare_floats(CompareOp.EQ, left, right))
    if op in (CompareOp.LT, CompareOp.LE):
        return _compare_floats(_MIRRORED[op], right, left)
    plain = _KERNELS[op](left, right)
    left_nan, right_nan = pc.is_nan(left), pc.is_nan(right)
    match op:
        case CompareOp.EQ:
            extra = pc.and_(left_nan, right_nan)
        case CompareOp.GT:
            extra = pc.and_(left_nan, pc.invert(right_nan))
        case _:
            extra = left_nan if isinstance(right, pa.Scalar) else pc.and_(left_nan, _known(right))
    return pc.or_(plain, extra)


def _known(datum: Datum) -> Datum:
    """TRUE where the datum is not NULL, else NULL."""
    return pc.or_(pc.is_nan(datum), pa.scalar(True))


def _is_time(kind: pa.DataType) -> bool:
    return pat.is_date(kind) or pat.is_timestamp(kind)


def _compare_times(op: CompareOp, left: Datum, right: Datum, rows: int) -> pa.Array:
    a, a_per_day = ticks(left)
    b, b_per_day = ticks(right)
    if a_per_day > b_per_day:
        return _compare_times(_MIRRORED.get(op, op), right, left, rows)
    truth = _compare_ticks(op, a, b, b_per_day // a_per_day)
    known = valid_rows(left, rows) & valid_rows(right, rows)
    return pa.array(np.broadcast_to(truth, (rows,)), mask=~known)


def _compare_ticks(
    op: CompareOp, coarse: npt.NDArray[np.int64], fine: npt.NDArray[np.int64], ratio: int
) -> npt.NDArray[np.bool_]:
    """Compare without multiplying, so that no date overflows a fine unit."""
    whole = fine // ratio
    rest = fine - whole * ratio
    equal = (coarse == whole) & (rest == 0)
    less = (coarse < whole) | ((coarse == whole) & (rest > 0))
    match op:
        case CompareOp.EQ:
            return equal
        case CompareOp.NE:
            return ~equal
        case CompareOp.LT:
            return less
        case CompareOp.LE:
            return less | equal
        case CompareOp.GT:
            return ~(less | equal)
        case CompareOp.GE:
            return ~less
