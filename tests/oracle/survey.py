"""What generated cases are like: a proof over dull cases proves nothing."""

from __future__ import annotations

from asked import inside
from cells import cells_of
from kinds import kind_of_type
from law import Answer, Said, grants_of
from meaning import value
from operations import Failed
from safeguards import Taken, taken_from
from showing import steps_of
from world import World, grants_heard, roles_of, safeguards_heard

from privet.model.expressions import Call, Expr

_ASKED = {"in_set", "sets_intersect", "user_attribute", "table_attribute", "columns_with_attribute"}

AT_LEAST = {
    "something is visible": 0.50,
    "hidden": 0.10,
    "some rows are hidden": 0.10,
    "several filters": 0.15,
    "partly": 0.20,
    "a part fails": 0.03,
    "tokens": 0.15,
    "own tokens beside clear cells": 0.05,
    "three ways to show a column": 0.03,
    "a safeguard binds": 0.30,
    "several grants and several safeguards": 0.10,
    "a column is taken": 0.10,
    "rows are taken": 0.05,
    "cells are taken": 0.05,
    "all is taken": 0.02,
    "what a grant transforms is transformed again": 0.03,
    "a nested transform": 0.03,
    "a list of columns": 0.05,
    "a set, a tag or an attribute is asked for": 0.03,
    "only groups that the token leaves out bind": 0.01,
}
"""The least share of cases that have each trait."""


def traits(world: World, answer: Answer | None) -> set[str]:
    """What is interesting about a case."""
    if world.principal.admin:
        return {"hidden" if answer is None else "something is visible"}
    grants, guards, taken = list(grants_of(world)), list(safeguards_heard(world)), taken_from(world)
    tests = {
        "hidden": answer is None,
        "all is taken": answer is None and bool(grants),
        "a safeguard binds": bool(grants and guards),
        "several grants and several safeguards": len(grants) > 1 and len(guards) > 1,
        "only groups that the token leaves out bind": bool(grants)
        and any(g.role not in roles_of(world) for g in guards),
    }
    seen = _seen(world, answer, grants, taken) if answer else set()
    return seen | {name for name, held in tests.items() if held}


def _seen(world: World, answer: Answer, grants: list[Said], taken: Taken) -> set[str]:
    """What is interesting about a case in which there is something to see."""
    ways = {name: {g.shown[name] for g in grants if name in g.shown} for name, _ in answer.columns}
    keyed = {name for name, some in ways.items() if any(w.keyed for w in some)}
    applied = {w for some in ways.values() for w in some} | {
        w for name in ways for w in taken.in_turn(name)
    }
    tests = {
        "something is visible": True,
        "several filters": len({g.where for g in grants}) > 1,
        "some rows are hidden": len(answer.rows) < world.table.num_rows,
        "a part fails": any(_fails(test, world) for test in tests_of(grants, taken)),
        "partly": any(
            len({(g.where, g.shown.get(name)) for g in grants}) > 1
            and len({g.shown.get(name) for g in grants}) > 1
            for name in ways
        ),
        "tokens": bool(keyed),
        "own tokens beside clear cells": any(
            any(w.call is None for w in ways[name]) for name in keyed
        ),
        "three ways to show a column": any(len(some) > 2 for some in ways.values()),
        "a column is taken": any(name in taken.hidden for g in grants for name in g.shown),
        "rows are taken": bool(taken.rows),
        "cells are taken": bool(taken.cells.keys() & ways),
        "what a grant transforms is transformed again": any(
            w.call for name in taken.ways.keys() & ways for w in ways[name]
        ),
        "a nested transform": any(w.call and len(steps_of(w.call)) > 1 for w in applied),
        "a list of columns": any(p.columns for p in grants_heard(world)),
        "a set, a tag or an attribute is asked for": any(
            _asks(p.where) for p in (*grants_heard(world), *safeguards_heard(world)) if p.where
        ),
    }
    return {name for name, held in tests.items() if held}


def _asks(expr: Expr) -> bool:
    own = isinstance(expr, Call) and expr.function in _ASKED
    return own or any(map(_asks, inside(expr)))


def tests_of(grants: list[Said], taken: Taken) -> list[Expr]:
    """The filters of grants and of safeguards."""
    cells = [test for some in taken.cells.values() for test in some]
    return [*(g.where for g in grants if g.where is not None), *taken.rows, *cells]


def _fails(test: Expr, world: World) -> bool:
    """Whether a part of the filter fails for some row."""
    names = world.table.column_names
    kinds = {n: kind_of_type(world.table.schema.field(n).type) for n in names}
    cells = {n: cells_of(world.table.column(n)) for n in names}
    for row in zip(*cells.values(), strict=True):
        try:
            value(test, dict(zip(names, row, strict=True)), kinds)
        except Failed:
            return True
    return False
