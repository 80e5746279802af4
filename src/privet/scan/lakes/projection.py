"""Data files of other days as the table is now: renamed, widened, added columns, at any depth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.types as pat

from privet.model.datasets import plain_type
from privet.model.errors import SchemaChanged
from privet.scan.files import RECRAWL

Key = str | int
KeyOf = Callable[[pa.Field], Key | None]
"""By what a field of a file is known: its name, or an identifier in its metadata."""

_WIDER: Mapping[pa.DataType, frozenset[pa.DataType]] = {
    pa.int8(): frozenset({pa.int16(), pa.int32(), pa.int64()}),
    pa.int16(): frozenset({pa.int32(), pa.int64()}),
    pa.int32(): frozenset({pa.int64()}),
    pa.float32(): frozenset({pa.float64()}),
}


@dataclass(frozen=True, slots=True)
class Node:
    """A column or field as the table has it now.

    `inside` are a struct's fields, or what a list or map is made of.
    """

    name: str
    kind: pa.DataType
    key: Key
    inside: tuple[Node, ...] = ()


def project(array: pa.Array, node: Node, key_of: KeyOf) -> pa.Array:
    """A column of a file as the table has it.

    Raises:
        SchemaChanged: it is of a type that does not become the table's.
    """
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if pat.is_dictionary(array.type):
        array = array.dictionary_decode()
    found, wanted = array.type, node.kind
    if pat.is_struct(found) and pat.is_struct(wanted):
        return _struct(array, node, key_of)
    if pat.is_map(found) and pat.is_map(wanted):
        return _map(array, node, key_of)
    if _is_list(found) and pat.is_list(wanted):
        return _list(array, node, key_of)
    if plain_type(found) == wanted:
        return array if found == wanted else array.cast(wanted)
    if wanted in _WIDER.get(found, frozenset()) or _is_wider(found, wanted):
        return array.cast(wanted)
    # Without its name: a reader may have a condition on it, or a part of it, and not see it.
    raise SchemaChanged(
        "a file of this dataset no longer has all its registered columns and types", hint=RECRAWL
    )


def _is_list(kind: pa.DataType) -> bool:
    return pat.is_list(kind) or pat.is_large_list(kind)


def _is_wider(found: pa.DataType, wanted: pa.DataType) -> bool:
    """The same values: more digits of a decimal, or moments in another unit."""
    if pat.is_decimal(found) and pat.is_decimal(wanted):
        return found.scale == wanted.scale and found.precision <= wanted.precision
    if pat.is_timestamp(found) and pat.is_timestamp(wanted):
        return (found.tz is None) == (wanted.tz is None)
    return False


def _struct(array: pa.Array, node: Node, key_of: KeyOf) -> pa.Array:
    there = {key_of(f): place for place, f in enumerate(array.type)}
    # flatten() carries the NULLs of the struct into its fields, and honours slices.
    fields = array.flatten()
    children: list[pa.Array] = []
    for inner in node.inside:
        place = there.get(inner.key)
        if place is None:
            children.append(pa.nulls(len(array), inner.kind))
        else:
            children.append(project(fields[place], inner, key_of))
    return pa.StructArray.from_arrays(
        children, fields=list(node.kind), mask=array.is_null() if array.null_count else None
    )


def _list(array: pa.Array, node: Node, key_of: KeyOf) -> pa.Array:
    whole = array.cast(pa.list_(array.type.value_field)) if pat.is_large_list(array.type) else array
    whole = pa.concat_arrays([whole]) if whole.offset else whole
    (inner,) = node.inside
    values = project(whole.values, inner, key_of)
    mask = whole.is_null() if whole.null_count else None
    return pa.ListArray.from_arrays(whole.offsets, values, type=node.kind, mask=mask)


def _map(array: pa.Array, node: Node, key_of: KeyOf) -> pa.Array:
    whole = pa.concat_arrays([array]) if array.offset else array
    key, item = node.inside
    keys = project(whole.keys, key, key_of)
    items = project(whole.items, item, key_of)
    mask = whole.is_null() if whole.null_count else None
    return pa.MapArray.from_arrays(whole.offsets, keys, items, type=node.kind, mask=mask)
