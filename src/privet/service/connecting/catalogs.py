"""Connections to catalogs of Iceberg: what they say, and who may say it.

Whoever may use such a connection may register what its catalog names below its location. So
whoever defines it must be able to read that location.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from privet.catalog import DataConnection
from privet.connector import CATALOG_DRIVERS, REST, SQLITE
from privet.model.errors import InvalidRequest, PrivetError
from privet.model.permissions import AccessLevel, Scope, ScopeKind
from privet.policy import Need
from privet.service.connecting.properties import (
    CATALOG,
    HOST,
    LOCATION,
    OWN,
    PATH,
    PREFIX,
    SCOPE,
    SSLMODE,
    check_sslmode,
    matching,
    own_name,
    port_of,
    reference,
)
from privet.service.platform import Platform

_OTHERS: Mapping[str, frozenset[str]] = {
    REST: frozenset({LOCATION, CATALOG, PATH, PREFIX, SCOPE, SSLMODE}),
    SQLITE: frozenset({LOCATION, CATALOG}),
}
_SQL = frozenset({LOCATION, CATALOG, SSLMODE})
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
    said = {own_name(key): value for key, value in properties.items()}
    driver = said.get("driver", "").lower()
    if driver not in CATALOG_DRIVERS:
        return ()
    places = [said.get(LOCATION, "")]
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
    others = {key: value for key, value in said.items() if key not in OWN}
    unknown = set(others) - _OTHERS.get(driver, _SQL)
    if unknown:
        raise InvalidRequest(
            f"a connection of driver `{driver}` has no property `{min(unknown)[:64]}`",
            hint=f"it has {', '.join(sorted(_OTHERS.get(driver, _SQL)))}",
        )
    matching(_ADDRESS, LOCATION, others.get(LOCATION, ""))
    if driver != REST:
        matching(_PLAIN, CATALOG, others.get(CATALOG, ""))
    for path in (PATH, PREFIX):
        if others.get(path) and ".." in matching(_PATHS, path, others[path]):
            raise InvalidRequest(f"`{path}` leads upwards")
    check_sslmode(others)
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
    location = canonical(connection.properties[LOCATION])
    file = canonical(connection.database) if connection.driver == SQLITE else connection.database
    return replace(
        connection, database=file, properties={**connection.properties, LOCATION: location}
    )
