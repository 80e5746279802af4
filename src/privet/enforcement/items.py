"""Fields inside columns, and items of lists one by one: what filters over nested values see.

A filter that names fields within a list is asked of each item. A row without items is asked once,
with NULL for all that an item would have.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
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
_TEXTS = (pat.is_string, pat.is_large_string, pat.is_binary, pat.is_large_binary)
_VIEWS = (pat.is_string_view, pat.is_binary_view)
_QUESTIONS, _BYTES, _NUMBER = 65_536, 64 << 20, 16
"""So many items, and bytes of a column of them, are asked about at once."""
_IS_THERE = pa.array([{}, None], pa.struct([]))


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
) -> Iterator[Asked]:
    """What a filter that names these columns, and fields inside them, is asked of.

    Of many items the values are taken a part at a time: those of a row are repeated for each of
    its items, and no list is.
    """
    refs = tuple(refs)
    on_the_way = {p for ref in refs for p in _lists_of(columns[ref.path[0]].type, ref.path)}
    lists = sorted(on_the_way, key=len)
    if any(inner[: len(outer)] != outer for outer, inner in pairwise(lists)):
        # The decision let no such filter through: these values are not of the types it saw.
        yield Asked(columns, {ref.name: None for ref in refs}, rows)
        return
    reached: dict[FieldPath, _Spread] = {}
    of_row: Rows | None = None
    for path in lists:
        found = _field(path, columns, reached).values
        while found is not None and _is_list(found.type):
            parents, found = _items(found)
            reached = {p: _Spread(each.values, _at(each, parents)) for p, each in reached.items()}
            of_row = parents if of_row is None else of_row[parents]
        assert found is not None
        reached[path] = _Spread(found, None)
    own = {name: _Spread(columns[name], of_row) for name in named}
    fields = {ref.name: _field(ref.path, columns, reached, of_row) for ref in refs}
    own, fields = _told(own), _told(fields)
    if of_row is None:
        yield Asked(*_part(own, fields, None), rows)
        return
    widest = max((_widest(each.values) for each in (*own.values(), *fields.values())), default=1)
    step = max(1, min(_QUESTIONS, _BYTES // widest))
    for start in range(0, len(of_row), step):
        part = slice(start, start + step)
        asked = of_row[part]
        yield Asked(*_part(own, fields, part), len(asked), asked)


@dataclass(frozen=True, slots=True)
class _Spread:
    """Values, and which of them each question is about; None where they are one of each."""

    values: pa.Array | None
    places: Rows | None


def _at(items: _Spread, places: Rows) -> Rows:
    return places if items.places is None else items.places[places]


def _part(
    own: Mapping[str, _Spread], fields: Mapping[str, _Spread], part: slice | None
) -> tuple[Mapping[str, pa.Array], Mapping[str, pa.Array | None]]:
    told = {name: _taken(each, part) for name, each in own.items()}
    return told, {name: _taken(each, part) for name, each in fields.items()}


def _taken(items: _Spread, part: slice | None) -> pa.Array | None:
    if items.values is None or part is None:
        return items.values
    if items.places is None:
        return items.values[part]
    return items.values.take(pa.array(items.places[part]))


def _told(spread: Mapping[str, _Spread]) -> Mapping[str, _Spread]:
    """What filters can tell of values: of what is nested, whether it is NULL."""
    return {
        name: replace(each, values=_IS_THERE.take(each.values.is_null().cast(pa.int8())))
        if each.values is not None and pat.is_nested(each.values.type)
        else each
        for name, each in spread.items()
    }


def _widest(array: pa.Array | None) -> int:
    """The bytes of the largest cell, about."""
    if array is None:
        return _NUMBER
    if isinstance(array, pa.DictionaryArray):
        return _widest(array.dictionary)
    viewed = any(check(array.type) for check in _VIEWS)
    texts = array.cast(pa.large_binary()) if viewed else array
    if not any(check(texts.type) for check in _TEXTS):
        return _NUMBER
    return max(_NUMBER, pc.max(pc.binary_length(texts)).as_py() or 0)


def _field(
    path: FieldPath,
    columns: Mapping[str, pa.Array],
    reached: dict[FieldPath, _Spread],
    of_row: Rows | None = None,
) -> _Spread:
    """A field, from the items of the innermost list around it if they are taken out already."""
    for start in reversed(reached):
        if path[: len(start)] == start and len(path) > len(start):
            items = reached[start]
            assert items.values is not None
            return _Spread(_walk(items.values, path[len(start) :]), items.places)
    return _Spread(_walk(columns[path[0]], path[1:]), of_row)


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
