"""Reading a statement before it runs: is it one SELECT, and which datasets does it name?

The engine's own parser makes the tree; here it is only walked. This is hygiene, not the wall: a
statement that gets by still has nothing but governed batches to look at. What is not known is
refused. A name is taken for a dataset wherever the engine would not find a CTE of that name; one
too many is refused or read for nothing, one too few cannot be resolved by the engine.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import duckdb

from privet.model.errors import (
    InvalidRequest,
    ParseFailed,
    Position,
    ResourcesExceeded,
    UnknownName,
)
from privet.model.names import DatasetName, fold
from privet.model.sql_text import BLANK, EXPLAIN
from privet.sandbox.functions import WHO_READS, refused_function, served_table_function
from privet.sandbox.plain import PlainSelect, find_plain

CATALOG = "privet"
"""What the one catalog is called where three parts name a dataset."""
_ENGINES_OWN = frozenset(
    {CATALOG, "information_schema", "main", "memory", "pg_catalog", "system", "temp"}
)
_MOST_NODES = 50_000
_BEFORE = re.compile(rf"(?:{BLANK}|;)*+", re.DOTALL)
_MORE = re.compile(rf"{BLANK}*+(?:ANALYZE\b|\()", re.IGNORECASE | re.DOTALL)
_NOWHERE = 2**64 - 1
_QUERIES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})
_TABLES = frozenset(
    {
        "BASE_TABLE",
        "SUBQUERY",
        "JOIN",
        "EMPTY",
        "EXPRESSION_LIST",
        "TABLE_FUNCTION",
        "PIVOT",
        "SHOW_REF",
    }
)
_CALLS = frozenset({"FUNCTION", "WINDOW"})
_SHOWN = frozenset({"DESCRIBE", "SUMMARY"})
_DEEP = ResourcesExceeded(
    "the statement is nested too deeply or too large", hint="split it, or name parts in WITH"
)


@dataclass(frozen=True, slots=True)
class Statement:
    """One SELECT, read.

    Attributes:
        text: without a leading EXPLAIN, in its place.
        explained: whether EXPLAIN stood there.
        datasets: to ask for, with the place where each is first named.
        parameters: `1`, `2`, ... or names, in order.
        plain: whether it may be no more than a scan: columns of one dataset as they are, some
            rows, a limit. The plan has the last word.
        tree: the query, as the engine's parser has it.
        database: where datasets named without one are.
    """

    text: str
    explained: bool
    datasets: dict[DatasetName, Position | None]
    parameters: tuple[str, ...]
    plain: PlainSelect | None = None
    tree: dict[str, Any] = field(default_factory=dict[str, Any])
    database: str | None = None


def read(connection: duckdb.DuckDBPyConnection, text: str, database: str | None) -> Statement:
    """Read a statement.

    Args:
        connection: anything with a parser.
        text: as the user wrote it.
        database: where datasets named without one are.

    Raises:
        ParseFailed: not one statement of SQL.
        InvalidRequest: not a SELECT throughout, or what is not served.
        ResourcesExceeded: too deep or too large.
    """
    explained, text = _without_explain(text)
    tree = _parse(connection, text)
    walk = _Walk(text, database)
    try:
        walk.query(tree["node"], frozenset())
    except RecursionError as error:
        raise _DEEP from error
    parameters = _parameters(connection, text)
    text = _bare(text)
    plain = find_plain(tree["node"])
    return Statement(text, explained, walk.datasets, parameters, plain, tree["node"], database)


def _bare(text: str) -> str:
    """A statement without semicolons before it, so that it can stand behind EXPLAIN.

    Blanks take their place, so that positions stay.
    """
    begun = _BEFORE.match(text)
    assert begun is not None
    return begun[0].replace(";", " ") + text[begun.end() :]


def _without_explain(text: str) -> tuple[bool, str]:
    found = EXPLAIN.match(text)
    if found is None:
        return False, text
    if _MORE.match(text, found.end()):
        raise InvalidRequest(
            "only a plain EXPLAIN is answered",
            hint="it says what is read and how; what it costs would tell what is hidden",
            position=position(text, len(text[: found.end()].encode())),
        )
    # Blanks in its place, so that positions stay.
    start = found.start(1)
    return True, text[:start] + " " * len(found[1]) + text[found.end() :]


def _parse(connection: duckdb.DuckDBPyConnection, text: str) -> dict[str, Any]:
    ((serialized,),) = connection.execute("SELECT json_serialize_sql($1)", [text]).fetchall()
    try:
        tree = json.loads(serialized)
    except RecursionError as error:
        raise _DEEP from error
    if not tree["error"]:
        return _only(tree["statements"])
    if tree["error_type"] == "parser":
        raise syntax_error(text, tree)
    if "parameter" in tree["error_message"]:
        raise InvalidRequest("parameters are either numbered or named", hint="use ? or $name")
    if len(_statements(connection, text)) > 1:
        raise _not_one()
    raise InvalidRequest(
        "only a SELECT is answered here",
        hint="nothing is written or set; PIVOT needs its values: ON column IN (...);"
        " policies are written with `privet sql` or execute()",
        position=position(text, 0),
    )


def _statements(connection: duckdb.DuckDBPyConnection, text: str) -> list[Any]:
    try:
        return connection.extract_statements(text)
    except duckdb.Error:
        return []


def _only(statements: list[dict[str, Any]]) -> dict[str, Any]:
    if len(statements) != 1:
        raise _not_one()
    return statements[0]


def _not_one() -> ParseFailed:
    return ParseFailed("exactly one statement is answered at a time", hint="send them one by one")


def syntax_error(text: str, told: dict[str, Any]) -> ParseFailed:
    """The engine's complaint about a text, in our words."""
    data = text.encode()
    start = int(told.get("position", len(data)))
    _, length = json.loads(told.get("location", "[0,0]"))
    near = data[start : start + length].decode(errors="replace").strip()
    said = f"`{near[:64]}` is not expected here" if near else "the statement breaks off here"
    return ParseFailed(
        said, hint="statements are SQL as DuckDB has it", position=position(text, start)
    )


