"""A dataset as the statement that makes it again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from privet.model.datasets import Column, Dataset, FieldTag, Format, TagOrigin
from privet.model.sources import CatalogPlace, TablePlace
from privet.policy import type_sql
from privet.service.definitions.columns import HEADER
from privet.service.definitions.connected import JDBC, said_of

_QUOTE = '"'
_ESCAPED = {"\t": "\\t", "\x01": "\\001"}


def create_sql(dataset: Dataset) -> str:
    """The statement: of a view with its text, of a table with all that files do not say."""
    name = f"`{dataset.name.database}`.`{dataset.name.name}`"
    if dataset.view is not None:
        return f"CREATE VIEW {name} AS {dataset.view.text}"
    return "\n".join((f"CREATE EXTERNAL TABLE {name} (", *_clauses(dataset)))


def _clauses(dataset: Dataset) -> Iterator[str]:
    source = dataset.source
    columns = map(_keeping, dataset.columns) if dataset.copy else dataset.columns
    yield _columns([c for c in columns if not c.partition]) + ")"
    if dataset.tags:
        yield f"ATTRIBUTE {' '.join(sorted(map(str, dataset.tags)))}"
    if folders := [c for c in dataset.columns if c.partition]:
        yield f"PARTITIONED BY (\n{_columns(folders)})"
    if dataset.description:
        yield f"COMMENT {_text(dataset.description)}"
    properties = dict(dataset.properties)
    if source.format is Format.CSV:
        delimiter = str(source.options["delimiter"])
        terminated = _text(_ESCAPED.get(delimiter, delimiter))
        yield f"ROW FORMAT DELIMITED FIELDS TERMINATED BY {terminated}"
        if (quote := source.options["quote"]) != _QUOTE:
            yield f"WITH SERDEPROPERTIES ('quoteChar'={_text(quote)})"
        yield "STORED AS TEXTFILE"
        properties[HEADER] = "1" if source.options["header"] else "0"
    elif source.format is Format.TABLE:
        yield f"STORED AS {JDBC}"
        properties |= said_of(TablePlace.of(source))
    else:
        yield f"STORED AS {source.format.upper()}"
    if (place := CatalogPlace.of(source)) is not None:
        properties |= said_of(place)
    elif source.format is not Format.TABLE:
        yield f"LOCATION {_text(source.uri)}"
    if properties:
        yield f"TBLPROPERTIES ({_pairs(properties)})"


def _columns(columns: list[Column]) -> str:
    return ",\n".join(f"  {_column(column)}" for column in columns)


def _column(column: Column) -> str:
    own = _own(column)
    tags = " ".join(str(t.tag) for t in own if len(t.path) == 1)
    inner = [(t.path[1:], t.tag) for t in own if len(t.path) > 1]
    said = (
        f"`{column.name}` {type_sql(column.type, inner)}",
        f"ATTRIBUTE {tags}" if tags else "",
        f"COMMENT {_text(column.comment)}" if column.comment else "",
    )
    return " ".join(filter(None, said))


def _keeping(column: Column) -> Column:
    """A column of a copy whose tags are written down: another table would not inherit them."""
    tags = dict.fromkeys(t.tag for t in column.field_tags)
    return replace(column, field_tags=tuple(FieldTag((column.name,), tag) for tag in tags))


def _own(column: Column) -> list[FieldTag]:
    own = (t for t in column.field_tags if t.origin is not TagOrigin.LINEAGE)
    return sorted(own, key=lambda t: (t.path, t.tag))


def _pairs(properties: Mapping[str, str]) -> str:
    return ", ".join(f"{_text(k)}={_text(v)}" for k, v in sorted(properties.items()))


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
