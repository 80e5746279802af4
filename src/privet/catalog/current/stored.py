"""Datasets as they are stored: each a row, with all that belongs to it in the same row."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Text, cast, select, tuple_

from privet.catalog.documents import load_evidence, load_path, load_text, load_types
from privet.catalog.domains.admission import serving
from privet.model.datasets import (
    Column,
    Dataset,
    FieldTag,
    Format,
    Source,
    TagOrigin,
)
from privet.model.names import DatasetName, TagName
from privet.store import json_rows
from privet.store.tables import (
    dataset_columns,
    datasets,
    domain_datasets,
    tag_assignments,
    token_domains,
)

_columns = (
    select(
        json_rows(
            dataset_columns.c.position,
            dataset_columns.c.name,
            cast(dataset_columns.c.source_name, Text),
            dataset_columns.c.comment,
            dataset_columns.c.reviewed,
            dataset_columns.c.partition,
        )
    )
    .where(dataset_columns.c.dataset == datasets.c.id)
    .correlate(datasets)
)
_domains = (
    select(
        json_rows(
            token_domains.c.name,
            token_domains.c.canonical,
            token_domains.c.version,
            token_domains.c.purpose,
            cast(token_domains.c.tags, Text),
        )
    )
    .join(domain_datasets, domain_datasets.c.domain == token_domains.c.name)
    .where(domain_datasets.c.dataset == datasets.c.id)
    .correlate(datasets)
)
_tags = (
    select(
        json_rows(
            tag_assignments.c.path,
            tag_assignments.c.namespace,
            tag_assignments.c.key,
            tag_assignments.c.origin,
            cast(tag_assignments.c.evidence, Text),
        )
    )
    .where(
        tag_assignments.c.database == datasets.c.database,
        tag_assignments.c.dataset == datasets.c.name,
    )
    .correlate(datasets)
)
_database_tags = (
    select(json_rows(tag_assignments.c.namespace, tag_assignments.c.key))
    .where(tag_assignments.c.database == datasets.c.database, tag_assignments.c.dataset == "")
    .correlate(datasets)
)
DATASET = (
    *datasets.c,
    _columns.scalar_subquery().label("columns"),
    _domains.scalar_subquery().label("domains"),
    _tags.scalar_subquery().label("tags"),
    _database_tags.scalar_subquery().label("database_tags"),
)
"""The columns that `to_dataset` takes, of the table `datasets`."""


def among(names: Collection[DatasetName]) -> ColumnElement[bool]:
    """Of datasets of these names."""
    return tuple_(datasets.c.database, datasets.c.name).in_([*names])


def read_stored(connection: Connection, condition: ColumnElement[bool]) -> tuple[Dataset, ...]:
    """Datasets without the tags of lineage, in the order of their names: one query."""
    wanted = select(*DATASET).where(condition).order_by(datasets.c.database, datasets.c.name)
    return tuple(map(to_dataset, connection.execute(wanted)))


def read_behind(
    connection: Connection, found: Iterable[Dataset]
) -> dict[DatasetName, Dataset | None]:
    """Datasets and all that they rest on, as stored: a query for each layer of views."""
    known: dict[DatasetName, Dataset | None] = {d.name: d for d in found}
    wanted = _bases(known.values()) - known.keys()
    while wanted:
        layer = read_stored(connection, among(wanted))
        known |= dict.fromkeys(wanted) | {d.name: d for d in layer}
        wanted = _bases(layer) - known.keys()
    return known


def _bases(found: Iterable[Dataset | None]) -> set[DatasetName]:
    views = (dataset.view for dataset in found if dataset is not None)
    return {name for view in views if view is not None for name in view.sees}


def to_dataset(row: Row[Any]) -> Dataset:
    """A dataset of a row with the columns of `DATASET`."""
    field_tags: dict[str, list[FieldTag]] = {}
    own_tags: set[TagName] = set()
    for text, namespace, key, origin, evidence in sorted(row.tags):
        if path := load_path(text):
            tag = FieldTag(
                path,
                TagName(namespace, key),
                TagOrigin(origin),
                load_evidence(load_text(evidence)),
            )
            field_tags.setdefault(path[0], []).append(tag)
        else:
            own_tags.add(TagName(namespace, key))
    return Dataset(
        id=row.id,
        name=DatasetName(row.database, row.name),
        source=Source(row.uri, Format(row.format), row.options, tuple(row.partitions)),
        columns=tuple(
            Column(
                name=name,
                type=kind,
                source_name=load_text(source_name),
                comment=comment,
                reviewed=bool(reviewed),
                partition=bool(partition),
                field_tags=tuple(field_tags.get(name, ())),
            )
            for (_, name, source_name, comment, reviewed, partition), kind in zip(
                sorted(row.columns), load_types(row.types), strict=True
            )
        ),
        tags=frozenset(own_tags),
        database_tags=frozenset(TagName(*tag) for tag in row.database_tags),
        domains=serving(row.domains),
        description=row.description,
        owner=row.owner,
        created_at=row.created_at,
        revision=row.revision,
        properties=row.properties,
    )
