"""The sanitised twin: what a policy shows by SQL is what a copy would show that holds no more.

Datasets, policies and statements are generated. Each statement is asked under the policy, and of a
plain database that holds what a scan shows; both give the same rows, or both fail alike. So it is
shown too that conditions which the reader takes over - on clear, masked, tokenized and partly
withheld columns - are exact, and that reading less by them loses no row.

`PRIVET_TWIN_SEED` and `PRIVET_TWIN_WORLDS` choose other worlds, and more of them.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from privet.query import Read
from privet.service.asking import Asking
from query.platforms import Place, open_place
from twin import kept
from twin.running import Open, opened
from twin.statements import Statement
from twin.worlds import world_of

PROVE = bool(os.environ.get("PRIVET_PROVE"))
SEED = int(os.environ.get("PRIVET_TWIN_SEED", "0"))
WORLDS = int(os.environ.get("PRIVET_TWIN_WORLDS", "600" if PROVE else "30"))
EACH = 25
AT_LEAST = {"answered": 0.9, "rows": 0.45, "conditions read": 0.25, "fails alike": 0.001}
"""The least share of statements that have each trait: a proof over dull statements is none."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A platform of its own."""
    with open_place(tmp_path_factory.mktemp("twin") / "platform") as place:
        yield place


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts what is read, and with which conditions."""
    counted: Counter[str] = Counter()
    before = Asking._open

    def counting(asking: Asking, read: Read) -> object:
        counted.update(["reads", *["conditions read"] * bool(read.where)])
        return before(asking, read)

    monkeypatch.setattr(Asking, "_open", counting)
    return counted


def test_answers_are_those_over_the_sanitised_copy(place: Place, reads: Counter[str]) -> None:
    """On every generated statement."""
    print(f"PRIVET_TWIN_SEED={SEED} PRIVET_TWIN_WORLDS={WORLDS}")
    seen: Counter[str] = Counter()
    for seed in range(SEED, SEED + WORLDS):
        with opened(place, world_of(seed)) as world:
            if world is not None:
                drawn = world.statements()
                wrong = _wrong(world, [drawn.draw() for _ in range(EACH)], seen)
                assert not wrong, f"PRIVET_TWIN_SEED={seed} PRIVET_TWIN_WORLDS=1\n{wrong}"
    seen["conditions read"] = reads["conditions read"]
    shares = {name: seen[name] / seen["statements"] for name in AT_LEAST}
    print(seen["statements"], "statements;", {n: f"{share:.1%}" for n, share in shares.items()})
    assert seen["statements"] >= 0.6 * WORLDS * EACH
    dull = {name: share for name, share in shares.items() if share < AT_LEAST[name]}
    assert not dull or seen["statements"] < 500, dull


def _wrong(world: Open, statements: list[Statement], seen: Counter[str]) -> str:
    lock = threading.Lock()

    def one(statement: Statement) -> str:
        found, traits = world.disagreement(statement)
        with lock:
            seen.update(["statements", *traits])
        return f"{statement}\n{found}\n{world.told()}" if found else ""

    with ThreadPoolExecutor(2) as pool:
        return "\n".join(filter(None, pool.map(one, statements)))


def test_counter_examples_stay_settled(place: Place) -> None:
    """What the two once disagreed on stays agreed on."""
    for name in kept.names():
        world, statement = kept.read(name)
        with opened(place, world) as found:
            assert found is not None, name
            statement.sql = statement.sql.replace("{}", found.database)
            assert found.disagreement(statement)[0] == "", name


def test_cases_are_read_as_they_were_written() -> None:
    """A world written as JSON and read back is the same world."""
    for seed in range(20):
        world, statement = world_of(seed), Statement("SELECT 1 FROM {}.a", [1, "x", None], True)
        again, other = kept.from_json(kept.to_json(world, statement))
        assert other == statement
        assert again.roles == world.roles
        for name, table in world.tables.items():
            assert again.tables[name].tags == table.tags
            assert again.tables[name].rows.schema.equals(table.rows.schema)
            assert repr(again.tables[name].rows.to_pylist()) == repr(table.rows.to_pylist())