def _parameters(connection: duckdb.DuckDBPyConnection, text: str) -> tuple[str, ...]:
    statements = _statements(connection, text)
    names = {name for statement in statements for name in statement.named_parameters}
    return tuple(sorted(names, key=lambda name: (not name.isdigit(), name.zfill(6))))


def position(text: str, offset: int) -> Position | None:
    """Where a byte offset of the engine's is; None where it gave none."""
    data = text.encode()
    if not 0 <= offset <= len(data):
        return None
    before = data[:offset].decode(errors="ignore")
    line = before.count("\n")
    return Position(line + 1, len(before) - (before.rfind("\n") + 1) + 1, len(before))


@dataclass(slots=True)
class _Walk:
    """Down a tree, with the CTE names in scope (folded as the engine folds: ASCII case)."""

    text: str
    database: str | None
    datasets: dict[DatasetName, Position | None] = field(default_factory=dict)
    _nodes: int = 0

    def query(self, node: dict[str, Any], scope: frozenset[str]) -> None:
        """A query node: its CTEs, each of which sees those before it, then the rest of it."""
        if node["type"] not in _QUERIES:
            raise self._refuse("only SELECT may stand here", node, "nothing is written or changed")
        for entry in node["cte_map"]["map"]:
            self._cte(entry["key"], entry["value"], scope)
            scope |= {entry["key"].lower()}
        self._children(((k, v) for k, v in node.items() if k != "cte_map"), scope)

    def _cte(self, name: str, value: dict[str, Any], scope: frozenset[str]) -> None:
        body = value.get("query_node") or value["query"]["node"]
        if body["type"] != "RECURSIVE_CTE_NODE":
            self.query(body, scope)
            return
        within = scope | {name.lower()}
        # The engine looks for the name in what is outside while it binds the first term.
        self.query(body["left"], scope)
        self.query(body["right"], within)
        rest = ((k, v) for k, v in body.items() if k not in {"left", "right", "cte_map"})
        self._children(rest, within)

    def _any(self, value: Any, scope: frozenset[str]) -> None:
        if isinstance(value, list):
            for item in value:
                self._any(item, scope)
        elif isinstance(value, dict):
            self._nodes += 1
            if self._nodes > _MOST_NODES:
                raise _DEEP
            if "cte_map" in value:
                self.query(value, scope)
            else:
                self._node(value, scope)

    def _node(self, node: dict[str, Any], scope: frozenset[str]) -> None:
        if node.get("class") in _CALLS:
            self._call(node)
        elif "class" not in node and {"alias", "sample", "query_location"} <= node.keys():
            self._table(node, scope)
        self._children(iter(node.items()), scope)

    def _children(self, items: Iterator[tuple[str, Any]], scope: frozenset[str]) -> None:
        for _, child in items:
            if isinstance(child, dict | list):
                self._any(child, scope)

    def _table(self, node: dict[str, Any], scope: frozenset[str]) -> None:
        kind = node["type"]
        if kind not in _TABLES:
            raise self._refuse(f"a {kind.lower().replace('_', ' ')} is not served", node)
        if kind == "BASE_TABLE":
            self._base_table(node, scope)
        if kind == "SHOW_REF" and (node.get("show_type") not in _SHOWN or not node.get("query")):
            raise self._refuse(
                "this is not a query",
                node,
                "SHOW DATABASES and SHOW TABLES IN name are statements of the policy language",
            )
        if kind == "TABLE_FUNCTION":
            name = str(node["function"].get("function_name", "")).lower()
            if not served_table_function(name):
                raise self._unserved(name, node)

    def _base_table(self, node: dict[str, Any], scope: frozenset[str]) -> None:
        path = [str(part) for part in node["qualified_name"]["path"]]
        if node.get("at_clause"):
            raise self._refuse("datasets are read as they are now", node, "leave AT out")
        if len(path) == 1 and path[0].lower() in scope:
            return
        if len(path) == 2 and path[0].lower() == "recurring" and path[1].lower() in scope:  # noqa: PLR2004
            return
        if len(path) == 3 and path[0].lower() == CATALOG:  # noqa: PLR2004
            path = path[1:]
        if len(path) == 1 and self.database:
            path = [self.database, *path]
        where = self._where(node)
        if len(path) != len(DatasetName._fields):
            said = ".".join(path)[:64]
            raise UnknownName(
                f"`{said}` does not say in which database it is",
                hint="write database.dataset, or choose a database",
                position=where,
            )
        try:
            name = DatasetName(fold(path[0], "database name"), fold(path[1], "dataset name"))
        except InvalidRequest as error:
            error.position = where
            raise
        if name.database in _ENGINES_OWN:
            raise InvalidRequest(
                f"datasets of a database called `{name.database}` cannot be asked by SQL",
                hint="the engine means something else by that name; scan them instead",
                position=where,
            )
        self.datasets.setdefault(name, where)

    def _call(self, node: dict[str, Any]) -> None:
        name = str(node.get("function_name", "")).lower()
        # With a schema before it, it would be the engine's own.
        foreign = name in WHO_READS and len(node["qualified_name"]["path"]) > 1
        if foreign or refused_function(name):
            raise self._unserved(name, node)

    def _unserved(self, name: str, node: dict[str, Any]) -> UnknownName:
        return UnknownName(
            f"function `{name[:64]}` does not exist here",
            hint="what computes is served; what opens files or asks the engine is not",
            position=self._where(node),
        )

    def _refuse(self, said: str, node: dict[str, Any], hint: str = "") -> InvalidRequest:
        return InvalidRequest(said, hint=hint, position=self._where(node))

    def _where(self, node: dict[str, Any]) -> Position | None:
        offset = node.get("query_location", _NOWHERE)
        return position(self.text, offset) if offset != _NOWHERE else None
