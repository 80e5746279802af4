"""Parse trees of filters, tag expressions and transforms to the values of the model."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

from lark import Token, Tree

from privet.model.errors import InvalidRequest, ParseFailed, UnknownName
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
    HasTag,
    In,
    IsNull,
    Like,
    Literal,
    Negate,
    Not,
    Or,
    TagAnd,
    TagExpr,
    TagNot,
    TagOr,
)
from privet.model.names import TagName, fold
from privet.model.permissions import USER_SLOT, fold_object
from privet.model.transforms import SIGNED_USER, SPECS, find_spec, specs_of
from privet.policy.functions import CAST, CASTS, FUNCTIONS, near
from privet.policy.language.syntax import Branch, position_of, read_tree

_MAX_DIGITS = 38
_INT64 = range(-(2**63), 2**63)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d{1,6})?", re.ASCII)
_EXPONENT_LIMIT = 3
_SHARED = Call(SIGNED_USER, (Literal(False),))
"""Says what goes without saying."""


def parse_filter(text: str) -> Expr:
    """Parse a row filter.

    Raises:
        ParseFailed: not an expression of the language, with the position.
        UnknownName: an unknown function, with the position and near names.
    """
    return read_expr(_only(read_tree(text, "filter")))


def parse_tags(text: str) -> TagExpr:
    """Parse a tag expression, as after HAVING ATTRIBUTE.

    Raises:
        ParseFailed: not a tag expression.
    """
    return read_tags(_only(read_tree(text, "tags")))


def parse_transform(text: str) -> Call:
    """Parse a transform call, as after WITH; a missing `__COLUMN__` is supplied.

    Raises:
        ParseFailed: not a call.
        UnknownName: an unknown transform.
        InvalidRequest: arguments that the transform does not take.
    """
    return read_transform(_only(read_tree(text, "transform")))


def read_name(node: Branch | Token, what: str = "name") -> str:
    """Fold a written name.

    Raises:
        ParseFailed: a quoted name that is no identifier, or one that is too long.
    """
    token = node if isinstance(node, Token) else _token(node)
    try:
        return fold(token[1:-1] if token.type == "QUOTED" else str(token), what)
    except InvalidRequest as error:
        raise ParseFailed(error.message, hint=error.hint, position=position_of(token)) from None


def read_object_name(node: Branch | Token, what: str = "name") -> str:
    """Fold the name of an object of a permission, in which `${user}` may stand for the reader.

    Raises:
        ParseFailed: it is no such name.
    """
    token = node if isinstance(node, Token) else _token(node)
    if token.type != "QUOTED" or USER_SLOT not in token.lower():
        return read_name(token, what)
    try:
        return fold_object(token[1:-1], what)
    except InvalidRequest as error:
        raise ParseFailed(error.message, hint=error.hint, position=position_of(token)) from None


def read_text(token: Token) -> str:
    """The text that a 'quoted' token stands for."""
    return str(token[1:-1]).replace("''", "'")


# ---- tag expressions


def read_tags(tree: Branch) -> TagExpr:
    """A tag expression's value; the tree's depth is already bounded."""
    match tree.data:
        case "tag":
            return _tag(tree)
        case "tag_paren":
            return read_tags(_only(tree))
        case "tag_not":
            return TagNot(read_tags(_only(tree)))
        case "tag_is":
            return _tag_is(tree)
        case "tag_and":
            return TagAnd(tuple(map(read_tags, _branches(tree))))
        case _:
            parts = tuple(map(read_tags, _branches(tree)))
            return parts[0] if len(parts) == 1 else TagOr(parts)


def _tag(tree: Branch) -> HasTag:
    namespace, key = _branches(tree)
    name = TagName(read_name(namespace, "tag namespace"), read_name(key, "tag name"))
    return HasTag(name, position_of(tree))


def _tag_is(tree: Branch) -> TagExpr:
    tag = _tag(_branches(tree)[0])
    operator, value = _tokens(tree)
    return tag if (operator.type == "EQUAL") == (value.type == "TRUE") else TagNot(tag)


# ---- transforms


def read_transform(tree: Branch) -> Call:
    """A transform call under its canonical name, checked against the transforms there are."""
    token, position = _token(tree), position_of(tree)
    name = str(token).strip("`").lower()
    if name == SIGNED_USER:
        return Call(SIGNED_USER, tuple(map(read_expr, _branches(tree))), position)
    spec = find_spec(name)
    if spec is None:
        known = [n for s in SPECS for n in (s.name, *s.aliases)]
        raise UnknownName(
            f"unknown transform `{name[:64]}`",
            hint=near(name, known) or f"one of {', '.join(s.name for s in SPECS)}",
            position=position,
        )
    arguments = tuple(map(read_expr, _branches(tree)))
    if not arguments or not _is_column(arguments[0]):
        arguments = (ColumnSlot(), *arguments)
    if spec.keyed and arguments[-1] == _SHARED:
        arguments = arguments[:-1]
    call = Call(spec.name, arguments, position, name if name != spec.name else "")
    specs_of(call)
    return call


def _is_column(argument: Expr) -> bool:
    if isinstance(argument, Call):
        return argument.function != SIGNED_USER
    return isinstance(argument, ColumnSlot)


# ---- filters


def read_expr(tree: Branch) -> Expr:
    """An expression's value; the tree's depth is already bounded."""
    while tree.data == "paren":
        tree = _only(tree)
    return _READERS[tree.data](tree)


def _parts(tree: Branch) -> tuple[Expr, ...]:
    return tuple(map(read_expr, _branches(tree)))


def _column(tree: Branch) -> Expr:
    token = _token(tree)
    name = read_name(token, "column name")
    if token.type == "IDENT" and name == "__column__":
        raise ParseFailed(
            "`__COLUMN__` is only for transforms",
            hint="name the column that the filter is on",
            position=position_of(token),
        )
    return ColumnRef(name, position_of(token))


def _field(tree: Branch) -> Expr:
    column = _token(_only(tree))
    inside = (read_name(part, "field name") for part in _tokens(tree))
    return FieldRef((read_name(column, "column name"), *inside), position_of(column))


def _compare(tree: Branch) -> Expr:
    left, right = _parts(tree)
    operator = str(_token(tree))
    return Compare(CompareOp("!=" if operator == "<>" else operator), left, right)


def _between(tree: Branch) -> Expr:
    subject, low, high = _parts(tree)
    return And((Compare(CompareOp.GE, subject, low), Compare(CompareOp.LE, subject, high)))


def _in(tree: Branch) -> Expr:
    subject, *options = _parts(tree)
    return In(subject, tuple(options))


def _like(tree: Branch) -> Expr:
    token = _token(tree)
    pattern = read_text(token)
    if (len(pattern) - len(pattern.rstrip("\\"))) % 2:
        raise ParseFailed(
            "a pattern ends in a single backslash",
            hint="double it to mean a backslash",
            position=position_of(token),
        )
    return Like(read_expr(_branches(tree)[0]), pattern)


def _case(tree: Branch) -> Expr:
    branches: list[tuple[Expr, Expr]] = []
    default: Expr = Literal(None)
    for clause in _branches(tree):
        if clause.data == "when":
            condition, value = _parts(clause)
            branches.append((condition, value))
        else:
            default = read_expr(_only(clause))
    return Case(tuple(branches), default)


def _arithmetic(tree: Branch) -> Expr:
    left, right = _parts(tree)
    return Arithmetic(ArithmeticOp(str(_token(tree))), left, right)


def _negate(tree: Branch) -> Expr:
    inner = _only(tree)
    if inner.data == "number":
        return _number(inner, "-")
    return Negate(read_expr(inner))


def _call(tree: Branch) -> Expr:
    token, position = _token(tree), position_of(tree)
    name = str(token).lower()
    if name not in FUNCTIONS:
        raise UnknownName(
            f"unknown function `{name[:64]}`",
            hint=near(name, (*FUNCTIONS, CAST)) or f"one of {', '.join(FUNCTIONS)}",
            position=position,
        )
    arguments = _parts(tree)
    if not FUNCTIONS[name].takes(len(arguments)):
        raise ParseFailed(
            f"`{name}` does not take {len(arguments)} arguments",
            hint="see the table of functions in docs/reference/expressions.md",
            position=position,
        )
    return Call(name, arguments, position)


def _cast(tree: Branch) -> Expr:
    target = _tokens(tree)[-1]
    if target.lower() not in CASTS:
        raise UnknownName(
            f"cannot cast to `{str(target)[:64]}`",
            hint=near(target.lower(), CASTS) or f"one of {', '.join(CASTS)}",
            position=position_of(target),
        )
    return Call(CAST, (*_parts(tree), Literal(target.lower())), position_of(tree))


def _number(tree: Branch, sign: str = "") -> Literal:
    token = _token(tree)
    if token.isdecimal():
        value = int(sign + token) if len(token.lstrip("0")) <= _MAX_DIGITS else None
        if value is None or value not in _INT64:
            raise ParseFailed(
                "a whole number does not fit into 64 bits",
                hint="write it with a point, as 1.0",
                position=position_of(token),
            )
        return Literal(value)
    return Literal(_decimal(token, sign))


def _decimal(token: Token, sign: str) -> Decimal:
    exponent = re.split("[eE]", token)[1:]
    plain = ""
    if all(len(e.lstrip("+-0")) < _EXPONENT_LIMIT for e in exponent):
        plain = format(Decimal(sign + token), "f")
        plain = plain if "." in plain else f"{plain}.0"
    if not plain or sum(c.isdecimal() for c in plain) > _MAX_DIGITS:
        raise ParseFailed(
            f"a number has more than {_MAX_DIGITS} digits",
            hint="round it",
            position=position_of(token),
        )
    return Decimal(plain)


def _moment(tree: Branch) -> Literal:
    token = _tokens(tree)[-1]
    text = read_text(token)
    try:
        if tree.data == "date" and _DATE.fullmatch(text):
            return Literal(date.fromisoformat(text))
        if tree.data == "timestamp" and _TIMESTAMP.fullmatch(text):
            return Literal(datetime.fromisoformat(_six_digits(text)).replace(tzinfo=UTC))
    except ValueError:
        pass
    raise ParseFailed(
        f"not a {tree.data}",
        hint="write DATE '2024-01-31' or TIMESTAMP '2024-01-31 12:00:00'",
        position=position_of(token),
    )


def _six_digits(text: str) -> str:
    head, point, fraction = text.partition(".")
    return f"{head}{point}{fraction.ljust(6, '0')}" if point else head


_READERS: dict[str, Callable[[Branch], Expr]] = {
    "or": lambda t: Or(_parts(t)),
    "and": lambda t: And(_parts(t)),
    "not": lambda t: Not(read_expr(_only(t))),
    "compare": _compare,
    "between": _between,
    "not_between": lambda t: Not(_between(t)),
    "in": _in,
    "not_in": lambda t: Not(_in(t)),
    "like": _like,
    "not_like": lambda t: Not(_like(t)),
    "is_null": lambda t: IsNull(read_expr(_only(t))),
    "is_not_null": lambda t: Not(IsNull(read_expr(_only(t)))),
    "sum": _arithmetic,
    "product": _arithmetic,
    "negate": _negate,
    "negative": _negate,
    "number": _number,
    "text": lambda t: Literal(read_text(_token(t))),
    "true": lambda _: Literal(True),
    "false": lambda _: Literal(False),
    "null": lambda _: Literal(None),
    "date": _moment,
    "timestamp": _moment,
    "column": _column,
    "field_in": _field,
    "column_slot": lambda _: ColumnSlot(),
    "call": _call,
    "transform_call": read_transform,
    "cast": _cast,
    "case": _case,
}


def _branches(tree: Branch) -> list[Branch]:
    return [c for c in tree.children if isinstance(c, Tree)]


def _tokens(tree: Branch) -> list[Token]:
    return [c for c in tree.children if isinstance(c, Token)]


def _only(tree: Branch) -> Branch:
    return _branches(tree)[0]


def _token(tree: Branch) -> Token:
    return _tokens(tree)[0]
