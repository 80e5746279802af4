"""Statements that would take everything end within their limits, and harm nobody beside them."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import cycle
from pathlib import Path

import pyarrow as pa
import pytest

from privet.model.requests import LONGEST_STATEMENT
from query.askers import children, memory_of, state_of, template_of, until
from query.bombs import BOMBS, LIMITED, WHILE_PLANNING
from query.platforms import Got, Person, Place, open_place

PROVE = bool(os.environ.get("PRIVET_PROVE"))
MEMORY, SECONDS = 128 * 2**20, 2
AT_ONCE = 3
MOST = 2 * MEMORY + 512 * 2**20
"""Bytes that a sandbox may hold, code and stacks included."""
CHOSEN = dict(list(BOMBS.items())[:: 1 if PROVE else 2])
QUICK = {"a cross join", "regular expressions", "like", "similarity", "exists", "masks"}
"""What the engine is clever enough to answer."""


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Four places, two seconds, little memory and disk."""
    with open_place(
        tmp_path_factory.mktemp("arena") / "platform",
        query_workers=AT_ONCE + 1,
        query_memory=MEMORY,
        query_seconds=SECONDS,
        query_spill=32 * 2**20,
    ) as place:
        place.dataset(pa.table({"id": range(1000)}), "arena.t")
        place.ask(place.admin, "SELECT 1")
        yield place


@contextmanager
def watched(place: Place) -> Generator[list[int]]:
    """The most memory of any one sandbox while the body runs, and of this process its growth."""
    ended = threading.Event()
    most = [0, 0]
    began = memory_of(os.getpid())

    def watch() -> None:
        while not ended.wait(0.02):
            held = [memory_of(pid) for pid in children(template_of(place.platform.askers))]
            most[0] = max([most[0], *held])
            most[1] = max(most[1], memory_of(os.getpid()) - began)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield most
    finally:
        ended.set()
        watcher.join()


def test_bombs_harm_nobody(arena: Place) -> None:
    """Each ends in time with an error of ours; meanwhile another principal is answered."""
    bombers = cycle([arena.person() for _ in range(AT_ONCE)])
    neighbour = arena.person("GRANT SELECT ON TABLE arena.t WHERE id < 10")
    wrong: list[str] = []

    def explode(person: Person, name: str) -> None:
        got, took = timed(arena, person, BOMBS[name])
        if got.code not in LIMITED and name not in QUICK:
            wrong.append(f"{name}: {got.error or got.rows[:2]}")
        if took > SECONDS + 12:
            wrong.append(f"{name}: took {took:.1f} s")

    answered = 0
    with watched(arena) as most, ThreadPoolExecutor(AT_ONCE) as pool:
        running = [pool.submit(explode, next(bombers), name) for name in CHOSEN]
        while not all(future.done() for future in running):
            got, took = timed(arena, neighbour, "SELECT count(*), max(id) FROM arena.t")
            assert got.rows == [(10, 9)]
            assert took < 10
            answered += 1
            time.sleep(0.1)
        for future in running:
            future.result()
    assert not wrong, "\n".join(wrong)
    assert answered >= 5
    assert most[0] < MOST, most
    assert most[1] < 256 * 2**20, most
    assert_clean(arena)


def timed(place: Place, person: Person, sql: str) -> tuple[Got, float]:
    """An answer of at most some rows, and how long it took."""
    began = time.monotonic()
    got = place.ask(person, sql, limit=1_000)
    return got, time.monotonic() - began


def assert_clean(place: Place) -> None:
    """Nothing is left of statements: no process but spare ones, no directory but theirs."""
    askers = place.platform.askers
    spare = askers._limits.spare
    assert until(lambda: len(askers._ready) == spare)
    assert until(lambda: len(children(template_of(askers))) == spare)
    assert "Z" not in {state_of(pid) for pid in children(template_of(askers))}
    (places,) = (place.lake.parent / "sandboxes").iterdir()
    assert until(lambda: len(list(places.iterdir())) == spare)
    assert not [file for file in places.rglob("*") if file.is_file()]


@pytest.mark.parametrize("name", WHILE_PLANNING)
def test_bombs_while_planning(arena: Place, name: str) -> None:
    """Describing a statement computes its constants, within the same limits."""
    began = time.monotonic()
    got = arena.describe(arena.admin, WHILE_PLANNING[name])
    assert got.code in LIMITED | {""}, got.error
    assert time.monotonic() - began < SECONDS + 10
    explained = arena.ask(arena.admin, f"EXPLAIN {WHILE_PLANNING[name]}")
    assert explained.code in LIMITED | {""}, explained.error


SPILLING = {
    "a sort": "SELECT range FROM range(8000000) ORDER BY hash(range)",
    "a join": "SELECT count(*) FROM (SELECT hash(range) AS a FROM range(6000000))"
    " JOIN (SELECT hash(range) AS a FROM range(6000000)) USING (a)",
    "groups": "SELECT count(*) FROM (SELECT hash(range) AS a FROM range(6000000) GROUP BY a)",
}


@pytest.mark.parametrize("what", SPILLING)
def test_disk_is_bounded(arena: Place, what: str) -> None:
    """What does not fit in memory spills as far as allowed, then the statement is refused."""
    (places,) = (arena.lake.parent / "sandboxes").iterdir()
    ended = threading.Event()
    largest = 0

    def watch() -> None:
        nonlocal largest
        while not ended.wait(0.02):
            sizes = sizes_below(places)
            largest = max(largest, sum(sizes))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        got = arena.ask(arena.admin, SPILLING[what], limit=10)
    finally:
        ended.set()
        watcher.join()
    assert got.code in {"", "resources_exceeded"}, got.error
    print("spilled", what, largest, got.code)
    assert largest <= 2 * 32 * 2**20
    assert_clean(arena)


def sizes_below(places: Path) -> list[int]:
    """Bytes of the files there are; they come and go while they are looked at."""
    found: list[int] = []
    for folder, _, files in os.walk(places):
        for file in files:
            with suppress(OSError):
                found.append((Path(folder) / file).stat().st_size)
    return found


def test_a_wide_answer_is_taken_in_pieces(arena: Place) -> None:
    """An answer of gigabytes leaves as it is read; who stops after a little has cost a little."""
    sql = "SELECT repeat('x', 20000) AS s FROM range(100000000)"
    with watched(arena) as most:
        got = arena.ask(arena.admin, sql, limit=3_000)
    assert got.code in {"", "resources_exceeded"}, got.error
    assert most[1] < 1024 * 2**20
    assert_clean(arena)


def test_the_longest_statement(arena: Place) -> None:
    """Of the largest size that is taken, whatever it is filled with."""
    for filling in ("x", "é", "'", '"', "(", "[", "{", "-", "/*", "$", "\\", "%", "\t", "\u200b"):
        text = "SELECT " + filling * ((LONGEST_STATEMENT - 7) // len(filling.encode()))
        got = arena.ask(arena.admin, text)
        assert got.code in LIMITED | {"parse_failed", "unknown_name"}, (filling, got.error)
