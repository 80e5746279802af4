"""Connections to databases: defined by stewards, with secrets that only the settings hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from privet.catalog import DataConnection
from privet.connector import CATALOG_DRIVERS
from privet.model.errors import Conflict, InvalidRequest, PrivetError
from privet.model.names import fold
from privet.model.permissions import CATALOG, AccessLevel, on_connection
from privet.policy import Need
from privet.service.access import Act, administer, authenticate, steward
from privet.service.connecting import (
    DRIVER,
    HOST,
    OWN,
    catalog_endpoint_of,
    check_sslmode,
    defined_catalog,
    endpoint_of,
    is_catalog,
    matching,
    own_name,
    placed,
    port_of,
    reading_places,
    reference,
)
from privet.service.definitions import default_place
from privet.service.platform import Caller, Platform
from privet.service.rights import Administrator

_SECRET_WORDS = re.compile(r"pass|pwd|secret|token|credential|private", re.IGNORECASE)
_MOST_PROPERTIES = 64


@dataclass(frozen=True, slots=True)
class Tested:
    """Whether a database let us in; `problem` says why not."""

    connection: DataConnection
    problem: str = ""


class Connections:
    """Defining, listing and trying connections."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def create(self, caller: Caller, name: str, properties: Mapping[str, str]) -> DataConnection:
        """Define a connection; nobody is dialled.

        Args:
            caller: who may define connections; owns it then, if only so.
            name: of the connection.
            properties: `driver`, `host`, `port`, `user`, `password`, `database`, `schema`, also
                under the names of the original (`jdbc_driver`, `user_key`, ...), and others.
                `user` and `password` are references such as `secret:NAME`.

        Raises:
            InvalidRequest: they do not make a connection, or hold a secret.
            Conflict: there is one of that name.
        """
        on = on_connection(fold(name, "connection name"))
        needs = (
            Need(AccessLevel.CREATE_DATACONNECTION_AS_OWNER, CATALOG),
            *reading_places(self._platform, properties),
        )
        act = Act("connection.create", on.name, needs=needs, creates=on)
        with administer(self._platform, caller, act) as author:
            wanted = placed(self._platform, defined(on.name, properties))
            return self._platform.catalog.connections.create(wanted, by=author.user)

    def alter(self, caller: Caller, name: str, properties: Mapping[str, str]) -> DataConnection:
        """Define a connection anew: what is not given is no longer there.

        Raises:
            As `create`; NotFound: there is none of that name.
        """
        on = on_connection(fold(name, "connection name"))
        needs = (Need(AccessLevel.ALTER, on), *reading_places(self._platform, properties))
        act = Act("connection.update", on.name, needs=needs)
        with administer(self._platform, caller, act) as author:
            wanted = placed(self._platform, defined(on.name, properties))
            return self._platform.catalog.connections.alter(wanted, by=author.user)

    def drop(self, caller: Caller, name: str) -> None:
        """Forget a connection.

        Raises:
            NotFound: there is none of that name.
            Conflict: tables are read over it.
        """
        on = on_connection(fold(name, "connection name"))
        act = Act("connection.delete", on.name, needs=(Need(AccessLevel.DROP, on),), drops=on)
        with administer(self._platform, caller, act):
            self._platform.catalog.connections.drop(on.name)

    def list(self, caller: Caller) -> tuple[DataConnection, ...]:
        """The connections that the caller has any right on, by name."""
        administrator = Administrator.of(self._platform, authenticate(self._platform, caller))
        return tuple(
            connection
            for connection in self._platform.catalog.connections.list()
            if administrator.may(AccessLevel.SHOW, on_connection(connection.name))
        )

    def get(self, caller: Caller, name: str) -> DataConnection:
        """One connection.

        Raises:
            NotFound, Forbidden: the caller has no right on it.
        """
        on = on_connection(fold(name, "connection name"))
        needs = (Need(AccessLevel.SHOW, on),)
        steward(self._platform, caller, Act("connection.describe", on.name, needs=needs))
        return self._platform.catalog.connections.get(on.name)

    def browse(
        self, caller: Caller, name: str, database: str = "", schema: str = ""
    ) -> tuple[str, ...]:
        """The database behind a connection; the schemas in that; the tables in one.

        Args:
            caller: who may use the connection.
            name: of the connection.
            database: whose schemas are wanted; without one, the databases are.
            schema: whose tables are wanted, of those that the connection's user may read.

        Raises:
            NotFound, Forbidden: the caller may not use it.
            InvalidRequest: it is to another database or a catalog, or its driver or secrets are
                none of this server.
            SourceUnavailable: the database is away, or does not let us in.
        """
        on = on_connection(fold(name, "connection name"))
        act = Act("connection.browse", on.name, needs=(Need(AccessLevel.USE, on),))
        with administer(self._platform, caller, act):
            found = self._platform.catalog.connections.get(on.name)
            if not database:
                return (default_place(found).database,)
            if not schema:
                return self._platform.databases.schemas(on.name, database)
            return self._platform.databases.names(on.name, database, schema)

    def test(self, caller: Caller, name: str) -> Tested:
        """Try to log in.

        Raises:
            NotFound, Forbidden: the caller may not use it.
        """
        on = on_connection(fold(name, "connection name"))
        act = Act("connection.test", on.name, needs=(Need(AccessLevel.USE, on),))
        with administer(self._platform, caller, act):
            connection = self._platform.catalog.connections.get(on.name)
            return self._tried_as(connection)

    def try_new(self, caller: Caller, name: str, properties: Mapping[str, str]) -> Tested:
        """Try to log in over a connection that could be defined, and is not yet.

        Raises:
            As `create`.
        """
        on = on_connection(fold(name, "connection name"))
        needs = (
            Need(AccessLevel.CREATE_DATACONNECTION_AS_OWNER, CATALOG),
            *reading_places(self._platform, properties),
        )
        with administer(self._platform, caller, Act("connection.test", on.name, needs=needs)):
            if self._platform.catalog.connections.find(on.name) is not None:
                raise Conflict(f"connection `{on.name}` already exists", hint="use another name")
            return self._tried_as(placed(self._platform, defined(on.name, properties)))

    def try_changed(self, caller: Caller, name: str, properties: Mapping[str, str]) -> Tested:
        """Try to log in over a connection as it could be changed, and is not yet.

        Raises:
            As `alter`.
        """
        on = on_connection(fold(name, "connection name"))
        needs = (Need(AccessLevel.ALTER, on), *reading_places(self._platform, properties))
        act = Act("connection.test", on.name, needs=needs)
        with administer(self._platform, caller, act):
            self._platform.catalog.connections.get(on.name)
            return self._tried_as(placed(self._platform, defined(on.name, properties)))

    def _tried_as(self, connection: DataConnection) -> Tested:
        platform = self._platform

        def dial() -> None:
            if is_catalog(connection):
                platform.catalogs.dial_to(catalog_endpoint_of(connection, platform.secrets))
            else:
                platform.databases.dial_to(endpoint_of(connection, platform.secrets))

        return _tried(connection, dial)


