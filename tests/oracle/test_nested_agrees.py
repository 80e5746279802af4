"""The engine keeps the law where filters read fields inside columns, and items of lists."""

from __future__ import annotations

from collections import Counter

import engine
import law
import nested
from asked import fields_in
from fitting import Fit, fit_of
from showing import Keyed
from shrinking import shrink
from test_engine_agrees import disagreement, foreseen_by_one_only
from world import World

import cases

CASES = 4_000
_KEYED = Keyed(engine.derive)


def _differs(world: World) -> bool:
    return bool(disagreement(world)) and not foreseen_by_one_only(world)


def test_the_engine_answers_as_the_law_says() -> None:
    """Whatever is null, empty, missing, of another kind, or in several lists at once."""
    for seed in range(CASES):
        world = nested.world_of(seed)
        if _differs(world):
            small = shrink(world, _differs)
            told = "\n".join(cases.to_json(small)["grants"] + cases.to_json(small)["safeguards"])
            raise AssertionError(f"seed {seed}: {disagreement(small)}\n{told}\n{small.table}")


def test_the_worlds_ask_about_everything() -> None:
    """They have filters that fit and that do not, rows seen by them and rows not seen."""
    seen: Counter[str] = Counter()
    for seed in range(CASES // 4):
        world = nested.world_of(seed)
        for permission in world.permissions:
            if permission.where is not None and fields_in(permission.where):
                seen[fit_of(permission.where, world).name] += 1
        answer = law.answer(world, _KEYED)
        if answer is not None:
            seen["some"] += 0 < len(answer.rows) < world.table.num_rows
            seen["none"] += not answer.rows and world.table.num_rows > 0
    assert {fit.name for fit in Fit} <= seen.keys()
    assert min(seen.values()) > CASES // 100, seen
