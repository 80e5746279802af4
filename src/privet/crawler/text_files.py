"""Looks at CSV files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.types as pat

from privet.crawler.dialect import Dialect, Record, guess_dialect, lines_of, split
from privet.crawler.heads import Head, Text, decode
from privet.crawler.inference import infer_types, is_header, widen
from privet.crawler.shapes import GUESS, Field, Given, Shape, check_names, same_columns
from privet.model.datasets import Format
from privet.model.errors import SourceInvalid

_GREAT_MAJORITY = 0.75
_SHOWN_LINES = 3
_HEADER_ROWS = 1000


def look_at_text(head: Head, uri: str, like: Shape | None = None, given: Given = GUESS) -> Shape:
    """Guess the dialect, header and types of a CSV file, or read it `like` another.

    What is `given` is not guessed.

    Raises:
        SourceInvalid: it cannot be registered; the message says why.
    """
    text = decode(head, uri)
    if not text.text.strip():
        raise SourceInvalid("is empty")
    dialect = _dialect(text, like, given)
    lines = lines_of(text.text)
    records = split(lines, dialect, whole=text.whole)
    if not records or records[0].first > 1:
        raise SourceInvalid("begins with an empty line", hint="a header or data must come first")
    width = _width(records) if like is None else len(like.fields)
    header = _header(records, width, given) if like is None else bool(like.options["header"])
    _check_widths(records, width)
    names = records[0].fields if header else tuple(f"c{n}" for n in range(1, width + 1))
    if like is None:
        check_names(names)
    else:
        same_columns(like, names)
    body = records[1:] if header else records
    kinds = infer_types(lines, body, dialect, width)
    options = {
        "delimiter": dialect.delimiter,
        "quote": dialect.quote,
        "header": header,
        "encoding": text.encoding,
        "compression": head.compression,
        "multiline": any(record.end - record.first > 1 for record in records),
    }
    fields = tuple(Field(n, k) for n, k in zip(names, kinds, strict=True))
    notes = _notes(text, records, header=header, width=width)
    return Shape(Format.CSV, fields, options, notes, text.plain)


def _dialect(text: Text, like: Shape | None, given: Given) -> Dialect:
    if like is not None:
        return dialect_of(like.options)
    return guess_dialect(text, given.delimiter, given.quote)


def dialect_of(options: Mapping[str, Any]) -> Dialect:
    """The dialect that a source's options name."""
    return Dialect(str(options["delimiter"]), str(options["quote"]))


def join_text(first: Shape, other: Shape) -> Shape:
    """What two CSV files of a folder are together.

    Raises:
        SourceInvalid: they cannot be read as one dataset.
    """
    if first.options["compression"] != other.options["compression"]:
        raise SourceInvalid("conflicting compression: some files of the folder are compressed")
    options = dict(first.options)
    options["encoding"] = _join_encodings(first, other)
    options["multiline"] = first.options["multiline"] or other.options["multiline"]
    kinds = {f.name: f.kind for f in other.fields}
    fields = tuple(replace(f, kind=widen(f.kind, kinds[f.name])) for f in first.fields)
    return replace(first, fields=fields, options=options, plain=first.plain and other.plain)


def settle(shape: Shape) -> Shape:
    """Columns without any value are text."""
    fields = tuple(replace(f, kind=pa.string()) if pat.is_null(f.kind) else f for f in shape.fields)
    return replace(shape, fields=fields)


def _width(records: Sequence[Record]) -> int:
    """The usual number of fields; where two are equally usual, that of the first record."""
    widths = Counter(len(record.fields) for record in records)
    width, count = widths.most_common(1)[0]
    first = len(records[0].fields)
    return first if widths[first] == count else width


def _header(records: Sequence[Record], width: int, given: Given) -> bool:
    return _has_header(records, width) if given.header is None else given.header


def _has_header(records: Sequence[Record], width: int) -> bool:
    below = [record for record in records[1 : _HEADER_ROWS + 1] if len(record.fields) == width]
    return len(records[0].fields) == width and is_header(records[0], below)


def _check_widths(records: Sequence[Record], width: int) -> None:
    good = sum(len(record.fields) == width for record in records)
    if good < _GREAT_MAJORITY * len(records) or len(records[0].fields) != width:
        raise SourceInvalid(
            f"{len(records) - good} of {len(records)} records do not have {width} fields, "
            f"{_where(records, width)}",
            hint="look for unquoted delimiters, or for more than one table in the file",
        )


def _notes(text: Text, records: Sequence[Record], *, header: bool, width: int) -> tuple[str, ...]:
    broken = sum(len(record.fields) != width for record in records)
    notes = (
        text.note,
        "" if header else "has no header: columns are named by position",
        "has no rows yet: all columns are taken as text" if header and len(records) == 1 else "",
        f"{broken} of {len(records)} records do not have {width} fields, {_where(records, width)}: "
        "scans end with an error until they are mended"
        if broken
        else "",
    )
    return tuple(note for note in notes if note)


def _where(records: Sequence[Record], width: int) -> str:
    """The lines of the first few records that have another width."""
    lines = [str(record.first) for record in records if len(record.fields) != width]
    more = ", ..." if len(lines) > _SHOWN_LINES else ""
    return f"see line {', '.join(lines[:_SHOWN_LINES])}{more}"


def _join_encodings(first: Shape, other: Shape) -> str:
    one, two = first.options["encoding"], other.options["encoding"]
    if one == two or other.plain:
        return one
    if first.plain:
        return two
    if {one, two} == {"cp1252", "latin-1"}:
        return "latin-1"
    raise SourceInvalid(
        f"conflicting encodings: {two} here and {one} in the first file",
        hint="write all files of a folder in utf-8",
    )