def _tried(connection: DataConnection, dial: Callable[[], None]) -> Tested:
    try:
        dial()
    except PrivetError as error:
        return Tested(connection, f"{error.message} ({error.hint})")
    return Tested(connection)


def defined(name: str, properties: Mapping[str, str]) -> DataConnection:
    """A connection from what a statement says of it.

    Raises:
        InvalidRequest: that makes none, or holds a secret.
    """
    said: dict[str, str] = {}
    for key, value in properties.items():
        known = own_name(key)
        if known in said:
            raise InvalidRequest(f"`{key[:64]}` is given twice")
        said[known] = value
    kind = said.pop("connection_type", "JDBC")
    if kind.upper() != "JDBC":
        raise InvalidRequest(f"connection_type `{kind[:32]}` is unknown", hint="write 'JDBC'")
    if said.get("driver", "").lower() in CATALOG_DRIVERS:
        return defined_catalog(name, said)
    others = {key: value for key, value in said.items() if key not in OWN}
    if any(_SECRET_WORDS.search(key) for key in others) or len(others) > _MOST_PROPERTIES:
        raise InvalidRequest(
            "secrets are never written into a connection",
            hint="name them in the server's settings, and write 'password'='secret:NAME'",
        )
    check_sslmode(others)
    return DataConnection(
        name,
        matching(DRIVER, "driver", said.get("driver", "").lower()),
        matching(HOST, "host", said.get("host", "")),
        port_of(said.get("port", "0")),
        reference("user", said.get("user", "")),
        reference("password", said.get("password", "")),
        said.get("database", ""),
        said.get("schema", ""),
        others,
    )
