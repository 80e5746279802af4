"""Describes one table of a database, as `describe` does files."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

import pyarrow as pa

from privet.connector import Databases, Reading, TableShape
from privet.crawler.crawl import Crawled, crawl_named
from privet.crawler.describe import no_cells, tagged
from privet.crawler.names import column_names, fold_name
from privet.crawler.profiles import profiles_of
from privet.crawler.sample import SAMPLE_ROWS
from privet.crawler.walking import Report
from privet.model.crawling.crawls import FoundDataset
from privet.model.datasets import Column, Rule, Source
from privet.model.errors import PrivetError, SourceUnavailable
from privet.model.sources import SchemaPlace, TablePlace

_MOST_BYTES = 32 * 1024 * 1024
_SECONDS = 30


def look_at_table(
    databases: Databases, place: TablePlace, shape: TableShape, rules: Sequence[Rule]
) -> FoundDataset:
    """A table of that shape, with tags proposed from its names, comments and first rows.

    That no rows could be looked at is a note.
    """
    source, columns = place.source(), _columns(shape)
    table, problem = _sampled(databases, source, columns)
    return FoundDataset(
        fold_name(place.table, "table"),
        source,
        tagged(columns, table, rules),
        notes=(problem,) if problem else (),
        profiles=profiles_of(columns, table),
    )


def crawl_tables(
    databases: Databases,
    place: SchemaPlace,
    rules: Sequence[Rule],
    *,
    progress: Report = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Crawled:
    """The tables of a schema that may be read, by name, as `run_crawl` finds datasets of files.

    What is wrong with one table stands in its `problem`, and the crawl goes on.

    Raises:
        NotFound, InvalidRequest, SourceUnavailable: its server cannot be asked.
        Cancelled: `cancelled` said so.
    """
    names = databases.names(place.connection, place.database, place.schema)
    tables = [place.table(name) for name in names]
    return crawl_named(tables, lambda t: _looked_at(databases, t, rules), progress, cancelled)


def _looked_at(databases: Databases, place: TablePlace, rules: Sequence[Rule]) -> FoundDataset:
    try:
        return look_at_table(databases, place, databases.describe(place), rules)
    except PrivetError as error:
        return FoundDataset(fold_name(place.table, "table"), place.source(), problem=str(error))


def propose_table_tags(
    databases: Databases, source: Source, columns: tuple[Column, ...], rules: Sequence[Rule]
) -> tuple[tuple[Column, ...], str]:
    """The columns with proposed tags, and why no cells could be looked at, if so."""
    table, problem = _sampled(databases, source, columns)
    return tagged(columns, table, rules), problem


def _columns(shape: TableShape) -> tuple[Column, ...]:
    names = column_names(column.name for column in shape.columns)
    return tuple(
        Column(name, there.kind, there.name, there.comment)
        for name, there in zip(names, shape.columns, strict=True)
    )


def _sampled(
    databases: Databases, source: Source, columns: tuple[Column, ...]
) -> tuple[pa.Table, str]:
    schema = pa.schema([(c.name, c.type) for c in columns])
    try:
        reading = Reading(columns, limit=SAMPLE_ROWS)
        with databases.read(TablePlace.of(source), reading, _no_longer_than(_SECONDS)) as batches:
            return pa.Table.from_batches(_bounded(batches), schema), ""
    except PrivetError as error:
        return schema.empty_table(), no_cells(error)


def _bounded(batches: Iterable[pa.RecordBatch]) -> list[pa.RecordBatch]:
    held: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        held.append(batch)
        size += batch.nbytes
        if size >= _MOST_BYTES:
            break
    return held


def _no_longer_than(seconds: int) -> Callable[[], None]:
    ends = time.monotonic() + seconds

    def waiting() -> None:
        if time.monotonic() >= ends:
            raise SourceUnavailable(
                "the database took too long to give a few rows", hint="try again later"
            )

    return waiting
