"""ColumnarNumPy: every row has its place in the data, NULL or not. For flat columns."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from privet.okera.columns.values import fixed, nulls, texts
from privet.okera.idl import T


def dense(columns: list[pa.Array]) -> list[Any]:
    """The columns as `TColumnData`."""
    return [_column(column) for column in columns]


def _column(column: pa.Array) -> Any:
    numbers = fixed(column)
    if numbers is not None:
        return T.TColumnData(is_null=nulls(column).tobytes(), data=numbers.tobytes())
    lengths, held = texts(column)
    return T.TColumnData(is_null=nulls(column).tobytes(), data=lengths.tobytes() + held.tobytes())
