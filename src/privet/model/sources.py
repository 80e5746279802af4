"""Where the rows of a dataset lie, and how they are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self
from urllib.parse import quote


class Format(StrEnum):
    """File formats of sources."""

    CSV = "csv"
    JSON = "json"
    """An object a line."""
    PARQUET = "parquet"
    VIEW = "view"
    """No file: the answer of a statement over other datasets."""
    TABLE = "table"
    """No file either: a table of a database, see `TablePlace`."""


COPIED = "copied"
"""The option of a source whose rows were copied from other datasets."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a dataset's bytes lie and how they are read.

    `uri` is canonical (`s3://bucket/key/parts`, `file:///absolute/path`), without credentials.
    `options` of CSV: `delimiter`, `quote`, `header` (bool), `encoding`, `compression`; of JSON the
    last two.
    `partitions` are the names of `k=v` folders, outermost first; their types stand in the columns.
    """

    uri: str
    format: Format
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    partitions: tuple[str, ...] = ()


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
        return f"{SCHEME}://{'/'.join(quote(part, safe='') for part in parts)}"

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
