"""Datasets as rows: written and read within a transaction that the caller holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa
import pyarrow.types as pat
from sqlalchemy import Connection, delete, insert, true

from privet.catalog.current.inherited import Inheritance
from privet.catalog.current.stored import among, read_behind, read_stored
from privet.catalog.definitions.lineage import LineageRule
from privet.catalog.documents import dump_evidence, dump_path
from privet.catalog.domains.admission import admit
from privet.model.datasets import Column, Dataset, FieldTag, TagOrigin
from privet.model.errors import InvalidRequest
from privet.model.names import DatasetName, FieldPath, TagName
from privet.store.tables import (
    dataset_columns,
    datasets,
    tag_assignments,
)


def read_datasets(
    connection: Connection,
    name: DatasetName | None = None,
    database: str | None = None,
    rule: LineageRule = LineageRule.WHOLE,
) -> tuple[Dataset, ...]:
    """All datasets, those of a database, or the one of a name; in the order of their names."""
    if name is not None:
        condition = among([name])
    else:
        condition = true() if database is None else datasets.c.database == database
    found = read_stored(connection, condition)
    inherited = Inheritance(read_behind(connection, found), rule)
    return tuple(d for d in (inherited.of(stored.name) for stored in found) if d is not None)


def require_no_ring(connection: Connection, name: DatasetName) -> None:
    """Check that a view does not rest on itself, within the transaction that writes it.

    Raises:
        InvalidRequest: it does.
    """
    seen, waiting = {name}, [name]
    while waiting:
        for dataset in read_stored(connection, among([waiting.pop()])):
            for base in dataset.view.sees if dataset.view else ():
                if base == name:
                    raise InvalidRequest(
                        f"view `{name}` would be made of itself", hint="read another dataset"
                    )
                if base not in seen:
                    seen.add(base)
                    waiting.append(base)


def without_lineage(columns: Sequence[Column]) -> tuple[Column, ...]:
    """Columns as they are written down: tags of lineage are wherever they come from."""
    return tuple(
        replace(c, field_tags=tuple(t for t in c.field_tags if t.origin is not TagOrigin.LINEAGE))
        for c in columns
    )


def write_columns(
    connection: Connection, dataset_id: str, name: DatasetName, columns: Sequence[Column], by: str
) -> None:
    """Replace a dataset's columns and the tags on its fields."""
    connection.execute(delete(dataset_columns).filter_by(dataset=dataset_id))
    connection.execute(
        insert(dataset_columns),
        [
            {
                "dataset": dataset_id,
                "position": position,
                "name": column.name,
                "source_name": column.source_name,
                "type": str(column.type),
                "comment": column.comment,
                "reviewed": column.reviewed,
                "partition": column.partition,
            }
            for position, column in enumerate(columns)
        ],
    )
    connection.execute(
        delete(tag_assignments).filter_by(kind="field", database=name.database, dataset=name.name)
    )
    for column in columns:
        for tag in column.field_tags:
            add_tag(connection, name, tag, by)
    admit(connection, dataset_id, columns)


def add_tag(connection: Connection, name: DatasetName, tag: FieldTag, by: str) -> None:
    """Put a tag on a field or, with an empty path, on the dataset."""
    connection.execute(
        insert(tag_assignments).values(
            **tag_row(name, tag.path, tag.tag),
            origin=tag.origin.value,
            evidence=dump_evidence(tag.evidence),
            created_by=by,
        )
    )


def tag_row(name: DatasetName, path: FieldPath, tag: TagName) -> dict[str, str]:
    """What identifies the row of a tag on a field or on the dataset itself."""
    return {
        "kind": "field" if path else "dataset", "database": name.database, "dataset": name.name,
        "path": dump_path(path), "namespace": tag.namespace, "key": tag.key,
    }  # fmt: skip


def has_field(kind: pa.DataType, rest: FieldPath) -> bool:
    """Whether a type has that field; lists are looked through."""
    if not rest:
        return True
    if pat.is_list(kind) or pat.is_large_list(kind) or pat.is_fixed_size_list(kind):
        return has_field(kind.value_type, rest)
    if not pat.is_struct(kind):
        return False
    inside = [kind.field(position) for position in range(kind.num_fields)]
    return any(f.name.lower() == rest[0] and has_field(f.type, rest[1:]) for f in inside)
