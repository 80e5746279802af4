"""What a dataset is read from, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Format(StrEnum):
    """File formats of sources."""

    CSV = "csv"
    JSON = "json"
    """An object a line."""
    PARQUET = "parquet"
    AVRO = "avro"
    ORC = "orc"
    ARROW = "arrow"
    """Arrow IPC: files and streams."""
    DELTA = "delta"
    """A table of Delta Lake."""
    ICEBERG = "iceberg"
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
    last two; of Iceberg the numbers of its columns, see `FIELD_IDS`, which table it is, see
    `TABLE_ID`, and where a catalog names it, see `CatalogPlace`.
    `partitions` are the names of `k=v` folders, outermost first; their types stand in the columns.
    """

    uri: str
    format: Format
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    partitions: tuple[str, ...] = ()
