"""Tables behind connections, as places where rows lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from privet.model.sources.sources import Format, Source

SCHEME = "connection"


@dataclass(frozen=True, slots=True)
class TablePlace:
    """A table, by its own names; `connection` is the name of a connection of the catalog."""

    connection: str
    database: str
    schema: str
    table: str

    @property
    def uri(self) -> str:
        """One spelling for one table: `connection://name/database/schema/table`."""
        return _written(self.connection, self.database, self.schema, self.table)

    def source(self) -> Source:
        """As the source of a dataset."""
        options = {"database": self.database, "schema": self.schema, "table": self.table}
        return Source(self.uri, Format.TABLE, {"connection": self.connection, **options})

    @classmethod
    def of(cls, source: Source) -> Self:
        """From the source of a dataset."""
        options = source.options
        return cls(options["connection"], options["database"], options["schema"], options["table"])


@dataclass(frozen=True, slots=True)
class CatalogPlace:
    """A table of Iceberg by its names in a catalog; its files lie at the address of its source.

    `connection` is the name of a connection of our catalog, to theirs.
    """

    connection: str
    namespace: tuple[str, ...]
    table: str

    @property
    def title(self) -> str:
        """How people call it: with its namespace, by dots."""
        return ".".join((*self.namespace, self.table))

    def options(self) -> dict[str, Any]:
        """As options of a source."""
        said = {"namespace": list(self.namespace), "table": self.table}
        return {"connection": self.connection, **said}

    @classmethod
    def of(cls, source: Source) -> Self | None:
        """From the source of a dataset; None if that is found by its address alone."""
        options = source.options
        if source.format is not Format.ICEBERG or "connection" not in options:
            return None
        return cls(options["connection"], tuple(options["namespace"]), options["table"])


def connection_of(source: Source) -> str:
    """The name of the connection that a dataset is read over; empty for files and views."""
    if source.format is Format.TABLE:
        return TablePlace.of(source).connection
    place = CatalogPlace.of(source)
    return place.connection if place else ""


@dataclass(frozen=True, slots=True)
class SchemaPlace:
    """The tables of a schema; without `database` or `schema`, those of the connection."""

    connection: str
    database: str = ""
    schema: str = ""

    @property
    def uri(self) -> str:
        """One spelling: `connection://name/database/schema`, or `connection://name`."""
        below = (self.database, self.schema)
        return _written(self.connection, *(below if any(below) else ()))

    def table(self, name: str) -> TablePlace:
        """One of its tables."""
        return TablePlace(self.connection, self.database, self.schema, name)

    @classmethod
    def parse(cls, uri: str) -> Self | None:
        """From `connection://name` or `connection://name/database/schema`, else None."""
        scheme, mark, path = uri.partition("://")
        parts = [part.replace("%2F", "/").replace("%25", "%") for part in path.split("/")]
        if scheme != SCHEME or not mark or len(parts) not in {1, _WHOLE} or not all(parts):
            return None
        return cls(*parts)


_WHOLE = 3


def _written(*parts: str) -> str:
    escaped = (part.replace("%", "%25").replace("/", "%2F") for part in parts)
    return f"{SCHEME}://{'/'.join(escaped)}"
