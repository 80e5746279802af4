"""Looks at Parquet files: their footers say what they hold."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq

from privet.connector import Connector, shown, source_errors
from privet.crawler.shapes import Field, Shape, check_names, same_columns
from privet.model.datasets import Format, plain_type
from privet.model.errors import SourceInvalid

MAGIC = b"PAR1"
ENCRYPTED_MAGIC = b"PARE"


def look_at_parquet(connector: Connector, uri: str, like: Shape | None = None) -> Shape:
    """Read the columns from a footer; with `like`, check that they are the same.

    Raises:
        SourceInvalid: it cannot be registered; the message says why.
        NotFound, SourceUnavailable, InvalidRequest: it cannot be opened or read.
    """
    with open_parquet(connector, uri) as file:
        schema = file.schema_arrow
        rows = file.metadata.num_rows
        fields = tuple(Field(f.name, plain_type(f.type), comment_of(f)) for f in schema)
    names = [field.name for field in fields]
    check_names(names)
    if like is not None:
        same_columns(like, names)
        same_types(like, fields)
        return like
    if not fields:
        raise SourceInvalid("has no columns")
    return Shape(Format.PARQUET, fields, notes=() if rows else ("has no rows yet",))


@contextmanager
def open_parquet(connector: Connector, uri: str) -> Generator[pq.ParquetFile]:
    """Open a Parquet file; errors while it is open are told as ours.

    Raises:
        SourceInvalid: its content is broken.
        NotFound, SourceUnavailable, InvalidRequest: it cannot be opened or read.
    """
    with connector.open_file(uri) as native, source_errors(uri):
        try:
            yield pq.ParquetFile(native)
        except (pa.ArrowException, UnicodeDecodeError) as error:
            raise SourceInvalid(
                f"`{shown(uri)}` is not readable as Parquet",
                hint="it may be broken, incomplete or of a kind that is not supported",
            ) from error


def same_types(like: Shape, fields: tuple[Field, ...]) -> None:
    """Check that a file's columns have the types of another's.

    Raises:
        SourceInvalid: one has another.
    """
    kinds = {field.name: field.kind for field in like.fields}
    for field in fields:
        if kinds[field.name] != field.kind:
            raise SourceInvalid(
                f"conflicting types: `{field.name[:64]}` is {field.kind} here and "
                f"{kinds[field.name]} in the first file",
                hint="put files of different columns into different folders",
            )


def comment_of(field: pa.Field | pa.Schema) -> str:
    """The comment of a column or of all of them, as Spark writes it."""
    return (field.metadata or {}).get(b"comment", b"").decode("utf-8", errors="replace")
