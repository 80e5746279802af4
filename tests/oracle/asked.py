"""What a filter asks about the reader, the moment and the dataset, put in its place.

From docs/reference/expressions.md. What is left names columns and constants only.
"""

from __future__ import annotations

from collections.abc import Callable

from world import World, roles_of

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

NOWHERE = "a column that nobody can name"
SEVERAL = "several columns bear it"
"""Stand for a column that is missing, and for one of which nobody can tell which it is."""


def answered(expr: Expr, world: World) -> Expr:
    """The filter as it is for this reader, moment and dataset."""
    return replaced(expr, lambda call: _answer(call, world))


def found(expr: Expr, world: World) -> Expr:
    """The filter as it is for this dataset, whoever asks: with its columns."""
    return replaced(expr, lambda call: _column(call, world))


def _answer(call: Call, world: World) -> Expr | None:
    reader = world.principal
    texts = [str(a.value) for a in call.arguments if isinstance(a, Literal)]
    match call.function:
        case "user":
            return Literal(reader.user)
        case "now":
            return Literal(world.now)
        case "user_attribute":
            key = texts[0].lower()
            return Literal(reader.user if key == "whoami" else reader.attributes.get(key))
        case "has_roles":
            wanted = {role.lower() for text in texts for role in elements(text)}
            return Literal(wanted <= roles_of(world))
        case "table_attribute":
            borne = {str(tag) for tag in world.dataset.tags | world.dataset.database_tags}
            return Literal("true" if texts[0] in borne else None)
    return _column(call, world)


def _column(call: Call, world: World) -> Expr | None:
    """The one reviewed column that bears the tag itself; else one that is missing, or no one."""
    if call.function != "columns_with_attribute":
        return None
    (tag,) = (str(a.value) for a in call.arguments)
    bearing = [
        column.name
        for column in world.dataset.columns
        if column.reviewed
        and any(t.path == (column.name,) and str(t.tag) == tag for t in column.field_tags)
    ]
    match bearing:
        case []:
            return ColumnRef(NOWHERE)
        case [name]:
            return ColumnRef(name)
        case _:
            return ColumnRef(SEVERAL)


def columns_in(expr: Expr) -> set[str]:
    """The columns that an expression names, and the fields inside them."""
    if isinstance(expr, ColumnRef | FieldRef):
        return {expr.name}
    return {name for part in inside(expr) for name in columns_in(part)}


def fields_in(expr: Expr) -> set[tuple[str, ...]]:
    """The paths of the fields inside columns that an expression names."""
    if isinstance(expr, FieldRef):
        return {expr.path}
    return {path for part in inside(expr) for path in fields_in(part)}


def roles_misplaced(expr: Expr) -> bool:
    """Whether `has_roles` stands where it could be negated: not under AND and OR from the root."""
    if isinstance(expr, And | Or):
        return any(map(roles_misplaced, expr.parts))
    return any(map(_asks_for_roles, inside(expr)))


def _asks_for_roles(expr: Expr) -> bool:
    own = isinstance(expr, Call) and expr.function == "has_roles"
    return own or any(map(_asks_for_roles, inside(expr)))


# ---- expressions and their parts


def inside(expr: Expr) -> list[Expr]:
    """The parts of an expression, in order."""
    parts: list[Expr] = []

    def kept(part: Expr) -> Expr:
        parts.append(part)
        return part

    rebuilt(expr, kept)
    return parts


def replaced(expr: Expr, answer: Callable[[Call], Expr | None]) -> Expr:
    """The expression with other things in the place of some calls."""
    if isinstance(expr, Call) and (instead := answer(expr)) is not None:
        return instead
    return rebuilt(expr, lambda part: replaced(part, answer))


def rebuilt(expr: Expr, go: Callable[[Expr], Expr]) -> Expr:  # noqa: C901 - a case per node
    """The same form over what `go` makes of its parts."""
    match expr:
        case Call(name, arguments):
            return Call(name, tuple(map(go, arguments)))
        case And(parts):
            return And(tuple(map(go, parts)))
        case Or(parts):
            return Or(tuple(map(go, parts)))
        case Not(part):
            return Not(go(part))
        case Negate(part):
            return Negate(go(part))
        case IsNull(part):
            return IsNull(go(part))
        case Like(part, pattern):
            return Like(go(part), pattern)
        case Compare(op, left, right):
            return Compare(op, go(left), go(right))
        case Arithmetic(op, left, right):
            return Arithmetic(op, go(left), go(right))
        case In(subject, options):
            return In(go(subject), tuple(map(go, options)))
        case Case(branches, default):
            return Case(tuple((go(c), go(r)) for c, r in branches), go(default))
    return expr


# ---- sets as text


def elements(text: str) -> list[str]:
    """The elements of a list: `a, b,"c,d"`; blanks around them, and empty ones, do not count."""
    found: list[str] = []
    rest = text
    while rest:
        element, rest = _first(rest.lstrip(" "))
        found.append(element.strip(" "))
    return [element for element in found if element]


def _first(text: str) -> tuple[str, str]:
    """The first element of a list, and what is behind its comma."""
    if not text.startswith('"'):
        element, _, rest = text.partition(",")
        return element, rest
    element, rest = "", text[1:]
    while rest:
        part, quote, rest = rest.partition('"')
        element += part
        if quote and not rest.startswith('"'):
            behind, _, rest = rest.partition(",")
            return element + behind, rest
        element += quote
        rest = rest[1:] if quote else rest
    return element, ""
