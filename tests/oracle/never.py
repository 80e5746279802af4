"""Whether a filter can be true for any row at all, by looking at it and not at the data.

The law: a grant whose filter reduces to FALSE or NULL grants nothing. Each part is given the set
of values it can take; a part without columns is computed, a part with columns can be anything of
its kind, NULL included. A part that cannot have a value (it always fails) has the empty set.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import product

from cells import Cell, identity
from kinds import kind_of
from meaning import Failed, apply, conjunction, constant, into, negation, parts_of

from privet.model.expressions import (
    And,
    Call,
    Case,
    ColumnRef,
    Compare,
    Expr,
    In,
    IsNull,
    Literal,
    Not,
    Or,
)

ANY = "any value"
Outcomes = frozenset[Cell]
Kinds = Mapping[str, str]


def can_be_true(expr: Expr, kinds: Kinds) -> bool:
    """Whether some row could be visible under the filter."""
    return True in outcomes(expr, kinds)


def outcomes(expr: Expr, kinds: Kinds) -> Outcomes:
    """The values a part can take: of a boolean all three, of others NULL, one known one or ANY."""
    match expr:
        case Literal(held):
            return frozenset({constant(held)})
        case ColumnRef(name):
            return _some([ANY, None], kinds[name])
        case And(parts):
            combined = product(*(outcomes(p, kinds) for p in parts))
            return frozenset(conjunction(list(values)) for values in combined)
        case Or(parts):
            return outcomes(Not(And(tuple(map(Not, parts)))), kinds)
        case Not(part):
            return frozenset(map(negation, outcomes(part, kinds)))
        case In(subject, options):
            tests = tuple(Compare("=", subject, option) for option in options)
            return outcomes(Or(tests), kinds)
        case IsNull(subject):
            return frozenset(v is None for v in outcomes(subject, kinds))
        case Case():
            return _some(_branches(expr, kinds), kind_of(expr, kinds))
    return _some(_applied(expr, kinds), kind_of(expr, kinds))


def _branches(expr: Case, kinds: Kinds) -> Iterator[Cell]:
    goal = kind_of(expr, kinds)
    for condition, result in (*expr.branches, (Literal(True), expr.default)):
        tested = outcomes(condition, kinds)
        if True in tested:
            own = kind_of(result, kinds)
            yield from (v if v == ANY else into(v, own, goal) for v in outcomes(result, kinds))
        if tested <= {True}:
            return


def _applied(expr: Expr, kinds: Kinds) -> Iterator[Cell]:
    for values in product(*(outcomes(p, kinds) for p in parts_of(expr))):
        if ANY in values and isinstance(expr, Call) and expr.function == "coalesce":
            first = next(v for v in values if v is not None)
            yield first if isinstance(first, bool) else ANY
        elif ANY in values:
            yield None if None in values else ANY
        else:
            with suppress(Failed):
                yield apply(expr, kinds, list(values))


def _some(found: Iterable[Cell], kind: str) -> Outcomes:
    distinct = {identity(v): v for v in found}
    known = [v for v in distinct.values() if v is not None]
    if kind == "boolean":
        some = {True, False} if ANY in known else set(known)
    else:
        some = {ANY} if len(known) > 1 else set(known)
    return frozenset(some | ({None} if None in distinct.values() else set()))
