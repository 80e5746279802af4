"""How much a part of a Parquet file becomes once it is decoded, and how many rows fit at once.

What a file says of its size is that of its encoded pages. A text that recurs is stored once, and a
run of equal numbers is two numbers, so a small file can become any amount of memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyarrow.types as pat

from privet.model.errors import SourceInvalid
from privet.scan.files import RECRAWL

BYTES = 32 * 1024 * 1024
"""Of decoded columns at once, unless a single row is more."""
STEP = 1024
"""Rows of texts whose lengths nothing tells: they are decoded so many at a time."""
_SLOTS = {"BOOLEAN": 1, "INT32": 4, "INT64": 8, "INT96": 8, "FLOAT": 4, "DOUBLE": 8}
_OFFSET = 4
_WORD = 16
"""Bytes that a text from a dictionary is taken to have, until it is seen."""


class Chunk(NamedTuple):
    """What one row group holds of one leaf of a column; `width` is 0 for text and bytes."""

    column: str
    values: int
    encoded: int
    width: int
    dictionary: bool

    @property
    def decoded(self) -> int:
        """About how many bytes it becomes."""
        if self.width:
            return self.values * self.width
        word = _WORD if self.dictionary else 0
        return max(self.encoded, self.values * (_OFFSET + word))

    @property
    def unknown(self) -> bool:
        """Whether it can become more than fits: any text may be the longest one over and over."""
        return not self.width and self.values * self.encoded > BYTES


def chunks_of(
    metadata: pq.FileMetaData, groups: Sequence[int], names: Sequence[str]
) -> list[Chunk]:
    """The chunks of these columns, those of the leaves inside them."""
    leaves = [metadata.schema.column(place) for place in range(metadata.num_columns)]
    owners = [
        (place, name)
        for place, leaf in enumerate(leaves)
        for name in names
        if f"{leaf.path}.".startswith(f"{name}.")
    ]
    return [
        _chunk(name, metadata.row_group(group).column(place), leaves[place])
        for group in groups
        for place, name in owners
    ]


def _chunk(name: str, chunk: pq.ColumnChunkMetaData, leaf: pq.ColumnSchema) -> Chunk:
    return Chunk(
        name,
        chunk.num_values,
        chunk.total_uncompressed_size,
        _SLOTS.get(leaf.physical_type) or max(0, leaf.length or 0),
        chunk.has_dictionary_page,
    )


Batches = Iterator[pa.RecordBatch]


def together(known: Batches, unknown: Batches) -> Batches:
    """The same rows of two sets of columns side by side, as many at once as fit.

    Args:
        known: batches of any size.
        unknown: batches of few rows, which are taken until they are as much as may be held.

    Raises:
        SourceInvalid: the second ends before the first.
    """
    rest: pa.RecordBatch | None = None
    for batch in known:
        start = 0
        while start < batch.num_rows:
            parts: list[pa.RecordBatch] = []
            stop, size = start, 0
            while stop < batch.num_rows and size < BYTES:
                part = next(unknown, None) if rest is None else rest
                if part is None:
                    raise SourceInvalid(
                        "the columns of a file of this dataset are not of one length", hint=RECRAWL
                    )
                room = batch.num_rows - stop
                rest = part.slice(room) if part.num_rows > room else None
                parts.append(part.slice(0, room))
                stop, size = stop + parts[-1].num_rows, size + parts[-1].nbytes
            yield _beside(batch.slice(start, stop - start), pa.concat_batches(parts))
            start = stop


def _beside(left: pa.RecordBatch, right: pa.RecordBatch) -> pa.RecordBatch:
    names = [*left.schema.names, *right.schema.names]
    return pa.RecordBatch.from_arrays([*left.columns, *right.columns], names=names)


def cut(batch: pa.RecordBatch) -> Iterator[tuple[int, pa.RecordBatch]]:
    """A batch in parts of at most `BYTES`, dictionaries counted as the texts that they stand for.

    With each part comes about its size.
    """
    coded = [c for c in batch.columns if pat.is_dictionary(c.type)]
    plain = batch.nbytes - sum(c.nbytes for c in coded)
    rows = batch.num_rows
    most = plain + sum(rows * (_OFFSET + _longest(c.dictionary)) for c in coded)
    if most <= BYTES:
        yield most, batch
        return
    ends = np.linspace(plain / rows, plain, rows)
    for column in coded:
        ends += _ends(column)
    start, before = 0, 0.0
    while start < rows:
        stop = max(start + 1, int(np.searchsorted(ends, before + BYTES, "right")))
        yield int(ends[stop - 1] - before), batch.slice(start, stop - start)
        start, before = stop, ends[stop - 1]


def _longest(words: pa.Array) -> int:
    return int(pc.max(pc.binary_length(words)).as_py() or 0)


def _ends(column: pa.Array) -> npt.NDArray[np.int64]:
    """Where each text of a dictionary column would end."""
    words = pc.fill_null(pc.binary_length(column.dictionary), 0)
    lengths = pc.fill_null(pc.take(words, column.indices), 0)
    return np.cumsum(np.asarray(lengths, np.int64) + _OFFSET)
