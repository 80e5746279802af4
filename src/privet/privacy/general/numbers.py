"""Numbers made coarser: rounded, truncated, put into buckets."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.types as pat
from numpy.typing import NDArray

from privet.privacy.base import Flags, Kernel
from privet.privacy.columns import place, present_of

Values = NDArray[Any]
Digits = NDArray[np.uint8]
_LONG_DECIMAL = 38


class Coarser(Kernel):
    """A number type whose present values are replaced by `change`, as a numpy array."""

    def __init__(self, kind: pa.DataType, change: Callable[[Values], Values]) -> None:
        super().__init__(kind)
        self._change = change

    def _apply(self, column: pa.Array) -> pa.Array:
        present = present_of(column)
        values = self._change(_values(column.drop_null(), self.kind))
        buffers = [None, pa.py_buffer(np.ascontiguousarray(values))]
        made = pa.Array.from_buffers(self.kind, len(values), buffers)
        return place(made, present, np.ones(len(values), bool))


def rounding(kind: pa.DataType, digits: int) -> Kernel:
    """`round`: to so many digits after the point, halves away from zero."""
    if pat.is_decimal(kind):
        return Coarser(kind, lambda raw: _round_decimals(raw, kind, digits))
    if pat.is_floating(kind):
        return Coarser(kind, lambda x: _floats(x, lambda y: _half_away(y, digits)))
    return Coarser(kind, lambda x: _by_step(x, _step_of(digits), _nearest))


def truncating(kind: pa.DataType, digits: int) -> Kernel:
    """`truncate` of numbers: towards zero, to so many digits after the point."""
    if pat.is_decimal(kind):
        return Coarser(kind, lambda raw: _truncate_decimals(raw, kind, digits))
    if pat.is_floating(kind):
        return Coarser(kind, lambda x: _floats(x, lambda y: _toward_zero(y, digits)))
    return Coarser(kind, lambda x: _by_step(x, _step_of(digits), _lower))


def bucketing(kind: pa.DataType, width: int | Decimal) -> Kernel:
    """`bucket` of numbers: the largest multiple of the width that is not above the value."""
    if pat.is_decimal(kind):
        steps = int(Decimal(width).scaleb(kind.scale))
        return Coarser(kind, lambda raw: _bucket_decimals(raw, kind, steps))
    if pat.is_floating(kind):
        return Coarser(
            kind, lambda x: _floats(x, lambda y: np.floor(y / float(width)) * float(width))
        )
    return Coarser(kind, lambda x: floor_to(x, int(width)))


def aging(kind: pa.DataType, oldest: int) -> Kernel:
    """`phi_age`: whole years from 0 to `oldest`."""
    if pat.is_decimal(kind):
        return Coarser(kind, lambda raw: _clip_decimals(raw, kind, oldest))
    if pat.is_floating(kind):
        return Coarser(
            kind, lambda x: np.floor(np.nan_to_num(x, nan=0).clip(0, oldest)).astype(x.dtype)
        )
    return Coarser(kind, lambda x: x.clip(0, oldest).astype(x.dtype))


def floor_to(values: Values, width: int) -> Values:
    """The multiple of a width below each integer; the one above, where the type has none."""
    info = np.iinfo(values.dtype)
    wide = np.uint64 if info.min == 0 else np.int64
    if width > info.max:
        return np.zeros_like(values)
    numbers = values.astype(wide)
    rest = numbers % wide(width)
    with np.errstate(over="ignore"):
        low = numbers - rest
        below = (low > numbers) | (low < info.min) if info.min else np.zeros(len(low), bool)
        low[below] += wide(width)
    return low.astype(values.dtype)


def _values(column: pa.Array, kind: pa.DataType) -> Values:
    width = kind.bit_width // 8
    stored = np.dtype(f"V{width}") if pat.is_decimal(kind) else np.dtype(kind.to_pandas_dtype())
    return np.frombuffer(column.buffers()[1], stored)[column.offset : column.offset + len(column)]


# ---- integers


def _step_of(digits: int) -> int:
    return 1 if digits >= 0 else 10**-digits


def _lower(sizes: Values, step: np.uint64) -> Values:
    return sizes // step * step


def _nearest(sizes: Values, step: np.uint64) -> Values:
    share = sizes // step
    rest = sizes - share * step
    return (share + (rest >= step - rest)) * step


def _by_step(values: Values, step: int, change: Callable[[Values, np.uint64], Values]) -> Values:
    """Change the sizes of integers; what no longer fits is the largest multiple that does."""
    info = np.iinfo(values.dtype)
    most = info.max // step * step
    if step > 2**63 or most == 0:
        return np.zeros_like(values)
    negative = values < 0
    wide = values.astype(np.uint64 if info.min == 0 else np.int64)
    sizes = np.where(negative, 0 - wide.view(np.uint64), wide.view(np.uint64))
    with np.errstate(over="ignore"):
        changed = change(sizes, np.uint64(step))
    # A sum that wrapped around is smaller than what it was made of.
    over = (changed > most) | (changed < sizes - np.minimum(sizes, np.uint64(step - 1)))
    changed = np.where(over, np.uint64(most), changed)
    result = np.where(negative, 0 - changed, changed)
    return result.view(np.int64).astype(values.dtype) if info.min else result.astype(values.dtype)


# ---- binary fractions


def _floats(values: Values, change: Callable[[Values], Values]) -> Values:
    """Change fractions as doubles; what has no finite answer becomes zero, never itself."""
    wide = values.astype(np.float64)
    with np.errstate(all="ignore"):
        changed = change(wide).astype(values.dtype)
    return np.where(np.isfinite(changed), changed, values.dtype.type(0))


def _half_away(values: Values, digits: int) -> Values:
    factor = 10.0 ** abs(digits)
    scaled = values * factor if digits >= 0 else values / factor
    whole = np.sign(scaled) * np.floor(np.abs(scaled) + 0.5)
    back = whole / factor if digits >= 0 else whole * factor
    # So large a value has no digits that far behind the point.
    return np.where(np.abs(scaled) < 2.0**52, back, values) if digits >= 0 else back


def _toward_zero(values: Values, digits: int) -> Values:
    factor = 10.0 ** abs(digits)
    scaled = values * factor if digits >= 0 else values / factor
    whole = np.trunc(scaled)
    back = whole / factor if digits >= 0 else whole * factor
    return np.where(np.abs(scaled) < 2.0**52, back, values) if digits >= 0 else back


# ---- decimals, as rows of digits


def _digits(raw: Values) -> tuple[Digits, Flags]:
    """The digits of each decimal, most significant first, 39 of them, and which are negative."""
    halves = raw.view("<u8").reshape(-1, 2)
    negative = halves[:, 1] >> np.uint64(63) == 1
    limbs = [limb.astype(np.uint64) for limb in np.ascontiguousarray(halves).view("<u4").T[::-1]]
    if negative.any():
        carry = negative.astype(np.uint64)
        for i in range(len(limbs) - 1, -1, -1):
            total = np.where(negative, limbs[i] ^ np.uint64(2**32 - 1), limbs[i]) + carry
            limbs[i] = total & np.uint64(2**32 - 1)
            carry = total >> np.uint64(32)
    digits = np.zeros((len(raw), _LONG_DECIMAL + 1), np.uint8)
    for last in range(_LONG_DECIMAL, -1, -9):
        rest = np.zeros(len(raw), np.uint64)
        for i, limb in enumerate(limbs):
            total = rest << np.uint64(32) | limb
            limbs[i] = total // np.uint64(10**9)
            rest = total - limbs[i] * np.uint64(10**9)
        for at in range(last, max(last - 9, -1), -1):
            share = rest // np.uint64(10)
            digits[:, at] = rest - share * np.uint64(10)
            rest = share
    return digits, negative


def _undigits(digits: Digits, negative: Flags, kind: pa.DataType) -> Values:
    """Decimals from digits; zero for those that have more than the type, as no file should."""
    over = digits[:, : _LONG_DECIMAL + 1 - kind.precision].any(axis=1)
    limbs = [np.zeros(len(digits), np.uint64) for _ in range(4)]
    for at in range(digits.shape[1]):
        carry = np.where(over, np.uint64(0), digits[:, at].astype(np.uint64))
        for i in range(4):
            total = limbs[i] * np.uint64(10) + carry
            limbs[i] = total & np.uint64(2**32 - 1)
            carry = total >> np.uint64(32)
    carry = negative.astype(np.uint64)
    raw = np.empty((len(digits), 4), "<u4")
    for i in range(4):
        total = np.where(negative, limbs[i] ^ np.uint64(2**32 - 1), limbs[i]) + carry
        raw[:, i] = total & np.uint64(2**32 - 1)
        carry = total >> np.uint64(32)
    return raw.reshape(-1).view(f"V{kind.bit_width // 8}")


def _dropped(kind: pa.DataType, digits: int) -> int:
    """How many of the last digits go."""
    return max(0, min(kind.scale - digits, _LONG_DECIMAL + 1))


def _truncate_decimals(raw: Values, kind: pa.DataType, digits: int) -> Values:
    written, negative = _digits(raw)
    if dropped := _dropped(kind, digits):
        written[:, -dropped:] = 0
    return _undigits(written, negative, kind)


def _round_decimals(raw: Values, kind: pa.DataType, digits: int) -> Values:
    """Halves away from zero; where a carry leaves the precision, what is below stays."""
    written, negative = _digits(raw)
    if not (dropped := _dropped(kind, digits)):
        return _undigits(written, negative, kind)
    up = written[:, -dropped] >= 5  # noqa: PLR2004 - half of ten
    written[:, -dropped:] = 0
    first = _LONG_DECIMAL + 1 - kind.precision
    carry, raised = up, written.copy()
    for at in range(_LONG_DECIMAL - dropped, -1, -1):
        total = raised[:, at] + carry
        carry = total > 9  # noqa: PLR2004 - the largest digit
        raised[:, at] = np.where(carry, 0, total)
    fits: Flags = np.logical_not(raised[:, :first].any(axis=1))
    return _undigits(np.where(fits.reshape(-1, 1), raised, written), negative, kind)


def _bucket_decimals(raw: Values, kind: pa.DataType, steps: int) -> Values:
    written, negative = _digits(raw)
    width = np.uint64(steps)
    rest = np.zeros(len(raw), np.uint64)
    for at in range(written.shape[1]):
        rest = (rest * np.uint64(10) + written[:, at]) % width
    below = _plus(written, np.where(negative, 0, rest), subtract=True)
    outward = np.where(negative & (rest > 0), width - rest, np.uint64(0))
    above = _plus(below, outward, subtract=False)
    over = above[:, : _LONG_DECIMAL + 1 - kind.precision].any(axis=1)
    fits: Flags = np.logical_not(over)
    inward = _plus(written, rest, subtract=True)
    return _undigits(np.where(fits.reshape(-1, 1), above, inward), negative, kind)


def _plus(digits: Digits, numbers: Values, *, subtract: bool) -> Digits:
    """Add to, or subtract from, each row of digits a smaller number."""
    result = digits.astype(np.int8)
    carry = np.zeros(len(digits), np.int8)
    numbers = numbers.astype(np.uint64)
    for at in range(digits.shape[1] - 1, -1, -1):
        share = numbers // np.uint64(10)
        own = (numbers - share * np.uint64(10)).astype(np.int8)
        numbers = share
        total = result[:, at] - own - carry if subtract else result[:, at] + own + carry
        carry = ((total < 0) | (total > 9)).astype(np.int8)  # noqa: PLR2004 - the largest digit
        result[:, at] = total % 10
    return result.astype(np.uint8)


def _clip_decimals(raw: Values, kind: pa.DataType, oldest: int) -> Values:
    """Whole years from zero to `oldest`, or to the largest that the type holds."""
    written, negative = _digits(raw)
    if kind.scale:
        written[:, -kind.scale :] = 0
    tens = _LONG_DECIMAL - kind.scale - 1
    if tens < 0:
        # All digits are behind the point.
        return _undigits(np.zeros_like(written), negative & False, kind)
    limit = np.zeros(_LONG_DECIMAL + 1, np.uint8)
    whole = str(oldest * 10**kind.scale)
    limit[-len(whole) :] = [int(c) for c in whole]
    large = written[:, :tens].any(axis=1) | (written[:, tens] >= oldest // 10)
    written = np.where(large[:, None], limit, written)
    written[negative] = 0
    return _undigits(written, negative & False, kind)
