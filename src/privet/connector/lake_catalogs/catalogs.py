"""The catalogs behind the connections of ours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from privet.connector.base import Connector
from privet.connector.lake_catalogs.base import REST, SQLITE, CatalogEndpoint, CatalogName, lies
from privet.connector.lake_catalogs.rest import RestTables
from privet.connector.lake_catalogs.sql import SqlTables
from privet.model.errors import InvalidRequest, SourceInvalid
from privet.model.sources import CatalogPlace

_FILE = "file://"


class LakeCatalogs:
    """Asks catalogs where the metadata of their tables are. Nothing is written there.

    Args:
        find: a connection by its name, with its secrets; raises what is wrong with it.
        connectors: spell the addresses that catalogs give, and know which of them are open to us.
        ca: PEM file of the authorities that servers' certificates are checked against.
    """

    def __init__(
        self,
        find: Callable[[str], CatalogEndpoint],
        connectors: Connector,
        *,
        ca: Path | None = None,
    ) -> None:
        self._find = find
        self._connectors = connectors
        self._ca = ca

    def dial(self, connection: str) -> None:
        """Ask a catalog something, and forget it.

        Raises:
            As `names`.
        """
        self.dial_to(self._find(connection))

    def dial_to(self, endpoint: CatalogEndpoint) -> None:
        """The same where no connection of ours leads yet.

        Raises:
            As `names`.
        """
        self._allowed(endpoint)
        self._tables(endpoint).check()

    def names(self, connection: str) -> tuple[CatalogName, ...]:
        """The tables of a catalog, by name.

        Raises:
            NotFound: there is no such connection, or the catalog has not what it names.
            InvalidRequest: the connection is to no catalog, or its secrets are none of this server.
            SourceUnavailable: the catalog is away, denies access, or takes too long.
            SourceInvalid: it says what cannot be, or has too many tables.
        """
        return self._tables(self._find(connection)).names()

    def metadata_of(self, place: CatalogPlace) -> str:
        """The canonical address of the current metadata of a table.

        Raises:
            NotFound: the catalog has no such table.
            SourceInvalid: its metadata lie outside the location of the connection.
            As `names`.
        """
        endpoint = self._find(place.connection)
        name = CatalogName(place.namespace, place.table)
        return self.within(endpoint, self._tables(endpoint).metadata_of(name))

    def check_location(self, connection: str, uri: str) -> str:
        """The canonical address of a table of a catalog.

        Raises:
            SourceInvalid: it lies outside the location of the connection.
        """
        return self.within(self._find(connection), uri)

    def within(self, endpoint: CatalogEndpoint, uri: str) -> str:
        """The canonical spelling of an address below the location of a connection.

        Raises:
            SourceInvalid: it lies elsewhere.
        """
        allowed = self._allowed(endpoint)
        try:
            found = self._connectors.canonical(address_of(uri))
        except InvalidRequest as error:
            raise _outside() from error
        if not found.startswith(f"{allowed}/"):
            raise _outside()
        return found

    def _allowed(self, endpoint: CatalogEndpoint) -> str:
        """The location of a connection, which is what it was when that was decided about."""
        return self._unmoved(endpoint.location).rstrip("/")

    def _unmoved(self, uri: str) -> str:
        if self._connectors.canonical(uri) != uri:
            raise InvalidRequest(
                "a place of the connection is a link now, and was none when it was defined",
                hint="define the connection anew",
            )
        return uri

    def _tables(self, endpoint: CatalogEndpoint) -> SqlTables | RestTables:
        if endpoint.server.driver == REST:
            return RestTables(endpoint, self._ca)
        if endpoint.server.driver != SQLITE:
            return SqlTables(endpoint, self._ca, None)
        uri = self._unmoved(endpoint.server.database)
        if not uri.startswith(_FILE):
            raise lies("a file that is none of this server")
        return SqlTables(endpoint, None, Path(uri.removeprefix(_FILE)))


def address_of(location: str) -> str:
    """An address as our connectors spell it."""
    for other in ("s3a://", "s3n://"):
        if location.startswith(other):
            return f"s3://{location.removeprefix(other)}"
    return location


def _outside() -> SourceInvalid:
    return SourceInvalid(
        "the catalog names files that lie outside the location of its connection",
        hint="the connection's property `location` says where its tables lie",
    )
