"""Expressions in words. What binds is told by parentheses, as in SQL."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from typing import Any

from privet.model.expressions import (
    And,
    Arithmetic,
    ArithmeticOp,
    Call,
    Case,
    ColumnRef,
    ColumnSlot,
    Compare,
    CompareOp,
    Expr,
    FieldRef,
    In,
    IsNull,
    Like,
    Literal,
    LiteralValue,
    Negate,
    Not,
    Or,
)
from privet.policy.binding import walk
from privet.policy.functions import CAST
from privet.policy.language.printing import literal_sql

_OR, _AND, _NOT, _PREDICATE, _SUM, _PRODUCT, _ATOM = range(7)
_COMPARED = {
    CompareOp.EQ: "is",
    CompareOp.NE: "is not",
    CompareOp.LT: "is less than",
    CompareOp.LE: "is at most",
    CompareOp.GT: "is more than",
    CompareOp.GE: "is at least",
}
_COMPUTED = {
    ArithmeticOp.ADD: (_SUM, "plus"),
    ArithmeticOp.SUB: (_SUM, "minus"),
    ArithmeticOp.MUL: (_PRODUCT, "times"),
    ArithmeticOp.DIV: (_PRODUCT, "divided by"),
    ArithmeticOp.MOD: (_PRODUCT, "modulo"),
}
_CASTS = {
    "bigint": "a whole number",
    "double": "a number",
    "varchar": "a text",
    "date": "a day",
}
_WORDS = frozenset(
    "all and as begins by case common contains day divided ends enough first followed has have"
    " holds hour if in is item least length less like list lists lower matches minus missing"
    " modulo moment month more most none not nothing number of one or otherwise outer part pattern"
    " plus present reader roles set size some spaces tagged text than that the then time"
    " times true false upper where whole with without year".split()
)
"""Words that stand in sentences themselves: a column of that name is quoted."""


def condition_english(expr: Expr) -> str:
    """A condition, as after "rows where"."""
    inside = any(isinstance(part, FieldRef) for part in walk(expr))
    # A field may lie in a list, and then it is asked of each item by itself.
    return _said(expr, _OR) + (" (one item of a list is enough)" if inside else "")


def value_english(value: LiteralValue) -> str:
    """A constant."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return f"the time {value.astimezone(UTC).replace(tzinfo=None).isoformat(' ')} UTC"
    if isinstance(value, date):
        return f"the day {value.isoformat()}"
    return literal_sql(value)


def _said(expr: Expr, place: int) -> str:
    binds, text = _SAYERS[type(expr)](expr)
    return f"({text})" if binds < place else text


def _listed(items: Iterable[Expr]) -> str:
    return f"({', '.join(_said(item, _OR) for item in items)})"


def _column(expr: ColumnRef) -> tuple[int, str]:
    plain = expr.name not in _WORDS and not expr.name[0].isdigit()
    return _ATOM, expr.name if plain else f"`{expr.name}`"


def _field(expr: FieldRef) -> tuple[int, str]:
    """Never as the same words as columns: no name of a column has a point in it."""
    return _ATOM, expr.name


def _joined(parts: tuple[Expr, ...], own: int, word: str) -> tuple[int, str]:
    return own, word.join(_said(part, own + 1) for part in parts)


def _compared(expr: Compare) -> tuple[int, str]:
    left, right = _said(expr.left, _SUM), _said(expr.right, _SUM)
    return _PREDICATE, f"{left} {_COMPARED[expr.op]} {right}"


def _not(expr: Not) -> tuple[int, str]:
    match expr.part:
        case In(subject, options):
            return _PREDICATE, f"{_said(subject, _SUM)} is none of {_listed(options)}"
        case IsNull(subject):
            return _PREDICATE, f"{_said(subject, _SUM)} is not missing"
        case part:
            return _NOT, f"not {_said(part, _ATOM)}"


