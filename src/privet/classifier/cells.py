"""The cells of a sample as text, also of fields inside nested columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.types as pat

from privet.model.transforms import is_text


@dataclass(frozen=True, slots=True)
class Leaf:
    """A column, or a field inside one by its dotted name, and its non-empty cells, counted."""

    name: str
    kind: pa.DataType
    cells: Counter[str] = field(repr=False)


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
        yield Leaf(name, kind, _count(kind, values))


def _count(kind: pa.DataType, values: pa.Array | None) -> Counter[str]:
    has_text = is_text(kind) or pat.is_integer(kind) or pat.is_floating(kind)
    if values is None or not (has_text or pat.is_decimal(kind) or pat.is_date(kind)):
        return Counter()
    texts = (str(cell).strip() for cell in values.to_pylist() if cell is not None)
    return Counter(text for text in texts if text)
