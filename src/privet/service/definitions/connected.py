"""Tables over connections to databases: one by a statement, or all of a schema."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from privet.catalog import DataConnection, Described
from privet.connector import TableShape, check_database
from privet.model.crawling.crawls import FoundDataset
from privet.model.datasets import Column, Dataset
from privet.model.errors import Conflict, InvalidRequest
from privet.model.names import DatasetName, fold
from privet.model.permissions import AccessLevel, Scope, on_connection, on_database, on_dataset
from privet.model.principals import Principal
from privet.model.sources import CatalogPlace, TablePlace
from privet.policy import Need
from privet.policy import definitions as d
from privet.service.access import Act, administer
from privet.service.connecting import is_catalog
from privet.service.definitions.columns import VERSION, bind, written_tags
from privet.service.definitions.returning import permissions_again
from privet.service.platform import Caller, Platform
from privet.service.proposals import look_at_connected, look_in_catalog_at
from privet.service.rights import tag_needs
from privet.service.tags import check_known

CONNECTION = "okera.connection.name"
"""The property of tables and databases that names a connection."""
JDBC = "JDBC"
ICEBERG = "ICEBERG"
_DATABASE = "jdbc.db.name"
_SCHEMA = "jdbc.schema.name"
_TABLE = "table"
_DRIVER = "driver"
_DEFAULT_SCHEMA = "public"
_MOST_TABLES = 1000
_NO_FILES = ("LOCATION", "ROW FORMAT", "PARTITIONED BY", "LIKE")
_NO_FORMAT = frozenset({"", JDBC})


@dataclass(frozen=True, slots=True)
class Made:
    """A new table, and what its author should know about it."""

    dataset: Dataset
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Loaded:
    """Tables that were registered of a schema, and why others were not."""

    datasets: tuple[Dataset, ...]
    notes: tuple[str, ...] = ()


class ConnectedTables:
    """Making tables over connections. Whoever does has the right to USE the connection."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def create(self, caller: Caller, wanted: d.CreateTable) -> Made | None:
        """Register one table; None if it is there and may be.

        Raises:
            InvalidRequest: the statement does not fit the table, with the position.
            UnknownName: a tag does not exist.
            NotFound: there is no such database, connection or table.
            Conflict: the name is taken, or the table is.
            SourceUnavailable: its server is away, or does not let us in.
        """
        name, connection = wanted.dataset, _connection(wanted)
        if not connection:
            raise InvalidRequest(
                f"a table that is STORED AS {JDBC} names its connection",
                hint=f"write TBLPROPERTIES('{CONNECTION}'='...', '{_TABLE}'='...')",
            )
        act = Act(
            "table.create",
            str(name),
            detail={"connection": connection},
            needs=(*using(connection), *creating(wanted)),
            creates=on_dataset(name),
        )
        with administer(self._platform, caller, act) as author:
            if self._platform.catalog.datasets.find(name) is not None:
                if wanted.if_not_exists:
                    return None
                raise Conflict(f"dataset `{name}` already exists", hint="choose another name")
            check_known(written_tags(wanted), {t.name for t in self._platform.catalog.tags.list()})
            behind = self._platform.catalog.connections.get(connection)
            if is_catalog(behind):
                found = self._look_in(wanted, behind)
                bound = bind(wanted, found)
            else:
                place = _place(wanted, behind)
                shape = self._platform.databases.describe(place)
                found = look_at_connected(self._platform, place, shape)
                bound = bind(wanted, found)
                check_types(bound.columns, shape)
            described = Described(
                wanted.comment, frozenset(t.tag for t in wanted.tags), wanted.properties
            )
            made = self._register(found, name, bound.columns, author.user, described)
            again = permissions_again(self._platform, author, made)
            return Made(made, (*bound.notes, *found.notes, *again))

    def load(self, caller: Caller, database: str, tables: tuple[str, ...] = ()) -> Loaded:
        """Register the tables of the connection's schema that a database names; all, or some.

        Tables whose names are taken in the database stay what they are.

        Args:
            caller: who may alter the database and use its connection.
            database: with the property that names a connection.
            tables: by their own names; without any, all that the connection's user may read.

        Raises:
            NotFound: there is no such database, connection or table.
            InvalidRequest: the database names no connection, or the schema has too many tables.
            SourceUnavailable: its server is away, or does not let us in.
        """
        known = self._platform.catalog.databases.find(database)
        connection = said_connection(known.properties) if known else ""
        needs = (Need(AccessLevel.ALTER, on_database(database)), *using(connection))
        detail = {"connection": connection, "tables": list(tables)}
        act = Act("database.load", database, detail=detail, needs=needs)
        with administer(self._platform, caller, act) as author:
            if not connection:
                raise InvalidRequest(
                    f"database `{database}` names no connection",
                    hint=f"ALTER DATABASE {database} SET DBPROPERTIES('{CONNECTION}'='...')",
                )
            place = default_place(self._platform.catalog.connections.get(connection))
            wanted = tables or self._platform.databases.names(
                connection, place.database, place.schema
            )
            if len(wanted) > _MOST_TABLES:
                raise InvalidRequest(
                    f"the schema has {len(wanted)} tables", hint="name those that are wanted"
                )
            return self._load(database, [replace(place, table=t) for t in wanted], author)

    def _look_in(self, wanted: d.CreateTable, connection: DataConnection) -> FoundDataset:
        """The table of a catalog that a statement names."""
        _check_clauses(wanted, {"", ICEBERG})
        namespace, _, table = _said(wanted).get(_TABLE, "").rpartition(".")
        if not (namespace and table):
            raise InvalidRequest(
                "which table?", hint=f"write TBLPROPERTIES('{_TABLE}'='namespace.name')"
            )
        place = CatalogPlace(connection.name, tuple(namespace.split(".")), table)
        found = look_in_catalog_at(self._platform, place, wanted.properties.get(VERSION))
        if found.problem:
            raise InvalidRequest(f"the table cannot be registered: {found.problem}")
        return found

    def _load(self, database: str, places: list[TablePlace], author: Principal) -> Loaded:
        made: list[Dataset] = []
        notes: list[str] = []
        for place in places:
            shape = self._platform.databases.describe(place)
            found = look_at_connected(self._platform, place, shape)
            name = DatasetName(database, found.name)
            columns = tuple(replace(c, reviewed=True) for c in found.columns)
            try:
                made.append(self._register(found, name, columns, author.user, Described()))
            except (Conflict, InvalidRequest) as error:
                notes.append(f"`{place.table[:64]}` was left out: {error.message}")
            else:
                notes.extend(permissions_again(self._platform, author, made[-1]))
            notes.extend(f"`{name}`: {note}" for note in found.notes)
        return Loaded(tuple(made), tuple(notes))

    def _register(
        self,
        found: FoundDataset,
        name: DatasetName,
        columns: tuple[Column, ...],
        by: str,
        described: Described,
    ) -> Dataset:
        catalog = self._platform.catalog
        made = catalog.datasets.register(found, name, columns, by=by, described=described)
        catalog.domains.note_profiles(made, found.profiles)
        return made


