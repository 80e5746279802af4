"""Sandboxes without a platform around them: statements that name no dataset, and who runs them."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from privet.model.errors import PrivetError
from privet.model.requests import QueryRequest
from privet.query import AskerLimits, Askers, Gone, Own
from privet.query.pool import Owner

SECRET = b"a secret of tests, of 32 bytes.."
OWN = Own(SECRET, SECRET, SECRET)
LIMITS = AskerLimits(
    workers=2,
    spare=1,
    memory=64 * 2**20,
    seconds=20,
    wait_seconds=20,
    stall_seconds=20,
    spill=64 * 2**20,
)
BUSY = "SELECT count(*) FROM range(1000000000000) WHERE range < 0"
"""A statement that runs until it is ended."""


def never() -> bool:
    """The client that stays."""
    return False


@contextmanager
def open_askers(folder: Path, **limits: float) -> Generator[Askers]:
    """A pool with small limits, and other ones as given."""
    folder.mkdir(parents=True, exist_ok=True)
    askers = Askers(replace(LIMITS, **limits), folder)
    try:
        yield askers
    finally:
        askers.close()


@contextmanager
def running(
    askers: Askers, sql: str, owner: Owner = ("privet", "ada"), gone: Gone = never
) -> Generator[Iterator[pa.RecordBatch]]:
    """A statement that has begun."""
    with askers.lease(owner, gone) as asker:
        try:
            asker.read(QueryRequest(sql))
            yield asker.run({}, OWN, _nothing).batches
        finally:
            asker.close()


def _nothing(_: object) -> None:
    raise AssertionError("no dataset is read")


def ask(
    askers: Askers, sql: str, owner: Owner = ("privet", "ada"), gone: Gone = never
) -> list[tuple[object, ...]] | PrivetError:
    """The rows of a statement, or its error."""
    try:
        with running(askers, sql, owner, gone) as batches:
            rows: list[tuple[object, ...]] = []
            for batch in batches:
                rows += zip(*(c.to_pylist() for c in batch.columns), strict=True)
            return rows
    except PrivetError as error:
        return error


def template_of(askers: Askers) -> int:
    """The process id of the template."""
    process = askers._template._process
    assert process is not None
    return process.pid


def children(pid: int) -> list[int]:
    """The processes that a process has now, zombies included."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            found += map(int, (task / "children").read_text().split())
        except FileNotFoundError:
            continue
    return found


def state_of(pid: int) -> str:
    """`R`, `S`, `Z`, ... or nothing where there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def memory_of(pid: int) -> int:
    """Bytes that a process has in memory; zero where there is no such process."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return pages * os.sysconf("SC_PAGESIZE")


def until(holds: Callable[[], bool], seconds: float = 20) -> bool:
    """Wait for something to become true."""
    from time import monotonic, sleep

    deadline = monotonic() + seconds
    while not holds():
        if monotonic() > deadline:
            return False
        sleep(0.02)
    return True
