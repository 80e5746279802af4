"""Decimals: a sign and digits, permuted among all that the precision holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from privet.privacy.base import Flags
from privet.privacy.spaces.base import Ciphers, Permuting, Space
from privet.privacy.spaces.permuting import TablePermutation, WordsPermutation, tweak_of
from privet.privacy.tokens.aes import Bytes, Words
from privet.privacy.tokens.feistel import Number, divide, limbs_of

_DIGITS_OF_WORD = 9
_DIGITS_IN_TABLE = 5
_SPARE = np.uint64(2**32 - 1)


@dataclass(frozen=True)
class Decimals(Space):
    """The decimals of one precision and scale."""

    kind: pa.DataType

    @property
    def name(self) -> str:
        """In its tweak."""
        return f"decimal({self.kind.precision},{self.kind.scale})"

    def under(self, ciphers: Ciphers) -> Permuting:
        """Its permutation."""
        tweak = tweak_of(ciphers.tweak, self.name)
        if self.kind.precision <= _DIGITS_IN_TABLE:
            permute = self._by_table(ciphers, tweak)
        else:
            permute = self._by_words(ciphers, tweak)

        def run(column: pa.Array, *, inverse: bool = False) -> tuple[pa.Array, Flags]:
            words, negative, outside = self._read(column)
            words, negative = permute(words, negative, inverse=inverse)
            return self._write(words, negative), outside

        return run

    def drawn(self, drawn: Bytes) -> pa.Array:
        """Values with either sign."""
        limbs = list(np.ascontiguousarray(drawn[:, 1:29]).view(">u4").astype(np.uint64).T)
        return self._write(divide(limbs, self._moduli), drawn[:, 0] > 127)  # noqa: PLR2004 - half

    def written(self, column: pa.Array) -> pa.Array:
        """The digits without a point, in decimal."""
        unscaled = _with_scale(column, self.kind, 0)
        return unscaled.cast(pa.large_string())

    @property
    def _cuts(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """How many digits each word of the halves has; the first word has the sign besides."""
        left = (self.kind.precision + 1) // 2 - 1
        return _cut(left), _cut(self.kind.precision - left)

    @property
    def _moduli(self) -> tuple[np.uint64, ...]:
        left, right = self._cuts
        return tuple(np.uint64(10**size) for size in (*left, *right))

    def _by_table(self, ciphers: Ciphers, tweak: bytes) -> Callable[..., tuple[Number, Flags]]:
        largest = 10**self.kind.precision - 1
        table = TablePermutation(ciphers.small, tweak, 2 * largest + 1)
        moduli = self._moduli

        def run(words: Number, negative: Flags, *, inverse: bool) -> tuple[Number, Flags]:
            size = np.zeros(len(negative), np.int64)
            for modulus, word in zip(moduli, words, strict=True):
                size = size * np.int64(modulus) + word.astype(np.int64)
            numbers = (np.where(negative, -size, size) + largest).astype(np.uint64)
            values = table(numbers, inverse=inverse).astype(np.int64) - largest
            return divide([np.abs(values).astype(np.uint64)], moduli), values < 0

        return run

    def _by_words(self, ciphers: Ciphers, tweak: bytes) -> Callable[..., tuple[Number, Flags]]:
        left, right = self._cuts
        top = np.uint64(10 ** left[0])
        halves = (2 * int(top), *(10**n for n in left[1:])), tuple(10**n for n in right)
        permute = WordsPermutation(ciphers.large, tweak, *halves)

        def run(words: Number, negative: Flags, *, inverse: bool) -> tuple[Number, Flags]:
            words = [words[0] + negative * top, *words[1:]]
            words = permute(words, inverse=inverse)
            # There is no negative zero: what becomes one goes on.
            while len(rows := np.flatnonzero(_is_negative_zero(words, top))):
                again = permute([word[rows] for word in words], inverse=inverse)
                for word, new in zip(words, again, strict=True):
                    word[rows] = new
            below = words[0] >= top
            return [words[0] - below * top, *words[1:]], below

        return run

    def _read(self, column: pa.Array) -> tuple[Number, Flags, Flags]:
        """The size as words, whether it is negative, and what has too many digits (it is zero)."""
        parts = self.kind.bit_width // 64
        raw = np.frombuffer(column.buffers()[1], "<u8").reshape(-1, parts)
        raw = raw[column.offset : column.offset + len(column)]
        negative = raw[:, -1] >> np.uint64(63) == 1
        limbs = _negate(raw, negative)
        spare = (_SPARE,) * len(limbs)
        words = divide(limbs, (*spare, *self._moduli))
        outside = np.zeros(len(column), bool)
        for word in words[: len(spare)]:
            outside |= word > 0
        words = [np.where(outside, 0, word) for word in words[len(spare) :]]
        return words, negative & ~outside, outside

    def _write(self, words: Number, negative: Flags) -> pa.Array:
        count = self.kind.bit_width // 32
        limbs = limbs_of(words, self._moduli, count)
        limbs += [np.zeros_like(words[0])] * (count - len(limbs))
        raw = np.empty((len(negative), count // 2), "<u8")
        for i in range(count // 2):
            raw[:, i] = limbs[2 * i + 1] << np.uint64(32) | limbs[2 * i]
        signed = np.empty_like(raw)
        for i, limb in enumerate(_negate(raw, negative)[::-1]):
            signed.view("<u4")[:, i] = limb
        buffers = [None, pa.py_buffer(signed)]
        return pa.Array.from_buffers(self.kind, len(negative), buffers)


def _cut(digits: int) -> tuple[int, ...]:
    """Words of at most nine digits, the first the shortest."""
    first = digits % _DIGITS_OF_WORD
    words = (_DIGITS_OF_WORD,) * (digits // _DIGITS_OF_WORD)
    return (first, *words) if first or not words else words


def _is_negative_zero(words: Number, top: np.uint64) -> Flags:
    zero = words[0] == top
    for word in words[1:]:
        zero &= word == 0
    return zero


def _negate(raw: Bytes | Words, rows: Flags) -> list[Words]:
    """The 32-bit limbs, most significant first, of integers of which some change their sign."""
    limbs: list[Words] = []
    carry = rows.astype(np.uint64)
    for column in np.ascontiguousarray(raw).view("<u4").T:
        total = np.where(rows, ~column, column).astype(np.uint64) + carry
        limbs.append(total & _SPARE)
        carry = total >> np.uint64(32)
    return limbs[::-1]


def _with_scale(column: pa.Array, kind: pa.DataType, scale: int) -> pa.Array:
    """The same digits under another scale, without copying them."""
    make = pa.decimal128 if pa.types.is_decimal128(kind) else pa.decimal256
    other = make(kind.precision, scale)
    return pa.Array.from_buffers(other, len(column), column.buffers(), offset=column.offset)
