"""What generated cases are like: a proof over dull cases proves nothing."""

from __future__ import annotations

from cells import cells_of
from kinds import kind_of_type
from law import Answer, Said, World, grants_of
from meaning import Failed, value
from showing import KEYED

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
}
"""The least share of cases that have each trait."""


def traits(world: World, answer: Answer | None) -> set[str]:
    """What is interesting about a case."""
    if answer is None:
        return {"hidden"}
    found = {"something is visible"}
    if world.principal.admin:
        return found
    grants = list(grants_of(world))
    ways = {name: {g.shown[name] for g in grants if name in g.shown} for name, _ in answer.columns}
    keyed = {
        n for n, some in ways.items() if any(w.call and w.call.function in KEYED for w in some)
    }
    tests = {
        "several filters": len({g.where for g in grants}) > 1,
        "some rows are hidden": len(answer.rows) < world.table.num_rows,
        "a part fails": any(_fails(g, world) for g in grants),
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
    }
    return found | {name for name, held in tests.items() if held}


def _fails(grant: Said, world: World) -> bool:
    """Whether a part of the filter fails for some row."""
    if grant.where is None:
        return False
    names = world.table.column_names
    kinds = {n: kind_of_type(world.table.schema.field(n).type) for n in names}
    cells = {n: cells_of(world.table.column(n)) for n in names}
    for row in zip(*cells.values(), strict=True):
        try:
            value(grant.where, dict(zip(names, row, strict=True)), kinds)
        except Failed:
            return True
    return False
