"""Scans of tables, whichever kind they are of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import pyarrow as pa

from privet.connector import Connector, ObjectInfo
from privet.enforcement import EnforcedPlan
from privet.model.datasets import Column, Format, Source
from privet.model.errors import InvalidRequest, NotFound, SchemaChanged, SourceUnavailable
from privet.model.sources import FIELD_IDS, are_same
from privet.scan.files import RECRAWL, PlannedFile, bound
from privet.scan.formats.binding import check_schema, finish, told
from privet.scan.lakes.base import VERSION, LakeTable
from privet.scan.pieces import Piece


def _delta(connectors: Connector, root: str, version: int | None) -> LakeTable:
    from privet.scan.lakes.delta import DeltaLake

    return DeltaLake(connectors, root, version)


def _iceberg(connectors: Connector, root: str, version: int | None) -> LakeTable:
    from privet.scan.lakes.iceberg import Iceberg

    return Iceberg(connectors, root, version)


LAKES: Mapping[Format, Callable[[Connector, str, int | None], LakeTable]] = {
    Format.DELTA: _delta,
    Format.ICEBERG: _iceberg,
}


def open_lake(connectors: Connector, source: Source) -> LakeTable:
    """A table as of the version that its source says, or the newest.

    Raises:
        NotFound, SourceUnavailable, InvalidRequest: it is gone, or cannot be reached.
        SourceInvalid: it has what is not read, or is broken.
    """
    version = source.options.get(VERSION)
    return LAKES[source.format](connectors, source.uri, None if version is None else int(version))


def lake_pieces(plan: EnforcedPlan, connectors: Connector) -> Iterator[Piece]:
    """The pieces of a table, as of one version from begin to end.

    Raises:
        SchemaChanged: a registered column is gone, has another type, or is another.
        SourceInvalid, SourceUnavailable: it cannot be read.
    """
    columns = tuple(plan.reads)
    try:
        table = open_lake(connectors, plan.dataset.source)
    except (NotFound, InvalidRequest, SourceUnavailable) as error:
        raise SourceUnavailable(
            "the table of this dataset cannot be opened",
            hint="try again; if it stays so, tell a data steward",
        ) from error
    check_schema(table.schema, plan)
    _check_ids(table, plan)
    nowhere = PlannedFile(ObjectInfo(plan.dataset.source.uri, 0, None), {})
    for piece in table.pieces([c.source_name for c in columns], plan):
        yield Piece(piece.size, partial(_load, piece, columns, nowhere, plan))


def _check_ids(table: LakeTable, plan: EnforcedPlan) -> None:
    """Check that the names of what was reviewed still are of the same columns.

    Raises:
        SchemaChanged: one is of another, or it was never kept of which.
    """
    if table.field_ids is None:
        return
    reviewed = plan.dataset.source.options.get(FIELD_IDS)
    for column in bound(plan):
        if not are_same(reviewed, table.field_ids, column.source_name):
            raise SchemaChanged(
                "a table of this dataset has other columns under the names that were registered",
                hint=RECRAWL,
            )


def _load(
    piece: Piece, columns: Sequence[Column], file: PlannedFile, plan: EnforcedPlan
) -> Iterator[pa.RecordBatch]:
    with told("Parquet"):
        for batch in piece.load():
            yield finish(batch, columns, file, plan)
