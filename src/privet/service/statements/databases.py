"""Statements about databases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from privet.model.errors import Conflict, NotFound
from privet.policy import definitions as d
from privet.policy import shows
from privet.service.datasets import Datasets
from privet.service.definitions import Databases, Tables
from privet.service.definitions.databases import DatabaseView
from privet.service.platform import Caller
from privet.service.statements.results import Handler, Row, StatementResult, done, table


class DatabaseStatements:
    """Making, changing, dropping and listing databases, and what is in them."""

    def __init__(self, databases: Databases, datasets: Datasets, tables: Tables) -> None:
        self._databases = databases
        self._datasets = datasets
        self._tables = tables

    def handlers(self) -> Mapping[type, Handler]:
        """By the type of the statement."""
        return {
            d.CreateDatabase: self._create,
            d.DropDatabase: self._drop,
            d.TagDatabase: self._tag,
            d.SetDatabaseProperties: self._set_properties,
            d.LoadDefinitions: self._load,
            shows.ShowDatabases: self._show,
            shows.ShowTables: self._show_tables,
            shows.DescribeDatabase: self._describe,
        }

    def _create(self, caller: Caller, statement: d.CreateDatabase) -> StatementResult:
        return done(
            "create",
            statement.if_not_exists,
            Conflict,
            lambda: self._databases.create(
                caller, statement.database, statement.comment, statement.properties
            ),
        )

    def _drop(self, caller: Caller, statement: d.DropDatabase) -> StatementResult:
        return done(
            "drop",
            statement.if_exists,
            NotFound,
            lambda: self._databases.drop(
                caller,
                statement.database,
                cascade=statement.cascade,
                with_permissions=statement.permissions,
            ),
        )

    def _tag(self, caller: Caller, statement: d.TagDatabase) -> StatementResult:
        change = self._databases.assign if statement.add else self._databases.unassign
        change(caller, statement.database, statement.tag)
        return StatementResult("alter", "done")

    def _set_properties(
        self, caller: Caller, statement: d.SetDatabaseProperties
    ) -> StatementResult:
        self._databases.set_properties(caller, statement.database, statement.properties)
        return StatementResult("alter", "done")

    def _load(self, caller: Caller, statement: d.LoadDefinitions) -> StatementResult:
        loaded = self._tables.load(caller, statement.database, statement.tables)
        rows = [(str(dataset.name),) for dataset in loaded.datasets]
        return replace(table("dataset", rows=rows), warnings=loaded.notes)

    def _show(self, caller: Caller, _: shows.ShowDatabases) -> StatementResult:
        return table("database", rows=[(d.name,) for d in self._datasets.list_databases(caller)])

    def _show_tables(self, caller: Caller, statement: shows.ShowTables) -> StatementResult:
        found = [view.dataset for view in self._datasets.list(caller, statement.database)]
        wanted = [d for d in found if d.view is not None or not statement.views]
        return table("name", rows=[(dataset.name.name,) for dataset in wanted])

    def _describe(self, caller: Caller, statement: shows.DescribeDatabase) -> StatementResult:
        seen = self._databases.get(caller, statement.database)
        return table("item", "value", rows=_rows(seen))


def _rows(seen: DatabaseView) -> Iterator[Row]:
    database = seen.database
    yield "name", database.name
    yield "comment", database.description
    yield "attributes", " ".join(sorted(map(str, database.tags)))
    if seen.full:
        yield "owner", database.created_by
        yield from sorted(database.properties.items())
