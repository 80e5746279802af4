"""Garbage where no reader should look: under NULLs, before and behind slices, in dictionaries."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.types as pat

SECRET = b"\xa5"
"""Every planted byte."""


def under_nulls(array: pa.Array) -> pa.Array:
    """The same array with planted bytes in each fixed-width slot that is NULL."""
    buffers = array.buffers()
    assert array.offset == 0
    assert array.null_count
    raw = np.frombuffer(buffers[1], np.uint8).copy()
    absent = np.flatnonzero(np.asarray(array.is_null()))
    width = array.type.bit_width
    for row in absent:
        if width == 1:
            raw[row // 8] |= 1 << (row % 8)
        else:
            raw[row * width // 8 : (row + 1) * width // 8] = SECRET[0]
    return pa.Array.from_buffers(array.type, len(array), [buffers[0], pa.py_buffer(raw.tobytes())])


def text_under_nulls(values: list[str | None], kind: pa.DataType) -> pa.Array:
    """An array of text or bytes whose NULLs have planted content."""
    whole = pa.array([SECRET * 9 if v is None else v.encode() for v in values], pa.large_binary())
    wide = pa.types.is_large_binary(kind) or pa.types.is_large_string(kind)
    held = whole if wide else whole.cast(pa.binary())
    valid = pa.array([v is not None for v in values])
    return pa.Array.from_buffers(kind, len(values), [valid.buffers()[1], *held.buffers()[1:]])


def all_bytes(array: pa.Array) -> bytes:
    """Everything in an array's buffers, also what the array does not show."""
    return b"".join(b.to_pybytes() for b in array.buffers() if b is not None)


def unused_slots(array: pa.Array) -> Iterator[bytes]:
    """What lies under the NULLs of an array and of those inside it."""
    kind = array.type
    if pat.is_struct(kind):
        for index in range(kind.num_fields):
            yield from unused_slots(array.field(index))
        return
    if pat.is_list(kind) or pat.is_map(kind):
        offsets = np.asarray(array.offsets)
        lengths = offsets[1:] - offsets[:-1]
        absent = np.asarray(array.is_null())
        yield np.asarray(lengths[absent]).tobytes()
        inner = [array.values] if pat.is_list(kind) else [array.keys, array.items]
        for part in inner:
            assert len(part) == offsets[-1]
            yield from unused_slots(part)
        return
    if not array.null_count or pat.is_null(kind):
        return
    assert array.offset == 0
    data = array.buffers()[1].to_pybytes()
    for row in np.flatnonzero(np.asarray(array.is_null())):
        yield _slot(kind, data, int(row))


def _slot(kind: pa.DataType, data: bytes, row: int) -> bytes:
    if pat.is_boolean(kind):
        return bytes([data[row // 8] >> (row % 8) & 1])
    if pat.is_primitive(kind) or pat.is_decimal(kind) or pat.is_fixed_size_binary(kind):
        width = kind.bit_width // 8
        return data[row * width : (row + 1) * width]
    start, end = np.frombuffer(data, np.int32)[row : row + 2]
    return bytes([0] if start == end else [1])
