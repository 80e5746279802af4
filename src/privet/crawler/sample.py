"""A few rows of a source that is described already: for tags, previews and crawls to come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice

import pyarrow as pa

from privet.connector import Connector, DataFile, ObjectInfo, data_files, shown
from privet.crawler.dialect import lines_of, split
from privet.crawler.formats.json_files import rows_of
from privet.crawler.formats.lakes import first_lake_rows
from privet.crawler.formats.opened_files import first_rows, names_in
from privet.crawler.heads import decode, read_head
from privet.crawler.inference import parse_fields
from privet.crawler.parquet_files import open_parquet
from privet.crawler.text_files import dialect_of
from privet.model.datasets import Column, Format, Source, plain_type
from privet.model.errors import SchemaChanged, SourceInvalid
from privet.scan.formats import OPENERS, Misfit, read_objects
from privet.scan.lakes import LAKES, open_lake

SAMPLE_ROWS = 1000
SAMPLE_BYTES = 1 << 20
_FILES = 5
_STEP = 50
_MOST_BYTES = 32 * SAMPLE_BYTES


def sample_source(
    connector: Connector, source: Source, columns: Sequence[Column], *, limit: int = SAMPLE_ROWS
) -> pa.Table:
    """At most `limit` rows from the first files, with the columns' names and types in their order.

    Of CSV, only whole records in the first MiB of a file; broken ones are left out.

    Raises:
        SchemaChanged: the files no longer have these columns.
        SourceInvalid: the content is not what source and columns say.
        NotFound, SourceUnavailable, InvalidRequest: it cannot be opened or read.
    """
    if source.format in LAKES:
        return _from_lake(connector, source, columns, limit)
    parts: list[pa.Table] = []
    rows = 0
    for number, file in enumerate(data_files(connector, source)):
        if number == _FILES or rows >= limit:
            break
        found = _READERS[source.format](connector, source, columns, file, limit - rows)
        part = _with_partitions(found, file, columns)
        rows += part.num_rows
        parts.append(part)
    schema = pa.schema([(column.name, column.type) for column in columns])
    return pa.concat_tables([schema.empty_table(), *parts])


def _read_csv(
    connector: Connector, source: Source, columns: Sequence[Column], file: DataFile, limit: int
) -> dict[str, pa.ChunkedArray]:
    options = source.options
    text = decode(
        read_head(connector, file.info.uri, SAMPLE_BYTES), file.info.uri, options["encoding"]
    )
    dialect = dialect_of(options)
    lines = lines_of(text.text)
    records = split(lines, dialect, whole=text.whole)
    if not records:
        return {}
    names = records[0].fields
    if not options["header"]:
        names = tuple(f"c{n}" for n in range(1, len(names) + 1))
    _check_present(columns, names)
    kinds = {column.source_name: column.type for column in columns if not column.partition}
    body = [r for r in records[bool(options["header"]) :] if len(r.fields) == len(names)]
    table = parse_fields(lines, body[:limit], dialect, [kinds.get(n, pa.string()) for n in names])
    return dict(zip(names, table.slice(0, limit).columns, strict=True))


def _read_json(
    connector: Connector, source: Source, columns: Sequence[Column], file: DataFile, limit: int
) -> dict[str, pa.ChunkedArray]:
    uri = file.info.uri
    text = decode(read_head(connector, uri, SAMPLE_BYTES), uri, source.options["encoding"])
    rows = list(islice(rows_of(text), limit))
    wanted = [(c.source_name, plain_type(c.type)) for c in columns if not c.partition]
    try:
        arrays = read_objects(rows, wanted)
    except Misfit as misfit:
        raise SourceInvalid(
            f"a value of `{wanted[misfit.place][0][:64]}` is not of its registered type"
        ) from misfit
    return {name: pa.chunked_array([a]) for (name, _), a in zip(wanted, arrays, strict=True)}


def _read_parquet(
    connector: Connector, source: Source, columns: Sequence[Column], file: DataFile, limit: int
) -> dict[str, pa.ChunkedArray]:
    del source
    with open_parquet(connector, file.info.uri) as parquet:
        schema = parquet.schema_arrow
        _check_present(columns, schema.names)
        # Few at a time: a text that recurs takes a file next to nothing, and memory all of it.
        batches: list[pa.RecordBatch] = []
        rows, size = 0, 0
        for batch in parquet.iter_batches(batch_size=min(limit, _STEP)):
            batches.append(batch.slice(0, limit - rows))
            rows, size = rows + batches[-1].num_rows, size + batch.nbytes
            if rows >= limit or size >= _MOST_BYTES:
                break
        table = pa.Table.from_batches(batches, schema)
    return dict(zip(table.column_names, table.columns, strict=True))


def _read_opened(
    connector: Connector, source: Source, columns: Sequence[Column], file: DataFile, limit: int
) -> dict[str, pa.ChunkedArray]:
    uri = file.info.uri
    wanted = [c.source_name for c in columns if not c.partition]
    _check_present(columns, names_in(connector, uri, source.format))
    batches = first_rows(connector, uri, source.format, wanted, limit)
    if not batches:
        return {}
    table = pa.Table.from_batches(batches)
    return dict(zip(table.column_names, table.columns, strict=True))


def _from_lake(
    connector: Connector, source: Source, columns: Sequence[Column], limit: int
) -> pa.Table:
    names = [c.source_name for c in columns]
    _check_present(columns, open_lake(connector, source).schema.names)
    batches = first_lake_rows(connector, source, names, limit)
    found = pa.Table.from_batches(batches) if batches else pa.table({})
    nowhere = DataFile(ObjectInfo(source.uri, 0, None))
    values = dict(zip(found.column_names, found.columns, strict=True))
    return _with_partitions(values, nowhere, columns)


_READERS = {
    Format.CSV: _read_csv,
    Format.JSON: _read_json,
    Format.PARQUET: _read_parquet,
    **dict.fromkeys(OPENERS, _read_opened),
}


def _check_present(columns: Sequence[Column], names: Sequence[str]) -> None:
    missing = [c.name for c in columns if not c.partition and c.source_name not in names]
    if missing:
        raise SchemaChanged(
            f"the source no longer has the column `{missing[0]}`",
            hint="crawl it again and review what changed",
        )


def _with_partitions(
    found: Mapping[str, pa.ChunkedArray], file: DataFile, columns: Sequence[Column]
) -> pa.Table:
    """The columns by name and type, with the file's partition values among them."""
    rows = len(next(iter(found.values()))) if found else 0
    values = dict(file.partitions)
    arrays: list[pa.ChunkedArray | pa.Array] = []
    for column in columns:
        try:
            if column.partition:
                value = pa.scalar(values.get(column.source_name), pa.string()).cast(column.type)
                arrays.append(pa.repeat(value, rows))
            elif rows:
                arrays.append(found[column.source_name].cast(plain_type(column.type)))
            else:
                arrays.append(pa.nulls(0, column.type))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise SourceInvalid(
                f"`{shown(file.info.uri)}` holds values of `{column.name}` that are not of the "
                f"type {column.type}",
                hint="crawl it again and review what changed",
            ) from error
    return pa.table(arrays, schema=pa.schema([(c.name, c.type) for c in columns]))
