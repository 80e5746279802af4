"""Generated SELECTs over two tables, in some dozens of shapes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pyarrow as pa

from twin.expressions import Expressions, Seen, columns_of
from twin.literals import literal

_PARAMETER = re.compile(r"\$(\d+)")
Shape = Callable[["Statements"], str]
AGGREGATES = {
    "int": ("sum({0})", "min({0})", "max({0})", "avg({0})", "count(DISTINCT {0})", "bit_or({0})"),
    "float": ("min({0})", "max({0})", "count({0})", "count(DISTINCT {0})"),
    "dec": ("sum({0})", "min({0})", "max({0})", "avg({0})"),
    "text": (
        "min({0})",
        "max({0})",
        "count({0})",
        "count(DISTINCT {0})",
        "string_agg({0}, ',' ORDER BY {0})",
    ),
    "bool": ("bool_and({0})", "bool_or({0})", "count_if({0})"),
    "date": ("min({0})", "max({0})", "count({0})"),
    "time": ("min({0})", "max({0})"),
    "other": ("count({0})",),
}


@dataclass
class Statement:
    """A statement, its values, and whether its order is said."""

    sql: str
    parameters: list[Any] = field(default_factory=list[Any])
    ordered: bool = False


class Statements:
    """Draws statements over `{db}.a` and `{db}.b`, of which scans show these tables."""

    def __init__(
        self,
        random: Random,
        database: str,
        tables: dict[str, pa.Table],
        shapes: Sequence[Shape],
    ) -> None:
        self.random = random
        self._shapes = shapes
        self.database = database
        self.tables = tables
        self.parameters: list[Any] = []
        self.ordered = False

    def draw(self) -> Statement:
        """One statement."""
        self.parameters, self.ordered = [], False
        sql = self.random.choice(self._shapes)(self)
        if self.random.random() < 0.03:
            sql = f"/* {self.random.randrange(9)} */ {sql} -- end"
        return Statement(*_used(sql, self.parameters), self.ordered)

    def name(self, table: str) -> str:
        """A table, in some spelling."""
        return self.random.choice(
            (f"{self.database}.{table}",) * 5
            + (f"privet.{self.database}.{table}", f'"{self.database}"."{table.upper()}"')
        )

    def over(self, *tables: str) -> Expressions:
        """Expressions over `a` and `b` as aliases, or over one table's bare columns."""
        if len(tables) == 1:
            columns = columns_of(self.tables[tables[0]])
        else:
            columns = [c for t in tables for c in columns_of(self.tables[t], t)]
        return Expressions(self.random, columns, self.parameters)

    def some(self, columns: list[Seen], most: int = 4) -> list[str]:
        """Names of some columns."""
        count = min(len(columns), self.random.randint(1, most))
        return [c.name for c in self.random.sample(columns, count)]

    def where(self, over: Expressions, likely: float = 0.8) -> str:
        """A WHERE, mostly."""
        return f" WHERE {over.conditions()}" if over.chance(likely) else ""

    def table(self) -> str:
        """`a` mostly, since it has more rows."""
        return self.random.choice(("a", "a", "a", "b"))

    def aggregate(self, over: Expressions) -> str:
        """An aggregate over some column."""
        column = over.column()
        if column is None or over.chance(0.2):
            return "count(*)"
        made = self.random.choice(AGGREGATES[column.kind]).format(column.name)
        if over.chance(0.15):
            made += f" FILTER (WHERE {over.simple()})"
        return made


def _used(sql: str, values: list[Any]) -> tuple[str, list[Any]]:
    """Parameters numbered as they stand, without those that were drawn and left out."""
    numbers = list(dict.fromkeys(int(found) for found in _PARAMETER.findall(sql)))
    text = _PARAMETER.sub(lambda found: f"${numbers.index(int(found[1])) + 1}", sql)
    return text, [values[number - 1] for number in numbers]


def plain(s: Statements) -> str:
    """No more than a scan: columns, comparisons, a limit."""
    table = s.table()
    over = s.over(table)
    chosen = s.random.choice(
        (
            "*",
            ", ".join(s.some(over.columns)),
            ", ".join(f'"{n.upper()}"' for n in s.some(over.columns)),
            ", ".join(f"{table}.{n}" for n in s.some(over.columns)),
            ", ".join(f"{n} AS c{i}" for i, n in enumerate(s.some(over.columns))),
            ", ".join(s.some(over.columns, 2) * 2),
            f"* EXCLUDE ({over.columns[0].name})" if len(over.columns) > 1 else "*",
            f"{table}.*",
        )
    )
    s.ordered = True
    limit = f" LIMIT {s.random.choice((0, 1, 2, 5, 1000))}" if over.chance(0.3) else ""
    offset = f" OFFSET {s.random.choice((0, 1, 3))}" if limit and over.chance(0.3) else ""
    return f"SELECT {chosen} FROM {s.name(table)}{s.where(over, 0.85)}{limit}{offset}"


