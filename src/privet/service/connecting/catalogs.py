"""Connections to catalogs of Iceberg: what they say, and who may say it.

Whoever may use such a connection may register what its catalog names below its location. So
whoever defines it must be able to read that location.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from privet.catalog import Catalog, DataConnection
from privet.connector import (
    CATALOG_DRIVERS,
    REST,
    SQLITE,
    SSLMODES,
    CatalogEndpoint,
    Endpoint,
    Secrets,
)
from privet.model.errors import InvalidRequest, PrivetError
from privet.model.permissions import AccessLevel, Scope, ScopeKind
from privet.policy import Need
from privet.service.connecting.properties import HOST, matching, port_of, reference
from privet.service.platform import Platform

_LOCATION = "location"
_CATALOG = "catalog"
_PATH = "path"
_PREFIX = "prefix"
_SCOPE = "scope"
_SSLMODE = "sslmode"
_OWN = frozenset({"driver", "host", "port", "user", "password", "database", "schema"})
_OTHERS: Mapping[str, frozenset[str]] = {
    REST: frozenset({_LOCATION, _CATALOG, _PATH, _PREFIX, _SCOPE, _SSLMODE}),
    SQLITE: frozenset({_LOCATION, _CATALOG}),
}
_SQL = frozenset({_LOCATION, _CATALOG, _SSLMODE})
_PLAIN = re.compile(r"[A-Za-z0-9][^\x00-\x1f\x7f]{0,511}")
_PATHS = re.compile(r"/?[A-Za-z0-9._~-][A-Za-z0-9._~/-]{0,255}")
_ADDRESS = re.compile(r"[^\x00-\x20\x7f][^\x00-\x1f\x7f]{0,4095}")


def is_catalog(connection: DataConnection) -> bool:
    """Whether a connection leads to a catalog of Iceberg."""
    return connection.driver in CATALOG_DRIVERS


def reading_places(platform: Platform, properties: Mapping[str, str]) -> tuple[Need, ...]:
    """The rights that defining a connection takes beside those on connections.

    To read what its catalog may name, and its file where it is one of this server.
    """
    said = {key.lower(): value for key, value in properties.items()}
    driver = said.get("driver", said.get("jdbc_driver", "")).lower()
    if driver not in CATALOG_DRIVERS:
        return ()
    places = [said.get(_LOCATION, "")]
    if driver == SQLITE:
        places.append(said.get("database", ""))
    return tuple(Need(AccessLevel.SELECT, _at(platform, place)) for place in places)


def _at(platform: Platform, uri: str) -> Scope:
    try:
        return Scope(ScopeKind.URI, name=platform.connectors.canonical(uri))
    except PrivetError:
        return Scope(ScopeKind.URI)


def defined_catalog(name: str, said: Mapping[str, str]) -> DataConnection:
    """A connection to a catalog from what a statement says of it, under the names of our own.

    Raises:
        InvalidRequest: that makes none.
    """
    driver = said["driver"].lower()
    others = {key: value for key, value in said.items() if key not in _OWN}
    unknown = set(others) - _OTHERS.get(driver, _SQL)
    if unknown:
        raise InvalidRequest(
            f"a connection of driver `{driver}` has no property `{min(unknown)[:64]}`",
            hint=f"it has {', '.join(sorted(_OTHERS.get(driver, _SQL)))}",
        )
    matching(_ADDRESS, _LOCATION, others.get(_LOCATION, ""))
    if driver != REST:
        matching(_PLAIN, _CATALOG, others.get(_CATALOG, ""))
    for path in (_PATH, _PREFIX):
        if others.get(path) and ".." in matching(_PATHS, path, others[path]):
            raise InvalidRequest(f"`{path}` leads upwards")
    if others.get(_SSLMODE, SSLMODES[0]) not in SSLMODES:
        raise InvalidRequest(f"`{_SSLMODE}` is one of {', '.join(SSLMODES)}")
    if driver == SQLITE:
        file = matching(_ADDRESS, "database", said.get("database", ""))
        return DataConnection(name, driver, "", database=file, properties=others)
    user = said.get("user", "")
    return DataConnection(
        name,
        driver,
        matching(HOST, "host", said.get("host", "")),
        port_of(said.get("port", "0")),
        # A REST catalog may take a token alone.
        reference("user", user) if user or driver != REST else "",
        reference("password", said.get("password", "")),
        said.get("database", ""),
        said.get("schema", ""),
        others,
    )


def placed(platform: Platform, connection: DataConnection) -> DataConnection:
    """A connection with its places as they are spelled once links are followed; others as they are.

    Raises:
        InvalidRequest: a place is outside what the settings allow.
    """
    if not is_catalog(connection):
        return connection
    canonical = platform.connectors.canonical
    location = canonical(connection.properties[_LOCATION])
    file = canonical(connection.database) if connection.driver == SQLITE else connection.database
    return replace(
        connection, database=file, properties={**connection.properties, _LOCATION: location}
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

    def secret(written: str) -> str:
        return secrets.get(written, connection.host) if written else ""

    said = connection.properties
    server = Endpoint(
        connection.driver,
        connection.host,
        connection.port,
        secret(connection.user),
        secret(connection.password),
        connection.database,
        said.get(_SSLMODE, ""),
    )
    return CatalogEndpoint(
        server,
        said[_LOCATION],
        said.get(_CATALOG, ""),
        connection.schema,
        said.get(_PATH, ""),
        said.get(_PREFIX, ""),
        said.get(_SCOPE, ""),
    )
