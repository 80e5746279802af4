"""How values look in frames and rows, column by column on Arrow's kernels."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat

_TIME_FORMAT = "%Y-%m-%d %H:%M:%S"


def _is_text(kind: pa.DataType) -> bool:
    return pat.is_string(kind) or pat.is_large_string(kind) or pat.is_string_view(kind)


def binary_strings(table: pa.Table) -> pa.Table:
    """The table with text as its UTF-8 bytes."""
    fields = [
        field.with_type(pa.large_binary()) if _is_text(field.type) else field
        for field in table.schema
    ]
    return table.cast(pa.schema(fields))


def json_rows(table: pa.Table, *, strings_as_utf8: bool) -> list[dict[str, Any]]:
    """The table as dictionaries; times to the millisecond, decimals with all their digits."""
    if not strings_as_utf8:
        table = binary_strings(table)
    columns = [_json_column(table.column(i)) for i in range(table.num_columns)]
    return pa.Table.from_arrays(columns, names=table.column_names).to_pylist()


def _json_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if pat.is_timestamp(kind):
        utc = column.cast(pa.timestamp("ms", tz=kind.tz), safe=False)
        return pc.strftime(utc, format=_TIME_FORMAT)
    if pat.is_date(kind) or pat.is_decimal(kind) or pat.is_time(kind):
        return column.cast(pa.string())
    return column
