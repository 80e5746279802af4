"""Generated expressions that fit the types of columns, so that most statements run."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

import pyarrow as pa

from twin.literals import kind_of, literal, value_for

COMPARED = ("=", "=", "=", "=", "!=", "<>", "<", "<=", ">", ">=")
SIMPLE = frozenset({"int", "text", "bool"})
"""Kinds whose comparisons the reader takes over."""


@dataclass(frozen=True)
class Seen:
    """A column as a scan shows it, under the name by which a statement says it."""

    name: str
    kind: str
    cells: list[Any]
    type: pa.DataType


def columns_of(table: pa.Table, alias: str = "") -> list[Seen]:
    """The columns of a table, qualified where there is an alias."""
    return [
        Seen(f"{alias}.{f.name}" if alias else f.name, kind_of(f.type), _cells(column), f.type)
        for f, column in zip(table.schema, table.columns, strict=True)
    ]


def _cells(column: pa.ChunkedArray) -> list[Any]:
    return column.to_pylist() if kind_of(column.type) != "other" else []


class Expressions:
    """Draws expressions over some columns. `parameters` fills with values for `?`."""

    def __init__(self, random: Random, columns: list[Seen], parameters: list[Any]) -> None:
        self.random = random
        self.columns = columns
        self.parameters = parameters

    def chance(self, share: float) -> bool:
        """True as often."""
        return self.random.random() < share

    def column(self, *kinds: str) -> Seen | None:
        """A column of one of these kinds, or of any."""
        fitting = [c for c in self.columns if not kinds or c.kind in kinds]
        return self.random.choice(fitting) if fitting else None

    # ---- conditions

    def conditions(self) -> str:
        """What stands behind WHERE: mostly comparisons of columns with literals."""
        count = self.random.choice((1, 1, 1, 1, 2, 2, 3))
        parts = [self.simple() if self.chance(0.75) else self.condition(2) for _ in range(count)]
        return " AND ".join(f"({p})" if " OR " in p else p for p in parts)

    def simple(self) -> str:
        """A comparison of a column with a literal, in one of many spellings."""
        column = self.column("int", "text", "bool") or self.column("float", "dec", "date", "time")
        if column is None or (self.chance(0.15) and (column := self.column()) is None):
            return "true"
        if column.kind == "other":
            return f"{column.name} IS {self.random.choice(('', 'NOT '))}NULL"
        value = self._said(column)
        ways = (
            *(lambda: f"{column.name} {self.random.choice(COMPARED)} {value}",) * 6,
            lambda: f"{value} {self.random.choice(COMPARED)} {column.name}",
            *(lambda: f"{column.name} {self._in(column)}",) * 3,
            lambda: f"{column.name} {self._not()}BETWEEN {value} AND {self._said(column)}",
            lambda: f"NOT ({column.name} {self.random.choice(COMPARED)} {value})",
            lambda: f"{column.name} IS {self._not()}NULL",
            lambda: f"{column.name} IS {self._not()}DISTINCT FROM {value}",
            lambda: f"{column.name} = {value} OR {column.name} = {self._said(column)}",
            lambda: f"({column.name} = {value} OR {self.simple()})",
            lambda: f"({column.name}) = ({value})",
            lambda: f"{column.name} = {value} AND {column.name} != {self._said(column)}",
        )
        special = {"text": self._text_test, "bool": self._flag_test, "int": self._whole_test}
        if column.kind in special and self.chance(0.2):
            return special[column.kind](column)
        return self.random.choice(ways)()

    def _not(self) -> str:
        return self.random.choice(("", "", "NOT "))

    def _said(self, column: Seen) -> str:
        """A value for a column: a literal, or a parameter."""
        value = value_for(self.random, column.kind, column.cells)
        if column.kind in SIMPLE and self.chance(0.12) and _fits_parameter(value):
            self.parameters.append(value)
            return f"${len(self.parameters)}"
        return literal(value)

    def _in(self, column: Seen) -> str:
        count = self.random.choice((1, 2, 2, 3, 5))
        values = [literal(value_for(self.random, column.kind, column.cells)) for _ in range(count)]
        if self.chance(0.1):
            values.append("NULL")
        return f"{self._not()}IN ({', '.join(values)})"

    def _text_test(self, column: Seen) -> str:
        text = str(value_for(self.random, "text", column.cells))
        start = literal(text[: self.random.choice((0, 1, 2, 4))])[:-1]
        return self.random.choice(
            (
                f"{column.name} {self._not()}LIKE {start}%'",
                f"{column.name} LIKE '%{start[1:]}%'",
                f"{column.name} ILIKE {start}%'",
                f"starts_with({column.name}, {literal(text[:2])})",
                f"{column.name} COLLATE NOCASE = {literal(text)}",
                f"{column.name} = {literal(text)} || ''",
                f"{column.name} = chr(0)",
                f"{column.name} >= {literal(text)} AND {column.name} < {literal(text + 'z')}",
                f"lower({column.name}) = {literal(text.lower())}",
                f"length({column.name}) > 3",
                f"{column.name} GLOB {start}*'",
                f"regexp_matches({column.name}, '[0-9]')",
            )
        )

    def _flag_test(self, column: Seen) -> str:
        return self.random.choice(
            (
                column.name,
                f"NOT {column.name}",
                f"{column.name} = true",
                f"{column.name} IS TRUE",
                f"{column.name} IS NOT FALSE",
                f"{column.name} IN (true, NULL)",
                f"{column.name} > false",
                f"{column.name} = (1 = 1)",
            )
        )

    def _whole_test(self, column: Seen) -> str:
        return self.random.choice(
            (
                f"{column.name} = 7.0",
                f"{column.name} < 7.5",
                f"{column.name} = '7'",
                f"{column.name} = 7::UTINYINT",
                f"{column.name}::DOUBLE >= 18",
                f"{column.name} % 2 = 0",
                f"{column.name} = 3 + 4",
                f"{column.name} > -1",
                f"-1 < {column.name}",
                f"{column.name} = true",
                f"{column.name} IN (1, 7, 7.0)",
            )
        )

    def condition(self, depth: int) -> str:
        """A condition of any kind."""
        if depth == 0 or self.chance(0.4):
            return self.simple()
        a, b = self.condition(depth - 1), self.condition(depth - 1)
        kind = self.random.choice(("int", "text", "float", "date", "bool"))
        return self.random.choice(
            (
                f"({a} AND {b})",
                f"({a} OR {b})",
                f"NOT ({a})",
                f"CASE WHEN {a} THEN {b} ELSE false END",
                f"coalesce({a}, {b})",
                f"({a}) = ({b})",
                f"{self.value(kind, 1)} = {self.value(kind, 1)}",
                f"{self.value(kind, 1)} IS NOT NULL",
            )
        )

    # ---- values

    def value(self, kind: str, depth: int = 2) -> str:
        """An expression of a kind."""
        column = self.column(kind)
        if depth == 0 or self.chance(0.35):
            if column is not None:
                return column.name
            return literal(value_for(self.random, kind, []))
        if self.chance(0.12):
            condition = self.condition(1)
            then, other = self.value(kind, depth - 1), self.value(kind, depth - 1)
            return f"CASE WHEN {condition} THEN {then} ELSE {other} END"
        if self.chance(0.1):
            return f"coalesce({self.value(kind, depth - 1)}, {self.value(kind, depth - 1)})"
        return self._composed(kind, depth - 1)

    def _composed(self, kind: str, depth: int) -> str:
        value = self.value
        match kind:
            case "int":
                ways = (
                    f"({value('int', depth)}) % 7",
                    f"length({value('text', depth)})",
                    f"(({value('int', depth)}) % 1000) * 3 - 1",
                    f"year({value('date', depth)})",
                    f"({value('bool', depth)})::INT",
                    f"nullif({value('int', depth)}, 7)",
                    f"sign({value('float', depth)})",
                )
            case "float":
                ways = (
                    f"({value('float', depth)}) * 2",
                    f"sqrt(abs({value('float', depth)}))",
                    f"(({value('int', depth)}) % 1000) / 4",
                    f"round({value('float', depth)}, 1)",
                    f"greatest({value('float', depth)}, {value('float', depth)})",
                )
            case "text":
                ways = (
                    f"upper({value('text', depth)})",
                    f"lower({value('text', depth)})",
                    f"substr({value('text', depth)}, 2, 3)",
                    f"({value('text', depth)})[1:2]",
                    f"concat({value('text', depth)}, '-', {value('text', depth)})",
                    f"replace({value('text', depth)}, 'a', 'é')",
                    f"regexp_replace({value('text', depth)}, '[0-9]+', '#')",
                    f"({value('int', depth)})::VARCHAR",
                    f"left(md5({value('text', depth)}), 5)",
                    f"trim({value('text', depth)})",
                )
            case "bool":
                ways = (f"({self.condition(depth)})",)
            case "date":
                ways = (
                    f"greatest({value('date', depth)}, DATE '1970-01-01')",
                    f"nullif({value('date', depth)}, DATE '2024-03-01')",
                )
            case _:
                ways = (value(kind, 0),)
        return self.random.choice(ways)

    def any_value(self) -> str:
        """A column, or an expression of some kind."""
        if self.chance(0.5) and (column := self.column()):
            fields = pa.types.is_struct(column.type) and self.chance(0.6)
            return f"{column.name}.{column.type[0].name}" if fields else column.name
        return self.value(self.random.choice(("int", "text", "float", "bool", "date")))


def _fits_parameter(value: Any) -> bool:
    return not (type(value) is int and abs(value) >= 2**63)
