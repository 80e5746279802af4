"""Scans of tables, whichever kind they are of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

import pyarrow as pa

from privet.connector import Connector, LakeCatalogs, ObjectInfo
from privet.enforcement import EnforcedPlan
from privet.model.datasets import Column, Format, Source
from privet.model.errors import (
    InvalidRequest,
    NotFound,
    SchemaChanged,
    SourceInvalid,
    SourceUnavailable,
)
from privet.model.sources import FIELD_IDS, TABLE_ID, CatalogPlace, are_same
from privet.scan.files import RECRAWL, PlannedFile, bound
from privet.scan.formats.binding import check_schema, finish, told
from privet.scan.lakes.base import VERSION, LakeTable
from privet.scan.pieces import Piece

METADATA = "metadata"
"""The option of a source that a catalog was asked about: the address of its current metadata.

It is never stored.
"""


def _delta(connectors: Connector, source: Source, version: int | None) -> LakeTable:
    from privet.scan.lakes.delta import DeltaLake

    return DeltaLake(connectors, source.uri, version)


def _iceberg(connectors: Connector, source: Source, version: int | None) -> LakeTable:
    from privet.scan.lakes.iceberg import Iceberg

    metadata = source.options.get(METADATA)
    if metadata is None and CatalogPlace.of(source) is not None:
        # The folder may say something else than the catalog.
        raise SourceUnavailable(
            "the catalog of this dataset was not asked", hint="tell a data steward"
        )
    return Iceberg(connectors, source.uri, version, metadata)


LAKES: Mapping[Format, Callable[[Connector, Source, int | None], LakeTable]] = {
    Format.DELTA: _delta,
    Format.ICEBERG: _iceberg,
}


def table_root(connectors: Connector, metadata: str) -> str:
    """The address at which a table of Iceberg says that it lies, as it spells it.

    Args:
        connectors: open the metadata.
        metadata: their canonical address.

    Raises:
        SourceInvalid: they cannot be read, or hold what is not.
        NotFound, SourceUnavailable: they cannot be opened.
    """
    from privet.scan.lakes.iceberg import location_in

    return location_in(connectors, metadata)


def resolved(source: Source, catalogs: LakeCatalogs | None) -> Source:
    """A source with the metadata that its catalog names now; as it is, where none names it.

    Raises:
        NotFound, InvalidRequest, SourceUnavailable, SourceInvalid: see `LakeCatalogs.metadata_of`.
    """
    place = CatalogPlace.of(source)
    if place is None or catalogs is None:
        return source
    options = {**source.options, METADATA: catalogs.metadata_of(place)}
    return replace(source, options=options)


def open_lake(connectors: Connector, source: Source) -> LakeTable:
    """A table as of the version that its source says, or the newest.

    Raises:
        NotFound, SourceUnavailable, InvalidRequest: it is gone, or cannot be reached.
        SourceInvalid: it has what is not read, or is broken.
    """
    version = source.options.get(VERSION)
    return LAKES[source.format](connectors, source, None if version is None else int(version))


def lake_pieces(
    plan: EnforcedPlan, connectors: Connector, catalogs: LakeCatalogs | None = None
) -> Iterator[Piece]:
    """The pieces of a table, as of one version from begin to end.

    Args:
        plan: what is read.
        connectors: open the files.
        catalogs: say which metadata count, where a catalog knows the table.

    Raises:
        SchemaChanged: a registered column is gone, has another type, or is another.
        SourceInvalid, SourceUnavailable: it cannot be read.
    """
    columns = tuple(plan.reads)
    source = _asked(plan.dataset.source, catalogs)
    try:
        table = open_lake(connectors, source)
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


def _asked(source: Source, catalogs: LakeCatalogs | None) -> Source:
    """A source as its catalog has it, without names that a reader may not know in errors."""
    try:
        return resolved(source, catalogs)
    except NotFound as error:
        raise SchemaChanged("the table of this dataset is gone", hint=RECRAWL) from error
    except (InvalidRequest, SourceUnavailable) as error:
        raise SourceUnavailable(
            "the catalog of this dataset cannot be asked: it is away, too slow, or does not let us "
            "in",
            hint="try again; a data steward can try its connection",
        ) from error
    except SourceInvalid as error:
        raise SourceInvalid(
            "the catalog of this dataset answers what cannot be read",
            hint="a data steward can try its connection, and crawl it again",
        ) from error


def _check_ids(table: LakeTable, plan: EnforcedPlan) -> None:
    """Check that the table, and the names of what was reviewed, still are of the same.

    Raises:
        SchemaChanged: one is of another, or it was never kept of which.
    """
    known = plan.dataset.source.options.get(TABLE_ID)
    if known is not None and known != table.table_id:
        raise SchemaChanged(
            "there is another table where that of this dataset was registered", hint=RECRAWL
        )
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
