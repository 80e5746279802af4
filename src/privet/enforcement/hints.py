"""What a source need not deliver: a superset of the visible rows as a plain condition.

A hint only ever spares work; the exact filter runs on whatever comes back. So it is built from
the parts that engines agree on - whole numbers, dates, text and booleans against a literal of the
same kind - and anything else widens it to "all rows". Floats are left out: statistics do not see
NaN, which here is greater than every number.

A plain condition is made of And, Or, Compare and In over columns by their catalog names, and
literals of the columns' own kinds, none of them NULL.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import and_, eq, ge, gt, le, lt, ne, or_
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat

from privet.model.datasets import Dataset
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
from privet.privacy import Kernel

_MIRRORED = {
    CompareOp.LT: CompareOp.GT,
    CompareOp.LE: CompareOp.GE,
    CompareOp.GT: CompareOp.LT,
    CompareOp.GE: CompareOp.LE,
}
_ARROW: Mapping[CompareOp, Callable[[Any, Any], Any]] = {
    CompareOp.EQ: eq,
    CompareOp.NE: ne,
    CompareOp.LT: lt,
    CompareOp.LE: le,
    CompareOp.GT: gt,
    CompareOp.GE: ge,
}


def source_condition(filters: tuple[Expr | None, ...], dataset: Dataset) -> Expr | None:
    """A plain condition that holds for every visible row; None when nothing can be spared."""
    kinds = {c.name: c.type for c in dataset.columns}
    known = [None if f is None else _plain(f, kinds) for f in filters]
    return None if not known or any(k is None for k in known) else _either(known)


def says_all(
    filters: tuple[Expr | None, ...], restrictions: tuple[Expr, ...], dataset: Dataset
) -> bool:
    """Whether their plain condition holds for the visible rows only."""
    kinds = {c.name: c.type for c in dataset.columns}
    alternatives = () if None in filters else tuple(f for f in filters if f)
    return all(_is_plain(f, kinds) for f in (*alternatives, *restrictions))


@dataclass(frozen=True, slots=True)
class Spared:
    """The condition for a source in two, for one that can fail at a row.

    Whoever chose the rows at which it may fail would learn by that of rows out of their view.

    Attributes:
        policy: what the policy says; holds for every visible row. None if it would say nothing.
        asked: what the request says besides.
        exact: whether `policy` holds for visible rows only, and the cells that `asked` compares
            are withheld in none of them.
        clear: columns whose cells are seen as they are in all visible rows.
    """

    policy: Expr | None
    asked: Expr | None
    exact: bool
    clear: frozenset[str]


@dataclass(frozen=True, slots=True)
class Seen:
    """How the cells of a column are seen: as they are (`kernel` is None), or each through it."""

    kernel: Kernel | None


def conjunction(conditions: tuple[Expr, ...]) -> Expr | None:
    """All of them in one; None where there are none."""
    return And(conditions) if len(conditions) > 1 else next(iter(conditions), None)


def raw_conditions(
    conditions: tuple[Expr, ...], seen: Mapping[str, Seen | None]
) -> tuple[Expr, ...]:
    """What conditions on cells as they are seen say of the source's cells.

    Each answer holds for every row for which the condition holds. A comparison of clear cells
    says itself; a token that is compared for equality says its value, where there is one.
    """
    return tuple(raw for c in conditions if (raw := _raw(c, seen)) is not None)


def _raw(condition: Expr, seen: Mapping[str, Seen | None]) -> Expr | None:
    match condition:
        case Compare(op, ColumnRef(name), Literal(value)) if how := seen[name]:
            if how.kernel is None:
                return condition
            return _raw_equal(name, value, how.kernel) if op is CompareOp.EQ else None
        case In(ColumnRef(name), options) if how := seen[name]:
            if how.kernel is None:
                return condition
            values = [o.value for o in options if isinstance(o, Literal)]
            known = [_raw_equal(name, v, how.kernel) for v in values]
            whole = len(values) == len(options) > 1
            return Or(tuple(k for k in known if k)) if whole and all(known) else None
        case _:
            return None


def _raw_equal(name: str, token: Any, kernel: Kernel) -> Expr | None:
    if not kernel.reversible:
        return None
    try:
        tokens = pa.array([token], kernel.kind)
    except (pa.ArrowException, OverflowError):
        return None
    (value,) = kernel.invert(tokens).to_pylist()
    return None if value is None else Compare(CompareOp.EQ, ColumnRef(name), Literal(value))


def narrowed(condition: Expr | None, conditions: tuple[Expr, ...], dataset: Dataset) -> Expr | None:
    """A plain condition that also leaves out what fails conditions on the source's cells."""
    kinds = {c.name: c.type for c in dataset.columns}
    known = [k for c in conditions if (k := _plain(c, kinds)) is not None]
    if condition is not None:
        known.append(condition)
    return conjunction(tuple(known))