def _like(expr: Like) -> tuple[int, str]:
    subject, pattern = _said(expr.subject, _SUM), expr.pattern
    inner = pattern.strip("%")
    if inner and not {"%", "_", "\\"} & set(inner):
        for before, after, word in (("%", "%", "contains"), ("", "%", "begins with"),
                                    ("%", "", "ends with")):  # fmt: skip
            if pattern == f"{before}{inner}{after}":
                return _PREDICATE, f"{subject} {word} {literal_sql(inner)}"
    return _PREDICATE, f"{subject} matches the pattern {literal_sql(pattern)}"


def _arithmetic(expr: Arithmetic) -> tuple[int, str]:
    own, word = _COMPUTED[expr.op]
    return own, f"{_said(expr.left, own)} {word} {_said(expr.right, own + 1)}"


def _case(expr: Case) -> tuple[int, str]:
    ways = (f"if {_said(c, _OR)} then {_said(v, _OR)}" for c, v in expr.branches)
    return _ATOM, f"({', '.join(ways)}, otherwise {_said(expr.default, _OR)})"


def _text(expr: Expr) -> str:
    """A text that has to be written out, as it is written."""
    return literal_sql(expr.value) if isinstance(expr, Literal) else _said(expr, _ATOM)


def _call(expr: Call) -> tuple[int, str]:
    match expr:
        case Call("user", ()):
            return _ATOM, "the reader"
        case Call("now", ()):
            return _ATOM, "the present time"
        case Call("user_attribute", (name,)):
            return _ATOM, f"the reader's {_text(name)}"
        case Call("has_roles", names):
            return _PREDICATE, f"the reader holds all roles of {_listed(names)}"
        case Call("table_attribute", (tag,)):
            return _ATOM, f"'true' if the dataset is tagged {_text(tag)}"
        case Call("columns_with_attribute", (tag,)):
            return _ATOM, f"the column tagged {_text(tag)}"
        case Call("in_set", (subject, held)):
            return _PREDICATE, f"{_said(subject, _SUM)} is in the list {_said(held, _ATOM)}"
        case Call("sets_intersect", (one, other)):
            lists = f"{_said(one, _ATOM)} and {_said(other, _ATOM)}"
            return _PREDICATE, f"the lists {lists} have something in common"
        case Call(function, (value, Literal(str(target)))) if function == CAST:
            return _ATOM, f"({_said(value, _OR)} as {_CASTS[target]})"
        case _:
            return _ATOM, f"{_NAMED.get(expr.function, expr.function)} of {_listed(expr.arguments)}"


_NAMED = {
    "lower": "the lower case",
    "upper": "the upper case",
    "trim": "the text without outer spaces",
    "length": "the length",
    "substr": "the part",
    "concat": "the texts one after the other",
    "abs": "the size",
    "year": "the year",
    "month": "the month",
    "day": "the day of the month",
    "hour": "the hour of the day",
    "dayname": "the name of the day of the week",
    "coalesce": "the first that is not missing",
}
_SAYERS: dict[type, Callable[[Any], tuple[int, str]]] = {
    Literal: lambda e: (_ATOM, value_english(e.value)),
    ColumnRef: _column,
    FieldRef: _field,
    ColumnSlot: lambda _: (_ATOM, "the cell"),
    Compare: _compared,
    And: lambda e: _joined(e.parts, _AND, " and "),
    Or: lambda e: _joined(e.parts, _OR, " or "),
    Not: _not,
    In: lambda e: (_PREDICATE, f"{_said(e.subject, _SUM)} is one of {_listed(e.options)}"),
    Like: _like,
    IsNull: lambda e: (_PREDICATE, f"{_said(e.subject, _SUM)} is missing"),
    Case: _case,
    Arithmetic: _arithmetic,
    Negate: lambda e: (_ATOM, f"minus ({_said(e.part, _OR)})"),
    Call: _call,
}
