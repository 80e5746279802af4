"""The cells of a sample as text, also of fields inside nested columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.types as pat

from privet.model.datasets import plain_type
from privet.model.names import FieldPath, is_identifier
from privet.model.transforms import is_text

_UNREAD = object()
_MOST_CELLS = 20_000
"""Of one leaf: lists may hold any number in each of a thousand rows."""
_WHOLE = 1e18


@dataclass(frozen=True, slots=True)
class Leaf:
    """A column, or a field inside one, and its non-empty cells, counted.

    Attributes:
        name: by which rules know it: those of its columns and fields with `.` between.
        path: where a tag on it stands; the nearest field around it that a tag can stand on.
        kind: of its values.
        cells: as text, without the blanks around it.
        unread: counts those that are no value of their type: text that is not UTF-8, dates beyond
            every calendar.
    """

    name: str
    path: FieldPath
    kind: pa.DataType
    cells: Counter[str] = field(repr=False)
    unread: int = 0


def leaves_of(name: str, kind: pa.DataType, values: pa.Array | None) -> Iterator[Leaf]:
    """The fields that hold plain values in a column of type `kind`."""
    yield from _leaves(name, (name,), kind, values, inside=True)


def _leaves(
    name: str, path: FieldPath, kind: pa.DataType, values: pa.Array | None, *, inside: bool
) -> Iterator[Leaf]:
    if isinstance(kind, pa.BaseExtensionType):
        storage = None if values is None else values.storage
        yield from _leaves(name, path, kind.storage_type, storage, inside=inside)
    elif pat.is_struct(kind):
        children = [None] * kind.num_fields if values is None else values.flatten()
        told = Counter(inner.name.lower() for inner in kind)
        for inner, child in zip(kind, children, strict=True):
            part = inner.name.lower()
            # Statements can name only what folds to itself, and only one of each name.
            reached = inside and is_identifier(part) and told[part] == 1
            where = (*path, part) if reached else path
            yield from _leaves(f"{name}.{inner.name}", where, inner.type, child, inside=reached)
    elif pat.is_map(kind):
        keys, items = (None, None) if values is None else (values.keys, values.items)
        yield from _leaves(f"{name}.key", path, kind.key_type, keys, inside=False)
        yield from _leaves(f"{name}.value", path, kind.item_type, items, inside=False)
    elif pat.is_list(kind) or pat.is_large_list(kind) or pat.is_fixed_size_list(kind):
        items = None if values is None else values.flatten()
        yield from _leaves(name, path, kind.value_type, items, inside=inside)
    else:
        cells = list(_cells(kind, values))
        texts = (str(cell).strip() for cell in cells if cell is not _UNREAD)
        yield Leaf(name, path, kind, Counter(t for t in texts if t), cells.count(_UNREAD))


def _cells(kind: pa.DataType, values: pa.Array | None) -> Iterator[object]:
    """Those that are not NULL."""
    plain = plain_type(kind)
    has_text = is_text(plain) or pat.is_integer(plain) or pat.is_floating(plain)
    if values is None or not (has_text or pat.is_decimal(plain) or pat.is_date(plain)):
        return
    present = values.drop_null()[:_MOST_CELLS]
    try:
        found = present.to_pylist()
    except (ValueError, OverflowError):
        found = map(_cell, present)
    yield from map(_whole, found) if pat.is_floating(plain) else found


def _cell(value: pa.Scalar) -> object:
    try:
        return value.as_py()
    except (ValueError, OverflowError):
        return _UNREAD


def _whole(cell: object) -> object:
    """Integers that became floats because some are missing, as integers."""
    if isinstance(cell, float) and abs(cell) < _WHOLE and cell.is_integer():
        return int(cell)
    return cell