def looked_up(s: Statements) -> str:
    """Rows by a text that is seen, such as a token."""
    table = s.table()
    over = s.over(table)
    texts = [c for c in over.columns if c.kind == "text" and any(c.cells)]
    if not texts:
        return plain(s)
    column = s.random.choice(texts)
    cells = [literal(v) for v in s.random.sample(column.cells, min(3, len(column.cells))) if v]
    if not cells:
        return plain(s)
    test = f"= {cells[0]}" if len(cells) == 1 or over.chance(0.5) else f"IN ({', '.join(cells)})"
    more = f" AND {over.simple()}" if over.chance(0.3) else ""
    chosen = s.random.choice(("*", "count(*)", column.name, ", ".join(s.some(over.columns))))
    return f"SELECT {chosen} FROM {s.name(table)} WHERE {column.name} {test}{more}"


def renamed(s: Statements) -> str:
    """A table under an alias, with other names for its columns."""
    table = s.table()
    over = s.over(table)
    names = [f"n{i}" for i in range(len(over.columns))]
    over.columns = [
        Seen(n, c.kind, c.cells, c.type) for n, c in zip(names, over.columns, strict=True)
    ]
    chosen = ", ".join(s.some(over.columns))
    return f"SELECT {chosen} FROM {s.name(table)} AS r({', '.join(names)}){s.where(over)}"


def computed(s: Statements) -> str:
    """Expressions of all kinds."""
    table = s.table()
    over = s.over(table)
    values = ", ".join(f"{over.any_value()} AS e{i}" for i in range(s.random.randint(1, 4)))
    distinct = "DISTINCT " if over.chance(0.2) else ""
    s.ordered = not distinct
    return f"SELECT {distinct}{values} FROM {s.name(table)}{s.where(over)}"


def ordered(s: Statements) -> str:
    """All rows in an order that is total up to equal rows, some of them."""
    table = s.table()
    over = s.over(table)
    names = [c.name for c in over.columns if c.kind != "other"]
    s.ordered = True
    keys = s.random.sample(names, len(names))
    order = ", ".join(
        f"{k} {s.random.choice(('', 'DESC', 'NULLS FIRST', 'DESC NULLS LAST'))}" for k in keys
    )
    limit = f" LIMIT {s.random.choice((1, 3, 10))}" if over.chance(0.5) else ""
    read = f"FROM {s.name(table)}{s.where(over, 0.5)}"
    return f"SELECT {', '.join(names)} {read} ORDER BY {order}{limit}"


def aggregated(s: Statements) -> str:
    """Aggregates, over all rows or groups, also of grouping sets."""
    table = s.table()
    over = s.over(table)
    aggregates = ", ".join(f"{s.aggregate(over)} AS g{i}" for i in range(s.random.randint(1, 4)))
    if over.chance(0.35):
        return f"SELECT {aggregates} FROM {s.name(table)}{s.where(over)}"
    keys = s.some([c for c in over.columns if c.kind != "other"], 2)
    sets = s.random.choice(("{}",) * 4 + ("ROLLUP ({})", "CUBE ({})", "GROUPING SETS (({}), ())"))
    grouped = sets.format(", ".join(keys))
    having = " HAVING count(*) > 1" if over.chance(0.2) else ""
    return (
        f"SELECT {', '.join(keys)}, {aggregates} FROM {s.name(table)}{s.where(over)}"
        f" GROUP BY {grouped}{having}"
    )


