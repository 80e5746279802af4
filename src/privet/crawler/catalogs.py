"""Describes the tables of a catalog of Iceberg, as `describe` does files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pyarrow as pa

from privet.connector import CatalogName, Connector, LakeCatalogs
from privet.crawler.crawl import Crawled
from privet.crawler.describe import tagged
from privet.crawler.formats import look_at_lake
from privet.crawler.names import distinct, fold_name
from privet.crawler.profiles import profiles_of
from privet.crawler.sample import sample_source
from privet.crawler.walking import CrawlProgress, Report
from privet.model.crawling.crawls import CrawlReport, FoundDataset
from privet.model.datasets import Column, Format, Rule, Source
from privet.model.errors import Cancelled, PrivetError, SourceInvalid
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
    tables = catalogs.names(connection)
    found: list[FoundDataset] = []
    for table in tables:
        if cancelled():
            raise Cancelled("the crawl was called off")
        place = _place(connection, table)
        found.append(look_in_catalog(catalogs, connectors, place, rules))
        progress(CrawlProgress(len(tables), tuple(found)))
    named = distinct(f.name for f in found)
    whole = tuple(replace(f, name=name) for f, name in zip(found, named, strict=True))
    problems = sum(bool(f.problem) for f in whole)
    return Crawled(whole, CrawlReport(opened=len(tables), problem_count=problems))


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
    names = distinct(fold_name(f.name, f"column_{at}") for at, f in enumerate(shape.fields, 1))
    columns = tuple(
        Column(own, field.kind, field.name, field.comment)
        for own, field in zip(names, shape.fields, strict=True)
    )
    asked = replace(source, options={**source.options, METADATA: metadata})
    table, trouble = _sampled(connectors, asked, columns)
    return FoundDataset(
        name,
        source,
        tagged(columns, table, rules),
        notes=(*shape.notes, *trouble),
        profiles=profiles_of(columns, table),
    )


def _sampled(
    connectors: Connector, source: Source, columns: tuple[Column, ...]
) -> tuple[pa.Table, tuple[str, ...]]:
    try:
        return sample_source(connectors, source, columns), ()
    except PrivetError as error:
        none = pa.schema([(column.name, column.type) for column in columns]).empty_table()
        return none, (f"no cells were looked at: {error.message}",)


def _place(connection: str, table: CatalogName) -> CatalogPlace:
    return CatalogPlace(connection, table.namespace, table.table)
