"""The cells of a sample as text, also of fields inside nested columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.types as pat

from privet.model.transforms import is_text

_UNREAD = object()


@dataclass(frozen=True, slots=True)
class Leaf:
    """A column, or a field inside one by its dotted name, and its non-empty cells, counted.

    `unread` counts those that are no value of their type: text that is not UTF-8, dates beyond
    every calendar.
    """

    name: str
    kind: pa.DataType
    cells: Counter[str] = field(repr=False)
    unread: int = 0


def leaves_of(name: str, kind: pa.DataType, values: pa.Array | None) -> Iterator[Leaf]:
    """The fields that hold plain values in a column of type `kind`."""
    if pat.is_struct(kind):
        children = [None] * kind.num_fields if values is None else values.flatten()
        for inner, child in zip(kind, children, strict=True):
            yield from leaves_of(f"{name}.{inner.name}", inner.type, child)
    elif pat.is_map(kind):
        keys, items = (None, None) if values is None else (values.keys, values.items)
        yield from leaves_of(f"{name}.key", kind.key_type, keys)
        yield from leaves_of(f"{name}.value", kind.item_type, items)
    elif pat.is_list(kind) or pat.is_large_list(kind) or pat.is_fixed_size_list(kind):
        yield from leaves_of(name, kind.value_type, None if values is None else values.flatten())
    else:
        cells = list(_cells(kind, values))
        texts = (str(cell).strip() for cell in cells if cell is not _UNREAD)
        yield Leaf(name, kind, Counter(t for t in texts if t), cells.count(_UNREAD))


def _cells(kind: pa.DataType, values: pa.Array | None) -> Iterator[object]:
    """Those that are not NULL."""
    has_text = is_text(kind) or pat.is_integer(kind) or pat.is_floating(kind)
    if values is None or not (has_text or pat.is_decimal(kind) or pat.is_date(kind)):
        return
    present = values.drop_null()
    try:
        yield from present.to_pylist()
    except (ValueError, OverflowError):
        yield from map(_cell, present)


def _cell(value: pa.Scalar) -> object:
    try:
        return value.as_py()
    except (ValueError, OverflowError):
        return _UNREAD
