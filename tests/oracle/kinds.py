"""Whether an expression type-checks over a dataset's columns, and what kind its value is.

From docs/reference/expressions.md. Kinds are words: integer, decimal, float, text, boolean, date,
a timestamp's unit (`s`, `ms`, `us`, `ns`), other, and null for what is NULL without being anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.types as pat

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

NUMBERS = frozenset({"integer", "decimal", "float"})
UNITS = ("s", "ms", "us", "ns")
TIMES = frozenset({"date", *UNITS})
SORTS = (NUMBERS, frozenset({"text"}), frozenset({"boolean"}), frozenset({"date"}), TIMES)
KIND_OF_CAST = {"bigint": "integer", "double": "float", "varchar": "text", "date": "date"}
_CAST_TAKES = {
    "bigint": NUMBERS | {"text", "boolean"},
    "double": NUMBERS | {"text"},
    "varchar": {"integer", "boolean", "date", "text"},
    "date": TIMES | {"text"},
}
_OF_THE_READER = {
    "user": "text",
    "now": "us",
    "user_attribute": "text",
    "table_attribute": "text",
    "has_roles": "boolean",
}
_TAKES_TEXT = {"lower": "text", "upper": "text", "trim": "text", "length": "integer"}


class Misfit(Exception):
    """The expression names a column that is not there, or does not type-check."""


def kind_of_type(kind: pa.DataType) -> str:
    """The kind of a column."""
    if pat.is_integer(kind):
        return "integer"
    if pat.is_floating(kind):
        return "float"
    if pat.is_decimal(kind) and kind.precision <= 38 and 0 <= kind.scale <= 38:
        return "decimal"
    if pat.is_string(kind) or pat.is_large_string(kind) or pat.is_string_view(kind):
        return "text"
    if pat.is_boolean(kind):
        return "boolean"
    if pat.is_date(kind):
        return "date"
    return kind.unit if pat.is_timestamp(kind) else "other"


def inner_kinds(name: str, kind: pa.DataType) -> dict[str, str]:
    """The kinds of the fields inside a column, by the paths as they are written."""
    while pat.is_list(kind):
        kind = kind.value_type
    if not pat.is_struct(kind):
        return {}
    fields = [kind.field(i) for i in range(kind.num_fields)]
    called = [f.name.lower() for f in fields]
    found: dict[str, str] = {}
    for field in fields:
        # Of two that are called alike nobody can tell which is meant.
        if called.count(field.name.lower()) == 1:
            path = f"{name}.{field.name.lower()}"
            found |= {path: kind_of_type(field.type), **inner_kinds(path, field.type)}
    return found


def lists_around(path: tuple[str, ...], kind: pa.DataType) -> set[tuple[str, ...]]:
    """The lists that a field of a column lies in, by the paths that lead to them."""
    found: set[tuple[str, ...]] = set()
    for steps, part in enumerate(path[1:], 1):
        while pat.is_list(kind):
            found.add(path[:steps])
            kind = kind.value_type
        (kind,) = (
            f.type for f in map(kind.field, range(kind.num_fields)) if f.name.lower() == part
        )
    return found


def kind_of(expr: Expr, kinds: Mapping[str, str]) -> str:  # noqa: C901 - a case per node
    """The kind of a value.

    Raises:
        Misfit: there is none.
    """
    match expr:
        case Literal(held):
            return _kind_of_literal(held)
        case ColumnRef() | FieldRef():
            if expr.name not in kinds:
                raise Misfit
            return kinds[expr.name]
        case And(parts) | Or(parts):
            return _all(parts, kinds, {"boolean"}, "boolean")
        case Not(part):
            return _all((part,), kinds, {"boolean"}, "boolean")
        case Like(subject, _):
            return _all((subject,), kinds, {"text"}, "boolean")
        case IsNull(subject):
            kind_of(subject, kinds)
            return "boolean"
        case Compare(_, left, right):
            return _comparable(kind_of(left, kinds), kind_of(right, kinds))
        case In(subject, options):
            for option in options:
                _comparable(kind_of(subject, kinds), kind_of(option, kinds))
            return "boolean"
        case Case(branches, default):
            _all([c for c, _ in branches], kinds, {"boolean"}, "boolean")
            return unified([kind_of(r, kinds) for r in (*(r for _, r in branches), default)])
        case Arithmetic(op, left, right):
            _all((left, right), kinds, NUMBERS, "")
            held = {kind_of(left, kinds), kind_of(right, kinds)}
            return "integer" if op != "/" and held <= {"integer", "null"} else "float"
        case Negate(part):
            return _kind_of_minus(part, kinds)
        case Call(name, arguments):
            return _kind_of_call(name, arguments, kinds)
    raise AssertionError(expr)


def unified(held: list[str]) -> str:
    """The kind that values of these kinds share in CASE and coalesce."""
    found = set(held) - {"null"}
    if "other" in found:
        raise Misfit
    if found <= NUMBERS and found & {"decimal", "float"}:
        return "float"
    if found and found <= set(UNITS):
        return max(found, key=UNITS.index)
    if len(found) <= 1:
        return next(iter(found), "null")
    raise Misfit


def _kind_of_literal(held: object) -> str:
    words = (
        (bool, "boolean"),
        (int, "integer"),
        (Decimal, "decimal"),
        (str, "text"),
        (datetime, "us"),
        (date, "date"),
    )
    return next((word for kind, word in words if isinstance(held, kind)), "null")


def _all(
    parts: tuple[Expr, ...] | list[Expr],
    kinds: Mapping[str, str],
    wanted: frozenset[str] | set[str],
    result: str,
) -> str:
    for part in parts:
        if kind_of(part, kinds) not in {*wanted, "null"}:
            raise Misfit
    return result


def _comparable(left: str, right: str) -> str:
    if "other" in {left, right}:
        raise Misfit
    if "null" in {left, right} or any({left, right} <= sort for sort in SORTS):
        return "boolean"
    if "text" in {left, right} and {left, right} & NUMBERS:
        return "boolean"
    raise Misfit


def _kind_of_minus(part: Expr, kinds: Mapping[str, str]) -> str:
    _all((part,), kinds, NUMBERS, "")
    return "integer" if kind_of(part, kinds) in {"integer", "null"} else "float"


def _kind_of_call(name: str, arguments: tuple[Expr, ...], kinds: Mapping[str, str]) -> str:
    if name == "cast":
        target = arguments[1].value
        return _all(arguments[:1], kinds, _CAST_TAKES[target], KIND_OF_CAST[target])
    if name in _TAKES_TEXT:
        return _all(arguments, kinds, {"text"}, _TAKES_TEXT[name])
    if name == "concat":
        return _all(arguments, kinds, {"text"}, "text")
    if name == "substr":
        return _all(arguments[:1], kinds, {"text"}, "text")
    if name == "abs":
        return _kind_of_minus(arguments[0], kinds)
    if name in {"year", "month", "day", "hour", "dayname"}:
        return _all(arguments, kinds, TIMES, "text" if name == "dayname" else "integer")
    if name == "coalesce":
        return unified([kind_of(a, kinds) for a in arguments])
    if name == "in_set":
        # Its elements are text, and x IN them has to be something.
        _all(arguments[1:], kinds, {"text"}, "")
        return _comparable(kind_of(arguments[0], kinds), "text")
    if name == "sets_intersect":
        return _all(arguments, kinds, {"text"}, "boolean")
    return _OF_THE_READER[name]
