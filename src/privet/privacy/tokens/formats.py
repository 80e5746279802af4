"""Formats of text: which positions are numerals, in which alphabet, and how many values there are.

The *mask* of a value has one character per byte: `d` for a digit, `l` and `u` for a lower-case and
an upper-case ASCII letter, a separator for itself, and NUL for anything else.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from privet.privacy.columns import Cells, Flags, translate
from privet.privacy.tokens.aes import Bytes
from privet.privacy.tokens.numerals import width_of

SEPARATORS = b" -./@+(),'"
MOST_POSITIONS = 256
SMALLEST_FORMAT = 1_000_000
_OTHER = 0
_DIGIT = ord("d")
_ALPHABETS = {"d": b"0123456789", "l": bytes(range(97, 123)), "u": bytes(range(65, 91))}


def _tables() -> tuple[Bytes, Bytes, Bytes, NDArray[np.uint32]]:
    masks, low, span = (np.zeros(256, np.uint8) for _ in range(3))
    radix = np.zeros(256, np.uint32)
    for separator in SEPARATORS:
        masks[separator] = low[separator] = separator
    for name, alphabet in _ALPHABETS.items():
        masks[list(alphabet)] = ord(name)
        low[ord(name)] = alphabet[0]
        span[ord(name)] = len(alphabet) - 1
        radix[ord(name)] = len(alphabet)
    return masks, low, span, radix


MASKS, LOW, SPAN, RADIX = _tables()
"""By byte: its mask character. By mask character: the first byte it stands for, how many more
follow, and the radix of the position (zero for separators)."""


@dataclass(frozen=True, slots=True)
class Formats:
    """What the masks of several values say, one entry per mask.

    `outside` marks those whose values take the overflow form. `positions` counts the numerals,
    `width` is the bytes of the larger half (`b` of FF1); both mean nothing where `outside`.
    """

    length: NDArray[np.int64]
    positions: NDArray[np.int64]
    width: NDArray[np.int64]
    outside: Flags


def describe(masks: Cells) -> Formats:
    """Read masks, given as cells."""
    data = masks.data
    numeral = RADIX.take(data) > 0
    digit = data == _DIGIT
    upto_numeral, upto_other = _running(numeral), _running(data == _OTHER)
    # Digits among the numerals alone, to count them in the first half of the positions.
    upto_digit = _running(digit[numeral])
    first, last = upto_numeral[masks.starts], upto_numeral[masks.offsets[1:]]
    positions = last - first
    middle = first + positions // 2
    left_digits = upto_digit[middle] - upto_digit[first]
    right_digits = upto_digit[last] - upto_digit[middle]
    left_letters = middle - first - left_digits
    right_letters = last - middle - right_digits
    outside = (
        (upto_other[masks.starts] != upto_other[masks.offsets[1:]])
        | (positions > MOST_POSITIONS)
        | _small(left_digits + right_digits, left_letters + right_letters)
    )
    table = _widths()
    left, right = (
        table.reshape(-1)[np.where(outside, 0, digits * table.shape[1] + letters)]
        for digits, letters in ((left_digits, left_letters), (right_digits, right_letters))
    )
    return Formats(masks.lengths, positions, np.maximum(left, right), outside)


def masks_of(cells: Cells) -> Cells:
    """The mask of every cell, in new memory."""
    return Cells(translate(MASKS, cells.data), cells.offsets)


def distinct(masks: Cells) -> tuple[NDArray[np.int64], Cells]:
    """Which of the different masks each cell has, and the different masks."""
    buffers = [None, pa.py_buffer(masks.offsets), pa.py_buffer(masks.data)]
    encoded = pa.Array.from_buffers(pa.large_binary(), len(masks), buffers).dictionary_encode()
    found = encoded.dictionary
    _, offsets, data = found.buffers()
    bounds = np.frombuffer(offsets, np.int64)[: len(found) + 1]
    codes = encoded.indices.to_numpy().astype(np.int64)
    return codes, Cells(np.frombuffer(data or b"", np.uint8)[: bounds[-1]], bounds)


def _running(flags: Flags) -> NDArray[np.int64]:
    """How many are set before each place, and in all."""
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(flags, dtype=np.int64)))


def _small(digits: NDArray[np.int64], letters: NDArray[np.int64]) -> Flags:
    """Whether a format has fewer values than `SMALLEST_FORMAT`."""
    most = 6  # Ten to this power is enough, whatever the letters; so is 26.
    table = np.array(
        [[10**d * 26**n < SMALLEST_FORMAT for n in range(most + 1)] for d in range(most + 1)]
    )
    return table[np.minimum(digits, most), np.minimum(letters, most)]


@lru_cache(1)
def _widths() -> NDArray[np.int64]:
    """The bytes of a half by its digits and letters, at most `MOST_POSITIONS // 2` in all."""
    most = MOST_POSITIONS // 2
    table = np.zeros((most + 1, most + 1), np.int64)
    for digits in range(most + 1):
        for letters in range(most + 1 - digits):
            table[digits, letters] = width_of(10**digits * 26**letters)
    return table
