"""Datasets: registered sources with their reviewed columns and tags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import uuid4

from sqlalchemy import Connection, Engine, delete, insert, select, update

from privet.catalog.databases import Database, add_database, require_database
from privet.catalog.dataset_rows import (
    add_tag,
    admit,
    has_field,
    read_datasets,
    require_no_ring,
    tag_row,
    without_lineage,
    write_columns,
)
from privet.catalog.definitions.described import NOTHING_SAID, Described
from privet.catalog.definitions.lineage import LineageRule, released
from privet.catalog.documents import dump_types
from privet.catalog.paths import PathOwners
from privet.catalog.tags import require_tags
from privet.catalog.versions import Clock, changing
from privet.model.crawling.crawls import FoundDataset
from privet.model.datasets import Column, Dataset, FieldTag, Format, Source, TagOrigin, View
from privet.model.errors import Conflict, InvalidRequest, NotFound
from privet.model.names import DatasetName, FieldPath, TagName, fold
from privet.store import reading
from privet.store.tables import datasets, tag_assignments


class Datasets:
    """The datasets of a catalog. Every method raises StoreUnavailable when the store fails."""

    def __init__(self, engine: Engine, clock: Clock, rule: LineageRule = LineageRule.WHOLE) -> None:
        self._engine = engine
        self._clock = clock
        self._rule = rule

    def register(
        self,
        found: FoundDataset,
        name: DatasetName,
        columns: Sequence[Column],
        *,
        by: str,
        new_database: bool = False,
        described: Described = NOTHING_SAID,
    ) -> Dataset:
        """Govern a found source under a name, with the columns as its steward reviewed them.

        A new database is made with it or not at all. The dataset is admitted to the token domains
        of its columns' tags.

        Raises:
            InvalidRequest: the source has a problem, or the columns do not make a table.
            NotFound: there is no such database.
            UnknownName: a tag does not exist.
            Conflict: a name is taken, or the path is, contains or lies within another's.
        """
        if found.problem:
            raise InvalidRequest(
                f"`{found.name}` cannot be registered: {found.problem}",
                hint="mend the source and crawl it again",
            )
        _check_columns(columns)
        now = self._clock()
        with changing(self._engine) as connection:
            if new_database:
                add_database(connection, Database(name.database, "", frozenset(), by, now))
            if PathOwners(connection).find(found.source.uri):
                raise Conflict(
                    "the path equals, contains or lies within that of a registered dataset",
                    hint="a path has one owner; drop that dataset, or crawl another path",
                )
            described = replace(described, comment=described.comment or found.description)
            made = _Made(str(uuid4()), by, now, described)
            return _add(connection, name, found.source, columns, made)

    def create_view(
        self, name: DatasetName, view: View, columns: Sequence[Column], *, by: str, note: str = ""
    ) -> Dataset:
        """Govern the answer of a statement under a name, with a note for its readers.

        Raises:
            InvalidRequest: the columns do not make a table.
            NotFound: there is no such database.
            Conflict: the name is taken.
        """
        _check_columns(columns)
        how = _Made(str(uuid4()), by, self._clock(), Described(note))
        source = Source(f"view:{how.identifier}", Format.VIEW, view.to_options())
        with changing(self._engine) as connection:
            made = _add(connection, name, source, columns, how)
            require_no_ring(connection, name)
            return made

    def alter_view(
        self, name: DatasetName, view: View, columns: Sequence[Column], *, by: str
    ) -> Dataset:
        """Let a view be made of something else; what stewards put on its columns stays.

        Raises:
            InvalidRequest: the columns do not make a table.
            NotFound: there is no such view.
        """
        with changing(self._engine) as connection:
            dataset = _view_named(connection, name)
            old = {c.name: c for c in dataset.columns}
            kept = [replace(c, field_tags=_own_tags(old.get(c.name))) for c in columns]
            _check_columns(kept)
            changed = update(datasets).filter_by(id=dataset.id)
            types = dump_types([column.type for column in kept])
            connection.execute(changed.values(options=view.to_options(), types=types))
            write_columns(connection, dataset.id, name, kept, by)
            require_no_ring(connection, name)
            return revised(connection, dataset)

    def release_tag(
        self,
        name: DatasetName,
        column: str,
        tag: TagName,
        *,
        expected_revision: int | None = None,
    ) -> Dataset:
        """Take a tag of lineage off the column of a view or copy, for as long as it is the same.

        Raises:
            NotFound: there is no such dataset, or the tag is not there by lineage.
            Conflict: somebody changed the dataset since that revision.
        """
        with changing(self._engine) as connection:
            at_revision(connection, name, expected_revision)
            dataset = read_dataset(connection, name)
            found = next((c for c in dataset.columns if c.name == column), None)
            inherited = found.field_tags if found else ()
            if not any(t.tag == tag and t.origin is TagOrigin.LINEAGE for t in inherited):
                raise NotFound(
                    f"column `{column}` of `{name}` does not have tag `{tag}` by lineage"
                )
            options = released(dataset, column, tag)
            connection.execute(update(datasets).filter_by(id=dataset.id).values(options=options))
            return revised(connection, dataset)

    def get(self, name: DatasetName) -> Dataset:
        """The dataset of that name.

        Raises:
            NotFound: there is none.
        """
        with reading(self._engine) as connection:
            return read_dataset(connection, name, self._rule)

    def find(self, name: DatasetName) -> Dataset | None:
        """The dataset of that name, if there is one."""
        with reading(self._engine) as connection:
            return next(iter(read_datasets(connection, name, rule=self._rule)), None)

    def list(self, database: str | None = None) -> tuple[Dataset, ...]:
        """All datasets, or those of a database, by name."""
        with reading(self._engine) as connection:
            return read_datasets(connection, database=database, rule=self._rule)

    def drop(self, name: DatasetName) -> None:
        """Forget a dataset, its columns and their tags. Its files and permissions on it stay.

        Raises:
            NotFound: there is none of that name.
        """
        with changing(self._engine) as connection:
            dataset = read_dataset(connection, name)
            connection.execute(
                delete(tag_assignments).filter_by(database=name.database, dataset=name.name)
            )
            connection.execute(delete(datasets).filter_by(id=dataset.id))

    def update_columns(
        self, name: DatasetName, columns: Sequence[Column], *, by: str, expected_revision: int
    ) -> Dataset:
        """Replace the columns and the tags on their fields by reviewed ones.

        Raises:
            InvalidRequest: the columns do not make a table.
            NotFound: there is no such dataset.
            UnknownName: a tag does not exist.
            Conflict: somebody changed the dataset since that revision.
        """
        columns = without_lineage(columns)
        _check_columns(columns)
        with changing(self._engine) as connection:
            dataset = at_revision(connection, name, expected_revision)
            _require_tags_of(connection, columns)
            types = dump_types([column.type for column in columns])
            connection.execute(update(datasets).filter_by(id=dataset.id).values(types=types))
            write_columns(connection, dataset.id, name, columns, by)
            return revised(connection, dataset)

    def assign_tag(
        self,
        name: DatasetName,
        path: FieldPath,
        tag: TagName,
        *,
        by: str,
        expected_revision: int | None = None,
    ) -> Dataset:
        """Put a tag on a field or, with an empty path, on the dataset; again is as once.

        A tag on a column admits the dataset to the tag's token domain.

        Raises:
            NotFound: there is no such dataset.
            UnknownName: there is no such tag.
            InvalidRequest: the dataset has no such field.
            Conflict: somebody changed the dataset since that revision.
        """
        with changing(self._engine) as connection:
            dataset = at_revision(connection, name, expected_revision)
            require_tags(connection, {tag})
            column = _column_at(dataset, path)
            row = tag_row(name, path, tag)
            if connection.execute(select(tag_assignments).filter_by(**row)).first():
                return dataset
            add_tag(connection, name, FieldTag(path, tag), by)
            after = revised(connection, dataset)
            if column is not None:
                admit(connection, dataset.id, [c for c in after.columns if c.name == column])
            return read_dataset(connection, name)

    def unassign_tag(
        self,
        name: DatasetName,
        path: FieldPath,
        tag: TagName,
        *,
        expected_revision: int | None = None,
    ) -> Dataset:
        """Take a tag off. The dataset stays in the tag's token domain: tokens do not change.

        Raises:
            NotFound: there is no such dataset, or the tag is not there.
            Conflict: somebody changed the dataset since that revision.
        """
        with changing(self._engine) as connection:
            dataset = at_revision(connection, name, expected_revision)
            gone = delete(tag_assignments).filter_by(**tag_row(name, path, tag))
            if not connection.execute(gone).rowcount:
                where = f"field `{'.'.join(path)}` of " if path else ""
                raise NotFound(f"tag `{tag}` is not on {where}dataset `{name}`")
            return revised(connection, dataset)


@dataclass(frozen=True, slots=True)
class _Made:
    """The id of a new dataset, who made it and when."""

    identifier: str
    by: str
    at: datetime
    described: Described = NOTHING_SAID


def _add(
    connection: Connection,
    name: DatasetName,
    source: Source,
    columns: Sequence[Column],
    made: _Made,
) -> Dataset:
    require_database(connection, name.database)
    _require_tags_of(connection, columns)
    if read_datasets(connection, name):
        raise Conflict(f"dataset `{name}` already exists", hint="choose another name")
    connection.execute(
        insert(datasets).values(
            id=made.identifier,
            database=name.database,
            name=name.name,
            uri=source.uri,
            format=source.format.value,
            options=dict(source.options),
            partitions=list(source.partitions),
            types=dump_types([column.type for column in columns]),
            description=made.described.comment,
            properties=dict(made.described.properties),
            owner=made.by,
            created_at=made.at,
            revision=1,
        )
    )
    write_columns(connection, made.identifier, name, columns, made.by)
    require_tags(connection, made.described.tags)
    for tag in made.described.tags:
        add_tag(connection, name, FieldTag((), tag), made.by)
    return read_dataset(connection, name)


def _view_named(connection: Connection, name: DatasetName) -> Dataset:
    dataset = read_dataset(connection, name)
    if dataset.view is None:
        raise NotFound(f"`{name}` is no view", hint="it is a dataset over files")
    return dataset


def _own_tags(column: Column | None) -> tuple[FieldTag, ...]:
    """The tags that somebody put there."""
    tags = column.field_tags if column else ()
    return tuple(t for t in tags if t.origin is not TagOrigin.LINEAGE and len(t.path) == 1)


def read_dataset(
    connection: Connection, name: DatasetName, rule: LineageRule = LineageRule.WHOLE
) -> Dataset:
    """The dataset of that name, as the connection's transaction sees it.

    Raises:
        NotFound: there is none; the text is also that for one the reader may not see.
    """
    for dataset in read_datasets(connection, name, rule=rule):
        return dataset
    raise NotFound(
        f"dataset `{name}` does not exist, or you have no access to it",
        hint="list what you can read with `privet db datasets`, or ask a data steward",
    )


def at_revision(connection: Connection, name: DatasetName, expected: int | None) -> Dataset:
    """The dataset of that name, at that revision if one is expected.

    Raises:
        NotFound: there is none.
        Conflict: it is at another one.
    """
    dataset = read_dataset(connection, name)
    if expected is not None and dataset.revision != expected:
        raise Conflict(
            f"somebody changed `{name}` since you read it",
            hint="read it again and repeat your change",
        )
    return dataset


def revised(connection: Connection, dataset: Dataset) -> Dataset:
    """Count an edit of a dataset, and give it as it is then."""
    counted = update(datasets).filter_by(id=dataset.id).values(revision=dataset.revision + 1)
    connection.execute(counted)
    return read_dataset(connection, dataset.name)


def _require_tags_of(connection: Connection, columns: Sequence[Column]) -> None:
    require_tags(connection, {tag.tag for column in columns for tag in column.field_tags})


def _check_columns(columns: Sequence[Column]) -> None:
    if not columns:
        raise InvalidRequest("a dataset needs at least one column")
    seen: set[str] = set()
    for column in columns:
        if fold(column.name, "column name") != column.name or column.name in seen:
            raise InvalidRequest(
                f"two columns are called `{column.name}`"
                if column.name in seen
                else f"column name `{column.name}` is not folded",
                hint="give every column a name of its own, in lower case",
            )
        seen.add(column.name)
        for tag in column.field_tags:
            if tag.path[:1] != (column.name,) or not has_field(column.type, tag.path[1:]):
                raise _no_field(tag.path)
        if len({(tag.path, tag.tag) for tag in column.field_tags}) < len(column.field_tags):
            raise InvalidRequest(f"column `{column.name}` has a tag twice")


def _column_at(dataset: Dataset, path: FieldPath) -> str | None:
    """The column that a path names itself; None for the dataset and for fields inside columns."""
    if path:
        kinds = {column.name: column.type for column in dataset.columns}
        if path[0] not in kinds or not has_field(kinds[path[0]], path[1:]):
            raise _no_field(path)
    return path[0] if len(path) == 1 else None


def _no_field(path: FieldPath) -> InvalidRequest:
    return InvalidRequest(
        f"there is no field `{'.'.join(path)}`", hint="name a column, or a field inside one"
    )
