"""The engine keeps the law: on generated worlds it answers what the slow interpreter answers.

`PRIVET_ORACLE_SEED` and `PRIVET_ORACLE_CASES` choose other cases, and more of them.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import engine
import law
import pyarrow as pa
import pytest
from generate import world_of, worlds
from hypothesis import HealthCheck, given, settings
from law import Answer
from showing import Keyed
from shrinking import shrink
from survey import AT_LEAST, traits
from world import World

import cases

SEED = int(os.environ.get("PRIVET_ORACLE_SEED", "0"))
CASES = int(os.environ.get("PRIVET_ORACLE_CASES", "10000"))
_SURVEYED_EVERY = 5
_KEYED = Keyed(engine.derive)


def disagreement(world: World) -> str:
    """What engine and law disagree on, or nothing; that the engine breaks is one too."""
    right = law.answer(world, _KEYED)
    try:
        return engine.difference(engine.answer(world), right)
    except Exception as error:  # noqa: BLE001 - whatever it is, a policy never fails a scan
        return f"broken: {error!r}"


def foreseen_by_one_only(world: World) -> bool:
    """Whether all that differs is who sees that a filter is true for no row.

    How far one looks is not law. The other then has columns and, without them, no dataset; but
    nothing is in them.
    """
    return alike_but_for_foresight(engine.answer(world), law.answer(world, _KEYED))


def alike_but_for_foresight(*answers: Answer | None) -> bool:
    """Whether two answers differ by columns only that hold nothing."""
    shared = set(answers[0].columns if answers[0] else ()) & set(
        answers[1].columns if answers[1] else ()
    )
    less, more = (_only(shared, answer) for answer in answers)
    return less is not None and more is not None and engine.difference(less, more) == ""


def _only(columns: set[tuple[str, pa.DataType]], answer: Answer | None) -> Answer | None:
    """The answer without its other columns, if these hold nothing."""
    if answer is None:
        return Answer((), ())
    kept = [i for i, column in enumerate(answer.columns) if column in columns]
    others = {*range(len(answer.columns))} - {*kept}
    if any(row[i] is not None for row in answer.rows for i in others):
        return None
    rows = tuple(tuple(row[i] for i in kept) for row in answer.rows)
    return Answer(tuple(answer.columns[i] for i in kept), rows)


def test_the_engine_answers_what_the_law_says() -> None:
    """On every case columns, their order and types, rows in order and every cell are equal."""
    seen: Counter[str] = Counter()
    foreseen = 0
    for seed in range(SEED, SEED + CASES):
        world = world_of(seed)
        found = disagreement(world)
        if found and foreseen_by_one_only(world):
            foreseen += 1
            found = ""
        assert not found, _told(seed, found, world)
        if seed % _SURVEYED_EVERY == 0:
            seen.update(["cases", *traits(world, law.answer(world, _KEYED))])
    shares = {name: seen[name] / seen["cases"] for name in AT_LEAST}
    print("\n".join(f"{share:6.1%}  {name}" for name, share in shares.items()))
    dull = {name: share for name, share in shares.items() if share < AT_LEAST[name]}
    assert not dull or seen["cases"] < 1000, dull
    assert foreseen <= 1 + CASES // 2000


def _told(seed: int, found: str, world: World) -> str:
    kind = found.split(":", maxsplit=1)[0]
    small = shrink(world, lambda w: disagreement(w).startswith(kind))
    form = json.dumps(cases.to_json(small), indent=1, ensure_ascii=False)
    return f"PRIVET_ORACLE_SEED={seed} PRIVET_ORACLE_CASES=1: {found}\nmade small:\n{form}"


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(worlds())
def test_the_engine_answers_what_the_law_says_of_worlds_that_shrink(world: World) -> None:
    """The same, driven by Hypothesis, which looks for corners and remembers what failed."""
    assert disagreement(world) == "" or foreseen_by_one_only(world)


@pytest.mark.parametrize("path", cases.kept().values(), ids=list(cases.kept()))
def test_counter_examples_stay_settled(path: Path) -> None:
    """What engine and law once disagreed on stays agreed on."""
    assert disagreement(cases.read(path)) == ""


def test_cases_are_read_as_they_were_written() -> None:
    """A world written as JSON and read back is answered alike, and written alike."""
    for seed in range(100):
        form = json.loads(json.dumps(cases.to_json(world_of(seed))))
        again = cases.from_json(form)
        assert cases.to_json(again) == form
        answers = law.answer(world_of(seed), _KEYED), law.answer(again, _KEYED)
        assert engine.difference(*answers) == ""
