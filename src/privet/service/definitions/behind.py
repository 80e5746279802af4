"""What lies behind a connection, before anything of it is registered."""

from __future__ import annotations

from privet.model.names import fold
from privet.model.permissions import AccessLevel, on_connection
from privet.policy import Need
from privet.service.access import Act, administer
from privet.service.definitions.connected import default_place
from privet.service.platform import Caller, Platform


def list_behind(
    platform: Platform, caller: Caller, connection: str, database: str = "", schema: str = ""
) -> tuple[str, ...]:
    """The database behind a connection; the schemas in that; the tables in one.

    Args:
        platform: of this server.
        caller: who may use the connection.
        connection: its name.
        database: whose schemas are wanted; without one, the databases are.
        schema: whose tables are wanted, of those that the connection's user may read.

    Raises:
        NotFound, Forbidden: the caller may not use it.
        InvalidRequest: it is to another database or a catalog, or its driver or secrets are none
            of this server.
        SourceUnavailable: the database is away, or does not let us in.
    """
    on = on_connection(fold(connection, "connection name"))
    act = Act("connection.browse", on.name, needs=(Need(AccessLevel.USE, on),))
    with administer(platform, caller, act):
        found = platform.catalog.connections.get(on.name)
        if not database:
            return (default_place(found).database,)
        if not schema:
            return platform.databases.schemas(on.name, database)
        return platform.databases.names(on.name, database, schema)
