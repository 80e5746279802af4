"""Turns: who waits gets one, nobody keeps one for ever, and what ends leaves nothing behind."""

from __future__ import annotations

import gc
import os
import resource
import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from privet.model.errors import Busy, Cancelled, PrivetError, ResourcesExceeded
from privet.query import Askers
from query.askers import (
    BUSY,
    ask,
    children,
    never,
    open_askers,
    running,
    state_of,
    template_of,
    until,
)

FLOOD, OTHER = ("privet", "flood"), ("privet", "other")
SHORT = "SELECT count(*) FROM range(20000000) WHERE hash(range) = 1"


@pytest.fixture(scope="module")
def askers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Askers]:
    """Two places."""
    with open_askers(tmp_path_factory.mktemp("askers")) as askers:
        assert ask(askers, "SELECT 1") == [(1,)]
        yield askers


def test_one_who_floods_lets_others_in(askers: Askers) -> None:
    """Twenty statements of one wait; what another asks now is answered before most of these."""
    ended: list[str] = []

    def one(owner: tuple[str, str]) -> None:
        assert ask(askers, SHORT, owner) == [(0,)]
        ended.append(owner[1])

    with ThreadPoolExecutor(24) as pool:
        flood = [pool.submit(one, FLOOD) for _ in range(20)]
        assert until(lambda: askers._turns._running[FLOOD] == 1)
        mine = [pool.submit(one, OTHER) for _ in range(3)]
        for future in (*mine, *flood):
            future.result()
    assert [i for i, who in enumerate(ended) if who == "other"][-1] <= 12, ended


def test_nobody_has_more_than_half_of_the_places(askers: Askers) -> None:
    """However many statements wait: one place of two is free for somebody else."""
    left = threading.Event()
    with ThreadPoolExecutor(4) as pool:
        flood = [pool.submit(ask, askers, BUSY, FLOOD, left.is_set) for _ in range(3)]
        assert until(lambda: askers._turns._running[FLOOD] == 1)
        time.sleep(0.3)
        assert askers._turns._running[FLOOD] == 1
        assert ask(askers, "SELECT 2", OTHER) == [(2,)]
        left.set()
        assert {type(future.result()) for future in flood} == {Cancelled}


def test_names_of_two_issuers_are_two_owners(askers: Askers) -> None:
    """A user of another issuer who is called alike has turns of their own."""
    left = threading.Event()
    with ThreadPoolExecutor(2) as pool:
        held = pool.submit(ask, askers, BUSY, ("privet", "ada"), left.is_set)
        assert until(lambda: askers._turns._running[("privet", "ada")] == 1)
        assert ask(askers, "SELECT 3", ("elsewhere", "ada")) == [(3,)]
        left.set()
        held.result()


def test_who_waits_too_long_is_told(tmp_path: Path) -> None:
    """Busy, with what to do; the places are as before afterwards."""
    with (
        open_askers(tmp_path, wait_seconds=0.5) as askers,
        running(askers, "SELECT * FROM range(100000000)", FLOOD),
        running(askers, "SELECT * FROM range(100000000)", OTHER),
    ):
        for _ in range(3):
            told = ask(askers, "SELECT 1", ("privet", "third"))
            assert isinstance(told, Busy)
            assert told.status == 503
            assert told.hint
        assert not askers._turns._waiting


def test_who_leaves_while_waiting_is_forgotten(askers: Askers) -> None:
    """Within seconds; nothing waits afterwards."""
    with (
        running(askers, "SELECT * FROM range(100000000)", FLOOD),
        running(askers, "SELECT * FROM range(100000000)", OTHER),
    ):
        began = time.monotonic()
        told = ask(askers, "SELECT 1", ("privet", "third"), lambda: time.monotonic() > began + 0.3)
        assert isinstance(told, Cancelled)
        assert time.monotonic() - began < 10
        assert not askers._turns._waiting


@pytest.mark.parametrize("sql", [BUSY, "SELECT * FROM range(1000000000) ORDER BY hash(range)"])
def test_who_leaves_while_it_runs_ends_it(askers: Askers, sql: str) -> None:
    """Within seconds, whatever it computes; its process is gone."""
    began = time.monotonic()
    told = ask(askers, sql, OTHER, lambda: time.monotonic() > began + 0.5)
    assert isinstance(told, Cancelled)
    assert time.monotonic() - began < 15
    assert until(lambda: not askers._running)


def test_a_client_that_takes_nothing_gives_its_turn_back(tmp_path: Path) -> None:
    """After a while others get in, although it neither reads nor leaves; it is told so later."""
    with open_askers(tmp_path, stall_seconds=0.5, wait_seconds=15) as askers:
        with (
            running(askers, "SELECT * FROM range(100000000)", FLOOD) as first,
            running(askers, "SELECT * FROM range(100000000)", OTHER) as second,
        ):
            next(first)
            next(second)
            assert ask(askers, "SELECT 1", ("privet", "third")) == [(1,)]
            for stalled in (first, second):
                with pytest.raises(ResourcesExceeded):
                    sum(batch.num_rows for batch in stalled)
        assert until(lambda: not askers._turns._running)
        assert ask(askers, "SELECT 1", FLOOD) == [(1,)]


