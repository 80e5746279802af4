"""Tables of databases, as places where rows lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

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


def connection_of(source: Source) -> str:
    """The name of the connection that a dataset is read over; empty for files and views."""
    return TablePlace.of(source).connection if source.format is Format.TABLE else ""


@dataclass(frozen=True, slots=True)
class SchemaPlace:
    """The tables of a schema; without `database` or `schema`, those of the connection."""

    connection: str
    database: str = ""
    schema: str = ""

    @property
    def uri(self) -> str:
        """One spelling: `connection://name/database/schema`."""
        return _written(self.connection, self.database, self.schema)

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
