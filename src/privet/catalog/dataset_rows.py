"""Datasets as rows: written and read within a transaction that the caller holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.types as pat
from sqlalchemy import ColumnElement, Connection, Row, and_, delete, insert, or_, select

from privet.catalog.definitions.lineage import as_copied, inheriting, tags_of_parts
from privet.catalog.documents import (
    dump_evidence,
    dump_path,
    load_evidence,
    load_path,
    load_types,
)
from privet.model.datasets import (
    CanonicalType,
    Column,
    Dataset,
    FieldTag,
    Format,
    Source,
    TagOrigin,
    TokenDomain,
    View,
)
from privet.model.errors import InvalidRequest
from privet.model.names import DatasetName, FieldPath, TagName
from privet.store.tables import (
    dataset_columns,
    datasets,
    domain_datasets,
    tag_assignments,
    token_domains,
)

Grouped = dict[Any, list[Row[Any]]]


def read_datasets(
    connection: Connection, name: DatasetName | None = None, database: str | None = None
) -> tuple[Dataset, ...]:
    """All datasets, those of a database, or the one of a name; in the order of their names."""
    return _Lineage(connection).of(_stored(connection, name, database))


def _stored(
    connection: Connection, name: DatasetName | None, database: str | None = None
) -> tuple[Dataset, ...]:
    """Datasets without the tags of lineage."""
    condition = _named(name, database)
    rows = connection.execute(
        select(datasets).where(condition).order_by(datasets.c.database, datasets.c.name)
    ).all()
    if not rows:
        return ()
    columns = _group(
        connection,
        select(dataset_columns)
        .join(datasets, datasets.c.id == dataset_columns.c.dataset)
        .where(condition)
        .order_by(dataset_columns.c.dataset, dataset_columns.c.position),
        "dataset",
    )
    domains = _group(
        connection,
        select(domain_datasets.c.dataset, token_domains)
        .join(token_domains, token_domains.c.name == domain_datasets.c.domain)
        .join(datasets, datasets.c.id == domain_datasets.c.dataset)
        .where(condition)
        .order_by(token_domains.c.name),
        "dataset",
    )
    tags = _group(connection, _tags_on(name, database), "database", "dataset")
    return tuple(
        _assemble(
            row,
            columns.get((row.id,), []),
            domains.get((row.id,), []),
            tags.get((row.database, row.name), []),
            tags.get((row.database, ""), []),
        )
        for row in rows
    )


def _named(name: DatasetName | None, database: str | None) -> ColumnElement[bool]:
    if name is not None:
        return and_(datasets.c.database == name.database, datasets.c.name == name.name)
    if database is not None:
        return datasets.c.database == database
    return datasets.c.id.is_not(None)


def _tags_on(name: DatasetName | None, database: str | None) -> Any:
    wanted = select(tag_assignments).order_by(
        tag_assignments.c.path, tag_assignments.c.namespace, tag_assignments.c.key
    )
    if name is not None:
        database = name.database
        wanted = wanted.where(
            or_(tag_assignments.c.dataset == name.name, tag_assignments.c.dataset == "")
        )
    return wanted if database is None else wanted.where(tag_assignments.c.database == database)


def _group(connection: Connection, wanted: Any, *by: str) -> Grouped:
    grouped: Grouped = {}
    for row in connection.execute(wanted):
        grouped.setdefault(tuple(getattr(row, part) for part in by), []).append(row)
    return grouped


def _assemble(
    row: Row[Any],
    columns: Sequence[Row[Any]],
    domains: Sequence[Row[Any]],
    own_tags: Sequence[Row[Any]],
    database_tags: Sequence[Row[Any]],
) -> Dataset:
    field_tags: dict[str, list[FieldTag]] = {}
    for tag in own_tags:
        if path := load_path(tag.path):
            field_tags.setdefault(path[0], []).append(_field_tag(path, tag))
    return Dataset(
        id=row.id,
        name=DatasetName(row.database, row.name),
        source=Source(row.uri, Format(row.format), row.options, tuple(row.partitions)),
        columns=tuple(
            Column(
                name=column.name,
                type=kind,
                source_name=column.source_name,
                comment=column.comment,
                reviewed=column.reviewed,
                partition=column.partition,
                field_tags=tuple(field_tags.get(column.name, ())),
            )
            for column, kind in zip(columns, load_types(row.types), strict=True)
        ),
        tags=frozenset(TagName(t.namespace, t.key) for t in own_tags if t.kind == "dataset"),
        database_tags=frozenset(TagName(t.namespace, t.key) for t in database_tags),
        domains={
            d.name: TokenDomain(d.name, CanonicalType(d.canonical), d.version, d.purpose)
            for d in domains
        },
        description=row.description,
        owner=row.owner,
        created_at=row.created_at,
        revision=row.revision,
        properties=row.properties,
    )


def _field_tag(path: FieldPath, row: Row[Any]) -> FieldTag:
    evidence = load_evidence(row.evidence)
    return FieldTag(path, TagName(row.namespace, row.key), TagOrigin(row.origin), evidence)


class _Lineage:
    """Gives the columns of views the tags of all that they rest on, but for those released.

    Each dataset is read once, however many views rest on it. What rests on itself, which renaming
    can bring about, has no tags from there; no such view can be read.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[DatasetName, Dataset | None] = {}

    def of(self, found: tuple[Dataset, ...]) -> tuple[Dataset, ...]:
        """Datasets as they are stored, with the tags of their lineage."""
        files = (as_copied(d) for d in found if d.source.format is not Format.VIEW)
        self._known |= {d.name: d for d in files}
        return tuple(self._known.get(d.name) or self._with_tags(d) for d in found)

    def _base(self, name: DatasetName) -> Dataset | None:
        if name not in self._known:
            self._known[name] = None
            for dataset in _stored(self._connection, name):
                self._known[name] = self._with_tags(dataset)
        return self._known[name]

    def _with_tags(self, dataset: Dataset) -> Dataset:
        view = dataset.view
        if view is None:
            return as_copied(dataset)
        self._known[dataset.name] = None
        bases = {name: self._base(name) for name in view.reads}
        columns = tuple(_inheriting(c, view, bases) for c in dataset.columns)
        inherited = self._known[dataset.name] = replace(dataset, columns=columns)
        return inherited