def _read_late(askers: Askers, sql: str) -> None:
    with running(askers, sql, FLOOD) as late:
        next(late)
        assert ask(askers, "SELECT 1", OTHER) == [(1,)]
        sum(batch.num_rows for batch in late)


@pytest.mark.parametrize("sql", [BUSY, "SELECT * FROM range(100000000)"])
def test_time_that_is_up_ends_a_statement(tmp_path: Path, sql: str) -> None:
    """Whether it computes or waits for its reader; the next one is let in."""
    with open_askers(tmp_path, seconds=1, wait_seconds=15, workers=1) as askers:
        began = time.monotonic()
        with pytest.raises(ResourcesExceeded):
            _read_late(askers, sql)
        assert time.monotonic() - began < 10
        assert ask(askers, "SELECT 1", OTHER) == [(1,)]


def test_every_statement_draws_numbers_of_its_own(askers: Askers) -> None:
    """Processes are forked from one template; chance is not."""
    drawn = [ask(askers, "SELECT random(), uuid(), gen_random_uuid()") for _ in range(8)]
    values = {value for rows in drawn if isinstance(rows, list) for row in rows for value in row}
    assert len(values) == 24


def test_a_pool_that_closes_tells_everybody(tmp_path: Path) -> None:
    """Whoever runs, waits or comes later gets an error of ours; no process and no file is left."""
    with open_askers(tmp_path / "askers") as askers, ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(ask, askers, BUSY, ("privet", f"u{n}")) for n in range(6)]
        assert until(lambda: len(askers._running) == 2)
        template = template_of(askers)
        left = children(template)
        askers.close()
        told = [future.result() for future in waiting]
        assert all(isinstance(error, PrivetError) for error in told), told
        assert isinstance(ask(askers, "SELECT 1"), Busy)
        assert all(state_of(pid) in {"", "Z"} for pid in [*left, template])
        assert list((tmp_path / "askers").iterdir()) == []


def open_files() -> int:
    """How many this process has."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.mark.parametrize("moment", [0.0, 0.6, 0.9, 1.2])
def test_a_pool_closes_at_any_moment(tmp_path: Path, moment: float) -> None:
    """Also while its first sandboxes are made: nobody waits for long, and no process is left."""
    with open_askers(tmp_path) as askers, ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(ask, askers, BUSY, ("privet", f"u{n}")) for n in range(4)]
        time.sleep(moment)
        askers.close()
        began = time.monotonic()
        told = [future.result() for future in waiting]
        assert time.monotonic() - began < 15
        assert all(isinstance(error, PrivetError) for error in told), told


def test_a_hundred_statements_leave_nothing_behind(tmp_path: Path) -> None:
    """No process, zombie, thread, open file or directory; also of those that failed or left."""
    statements = ("SELECT 1", "SELECT error('x')", "SELEC", "SELECT * FROM range(300000)")
    with open_askers(tmp_path, spare=1) as askers:
        for sql in statements:
            ask(askers, sql)
        gc.collect()
        files, threads = open_files(), threading.active_count()
        for number in range(100):
            sql = statements[number % len(statements)]
            ask(askers, sql, gone=(lambda: True) if number % 7 == 0 else never)
            if number % 5 == 0:
                with running(askers, "SELECT * FROM range(300000)") as batches:
                    next(batches)
        assert until(lambda: len(askers._ready) == 1)
        gc.collect()
        assert until(lambda: open_files() <= files)
        assert until(lambda: threading.active_count() <= threads)
        (place,) = tmp_path.iterdir()
        assert until(lambda: len(list(place.iterdir())) == 1)
        assert until(lambda: len(children(template_of(askers))) == 1)
        assert "Z" not in {state_of(pid) for pid in children(os.getpid())}


def test_a_server_with_many_files_open(askers: Askers) -> None:
    """Thousands of connections do not keep statements from being answered."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2_000:
        pytest.skip("this machine does not allow so many files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with ExitStack() as opened:
        opened.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        for _ in range(1_200):
            opened.enter_context(Path(os.devnull).open())
        for _ in range(4):
            assert ask(askers, "SELECT 1") == [(1,)]


def test_what_the_machine_has_no_more_of(tmp_path: Path) -> None:
    """No file and no directory can be had: busy, in our words; and as before once there are."""
    with open_askers(tmp_path, spare=1) as askers:
        assert ask(askers, "SELECT 1") == [(1,)]
        assert until(lambda: len(askers._ready) == 1)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        try:
            outcomes = [ask(askers, "SELECT 1") for _ in range(3)]
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert isinstance(outcomes[-1], Busy), outcomes
        assert ask(askers, "SELECT 1") == [(1,)]
        assert until(lambda: len(askers._ready) == 1)
        shutil.rmtree(askers._places.name)
        outcomes = [ask(askers, "SELECT 1") for _ in range(3)]
        assert isinstance(outcomes[-1], Busy), outcomes
        Path(askers._places.name).mkdir()
        assert until(lambda: ask(askers, "SELECT 1") == [(1,)])
