"""What an expression means for one row: docs/reference/expressions.md, word for word.

Slow and literal on purpose. Written from the page alone; shares no code with `privet.policy` or
`privet.enforcement`. A part that fails raises `Failed`, and since nothing here skips a part but
CASE, it fails the whole filter.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime

from asked import elements, fields_in
from cells import NANOSECONDS_A_DAY, Cell, Moment, Opaque, from_date, from_datetime
from kinds import NUMBERS, UNITS, kind_of
from operations import (
    CASTS,
    FUNCTIONS,
    Failed,
    arithmetic,
    into,
    negate,
    number_of,
    to_float,
)

from privet.model.expressions import (
    And,
    Arithmetic,
    Call,
    Case,
    ColumnRef,
    Compare,
    Expr,
    FieldRef,
    In,
    IsNull,
    Like,
    Literal,
    Negate,
    Not,
    Or,
)

Row = Mapping[str, Cell]
Kinds = Mapping[str, str]


def holds(expr: Expr, row: Row, kinds: Kinds) -> bool:
    """Whether a row is visible under a filter: TRUE, and no part of it failed.

    A filter over fields in a list is asked of each item: one has to do, and none may fail.
    """
    try:
        return True in [value(expr, each, kinds) for each in questions(fields_in(expr), row, {})]
    except Failed:
        return False


def questions(
    paths: set[tuple[str, ...]], row: Row, chosen: Mapping[tuple[str, ...], object]
) -> Iterator[Row]:
    """The row with the fields at these paths, once for each item of the lists that they lie in.

    A list without items has one that is NULL. `chosen` are the items of lists further out.
    """
    fields: dict[str, Cell] = {}
    for path in paths:
        cell = row[path[0]]
        inner = cell.inside if isinstance(cell, Opaque) else None
        for steps, part in enumerate(path[1:], 1):
            inner = chosen.get(path[:steps], inner)
            if isinstance(inner, list):
                for item in inner or [None]:
                    yield from questions(paths, row, {**chosen, path[:steps]: item})
                return
            if inner is not None:
                inner = next(v for name, v in inner.items() if name.lower() == part)
        fields[".".join(path)] = inner
    yield {**row, **fields}


def value(expr: Expr, row: Row, kinds: Kinds) -> Cell:  # noqa: C901 - a case per node
    """The value of an expression for a row.

    Raises:
        Failed: a part that counts has none.
    """

    def of(part: Expr) -> Cell:
        return value(part, row, kinds)

    match expr:
        case Literal(held):
            return constant(held)
        case ColumnRef() | FieldRef():
            return row[expr.name]
        case And(parts):
            return conjunction([of(p) for p in parts])
        case Or(parts):
            return negation(conjunction([negation(of(p)) for p in parts]))
        case Not(part):
            return negation(of(part))
        case IsNull(subject):
            return of(subject) is None
        case Case(branches, default):
            for condition, result in branches:
                if of(condition) is True:
                    return into(of(result), kind_of(result, kinds), kind_of(expr, kinds))
            return into(of(default), kind_of(default, kinds), kind_of(expr, kinds))
    return apply(expr, kinds, [of(part) for part in parts_of(expr)])


def parts_of(expr: Expr) -> tuple[Expr, ...]:
    """The operands of a part that needs all of them."""
    match expr:
        case Compare(_, left, right) | Arithmetic(_, left, right):
            return left, right
        case In(subject, options):
            return subject, *options
        case Like(subject, _):
            return (subject,)
        case Negate(part):
            return (part,)
        case Call("cast", (part, _)):
            return (part,)
        case Call(_, arguments):
            return arguments
    raise AssertionError(expr)


def apply(expr: Expr, kinds: Kinds, values: list[Cell]) -> Cell:
    """The value of such a part for values of its operands.

    Raises:
        Failed: it has none.
    """
    held = [kind_of(part, kinds) for part in parts_of(expr)]
    match expr:
        case Compare(op, _, _):
            return compare(op, values, held)
        case In():
            subject, *options = zip(values, held, strict=True)
            return among(subject, options)
        case Like(_, pattern):
            return None if values[0] is None else like(values[0], pattern)
        case Arithmetic(op, _, _):
            return arithmetic(op, values, held)
        case Negate():
            return negate(values[0])
        case Call("cast", (_, Literal(target))):
            return None if values[0] is None else CASTS[target](values[0])
        case Call("in_set", _):
            return in_set(values, held)
        case Call("coalesce", _):
            goal = kind_of(expr, kinds)
            same = [into(v, k, goal) for v, k in zip(values, held, strict=True)]
            return next((v for v in same if v is not None), None)
        case Call(name, _):
            return None if None in values else FUNCTIONS[name](*values)
    raise AssertionError(expr)


def constant(held: object) -> Cell:
    """A literal as a cell."""
    if isinstance(held, datetime):
        return from_datetime(held)
    return from_date(held) if isinstance(held, date) else held


# ---- three-valued logic


def negation(v: Cell) -> bool | None:
    """Kleene's NOT."""
    return None if v is None else not v


def conjunction(values: list[Cell]) -> bool | None:
    """Kleene's AND."""
    if False in values:
        return False
    return None if None in values else True


# ---- comparison


def compare(op: str, values: list[Cell], held: list[str]) -> bool | None:
    """`left op right`; each side is converted on its own before NULL is looked at."""
    if "null" in held:
        return None
    left, right = alike(values[0], *held), alike(values[1], *held[::-1])
    if left is None or right is None:
        return None
    sign = order(left, right)
    tests: dict[str, Callable[[int, int], bool]] = {
        "=": operator.eq,
        "!=": operator.ne,
        "<": operator.lt,
        "<=": operator.le,
        ">": operator.gt,
        ">=": operator.ge,
    }
    return tests[op](sign, 0)


def among(subject: tuple[Cell, str], options: Iterable[tuple[Cell, str]]) -> bool | None:
    """`x IN (a, b)`, of values with their kinds: `x = a OR x = b`."""
    found = [compare("=", [subject[0], v], [subject[1], kind]) for v, kind in options]
    return negation(conjunction([negation(v) for v in found]))


def in_set(values: list[Cell], held: list[str]) -> bool | None:
    """`x` IN the elements of a set, of which there may be none, and which may be NULL."""
    subject, members = values
    if members is None:
        return None
    if not elements(members):
        return None if subject is None else False
    return among((subject, held[0]), [(element, "text") for element in elements(members)])


def alike(v: Cell, own: str, other: str) -> Cell:
    """A side of a comparison in the form in which it meets the other side."""
    if v is None:
        return None
    if own == "text" and other in NUMBERS:
        v, own = number_of(v), "decimal"
    if other == "float" and own in {"integer", "decimal"}:
        return to_float(v)
    if own == "date" and other in UNITS:
        return Moment(v.days * NANOSECONDS_A_DAY)
    return v


def order(left: Cell, right: Cell) -> int:
    """-1, 0 or 1; NaN equals NaN and is greatest."""
    if isinstance(left, float) and isinstance(right, float):
        nans = math.isnan(left), math.isnan(right)
        if any(nans):
            return nans[0] - nans[1]
    return (left > right) - (left < right)


def like(text: str, pattern: str) -> bool:
    """Whether a text matches a LIKE pattern."""
    wanted, rest = "", iter(pattern)
    for sign in rest:
        if sign == "\\":
            wanted += re.escape(next(rest))
        else:
            wanted += {"%": ".*", "_": "."}.get(sign, re.escape(sign))
    return re.fullmatch(wanted, text, re.DOTALL) is not None
