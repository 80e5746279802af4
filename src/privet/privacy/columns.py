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

_LONGEST_STRING_BUFFER = 2**31 - 1


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
        return self.data[self.starts[rows][:, None] + np.arange(length)]


def present_of(column: pa.Array) -> Flags | None:
    """Which cells are not NULL; None if all are."""
    if not column.null_count:
        return None
    return column.is_valid().to_numpy(zero_copy_only=False)


def read_text(column: pa.Array) -> Cells:
    """The cells of a text column that are not NULL, in order."""
    if pa.types.is_string_view(column.type):
        column = column.cast(pa.large_string())
    column = column.drop_null()
    if not len(column):
        return Cells(np.empty(0, np.uint8), np.zeros(1, np.int64))
    _, positions, values = column.buffers()
    width = np.int64 if pa.types.is_large_string(column.type) else np.int32
    offsets = np.frombuffer(positions, width)[column.offset : column.offset + len(column) + 1]
    offsets = offsets.astype(np.int64)
    data = np.frombuffer(values or b"", np.uint8)[offsets[0] : offsets[-1]]
    return Cells(data, offsets - offsets[0])


def write_text(kind: pa.DataType, cells: Cells, present: Flags | None = None) -> pa.Array:
    """A text column of new buffers from the cells of its places that are not NULL.

    Raises:
        InvalidRequest: more bytes than a column of this type can hold.
    """
    offsets = cells.offsets
    if present is not None:
        lengths = np.zeros(len(present), np.int64)
        lengths[present] = cells.lengths
        offsets = np.concatenate((np.zeros(1, np.int64), np.cumsum(lengths)))
    if pa.types.is_string(kind):
        if offsets[-1] > _LONGEST_STRING_BUFFER:
            raise InvalidRequest(
                "the transformed column does not fit one array of type `string`",
                hint="transform it in smaller batches",
            )
        offsets = offsets.astype(np.int32)
    stored = kind if pa.types.is_string(kind) else pa.large_string()
    buffers = [_validity(present), pa.py_buffer(offsets), pa.py_buffer(cells.data)]
    column = pa.Array.from_buffers(stored, len(offsets) - 1, buffers)
    return column if stored == kind else column.cast(kind)


def fixed_cells(rows: Bytes) -> Cells:
    """Cells of one length from a contiguous `(k, length)` array."""
    count, length = rows.shape
    return Cells(rows.reshape(-1), np.arange(count + 1, dtype=np.int64) * length)


def overwrite(cells: Cells, rows: Flags, others: Cells) -> Cells:
    """The cells with those at `rows` replaced, in order; nothing of the replaced ones remains."""
    kind = pa.large_string()
    merged = pc.replace_with_mask(write_text(kind, cells), pa.array(rows), write_text(kind, others))
    return read_text(merged)


def read_integers(column: pa.Array) -> NDArray[np.int64]:
    """The cells of an int32 or int64 column that are not NULL, in order."""
    return column.drop_null().to_numpy(zero_copy_only=False).astype(np.int64)


def write_integers(
    kind: pa.DataType, values: NDArray[np.int64], present: Flags | None = None
) -> pa.Array:
    """An integer column of new buffers; bytes under NULL are zero."""
    narrow = values.astype(kind.to_pandas_dtype())
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
