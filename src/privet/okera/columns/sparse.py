"""Columnar: NULL takes no place in the data, and what nests follows its parent. For any columns.

A struct has no data of its own, so a struct that is NULL travels as one of NULLs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.types as pat

from privet.okera.columns.values import fixed, list_lengths, nulls, texts, with_lengths
from privet.okera.idl import T

_INT64_DIGITS = 18


def sparse(columns: list[pa.Array]) -> list[Any]:
    """The columns, and those within them, as `TColumnData`."""
    return [part for column in columns for part in _parts(column)]


def _parts(column: pa.Array) -> Iterator[Any]:
    kind = column.type
    if pat.is_struct(kind):
        for field in column.flatten():
            yield from _parts(field)
    elif pat.is_list(kind):
        present = column.drop_null()
        lengths, first, end = list_lengths(present)
        yield T.TColumnData(is_null=nulls(column).tobytes(), data=lengths.tobytes())
        yield from _parts(present.values[first:end])
    elif pat.is_map(kind):
        present = column.drop_null()
        lengths, first, end = list_lengths(present)
        yield T.TColumnData(is_null=nulls(column).tobytes(), data=lengths.tobytes())
        yield from _parts(present.keys[first:end])
        yield from _parts(present.items[first:end])
    else:
        yield T.TColumnData(is_null=nulls(column).tobytes(), data=_data(column))


def _data(column: pa.Array) -> bytes:
    kind = column.type
    # The published client looks for wide decimals at the place of their row, NULL or not.
    dense = pat.is_decimal(kind) and kind.precision > _INT64_DIGITS
    present = column if dense else column.drop_null()
    numbers = fixed(present)
    if numbers is not None:
        return numbers.tobytes()
    return with_lengths(*texts(present)).tobytes()
