"""Which column types there are for transforms."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.types as pat

NARROW_BITS = 16


def is_text(kind: pa.DataType) -> bool:
    """Whether values are Unicode text."""
    return pat.is_string(kind) or pat.is_large_string(kind) or pat.is_string_view(kind)


def is_bytes(kind: pa.DataType) -> bool:
    """Whether values are byte strings of any length."""
    return pat.is_binary(kind) or pat.is_large_binary(kind) or pat.is_binary_view(kind)


def is_number(kind: pa.DataType) -> bool:
    """Whether values are integers, decimals or binary fractions."""
    return pat.is_integer(kind) or pat.is_floating(kind) or pat.is_decimal(kind)


def is_exact_decimal(kind: pa.DataType) -> bool:
    """Whether values are decimals of up to 38 digits, with a point among them or at an end."""
    return pat.is_decimal128(kind) and 0 <= kind.scale <= kind.precision


def is_measure(kind: pa.DataType) -> bool:
    """Whether values are numbers that can be made coarser."""
    return pat.is_integer(kind) or pat.is_floating(kind) or is_exact_decimal(kind)


def takes_noise(kind: pa.DataType) -> bool:
    """Whether values are numbers with room for noise."""
    return is_measure(kind) and not pat.is_float16(kind)


def is_moment(kind: pa.DataType) -> bool:
    """Whether values are days or points in time."""
    return pat.is_date(kind) or pat.is_timestamp(kind)


def is_scalar(kind: pa.DataType) -> bool:
    """Whether transforms know the type as one of single values."""
    return (
        is_text(kind)
        or is_bytes(kind)
        or is_number(kind)
        or is_moment(kind)
        or pat.is_boolean(kind)
        or pat.is_time(kind)
        or pat.is_duration(kind)
        or pat.is_fixed_size_binary(kind)
    )


def is_tokenizable(kind: pa.DataType) -> bool:
    """Whether tokens and digests can stand for values; two values are none to hide among."""
    return is_scalar(kind) and not pat.is_boolean(kind)


def is_small(kind: pa.DataType) -> bool:
    """Whether a type has so few values that tokens of it are easily told apart by how often."""
    return pat.is_boolean(kind) or (
        (pat.is_integer(kind) or pat.is_floating(kind)) and kind.bit_width <= NARROW_BITS
    )
