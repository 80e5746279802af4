"""Transforms that leave nothing, or only the shape, of a value."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from privet.model.errors import InvalidRequest
from privet.model.transforms import is_text
from privet.privacy.base import Kernel
from privet.privacy.columns import Cells, present_of, read_text, write_text, zeros
from privet.privacy.general.unicode import CodePoints, decode, is_lettered

_X = ord("X")
_ASCII = 128
_MASKED_ASCII = np.array([_X if chr(i).isalnum() else i for i in range(_ASCII)], np.uint8)


class Null(Kernel):
    """`null`: a typed NULL, of any type."""

    def _apply(self, column: pa.Array) -> pa.Array:
        return pa.nulls(len(column), self.kind)


class Zero(Kernel):
    """`zero`: the empty text, 0, false, the epoch."""

    def _apply(self, column: pa.Array) -> pa.Array:
        present = present_of(column)
        if not is_text(self.kind):
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
        """Take the type and the range, to the end without `length`.

        Raises:
            InvalidRequest: a negative start or length.
        """
        super().__init__(kind)
        if start < 0 or (length is not None and length < 0):
            raise InvalidRequest(
                "`mask` takes no negative start or length", hint="the first character is at 0"
            )
        self._start = start
        self._stop = None if length is None else start + length

    def _apply(self, column: pa.Array) -> pa.Array:
        cells = read_text(column)
        ascii_only = not (cells.data >= _ASCII).any()
        if ascii_only and not self._start and self._stop is None:
            masked = Cells(_MASKED_ASCII.take(cells.data), cells.offsets)
            return write_text(self.kind, masked, present_of(column))
        points = _each_byte(cells) if ascii_only else decode(cells)
        return write_text(self.kind, self._mask(cells, points), present_of(column))

    def _mask(self, cells: Cells, points: CodePoints) -> Cells:
        replaced = is_lettered(points.values) & self._in_range(cells, points)
        kept = points.well_formed[points.rows]
        sizes = np.where(replaced, 1, points.sizes)[kept]
        first = points.starts[kept]
        replaced = replaced[kept]
        ends = np.cumsum(sizes)
        # One output byte after the other: the first of its code point, and how far on it is.
        source = np.repeat(first - (ends - sizes), sizes) + np.arange(ends[-1] if len(ends) else 0)
        data = cells.data[source]
        data[(ends - sizes)[replaced]] = _X
        lengths = np.bincount(points.rows[kept], weights=sizes, minlength=len(cells))
        offsets = np.concatenate((np.zeros(1), np.cumsum(lengths))).astype(np.int64)
        return Cells(data, offsets)

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
