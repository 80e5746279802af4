"""Answers made comparable: rows without order, floats as they are meant, NaN as itself."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pyarrow as pa
import pyarrow.types as pat

_DIGITS = 9


def plain(value: Any) -> str:
    """A cell as text; floats to nine digits, which survive sums in another order."""
    match value:
        case float():
            if math.isnan(value) or math.isinf(value):
                return str(value)
            return format(value + 0.0 if value else 0.0, f".{_DIGITS}g")
        case list() | tuple():
            return "[" + ", ".join(map(plain, value)) + "]"
        case dict():
            return "{" + ", ".join(f"{k}: {plain(v)}" for k, v in value.items()) + "}"
        case _:
            return repr(value)


def texts(column: pa.ChunkedArray) -> list[str]:
    """The cells of a column as texts, in order."""
    if pat.is_date(column.type) or pat.is_timestamp(column.type) or pat.is_time(column.type):
        # Python's own dates do not reach as far.
        return [repr(v) for v in column.cast(_integers(column.type)).to_pylist()]
    return list(map(plain, column.to_pylist()))


def _integers(kind: pa.DataType) -> pa.DataType:
    return pa.int32() if kind.bit_width == 32 else pa.int64()


def rows_of(table: pa.Table) -> list[tuple[str, ...]]:
    """The rows in order."""
    if not table.num_columns:
        return [()] * table.num_rows
    return list(zip(*map(texts, table.columns), strict=True))


def difference(ours: pa.Table, theirs: pa.Table, *, ordered: bool) -> str:
    """What two answers disagree on, or nothing."""
    if ours.column_names != theirs.column_names:
        return f"columns: {ours.column_names} for {theirs.column_names}"
    kinds = [(a, b) for a, b in zip(ours.schema.types, theirs.schema.types, strict=True) if a != b]
    if [pair for pair in kinds if not _alike(*pair)]:
        return f"types: {kinds}"
    mine, other = rows_of(ours), rows_of(theirs)
    if ordered and mine != other:
        odd = next((pair for pair in zip(mine, other, strict=False) if pair[0] != pair[1]), "")
        return f"rows in order: {odd or (len(mine), len(other))}"
    if Counter(mine) != Counter(other):
        more, less = Counter(mine) - Counter(other), Counter(other) - Counter(mine)
        return f"rows: too many {list(more.items())[:3]}, missing {list(less.items())[:3]}"
    return ""


def _alike(ours: pa.DataType, theirs: pa.DataType) -> bool:
    """Whether a type is the other one in plain form."""
    text, other = str(ours), str(theirs)
    for said in ("extension<arrow.json>", "extension<arrow.uuid>"):
        other = other.replace(said, "string")
    return text == other or "null" in other or "dictionary" in other or "extension" in other
