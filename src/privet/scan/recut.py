"""Batches re-cut to a fixed row count, so that their sizes do not tell how many rows are hidden."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

BATCH_ROWS = 32_768


def recut(batches: Iterator[pa.RecordBatch], rows: int = BATCH_ROWS) -> Iterator[pa.RecordBatch]:
    """The same rows in order, in batches of exactly `rows`; only the last may be shorter."""
    waiting: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        offset = 0
        while count + batch.num_rows - offset >= rows:
            part = batch.slice(offset, rows - count)
            yield pa.concat_batches([*waiting, part]) if waiting else part
            offset += part.num_rows
            waiting, count = [], 0
        if offset < batch.num_rows:
            waiting.append(batch.slice(offset))
            count += batch.num_rows - offset
    if waiting:
        yield pa.concat_batches(waiting)
