"""What there is, in the original's shapes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.types as pat

from privet.model.datasets import Column, Format, plain_type
from privet.model.names import DatasetName, TagName, fold
from privet.okera.calls import Call
from privet.okera.rpc.ddl.answers import Answer, Row

_NAME = r"`?(\w+)`?\.`?(\w+)`?"
_INDENT = "  "
_TYPES = {
    pa.bool_(): "boolean",
    pa.int8(): "tinyint",
    pa.int16(): "smallint",
    pa.int32(): "int",
    pa.int64(): "bigint",
    pa.float32(): "float",
    pa.float64(): "double",
    pa.string(): "string",
    pa.binary(): "binary",
    pa.date32(): "date",
}


def _describe(call: Call, found: re.Match[str], _: str) -> Answer:
    view = call.services.datasets.get(call.caller, _named(found))
    rows = [row for column in columns_of(view) for row in _rows(column)]
    return Answer(("name", "type", "comment", "attributes"), tuple(rows))


def _named(found: re.Match[str]) -> DatasetName:
    return DatasetName(fold(found[1], "database name"), fold(found[2], "dataset name"))


def columns_of(view: Any) -> list[Column]:
    """The columns that a caller sees; all, if they administer the dataset and see none."""
    if view.full and not view.decision.visible:
        return list(view.dataset.columns)
    return [decided.column for decided in view.decision.visible]


def _rows(column: Column) -> Iterator[Row]:
    """A column in one row; where structs are in it, a row for each field and for each bracket."""
    tags: dict[tuple[str, ...], set[TagName]] = {}
    for tagged in column.field_tags:
        tags.setdefault(tagged.path, set()).add(tagged.tag)

    def told(path: tuple[str, ...]) -> str:
        return ", ".join(sorted(map(str, tags.get(path, ()))))

    lines = list(_lines((column.name,), plain_type(column.type), 0))
    for number, (text, path) in enumerate(lines):
        first = number == 0
        yield (
            column.name if first else "",
            text,
            column.comment if first else "",
            told(path) if path else "",
        )


def _lines(
    path: tuple[str, ...], kind: pa.DataType, depth: int
) -> Iterator[tuple[str, tuple[str, ...]]]:
    before, core, after = _around(kind)
    if not pat.is_struct(core):
        yield type_text(kind), path
        return
    yield f"{before}struct<", path
    fields = [core.field(i) for i in range(core.num_fields)]
    indent = _INDENT * (depth + 1)
    for number, field in enumerate(fields):
        comma = "," if number + 1 < len(fields) else ""
        inner = list(_lines((*path, field.name.lower()), field.type, depth + 1))
        for index, (text, at) in enumerate(inner):
            start = f"{indent}{field.name}:" if index == 0 else ""
            yield start + text + (comma if index + 1 == len(inner) else ""), at
    yield f"{_INDENT * depth}>{after}", ()


def _around(kind: pa.DataType) -> tuple[str, pa.DataType, str]:
    """What lists and maps are of at last, with what is written before and after it."""
    before = after = ""
    while pat.is_list(kind) or pat.is_map(kind):
        listed = pat.is_list(kind)
        before += "array<" if listed else f"map<{type_text(kind.key_type)},"
        after += ">"
        kind = kind.value_type if listed else kind.item_type
    return before, kind, after


def type_text(kind: pa.DataType) -> str:
    """A type as the original writes it."""
    if pat.is_struct(kind):
        fields = (kind.field(i) for i in range(kind.num_fields))
        return f"struct<{','.join(f'{f.name}:{type_text(f.type)}' for f in fields)}>"
    if pat.is_list(kind):
        return f"array<{type_text(kind.value_type)}>"
    if pat.is_map(kind):
        return f"map<{type_text(kind.key_type)},{type_text(kind.item_type)}>"
    if pat.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if pat.is_timestamp(kind):
        return "timestamp"
    return _TYPES.get(kind, str(kind))


def _format(form: Format) -> str:
    return "TEXT" if form is Format.CSV else form.upper()


def _formatted(call: Call, found: re.Match[str], _: str) -> Answer:
    view = call.services.datasets.get(call.caller, _named(found))
    return Answer(text="\n".join(_pages(view)))


def _pages(view: Any) -> Iterator[str]:
    dataset, columns = view.dataset, columns_of(view)
    yield "# col_name\tdata_type\tcomment"
    for column in columns:
        yield f"{column.name}\t{type_text(plain_type(column.type))}\t{column.comment}"
    yield ""
    yield "# Detailed Table Information"
    yield f"Database:\t{dataset.name.database}"
    if view.full:
        yield f"Owner:\t{dataset.owner}"
        yield f"Table Type:\t{'VIRTUAL_VIEW' if dataset.view else 'EXTERNAL_TABLE'}"
        if dataset.view is not None:
            yield f"View Original Text:\t{dataset.view.text}"
        else:
            yield f"Location:\t{dataset.source.uri}"
            yield f"InputFormat:\t{_format(dataset.source.format)}"
        for name, value in sorted(dataset.properties.items()):
            yield f"\t{name}\t{value}"
    if dataset.tags:
        yield f"Table Attributes:\t\t{', '.join(sorted(map(str, dataset.tags)))}"
    tagged = [(path, tags) for column in columns for path, tags in _tagged(column)]
    if tagged:
        yield "Columns With Attributes:"
        for path, tags in tagged:
            yield f"\t{path}\t{tags}"


def _tagged(column: Column) -> Iterator[tuple[str, str]]:
    paths: dict[tuple[str, ...], set[TagName]] = {}
    for tagged in column.field_tags:
        paths.setdefault(tagged.path, set()).add(tagged.tag)
    for path in sorted(paths):
        yield ".".join(path), ", ".join(sorted(map(str, paths[path])))


def describe_database(call: Call, found: re.Match[str], _: str) -> Answer:
    """A database, by the first group."""
    seen = call.services.databases.get(call.caller, fold(found[1], "database name"))
    database = seen.database
    rows: list[Row] = [("name", database.name), ("description", database.description)]
    if database.tags:
        rows.append(("attributes", ", ".join(sorted(map(str, database.tags)))))
    if seen.full:
        rows += [("owner", database.created_by), *sorted(database.properties.items())]
    return Answer(("name", "value"), tuple(rows))


def show_tables(call: Call, found: re.Match[str], _: str) -> Answer:
    """The datasets of the database that is the first group."""
    database = fold(found[1], "database name")
    call.services.databases.get(call.caller, database)
    views = call.services.datasets.list(call.caller, database)
    return Answer(("name",), tuple((v.dataset.name.name,) for v in views))


def _created(call: Call, found: re.Match[str], text: str) -> Answer:
    del found
    result = call.services.statements.execute(call.caller, text)
    return Answer(text="\n".join(row[0] for row in result.rows))


def _partitions(call: Call, found: re.Match[str], text: str) -> Answer:
    del found
    result = call.services.statements.execute(call.caller, text)
    total = ("Total", *("" for _ in result.columns[1:]))
    return Answer(result.columns, (*result.rows, total))


SPECIAL: tuple[tuple[str, Callable[[Call, re.Match[str], str], Answer]], ...] = (
    (r"\s*desc(?:ribe)?\s+(?:formatted|extended)\s+" + _NAME, _formatted),
    (r"\s*desc(?:ribe)?\s+database\s+`?(\w+)`?", describe_database),
    (r"\s*desc(?:ribe)?\s+" + _NAME, _describe),
    (r"\s*show\s+tables\s+in\s+`?(\w+)`?", show_tables),
    (r"\s*show\s+create\s+(?:table|view)\s+" + _NAME, _created),
    (r"\s*show\s+partitions\s+" + _NAME, _partitions),
)
