"""Parquet as pieces: row groups pruned by statistics, columns by name, batches as decoded."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pyarrow as pa
import pyarrow.dataset as pds
import pyarrow.parquet as pq

from privet.connector import Connectors
from privet.enforcement import EnforcedPlan, plain_type
from privet.model.datasets import Column
from privet.model.errors import SchemaChanged, SourceInvalid, SourceUnavailable
from privet.scan.files import RECRAWL, PlannedFile, with_partitions
from privet.scan.pieces import Piece

BATCH_ROWS = 65_536


def parquet_pieces(
    file: PlannedFile, plan: EnforcedPlan, connectors: Connectors
) -> Iterator[Piece]:
    """The pieces of one Parquet file.

    Raises:
        SchemaChanged: a registered column is gone or has another type.
        SourceInvalid: the content is not Parquet.
        SourceUnavailable: the file cannot be read to its end.
    """
    columns = [c for c in plan.reads if not c.partition]
    try:
        native = connectors.open_file(file.info.uri)
        reader = pq.ParquetFile(native, memory_map=False, pre_buffer=False)
        _check_schema(reader.schema_arrow, plan)
        groups = _row_groups(native, reader.num_row_groups, plan)
        if not groups:
            return
        batches = reader.iter_batches(
            batch_size=BATCH_ROWS, row_groups=groups, columns=[c.source_name for c in columns]
        )
        for batch in batches:
            yield Piece(batch.nbytes, partial(_finish, batch, columns, file, plan))
    except pa.ArrowInvalid as error:
        raise SourceInvalid(
            "a file of this dataset is not readable as Parquet", hint=RECRAWL
        ) from error
    except OSError as error:
        raise SourceUnavailable(
            "a file of this dataset could not be read to its end",
            hint="try again; if it stays so, tell a data steward",
        ) from error


def _check_schema(found: pa.Schema, plan: EnforcedPlan) -> None:
    for column in plan.dataset.columns:
        if column.partition:
            continue
        index = found.get_field_index(column.source_name)
        if index < 0 or plain_type(found.field(index).type) != plain_type(column.type):
            raise SchemaChanged(
                "a file of this dataset no longer has all its registered columns and types",
                hint=RECRAWL,
            )


def _row_groups(native: pa.NativeFile, count: int, plan: EnforcedPlan) -> list[int]:
    if plan.hint is None or count < 2:  # noqa: PLR2004 - nothing to choose from
        return list(range(count))
    schema = pa.schema([(c.source_name, plain_type(c.type)) for c in plan.dataset.columns])
    fragment = pds.ParquetFileFormat().make_fragment(native)
    kept = fragment.split_by_row_group(filter=plan.hint, schema=schema)
    return [group.id for part in kept for group in part.row_groups]


def _finish(
    batch: pa.RecordBatch, columns: list[Column], file: PlannedFile, plan: EnforcedPlan
) -> list[pa.RecordBatch]:
    arrays = [_plain(batch.column(c.source_name), c) for c in columns]
    if not arrays:
        # Only partitions were asked for: a column of nothing carries the row count.
        empty = pa.RecordBatch.from_arrays([pa.nulls(batch.num_rows)], names=[""])
        return [with_partitions(empty, file, plan)]
    plain = pa.RecordBatch.from_arrays(arrays, names=[c.name for c in columns])
    return [with_partitions(plain, file, plan)]


def _plain(array: pa.Array, column: Column) -> pa.Array:
    target = plain_type(column.type)
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    return array if array.type == target else array.cast(target)
