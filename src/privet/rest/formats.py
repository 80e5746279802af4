"""Governed batches as the bytes of a response."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pyarrow.types as pat

from privet.model.errors import InvalidRequest

Batches = Iterator[pa.RecordBatch]


class ResultFormat(StrEnum):
    """Formats of results."""

    CSV = "csv"
    JSON = "json"
    NDJSON = "ndjson"
    ARROW = "arrow"
    PARQUET = "parquet"


MEDIA_TYPES = {
    ResultFormat.CSV: "text/csv; charset=utf-8",
    ResultFormat.JSON: "application/json",
    ResultFormat.NDJSON: "application/x-ndjson",
    ResultFormat.ARROW: "application/vnd.apache.arrow.stream",
    ResultFormat.PARQUET: "application/vnd.apache.parquet",
}


def encode(kind: ResultFormat, schema: pa.Schema, batches: Batches) -> Iterator[bytes]:
    """The chunks of a response; lazily, one batch at a time.

    Raises:
        InvalidRequest: the format cannot hold what is in a column.
    """
    match kind:
        case ResultFormat.CSV:
            plain = pa.schema([pa.field(f.name, _csv_type(f.type)) for f in schema])
            return _written(lambda sink: pacsv.CSVWriter(sink, plain), batches, plain)
        case ResultFormat.ARROW:
            return _written(lambda sink: pa.ipc.new_stream(sink, schema), batches, schema)
        case ResultFormat.PARQUET:
            return _written(lambda sink: pq.ParquetWriter(sink, schema), batches, schema)
        case ResultFormat.NDJSON:
            return _lines(batches)
        case ResultFormat.JSON:
            return _array(batches)


class _Writer(Protocol):
    def write_batch(self, batch: pa.RecordBatch) -> None: ...

    def close(self) -> None: ...


class _Sink(io.RawIOBase):
    """Collects what a writer writes until it is taken."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(self._parts[-1])

    def take(self) -> bytes:
        taken, self._parts = b"".join(self._parts), []
        return taken


def _written(
    make: Callable[[pa.PythonFile], _Writer], batches: Batches, schema: pa.Schema
) -> Iterator[bytes]:
    sink = _Sink()
    try:
        writer = make(pa.PythonFile(sink, mode="w"))
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid) as error:
        raise InvalidRequest(
            "this format has no type for one of the columns",
            hint="convert it to text, or ask for ndjson or arrow",
        ) from error
    for batch in batches:
        writer.write_batch(_as_written(batch, schema))
        yield sink.take()
    writer.close()
    yield sink.take()


def _as_written(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    if batch.schema.equals(schema):
        return batch
    arrays = [_cell_text(a, f.type) for a, f in zip(batch.columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _csv_type(kind: pa.DataType) -> pa.DataType:
    """What is written as it is keeps its type; all else becomes text."""
    foreign = (
        pat.is_nested(kind)
        or pat.is_interval(kind)
        or isinstance(kind, pa.BaseExtensionType)
        or _is_bytes(kind)
        or pat.is_string_view(kind)
    )
    return pa.string() if foreign else kind


def _is_bytes(kind: pa.DataType) -> bool:
    return (
        pat.is_binary(kind)
        or pat.is_large_binary(kind)
        or pat.is_binary_view(kind)
        or pat.is_fixed_size_binary(kind)
    )


def _cell_text(array: pa.Array, kind: pa.DataType) -> pa.Array:
    if array.type == kind:
        return array
    plain = (None if v is None else _plain(v) for v in _values(array))
    texts = [v if v is None or isinstance(v, str) else json.dumps(v) for v in plain]
    return pa.array(texts, pa.string())


def _values(array: pa.Array) -> list[Any]:
    """Python's values; times that Python cannot tell are text."""
    try:
        return array.to_pylist()
    except (OverflowError, ValueError) as error:
        # Python's years are 1 to 9999 and its times have microseconds; Arrow's have more.
        if not (pat.is_date(array.type) or pat.is_timestamp(array.type)):
            raise InvalidRequest(
                "a time within a list or an object is beyond what this format can say",
                hint="ask for arrow or parquet",
            ) from error
        return [v and _iso(v) for v in array.cast(pa.string()).to_pylist()]


def _iso(text: str) -> str:
    # Arrow has a sentence instead of a time for what lies beyond even its calendar.
    return text if text.startswith("<") else text.replace(" ", "T", 1)


def _rows(batch: pa.RecordBatch) -> Iterator[bytes]:
    names = batch.schema.names
    if not names:
        return
    for row in zip(*(_values(column) for column in batch.columns), strict=True):
        members = {name: _plain(value) for name, value in zip(names, row, strict=True)}
        yield json.dumps(members, ensure_ascii=False).encode()


def _lines(batches: Batches) -> Iterator[bytes]:
    for batch in batches:
        yield b"".join(row + b"\n" for row in _rows(batch))


def _array(batches: Batches) -> Iterator[bytes]:
    opening = b"[\n"
    for batch in batches:
        if batch.num_rows:
            yield opening + b",\n".join(_rows(batch))
            opening = b",\n"
    yield b"[]\n" if opening == b"[\n" else b"\n]\n"


def _plain(value: Any) -> Any:
    """A value as JSON has them: exact numbers stay exact, what JSON lacks becomes text or null."""
    match value:
        case float() if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124 - NaN
            return None
        case Decimal():
            return str(value)
        case datetime() | date():
            return value.isoformat()
        case bytes():
            return value.hex()
        case pa.MonthDayNano(months, days, nanoseconds):
            return _duration(months, days, nanoseconds)
        case dict():
            return {str(k): _plain(v) for k, v in value.items()}
        case list() | tuple():
            return [_plain(v) for v in value]
        case None | bool() | int() | float() | str():
            return value
        case _:
            return str(value)


def _duration(months: int, days: int, nanoseconds: int) -> str:
    """ISO 8601, as far as it has signs."""
    seconds = Decimal(nanoseconds).scaleb(-9).normalize()
    return f"P{months}M{days}DT{seconds:f}S"
