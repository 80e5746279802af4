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
        parts = (self.connection, self.database, self.schema, self.table)
        written = (part.replace("%", "%25").replace("/", "%2F") for part in parts)
        return f"{SCHEME}://{'/'.join(written)}"

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
