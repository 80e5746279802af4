"""Types of up to 64 bits: integers, binary fractions, days, points in time, times, durations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.types as pat
from numpy.typing import NDArray

from privet.privacy.base import Flags
from privet.privacy.spaces.base import Ciphers, Permuting, Space, nowhere
from privet.privacy.spaces.permuting import (
    PowerPermutation,
    TablePermutation,
    WordsPermutation,
    last_words,
    tweak_of,
)
from privet.privacy.tokens.aes import Bytes, Words
from privet.privacy.tokens.walking import walk

Integers = NDArray[np.int64]
UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
SECONDS_OF_DAY = 86_400
FIRST_DAY, DAYS = -719_162, 3_652_059
"""0001-01-01, and how many days there are to 9999-12-31."""
_INT64_MIN = np.iinfo(np.int64).min
_FRACTIONS = {16: (53, 2.0**-11), 32: (40, 2.0**-24), 64: (11, 2.0**-53)}
"""By the bits of a binary fraction: how many of 64 are not needed, and the unit of the others."""


@dataclass(frozen=True)
class Tier:
    """Integers that are permuted among themselves: `low .. low + size - 1`."""

    low: int
    size: int
    name: str
    halves: tuple[tuple[int, ...], tuple[int, ...]] | None = None
    """How a number is cut into words, where `size` is no power of two."""

    def holds(self, values: Integers) -> Flags:
        """Which integers it has."""
        offset = values.view(np.uint64) - np.uint64(self.low % 2**64)
        return offset < np.uint64(self.size) if self.size < 2**64 else np.ones(len(values), bool)

    def under(self, ciphers: Ciphers) -> Callable[..., Integers]:
        """Its permutation."""
        tweak = tweak_of(ciphers.tweak, self.name)
        low = np.uint64(self.low % 2**64)
        permute = self._offsets(ciphers, tweak)

        def run(values: Integers, *, inverse: bool) -> Integers:
            return (permute(values.view(np.uint64) - low, inverse=inverse) + low).view(np.int64)

        return run

    def _offsets(self, ciphers: Ciphers, tweak: bytes) -> Callable[..., Words]:
        if self.halves is None:
            bits = (self.size - 1).bit_length()
            if self.size <= 1 << 20:
                return TablePermutation(ciphers.small, tweak, self.size)
            return PowerPermutation(ciphers.large, tweak, bits)
        left, right = self.halves
        permute = WordsPermutation(ciphers.large, tweak, left, right)
        moduli = tuple(map(np.uint64, (*left, *right)))

        def run(offsets: Words, *, inverse: bool) -> Words:
            words: list[Words] = []
            for modulus in reversed(moduli):
                rest = offsets // modulus
                words.append(offsets - rest * modulus)
                offsets = rest
            total = np.zeros_like(words[0])
            for modulus, word in zip(moduli, permute(words[::-1], inverse=inverse), strict=True):
                total = total * modulus + word
            return total

        return run


@dataclass(frozen=True)
class Numbers(Space):
    """A type whose values are integers of up to 64 bits, or are read as such.

    `inner` are the values that are usual; the rest of `outer`, if there is one, is permuted within
    itself. What lies outside of both becomes NULL, and so do values that `missing` says.
    """

    kind: pa.DataType
    stored: type[np.generic]
    inner: Tier
    outer: Tier | None = None
    step: int = 1
    """What a value is divided by, to be a whole number of its units."""

    def under(self, ciphers: Ciphers) -> Permuting:
        """Its permutation."""
        inner = self.inner.under(ciphers)
        outer = self.outer.under(ciphers) if self.outer else None

        def run(column: pa.Array, *, inverse: bool = False) -> tuple[pa.Array, Flags]:
            values = self._read(column)
            result = np.zeros_like(values)
            usual = self.inner.holds(values) & ~self._odd(values)
            some = values if usual.all() else values[usual]
            result[usual] = walk(partial(inner, inverse=inverse), some, self._unusual)
            outside = ~usual
            if self.outer is not None and outer is not None and outside.any():
                permute = partial(outer, inverse=inverse)
                rest = outside & self.outer.holds(values)
                result[rest] = walk(permute, values[rest], self.inner.holds)
                outside &= ~rest
            return self._write(result), outside

        return run

    def drawn(self, drawn: Bytes) -> pa.Array:
        """Values of the usual range; fractions between 0 and 1."""
        words = last_words(drawn)
        if pat.is_floating(self.kind):
            shift, unit = _FRACTIONS[self.kind.bit_width]
            fractions = (words >> np.uint64(shift)).astype(np.float64) * unit
            return _array(self.kind, fractions.astype(self.kind.to_pandas_dtype()))
        offsets = words % np.uint64(self.inner.size) if self.inner.size < 2**64 else words
        values = (offsets + np.uint64(self.inner.low % 2**64)).view(np.int64)
        values[self._odd(values)] += 1
        return self._write(values)

    def written(self, column: pa.Array) -> pa.Array:
        """The integer, or the bits of a fraction as one, in decimal."""
        values = self._read(column)
        unsigned = self.stored in (np.uint64, np.uint32, np.uint16, np.uint8)
        return pa.array(values.view(np.uint64) if unsigned else values).cast(pa.large_string())

    def _read(self, column: pa.Array) -> Integers:
        raw = np.frombuffer(column.buffers()[1], self.stored)[
            column.offset : column.offset + len(column)
        ]
        if pat.is_floating(self.kind):
            # Of the many NaNs one, and no negative zero: equal values have equal tokens.
            floats: Any = raw.view(f"f{raw.itemsize}")
            one = np.array([np.nan], floats.dtype).view(self.stored)
            raw = np.where(np.isnan(floats), one, np.where(floats == 0, self.stored(0), raw))
        values = raw.astype(np.uint64 if raw.dtype.kind == "u" else np.int64).view(np.int64)
        return values // self.step if self.step > 1 else values

    def _write(self, values: Integers) -> pa.Array:
        return _array(self.kind, (values * self.step).astype(self.stored))

    def _unusual(self, values: Integers) -> Flags:
        return ~self.inner.holds(values) | self._odd(values)

    def _odd(self, values: Integers) -> Flags:
        """Which bits are no value: of NaNs but one, of negative zero, or of no point in time."""
        if pat.is_floating(self.kind):
            bits = self.kind.bit_width
            floats: Any = values.view(np.uint64).astype(self.stored).view(f"f{bits // 8}")
            one = np.array([np.nan], floats.dtype).view(self.stored).astype(np.uint64)[0]
            pattern = values.view(np.uint64)
            return (np.isnan(floats) & (pattern != one)) | (pattern == np.uint64(1 << bits - 1))
        if self.inner.size == 1 << 64 and (
            pat.is_timestamp(self.kind) or pat.is_duration(self.kind)
        ):
            return values == _INT64_MIN
        return nowhere(len(values))


def integers(kind: pa.DataType) -> Numbers:
    """The space of an integer type."""
    bits, stored = kind.bit_width, kind.to_pandas_dtype()
    if pat.is_uint64(kind):
        # Values that 32 bits hold stay so: they join with columns of uint32.
        return Numbers(kind, stored, Tier(0, 1 << 32, "uint32"), Tier(0, 1 << 64, "uint64"))
    if pat.is_unsigned_integer(kind):
        return Numbers(kind, stored, Tier(0, 1 << bits, f"uint{bits}"))
    return Numbers(kind, stored, Tier(-(1 << bits - 1), 1 << bits, f"int{bits}"))


def floats(kind: pa.DataType) -> Numbers:
    """The space of a type of binary fractions."""
    bits = kind.bit_width
    stored = {16: np.uint16, 32: np.uint32, 64: np.uint64}[bits]
    return Numbers(kind, stored, Tier(0, 1 << bits, f"float{bits}"))


def days(kind: pa.DataType) -> Numbers:
    """The space of a type of days."""
    inner = Tier(FIRST_DAY, DAYS, "date")
    outer = Tier(-(2**31), 2**32, "date32")
    if pat.is_date32(kind):
        return Numbers(kind, np.int32, inner, outer)
    return Numbers(kind, np.int64, inner, outer, step=SECONDS_OF_DAY * UNITS["ms"])


def moments(kind: pa.DataType) -> Numbers:
    """The space of a type of points in time or durations."""
    whole = Tier(_INT64_MIN, 1 << 64, f"{'timestamp' if pat.is_timestamp(kind) else 'duration'}64")
    if pat.is_duration(kind) or kind.unit == "ns":
        return Numbers(kind, np.int64, whole)
    day = SECONDS_OF_DAY * UNITS[kind.unit]
    right = (SECONDS_OF_DAY, UNITS["us"]) if kind.unit == "us" else (day,)
    inner = Tier(FIRST_DAY * day, DAYS * day, f"timestamp[{kind.unit}]", ((DAYS,), right))
    return Numbers(kind, np.int64, inner, whole)


def times(kind: pa.DataType) -> Numbers:
    """The space of a type of times of day."""
    unit = UNITS[kind.unit]
    stored = np.int32 if pat.is_time32(kind) else np.int64
    halves = None if unit == 1 else ((SECONDS_OF_DAY,), (unit,))
    size = prod((SECONDS_OF_DAY, unit))
    return Numbers(kind, stored, Tier(0, size, f"time[{kind.unit}]", halves))


def _array(kind: pa.DataType, values: NDArray[Any]) -> pa.Array:
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(values)])
