"""What a file is: its format, columns and options; and what several files are together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from privet.model.datasets import Format
from privet.model.errors import SourceInvalid


@dataclass(frozen=True, slots=True)
class Field:
    """A column as a file has it. `name` is the file's own name for it."""

    name: str
    kind: pa.DataType
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """What one file, or several that fit together, look like.

    `plain`: text of ASCII alone, whose encoding is therefore any that the other files need.
    `comment`: what the first file says about all its rows.
    """

    format: Format
    fields: tuple[Field, ...]
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    notes: tuple[str, ...] = ()
    plain: bool = False
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody says about text files, so that it is not guessed, or which version to read."""

    delimiter: str | None = None
    quote: str | None = None
    """Empty: nothing quotes."""
    header: bool | None = None
    version: str | None = None


GUESS = Given()

KNOWN = "CSV, JSON lines, Parquet, Avro, ORC, Arrow IPC, and tables of Delta Lake and Iceberg"
"""What can be registered, as hints say it."""


def check_names(names: Sequence[str]) -> None:
    """Check that columns can be told apart by their own names.

    Raises:
        SourceInvalid: a name occurs twice, or holds a NUL, which no catalog can store.
    """
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise SourceInvalid(
                f"duplicate column name `{name[:64]}`", hint="columns are bound by name; rename one"
            )
        if "\0" in name:
            raise SourceInvalid("a column name holds a NUL character")
        seen.add(name)


def same_columns(like: Shape, names: Sequence[str]) -> None:
    """Check that a file has the columns of another; their order is free.

    The message names none of the file's own: without a header, they would be cells.

    Raises:
        SourceInvalid: it has other columns.
    """
    ours = {field.name for field in like.fields}
    missing = sorted(ours - set(names))
    if missing:
        raise SourceInvalid(
            f"conflicting columns: lacks `{missing[0][:64]}`, which the first file has",
            hint="put files of different columns into different folders",
        )
    if len(names) > len(ours):
        raise SourceInvalid(
            "conflicting columns: has more columns than the first file",
            hint="put files of different columns into different folders",
        )
