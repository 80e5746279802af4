"""Parse trees of definitions to their values."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from privet.model.errors import ParseFailed, Position
from privet.model.names import FieldPath
from privet.model.sources import SCHEME
from privet.policy.functions import near
from privet.policy.language import definitions as d
from privet.policy.language.expressions import read_name, read_text
from privet.policy.language.nodes import (
    at,
    branches,
    dataset_in,
    free_properties,
    has,
    name_in,
    part,
    query_text,
    tag,
    text_of,
    tokens,
)
from privet.policy.language.syntax import Branch, position_of
from privet.policy.language.types import read_type

_FORMATS = ("TEXTFILE", "JSON", "PARQUET", "AVRO", "ORC", "ARROW", "DELTA", "ICEBERG")
_LATER = ("SEQUENCEFILE", "RCFILE")
_SAID = f"{', '.join(_FORMATS[:-1])} and {_FORMATS[-1]}"
_CONNECTED = "JDBC"
"""What is said of a table that is no files, but one of a database."""
_CLAUSES = {
    "partitioned": "PARTITIONED BY",
    "comment": "COMMENT",
    "tagged": "ATTRIBUTE",
    "row_format": "ROW FORMAT",
    "serde_properties": "SERDEPROPERTIES",
    "stored": "STORED AS",
    "location": "LOCATION",
    "over": "OVER",
    "table_properties": "TBLPROPERTIES",
    "database_properties": "DBPROPERTIES",
}
_READING = {"field.delim": "delimiter", "separatorchar": "delimiter", "quotechar": "quote"}
_ESCAPES = {"\\t": "\t", "\\001": "\x01", "\\u0001": "\x01"}


def _create_database(tree: Branch) -> d.CreateDatabase:
    clauses = _once(tree)
    properties = clauses.get("database_properties")
    return d.CreateDatabase(
        name_in(tree, "database name"),
        has(tree, "if_not_exists"),
        text_of(clauses["comment"]) if "comment" in clauses else "",
        free_properties(branches(properties)) if properties else {},
        at(tree, "name"),
    )


def _drop_database(tree: Branch) -> d.DropDatabase:
    return d.DropDatabase(
        name_in(tree, "database name"),
        has(tree, "if_exists"),
        has(tree, "cascade"),
        has(tree, "with_permissions"),
        at(tree, "name"),
    )


def _create_table(tree: Branch) -> d.CreateTable:
    clauses = _once(tree)
    columns, partitions = part(tree, "columns"), clauses.get("partitioned")
    own = read_columns(columns) if columns else ()
    folders = read_columns(branches(partitions)[0]) if partitions else ()
    _check_distinct((*own, *folders))
    like, like_at = _like(tree)
    row_format, location = clauses.get("row_format"), clauses.get("location")
    properties, tagged = clauses.get("table_properties"), clauses.get("tagged")
    delimiter, quote = read_reading(clauses.get("serde_properties"))
    terminated = _delimiter(row_format) if row_format else None
    if row_format and terminated and delimiter not in {None, terminated}:
        raise ParseFailed(
            "what terminates fields is said twice, and differs",
            hint="leave out one of ROW FORMAT and SERDEPROPERTIES",
            position=position_of(row_format),
        )
    return d.CreateTable(
        dataset_in(tree),
        has(tree, "if_not_exists"),
        own,
        folders,
        like=like,
        location=text_of(location) if location else "",
        format=_format(clauses["stored"]) if "stored" in clauses else "",
        delimiter=terminated or delimiter or "",
        quote=quote,
        comment=text_of(clauses["comment"]) if "comment" in clauses else "",
        tags=_tags(tagged, ()) if tagged else (),
        properties=free_properties(branches(properties)) if properties else {},
        over=_over(clauses["over"]) if "over" in clauses else None,
        at=at(tree, "dataset"),
        places={_CLAUSES[word]: position_of(clause) for word, clause in clauses.items()}
        | ({"LIKE": like_at} if like_at else {}),
    )


def _over(tree: Branch) -> d.TableOver:
    table, *schema = [read_text(t) for t in tokens(tree) if t.type == "STRING"]
    return d.TableOver(name_in(tree, "connection name"), table, *schema)


_OF_COPIES = frozenset({"comment", "location", "stored", "table_properties"})


def _create_table_as(tree: Branch) -> d.CreateTableAs:
    clauses = _once(tree)
    text, position = query_text(tokens(tree)[-1], "AS")
    columns = part(tree, "columns")
    for rule, clause in (clauses | ({"columns": columns} if columns else {})).items():
        if rule not in _OF_COPIES:
            what = _CLAUSES.get(rule, "a list of columns")
            raise ParseFailed(
                f"a copy takes its columns and tags from what it is made of, and has no {what}",
                hint="leave it out, and change the table afterwards",
                position=position_of(clause),
            )
    if "stored" in clauses and _format(clauses["stored"]) != "PARQUET":
        raise ParseFailed(
            "copies are stored as PARQUET", hint="leave out STORED AS",
            position=position_of(clauses["stored"]),
        )  # fmt: skip
    properties = clauses.get("table_properties")
    return d.CreateTableAs(
        dataset_in(tree),
        text,
        position,
        has(tree, "if_not_exists"),
        text_of(clauses["location"]) if "location" in clauses else "",
        text_of(clauses["comment"]) if "comment" in clauses else "",
        free_properties(branches(properties)) if properties else {},
        at(tree, "dataset"),
    )


def _insert(tree: Branch) -> d.Insert:
    how, text = tokens(tree)
    if how.type == "OVERWRITE":
        raise ParseFailed(
            "INSERT OVERWRITE is not supported: rows that somebody reads are not replaced",
            hint="write INSERT INTO, or make another copy and rename it",
            position=position_of(how),
        )
    return d.Insert(dataset_in(tree), *query_text(text, ""), at(tree, "dataset"))


def _once(tree: Branch) -> dict[str, Branch]:
    """The clauses by their rule.

    Raises:
        ParseFailed: one is there twice, or is one that tables cannot have.
    """
    found: dict[str, Branch] = {}
    for clause in branches(tree):
        rule = str(clause.data)
        if rule == "serde":
            raise ParseFailed(
                "SERDE is not supported: files are read as what they are",
                hint="leave it out, or write ROW FORMAT DELIMITED FIELDS TERMINATED BY '|'",
                position=position_of(clause),
            )
        if rule not in _CLAUSES:
            continue
        if rule in found:
            raise ParseFailed(f"{_CLAUSES[rule]} is given twice", position=position_of(clause))
        found[rule] = clause
    return found


def read_columns(tree: Branch) -> tuple[d.ColumnDefinition, ...]:
    """The columns of a table."""
    return tuple(map(_column, branches(tree)))


def _column(tree: Branch) -> d.ColumnDefinition:
    name, kind_tree, *_ = branches(tree)
    folded = read_name(name, "column name")
    kind, exact, inner = read_type(kind_tree, (folded,))
    clauses = _once(tree)
    tagged, comment = clauses.get("tagged"), clauses.get("comment")
    tags = (*(_tags(tagged, (folded,)) if tagged else ()), *inner)
    written = text_of(comment) if comment else ""
    return d.ColumnDefinition(folded, kind, exact, written, tags, position_of(name))


def _tags(tree: Branch, path: FieldPath) -> tuple[d.TagAt, ...]:
    found = tuple(d.TagAt(tag(t), path, position_of(t)) for t in branches(tree))
    for place, each in enumerate(found):
        if each in found[:place]:
            raise ParseFailed(f"tag `{each.tag}` is given twice", position=each.at)
    return found


def _check_distinct(columns: Iterable[d.ColumnDefinition | d.ViewColumn]) -> None:
    seen: set[str] = set()
    for column in columns:
        if column.name in seen:
            raise ParseFailed(f"two columns are called `{column.name}`", position=column.at)
        seen.add(column.name)


def _like(tree: Branch) -> tuple[str, Position | None]:
    if tree.data != "create_table_like":
        return "", None
    word, path = tokens(tree)
    if word.upper() not in _FORMATS:
        raise ParseFailed(
            f"LIKE `{str(word)[:64]}` is not supported",
            hint=f"write LIKE PARQUET 'path of a file'; {_SAID} are supported",
            position=position_of(word),
        )
    return read_text(path), position_of(path)


def _format(tree: Branch) -> str:
    token, *classes = tokens(tree)
    word = token.upper()
    if word in (*_FORMATS, _CONNECTED) and not classes:
        return word
    supported = f"{_SAID} are supported"
    message = f"unknown format `{str(token)[:64]}`"
    if classes or word in _LATER:
        message = f"STORED AS {word[:64]} is not supported yet"
    raise ParseFailed(
        message,
        hint="; ".join(filter(None, (supported, near(word[:64], _FORMATS)))),
        position=position_of(token),
    )


def _delimiter(tree: Branch) -> str:
    terminated = part(tree, "terminated")
    if terminated is None:
        return ""
    return _one_delimiter(
        "FIELDS TERMINATED BY", text_of(terminated), position_of(tokens(terminated)[0])
    )


def _one_delimiter(what: str, written: str, place: Position) -> str:
    delimiter = _ESCAPES.get(written, written)
    letter = not delimiter.isascii() and delimiter.isalpha()
    if len(delimiter) != 1 or not (delimiter.isascii() or letter) or delimiter in "\"'\r\n\0":
        raise ParseFailed(
            f"{what} takes one character that is no quote and ends no line",
            hint="write '|', ',', ';', '\\t' or a letter beyond ASCII",
            position=place,
        )
    return delimiter


_AGAIN, _UNSAID = "serialization.format", "1"
"""How Hive writes with what fields are delimited: as it reads them, or as it does by itself."""


def read_reading(tree: Branch | None) -> tuple[str | None, str | None]:
    """What SERDEPROPERTIES say delimits and quotes fields; None: they do not say.

    Raises:
        ParseFailed: they say something else, or one of the two twice.
    """
    said: dict[str, str] = {}
    items = (each for each in (branches(tree) if tree else ()) if each.data == "property")
    for item in items:
        key, value = tokens(item)
        word, written = read_text(key), read_text(value)
        if word.lower() == _AGAIN:
            if _ESCAPES.get(written, written) not in {_UNSAID, said.get("delimiter")}:
                raise ParseFailed(
                    f"`{_AGAIN}` is what `field.delim` before it is, or '{_UNSAID}'",
                    position=position_of(value),
                )
            continue
        name = _READING.get(word.lower())
        if name is None or name in said:
            raise ParseFailed(
                f"`{word[:64]}` does not say how text is read, or says it again",
                hint="SERDEPROPERTIES are 'field.delim' or 'separatorChar', and 'quoteChar'",
                position=position_of(key),
            )
        said[name] = _SAYS[name](word, written, position_of(value))
    return said.get("delimiter"), said.get("quote")


def _one_quote(what: str, written: str, place: Position) -> str:
    if written not in {"", '"', "'"}:
        raise ParseFailed(
            f"`{what[:64]}` is a double or a single quote, or empty: then nothing quotes",
            position=place,
        )
    return written


_SAYS = {"delimiter": _one_delimiter, "quote": _one_quote}


def read_view_columns(tree: Branch) -> tuple[d.ViewColumn, ...]:
    """The columns that a view is said to have.

    Raises:
        ParseFailed: two have one name, or one has a clause twice.
    """
    found = tuple(map(_view_column, branches(tree)))
    _check_distinct(found)
    return found


def _view_column(tree: Branch) -> d.ViewColumn:
    name, *rest = branches(tree)
    folded = read_name(name, "column name")
    clauses = _once(tree)
    tagged, comment = clauses.get("tagged"), clauses.get("comment")
    tags = _tags(tagged, (folded,)) if tagged else ()
    said = next((t for t in rest if str(t.data).endswith("_type")), None)
    kind, exact, inner = read_type(said, (folded,)) if said else (None, False, ())
    written = text_of(comment) if comment else ""
    return d.ViewColumn(folded, kind, exact, written, (*tags, *inner), position_of(name))


def _create_crawler(tree: Branch) -> d.CreateCrawler:
    properties, behind = part(tree, "crawler_properties"), part(tree, "of_connection")
    if properties is not None:
        raise ParseFailed(
            "crawls have no properties: what lies there is found out",
            hint="leave out CRAWLER_PROPERTIES",
            position=position_of(properties),
        )
    name, where = name_in(tree, "crawl name"), at(tree, "name")
    if behind is None:
        return d.CreateCrawler(name, read_text(tokens(tree)[-1]), where)
    written = branches(behind)
    connection = (
        read_name(written[0], "connection name") if written else read_text(tokens(behind)[-1])
    )
    return d.CreateCrawler(name, f"{SCHEME}://{connection}", where)


def _drop_crawler(tree: Branch) -> d.DropCrawler:
    return d.DropCrawler(name_in(tree, "crawl name"), has(tree, "if_exists"), at(tree, "name"))


def _connection(tree: Branch) -> d.DefineConnection:
    properties = part(tree, "connection_properties")
    return d.DefineConnection(
        name_in(tree, "connection name"),
        str(tree.data).partition("_")[0].upper(),
        has(tree, "if_not_exists") or has(tree, "if_exists"),
        free_properties(branches(properties)) if properties else {},
        at(tree, "name"),
    )


DEFINING: dict[str, Callable[[Branch], d.Definition]] = {
    "create_database": _create_database,
    "drop_database": _drop_database,
    "create_table": _create_table,
    "create_table_like": _create_table,
    "create_table_as": _create_table_as,
    "insert": _insert,
    "create_crawler": _create_crawler,
    "drop_crawler": _drop_crawler,
    **dict.fromkeys(("create_connection", "alter_connection", "drop_connection"), _connection),
}
