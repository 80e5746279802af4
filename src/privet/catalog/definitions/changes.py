"""Dropping with or without permissions, renaming, and properties; each in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, or_, select, update

from privet.catalog.databases import Database, find_database, require_database
from privet.catalog.dataset_rows import (
    read_datasets,
    require_no_ring,
    without_lineage,
    write_columns,
)
from privet.catalog.datasets import at_revision, read_dataset, revised
from privet.catalog.permissions import Permissions
from privet.catalog.tags import require_tags
from privet.catalog.versions import changing
from privet.model.datasets import COPIED, Column, Copy, Dataset, Source
from privet.model.errors import Conflict, InvalidRequest
from privet.model.names import DatasetName
from privet.model.permissions import ScopeKind
from privet.store.tables import databases, datasets, permissions, tag_assignments


class Definitions:
    """Changes of what is there. Every method raises StoreUnavailable when the store fails."""

    def __init__(self, engine: Engine, stored: Permissions) -> None:
        self._engine = engine
        self._permissions = stored

    def drop_database(
        self, name: str, *, cascade: bool = False, with_permissions: bool = False
    ) -> tuple[DatasetName, ...]:
        """Remove a database, and say which datasets went with it; no file is touched.

        Args:
            name: of the database.
            cascade: whether its datasets are dropped too; without it, it has to be empty.
            with_permissions: whether all permissions on it and in it go; without it they stay.

        Raises:
            NotFound: there is none of that name.
            Conflict: it has datasets.
        """
        with changing(self._engine) as connection:
            require_database(connection, name)
            held = tuple(d.name for d in read_datasets(connection, database=name))
            if held and not cascade:
                raise Conflict(
                    f"database `{name}` is not empty",
                    hint="drop its datasets before it, or write CASCADE",
                )
            connection.execute(delete(datasets).filter_by(database=name))
            connection.execute(delete(tag_assignments).filter_by(database=name))
            connection.execute(delete(databases).filter_by(name=name))
            if with_permissions:
                _forget(connection, permissions.c.database == name)
            return held

    def drop_dataset(self, name: DatasetName, *, with_permissions: bool = False) -> None:
        """Forget a dataset, its columns and their tags, and perhaps the permissions on it.

        Raises:
            NotFound: there is none of that name.
        """
        with changing(self._engine) as connection:
            dataset = read_dataset(connection, name)
            on = {"database": name.database, "dataset": name.name}
            connection.execute(delete(tag_assignments).filter_by(**on))
            connection.execute(delete(datasets).filter_by(id=dataset.id))
            if with_permissions:
                _forget(connection, _table(name))

    def rename(self, name: DatasetName, to: DatasetName) -> Dataset:
        """Give a dataset another name in its database; what is on it goes with it.

        That are its tags, and the permissions on exactly this table: a safeguard must not end with
        a name.

        Raises:
            NotFound: there is none of that name.
            InvalidRequest: the new name is in another database.
            Conflict: the new name is taken.
        """
        if to.database != name.database:
            raise InvalidRequest(
                "a dataset stays in its database, whose tags and permissions are on it",
                hint=f"write RENAME TO {name.database}.{to.name}",
            )
        with changing(self._engine) as connection:
            dataset = read_dataset(connection, name)
            if read_datasets(connection, to):
                raise Conflict(f"dataset `{to}` already exists", hint="choose another name")
            connection.execute(
                update(datasets)
                .filter_by(id=dataset.id)
                .values(name=to.name, revision=dataset.revision + 1)
            )
            tagged = update(tag_assignments).filter_by(database=name.database, dataset=name.name)
            connection.execute(tagged.values(dataset=to.name))
            self._permissions.move(connection, name, to)
            # The safeguards there bind copies by the name of what they were made of.
            for other in read_datasets(connection):
                if other.copy is not None and name in other.copy.origins:
                    _write_copy(connection, other, other.copy.renamed(name, to))
            require_no_ring(connection, to)
            return read_dataset(connection, to)

    def extend_copy(
        self, dataset: Dataset, added: Copy, unreviewed: Collection[str], *, by: str
    ) -> Dataset:
        """Remember that more was copied into a table, before it is.

        Args:
            dataset: as it was read.
            added: what the new rows were made of.
            unreviewed: columns, of which nobody has reviewed what is added.
            by: whoever adds it.

        Raises:
            NotFound: it is gone.
            Conflict: it has other columns since it was read.
        """
        with changing(self._engine) as connection:
            current = read_dataset(connection, dataset.name)
            if current.copy is None or _shape(current) != _shape(dataset):
                raise Conflict(f"somebody changed `{dataset.name}`", hint="run it again")
            _write_copy(connection, current, current.copy.beside(added))
            columns = [
                replace(c, reviewed=c.reviewed and c.name not in unreviewed)
                for c in without_lineage(current.columns)
            ]
            write_columns(connection, dataset.id, dataset.name, columns, by)
            return revised(connection, current)

    def set_properties(self, name: DatasetName, properties: Mapping[str, str]) -> Dataset:
        """Set properties of a dataset; those not named stay.

        Raises:
            NotFound: there is none of that name.
        """
        with changing(self._engine) as connection:
            dataset = read_dataset(connection, name)
            changed = {**dataset.properties, **properties}
            connection.execute(
                update(datasets)
                .filter_by(id=dataset.id)
                .values(properties=changed, revision=dataset.revision + 1)
            )
            return read_dataset(connection, name)

    def set_reading(
        self, dataset: Dataset, source: Source, columns: Sequence[Column], *, by: str
    ) -> Dataset:
        """Have a dataset read by other options, into the columns that it has.

        Args:
            dataset: as it was when that was decided.
            source: its own, with those options.
            columns: its own, perhaps with more tags.
            by: who decided.

        Raises:
            NotFound: it is not there any more.
            UnknownName: a tag does not exist.
            Conflict: somebody changed it since.
        """
        columns = without_lineage(columns)
        with changing(self._engine) as connection:
            found = at_revision(connection, dataset.name, dataset.revision)
            require_tags(connection, {t.tag for c in columns for t in c.field_tags})
            changed = update(datasets).filter_by(id=found.id)
            connection.execute(changed.values(options=dict(source.options)))
            write_columns(connection, found.id, found.name, columns, by)
            return revised(connection, found)

    def set_database_properties(self, name: str, properties: Mapping[str, str]) -> Database:
        """Set properties of a database; those not named stay.

        Raises:
            NotFound: there is none of that name.
        """
        with changing(self._engine) as connection:
            found = find_database(connection, name)
            changed = {**found.properties, **properties}
            connection.execute(update(databases).filter_by(name=name).values(properties=changed))
            return find_database(connection, name)


def _table(name: DatasetName) -> ColumnElement[bool]:
    return and_(
        permissions.c.kind == ScopeKind.TABLE.value,
        permissions.c.database == name.database,
        permissions.c.dataset == name.name,
    )


def _shape(dataset: Dataset) -> tuple[object, ...]:
    """What rows that are written for a table rest on."""
    return (dataset.id, dataset.source.uri, [(c.name, c.type) for c in dataset.columns])


def _write_copy(connection: Connection, dataset: Dataset, copy: Copy) -> None:
    options = {**dataset.source.options, COPIED: copy.to_option()}
    connection.execute(update(datasets).filter_by(id=dataset.id).values(options=options))


def _forget(connection: Connection, condition: ColumnElement[bool]) -> None:
    in_data = or_(
        permissions.c.kind == ScopeKind.TABLE.value, permissions.c.kind == ScopeKind.DATABASE.value
    )
    gone = select(permissions.c.id).where(in_data, condition)
    connection.execute(delete(permissions).where(permissions.c.id.in_(gone)))