def _inheriting(column: Column, view: View, bases: Mapping[DatasetName, Dataset | None]) -> Column:
    """A column with the tags of what it rests on, but for those released."""
    inherited = tags_of_parts(view.rests.get(column.name, ()), bases)
    released = view.released.get(column.name, frozenset())
    return inheriting(column, {t: w for t, w in inherited.items() if t not in released})


def require_no_ring(connection: Connection, name: DatasetName) -> None:
    """Check that a view does not rest on itself, within the transaction that writes it.

    Raises:
        InvalidRequest: it does.
    """
    seen, waiting = {name}, [name]
    while waiting:
        for dataset in _stored(connection, waiting.pop()):
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


def admit(connection: Connection, dataset_id: str, columns: Sequence[Column]) -> None:
    """Admit a dataset to the token domains of its columns' tags; makes those that do not exist.

    A domain is named like its tag, and its canonical type comes from the first column in it. Tags
    of columns that nobody has reviewed admit to nothing: whoever writes files chooses their names.
    """
    held = {*connection.execute(select(token_domains.c.name)).scalars()}
    member = select(domain_datasets.c.domain).filter_by(dataset=dataset_id)
    admitted = {*connection.execute(member).scalars()}
    for column in (c for c in columns if c.reviewed):
        # Whoever writes a view would have values of their own made into the tokens of a table.
        own = {str(t.tag) for t in column.field_tags if _admits(t)}
        for domain in sorted(own - admitted):
            if domain not in held:
                connection.execute(
                    insert(token_domains).values(
                        name=domain, canonical=_canonical(column.type), version=1, purpose=""
                    )
                )
            connection.execute(insert(domain_datasets).values(dataset=dataset_id, domain=domain))
            held.add(domain)
            admitted.add(domain)


def _canonical(kind: pa.DataType) -> str:
    return (CanonicalType.INT64 if pat.is_integer(kind) else CanonicalType.TEXT).value


def _admits(tag: FieldTag) -> bool:
    return len(tag.path) == 1 and tag.origin is not TagOrigin.LINEAGE


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
