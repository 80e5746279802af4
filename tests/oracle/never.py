"""Whether a filter can be true for any row at all, by looking at it and not at the data.

The law: a grant whose filter reduces to FALSE or NULL grants nothing. Each part is given the set
of values it can take; a part without columns is computed, a part with columns can be anything of
its kind, NULL included. A part that cannot have a value (it always fails) has the empty set.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import product

from asked import elements
from cells import Cell, identity
from kinds import UNITS, kind_of, unified
from meaning import alike, apply, conjunction, constant, negation, parts_of
from operations import Failed, into

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
        case ColumnRef() | FieldRef():
            return _some([ANY, None], kinds[expr.name])
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
        case Call("in_set", (subject, Literal(members))):
            return _in_set(subject, members, kinds)
        case IsNull(subject):
            return frozenset(v is None for v in outcomes(subject, kinds))
        case Case():
            return _some(_branches(expr, kinds), kind_of(expr, kinds))
    return _some(_applied(expr, kinds), kind_of(expr, kinds))


def _in_set(subject: Expr, members: Cell, kinds: Kinds) -> Outcomes:
    """What `in_set` can be: of the empty set FALSE, and NULL where the subject is."""
    if members is None:
        return outcomes(In(subject, (Literal(None),)), kinds)
    if elements(members):
        return outcomes(In(subject, tuple(map(Literal, elements(members)))), kinds)
    return frozenset(None if v is None else False for v in outcomes(subject, kinds))


def _branches(expr: Case, kinds: Kinds) -> Iterator[Cell]:
    """What a CASE can be: one value if only one result is ever reached, else any of its kind."""
    reached: list[Expr] = []
    results = [*(result for _, result in expr.branches), expr.default]
    # The units of columns decide which timestamps fit, also of columns that are never taken.
    decided = kind_of(expr, kinds) not in UNITS or not any(
        ANY in outcomes(result, kinds) for result in results
    )
    for condition, result in (*expr.branches, (Literal(True), expr.default)):
        tested = outcomes(condition, kinds)
        if True in tested:
            reached.append(result)
        decided = decided and len(tested) == 1
        if tested <= {True}:
            break
    found = {v for result in reached for v in outcomes(result, kinds)}
    if decided and len(reached) == 1 and found and ANY not in found:
        held = kind_of(reached[0], kinds), kind_of(expr, kinds)
        with suppress(Failed):
            yield from (into(v, *held) for v in found)
    elif kind_of(expr, kinds) == "boolean":
        yield from found
    else:
        yield from ((None if v is None else ANY) for v in found)


def _applied(expr: Expr, kinds: Kinds) -> Iterator[Cell]:
    """What a part can be: computed if all that it needs is one value each, else any of its kind."""
    parts = parts_of(expr)
    needed = [outcomes(p, kinds) for p in parts]
    held = [kind_of(p, kinds) for p in parts]
    if all(len(found) == 1 and ANY not in found for found in needed) or (
        isinstance(expr, Compare) and "boolean" in held
    ):
        for values in product(*needed):
            with suppress(Failed):
                yield apply(expr, kinds, list(values))
    elif not all(needed) or _never_meet(expr, needed, held):
        return
    elif isinstance(expr, Call) and expr.function == "coalesce":
        yield from _first(needed, kind_of(expr, kinds))
    else:
        if all(found - {None} for found in needed):
            yield ANY
        if any(None in found for found in needed):
            yield None


def _first(needed: list[Outcomes], kind: str) -> Iterator[Cell]:
    """A coalesce: NULLs are passed over, and nothing behind a part that is never NULL is taken."""
    for found in needed:
        known = found - {None}
        yield from known if kind == "boolean" else ({ANY} if known else ())
        if None not in found:
            return
    yield None


def _never_meet(expr: Expr, needed: list[Outcomes], held: list[str]) -> bool:
    """Whether an operand is a constant that cannot be converted to meet the others."""
    if isinstance(expr, Arithmetic):
        exact = expr.op != "/" and set(held) <= {"integer", "null"}
        against = ["integer" if exact else "float"] * 2
    elif isinstance(expr, Compare):
        against = held[::-1]
    elif isinstance(expr, Call) and expr.function == "coalesce":
        against = ["float" if unified(held) == "float" else "null"] * len(held)
    else:
        return False
    for found, own, other in zip(needed, held, against, strict=True):
        if len(found) == 1 and ANY not in found:
            try:
                alike(next(iter(found)), own, other)
            except Failed:
                return True
    return False


def _some(found: Iterable[Cell], kind: str) -> Outcomes:
    distinct = {identity(v): v for v in found}
    known = [v for v in distinct.values() if v is not None]
    if kind == "boolean":
        some = {True, False} if ANY in known else set(known)
    else:
        some = {ANY} if len(known) > 1 else set(known)
    return frozenset(some | ({None} if None in distinct.values() else set()))
