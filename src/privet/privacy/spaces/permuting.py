"""Permutations of numbers under a key, over whole columns."""

from __future__ import annotations

from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from privet.privacy.base import frame
from privet.privacy.tokens.aes import BLOCK, BlockCipher, Bytes, Words
from privet.privacy.tokens.feistel import Number, Rounds, prepare
from privet.privacy.tokens.numerals import width_of

_ROWS = 16384
_MOST_IN_TABLE = 1 << 20
Numbers = NDArray[Any]
_NUMERAL_BITS = 16


class TablePermutation:
    """A random permutation of `0 .. size - 1`, of at most a million: a number's rank by its cipher.

    What a Feistel network of few rounds is too weak for. The table is made at the first use.
    """

    def __init__(self, cipher: BlockCipher, tweak: bytes, size: int) -> None:
        assert size <= _MOST_IN_TABLE
        self._cipher = cipher
        self._tweak = tweak + bytes(-len(tweak) % BLOCK)
        self._size = size

    @cached_property
    def _tables(self) -> tuple[Words, Words]:
        state = np.frombuffer(self._cipher.fold_one(self._tweak), np.uint8)
        blocks = np.zeros((self._size, BLOCK), np.uint8)
        blocks.view(">u8")[:, 1] = np.arange(self._size)
        high, low = self._cipher.encrypt(blocks ^ state).view(">u8").astype(np.uint64).T
        order = np.lexsort((low, high)).astype(np.uint64)
        ranks = np.empty_like(order)
        ranks[order] = np.arange(self._size, dtype=np.uint64)
        return ranks, order

    def __call__(self, numbers: Words, *, inverse: bool = False) -> Words:
        """Permute each number."""
        return self._tables[inverse].take(numbers.astype(np.int64))


class PowerPermutation:
    """FF1 over all numbers of 22, 32 or 64 bits: two numerals, or four of 16 bits."""

    def __init__(self, cipher: BlockCipher, tweak: bytes, bits: int) -> None:
        numerals = max(2, bits // _NUMERAL_BITS)
        radix = 1 << bits // numerals
        field = np.frombuffer(radix.to_bytes(3, "big"), np.uint8).reshape(1, 3)
        width = width_of(1 << bits // 2)
        text = np.frombuffer(tweak, np.uint8).reshape(1, -1)
        state = prepare(cipher, numerals, field, width, text)
        self._half = np.uint64(bits // 2)
        self._low = np.uint64((1 << bits // 2) - 1)
        modulus = (np.uint64(1 << bits // 2),)
        self._rounds = Rounds(cipher, state, width, modulus, modulus)

    def __call__(self, numbers: Words, *, inverse: bool = False) -> Words:
        """Permute each number."""
        result = np.empty_like(numbers)
        for at in range(0, len(numbers), _ROWS):
            part = numbers[at : at + _ROWS]
            halves = [part >> self._half & self._low], [part & self._low]
            (left,), (right,) = self._rounds.run(*halves, inverse=inverse)
            result[at : at + _ROWS] = left << self._half | right
        return result


class WordsPermutation:
    """FF1-style over numbers cut in two halves of words: each word below a modulus of its own."""

    def __init__(
        self, cipher: BlockCipher, tweak: bytes, left: tuple[int, ...], right: tuple[int, ...]
    ) -> None:
        width = max(width_of(prod(left)), width_of(prod(right)))
        text = np.frombuffer(tweak, np.uint8).reshape(1, -1)
        state = prepare(cipher, len(left) + len(right), np.zeros((1, 3), np.uint8), width, text)
        halves = (tuple(map(np.uint64, half)) for half in (left, right))
        self._rounds = Rounds(cipher, state, width, *halves)
        self._cut = len(left)

    def __call__(self, words: Number, *, inverse: bool = False) -> Number:
        """Permute the number of each row."""
        rows = len(words[0])
        result = [np.empty(rows, np.uint64) for _ in words]
        for at in range(0, rows, _ROWS):
            part = [word[at : at + _ROWS] for word in words]
            left, right = self._rounds.run(part[: self._cut], part[self._cut :], inverse=inverse)
            for into, word in zip(result, (*left, *right), strict=True):
                into[at : at + _ROWS] = word
        return result


def tweak_of(common: bytes, name: str) -> bytes:
    """The tweak of a space: that of the key scope, and the name of the space."""
    return common + frame(name.encode())


def last_words(drawn: Bytes) -> Words:
    """The last eight of the bytes of each row, as a number."""
    return np.ascontiguousarray(drawn[:, -8:]).view(">u8").reshape(-1).astype(np.uint64)
