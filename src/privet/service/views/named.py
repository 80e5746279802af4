"""Views whose author names the columns: the text for that, and what is said of each."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace

import pyarrow as pa
import pyarrow.types as pat

from privet.model.datasets import Column, FieldTag, plain_type
from privet.model.errors import InvalidRequest, Position, PrivetError
from privet.policy import definitions as d
from privet.policy import type_sql

_BEFORE = "SELECT * FROM (\n"


def named_text(wanted: d.CreateView) -> str:
    """The SELECT of a view, under the names that its author gives the columns."""
    if not wanted.columns:
        return wanted.text
    names = ", ".join(f'"{column.name}"' for column in wanted.columns)
    return f"{_BEFORE}{wanted.text}\n) AS named({names})"


@contextmanager
def within(start: Position) -> Generator[None]:
    """Let errors in a text that is part of a statement stand where they are in the statement."""
    try:
        yield
    except PrivetError as error:
        if (at := error.position) is not None:
            column = at.column + (start.column - 1 if at.line == 1 else 0)
            error.position = Position(at.line + start.line - 1, column, at.offset + start.offset)
        raise


@contextmanager
def unwrapped(wanted: d.CreateView) -> Generator[None]:
    """Let errors in the text of `named_text` stand where they are in the author's statement."""
    with within(wanted.text_position):
        try:
            yield
        except PrivetError as error:
            if wanted.columns and (at := error.position) is not None:
                inside = at.line > 1 and at.offset < len(_BEFORE) + len(wanted.text)
                error.position = (
                    Position(at.line - 1, at.column, at.offset - len(_BEFORE)) if inside else None
                )
            raise


def as_said(wanted: d.CreateView, columns: tuple[Column, ...]) -> tuple[Column, ...]:
    """The columns with the comments and tags that the author writes.

    Raises:
        InvalidRequest: there are others, or one is of another type; with the position.
    """
    if not wanted.columns:
        return columns
    if len(wanted.columns) != len(columns):
        raise InvalidRequest(
            f"{len(wanted.columns)} columns are named, and the SELECT has {len(columns)}",
            hint="name each of them",
            position=wanted.columns[-1].at,
        )
    return tuple(map(_as_said, wanted.columns, columns))


def _as_said(said: d.ViewColumn, column: Column) -> Column:
    if said.type is not None and not _fits(said.type, column.type, exact=said.exact):
        raise InvalidRequest(
            f"column `{said.name}` is {type_sql(plain_type(column.type))} in the SELECT",
            hint=f"leave out the type, or write cast(... AS {type_sql(said.type)}) in the SELECT",
            position=said.at,
        )
    tags = tuple(FieldTag(t.path, t.tag) for t in said.tags)
    return replace(column, comment=said.comment or column.comment, field_tags=tags)


def _fits(said: pa.DataType, is_: pa.DataType, *, exact: bool) -> bool:
    kind = plain_type(is_)
    return said == kind or (not exact and pat.is_timestamp(said) and pat.is_timestamp(kind))
