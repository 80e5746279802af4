"""Whether a filter fits a dataset, and whether it can be true there for somebody."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Mapping
from contextlib import suppress
from enum import Enum
from itertools import combinations

import pyarrow.types as pat
from asked import SEVERAL, answered, columns_in, fields_in, found
from kinds import Misfit, inner_kinds, kind_of, kind_of_type, lists_around
from never import can_be_true
from world import World

from privet.model.expressions import Expr


class Fit(Enum):
    """How a filter and a dataset go together."""

    WELL = "well"
    MISSING = "it names a column that is missing, and that is all"
    NOT = "not at all"


def fit_of(where: Expr, world: World) -> Fit:
    """Whether it type-checks over the dataset's columns, of which the unreviewed do not count."""
    expr, kinds = found(where, world), kinds_of(world)
    # A column of which nothing is known goes with everything, as NULL does.
    missing = columns_in(expr) - kinds.keys()
    if SEVERAL in missing or not _is_test(expr, {**kinds, **dict.fromkeys(missing, "null")}):
        return Fit.NOT
    if missing:
        return Fit.NOT if _is_something_else(missing, world) else Fit.MISSING
    return Fit.WELL if _is_about_one_list(expr, world) else Fit.NOT


def _is_something_else(missing: Iterable[str], world: World) -> bool:
    """Whether one that is missing is not for want of a field: there are two, or no struct."""
    types = {c.name: c.type for c in world.dataset.columns if c.reviewed}
    for name in missing:
        column, *path = name.split(".")
        kind = types.get(column)
        while kind is not None and path:
            while pat.is_list(kind):
                kind = kind.value_type
            if not pat.is_struct(kind):
                return True
            named = [f.type for f in kind if f.name.lower() == path[0]]
            if len(named) > 1:
                return True
            kind, path = (named[0] if named else None), path[1:]
    return False


def _is_test(expr: Expr, kinds: Mapping[str, str]) -> bool:
    with suppress(Misfit):
        return kind_of(expr, kinds) in {"boolean", "null"}
    return False


def may_be_true(where: Expr, world: World) -> bool:
    """Whether the filter, which fits, is not FALSE or NULL from the start for who asks."""
    return can_be_true(answered(where, world), kinds_of(world))


def kinds_of(world: World) -> dict[str, str]:
    """The kinds of the columns that a filter may use: hidden ones too, but not unreviewed ones."""
    reviewed = [c for c in world.dataset.columns if c.reviewed]
    inside = [inner_kinds(c.name, c.type) for c in reviewed]
    return {c.name: kind_of_type(c.type) for c in reviewed} | dict(ChainMap(*inside))


def _is_about_one_list(expr: Expr, world: World) -> bool:
    """Whether the lists that its fields lie in, lie in each other."""
    kinds = kinds_of(world)
    types = {c.name: c.type for c in world.dataset.columns}
    paths = [path for path in fields_in(expr) if ".".join(path) in kinds]
    lists = {each for path in paths for each in lists_around(path, types[path[0]])}
    return all(
        one[: len(other)] == other or other[: len(one)] == one
        for one, other in combinations(lists, 2)
    )
