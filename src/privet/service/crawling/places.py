"""Where crawls look: paths of files, and schemas behind connections."""

from __future__ import annotations

from dataclasses import replace

from privet.connector import check_database
from privet.model.errors import InvalidRequest, PrivetError
from privet.model.names import fold
from privet.model.permissions import AccessLevel, Scope, ScopeKind, on_connection
from privet.model.sources import SCHEME, SchemaPlace, Source, connection_of
from privet.policy import Need
from privet.service.connecting import is_catalog
from privet.service.definitions import default_place
from privet.service.platform import Platform


def reading(platform: Platform, uri: str) -> Need:
    """The right to read what is crawled.

    A path that is none is covered by the catalog only.

    Raises:
        InvalidRequest: it is of a connection, and malformed.
    """
    if schema_at(uri) is not None:
        return reading_at(uri)
    try:
        return reading_at(platform.connectors.canonical(uri))
    except PrivetError:
        return Need(AccessLevel.SELECT, Scope(ScopeKind.URI))


def reading_at(uri: str) -> Need:
    """The right to read what is at an address, as it is spelled.

    Raises:
        InvalidRequest: it is of a connection, and malformed.
    """
    if (place := schema_at(uri)) is not None:
        return Need(AccessLevel.USE, on_connection(place.connection))
    return Need(AccessLevel.SELECT, Scope(ScopeKind.URI, name=uri))


def reading_found(source: Source) -> Need:
    """The right to read what a crawl found, as it lies there."""
    if connection := connection_of(source):
        # What a catalog names lies below a location that whoever defined it could read.
        return Need(AccessLevel.USE, on_connection(connection))
    return Need(AccessLevel.SELECT, Scope(ScopeKind.URI, name=source.uri))


def canonical(platform: Platform, uri: str) -> str:
    """The one spelling of what is crawled.

    Raises:
        InvalidRequest: there is no such path, or the connection is to another database.
        NotFound: there is no such connection.
    """
    place = schema_at(uri)
    if place is None:
        return platform.connectors.canonical(uri)
    connection = platform.catalog.connections.get(place.connection)
    if is_catalog(connection):
        if place.schema:
            raise InvalidRequest(
                "a catalog of Iceberg is crawled as a whole",
                hint=f"write {SCHEME}://{place.connection}",
            )
        return place.uri
    check_database(connection.name, connection.database, place.database)
    if not place.schema:
        usual = default_place(connection)
        place = replace(place, database=usual.database, schema=usual.schema)
    return place.uri


def schema_at(uri: str) -> SchemaPlace | None:
    """The schema that an address means; None for one of files.

    Raises:
        InvalidRequest: it is of a connection, and malformed.
    """
    if not uri.startswith(f"{SCHEME}://"):
        return None
    place = SchemaPlace.parse(uri)
    if place is None:
        raise InvalidRequest(
            "this is no address of a schema",
            hint=f"write {SCHEME}://NAME or {SCHEME}://NAME/DATABASE/SCHEMA",
        )
    return replace(place, connection=fold(place.connection, "connection name"))
