"""Datasets as messages describe them: what a scan would give, and no more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.types as pat

from privet.model.datasets import Column, Dataset, Format, plain_type
from privet.model.errors import Forbidden, NotFound
from privet.model.names import DatasetName, FieldPath, TagName, fold
from privet.model.permissions import on_dataset
from privet.model.sources import TablePlace
from privet.okera.calls import Call, Handler
from privet.okera.columns import schema_of
from privet.okera.idl import T
from privet.okera.rpc.attributes import value_of
from privet.okera.rpc.choosing import choose, columns_of
from privet.okera.rpc.held import Held

CLASSES = {
    Format.CSV: ("TEXT", "org.apache.hadoop.mapred.TextInputFormat"),
    Format.JSON: ("JSON", "org.apache.hadoop.mapred.TextInputFormat"),
    Format.AVRO: ("AVRO", "org.apache.hadoop.hive.ql.io.avro.AvroContainerInputFormat"),
    Format.ORC: ("ORC", "org.apache.hadoop.hive.ql.io.orc.OrcInputFormat"),
    Format.TABLE: ("JDBC", ""),
    Format.PARQUET: (
        "PARQUET",
        "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    ),
}


def _get(call: Call, params: Any) -> Any:
    views, total = choose(call, params)
    if params.names_only and not params.with_schema:
        told = [_named_only(v.dataset.name) for v in views]
    else:
        told = [_table(call, v) for v in views]
    public = call.services.datasets.public_among([v.dataset.name for v in views])
    return T.TGetDatasetsResult(
        datasets=told,
        total_count=total,
        is_public=[v.dataset.name in public for v in views],
        is_admin=[v.full for v in views],
    )


def described(call: Call, name: DatasetName) -> Any:
    """A dataset as the caller knows it.

    Raises:
        NotFound: it does not exist for them.
    """
    return _table(call, call.services.datasets.get(call.caller, name))


def _named_only(name: DatasetName) -> Any:
    return T.TTable(name=name.name, db=[name.database])


def _table(call: Call, view: Any) -> Any:
    dataset: Dataset = view.dataset
    name = dataset.name
    tags = [value_of(tag, *name) for tag in sorted(dataset.tags)]
    told = T.TTable(
        name=name.name,
        db=[name.database],
        schema=schema_told(name, columns_of(view)),
        description=dataset.description or None,
        attribute_values=tags or None,
        metadata={},
        serde_metadata={},
    )
    if view.full:
        _add_whole(call, told, dataset)
    return told


def _add_whole(call: Call, told: Any, dataset: Dataset) -> None:
    """What is for those who administer it: where it lies, what it is made of."""
    told.owner = dataset.owner
    told.metadata = dict(dataset.properties) | _lineage(call, dataset.name)
    if dataset.created_at:
        told.created_time_unix_epoch = int(dataset.created_at.timestamp())
    if dataset.view is not None:
        told.view_string = told.view_expanded_text = dataset.view.text
        told.table_format = "VIEW"
        return
    told.table_format, told.input_format = CLASSES.get(dataset.source.format, ("TEXT", ""))
    told.output_format = told.input_format.replace("InputFormat", "OutputFormat")
    told.location = dataset.source.uri
    told.metadata |= _over_connection(dataset)
    told.serde_metadata = {
        key: str(dataset.source.options[key])
        for key in ("delimiter",)
        if key in dataset.source.options
    }


def _over_connection(dataset: Dataset) -> dict[str, str]:
    """What the original says of a table of a database."""
    if dataset.source.format is not Format.TABLE:
        return {}
    place = TablePlace.of(dataset.source)
    return {"okera.connection.name": place.connection, "table": place.table}


def _lineage(call: Call, name: DatasetName) -> dict[str, str]:
    try:
        found = call.services.views.lineage(call.caller, name)
    except (Forbidden, NotFound):
        return {}
    parts = {
        "okera.view.parents": found.parents,
        "okera.view.base-tables": found.tables,
        "okera.view.children": found.children,
    }
    return {key: ",".join(sorted(map(str, names))) for key, names in parts.items() if names}


def schema_told(name: DatasetName, columns: Iterable[Column]) -> Any:
    """Columns with their comments and tags, as messages have them."""
    return T.TSchema(
        cols=[each for column in columns for each in _described(name, column)],
        is_count_star=False,
    )


def _described(name: DatasetName, column: Column) -> Iterator[Any]:
    """A column and, in the order of the protocol, what is inside it."""
    tags: dict[tuple[str, ...], list[TagName]] = {}
    for tagged in column.field_tags:
        tags.setdefault(tagged.path, []).append(tagged.tag)
    told = schema_of(pa.schema([(column.name, column.type)])).cols
    told[0].comment = column.comment or None
    told[0].is_partitioning_col = column.partition
    for each, path in zip(told, _paths((column.name,), plain_type(column.type)), strict=True):
        held = sorted(set(tags.get(path or (), ())))
        told_at = ".".join(path or ())
        each.attribute_values = [value_of(tag, *name, told_at) for tag in held] or None
        yield each


def _paths(path: FieldPath, kind: pa.DataType, *, named: bool = True) -> Iterator[FieldPath | None]:
    """The path of a field and, in the order of the protocol, of those inside it.

    Paths look through lists and maps: what is told of their items has none.
    """
    yield path if named else None
    if pat.is_struct(kind):
        for i in range(kind.num_fields):
            field = kind.field(i)
            yield from _paths((*path, field.name.lower()), field.type)
    elif pat.is_list(kind):
        yield from _paths(path, kind.value_type, named=False)
    elif pat.is_map(kind):
        yield from _paths(path, kind.key_type, named=False)
        yield from _paths(path, kind.item_type, named=False)


def _tables(call: Call, params: Any) -> Any:
    database = fold(params.database[0])
    call.services.databases.get(call.caller, database)
    views = call.services.datasets.list(call.caller, database)
    held = Held.of(call) if params.access_levels else None
    names = [
        v.dataset.name
        for v in views
        if (not params.filter or params.filter.lower() in v.dataset.name.name)
        and (not params.name or params.name.lower() == v.dataset.name.name)
        and (held is None or held.anything_on(on_dataset(v.dataset.name), params.access_levels))
    ]
    return T.TGetTablesResult(tables=[_named_only(n) for n in names])


def _functions(_: Call, __: Any) -> Any:
    return T.TGetUdfsResult(udfs=[])


HANDLERS: Mapping[str, Handler] = {
    "GetDatasets": _get,
    "GetTables": _tables,
    "GetUdfs": _functions,
}
