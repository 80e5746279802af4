"""Fields inside columns, as filters name them: their kinds, and the lists that they lie in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import pyarrow as pa
import pyarrow.types as pat

from privet.model.datasets import Dataset, plain_type
from privet.model.errors import TypeMismatch
from privet.model.expressions import Expr, FieldRef
from privet.model.names import FieldPath
from privet.policy.binding import walk
from privet.policy.functions import Kind, kind_of_type


@dataclass(frozen=True, slots=True)
class Field:
    """A field inside a column: its type, and the paths of the lists that it is an item in."""

    type: pa.DataType
    lists: tuple[FieldPath, ...]


def find_field(kind: pa.DataType, path: FieldPath) -> Field | None:
    """The field at a path, whose first part is a column of that plain type.

    None if there is none, or two of which nobody can tell which is meant: names are those of the
    source but for their case.
    """
    lists: list[FieldPath] = []
    for steps, part in enumerate(path[1:], 1):
        if pat.is_list(kind):
            lists.append(path[:steps])
        called = _called(kind, part)
        if called is None or len(called) != 1:
            return None
        kind = called[0].type
    return Field(kind, tuple(lists))


def lacks_field(kind: pa.DataType, path: FieldPath) -> bool:
    """Whether there is none at a path because a struct on the way has no field of that name.

    Where two are called so, or something else than a struct stands on the way, there is no less
    than was meant: it is something else.
    """
    for part in path[1:]:
        called = _called(kind, part)
        if called is None or len(called) > 1:
            return False
        if not called:
            return True
        kind = called[0].type
    return False


def _called(kind: pa.DataType, part: str) -> list[pa.Field] | None:
    """The fields of that name in a struct, or in the items of a list; None of what has none."""
    while pat.is_list(kind):
        kind = kind.value_type
    if not pat.is_struct(kind):
        return None
    fields = (kind.field(i) for i in range(kind.num_fields))
    return [f for f in fields if f.name.lower() == part]


def fields_in(expr: Expr) -> tuple[FieldRef, ...]:
    """The fields that an expression names, each once."""
    return tuple(dict.fromkeys(p for p in walk(expr) if isinstance(p, FieldRef)))


def field_kinds(expr: Expr, dataset: Dataset, columns: Mapping[str, Kind]) -> Mapping[str, Kind]:
    """The kinds of columns, with those of the fields inside them that an expression names."""
    found = {ref.name: kind_of_type(field.type) for ref, field in _found(expr, dataset, columns)}
    return {**columns, **found} if found else columns


def check_items(expr: Expr, dataset: Dataset, columns: Mapping[str, Kind]) -> None:
    """Check that a filter is about the items of one list, or of lists each within the one before.

    Raises:
        TypeMismatch: it is about several: which item goes with which, nobody said.
    """
    found = _found(expr, dataset, columns)
    around = {path for _, field in found for path in field.lists}
    lists = sorted(around, key=lambda path: (len(path), path))
    for outer, inner in pairwise(lists):
        if inner[: len(outer)] != outer:
            one, other = ".".join(outer), ".".join(inner)
            raise TypeMismatch(
                f"a filter is about the items of one list, and this is about those of `{one}` "
                f"and of `{other}`",
                hint="only lists that lie in each other can be asked about together",
                position=next((ref.position for ref, _ in found if ref.position), None),
            )


def _found(
    expr: Expr, dataset: Dataset, columns: Mapping[str, Kind]
) -> list[tuple[FieldRef, Field]]:
    """The fields there are, of those that an expression names."""
    types = {c.name: c.type for c in dataset.columns if c.name in columns}
    named = ((ref, types.get(ref.path[0])) for ref in fields_in(expr))
    found = ((ref, find_field(plain_type(t), ref.path)) for ref, t in named if t is not None)
    return [(ref, field) for ref, field in found if field is not None]
