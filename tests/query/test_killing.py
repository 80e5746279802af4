"""A sandbox, or what makes them, may die at any moment: then there is an error, never a part."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from privet.model.errors import PrivetError
from privet.query import Askers
from query.askers import ask, children, open_askers, running, state_of, template_of, until

ROWS = 1_500_000
LONG = f"SELECT * FROM range({ROWS})"
SEED = int(os.environ.get("PRIVET_KILL_SEED", "0")) or random.randrange(10**6)
MOMENTS = 12 if not os.environ.get("PRIVET_PROVE") else 200


@pytest.fixture
def askers(tmp_path: Path) -> Iterator[Askers]:
    """Four places, two of them for one principal."""
    with open_askers(tmp_path, workers=4, spare=2) as askers:
        assert ask(askers, "SELECT 1") == [(1,)]
        yield askers


def counted(askers: Askers, sql: str, owner: tuple[str, str]) -> int | PrivetError:
    """The rows of an answer, all of them right, or its error."""
    rows = 0
    try:
        with running(askers, sql, owner) as batches:
            for batch in batches:
                assert batch.column(0)[0].as_py() == rows
                rows += batch.num_rows
    except PrivetError as error:
        return error
    return rows


def kill(pid: int) -> None:
    """Without warning."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def test_a_sandbox_dies_at_any_moment(askers: Askers) -> None:
    """The answer is whole or there is an error; another principal's is whole; both can go on."""
    print("PRIVET_KILL_SEED", SEED)
    chance = random.Random(SEED)
    outcomes: set[str] = set()
    for _ in range(MOMENTS):
        with ThreadPoolExecutor(1) as pool:
            hit = pool.submit(counted, askers, LONG, ("privet", "hit"))
            time.sleep(chance.random() * 0.15)
            with askers._changed:
                victims = [lease.asker.process for lease in askers._running]
            for victim in victims:
                signal.pidfd_send_signal(victim._handle, signal.SIGKILL)
            assert ask(askers, "SELECT 40 + 2", ("privet", "beside")) == [(42,)]
            outcome = hit.result(20)
        assert outcome == ROWS or isinstance(outcome, PrivetError), outcome
        outcomes.add(outcome.code if isinstance(outcome, PrivetError) else "whole")
    assert outcomes <= {"whole", "resources_exceeded", "busy"}, outcomes
    assert counted(askers, LONG, ("privet", "hit")) == ROWS


def test_spare_sandboxes_die(askers: Askers) -> None:
    """Those that wait ready are replaced; nobody is given a dead one."""
    for _ in range(3):
        assert until(lambda: len(askers._ready) == 2)
        spare = children(template_of(askers))
        for pid in spare:
            kill(pid)
        assert until(lambda spare=spare: not any(map(state_of, spare)))
        assert ask(askers, "SELECT 1") == [(1,)]


def test_the_template_dies(askers: Askers) -> None:
    """What runs then may end with an error; what comes next is answered, by a new one."""
    with ThreadPoolExecutor(2) as pool:
        for delay in (0.0, 0.02, 0.1):
            hit = [pool.submit(counted, askers, LONG, ("privet", f"u{n}")) for n in range(2)]
            time.sleep(delay)
            old = template_of(askers)
            born = children(old)
            kill(old)
            for future in hit:
                outcome = future.result(30)
                assert outcome == ROWS or isinstance(outcome, PrivetError), outcome
            assert until(lambda born=born: not any(map(state_of, born)))
            assert ask(askers, "SELECT 1", ("privet", "next")) == [(1,)]
            assert template_of(askers) != old
            assert until(lambda old=old: state_of(old) == "")


def test_dying_amid_a_flood(askers: Askers) -> None:
    """While many ask, what can be killed is, again and again: no one hangs or is lied to."""
    ended = threading.Event()

    def strike() -> None:
        chance = random.Random(SEED)
        while not ended.wait(0.15):
            template = template_of(askers)
            victims = children(template)
            if victims:
                kill(chance.choice(victims))
            if chance.random() < 0.1:
                kill(template)

    striker = threading.Thread(target=strike)
    striker.start()
    try:
        with ThreadPoolExecutor(6) as pool:
            asked = [pool.submit(counted, askers, LONG, ("privet", f"u{n % 4}")) for n in range(40)]
            outcomes = [future.result(60) for future in asked]
    finally:
        ended.set()
        striker.join()
    assert all(o == ROWS or isinstance(o, PrivetError) for o in outcomes), outcomes
    codes = {o.code for o in outcomes if isinstance(o, PrivetError)}
    assert codes <= {"resources_exceeded", "busy"}
    assert ask(askers, "SELECT 1") == [(1,)]
    assert not askers._turns._running
