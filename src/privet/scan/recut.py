"""Batches re-cut by what is in them alone, so that their sizes do not tell how much is hidden.

A batch ends after a fixed number of rows, or before the row with which it would have too many
bytes: wherever the source's own pieces ended, and however many hidden rows lay between.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.types as pat

BATCH_ROWS = 32_768
BATCH_BYTES = 64 * 1024 * 1024
_OFFSET = 4


def recut(
    batches: Iterator[pa.RecordBatch], rows: int = BATCH_ROWS, size: int = BATCH_BYTES
) -> Iterator[pa.RecordBatch]:
    """The same rows in order, in batches of exactly `rows`; only the last may be shorter.

    Where rows are long, a batch has as many as are `size` bytes, and at least one.
    """
    waiting: list[pa.RecordBatch] = []
    count, held = 0, 0
    for batch in batches:
        start = 0
        while start < batch.num_rows:
            most = min(batch.num_rows, start + rows - count)
            stop = max(_fitting(batch, start, most, size - held), start + (not count))
            part = batch.slice(start, stop - start)
            if stop == batch.num_rows and count + part.num_rows < rows:
                waiting.append(part)
                count, held = count + part.num_rows, held + _size(batch.columns, start, stop)
                break
            if part.num_rows:
                waiting.append(part)
            yield waiting[0] if len(waiting) == 1 else pa.concat_batches(waiting)
            waiting, count, held = [], 0, 0
            start = stop
    if waiting:
        yield pa.concat_batches(waiting)


def _fitting(batch: pa.RecordBatch, start: int, most: int, size: int) -> int:
    """Up to which row a batch is at most `size` bytes."""

    def size_to(stop: int) -> int:
        return _size(batch.columns, start, stop)

    if size_to(most) <= size:
        return most
    return start - 1 + bisect_right(range(start, most), size, key=size_to)


def _size(arrays: Sequence[pa.Array], start: int, stop: int) -> int:
    """The bytes of some rows, each taken by itself: no matter in which batch they came."""
    found = 0
    for array in arrays:
        kind = array.type
        if pat.is_struct(kind):
            inside = [array.field(place) for place in range(kind.num_fields)]
            found += _size(inside, start, stop)
        elif pat.is_null(kind):
            found += stop - start
        elif pat.is_string(kind) or pat.is_binary(kind):
            first, last = _places(array, start, stop)
            found += _OFFSET * (stop - start) + last - first
        elif pat.is_nested(kind):
            inside = [array.keys, array.items] if pat.is_map(kind) else [array.values]
            found += _OFFSET * (stop - start) + _size(inside, *_places(array, start, stop))
        else:
            found += (kind.bit_width + 7) // 8 * (stop - start)
    return found


def _places(array: pa.Array, start: int, stop: int) -> tuple[int, int]:
    """Where the content of some rows begins and ends."""
    if start == stop:
        return 0, 0
    raw = np.frombuffer(array.buffers()[1], np.int32)
    return int(raw[array.offset + start]), int(raw[array.offset + stop])
