"""The one statement that reads a table: columns in types that arrive whole, and rows spared.

Names and literals are quoted by psycopg. Text is compared byte for byte or not at all, since
databases order and equate it by languages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pyarrow.types as pat
from psycopg import sql

from privet.connector.databases.reading import Reading
from privet.connector.databases.shapes import ServerColumn, TableShape
from privet.model.datasets import Column, plain_type
from privet.model.expressions import (
    And,
    ColumnRef,
    Compare,
    CompareOp,
    Expr,
    In,
    Literal,
    LiteralValue,
    Or,
)
from privet.model.sources import TablePlace

_LONGEST = 256 * 1024
_MOMENT = sql.SQL("(isfinite({0}) AND {0} < '294000-01-01')")
_GUARDS = {
    "date": sql.SQL("isfinite({0})"),
    "timestamp": _MOMENT,
    "timestamptz": _MOMENT,
    "time": sql.SQL("{0} < '24:00'"),
    "numeric": sql.SQL("{0} <> 'NaN'"),
}
_AND, _OR = sql.SQL(" AND "), sql.SQL(" OR ")
_OPERATORS = {
    CompareOp.EQ: sql.SQL("{} = {}"),
    CompareOp.NE: sql.SQL("{} <> {}"),
    CompareOp.LT: sql.SQL("{} < {}"),
    CompareOp.LE: sql.SQL("{} <= {}"),
    CompareOp.GT: sql.SQL("{} > {}"),
    CompareOp.GE: sql.SQL("{} >= {}"),
}
_BYTES = sql.SQL('{} COLLATE "C"')
"""By a language that takes two texts for one, fewer rows would differ and more be equal."""


@dataclass(frozen=True, slots=True)
class Selected:
    """A column that is read, and what it is at its server."""

    column: Column
    there: ServerColumn

    @property
    def expression(self) -> sql.Composable:
        """Its value in the type that it is read in, or as text that becomes one."""
        name = sql.Identifier(self.there.name)
        kind, there = plain_type(self.column.type), self.there
        if there.plain(kind):
            return name
        if there.base == "oid" and pat.is_int64(kind):
            return sql.SQL("{}::int8").format(name)
        if there.element and pat.is_list(kind):
            return sql.SQL("{}::text[]").format(name) if self._texts else name
        return sql.SQL("{}::text").format(name)

    @property
    def _texts(self) -> bool:
        """Whether its elements have to become text."""
        return self.there.element not in {"text", "varchar"} and pat.is_string(
            self.there.kind.value_type
        )

    @property
    def compares(self) -> bool:
        """Whether its server compares it as the registered type does: text is no number."""
        kind = plain_type(self.column.type)
        return not (self.there.base == "numeric" and pat.is_int64(kind))

    @property
    def guard(self) -> sql.Composable | None:
        """What holds for every value that the type can say; None if it says all of them."""
        name = sql.Identifier(self.there.name)
        if pat.is_string(plain_type(self.column.type)):
            return None
        if self.there.element:
            return sql.SQL("array_ndims({}) <= 1").format(name)
        written = _GUARDS.get(self.there.base)
        return written.format(name) if written else None


def asked(reading: Reading, shape: TableShape, selected: tuple[Selected, ...]) -> tuple[Expr, ...]:
    """The conditions to ask of the server, the policy's first.

    What the reader asks is left out where the server could fail at a row, or for a cell, that the
    reader does not see.
    """
    own = (reading.condition,) if reading.condition else ()
    more = reading.narrowing
    if more is None:
        return own
    known = {s.column.name: s for s in selected}
    failing = {s.column.name for s in selected if s.guard is not None}
    if shape.computed:
        # It may compute a row for one condition before it looks at the other.
        safe = more.exact and not own and more.clear.issuperset(known)
    elif failing:
        whole = all(_is_sayable(c, known) for c in own)
        safe = more.exact and whole and more.clear.issuperset(failing)
    else:
        safe = True
    return (*own, more.condition) if safe else own


def select(
    place: TablePlace,
    selected: tuple[Selected, ...],
    conditions: tuple[Expr, ...],
    limit: int | None,
) -> str:
    """The statement: columns in their order, and then whether the row is whole.

    Args:
        place: of the table.
        selected: the columns.
        conditions: plain (see `privet.enforcement.hints`), over the names in the catalog; what
            cannot be said is left out of them, so that more rows come. Of a statement that would
            be too long, the last are left out first.
        limit: of rows, for samples.
    """
    guards = [
        sql.SQL("coalesce({}, true)").format(g) for s in selected if (g := s.guard) is not None
    ]
    whole = _AND.join(guards) if guards else sql.SQL("true")
    columns = [s.expression for s in selected]
    text = sql.SQL("SELECT {} FROM {}").format(
        sql.SQL(", ").join((*columns, sql.SQL("{} AS ok").format(whole))),
        sql.Identifier(place.schema, place.table),
    )
    known = {s.column.name: s for s in selected}
    if (where := _condition(And(conditions), known)) is not None:
        text = sql.SQL("{} WHERE {}").format(text, where)
    if limit is not None:
        text = sql.SQL("{} LIMIT {}").format(text, sql.Literal(limit))
    written = text.as_string(None)
    if len(written) > _LONGEST and conditions:
        return select(place, selected, conditions[:-1], limit)
    return written


def _condition(expr: Expr | None, known: Mapping[str, Selected]) -> sql.Composable | None:
    match expr:
        case And(parts):
            said = [s for p in parts if (s := _condition(p, known)) is not None]
            return _joined(_AND, said) if said else None
        case Or(parts):
            said = [_condition(p, known) for p in parts]
            return None if any(s is None for s in said) else _joined(_OR, filter(None, said))
        case In(ColumnRef(name), options) if known[name].compares:
            values = [o.value for o in options if isinstance(o, Literal)]
            if not all(_sayable(CompareOp.EQ, v) for v in values):
                return None
            listed = sql.SQL(", ").join(map(sql.Literal, values))
            texts = any(isinstance(v, str) for v in values)
            return _matched(sql.SQL("{} IN ({})"), known[name].expression, listed, texts=texts)
        case Compare(op, ColumnRef(name), Literal(value)) if known[name].compares and _sayable(
            op, value
        ):
            return _compared(op, known[name].expression, value)
        case _:
            return None


def _joined(word: sql.SQL, parts: Iterable[sql.Composable]) -> sql.Composable:
    return sql.SQL("({})").format(word.join(parts))


def _compared(op: CompareOp, cell: sql.Composable, value: LiteralValue) -> sql.Composable:
    literal, texts = sql.Literal(value), isinstance(value, str)
    if texts and op is CompareOp.NE:
        return _OPERATORS[op].format(_BYTES.format(cell), literal)
    return _matched(_OPERATORS[op], cell, literal, texts=texts)


def _matched(
    operator: sql.SQL, cell: sql.Composable, operand: sql.Composable, *, texts: bool
) -> sql.Composable:
    """Texts match by their language, for which there may be an index, and by their bytes."""
    matches = operator.format(cell, operand)
    if not texts:
        return matches
    return _joined(_AND, (matches, operator.format(_BYTES.format(cell), operand)))


def _is_sayable(expr: Expr, known: Mapping[str, Selected]) -> bool:
    """Whether all of a plain condition can be asked of the server."""
    match expr:
        case And(parts) | Or(parts):
            return all(_is_sayable(p, known) for p in parts)
        case _:
            return _condition(expr, known) is not None


def _sayable(op: CompareOp, value: LiteralValue) -> bool:
    """Whether the server's answer to a comparison is true wherever ours is."""
    if isinstance(value, str):
        return op in {CompareOp.EQ, CompareOp.NE} and "\0" not in value
    return isinstance(value, bool | int)
