"""Describes the tables of a catalog of Iceberg, as `describe` does files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from privet.connector import Connector, LakeCatalogs
from privet.crawler.crawl import Crawled, crawl_named
from privet.crawler.describe import no_cells, sampled, tagged
from privet.crawler.formats import look_at_lake
from privet.crawler.names import column_names, fold_name
from privet.crawler.profiles import profiles_of
from privet.crawler.walking import Report
from privet.model.crawling.crawls import FoundDataset
from privet.model.datasets import Column, Format, Rule, Source
from privet.model.errors import PrivetError, SourceInvalid
from privet.model.sources import CatalogPlace, SchemaPlace
from privet.scan.lakes import METADATA, table_root


def crawl_catalog(
    catalogs: LakeCatalogs,
    connectors: Connector,
    connection: str,
    rules: Sequence[Rule],
    *,
    progress: Report = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Crawled:
    """The tables of a catalog, by name, as `run_crawl` finds datasets of files.

    What is wrong with one table stands in its `problem`, and the crawl goes on.

    Raises:
        As `LakeCatalogs.names`.
        Cancelled: `cancelled` said so.
    """
    names = catalogs.names(connection)
    places = [CatalogPlace(connection, name.namespace, name.table) for name in names]

    def look(place: CatalogPlace) -> FoundDataset:
        return look_in_catalog(catalogs, connectors, place, rules)

    return crawl_named(places, look, progress, cancelled)


def look_in_catalog(
    catalogs: LakeCatalogs,
    connectors: Connector,
    place: CatalogPlace,
    rules: Sequence[Rule],
    version: str | None = None,
) -> FoundDataset:
    """A table that a catalog names, with tags proposed from its columns and first rows.

    What is wrong stands in its `problem`.

    Args:
        catalogs: say where its metadata are.
        connectors: open its files.
        place: its names.
        rules: what proposes tags.
        version: the snapshot to read for good; None for the newest.
    """
    name = fold_name(place.table, "table")
    try:
        metadata = catalogs.metadata_of(place)
        root = catalogs.check_location(place.connection, table_root(connectors, metadata))
        if not metadata.startswith(f"{root}/"):
            raise SourceInvalid(
                "its metadata lie outside its location",
                hint="a table whose metadata lie elsewhere is not read",
            )
        shape = look_at_lake(connectors, root, Format.ICEBERG, version, metadata)
    except PrivetError as error:
        # No address of files: what the catalog said of it was not believed.
        nowhere = SchemaPlace(place.connection, place.title, place.table).uri
        source = Source(nowhere, Format.ICEBERG, place.options())
        return FoundDataset(name, source, problem=str(error))
    source = Source(root, Format.ICEBERG, {**shape.options, **place.options()})
    names = column_names(field.name for field in shape.fields)
    columns = tuple(
        Column(own, field.kind, field.name, field.comment)
        for own, field in zip(names, shape.fields, strict=True)
    )
    asked = replace(source, options={**source.options, METADATA: metadata})
    table, trouble = sampled(connectors, asked, columns)
    return FoundDataset(
        name,
        source,
        tagged(columns, table, rules),
        notes=shape.notes if trouble is None else (*shape.notes, no_cells(trouble)),
        profiles=profiles_of(columns, table),
    )
