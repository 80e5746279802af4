"""Parquet as pieces: row groups pruned by statistics, columns by name, decoded in parallel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.dataset as pds
import pyarrow.parquet as pq
import pyarrow.types as pat

from privet.connector import Connectors
from privet.enforcement import EnforcedPlan
from privet.model.datasets import Column, plain_type
from privet.scan.files import PlannedFile, opening
from privet.scan.formats.binding import check_schema, finish, told
from privet.scan.parquet_rows import BYTES, STEP, chunks_of, cut, together
from privet.scan.pieces import Piece

PIECE_ROWS = 131_072
BATCH_ROWS = 65_536
LARGEST_PIECE = 64 * 1024 * 1024
"""Bytes of decoded columns: a row group beyond it is read batch by batch."""
_DENSE = 2.0
"""Bytes a value: text stored in less is nearly all dictionary indices."""


def parquet_pieces(
    file: PlannedFile, plan: EnforcedPlan, connectors: Connectors
) -> Iterator[Piece]:
    """The pieces of one Parquet file.

    Raises:
        SchemaChanged: a registered column is gone or has another type.
        SourceInvalid: the content is not Parquet.
        SourceUnavailable: the file cannot be read to its end.
    """
    with told("Parquet"):
        opened = _open(file, plan, connectors)
        groups = row_groups(opened, plan)
    yield from pieces_of(opened, groups)


def pieces_of(opened: OpenedParquet, groups: list[int]) -> Iterator[Piece]:
    """The pieces of some row groups of an opened file."""
    for piece in _gathered(opened.metadata, groups):
        size = sum(chunk.decoded for chunk in chunks_of(opened.metadata, piece, opened.names))
        if size <= LARGEST_PIECE:
            yield Piece(size, partial(_load, opened, piece))
        else:
            yield from _streamed(opened, piece)


class RowPlace(NamedTuple):
    """Where the first row of a batch stands: so many rows after the begin of these row groups."""

    groups: list[int]
    offset: int

    def positions(self, metadata: pq.FileMetaData, rows: int) -> npt.NDArray[np.int64]:
        """The places in the file of so many rows."""
        sizes = [metadata.row_group(place).num_rows for place in range(metadata.num_row_groups)]
        ends = np.cumsum([0, *sizes])
        found = np.concatenate([np.arange(ends[g], ends[g + 1]) for g in self.groups])
        return found[self.offset : self.offset + rows]


@dataclass(frozen=True, slots=True)
class OpenedParquet:
    """A file whose footer was read. Its readers share nothing else: any thread may make one.

    Attributes:
        dense: columns that are read as the dictionaries they are stored as.
        names: of the columns to read, as the file has them.
        finish: what is made of each batch of these.
    """

    native: pa.NativeFile
    metadata: pq.FileMetaData
    dense: tuple[str, ...]
    names: list[str]
    finish: Callable[[pa.RecordBatch, RowPlace], pa.RecordBatch]

    def reader(self) -> pq.ParquetFile:
        """A reader for one thread."""
        return pq.ParquetFile(
            self.native, metadata=self.metadata, read_dictionary=list(self.dense), pre_buffer=False
        )


def _open(file: PlannedFile, plan: EnforcedPlan, connectors: Connectors) -> OpenedParquet:
    columns = tuple(c for c in plan.reads if not c.partition)
    with opening():
        native = connectors.open_file(file.info.uri)
    probe = pq.ParquetFile(native, pre_buffer=False)
    check_schema(probe.schema_arrow, plan)
    return OpenedParquet(
        native,
        probe.metadata,
        tuple(_dense(probe.metadata, columns)),
        [c.source_name for c in columns],
        lambda batch, _: finish(batch, columns, file, plan),
    )


def _dense(metadata: pq.FileMetaData, columns: tuple[Column, ...]) -> Iterator[str]:
    """Text columns that are cheaper to filter as the dictionaries they are stored as."""
    if not metadata.num_row_groups:
        return
    group = metadata.row_group(0)
    chunks = {group.column(i).path_in_schema: group.column(i) for i in range(group.num_columns)}
    for column in columns:
        chunk = chunks.get(column.source_name)
        if chunk is None or not pat.is_string(plain_type(column.type)):
            continue
        if chunk.has_dictionary_page and chunk.total_uncompressed_size < _DENSE * chunk.num_values:
            yield column.source_name


def row_groups(opened: OpenedParquet, plan: EnforcedPlan) -> list[int]:
    """The row groups that may hold visible rows, by their statistics."""
    count = opened.metadata.num_row_groups
    if plan.hint is None or count < 2:  # noqa: PLR2004 - nothing to choose from
        return list(range(count))
    schema = pa.schema([(c.source_name, plain_type(c.type)) for c in plan.dataset.columns])
    fragment = pds.ParquetFileFormat().make_fragment(opened.native)
    kept = fragment.split_by_row_group(filter=plan.hint, schema=schema)
    return [group.id for part in kept for group in part.row_groups]


def _gathered(metadata: pq.FileMetaData, groups: list[int]) -> Iterator[list[int]]:
    """Row groups in pieces of about `PIECE_ROWS`, each at least one group."""
    piece: list[int] = []
    rows = 0
    for group in groups:
        more = metadata.row_group(group).num_rows
        if piece and rows + more > PIECE_ROWS:
            yield piece
            piece, rows = [], 0
        piece.append(group)
        rows += more
    if piece:
        yield piece


def _load(opened: OpenedParquet, groups: list[int]) -> Iterator[pa.RecordBatch]:
    for _, place, batch in _read(opened, groups, PIECE_ROWS, use_threads=False):
        yield from _finished(opened, place, batch)


def _streamed(opened: OpenedParquet, groups: list[int]) -> Iterator[Piece]:
    for size, place, batch in _read(opened, groups, BATCH_ROWS, use_threads=True):
        yield Piece(size, partial(_finished, opened, place, batch))


def _read(
    opened: OpenedParquet, groups: list[int], most: int, *, use_threads: bool
) -> Iterator[tuple[int, RowPlace, pa.RecordBatch]]:
    """Batches as the file has them, with their sizes and places."""
    offset = 0
    with told("Parquet"):
        chunks = chunks_of(opened.metadata, groups, opened.names)
        size = sum(chunk.decoded for chunk in chunks)
        if size > BYTES:
            rows = sum(opened.metadata.row_group(group).num_rows for group in groups)
            most = max(1, min(most, BYTES * rows // size))
        unknown = {c.column for c in chunks if c.unknown and c.column not in opened.dense}

        def batches(names: list[str], rows: int) -> Iterator[pa.RecordBatch]:
            return opened.reader().iter_batches(
                batch_size=rows, row_groups=groups, columns=names, use_threads=use_threads
            )

        found = batches([n for n in opened.names if n not in unknown], most)
        if unknown:
            found = together(found, batches(sorted(unknown), STEP))
        for batch in found:
            for part_size, part in cut(batch):
                yield part_size, RowPlace(groups, offset), part
                offset += part.num_rows


def _finished(
    opened: OpenedParquet, place: RowPlace, batch: pa.RecordBatch
) -> list[pa.RecordBatch]:
    with told("Parquet"):
        return [opened.finish(batch, place)]
