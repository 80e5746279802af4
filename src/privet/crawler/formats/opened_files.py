"""Looks at files that say themselves what they hold: Avro, ORC and Arrow IPC."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager

import pyarrow as pa

from privet.connector import Connector, shown, source_errors
from privet.crawler.parquet_files import comment_of, same_types
from privet.crawler.shapes import Field, Shape, check_names, same_columns
from privet.model.datasets import Format, plain_type
from privet.model.errors import SourceInvalid
from privet.scan.formats import OPENERS, Opened, governable

SUFFIXES = {
    ".avro": Format.AVRO,
    ".orc": Format.ORC,
    ".arrow": Format.ARROW,
    ".arrows": Format.ARROW,
    ".feather": Format.ARROW,
    ".ipc": Format.ARROW,
}
_MAGIC = {b"Obj\x01": Format.AVRO, b"ARROW1\0\0": Format.ARROW, b"\xff\xff\xff\xff": Format.ARROW}
_ORC_END = b"ORC"
_TAIL = 4


def opened_format(connector: Connector, uri: str, start: bytes) -> Format | None:
    """Which of these formats a file is in, by its content; None for any other.

    A text may begin as ORC files do; so these are known by their end.
    """
    form = next((f for magic, f in _MAGIC.items() if start.startswith(magic)), None)
    if form is None and start.startswith(_ORC_END):
        with connector.open_file(uri) as native, source_errors(uri):
            size = native.size()
            end: bytes = native.read_at(_TAIL, max(0, size - _TAIL))
        form = Format.ORC if end.startswith(_ORC_END) else None
    return form


def look_at_opened(
    connector: Connector, uri: str, form: Format, like: Shape | None = None
) -> Shape:
    """Read the columns from a file's own schema; with `like`, check that they are the same.

    Raises:
        SourceInvalid: it cannot be registered; the message says why.
        NotFound, SourceUnavailable, InvalidRequest: it cannot be opened or read.
    """
    with _open(connector, uri, form) as opened:
        schema = opened.schema
    for field in schema:
        if not governable(field.type):
            raise SourceInvalid(
                f"column `{field.name[:64]}` is of a type that cannot be governed: "
                f"{str(field.type)[:64]}",
                hint="have it written as another type",
            )
    fields = tuple(Field(f.name, plain_type(f.type), comment_of(f)) for f in schema)
    check_names([field.name for field in fields])
    if like is not None:
        same_columns(like, [field.name for field in fields])
        same_types(like, fields)
        return like
    if not fields:
        raise SourceInvalid("has no columns")
    return Shape(form, fields, comment=comment_of(schema))


def first_rows(
    connector: Connector, uri: str, form: Format, names: Sequence[str], most: int
) -> list[pa.RecordBatch]:
    """At most so many rows from the beginning of a file.

    Raises:
        As `look_at_opened`.
    """
    found: list[pa.RecordBatch] = []
    with _open(connector, uri, form) as opened:
        for batch in _batches(opened, names):
            left = most - sum(each.num_rows for each in found)
            # A copy: what else is in the batch goes.
            found.append(batch.take(pa.array(range(min(left, batch.num_rows)))))
            if batch.num_rows >= left:
                break
    return found


def names_in(connector: Connector, uri: str, form: Format) -> list[str]:
    """The names of a file's columns."""
    with _open(connector, uri, form) as opened:
        return list(opened.schema.names)


def _batches(opened: Opened, names: Sequence[str]) -> Iterable[pa.RecordBatch]:
    for piece in opened.pieces(names):
        yield from piece.load()


@contextmanager
def _open(connector: Connector, uri: str, form: Format) -> Generator[Opened]:
    name, open_ = OPENERS[form]
    with connector.open_file(uri) as native, source_errors(uri):
        try:
            yield open_(native)
        except (pa.ArrowException, UnicodeDecodeError) as error:
            raise SourceInvalid(
                f"`{shown(uri)}` is not readable as {name}",
                hint="it may be broken, incomplete or of a kind that is not supported",
            ) from error
