"""The type law: what kind an expression has over a dataset's columns, or why it has none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from privet.model.datasets import Dataset
from privet.model.errors import Position, TypeMismatch, UnknownName
from privet.model.expressions import (
    And,
    Arithmetic,
    ArithmeticOp,
    Call,
    Case,
    ColumnRef,
    ColumnSlot,
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
from privet.policy.functions import (
    CAST,
    CASTS,
    FUNCTIONS,
    NUMBERS,
    TIMES,
    WRITTEN_OUT,
    Function,
    Kind,
    kind_of_type,
    near,
)

_LITERALS: tuple[tuple[type, Kind], ...] = (
    (bool, Kind.BOOLEAN),
    (int, Kind.INTEGER),
    (Decimal, Kind.DECIMAL),
    (str, Kind.TEXT),
    (datetime, Kind.TIMESTAMP),
    (date, Kind.DATE),
)


def column_kinds(dataset: Dataset) -> dict[str, Kind]:
    """The kinds that a filter on the dataset may name: unreviewed columns do not count yet."""
    return {c.name: kind_of_type(c.type) for c in dataset.columns if c.reviewed}


def check_filter(expr: Expr, columns: Mapping[str, Kind] | None) -> None:
    """Check that an expression is a row filter over the columns (None: over any columns).

    Raises:
        UnknownName: a column that is not there.
        TypeMismatch: kinds that do not go together, or an expression that is not boolean.
    """
    kind = kind_of(expr, columns)
    if kind not in {Kind.BOOLEAN, Kind.NULL}:
        raise TypeMismatch(
            f"a row filter must be true or false, and this is {kind}",
            hint="compare it with something",
            position=first_position(expr),
        )


def kind_of(expr: Expr, columns: Mapping[str, Kind] | None) -> Kind:
    """The kind of an expression over the columns (None: over any columns).

    Raises:
        UnknownName: a column that is not there, with near names.
        TypeMismatch: kinds that do not go together.
    """
    return _KINDS[type(expr)](expr, columns)


def children(expr: Expr) -> tuple[Expr, ...]:
    """The direct parts of an expression, in order of writing."""
    match expr:
        case Literal() | ColumnRef() | FieldRef() | ColumnSlot():
            return ()
        case Compare(_, left, right) | Arithmetic(_, left, right):
            return (left, right)
        case And(parts) | Or(parts) | Call(_, parts):
            return parts
        case In(subject, options):
            return (subject, *options)
        case Case(branches, default):
            return (*(part for branch in branches for part in branch), default)
        case Not(part) | Negate(part) | IsNull(part) | Like(part, _):
            return (part,)


def walk(expr: Expr) -> Iterator[Expr]:
    """The expression and all its parts, outermost first."""
    stack = [expr]
    while stack:
        yield (part := stack.pop())
        stack.extend(reversed(children(part)))


def rebuild(expr: Expr, parts: Sequence[Expr]) -> Expr:
    """The same form over other parts, given in the order of `children`."""
    match expr:
        case Compare() | Arithmetic():
            return replace(expr, left=parts[0], right=parts[1])
        case And() | Or():
            return replace(expr, parts=tuple(parts))
        case Call():
            return replace(expr, arguments=tuple(parts))
        case In() | Like() | IsNull():
            return _rebuild_test(expr, parts)
        case Case():
            pairs = zip(parts[:-1:2], parts[1:-1:2], strict=True)
            return Case(tuple(pairs), parts[-1])
        case Not() | Negate():
            return replace(expr, part=parts[0])
        case Literal() | ColumnRef() | FieldRef() | ColumnSlot():
            return expr


def _rebuild_test(expr: In | Like | IsNull, parts: Sequence[Expr]) -> Expr:
    if isinstance(expr, In):
        return In(parts[0], tuple(parts[1:]))
    return replace(expr, subject=parts[0])


def columns_of(expr: Expr) -> dict[str, Position | None]:
    """The columns that an expression names, or fields inside them; and where each is first."""
    found: dict[str, Position | None] = {}
    for part in walk(expr):
        if isinstance(part, ColumnRef):
            found.setdefault(part.name, part.position)
        elif isinstance(part, FieldRef):
            found.setdefault(part.path[0], part.position)
    return found


def first_position(expr: Expr) -> Position | None:
    """The first position that is known within an expression."""
    placed = (p.position for p in walk(expr) if isinstance(p, ColumnRef | FieldRef | Call))
    return next((position for position in placed if position is not None), None)


def comparable(left: Kind, right: Kind) -> bool:
    """Whether values of two kinds may be compared."""
    if Kind.OTHER in {left, right}:
        return False
    pair = {left, right}
    return (
        left == right
        or Kind.NULL in pair
        or pair <= NUMBERS
        or pair <= TIMES
        or (Kind.TEXT in pair and bool(pair & NUMBERS))
    )


_Columns = Mapping[str, Kind] | None


def _literal(expr: Literal, _: _Columns) -> Kind:
    return next((kind for t, kind in _LITERALS if isinstance(expr.value, t)), Kind.NULL)


def _column(expr: ColumnRef, columns: _Columns) -> Kind:
    if columns is None:
        return Kind.NULL
    if expr.name not in columns:
        raise UnknownName(
            f"no column `{expr.name}`", hint=near(expr.name, columns), position=expr.position
        )
    return columns[expr.name]


def _field(expr: FieldRef, columns: _Columns) -> Kind:
    if columns is None:
        return Kind.NULL
    if expr.name not in columns:
        column = expr.path[0]
        if column not in columns:
            return _column(ColumnRef(column, expr.position), columns)
        raise UnknownName(
            f"no field `{expr.name}`",
            hint=f"look at the type of column `{column}`",
            position=expr.position,
        )
    return columns[expr.name]


def _slot(_: ColumnSlot, __: _Columns) -> Kind:
    raise TypeMismatch("`__COLUMN__` is only for transforms", hint="name a column")


def _must_compare(expr: Expr, left: Kind, right: Kind) -> None:
    if not comparable(left, right):
        raise TypeMismatch(
            f"{left} cannot be compared with {right}",
            hint="use cast(x as ...)",
            position=first_position(expr),
        )


def _compare(expr: Compare, columns: _Columns) -> Kind:
    _must_compare(expr, kind_of(expr.left, columns), kind_of(expr.right, columns))
    return Kind.BOOLEAN


def _in(expr: In, columns: _Columns) -> Kind:
    subject = kind_of(expr.subject, columns)
    for option in expr.options:
        _must_compare(expr, subject, kind_of(option, columns))
    return Kind.BOOLEAN


def _need(part: Expr, columns: _Columns, kinds: frozenset[Kind], what: str) -> Kind:
    kind = kind_of(part, columns)
    if kind is not Kind.NULL and kind not in kinds:
        raise TypeMismatch(
            f"{what} takes {' or '.join(sorted(kinds))}, and this is {kind}",
            hint="compare it with something, or use cast(x as ...)",
            position=first_position(part),
        )
    return kind


_TRUTH = frozenset({Kind.BOOLEAN})
_WORDS = frozenset({Kind.TEXT})


def _junction(expr: And | Or, columns: _Columns) -> Kind:
    for part in expr.parts:
        _need(part, columns, _TRUTH, "AND" if isinstance(expr, And) else "OR")
    return Kind.BOOLEAN


def _not(expr: Not, columns: _Columns) -> Kind:
    _need(expr.part, columns, _TRUTH, "NOT")
    return Kind.BOOLEAN


def _like(expr: Like, columns: _Columns) -> Kind:
    _need(expr.subject, columns, _WORDS, "LIKE")
    return Kind.BOOLEAN


def _is_null(expr: IsNull, columns: _Columns) -> Kind:
    kind_of(expr.subject, columns)
    return Kind.BOOLEAN


def _case(expr: Case, columns: _Columns) -> Kind:
    for condition, _ in expr.branches:
        _need(condition, columns, _TRUTH, "WHEN")
    return _one_kind([v for _, v in expr.branches] + [expr.default], columns, "CASE")


def _one_kind(parts: list[Expr], columns: _Columns, what: str) -> Kind:
    kinds = {kind_of(part, columns) for part in parts} - {Kind.NULL}
    if Kind.OTHER in kinds or (len(kinds) > 1 and not kinds <= NUMBERS):
        raise TypeMismatch(
            f"the values of {what} must be of one kind, and these are {', '.join(sorted(kinds))}",
            hint="use cast(x as ...)",
            position=first_position(parts[0]),
        )
    if kinds & {Kind.FLOAT, Kind.DECIMAL}:
        return Kind.FLOAT
    return kinds.pop() if kinds else Kind.NULL


def _arithmetic(expr: Arithmetic, columns: _Columns) -> Kind:
    kinds = {_need(p, columns, NUMBERS, f"`{expr.op}`") for p in (expr.left, expr.right)}
    if expr.op is ArithmeticOp.DIV or kinds & {Kind.FLOAT, Kind.DECIMAL}:
        return Kind.FLOAT
    return _if_known(columns) if Kind.NULL in kinds else Kind.INTEGER


def _signless(part: Expr, columns: _Columns, what: str) -> Kind:
    kind = _need(part, columns, NUMBERS, what)
    if kind is Kind.NULL:
        return _if_known(columns)
    return Kind.FLOAT if kind is Kind.DECIMAL else kind


def _if_known(columns: _Columns) -> Kind:
    """The kind of arithmetic with NULL: an integer, unless NULL stands for an unknown column."""
    return Kind.NULL if columns is None else Kind.INTEGER


def function_of(call: Call) -> Function | None:
    """The function that a call is of, if it is a well-formed call of one there is."""
    if call.function == CAST:
        match call.arguments:
            case (_, Literal(str(target))):
                return CASTS.get(target)
            case _:
                return None
    function = FUNCTIONS.get(call.function)
    return function if function and function.takes(len(call.arguments)) else None


def _call(expr: Call, columns: _Columns) -> Kind:
    function = function_of(expr)
    if function is None:
        raise UnknownName(f"no such function: `{expr.function[:64]}`", position=expr.position)
    arguments = expr.arguments[:1] if expr.function == CAST else expr.arguments
    if function.name == "abs":
        return _signless(arguments[0], columns, "`abs`")
    if function.name == "substr" and not all(map(_is_whole, arguments[1:])):
        raise TypeMismatch(
            "start and count of `substr` must be written as whole numbers", position=expr.position
        )
    _check_written(expr)
    for index, argument in enumerate(arguments):
        _need(argument, columns, function.parameter(index), f"`{function.name}`")
    if function.name == "columns_with_attribute":
        return Kind.NULL
    return function.result or _one_kind(list(arguments), columns, f"`{function.name}`")


def _check_written(call: Call) -> None:
    """What can be named is known when a permission is stored: names and lists are written out."""
    written = call.function in WRITTEN_OUT
    if written and not all(_is_written(a) for a in call.arguments):
        raise TypeMismatch(
            f"what `{call.function}` names is written as text",
            hint=f"such as {call.function}('name')",
            position=call.position,
        )
    if call.function == "in_set" and not _is_list(call.arguments[1]):
        raise TypeMismatch(
            "the list of `in_set` is a text, or an attribute",
            hint="such as in_set(x, 'a,b') or in_set(x, user_attribute('k'))",
            position=call.position,
        )


def _is_written(expr: Expr) -> bool:
    return isinstance(expr, Literal) and isinstance(expr.value, str)


def _is_list(expr: Expr) -> bool:
    attributes = {"user_attribute", "table_attribute"}
    return isinstance(expr, Literal) or (isinstance(expr, Call) and expr.function in attributes)


def _is_whole(expr: Expr) -> bool:
    return isinstance(expr, Literal) and type(expr.value) is int


_KINDS: dict[type, Callable[[Any, _Columns], Kind]] = {
    Literal: _literal,
    ColumnRef: _column,
    FieldRef: _field,
    ColumnSlot: _slot,
    Compare: _compare,
    And: _junction,
    Or: _junction,
    Not: _not,
    In: _in,
    Like: _like,
    IsNull: _is_null,
    Case: _case,
    Arithmetic: _arithmetic,
    Negate: lambda e, c: _signless(e.part, c, "`-`"),
    Call: _call,
}
