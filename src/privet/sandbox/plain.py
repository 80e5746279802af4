"""Statements that are no more than a scan, which the server can then do without the engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_ABSENT = (None, [], "", {}, False)


@dataclass(frozen=True, slots=True)
class PlainSelect:
    """`SELECT columns FROM dataset [WHERE ...] [LIMIT n]`.

    Attributes:
        columns: names as written; for `*` the names that EXCLUDE takes out, in lower case.
        limit: of rows, or None.
    """

    columns: tuple[str | frozenset[str], ...]
    limit: int | None


def find_plain(node: dict[str, Any]) -> PlainSelect | None:
    """What a tree of the engine's parser selects, if it has this shape. WHERE may be anything."""
    table = node.get("from_table", {})
    shaped = (
        node["type"] == "SELECT_NODE"
        and not node["cte_map"]["map"]
        and node.get("aggregate_handling") == "STANDARD_HANDLING"
        and _lacks(node, "group_expressions", "group_sets", "having", "qualify", "sample")
        and table.get("type") == "BASE_TABLE"
        and _lacks(table, "sample", "at_clause", "column_name_alias")
    )
    if not shaped:
        return None
    names = {table["table_name"].lower(), (table.get("alias") or "").lower()}
    columns = tuple(_column(item, names) for item in node["select_list"])
    limited = _limit(node.get("modifiers") or [])
    if "" in columns or limited == _NO_LIMIT_OF_OURS:
        return None
    return PlainSelect(columns, limited)


_NO_LIMIT_OF_OURS = -1


def _lacks(node: dict[str, Any], *keys: str) -> bool:
    return all(node.get(key) in _ABSENT for key in keys)


def _column(item: dict[str, Any], tables: set[str]) -> str | frozenset[str]:
    """A column's name, what `*` excludes, or empty text for anything else."""
    if item["type"] == "STAR":
        extras = ("relation_name", "qualified_exclude_list", "replace_list", "rename_list")
        plain = _lacks(item, *extras, "expr", "columns", "unpacked")
        excluded = item.get("exclude_list") or []
        return frozenset(str(name).lower() for name in excluded) if plain else ""
    parts = item.get("column_names", ())
    if item["type"] != "COLUMN_REF" or not 1 <= len(parts) <= 2:  # noqa: PLR2004 - table.column
        return ""
    return parts[-1] if len(parts) == 1 or parts[0].lower() in tables else ""


def _limit(modifiers: list[dict[str, Any]]) -> int | None:
    if not modifiers:
        return None
    limit = modifiers[0].get("limit") or {}
    plain = (
        len(modifiers) == 1
        and modifiers[0]["type"] == "LIMIT_MODIFIER"
        and modifiers[0].get("limit_type") == "ROW_COUNT"
        and not modifiers[0].get("offset")
        and limit.get("class") == "CONSTANT"
        and limit.get("literal", {}).get("kind") == "INTEGER"
    )
    return int(limit["literal"]["text"]) if plain else _NO_LIMIT_OF_OURS
