"""Raw columns as values of filters: a cell that is none of its column's type fails its row.

Readers take over what a file holds: text that is not UTF-8, decimals of more digits than their type
has. The kernels of Arrow refuse a whole batch for one such cell, and the row may be a hidden one.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from privet.enforcement.values import Mask, Value, valid_rows, working
from privet.policy import Kind, kind_of_type

_TAIL = r"[\x80-\xBF]"
_UTF8 = "|".join(
    (
        r"[\x00-\x7F]",
        rf"[\xC2-\xDF]{_TAIL}",
        rf"\xE0[\xA0-\xBF]{_TAIL}",
        rf"[\xE1-\xEC\xEE\xEF]{_TAIL}{{2}}",
        rf"\xED[\x80-\x9F]{_TAIL}",
        rf"\xF0[\x90-\xBF]{_TAIL}{{2}}",
        rf"[\xF1-\xF3]{_TAIL}{{3}}",
        rf"\xF4[\x80-\x8F]{_TAIL}{{2}}",
    )
)
"""Well-formed UTF-8 as the Unicode standard has it, byte by byte: no surrogates, no long forms."""

_WORD = 8


def raw_value(column: pa.Array) -> Value:
    """A column in its working type; failed where a cell is no value of it."""
    datum = working(column)
    match kind_of_type(datum.type):
        case Kind.TEXT:
            foreign = _not_utf8(datum)
        case Kind.DECIMAL:
            foreign = _too_long(datum)
        case _:
            return Value(datum)
    if foreign is None or not foreign.any():
        return Value(datum)
    # Taking looks at no value, where other kernels refuse those that are none.
    return Value(datum.take(pa.array(np.arange(len(datum)), mask=foreign)), foreign)


def _not_utf8(texts: pa.Array) -> Mask | None:
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid:
        # Of binary, a pattern sees bytes.
        formed = pc.match_substring_regex(texts.cast(pa.binary()), rf"\A(?:{_UTF8})*\z")
        return ~np.asarray(pc.fill_null(formed, fill_value=True))
    return None


def _too_long(decimals: pa.Array) -> Mask | None:
    # Not by Arrow's own check: it misses the least integer of a width.
    kind = decimals.type
    size = kind.bit_width // 8
    if size > _WORD and _ends_fit(decimals):
        return None
    step = min(size, _WORD)
    stop = decimals.offset + len(decimals)
    words = np.frombuffer(decimals.buffers()[1], f"<u{step}", stop * size // step)
    rows = words.reshape(-1, size // step)[decimals.offset :]
    limit = 10**kind.precision
    beyond = _at_least(rows, limit) | ~_at_least(rows, 1 - limit)
    return beyond & valid_rows(decimals, len(decimals))


def _ends_fit(decimals: pa.Array) -> bool:
    limit = Decimal((0, (1,), decimals.type.precision - decimals.type.scale))
    ends = pc.min_max(decimals).as_py().values()
    return all(end is None or -limit < end < limit for end in ends)


def _at_least(rows: npt.NDArray[Any], bound: int) -> Mask:
    """Which integers, whose words stand from the least to the most significant, reach a bound."""
    size, step = rows.shape[1] * rows.itemsize, rows.itemsize
    limit = np.frombuffer(bound.to_bytes(size, "little", signed=True), rows.dtype)
    # With the sign turned round, the order of signed integers is that of unsigned ones.
    sign = rows.dtype.type(1 << 8 * step - 1)
    reached = np.ones(len(rows), np.bool_)
    for place in range(rows.shape[1]):
        turn = sign if place == rows.shape[1] - 1 else rows.dtype.type(0)
        word, least = rows[:, place] ^ turn, limit[place] ^ turn
        reached = (word > least) | ((word == least) & reached)
    return reached
