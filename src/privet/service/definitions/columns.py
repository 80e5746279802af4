"""From what a statement says of a table, and what its files hold, to the columns it gets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.types as pat

from privet.model.crawling.crawls import FoundDataset
from privet.model.datasets import Column, FieldTag, Format, TagOrigin, plain_type
from privet.model.errors import InvalidRequest, Position
from privet.policy import definitions as d
from privet.policy import type_sql

HEADER = "skip.header.line.count"
"""The property that says whether text files begin with a header."""
QUOTE = "okera.text-table.default-quote-char"
"""The property that says what quotes text, unless SERDEPROPERTIES do."""
_FORMATS = {
    "TEXTFILE": Format.CSV,
    **{f.upper(): f for f in Format if f not in {Format.CSV, Format.VIEW, Format.TABLE}},
}
VERSION = "read.version"
"""The property that says of which version a table of a log is read."""
_CONVERTED = frozenset({Format.CSV, Format.JSON, Format.TABLE})
"""Formats whose values are read as a type; those of the others have one."""
_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Bound:
    """The columns of a table, and what its author should know about them."""

    columns: tuple[Column, ...]
    notes: tuple[str, ...] = ()


def said_header(wanted: d.CreateTable) -> bool | None:
    """Whether text files begin with a header, if that is said.

    Raises:
        InvalidRequest: something else than 0 or 1 is said.
    """
    said = wanted.properties.get(HEADER)
    if said not in {None, "0", "1"}:
        raise InvalidRequest(
            f"`{HEADER}` is '0' or '1'",
            hint="a header is one line",
            position=wanted.places.get("TBLPROPERTIES"),
        )
    return None if said is None else said == "1"


def said_quote(wanted: d.CreateTable) -> str | None:
    """What quotes text, if that is said; SERDEPROPERTIES count before the property of a table.

    Raises:
        InvalidRequest: the property is neither a quote nor empty.
    """
    said = wanted.properties.get(QUOTE) if wanted.quote is None else wanted.quote
    if said not in {None, "", "'", '"'}:
        raise InvalidRequest(
            f"`{QUOTE}` is a double or a single quote, or empty: then nothing quotes",
            position=wanted.places.get("TBLPROPERTIES"),
        )
    return said


def written_tags(wanted: d.CreateTable) -> tuple[d.TagAt, ...]:
    """Every tag that a statement puts on the table or its columns."""
    columns = (*wanted.columns, *wanted.partitions)
    return (*wanted.tags, *(t for column in columns for t in column.tags))


def check_files(wanted: d.CreateTable, found: FoundDataset) -> None:
    """Refuse files that are not what the statement says they are.

    Raises:
        InvalidRequest: they cannot be read, or are of another format.
    """
    where = wanted.places.get("LOCATION") or wanted.places.get("LIKE")
    if found.problem:
        raise InvalidRequest(
            f"the files cannot be registered: {found.problem}",
            hint="mend the files, or name another LOCATION",
            position=where,
        )
    form = found.source.format
    if wanted.format and _FORMATS[wanted.format] is not form:
        raise InvalidRequest(
            f"the files are {form.upper()}",
            hint="leave out STORED AS, or name another LOCATION",
            position=wanted.places.get("STORED AS"),
        )
    if wanted.properties.get(VERSION) and "version" not in found.source.options:
        raise InvalidRequest(
            f"the files are {form.upper()}, which has no versions",
            hint=f"leave out `{VERSION}`",
            position=wanted.places.get("TBLPROPERTIES"),
        )
    if wanted.delimiter and form is not Format.CSV:
        raise InvalidRequest(
            f"the files are {form.upper()}, whose fields nothing terminates",
            hint="leave out ROW FORMAT",
            position=wanted.places.get("ROW FORMAT") or wanted.places.get("SERDEPROPERTIES"),
        )
    if wanted.quote is not None and form is not Format.CSV:
        raise InvalidRequest(
            f"the files are {form.upper()}, in which nothing is quoted",
            hint="leave out SERDEPROPERTIES",
            position=wanted.places.get("SERDEPROPERTIES"),
        )


def bind(
    wanted: d.CreateTable, found: FoundDataset, like: tuple[d.ColumnDefinition, ...] = ()
) -> Bound:
    """The columns of a table over files; all are reviewed by whoever wrote the statement.

    They are those that are declared, else those `like` another file's, else those of the files.
    They have the tags that are written, and those that rules propose.

    Raises:
        InvalidRequest: a column or partition is not there; with the position.
    """
    own = tuple(c for c in found.columns if not c.partition)
    folders = tuple(c for c in found.columns if c.partition)
    declared = wanted.columns or like
    _check_partitions(wanted, folders)
    pairs = [
        *(_paired(declared, own, found) if declared else ((None, c) for c in own)),
        *(zip(wanted.partitions, folders, strict=True)),
    ]
    notes = (_note(said, there, found) for said, there in pairs)
    columns = tuple(_column(said, there) for said, there in pairs)
    return Bound(columns, tuple(filter(None, (*notes, _proposed(columns)))))


def _proposed(columns: Iterable[Column]) -> str:
    """Which tags nobody wrote."""
    by_rules = (t for c in columns for t in c.field_tags if t.origin is TagOrigin.RULE)
    put = [f"{'.'.join(t.path)} {t.tag}" for t in by_rules]
    return f"rules put tags on columns: {_listed(put)}" if put else ""


def _check_partitions(wanted: d.CreateTable, folders: tuple[Column, ...]) -> None:
    said, there = [c.name for c in wanted.partitions], [c.name for c in folders]
    if said == there:
        return
    shown = ", ".join(there)
    raise InvalidRequest(
        f"the files lie in partition folders `{shown}`"
        if there
        else "the files are not in partition folders",
        hint=f"write PARTITIONED BY with {shown}, in this order"
        if there
        else "leave out PARTITIONED BY; partitions are folders named column=value",
        position=wanted.places.get("PARTITIONED BY") or wanted.places.get("LOCATION"),
    )


def _paired(
    declared: tuple[d.ColumnDefinition, ...], own: tuple[Column, ...], found: FoundDataset
) -> Iterator[tuple[d.ColumnDefinition, Column]]:
    """Declared columns with those of the files: by name or, without a header, by position."""
    if not found.source.options.get("header", True):
        if len(declared) != len(own):
            raise InvalidRequest(
                f"{len(declared)} columns are declared; the files have {len(own)} and no header",
                hint="declare every column, in the order of the files",
                position=declared[-1].at,
            )
        yield from zip(declared, own, strict=True)
        return
    there = {c.name: c for c in own}
    for column in declared:
        if column.name not in there:
            raise InvalidRequest(
                f"the files have no column `{column.name}`",
                hint=f"they have {_listed(there)}",
                position=column.at,
            )
        yield column, there[column.name]


def _listed(names: Iterable[str]) -> str:
    held = list(names)
    return ", ".join([*held[:_SHOWN], *(["..."] if len(held) > _SHOWN else [])])


def _column(said: d.ColumnDefinition | None, there: Column) -> Column:
    if said is None:
        return replace(there, reviewed=True)
    kind = _kind(said, there)
    written = [FieldTag(t.path, t.tag) for t in said.tags]
    known = {(t.path, t.tag) for t in written}
    for proposed in there.field_tags:
        path = (said.name, *proposed.path[1:])
        # A field inside a column is there only as long as the type is the files' own.
        inside = len(path) == 1 or kind == there.type
        if inside and (path, proposed.tag) not in known:
            written.append(replace(proposed, path=path))
    return replace(
        there,
        name=said.name,
        type=kind,
        comment=said.comment or there.comment,
        reviewed=True,
        field_tags=tuple(written),
    )


def _kind(said: d.ColumnDefinition, there: Column) -> pa.DataType:
    """The declared type; a moment that is not meant to the letter has the files' unit and zone."""
    own = plain_type(there.type)
    loose = not said.exact and not there.partition
    return own if loose and pat.is_timestamp(said.type) and pat.is_timestamp(own) else said.type


def _note(said: d.ColumnDefinition | None, there: Column, found: FoundDataset) -> str:
    if said is None or found.source.format in _CONVERTED or there.partition:
        return ""
    kind, own = _kind(said, there), plain_type(there.type)
    if kind == own:
        return ""
    return (
        f"column `{said.name}` is {type_sql(own)} in the files and {type_sql(kind)} here: scans "
        "end with an error until the two agree"
    )


def as_declared(columns: Iterable[Column], at: Position | None) -> tuple[d.ColumnDefinition, ...]:
    """The columns of a file as if somebody had declared them."""
    return tuple(
        d.ColumnDefinition(c.name, plain_type(c.type), exact=True, comment=c.comment, at=at)
        for c in columns
        if not c.partition
    )