def is_connected(wanted: d.CreateTable) -> bool:
    """Whether a table is to be one over a connection, in either of the two forms."""
    named = wanted.format == ICEBERG and CONNECTION in wanted.properties
    return named or wanted.format == JDBC or wanted.over is not None


def said_connection(properties: Mapping[str, str]) -> str:
    """The connection that properties name; empty if they name none.

    Raises:
        InvalidRequest: it cannot be the name of one.
    """
    said = properties.get(CONNECTION, "")
    return fold(said, "connection name") if said else ""


def using(connection: str) -> tuple[Need, ...]:
    """The right to use a connection, if one is named."""
    return (Need(AccessLevel.USE, on_connection(connection)),) if connection else ()


def check_types(columns: tuple[Column, ...], shape: TableShape) -> None:
    """Refuse types that the columns of a table cannot be read in.

    Raises:
        InvalidRequest: a column has one.
    """
    for column in columns:
        there = shape.find(column.source_name)
        if there is not None and not there.reads_as(column.type):
            raise InvalidRequest(
                f"column `{column.name}` is {there.spelled} there, and cannot be read as "
                f"{column.type}",
                hint="leave out the type, or declare string",
            )


def creating(wanted: d.CreateTable, paths: tuple[Scope, ...] = ()) -> tuple[Need, ...]:
    """The right to create in the database, to read what is at paths, and to use the tags."""
    tags = dict.fromkeys(
        need
        for each in written_tags(wanted)
        for need in tag_needs(AccessLevel.ADD_ATTRIBUTE, each.tag, None)
    )
    reading = (Need(AccessLevel.SELECT, path) for path in paths)
    return (Need(AccessLevel.CREATE, on_database(wanted.dataset.database)), *reading, *tags)


def _connection(wanted: d.CreateTable) -> str:
    return wanted.over.connection if wanted.over else said_connection(wanted.properties)


def _said(wanted: d.CreateTable) -> Mapping[str, str]:
    """The place in the properties' words, whichever form it was said in."""
    if wanted.over is None:
        return wanted.properties
    return {_TABLE: wanted.over.table, _SCHEMA: wanted.over.schema}


def _place(wanted: d.CreateTable, connection: DataConnection) -> TablePlace:
    said = _said(wanted)
    _check_clauses(wanted, _NO_FORMAT)
    driver = said.get(_DRIVER, connection.driver).lower()
    if driver != connection.driver:
        raise InvalidRequest(f"connection `{connection.name}` is to {connection.driver}")
    if not said.get(_TABLE):
        raise InvalidRequest("which table?", hint=f"write TBLPROPERTIES('{_TABLE}'='...')")
    place = default_place(connection)
    database = said.get(_DATABASE) or place.database
    check_database(connection.name, connection.database, database)
    return replace(
        place, database=database, schema=said.get(_SCHEMA) or place.schema, table=said[_TABLE]
    )


def _check_clauses(wanted: d.CreateTable, formats: AbstractSet[str]) -> None:
    for clause in _NO_FILES:
        if clause in wanted.places:
            raise InvalidRequest(
                f"a table of a connection has no {clause}",
                hint="leave it out",
                position=wanted.places[clause],
            )
    if wanted.format not in formats:
        raise InvalidRequest(
            f"a table of this connection is not STORED AS {wanted.format}",
            hint="leave it out",
            position=wanted.places.get("STORED AS"),
        )


def said_of(place: TablePlace | CatalogPlace) -> dict[str, str]:
    """The properties by which a statement names a place."""
    if isinstance(place, CatalogPlace):
        return {CONNECTION: place.connection, _TABLE: place.title}
    return {
        CONNECTION: place.connection,
        _DATABASE: place.database,
        _SCHEMA: place.schema,
        _TABLE: place.table,
    }


def default_place(connection: DataConnection) -> TablePlace:
    """Where tables without a database and schema are, behind a connection.

    Raises:
        InvalidRequest: it leads to a catalog of Iceberg.
    """
    if is_catalog(connection):
        raise InvalidRequest(
            f"connection `{connection.name}` is to a catalog of Iceberg",
            hint=f"crawl connection://{connection.name} instead",
        )
    schema = connection.schema or _DEFAULT_SCHEMA
    return TablePlace(connection.name, connection.database or "postgres", schema, "")
