"""Fields inside columns, and items of lists one by one: what filters over nested values see.

A filter that names fields within a list is asked of each item. A row without items is asked once,
with NULL for all that an item would have.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat

from privet.model.expressions import FieldRef
from privet.model.names import FieldPath

Rows = npt.NDArray[np.int64]
_LISTS = (pat.is_list, pat.is_large_list, pat.is_fixed_size_list)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a filter is asked of: once for each row, or for each item of its rows.

    Attributes:
        columns: as many values as there are questions.
        fields: the same of fields, by the paths as they are written; None for one that the values
            do not have.
        count: of questions.
        rows: the row of each question; None where each row is one.
    """

    columns: Mapping[str, pa.Array]
    fields: Mapping[str, pa.Array | None]
    count: int
    rows: Rows | None = None


def ask(
    columns: Mapping[str, pa.Array], named: Iterable[str], refs: Iterable[FieldRef], rows: int
) -> Asked:
    """What a filter that names these columns, and fields inside them, is asked of."""
    refs = tuple(refs)
    on_the_way = {p for ref in refs for p in _lists_of(columns[ref.path[0]].type, ref.path)}
    lists = sorted(on_the_way, key=len)
    if any(inner[: len(outer)] != outer for outer, inner in pairwise(lists)):
        # The decision let no such filter through: these values are not of the types it saw.
        return Asked(columns, {ref.name: None for ref in refs}, rows)
    own = {name: columns[name] for name in named}
    reached: dict[FieldPath, pa.Array] = {}
    of_row: Rows | None = None
    for path in lists:
        found = _field(path, columns, reached)
        while found is not None and _is_list(found.type):
            parents, found = _items(found)
            reached = {p: values.take(pa.array(parents)) for p, values in reached.items()}
            of_row = parents if of_row is None else of_row[parents]
        assert found is not None
        reached[path] = found
    count = rows
    if of_row is not None:
        own = {name: column.take(pa.array(of_row)) for name, column in own.items()}
        count = len(of_row)
    fields = {ref.name: _field(ref.path, own, reached) for ref in refs}
    return Asked(own, fields, count, of_row)


def _field(
    path: FieldPath, columns: Mapping[str, pa.Array], reached: dict[FieldPath, pa.Array]
) -> pa.Array | None:
    """A field, from the items of the innermost list around it if they are taken out already."""
    for start in reversed(reached):
        if path[: len(start)] == start and len(path) > len(start):
            return _walk(reached[start], path[len(start) :])
    return _walk(columns[path[0]], path[1:])


def _is_list(kind: pa.DataType) -> bool:
    return any(check(kind) for check in _LISTS)


def _lists_of(kind: pa.DataType, path: FieldPath) -> list[FieldPath]:
    """The lists on the way to a field, as far as there is a way."""
    found: list[FieldPath] = []
    for steps, part in enumerate(path[1:], 1):
        if _is_list(kind):
            found.append(path[:steps])
        while _is_list(kind):
            kind = kind.value_type
        place = _place(kind, part)
        if place is None:
            break
        kind = kind.field(place).type
    return found


def _place(kind: pa.DataType, name: str) -> int | None:
    if not pat.is_struct(kind):
        return None
    places = [i for i in range(kind.num_fields) if kind.field(i).name.lower() == name]
    return places[0] if len(places) == 1 else None


def _walk(array: pa.Array, path: FieldPath) -> pa.Array | None:
    """The field of structs, NULL where one of them is; None if they have no such field."""
    for part in path:
        place = _place(array.type, part)
        if place is None:
            return None
        array = pc.struct_field(array, [place])
    return array


def _items(lists: pa.Array) -> tuple[Rows, pa.Array]:
    """All items, each with the place of its list; NULL as the one of a list that has none."""
    sizes = np.asarray(pc.fill_null(pc.list_value_length(lists), 0), np.int64)
    flat = pc.list_flatten(lists)
    none = np.flatnonzero(sizes == 0)
    parents = np.concatenate([np.repeat(np.arange(len(lists)), sizes), none])
    places = np.concatenate([np.arange(len(flat)), np.zeros(len(none), np.int64)])
    lacking = np.arange(len(places)) >= len(flat)
    return parents, flat.take(pa.array(places, mask=lacking))
