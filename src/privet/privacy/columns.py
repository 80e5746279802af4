"""Arrow columns as numpy arrays and back, through buffers that are always new."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from privet.model.errors import InvalidRequest
from privet.privacy.tokens.aes import Bytes

Flags = NDArray[np.bool_]
Offsets = NDArray[np.int64]

_TRANSLATED = 1 << 14
_LONGEST_STRING_BUFFER = 2**31 - 1
_READ_AS = {pa.string_view(): pa.large_string(), pa.binary_view(): pa.large_binary()}
_LONG = (pa.large_string(), pa.large_binary())


@dataclass(frozen=True, slots=True)
class Cells:
    """Text without NULLs: cell `i` is `data[offsets[i] : offsets[i + 1]]`, and `offsets[0]` is 0.

    The bytes need not be valid UTF-8.
    """

    data: Bytes
    offsets: Offsets

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def starts(self) -> Offsets:
        """Where each cell begins."""
        return self.offsets[:-1]

    @property
    def lengths(self) -> Offsets:
        """Bytes in each cell."""
        return np.diff(self.offsets)

    @property
    def uniform_length(self) -> int:
        """The length that all cells have, or -1."""
        lengths = self.lengths
        return int(lengths[0]) if len(self) and (lengths == lengths[0]).all() else -1

    def rows(self, length: int, rows: slice | NDArray[np.int64]) -> Bytes:
        """The bytes of some cells of one length: `(k, length)`."""
        if isinstance(rows, slice) and self.uniform_length == length:
            return self.data.reshape(-1, length)[rows]
        return gather(self.data, self.starts[rows], length)


def gather(data: Bytes, starts: Offsets, length: int) -> Bytes:
    """Pieces of one length, from wherever they begin: `(k, length)`."""
    return _pieces(data, length)[starts].view(np.uint8).reshape(-1, length)


def scatter(data: Bytes, starts: Offsets, pieces: Bytes) -> None:
    """Put pieces of one length where they begin; they may not overlap."""
    length = pieces.shape[1]
    _pieces(data, length)[starts] = np.ascontiguousarray(pieces).view(f"V{length}").reshape(-1)


def _pieces(data: Bytes, length: int) -> NDArray[np.void]:
    """Every run of so many bytes, at least one, as one item: numpy moves an item at once."""
    return np.ndarray((max(len(data) - length + 1, 0),), np.dtype(f"V{length}"), data, strides=(1,))


def translate(table: Bytes, data: Bytes) -> Bytes:
    """Each byte replaced by what a table of 256 has for it, in new memory.

    Part by part: numpy makes numbers of eight bytes from what it looks up by.
    """
    result = np.empty_like(data)
    for at in range(0, len(data), _TRANSLATED):
        part = slice(at, at + _TRANSLATED)
        table.take(data[part], out=result[part], mode="clip")
    return result


def present_of(column: pa.Array) -> Flags | None:
    """Which cells are not NULL; None if all are."""
    if not column.null_count:
        return None
    return column.is_valid().to_numpy(zero_copy_only=False)


def spread(flags: Flags, present: Flags | None) -> Flags:
    """Flags of the cells that are not NULL, as flags of all; those of NULL are down."""
    if present is None:
        return flags
    every = np.zeros(len(present), bool)
    every[present] = flags
    return every


def read_text(column: pa.Array) -> Cells:
    """The cells of a column of text or bytes that are not NULL, in order."""
    if other := _READ_AS.get(column.type):
        column = column.cast(other)
    elif pa.types.is_fixed_size_binary(column.type):
        column = column.cast(pa.binary())
    column = column.drop_null()
    if not len(column):
        return Cells(np.empty(0, np.uint8), np.zeros(1, np.int64))
    _, positions, values = column.buffers()
    width = np.int64 if column.type in _LONG else np.int32
    offsets = np.frombuffer(positions, width)[column.offset : column.offset + len(column) + 1]
    offsets = offsets.astype(np.int64)
    data = np.frombuffer(values or b"", np.uint8)[offsets[0] : offsets[-1]]
    return Cells(data, offsets - offsets[0])


def write_text(kind: pa.DataType, cells: Cells, present: Flags | None = None) -> pa.Array:
    """A column of text or bytes, in new buffers, from the cells of its places that are not NULL.

    Cells of a fixed-size type have its size.

    Raises:
        InvalidRequest: more bytes than a column of this type can hold.
    """
    if pa.types.is_fixed_size_binary(kind):
        return write_fixed(kind, cells.data.reshape(-1, kind.byte_width), present)
    offsets = cells.offsets
    if present is not None:
        lengths = np.zeros(len(present), np.int64)
        lengths[present] = cells.lengths
        offsets = np.concatenate((np.zeros(1, np.int64), np.cumsum(lengths)))
    short = pa.types.is_string(kind) or pa.types.is_binary(kind)
    if short:
        if offsets[-1] > _LONGEST_STRING_BUFFER:
            raise InvalidRequest(
                f"the transformed column does not fit one array of type `{kind}`",
                hint="transform it in smaller batches",
            )
        offsets = offsets.astype(np.int32)
    stored = kind if short else _READ_AS.get(kind, kind)
    buffers = [_validity(present), pa.py_buffer(offsets), pa.py_buffer(cells.data)]
    column = pa.Array.from_buffers(stored, len(offsets) - 1, buffers)
    return column if stored == kind else column.cast(kind)


def write_fixed(kind: pa.DataType, rows: Bytes, present: Flags | None = None) -> pa.Array:
    """A column of a fixed-width type, in new buffers, from the bytes of its cells.

    Args:
        kind: whole bytes wide.
        rows: `(k, width)`, those of the places that are not NULL.
        present: which those are; zeros lie under the others.
    """
    count = len(rows)
    if present is not None:
        count = len(present)
        every = np.zeros((count, rows.shape[1]), np.uint8)
        every[present] = rows
        rows = every
    data = pa.py_buffer(np.ascontiguousarray(rows))
    return pa.Array.from_buffers(kind, count, [_validity(present), data])


def write_flags(flags: Flags, present: Flags | None = None) -> pa.Array:
    """A column of booleans in new buffers, from those of its places that are not NULL."""
    data = pa.py_buffer(np.packbits(spread(flags, present), bitorder="little"))
    count = len(flags) if present is None else len(present)
    return pa.Array.from_buffers(pa.bool_(), count, [_validity(present), data])


def place(column: pa.Array, present: Flags | None, kept: Flags) -> pa.Array:
    """A column with NULL where `present` is false, and for values that are not kept.

    Args:
        column: of a fixed-width type, without NULLs: the values of the places present.
        present: by place; None for all.
        kept: by value.
    """
    everywhere = None if present is None and kept.all() else spread(kept, present)
    if pa.types.is_boolean(column.type):
        return write_flags(column.to_numpy(zero_copy_only=False)[kept], everywhere)
    width = column.type.bit_width // 8
    rows = np.frombuffer(column.buffers()[1], np.uint8)
    rows = rows[column.offset * width : (column.offset + len(column)) * width]
    rows = rows.reshape(-1, width)
    return write_fixed(column.type, rows[kept], everywhere)


def fixed_cells(rows: Bytes) -> Cells:
    """Cells of one length from a contiguous `(k, length)` array."""
    count, length = rows.shape
    return Cells(
        np.ascontiguousarray(rows).reshape(-1), np.arange(count + 1, dtype=np.int64) * length
    )


def overwrite(cells: Cells, rows: Flags, others: Cells) -> Cells:
    """The cells with those at `rows` replaced, in order; nothing of the replaced ones remains."""
    kind = pa.large_string()
    merged = pc.replace_with_mask(write_text(kind, cells), pa.array(rows), write_text(kind, others))
    return read_text(merged)


def read_integers(column: pa.Array) -> NDArray[np.int64]:
    """The cells of an int32 or int64 column that are not NULL, in order."""
    values = column.drop_null().to_numpy(zero_copy_only=False)
    return values.astype(np.int64, copy=False)


def write_integers(
    kind: pa.DataType, values: NDArray[np.int64], present: Flags | None = None
) -> pa.Array:
    """An integer column of new buffers; bytes under NULL are zero."""
    narrow = values.astype(kind.to_pandas_dtype(), copy=False)
    if present is not None:
        spread = np.zeros(len(present), narrow.dtype)
        spread[present] = narrow
        narrow = spread
    return pa.Array.from_buffers(kind, len(narrow), [_validity(present), pa.py_buffer(narrow)])


def zeros(kind: pa.DataType, length: int, present: Flags | None) -> pa.Array:
    """A column of a fixed-width type that holds zero bits, NULL where it is to be."""
    size = -(-length * kind.bit_width // 8)
    data = pa.py_buffer(np.zeros(size, np.uint8))
    return pa.Array.from_buffers(kind, length, [_validity(present), data])


def _validity(present: Flags | None) -> pa.Buffer | None:
    return None if present is None else pa.py_buffer(np.packbits(present, bitorder="little"))
