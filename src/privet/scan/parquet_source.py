"""Parquet as pieces: row groups pruned by statistics, columns by name, decoded in parallel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

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
        groups = _row_groups(opened, plan)
    for piece in _gathered(opened.metadata, groups):
        size = sum(chunk.decoded for chunk in chunks_of(opened.metadata, piece, opened.names))
        if size <= LARGEST_PIECE:
            yield Piece(size, partial(_load, opened, piece))
        else:
            yield from _streamed(opened, piece)


@dataclass(frozen=True, slots=True)
class _Opened:
    """A file whose footer was read. Its readers share nothing else: any thread may make one."""

    native: pa.NativeFile
    metadata: pq.FileMetaData
    dense: tuple[str, ...]
    columns: tuple[Column, ...]
    finish: Callable[[pa.RecordBatch], pa.RecordBatch]

    def reader(self) -> pq.ParquetFile:
        return pq.ParquetFile(
            self.native, metadata=self.metadata, read_dictionary=list(self.dense), pre_buffer=False
        )

    @property
    def names(self) -> list[str]:
        return [c.source_name for c in self.columns]


def _open(file: PlannedFile, plan: EnforcedPlan, connectors: Connectors) -> _Opened:
    columns = tuple(c for c in plan.reads if not c.partition)
    with opening():
        native = connectors.open_file(file.info.uri)
    probe = pq.ParquetFile(native, pre_buffer=False)
    check_schema(probe.schema_arrow, plan)
    return _Opened(
        native,
        probe.metadata,
        tuple(_dense(probe.metadata, columns)),
        columns,
        partial(finish, columns=columns, file=file, plan=plan),
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


def _row_groups(opened: _Opened, plan: EnforcedPlan) -> list[int]:
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


def _load(opened: _Opened, groups: list[int]) -> Iterator[pa.RecordBatch]:
    for _, batch in _read(opened, groups, PIECE_ROWS, use_threads=False):
        yield from _finished(opened, batch)


def _streamed(opened: _Opened, groups: list[int]) -> Iterator[Piece]:
    for size, batch in _read(opened, groups, BATCH_ROWS, use_threads=True):
        yield Piece(size, partial(_finished, opened, batch))


def _read(
    opened: _Opened, groups: list[int], most: int, *, use_threads: bool
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Batches as the file has them, and their sizes."""
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
            yield from cut(batch)


def _finished(opened: _Opened, batch: pa.RecordBatch) -> list[pa.RecordBatch]:
    with told("Parquet"):
        return [opened.finish(batch)]
