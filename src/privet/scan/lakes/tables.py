"""Scans of tables, whichever kind they are of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import pyarrow as pa

from privet.connector import Connector, ObjectInfo
from privet.enforcement import EnforcedPlan
from privet.model.datasets import Column, Format, Source
from privet.model.errors import InvalidRequest, NotFound, SourceUnavailable
from privet.scan.files import PlannedFile
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
        SchemaChanged: a registered column is gone or has another type.
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
    nowhere = PlannedFile(ObjectInfo(plan.dataset.source.uri, 0, None), {})
    for piece in table.pieces([c.source_name for c in columns], plan):
        yield Piece(piece.size, partial(_load, piece, columns, nowhere, plan))


def _load(
    piece: Piece, columns: Sequence[Column], file: PlannedFile, plan: EnforcedPlan
) -> Iterator[pa.RecordBatch]:
    with told("Parquet"):
        for batch in piece.load():
            yield finish(batch, columns, file, plan)
