"""Columns of which a grant shows fields only: what is listed, and the type that is left."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pyarrow as pa
import pyarrow.types as pat

from privet.model.datasets import Column, plain_type
from privet.model.names import FieldPath
from privet.model.permissions import Permission
from privet.policy.fields.paths import find_field


def listed_fields(grant: Permission, column: Column) -> frozenset[FieldPath] | None:
    """The fields of a column that a grant lists and the column has; None if it is on all of it."""
    if not grant.columns or column.name in grant.columns:
        return None
    paths = (tuple(name.split(".")) for name in grant.columns)
    inside = [path for path in paths if path[0] == column.name]
    if not inside:
        return frozenset()
    kind = plain_type(column.type)
    return frozenset(path for path in inside if find_field(kind, path) is not None)


def are_within(fields: Iterable[FieldPath], others: Iterable[FieldPath]) -> bool:
    """Whether each of some fields is one of the others, or lies in one."""
    known = set(others)
    return all(any(path[:n] in known for n in range(1, len(path) + 1)) for path in fields)


def with_fields(column: Column, fields: frozenset[FieldPath]) -> Column:
    """A column with some of its fields only, and with their tags."""
    kept = tuple(
        t for t in column.field_tags if are_within([t.path], fields) or _leads_to(t.path, fields)
    )
    inside = frozenset(path[1:] for path in fields)
    return replace(column, type=_pruned(plain_type(column.type), inside), field_tags=kept)


def _leads_to(path: FieldPath, fields: Iterable[FieldPath]) -> bool:
    return any(each[: len(path)] == path for each in fields)


def _pruned(kind: pa.DataType, fields: frozenset[FieldPath]) -> pa.DataType:
    if () in fields:
        return kind
    if pat.is_list(kind):
        return pa.list_(_pruned(kind.value_type, fields))
    kept: list[pa.Field] = []
    for field in (kind.field(i) for i in range(kind.num_fields)):
        inside = frozenset(path[1:] for path in fields if path[0] == field.name.lower())
        if inside:
            kept.append(pa.field(field.name, _pruned(field.type, inside)))
    return pa.struct(kept)
