"""Code points of UTF-8 columns, and what kind they are."""

from __future__ import annotations

import sys
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from privet.privacy.columns import Cells, Flags

_SHOWN = frozenset(("Cc", "Cf", "Cs"))
_SHOWN_CLASSES = frozenset("PSZ")
_SURROGATES = (0xD800, 0xDFFF)
_SMALLEST = np.array([0, 0, 0x80, 0x800, 0x10000], np.uint32)
"""By size in bytes, the smallest code point that needs it."""


@dataclass(frozen=True, slots=True)
class CodePoints:
    """The code points of a text column: first byte, bytes, value and row of each.

    `well_formed` says by row whether it is UTF-8; the others' code points mean nothing.
    """

    starts: NDArray[np.int64]
    sizes: NDArray[np.int64]
    values: NDArray[np.uint32]
    rows: NDArray[np.int64]
    well_formed: Flags


def decode(cells: Cells) -> CodePoints:
    """The code points of every cell."""
    data = cells.data
    padded = np.concatenate((data, np.zeros(3, np.uint8)))
    continues = data & 0xC0 == 0x80  # noqa: PLR2004 - bit patterns of UTF-8
    continues[cells.starts[cells.lengths > 0]] = False
    starts = np.flatnonzero(~continues)
    sizes = np.diff(starts, append=len(data))
    expected = _EXPECTED.take(data[starts])
    values = padded[starts].astype(np.uint32) & _LEAD_BITS.take(expected)
    for i in range(1, 4):
        more = expected > i
        tail = padded[starts[more] + i].astype(np.uint32) & 0x3F
        values[more] = values[more] << 6 | tail
    well = (expected == sizes) & (values >= _SMALLEST.take(expected)) & (values <= sys.maxunicode)
    well &= (values < _SURROGATES[0]) | (values > _SURROGATES[1])
    rows = np.searchsorted(cells.offsets, starts, side="right") - 1
    well_formed = np.ones(len(cells), bool)
    well_formed[rows[~well]] = False
    return CodePoints(starts, sizes, np.where(well, values, 0), rows, well_formed)


def is_lettered(values: NDArray[np.uint32]) -> Flags:
    """Which code points are letters, digits, marks, of private use, or unknown."""
    return _lettered().take(values)


@lru_cache(1)
def _lettered() -> Flags:
    categories = map(unicodedata.category, map(chr, range(sys.maxunicode + 1)))
    return np.array([c not in _SHOWN and c[0] not in _SHOWN_CLASSES for c in categories], bool)


def _by_lead() -> NDArray[np.uint8]:
    expected = np.zeros(256, np.uint8)
    for first, stop, size in ((0, 0x80, 1), (0xC2, 0xE0, 2), (0xE0, 0xF0, 3), (0xF0, 0xF5, 4)):
        expected[first:stop] = size
    return expected


_EXPECTED = _by_lead()
"""By first byte, the size in bytes of its code point; zero where no code point begins so."""
_LEAD_BITS = np.array([0, 0x7F, 0x1F, 0x0F, 0x07], np.uint32)
