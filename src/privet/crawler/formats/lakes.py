"""Tables of Delta Lake and Iceberg: where they are, and what they hold."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from privet.connector import Connector
from privet.crawler.shapes import Field, Shape, check_names
from privet.model.datasets import Format, Source
from privet.model.errors import SourceInvalid
from privet.model.sources import FIELD_IDS, TABLE_ID
from privet.scan.formats import governable
from privet.scan.lakes import METADATA, VERSION, open_lake

_MARKS = (
    # Also a link that cannot be followed: the data files alone are not the table.
    (re.compile(r"(.+?)/_delta_log(?:/.*)?"), Format.DELTA),
    (re.compile(r"(.+)/metadata/[^/]+\.metadata\.json(?:\.gz)?"), Format.ICEBERG),
)


def lake_of(uri: str) -> tuple[str, Format] | None:
    """The address and kind of the table of which a file is a log or the like."""
    for pattern, form in _MARKS:
        if match := pattern.fullmatch(uri):
            return match[1], form
    return None


def look_at_lake(
    connector: Connector,
    root: str,
    form: Format,
    version: str | None,
    metadata: str | None = None,
) -> Shape:
    """The columns of a table.

    Args:
        connector: opens its files.
        root: its address.
        form: Delta Lake or Iceberg.
        version: the one to read for good; None for the newest.
        metadata: the address of the metadata that its catalog names, if one does.

    Raises:
        SourceInvalid: it cannot be registered; the message says why.
        NotFound, SourceUnavailable, InvalidRequest: it cannot be opened or read.
    """
    if version is not None and not version.isdecimal():
        raise SourceInvalid("a version of a table is a number")
    options: dict[str, Any] = {} if version is None else {VERSION: version}
    asked = {} if metadata is None else {METADATA: metadata}
    table = open_lake(connector, Source(root, form, options | asked))
    schema = table.schema
    for field in schema:
        if not governable(field.type):
            raise SourceInvalid(f"column `{field.name[:64]}` is of a type that cannot be governed")
    check_names(schema.names)
    notes = () if version is None else (f"is read as of version {version}, whatever comes after",)
    known = {FIELD_IDS: table.field_ids, TABLE_ID: table.table_id}
    options |= {key: value for key, value in known.items() if value is not None}
    return Shape(form, tuple(Field(f.name, f.type) for f in schema), options, notes)


def first_lake_rows(
    connector: Connector, source: Source, names: Sequence[str], most: int
) -> list[pa.RecordBatch]:
    """At most so many rows of a table.

    Raises:
        As `look_at_lake`.
    """
    found: list[pa.RecordBatch] = []
    left = most
    for piece in open_lake(connector, source).pieces(names, None):
        for batch in piece.load():
            found.append(batch.take(pa.array(range(min(left, batch.num_rows)))))
            left -= found[-1].num_rows
            if left <= 0:
                return found
    return found
