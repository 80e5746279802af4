"""Rows of numerals, each position with its radix, permuted in place of one another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from privet.privacy.tokens.aes import BlockCipher, Bytes
from privet.privacy.tokens.feistel import WORD_LIMIT, Modulus, Number, Rounds, prepare

_NARROW_ROWS = 16384
_WIDE_ROWS = 4096
Radix = NDArray[np.uint32]
"""The radix of a position: without dimensions for all rows, or one per row."""


@dataclass(frozen=True, slots=True)
class Half:
    """One half of the positions: the columns they stand in and their radices, in runs.

    A run is a word of the half's number (see `feistel`).
    """

    runs: tuple[tuple[tuple[int, Radix], ...], ...]

    @property
    def moduli(self) -> tuple[Modulus, ...]:
        """The modulus of each run: one, or one per row."""
        return tuple(
            prod((radix.astype(np.uint64) for _, radix in run), start=np.uint64(1))
            for run in self.runs
        )

    def read(self, digits: Bytes) -> Number:
        """The number that the digits of each row make."""
        number: Number = []
        for run in self.runs:
            word = digits[:, run[0][0]].astype(np.uint32)
            for column, radix in run[1:]:
                word = word * radix + digits[:, column]
            number.append(word.astype(np.uint64))
        return number

    def write(self, number: Number, digits: Bytes) -> None:
        """Write the digits of a number into their columns."""
        for run, long_word in zip(self.runs, number, strict=True):
            word = long_word.astype(np.uint32)
            for column, radix in run[:0:-1]:
                quotient = word // radix
                digits[:, column] = word - quotient * radix
                word = quotient
            digits[:, run[0][0]] = word


@dataclass(frozen=True, slots=True)
class Layout:
    """How rows of numerals are read, permuted and written."""

    left: Half
    right: Half
    rounds: Rounds

    @property
    def rows(self) -> int:
        """How many rows at a time keep the arrays of a round in the second-level cache."""
        return _NARROW_ROWS if self.rounds.narrow else _WIDE_ROWS

    def permute(self, digits: Bytes, *, inverse: bool = False) -> Bytes:
        """Permute rows of a `(k, columns)` array; columns without a position become zero."""
        result = np.zeros_like(digits)
        left, right = self.left.read(digits), self.right.read(digits)
        left, right = self.rounds.run(left, right, inverse=inverse)
        self.left.write(left, result)
        self.right.write(right, result)
        return result


def one_layout(
    cipher: BlockCipher, columns: Sequence[int], radices: Sequence[int], tweak: bytes
) -> Layout:
    """The layout for rows that all have these radices in these columns."""
    middle = len(radices) // 2
    width = max(width_of(prod(radices[:middle])), width_of(prod(radices[middle:])))
    same = radices[0] if len(set(radices)) == 1 else 0
    field = np.frombuffer(same.to_bytes(3, "big"), np.uint8).reshape(1, 3)
    text = np.frombuffer(tweak, np.uint8).reshape(1, -1)
    state = prepare(cipher, len(radices), field, width, text)
    positions = [(c, np.array(r, np.uint32)) for c, r in zip(columns, radices, strict=True)]
    left = Half(_cut(positions[:middle], radices[:middle]))
    right = Half(_cut(positions[middle:], radices[middle:]))
    return Layout(left, right, Rounds(cipher, state, width, left.moduli, right.moduli))


def row_layout(
    cipher: BlockCipher, radices: NDArray[np.uint32], width: int, tweak: Bytes
) -> Layout:
    """The layout for rows with radices `(k, n)` and tweaks `(k, t)` of their own.

    `width` is the same for all of them: that of NUM(B), in bytes.
    """
    count = radices.shape[1]
    middle = count // 2
    by_position = np.ascontiguousarray(radices.T)
    first = radices[:, 0]
    same = np.where((radices == first[:, None]).all(axis=1), first, np.uint32(0))
    field = same.astype(">u4").view(np.uint8).reshape(-1, 4)[:, 1:]
    state = prepare(cipher, count, field, width, tweak)
    highest = [int(r) for r in radices.max(axis=0)]
    positions = list(enumerate(by_position))
    left = Half(_cut(positions[:middle], highest[:middle]))
    right = Half(_cut(positions[middle:], highest[middle:]))
    return Layout(left, right, Rounds(cipher, state, width, left.moduli, right.moduli))


def width_of(modulus: int) -> int:
    """The bytes that hold every number below a modulus: `b` in the standard."""
    return ((modulus - 1).bit_length() + 7) // 8


def _cut(
    positions: Sequence[tuple[int, Radix]], radices: Sequence[int]
) -> tuple[tuple[tuple[int, Radix], ...], ...]:
    """Cut positions into runs whose numbers stay below 2**32."""
    runs: list[list[tuple[int, Radix]]] = []
    size = WORD_LIMIT
    for position, radix in zip(positions, radices, strict=True):
        size *= radix
        if size > WORD_LIMIT:
            runs.append([])
            size = radix
        runs[-1].append(position)
    return tuple(map(tuple, runs))
