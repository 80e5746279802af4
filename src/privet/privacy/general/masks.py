"""Transforms that leave nothing, or only the shape, of a value."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from privet.model.transforms import is_bytes, is_text
from privet.privacy.base import Kernel
from privet.privacy.columns import (
    Cells,
    Flags,
    present_of,
    read_text,
    translate,
    write_text,
    zeros,
)
from privet.privacy.general.unicode import CodePoints, decode, is_lettered

_X = ord("X")
_ASCII = 128
_SHOWN_OF_CARD = 4
Rows = NDArray[np.int64]
_MASKED_ASCII = np.array([_X if chr(i).isalnum() else i for i in range(_ASCII)], np.uint8)


class Null(Kernel):
    """`null`: a typed NULL, of any type."""

    def _apply(self, column: pa.Array) -> pa.Array:
        return pa.nulls(len(column), self.kind)


class Zero(Kernel):
    """`zero`: the empty text, 0, false, the epoch."""

    def _apply(self, column: pa.Array) -> pa.Array:
        present = present_of(column)
        if not (is_text(self.kind) or is_bytes(self.kind)):
            return zeros(self.kind, len(column), present)
        filled = len(column) - column.null_count
        empty = Cells(np.empty(0, np.uint8), np.zeros(filled + 1, np.int64))
        return write_text(self.kind, empty, present)


class MaskText(Kernel):
    """`mask` on text: letters, digits and marks become X, the rest stays.

    With `start` (0-based) and `length`, in code points, only those in that range. Code points that
    are for private use, or that this Unicode version does not know, count as letters. Text that is
    not UTF-8 becomes empty.
    """

    def __init__(self, kind: pa.DataType, start: int = 0, length: int | None = None) -> None:
        """Take the type and the range, to the end without `length`; neither is negative."""
        super().__init__(kind)
        self._start = start
        self._stop = None if length is None else start + length

    def _apply(self, column: pa.Array) -> pa.Array:
        cells = read_text(column)
        ascii_only = not (cells.data >= _ASCII).any()
        if ascii_only and not self._start and self._stop is None:
            masked = Cells(translate(_MASKED_ASCII, cells.data), cells.offsets)
            return write_text(self.kind, masked, present_of(column))
        return write_text(self.kind, self._mask(cells, _points(cells)), present_of(column))

    def _mask(self, cells: Cells, points: CodePoints) -> Cells:
        replaced = is_lettered(points.values) & self._in_range(cells, points)
        return overwritten(cells, points, replaced)

    def _in_range(self, cells: Cells, points: CodePoints) -> np.typing.NDArray[np.bool_]:
        before = np.searchsorted(points.starts, cells.starts)
        place = np.arange(len(points.rows)) - before[points.rows]
        stop = len(cells.data) if self._stop is None else self._stop
        return (place >= self._start) & (place < stop)


def _each_byte(cells: Cells) -> CodePoints:
    """The code points of ASCII text."""
    count = len(cells.data)
    return CodePoints(
        starts=np.arange(count),
        sizes=np.ones(count, np.int64),
        values=cells.data.astype(np.uint32),
        rows=np.repeat(np.arange(len(cells)), cells.lengths),
        well_formed=np.ones(len(cells), bool),
    )


class MaskCard(Kernel):
    """`mask_ccn`: all letters, digits and marks but the last four become X; the rest stays.

    Where there are four or fewer, all become X. Text that is not UTF-8 becomes empty.
    """

    def _apply(self, column: pa.Array) -> pa.Array:
        cells = read_text(column)
        points = _points(cells)
        lettered = is_lettered(points.values)
        counts = np.bincount(points.rows, weights=lettered, minlength=len(cells)).astype(np.int64)
        upto = np.cumsum(lettered)
        ends = np.cumsum(counts)
        behind = ends[points.rows] - upto
        shown = (behind < _SHOWN_OF_CARD) & (counts[points.rows] > _SHOWN_OF_CARD)
        return write_text(
            self.kind, overwritten(cells, points, lettered & ~shown), present_of(column)
        )


class Prefix(Kernel):
    """`truncate` of text: its first code points. Text that is not UTF-8 becomes empty."""

    def __init__(self, kind: pa.DataType, length: int) -> None:
        """Take the type, and how many code points are left at most."""
        super().__init__(kind)
        self._length = length

    def _apply(self, column: pa.Array) -> pa.Array:
        cells = read_text(column)
        points = _points(cells)
        before = np.searchsorted(points.starts, cells.starts)
        place = np.arange(len(points.rows)) - before[points.rows]
        kept = (place < self._length) & points.well_formed[points.rows]
        return write_text(self.kind, chosen(cells, points, kept), present_of(column))


class Cased(Kernel):
    """`lower` and `upper`. Text that is not UTF-8 becomes empty."""

    def __init__(self, kind: pa.DataType, *, upper: bool) -> None:
        """Take the type and the case."""
        super().__init__(kind)
        self._change = pc.utf8_upper if upper else pc.utf8_lower

    def _apply(self, column: pa.Array) -> pa.Array:
        cells = read_text(column)
        points = _points(cells)
        text = write_text(pa.large_string(), chosen(cells, points, points.well_formed[points.rows]))
        return write_text(self.kind, read_text(self._change(text)), present_of(column))


def _points(cells: Cells) -> CodePoints:
    return decode(cells) if (cells.data >= _ASCII).any() else _each_byte(cells)


def overwritten(cells: Cells, points: CodePoints, replaced: Flags) -> Cells:
    """Cells in which some code points are X; those that are not UTF-8 are empty."""
    kept = points.well_formed[points.rows]
    sizes = np.where(replaced, 1, points.sizes)[kept]
    result = _copied(cells, points.starts[kept], sizes, points.rows[kept])
    result.data[(np.cumsum(sizes) - sizes)[replaced[kept]]] = _X
    return result


def chosen(cells: Cells, points: CodePoints, kept: Flags) -> Cells:
    """Cells of some of the code points."""
    return _copied(cells, points.starts[kept], points.sizes[kept], points.rows[kept])


def _copied(cells: Cells, first: Rows, sizes: Rows, rows: Rows) -> Cells:
    """Pieces of cells, one after the other: where each begins, its bytes, and its row."""
    ends = np.cumsum(sizes)
    # One output byte after the other: the first of its piece, and how far on it is.
    source = np.repeat(first - (ends - sizes), sizes) + np.arange(ends[-1] if len(ends) else 0)
    lengths = np.bincount(rows, weights=sizes, minlength=len(cells))
    offsets = np.concatenate((np.zeros(1), np.cumsum(lengths))).astype(np.int64)
    return Cells(cells.data[source], offsets)
