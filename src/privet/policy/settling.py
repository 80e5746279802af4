"""What a filter asks about the reader, the moment and the dataset, put in its place.

`of_dataset` comes first and once for each dataset, `asked_of` and `settle` for each reader. What
is left names columns and constants only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from privet.model.datasets import Dataset
from privet.model.errors import InvalidRequest, Position
from privet.model.expressions import (
    And,
    Call,
    Case,
    ColumnRef,
    Expr,
    In,
    IsNull,
    Literal,
    LiteralValue,
    Or,
)
from privet.model.names import PUBLIC_ROLE, PUBLIC_ROLE_ALIAS, TagName
from privet.model.principals import Principal
from privet.policy.binding import children, rebuild, walk
from privet.policy.functions import READER
from privet.policy.sets import elements

_NULL = Literal(None)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who asks, and when (aware)."""

    principal: Principal
    roles: frozenset[str]
    now: datetime

    def answer(self, call: Call) -> LiteralValue:
        """The value of a function of the reader."""
        match call.function:
            case "user":
                return self.principal.user
            case "now":
                return self.now.astimezone(UTC)
            case "user_attribute":
                return self.principal.attributes.get(texts(call)[0].lower())
            case _:
                return self.roles.issuperset(roles_named(call))


def texts(call: Call) -> tuple[str, ...]:
    """The arguments of a call whose arguments are all written as text."""
    return tuple(str(a.value) for a in call.arguments if isinstance(a, Literal))


def roles_named(call: Call) -> frozenset[str]:
    """The roles of a `has_roles`."""
    named = {e.lower() for text in texts(call) for e in elements(text)}
    return frozenset(PUBLIC_ROLE if name == PUBLIC_ROLE_ALIAS else name for name in named)


def roles_asked(expr: Expr) -> frozenset[str]:
    """The roles of every `has_roles` in an expression."""
    calls = (p for p in walk(expr) if isinstance(p, Call) and p.function == "has_roles")
    return frozenset(role for call in calls for role in roles_named(call))


def tags_named(expr: Expr) -> Iterator[tuple[TagName, Position | None]]:
    """The tags that functions of the dataset name.

    Raises:
        InvalidRequest: one is no tag.
    """
    for part in walk(expr):
        if isinstance(part, Call) and part.function in {
            "table_attribute",
            "columns_with_attribute",
        }:
            try:
                yield TagName.parse(texts(part)[0]), part.position
            except InvalidRequest as error:
                error.position = part.position
                raise


def of_dataset(expr: Expr, dataset: Dataset) -> Expr:
    """Replace the functions of the dataset.

    `columns_with_attribute` becomes the one reviewed column that bears the tag itself; where there
    is none, or more than one, it stands as a column that the dataset lacks.
    """
    if isinstance(expr, Call) and expr.function == "table_attribute":
        tag = TagName.parse(texts(expr)[0])
        return Literal("true") if tag in dataset.tags | dataset.database_tags else _NULL
    if isinstance(expr, Call) and expr.function == "columns_with_attribute":
        tag = TagName.parse(texts(expr)[0])
        bearing = [c.name for c in dataset.columns if c.reviewed and tag in c.tags]
        name = bearing[0] if len(bearing) == 1 else f"columns_with_attribute('{tag}')"
        return ColumnRef(name, expr.position)
    parts = children(expr)
    return rebuild(expr, [of_dataset(p, dataset) for p in parts]) if parts else expr


def ambiguous(expr: Expr, dataset: Dataset) -> TagName | None:
    """A tag of `columns_with_attribute` that several reviewed columns bear, if there is one."""
    for part in walk(expr):
        if isinstance(part, Call) and part.function == "columns_with_attribute":
            tag = TagName.parse(texts(part)[0])
            if sum(tag in c.tags for c in dataset.columns if c.reviewed) > 1:
                return tag
    return None


def asked_of(expr: Expr | None) -> tuple[Call, ...]:
    """The functions of the reader that a filter calls, each once."""
    calls = (p for p in walk(expr) if isinstance(p, Call)) if expr else ()
    return tuple(dict.fromkeys(c for c in calls if c.function in READER))


def settle(expr: Expr, answers: Mapping[Call, LiteralValue]) -> Expr:
    """Replace the functions of the reader by their values, and sets by their elements."""
    if isinstance(expr, Call) and expr in answers:
        return Literal(answers[expr])
    parts = [settle(p, answers) for p in children(expr)]
    settled = rebuild(expr, parts) if parts else expr
    if not isinstance(settled, Call):
        return settled
    if settled.function == "in_set":
        return _in_set(*settled.arguments)
    return settled


def _in_set(subject: Expr, members: Expr) -> Expr:
    if not isinstance(members, Literal) or members.value is None:
        return In(subject, (_NULL,))
    options = tuple(Literal(e) for e in elements(str(members.value)))
    # Of the empty set nothing is an element; nobody knows whether NULL is.
    return In(subject, options) if options else Case(((IsNull(subject), _NULL),), Literal(False))


def misplaced_roles(expr: Expr) -> Call | None:
    """A `has_roles` that stands elsewhere than under AND and OR: there it could take away."""
    stack = [expr]
    while stack:
        part = stack.pop()
        if isinstance(part, And | Or):
            stack.extend(part.parts)
        elif not (isinstance(part, Call) and part.function == "has_roles"):
            inside = (p for p in walk(part) if isinstance(p, Call) and p.function == "has_roles")
            if found := next(inside, None):
                return found
    return None
