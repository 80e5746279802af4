"""What leaves is rebuilt: fresh buffers, zeroes under NULL, plain encodings, no metadata.

Filtering alone is not enough. Readers leave values of other rows under NULLs, slices and
dictionaries carry rows that were filtered out, and view types point into shared buffers.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat

from privet.enforcement.values import Mask
from privet.model.errors import SourceInvalid

_SLOTS = {1: "u1", 2: "u2", 4: "u4", 8: "u8"}
"""Slot widths in bytes that numpy fills fastest as integers."""


def rebuild(column: pa.Array, keep: pa.Array | None) -> pa.Array:
    """The kept rows of a column in buffers of their own.

    Args:
        column: of a plain type, or a dictionary of one.
        keep: the positions of the rows to keep, ascending, or None for all.

    Raises:
        SourceInvalid: a type that cannot be rebuilt.
    """
    kind = column.type
    if pat.is_dictionary(kind):
        kept = column if keep is None else _take(column, keep)
        return rebuild(kept.dictionary_decode(), None)
    if pat.is_nested(kind):
        return _rebuild_nested(column if keep is None else _take(column, keep))
    if not (_is_fixed(kind) or pat.is_string(kind) or pat.is_binary(kind) or pat.is_null(kind)):
        raise _ungoverned(kind)
    if keep is None and _is_part(column):
        keep = pa.array(np.arange(len(column)))
    kept = column if keep is None else _take(column, keep)
    if pat.is_null(kind):
        return pa.nulls(len(kept))
    return _zero_under_null(kept) if kept.null_count else _without_marks(kept)


def withhold(column: pa.Array, show: Mask) -> pa.Array:
    """The column with NULL, and zeroes beneath, where `show` is false."""
    if show.all():
        return column
    positions = pa.array(np.arange(len(column)), mask=~show)
    return rebuild(column.take(positions), None)


def _take(column: pa.Array, keep: pa.Array) -> pa.Array:
    # The positions are ours: nothing to check, and checking costs a pass.
    return pc.take(column, keep, boundscheck=False)


def _is_fixed(kind: pa.DataType) -> bool:
    return pat.is_primitive(kind) or pat.is_decimal(kind) or pat.is_fixed_size_binary(kind)


def _is_part(array: pa.Array) -> bool:
    """Whether its buffers hold other rows too; what is sent is padded with some of these.

    A cast of a slice begins at zero and still shares the values of the whole.
    """
    if array.offset or pat.is_null(array.type):
        return array.offset > 0
    values = array.buffers()[1]
    if _is_fixed(array.type):
        return _has_more(values, len(array) * array.type.bit_width)
    if _has_more(values, 32 * (len(array) + 1)):
        return True
    first, last = np.frombuffer(values, np.int32)[[0, -1]] if len(array) else (0, 0)
    return first != 0 or _has_more(array.buffers()[2], 8 * int(last))


def _has_more(buffer: pa.Buffer | None, bits: int) -> bool:
    """Whether a buffer holds anything behind so many bits."""
    if buffer is None or 8 * buffer.size <= bits:
        return False
    return buffer.size > (bits + 7) // 8 or buffer[buffer.size - 1] >> bits % 8 != 0


def _without_marks(array: pa.Array) -> pa.Array:
    """Without the map of NULLs, which a column that has none may share with one that has."""
    marks, *values = array.buffers()
    if marks is None:
        return array
    buffers = [None, *values]
    return pa.Array.from_buffers(array.type, len(array), buffers, 0, array.offset)


def _zero_under_null(array: pa.Array) -> pa.Array:
    absent = np.asarray(array.is_null())
    if not _is_fixed(array.type):
        # Variable-length values under NULL have no length once taken by masked positions.
        return array.take(pa.array(np.arange(len(array)), mask=absent))
    if pat.is_boolean(array.type):
        values = pc.fill_null(array, fill_value=False).buffers()[1]
    else:
        width = array.type.bit_width // 8
        whole = np.frombuffer(array.buffers()[1], _SLOTS.get(width, f"V{width}"))
        slots = whole[array.offset : array.offset + len(array)].copy()
        slots[absent] = np.zeros((), slots.dtype)
        values = pa.py_buffer(slots)
    return pa.Array.from_buffers(array.type, len(array), [pa.array(~absent).buffers()[1], values])


def _rebuild_nested(array: pa.Array) -> pa.Array:
    kind = array.type
    absent = pa.array(np.asarray(array.is_null()))
    if pat.is_struct(kind):
        # flatten() carries the parent's NULLs into the children.
        children = [rebuild(child, None) for child in array.flatten()]
        fields = [kind.field(i) for i in range(kind.num_fields)]
        return pa.StructArray.from_arrays(children, fields=fields, mask=absent)
    if not (pat.is_list(kind) or pat.is_map(kind)):
        raise _ungoverned(kind)
    taken = array.take(pa.array(np.arange(len(array)), mask=np.asarray(absent)))
    if pat.is_list(kind):
        values = rebuild(taken.flatten(), None)
        return pa.ListArray.from_arrays(_offsets(taken), values, type=kind, mask=absent)
    keys, items = (rebuild(part, None) for part in (taken.keys, taken.items))
    return pa.MapArray.from_arrays(_offsets(taken), keys, items, type=kind, mask=absent)


def _ungoverned(kind: pa.DataType) -> SourceInvalid:
    return SourceInvalid(
        f"columns of type `{kind}` cannot be governed",
        hint="a data steward can store the column as another type",
    )


def _offsets(taken: pa.Array) -> pa.Array:
    """Offsets of a freshly taken list or map array, which begins at zero."""
    return pa.array(np.asarray(taken.offsets), pa.int32())
