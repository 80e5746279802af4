"""Which columns of an answer are columns or fields of datasets as they are, by the tree.

The engine's plan says what a column rests on, at the most; this says where it is no more than a
name for another column. In doubt it is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from privet.model.names import DatasetName

Reference = tuple[DatasetName, str, tuple[str, ...]]
"""A dataset, a column of it, and the way to a field inside it; empty if it is the column."""
_Columns = list[tuple[str, Reference | None]]
"""Names in lower case, in order, with what each stands for."""
_TABLE_AND_COLUMN = 2
_LONGEST_TABLE = 3
"""Parts of a table's name."""


class _Unknown(Exception):
    """What the columns are cannot be told without the engine."""


def find_references(
    node: dict[str, Any], database: str | None, datasets: Mapping[DatasetName, Sequence[str]]
) -> list[Reference | None]:
    """What each column of an answer is, in order; nothing where not even their number is known.

    Args:
        node: a query of the engine's tree, which the gate let through.
        database: where datasets named without one are.
        datasets: the columns of each dataset that the statement names.
    """
    try:
        return [found for _, found in _Reader(database, datasets).query(node, {})]
    except _Unknown:
        return []


@dataclass(slots=True)
class _From:
    """The tables that a SELECT reads: by alias, with their columns if these are known."""

    tables: list[tuple[str, _Columns | None]] = field(
        default_factory=list[tuple[str, "_Columns | None"]]
    )
    joined: set[str] = field(default_factory=set[str])
    """Columns that USING makes one of two."""

    def all(self, alias: str) -> Iterator[tuple[str, Reference | None]]:
        """The columns of `*`, or of one table."""
        seen: set[str] = set()
        for name, columns in self.tables:
            if alias and name != alias:
                continue
            if columns is None:
                raise _Unknown
            for column in columns:
                if alias or column[0] not in self.joined or column[0] not in seen:
                    yield column
                seen.add(column[0])

    def find(self, parts: Sequence[str]) -> Reference | None:
        """What a column is, by its name or its table's and its own, or a field by its path.

        The engine takes as much for the name of a table as there is one of.
        """
        folded = [part.lower() for part in parts]
        for start in reversed(range(min(_LONGEST_TABLE + 1, len(folded)))):
            column = folded[start]
            found = self._named(folded[start - 1 : start] if start else (), column)
            if not found:
                continue
            if found[0] is None or (len(found) > 1 and column not in self.joined):
                return None
            name, of, way = found[0]
            return name, of, (*way, *folded[start + 1 :])
        return None

    def _named(self, table: Sequence[str], column: str) -> list[Reference | None]:
        """What columns of that name stand for, of one table or of any; nothing if there is none."""
        among = [columns for name, columns in self.tables if not table or name == table[0]]
        if None in among:
            return [None]
        return [what for columns in among for name, what in columns or () if name == column]


@dataclass(slots=True)
class _Reader:
    database: str | None
    datasets: Mapping[DatasetName, Sequence[str]]

    def query(self, node: dict[str, Any], ctes: Mapping[str, _Columns | None]) -> _Columns:
        """The columns of a query; those of a union, or one of groups, stand for nothing."""
        if node["type"] != "SELECT_NODE":
            raise _Unknown
        for entry in node["cte_map"]["map"]:
            ctes = {**ctes, entry["key"].lower(): self._cte(entry["value"], ctes)}
        tables = _From()
        self._table(node["from_table"], ctes, tables)
        columns = [c for item in node["select_list"] for c in _selected(item, tables)]
        grouped = node.get("group_expressions") or node.get("group_sets") or node.get("having")
        if grouped or node.get("aggregate_handling") != "STANDARD_HANDLING":
            return [(name, None) for name, _ in columns]
        return columns

    def _cte(self, value: dict[str, Any], ctes: Mapping[str, _Columns | None]) -> _Columns | None:
        body = value.get("query_node") or value["query"]["node"]
        return self._within(body, ctes, value.get("aliases") or [])

    def _within(
        self, node: dict[str, Any], ctes: Mapping[str, _Columns | None], names: Sequence[str]
    ) -> _Columns | None:
        try:
            return _renamed(self.query(node, ctes), names)
        except _Unknown:
            return None

    def _table(
        self, node: dict[str, Any], ctes: Mapping[str, _Columns | None], tables: _From
    ) -> None:
        kind, alias = node["type"], (node.get("alias") or "").lower()
        names = node.get("column_name_alias") or []
        if kind == "BASE_TABLE":
            path = [str(part).lower() for part in node["qualified_name"]["path"]]
            columns = _renamed(self._base(path, ctes), names)
            tables.tables.append((alias or path[-1], columns))
        elif kind == "SUBQUERY":
            tables.tables.append((alias, self._within(node["subquery"]["node"], ctes, names)))
        elif kind == "JOIN" and node.get("ref_type") != "NATURAL":
            self._table(node["left"], ctes, tables)
            self._table(node["right"], ctes, tables)
            tables.joined |= {str(c).lower() for c in node.get("using_columns") or ()}
        elif kind != "EMPTY":
            tables.tables.append((alias, None))

    def _base(self, path: Sequence[str], ctes: Mapping[str, _Columns | None]) -> _Columns | None:
        if len(path) == 1 and path[0] in ctes:
            return ctes[path[0]]
        database = path[-_TABLE_AND_COLUMN] if len(path) > 1 else self.database
        name = DatasetName(database or "", path[-1])
        if name not in self.datasets:
            return None
        return [(column.lower(), (name, column, ())) for column in self.datasets[name]]


def _renamed(columns: _Columns | None, names: Sequence[str]) -> _Columns | None:
    """Columns of which the first have other names."""
    if columns is None or len(names) > len(columns):
        return None
    given = [(str(name).lower(), what) for name, (_, what) in zip(names, columns, strict=False)]
    return given + columns[len(names) :]


def _selected(item: dict[str, Any], tables: _From) -> Iterator[tuple[str, Reference | None]]:
    """The columns of one item of a SELECT list."""
    if item["type"] == "STAR":
        extras = ("replace_list", "rename_list", "qualified_exclude_list", "expr", "columns")
        if any(item.get(extra) for extra in (*extras, "unpacked")):
            raise _Unknown
        excluded = {str(name).lower() for name in item.get("exclude_list") or ()}
        alias = (item.get("relation_name") or "").lower()
        yield from (c for c in tables.all(alias) if c[0] not in excluded)
    else:
        plain = item["type"] == "COLUMN_REF"
        parts = item["column_names"] if plain else [""]
        yield (
            (item.get("alias") or parts[-1]).lower(),
            tables.find(parts) if plain else None,
        )
