"""Cells of a column as people write them, and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import time
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat

from privet.model.errors import InvalidRequest
from privet.model.transforms import is_bytes, is_text

_EXAMPLES: tuple[tuple[Callable[[pa.DataType], bool], str], ...] = (
    (pat.is_date, "2024-05-17"),
    (pat.is_time, "13:05:00"),
    (lambda kind: pat.is_timestamp(kind) and kind.tz is not None, "2024-05-17 13:05:00Z"),
    (pat.is_timestamp, "2024-05-17 13:05:00"),
    (pat.is_duration, "a whole number of its units"),
    (pat.is_boolean, "true"),
    (is_bytes, "two hexadecimal digits for each byte: 00ff"),
)


def read_cells(values: Sequence[str | None], kind: pa.DataType) -> pa.Array:
    """A column of a type from texts; None is NULL.

    Raises:
        InvalidRequest: a text that says no value of the type. It is named by its place only.
    """
    cells = [_cell(place, value, kind) for place, value in enumerate(values, 1)]
    return pa.concat_arrays(cells) if cells else pa.nulls(0, kind)


def _cell(place: int, value: str | None, kind: pa.DataType) -> pa.Array:
    # One by one, since Arrow does not say which of them it cannot read.
    try:
        return _read(value, kind)
    except (ValueError, OverflowError, pa.ArrowException):
        example = next((text for fits, text in _EXAMPLES if fits(kind)), "1")
        # Without its cause, which says the value.
        raise InvalidRequest(
            f"value {place} is none of type `{kind}`",
            hint=f"such values are written like {example}",
        ) from None


def _read(value: str | None, kind: pa.DataType) -> pa.Array:
    if value is None or pat.is_null(kind):
        return pa.nulls(1, kind)
    if is_bytes(kind):
        return pa.array([bytes.fromhex(value)], kind)
    if pat.is_time(kind):
        return pa.array([time.fromisoformat(value)], kind)
    if pat.is_duration(kind):
        return pa.array([int(value)], pa.int64()).cast(kind)
    return pa.array([value], pa.string()).cast(kind)


def write_cells(column: pa.Array) -> tuple[str | None, ...]:
    """The cells as texts, bytes in hexadecimal; NULL is None.

    Bytes of text that are no Unicode are replaced, as anywhere where people read them.
    """
    kind = column.type
    if is_bytes(kind):
        return _each(column, lambda cell: cell.hex())
    if is_text(kind):
        return _each(column.cast(pa.binary()), lambda cell: cell.decode("utf-8", "replace"))
    if pat.is_duration(kind):
        column = column.cast(pa.int64())
    if pat.is_floating(kind):
        return _each(column, str)
    return tuple(pc.cast(column, pa.string()).to_pylist())


def _each(column: pa.Array, write: Callable[[Any], str]) -> tuple[str | None, ...]:
    return tuple(None if cell is None else write(cell) for cell in column.to_pylist())