def as_arrow(condition: Expr | None, dataset: Dataset) -> pc.Expression | None:
    """A plain condition as Arrow has it, over the source's own column names."""
    if condition is None:
        return None
    return _arrow(condition, {c.name: (c.source_name, c.type) for c in dataset.columns})


def _is_plain(expr: Expr, kinds: Mapping[str, pa.DataType]) -> bool:
    match expr:
        case And(parts) | Or(parts):
            return all(_is_plain(p, kinds) for p in parts)
        case _:
            return _plain(expr, kinds) is not None


def _plain(expr: Expr, kinds: Mapping[str, pa.DataType]) -> Expr | None:
    match expr:
        case And(parts):
            return conjunction(tuple(k for p in parts if (k := _plain(p, kinds)) is not None))
        case Or(parts):
            known = [_plain(p, kinds) for p in parts]
            return None if any(k is None for k in known) else _either(known)
        case Compare(op, ColumnRef(name), Literal() as literal):
            return _compare(op, name, literal, kinds)
        case Compare(op, Literal() as literal, ColumnRef(name)):
            return _compare(_MIRRORED.get(op, op), name, literal, kinds)
        case In(ColumnRef(name), options) if all(isinstance(o, Literal) for o in options):
            literals = tuple(o for o in options if isinstance(o, Literal) and o.value is not None)
            fit = all(_same_kind(kinds[name], o.value) for o in literals)
            return In(ColumnRef(name), literals) if literals and fit else None
        case _:
            return None


def _either(parts: list[Expr | None]) -> Expr:
    known = tuple(p for p in parts if p is not None)
    return known[0] if len(known) == 1 else Or(known)


def _compare(
    op: CompareOp, name: str, literal: Literal, kinds: Mapping[str, pa.DataType]
) -> Expr | None:
    return Compare(op, ColumnRef(name), literal) if _same_kind(kinds[name], literal.value) else None


def _arrow(expr: Expr, columns: Mapping[str, tuple[str, pa.DataType]]) -> pc.Expression:
    match expr:
        case And(parts):
            return reduce(and_, [_arrow(p, columns) for p in parts])
        case Or(parts):
            return reduce(or_, [_arrow(p, columns) for p in parts])
        case In(ColumnRef(name), options):
            literals = [o for o in options if isinstance(o, Literal)]
            return reduce(or_, [_compared(CompareOp.EQ, columns[name], o) for o in literals])
        case Compare(op, ColumnRef(name), Literal() as literal):
            return _compared(op, columns[name], literal)
        case _:
            raise TypeError(f"{type(expr).__name__} is not plain")


def _compared(op: CompareOp, column: tuple[str, pa.DataType], literal: Literal) -> pc.Expression:
    source_name, kind = column
    return _ARROW[op](pc.field(source_name), pa.scalar(literal.value, kind))


def _same_kind(kind: pa.DataType, value: LiteralValue) -> bool:
    """Whether a literal and a column are of the same plain kind, and the literal fits it."""
    if pat.is_integer(kind):
        return type(value) is int and _in_range(value, kind)
    return (pat.is_boolean(kind) and type(value) is bool) or (
        pat.is_string(kind) and type(value) is str
    )


def _in_range(value: int, kind: pa.DataType) -> bool:
    if pat.is_signed_integer(kind):
        return -(2 ** (kind.bit_width - 1)) <= value < 2 ** (kind.bit_width - 1)
    return 0 <= value < 2**kind.bit_width
