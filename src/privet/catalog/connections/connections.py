"""Connections as rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, insert, select, update

from privet.catalog.versions import Clock
from privet.model.errors import Conflict, NotFound
from privet.model.sources import SCHEME, Format
from privet.store import reading, writing
from privet.store.tables import data_connections, datasets


@dataclass(frozen=True, slots=True)
class DataConnection:
    """How a database is reached.

    `user` and `password` are references such as `secret:NAME`, which the server's settings resolve.
    `port` 0 is the driver's own. `database` and `schema` are where names without one are.
    """

    name: str
    driver: str
    host: str
    port: int = 0
    user: str = ""
    password: str = ""
    database: str = ""
    schema: str = ""
    properties: Mapping[str, str] = field(default_factory=dict[str, str])
    created_by: str = ""
    created_at: datetime | None = None
    updated_by: str = ""
    updated_at: datetime | None = None


class Connections:
    """The connections of a catalog. Every method raises StoreUnavailable when the store fails."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def create(self, wanted: DataConnection, *, by: str) -> DataConnection:
        """Add a connection.

        Raises:
            Conflict: there is one of that name.
        """
        now = self._clock()
        made = replace(wanted, created_by=by, created_at=now, updated_by=by, updated_at=now)
        with writing(self._engine) as connection:
            if _find(connection, wanted.name) is not None:
                raise Conflict(f"connection `{wanted.name}` already exists")
            connection.execute(insert(data_connections).values(**_row(made)))
        return made

    def alter(self, wanted: DataConnection, *, by: str) -> DataConnection:
        """Replace all that a connection says.

        Raises:
            NotFound: there is none of that name.
        """
        with writing(self._engine) as connection:
            old = _get(connection, wanted.name)
            made = replace(
                wanted,
                created_by=old.created_by,
                created_at=old.created_at,
                updated_by=by,
                updated_at=self._clock(),
            )
            changed = update(data_connections).filter_by(name=wanted.name)
            connection.execute(changed.values(**_row(made)))
        return made

    def drop(self, name: str) -> None:
        """Remove a connection.

        Raises:
            NotFound: there is none of that name.
            Conflict: tables are read over it.
        """
        with writing(self._engine) as connection:
            _get(connection, name)
            if _is_used(connection, name):
                raise Conflict(
                    f"tables are read over connection `{name}`", hint="drop those tables first"
                )
            connection.execute(delete(data_connections).filter_by(name=name))

    def find(self, name: str) -> DataConnection | None:
        """The connection of that name, if there is one."""
        with reading(self._engine) as connection:
            return _find(connection, name)

    def get(self, name: str) -> DataConnection:
        """The connection of that name.

        Raises:
            NotFound: there is none.
        """
        with reading(self._engine) as connection:
            return _get(connection, name)

    def list(self) -> tuple[DataConnection, ...]:
        """All connections, by name."""
        with reading(self._engine) as connection:
            rows = connection.execute(select(data_connections).order_by(data_connections.c.name))
            return tuple(map(_connection, rows))


def _find(connection: Connection, name: str) -> DataConnection | None:
    row = connection.execute(select(data_connections).filter_by(name=name)).first()
    return None if row is None else _connection(row)


def _get(connection: Connection, name: str) -> DataConnection:
    found = _find(connection, name)
    if found is None:
        raise NotFound(f"connection `{name}` does not exist", hint="see `privet connection list`")
    return found


def _row(made: DataConnection) -> dict[str, Any]:
    return {
        "name": made.name,
        "driver": made.driver,
        "host": made.host,
        "port": made.port,
        "user_reference": made.user,
        "password_reference": made.password,
        "default_database": made.database,
        "default_schema": made.schema,
        "properties": dict(made.properties),
        "created_by": made.created_by,
        "created_at": made.created_at,
        "updated_by": made.updated_by,
        "updated_at": made.updated_at,
    }


def _connection(row: Row[Any]) -> DataConnection:
    return DataConnection(
        row.name,
        row.driver,
        row.host,
        row.port,
        row.user_reference,
        row.password_reference,
        row.default_database,
        row.default_schema,
        row.properties,
        row.created_by,
        row.created_at,
        row.updated_by,
        row.updated_at,
    )


def _is_used(connection: Connection, name: str) -> bool:
    """Whether a dataset lies behind a connection, or a catalog there names it."""
    over = datasets.c.uri.startswith(f"{SCHEME}://{name}/", autoescape=True)
    if connection.execute(select(datasets.c.id).where(over).limit(1)).first():
        return True
    named = select(datasets.c.options).filter_by(format=Format.ICEBERG.value)
    return any(row.options.get("connection") == name for row in connection.execute(named))