def joined(s: Statements) -> str:
    """Both tables, joined on columns of one kind."""
    over = s.over("a", "b")
    pairs = [
        (x.name, y.name)
        for x in over.columns
        for y in over.columns
        if x.name[0] == "a" and y.name[0] == "b" and x.type == y.type and x.kind != "other"
    ]
    on = " AND ".join(
        f"{x} = {y}" for x, y in s.random.sample(pairs, min(len(pairs), s.random.choice((1, 1, 2))))
    )
    if over.chance(0.2):
        on = f"{on or 'true'} AND {over.simple()}"
    kind = s.random.choice(
        ("JOIN", "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "SEMI JOIN", "ANTI JOIN")
    )
    if kind in ("SEMI JOIN", "ANTI JOIN"):
        over = s.over("a", "b")
        over.columns = [c for c in over.columns if c.name[0] == "a"]
    chosen = ", ".join(f"{n} AS c{i}" for i, n in enumerate(s.some(over.columns, 5)))
    return (
        f"SELECT {chosen} FROM {s.name('a')} a {kind} {s.name('b')} b ON {on or 'true'}"
        f"{s.where(over, 0.7)}"
    )


def crossed(s: Statements) -> str:
    """Both tables, or one twice, side by side."""
    over = s.over("a", "b")
    chosen = ", ".join(f"{over.any_value()} AS c{i}" for i in range(3))
    tables = s.random.choice(
        (f"{s.name('a')} a, {s.name('b')} b", f"{s.name('a')} a CROSS JOIN {s.name('b')} b")
    )
    return f"SELECT {chosen} FROM {tables}{s.where(over, 0.9)}"


def self_joined(s: Statements) -> str:
    """One table with itself."""
    columns = columns_of(s.tables["a"], "x") + columns_of(s.tables["a"], "y")
    over = Expressions(s.random, columns, s.parameters)
    key = s.random.choice([c.name[2:] for c in columns if c.kind != "other"])
    return (
        f"SELECT count(*), {s.aggregate(over)} AS g FROM {s.name('a')} x JOIN {s.name('a')} y"
        f" ON x.{key} = y.{key}{s.where(over)}"
    )


def subquery(s: Statements) -> str:
    """Subqueries in conditions and values, correlated or not."""
    over, inner = s.over("a", "b"), s.over("b")
    outer = s.over("a", "b")
    outer.columns = [c for c in outer.columns if c.name[0] == "a"]
    shared = [
        (x.name, y.name)
        for x in outer.columns
        for y in over.columns
        if y.name[0] == "b" and x.type == y.type and x.kind != "other"
    ]
    x, y = s.random.choice(shared) if shared else ("1", "1")
    chosen = ", ".join(s.some(outer.columns))
    b = s.name("b")
    condition = s.random.choice(
        (
            f"{x} IN (SELECT {y} FROM {b} b{s.where(inner, 0.5)})",
            f"EXISTS (SELECT 1 FROM {b} b WHERE {x} = {y} AND {over.simple()})",
            f"NOT EXISTS (SELECT 1 FROM {b} b WHERE {x} = {y})",
            f"{x} = ANY (SELECT {y} FROM {b} b)",
            f"{x} >= ALL (SELECT {y} FROM {b} b WHERE {y} IS NOT NULL)",
            f"(SELECT count(*) FROM {b} b WHERE {x} = {y}) > 0",
            f"{x} = (SELECT max({y}) FROM {b} b{s.where(inner, 0.5)})",
            f"{x} NOT IN (SELECT {y} FROM {b} b WHERE {y} IS NOT NULL)",
        )
    )
    return f"SELECT {chosen} FROM {s.name('a')} a WHERE {condition} AND {outer.simple()}"


def lateral(s: Statements) -> str:
    """A subquery beside a table that looks at its rows."""
    over = s.over("a", "b")
    inside = over.conditions()
    over.columns = [c for c in over.columns if c.name[0] == "a"]
    return (
        f"SELECT {', '.join(s.some(over.columns))}, l.n FROM {s.name('a')} a,"
        f" LATERAL (SELECT count(*) AS n FROM {s.name('b')} b WHERE {inside}) l{s.where(over)}"
    )


def combined(s: Statements) -> str:
    """UNION, EXCEPT and INTERSECT of two readings."""
    over = s.over("a")
    names = ", ".join(s.some([c for c in over.columns if c.kind != "other"], 3))
    word = s.random.choice(
        (
            "UNION",
            "UNION ALL",
            "EXCEPT",
            "INTERSECT",
            "EXCEPT ALL",
            "INTERSECT ALL",
            "UNION BY NAME",
            "UNION ALL BY NAME",
        )
    )
    first = f"SELECT {names} FROM {s.name('a')}{s.where(over)}"
    second = f"SELECT {names} FROM {s.name('a')}{s.where(over)}"
    return f"{first} {word} {second}"
