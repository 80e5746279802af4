"""Connections as connectors take them, with the secrets that they refer to."""

from __future__ import annotations

from collections.abc import Callable

from privet.catalog import Catalog, DataConnection
from privet.connector import CatalogEndpoint, Endpoint, Secrets
from privet.model.errors import InvalidRequest
from privet.service.connecting.catalogs import is_catalog
from privet.service.connecting.properties import CATALOG, LOCATION, PATH, PREFIX, SCOPE, SSLMODE


def endpoints(catalog: Catalog, secrets: Secrets) -> Callable[[str], Endpoint]:
    """Gives a connection by its name, with the secrets that it refers to.

    What it gives raises NotFound without such a connection, and as `Secrets.get`.
    """

    def find(name: str) -> Endpoint:
        return endpoint_of(catalog.connections.get(name), secrets)

    return find


def endpoint_of(connection: DataConnection, secrets: Secrets) -> Endpoint:
    """A connection with the secrets that it refers to.

    Raises:
        As `Secrets.get`.
    """

    def secret(written: str) -> str:
        # Catalogs may take none.
        none = not written and is_catalog(connection)
        return "" if none else secrets.get(written, connection.host)

    return Endpoint(
        connection.driver,
        connection.host,
        connection.port,
        secret(connection.user),
        secret(connection.password),
        connection.database,
        connection.properties.get(SSLMODE, ""),
    )


def catalog_endpoints(catalog: Catalog, secrets: Secrets) -> Callable[[str], CatalogEndpoint]:
    """Gives a connection to a catalog by its name, with the secrets that it refers to.

    What it gives raises NotFound without such a connection, InvalidRequest where it leads to
    tables of its own, and as `Secrets.get`.
    """

    def find(name: str) -> CatalogEndpoint:
        return catalog_endpoint_of(catalog.connections.get(name), secrets)

    return find


def catalog_endpoint_of(connection: DataConnection, secrets: Secrets) -> CatalogEndpoint:
    """A connection to a catalog with the secrets that it refers to.

    Raises:
        InvalidRequest: it leads to tables of its own.
        As `Secrets.get`.
    """
    if not is_catalog(connection):
        raise InvalidRequest(f"connection `{connection.name}` is to no catalog of Iceberg")
    said = connection.properties
    return CatalogEndpoint(
        endpoint_of(connection, secrets),
        said[LOCATION],
        said.get(CATALOG, ""),
        connection.schema,
        said.get(PATH, ""),
        said.get(PREFIX, ""),
        said.get(SCOPE, ""),
    )
