"""What doors send, as tables again: each format under the schema of the rows, where it is known."""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.json as pajson
import pyarrow.parquet as pq
import pyarrow.types as pat

Schema = pa.Schema | None
Reader = Callable[[bytes, Schema], pa.Table]


def read_csv(data: bytes, schema: Schema) -> pa.Table:
    """A CSV body; text that is quoted is never NULL."""
    types = None if schema is None else {f.name: _in_csv(f.type) for f in schema}
    table = pacsv.read_csv(
        io.BytesIO(data),
        parse_options=pacsv.ParseOptions(newlines_in_values=True),
        convert_options=pacsv.ConvertOptions(
            column_types=types,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
    if schema is None:
        return table
    columns = [
        pa.array([_of_csv(v, f.type) for v in column.to_pylist()], f.type)
        if pat.is_string(column.type) and not pat.is_string(f.type)
        else column.cast(f.type)
        for column, f in zip(table.columns, schema, strict=True)
    ]
    return pa.Table.from_arrays(columns, schema=_plain(schema))


def _in_csv(kind: pa.DataType) -> pa.DataType:
    is_text = pat.is_nested(kind) or pat.is_binary(kind) or pat.is_large_binary(kind)
    return pa.string() if is_text or pat.is_dictionary(kind) else kind


def _of_csv(text: str | None, kind: pa.DataType) -> Any:
    if text is None:
        return None
    return _of_json(json.loads(text) if pat.is_nested(kind) else text, kind)


def read_lines(data: bytes, schema: Schema) -> pa.Table:
    """Lines of JSON."""
    return _rows([json.loads(line) for line in data.split(b"\n") if line], data, schema)


def read_array(data: bytes, schema: Schema) -> pa.Table:
    """A JSON array."""
    rows = json.loads(data)
    return _rows(rows, "\n".join(map(json.dumps, rows)).encode(), schema)


def _rows(rows: list[dict[str, Any]], lines: bytes, schema: Schema) -> pa.Table:
    if schema is None:
        return pajson.read_json(io.BytesIO(lines)) if rows else pa.table({})
    for row in rows:
        assert list(row) == schema.names
    columns = [_column((row[f.name] for row in rows), f.type) for f in schema]
    return pa.Table.from_arrays(columns, schema=_plain(schema))


def _column(values: Iterable[Any], kind: pa.DataType) -> pa.Array:
    return pa.array([_of_json(value, kind) for value in values], kind)


def _of_json(value: Any, kind: pa.DataType) -> Any:
    """A value of a type that JSON has no form for, from the form that it was given."""
    match value:
        case None:
            return None
        case list() if pat.is_map(kind):
            key, item = kind.key_type, kind.item_type
            return [(_of_json(k, key), _of_json(v, item)) for k, v in value]
        case list():
            return [_of_json(v, kind.value_type) for v in value]
        case dict():
            return {f.name: _of_json(value[f.name], f.type) for f in kind}
        case str() if pat.is_date(kind):
            return dt.date.fromisoformat(value)
        case str() if pat.is_timestamp(kind):
            return pa.scalar(dt.datetime.fromisoformat(value)).cast(kind).value
        case str() if pat.is_time(kind):
            return dt.time.fromisoformat(value)
        case str() if pat.is_decimal(kind):
            return Decimal(value)
        case str() if pat.is_binary(kind) or pat.is_large_binary(kind):
            return bytes.fromhex(value)
        case _:
            return value


def _plain(schema: pa.Schema) -> pa.Schema:
    return pa.schema([pa.field(f.name, f.type) for f in schema])


READ: Mapping[str, Reader] = {
    "csv": read_csv,
    "json": read_array,
    "ndjson": read_lines,
    "arrow": lambda data, _: pa.ipc.open_stream(data).read_all(),
    "parquet": lambda data, _: pq.read_table(io.BytesIO(data)),
}
