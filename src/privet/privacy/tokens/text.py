"""Format-preserving tokens of text: letters to letters of the same case, digits to digits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from privet.privacy.base import Derive, Kernel, KeyScope, frame
from privet.privacy.columns import (
    Cells,
    Flags,
    gather,
    overwrite,
    present_of,
    read_text,
    scatter,
    spread,
    write_text,
)
from privet.privacy.tokens.aes import BlockCipher, Bytes
from privet.privacy.tokens.formats import LOW, MASKS, RADIX, SPAN, describe, distinct, masks_of
from privet.privacy.tokens.numerals import Layout, one_layout, row_layout
from privet.privacy.tokens.opaque import OpaqueTokens

_CACHED_FORMATS = 512
_LONGEST_UNIFORM = 256
_WORTH_A_LAYOUT = 256
_ROWS_OF_MANY = 4096
_OVERFLOW_LENGTH = 32

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Format:
    """A mask, ready to be applied: the least byte and the span of each position, the layout."""

    low: Bytes
    span: Bytes
    layout: Layout


class FormatPermutation:
    """Permutes the values of every format among themselves. Frozen by vectors."""

    def __init__(self, key: bytes, tweak: bytes) -> None:
        """Take the token key and the common part of the tweak (see `KeyScope.tweak`)."""
        self._cipher = BlockCipher(key)
        self._tweak = tweak
        self._format = lru_cache(_CACHED_FORMATS)(self._read_format)

    def permute(self, cells: Cells, *, inverse: bool = False) -> tuple[Cells, Flags]:
        """Permute each cell, and say which are outside: of no format, or of one too small.

        What the answer holds for those is not their value, and is to be overwritten.
        """
        form = self._uniform(cells)
        if form is not None:
            return self._permute_uniform(form, cells, inverse=inverse), np.zeros(len(cells), bool)
        masks = masks_of(cells)
        codes, different = distinct(masks)
        formats = describe(different)
        order = np.argsort(codes, kind="stable")
        bounds = np.concatenate((np.zeros(1, np.int64), np.cumsum(np.bincount(codes))))
        often = (np.diff(bounds) >= _WORTH_A_LAYOUT) & ~formats.outside
        result = masks.data
        for code in np.flatnonzero(often).tolist():
            rows = order[bounds[code] : bounds[code + 1]]
            mask = different.data[different.offsets[code] : different.offsets[code + 1]].tobytes()
            self._permute_alike(self._format(mask), cells, rows, result, inverse=inverse)
        shapes = np.stack((formats.length, formats.positions, formats.width))
        seldom = ~(often | formats.outside)
        for (length, positions, width), rows in _by_shape(shapes, seldom, codes):
            for at in range(0, len(rows), _ROWS_OF_MANY):
                part = rows[at : at + _ROWS_OF_MANY]
                self._permute_mixed(
                    cells, part, result, (length, positions, width), inverse=inverse
                )
        return Cells(result, cells.offsets), formats.outside[codes]

    def _uniform(self, cells: Cells) -> Format | None:
        """The format of all cells, where they share one."""
        length = cells.uniform_length
        if not 0 < length <= _LONGEST_UNIFORM:
            return None
        mask = MASKS.take(cells.data[:length])
        if describe(Cells(mask, np.array([0, length]))).outside[0]:
            return None
        form = self._format(mask.tobytes())
        step = form.layout.rows * length
        low, span = (np.tile(x, form.layout.rows) for x in (form.low, form.span))
        for at in range(0, len(cells.data), step):
            part = cells.data[at : at + step]
            if (part - low[: len(part)] > span[: len(part)]).any():
                return None
        return form

    def _permute_uniform(self, form: Format, cells: Cells, *, inverse: bool) -> Cells:
        result = np.empty((len(cells), len(form.low)), np.uint8)
        values = cells.data.reshape(result.shape)
        for at in range(0, len(cells), form.layout.rows):
            part = slice(at, at + form.layout.rows)
            result[part] = _permute_rows(form, values[part], inverse=inverse)
        return Cells(result.reshape(-1), cells.offsets)

    def _permute_alike(
        self, form: Format, cells: Cells, rows: Rows, result: Bytes, *, inverse: bool
    ) -> None:
        """Rows that have one mask, standing anywhere."""
        length = len(form.low)
        for at in range(0, len(rows), form.layout.rows):
            starts = cells.starts[rows[at : at + form.layout.rows]]
            values = gather(cells.data, starts, length)
            scatter(result, starts, _permute_rows(form, values, inverse=inverse))

    def _permute_mixed(
        self,
        cells: Cells,
        rows: Rows,
        result: Bytes,
        shape: tuple[int, int, int],
        *,
        inverse: bool,
    ) -> None:
        """Rows of many masks that agree in length, number of positions and width.

        `result` holds the masks of these rows, and of every row not yet permuted.
        """
        length, positions, width = shape
        masks = gather(result, cells.starts[rows], length)
        places = np.nonzero(RADIX.take(masks))[1].reshape(-1, positions)
        kinds = np.take_along_axis(masks, places, axis=1)
        places += cells.starts[rows][:, None]
        low = LOW.take(kinds)
        head = np.frombuffer(self._tweak + length.to_bytes(4, "big"), np.uint8)
        tweaks = np.concatenate((np.tile(head, (len(rows), 1)), masks), axis=1)
        layout = row_layout(self._cipher, RADIX.take(kinds), width, tweaks)
        result[places] = layout.permute(cells.data[places] - low, inverse=inverse) + low

    def _read_format(self, mask: bytes) -> Format:
        letters = np.frombuffer(mask, np.uint8)
        radices = RADIX.take(letters)
        columns = np.flatnonzero(radices)
        tweak = self._tweak + frame(mask)
        layout = one_layout(self._cipher, columns.tolist(), radices[columns].tolist(), tweak)
        return Format(LOW.take(letters), SPAN.take(letters), layout)


class TokenizeText(Kernel):
    """`tokenize` on text in a domain of text."""

    reversible = True

    def __init__(self, kind: pa.DataType, scope: KeyScope, derive: Derive) -> None:
        super().__init__(kind)
        self._formats = FormatPermutation(scope.key(derive, "fp"), scope.tweak)
        self._overflow = OpaqueTokens(scope.key(derive, "fp-overflow"))

    def _apply(self, column: pa.Array) -> pa.Array:
        return self._transform(column)[0]

    def _transform(self, column: pa.Array) -> tuple[pa.Array, Flags]:
        cells, present = read_text(column), present_of(column)
        result, outside = self._formats.permute(cells)
        if outside.any():
            others = select(cells, outside)
            result = overwrite(result, outside, self._overflow.tokens(others))
        return write_text(self.kind, result, present), spread(outside, present)

    def _invert(self, column: pa.Array) -> pa.Array:
        tokens = read_text(column)
        result, outside = self._formats.permute(tokens, inverse=True)
        return without(self.kind, result, outside | _reads_as_overflow(tokens), column)


def select(cells: Cells, rows: Flags) -> Cells:
    """The cells of some rows, in order."""
    return read_text(write_text(pa.large_string(), cells).filter(pa.array(rows)))


def without(kind: pa.DataType, cells: Cells, rows: Flags, column: pa.Array) -> pa.Array:
    """A column of the cells, NULL at the rows marked and where `column` is NULL."""
    present = present_of(column)
    kept = ~rows
    if present is None:
        everywhere = kept
    else:
        everywhere = present.copy()
        everywhere[present] = kept
    return write_text(kind, select(cells, kept), everywhere)


def _permute_rows(form: Format, values: Bytes, *, inverse: bool) -> Bytes:
    """Permute `(k, length)` bytes of one format."""
    low = np.tile(form.low, len(values)).reshape(values.shape)
    digits = form.layout.permute(values - low, inverse=inverse)
    digits += low
    return digits


def _by_shape(
    shapes: NDArray[np.int64], wanted: Flags, codes: Rows
) -> Iterator[tuple[tuple[int, int, int], Rows]]:
    """The rows whose masks are wanted, by the shape (a column of `shapes`) of their mask."""
    if not wanted.any():
        return
    different, which = np.unique(shapes[:, wanted], axis=1, return_inverse=True)
    shape_of_code = np.full(len(wanted), -1)
    shape_of_code[wanted] = which.reshape(-1)
    shape_of_row = shape_of_code[codes]
    order = np.argsort(shape_of_row, kind="stable")
    bounds = np.searchsorted(shape_of_row[order], np.arange(different.shape[1] + 1))
    for i, (length, positions, width) in enumerate(different.T.tolist()):
        yield (length, positions, width), order[bounds[i] : bounds[i + 1]]


def _reads_as_overflow(tokens: Cells) -> Flags:
    """Which tokens look like the overflow form, whose values cannot be had back."""
    letter = (tokens.data >= ord("a")) & (tokens.data <= ord("f"))
    other = ~letter & ~((tokens.data >= ord("0")) & (tokens.data <= ord("9")))
    sums = [
        np.concatenate((np.zeros(1, np.int64), np.cumsum(flags, dtype=np.int64)))
        for flags in (letter, other)
    ]
    letters, others = (upto[tokens.offsets[1:]] - upto[tokens.starts] for upto in sums)
    return (tokens.lengths == _OVERFLOW_LENGTH) & (letters > 0) & (others == 0)
