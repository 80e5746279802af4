"""Integers to integers: FF1 over the whole width of the canonical type."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from privet.privacy.base import Derive, Kernel, KeyScope, frame
from privet.privacy.columns import (
    Flags,
    overwrite,
    present_of,
    read_integers,
    read_text,
    spread,
    write_integers,
    write_text,
)
from privet.privacy.tokens.aes import BlockCipher
from privet.privacy.tokens.feistel import Rounds, prepare
from privet.privacy.tokens.numerals import width_of
from privet.privacy.tokens.opaque import OpaqueTokens
from privet.privacy.tokens.text import select, without
from privet.privacy.tokens.walking import walk

Integers = NDArray[np.int64]

_RADIX_FIELD = np.array([[1, 0, 0]], np.uint8)
"""2**16, the radix of both permutations."""
_NUMERAL_BITS = 16
_ROWS = 16384
_INT32 = np.iinfo(np.int32)
_CANONICAL = r"\A(?:0|-?[1-9][0-9]{0,18})\z"
"""How an integer is written, but for its range: no plus, no zeros in front, no `-0`."""
_DIGITS_OF_INT64 = 19


class IntegerPermutation:
    """Permutes the int32 range within itself, and the rest of int64 within itself.

    A column of int32 and one of int64 so have the same tokens for the same values, and none
    overflows. Frozen by vectors.
    """

    def __init__(self, key: bytes, tweak: bytes) -> None:
        """Take the token key and the common part of the tweak (see `KeyScope.tweak`)."""
        cipher = BlockCipher(key)
        self._small = _Width(cipher, tweak, 32)
        self._large = _Width(cipher, tweak, 64)

    def permute(self, values: Integers, *, inverse: bool = False) -> Integers:
        """Permute each value."""
        small = in_int32(values)
        if small.all():
            return self._small.permute(values, inverse=inverse)
        result = np.empty_like(values)
        result[small] = self._small.permute(values[small], inverse=inverse)
        result[~small] = walk(
            lambda x: self._large.permute(x, inverse=inverse), values[~small], in_int32
        )
        return result


class _Width:
    """FF1 with radix 2**16 over all integers of 32 or 64 bits, in offset binary."""

    def __init__(self, cipher: BlockCipher, tweak: bytes, bits: int) -> None:
        text = np.frombuffer(tweak + frame(f"int{bits}".encode()), np.uint8).reshape(1, -1)
        self._half_bits = np.uint64(bits // 2)
        self._bias = np.uint64(1 << (bits - 1))
        self._low = np.uint64((1 << bits // 2) - 1)
        width = width_of(1 << bits // 2)
        state = prepare(cipher, bits // _NUMERAL_BITS, _RADIX_FIELD, width, text)
        modulus = (np.uint64(1 << bits // 2),)
        self._rounds = Rounds(cipher, state, width, modulus, modulus)

    def permute(self, values: Integers, *, inverse: bool) -> Integers:
        result = np.empty_like(values)
        for at in range(0, len(values), _ROWS):
            numbers = values[at : at + _ROWS].view(np.uint64) + self._bias
            halves = [numbers >> self._half_bits & self._low], [numbers & self._low]
            (left,), (right,) = self._rounds.run(*halves, inverse=inverse)
            numbers = (left << self._half_bits | right) - self._bias
            result[at : at + _ROWS] = numbers.view(np.int64)
        return result


def in_int32(values: Integers) -> Flags:
    """Which values an int32 can hold."""
    return (values >= _INT32.min) & (values <= _INT32.max)


class TokenizeIntegers(Kernel):
    """`tokenize` (family `fp`) and the opaque token (family `nfp`) on int32 and int64."""

    def __init__(self, kind: pa.DataType, scope: KeyScope, derive: Derive, family: str) -> None:
        super().__init__(kind)
        self.reversible = family == "fp"
        self._permutation = IntegerPermutation(scope.key(derive, family), scope.tweak)

    def _apply(self, column: pa.Array) -> pa.Array:
        return self._run(column, inverse=False)

    def _invert(self, column: pa.Array) -> pa.Array:
        return self._run(column, inverse=True)

    def _run(self, column: pa.Array, *, inverse: bool) -> pa.Array:
        values = self._permutation.permute(read_integers(column), inverse=inverse)
        return write_integers(self.kind, values, present_of(column))


class TokenizeDecimals(Kernel):
    """The same on text in a domain of int64: integers as they are written.

    Text that is no integer in canonical writing takes the overflow form.
    """

    def __init__(self, kind: pa.DataType, scope: KeyScope, derive: Derive, family: str) -> None:
        super().__init__(kind)
        self.reversible = family == "fp"
        self._permutation = IntegerPermutation(scope.key(derive, family), scope.tweak)
        self._overflow = OpaqueTokens(scope.key(derive, f"{family}-overflow"))

    def _apply(self, column: pa.Array) -> pa.Array:
        return self._transform(column)[0]

    def _transform(self, column: pa.Array) -> tuple[pa.Array, Flags]:
        cells, present = read_text(column), present_of(column)
        values, outside = parse_integers(write_text(pa.large_string(), cells))
        others = self._overflow.tokens(select(cells, outside))
        # Zero stands at the rows that are overwritten, so that every row has a number.
        numbers = np.zeros(len(cells), np.int64)
        numbers[~outside] = self._permutation.permute(values)
        result = read_text(pa.array(numbers).cast(pa.large_string()))
        written = write_text(self.kind, overwrite(result, outside, others), present)
        return written, spread(outside, present)

    def _invert(self, column: pa.Array) -> pa.Array:
        cells = read_text(column)
        values, outside = parse_integers(write_text(pa.large_string(), cells))
        numbers = np.zeros(len(cells), np.int64)
        numbers[~outside] = self._permutation.permute(values, inverse=True)
        result = read_text(pa.array(numbers).cast(pa.large_string()))
        return without(self.kind, result, outside, column)


def parse_integers(text: pa.Array) -> tuple[Integers, Flags]:
    """The integers that are written canonically, and which rows are not such."""
    written = pc.match_substring_regex(text, _CANONICAL)
    wide = text.filter(written).cast(pa.decimal128(_DIGITS_OF_INT64, 0))
    limits = np.iinfo(np.int64)
    low, high = (pa.scalar(x, pa.decimal128(_DIGITS_OF_INT64, 0)) for x in (limits.min, limits.max))
    fits = pc.and_(pc.greater_equal(wide, low), pc.less_equal(wide, high))
    outside = ~written.to_numpy(zero_copy_only=False)
    outside[~outside] = ~fits.to_numpy(zero_copy_only=False)
    return wide.filter(fits).cast(pa.int64()).to_numpy(zero_copy_only=False).copy(), outside
