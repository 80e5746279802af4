"""The template process: everything imported, forked once for each statement.

It runs in an empty environment, on one thread, and holds no secret; its children hold what one
statement was given. It ends when the server does.
"""

from __future__ import annotations

import os
import resource
import signal
import socket
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NoReturn

import duckdb

from privet.sandbox import engine, gate, walls
from privet.sandbox.functions import add_reader
from privet.sandbox.statement import Asking
from privet.sandbox.transforms import OwnKeys, add_transforms, preload
from privet.sandbox.wire import Channel, Closed, Limits

_SPILL = "spill"
_CHANNELS = 3
_STANDARD = frozenset({0, 1, 2})
_FIRST, _ASIDE = 3, 512


@dataclass(frozen=True, slots=True)
class Ready:
    """What every child is born with."""

    engine: duckdb.DuckDBPyConnection
    keys: OwnKeys
    network: bool


def serve(descriptor: int) -> None:
    """Fork as the server asks, until it is gone."""
    os.environ.clear()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, _bury)
    ready = make_ready()
    orders = Channel(socket.socket(fileno=descriptor))
    while True:
        try:
            order, files = orders.receive(files=_CHANNELS)
        except Closed:
            return
        # No child is buried before its handle is taken.
        held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
        child = os.fork()
        if not child:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, held)
            _be_one(ready, files, Limits.from_json(order["limits"]), str(order["place"]))
        for file in files:
            os.close(file)
        handle = os.pidfd_open(child)
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
        orders.send({"pid": child}, files=(handle,))
        os.close(handle)


def _bury(*_: object) -> None:
    """Let go of children that ended."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def make_ready() -> Ready:
    """Do once what every statement needs: code is loaded and run, before any waits for it."""
    preload()
    connection = engine.open_engine()
    keys = OwnKeys()
    add_transforms(connection, keys)
    add_reader(connection)
    gate.read(connection, "SELECT count(*) FROM d.t WHERE x IN (SELECT 1)", None)
    relation = connection.sql("SELECT range, range::VARCHAR FROM range(10000) LIMIT 1")
    relation.to_arrow_reader(engine.ROWS_PER_BATCH).read_all()
    return Ready(connection, keys, walls.leave_network())


def _be_one(ready: Ready, files: list[int], limits: Limits, place: str) -> NoReturn:
    """The life of a child; it never returns to the loop."""
    try:
        _silence()
        control, feeds, results = _take(files)
        channel = Channel(control)
        try:
            connection, standing = _walled(ready, limits, place)
        except (walls.NotWalled, OSError, duckdb.Error) as error:
            channel.send({"unwalled": str(error)})
            os._exit(3)
        channel.send({"ready": asdict(standing)})
        Asking(connection, ready.keys, channel, Channel(feeds), results).converse()
    except Closed:
        os._exit(0)
    finally:
        os._exit(1)


def _walled(
    ready: Ready, limits: Limits, place: str
) -> tuple[duckdb.DuckDBPyConnection, walls.Walls]:
    """Put up the walls around the engine, and try them."""
    sizes = os.open("/proc/self/statm", os.O_RDONLY)
    standing = walls.confine(limits, place, network=ready.network)
    spill = f"/{_SPILL}" if standing.root and limits.spill else ""
    if spill:
        Path(spill).mkdir(mode=0o700)
    connection = engine.lock(ready.engine, limits, spill)
    walls.limit_memory(limits, _address_space(sizes))
    os.close(sizes)
    # The gate closes behind all threads that there are, and those to come.
    walls.close_gate(standing)
    walls.check(_STANDARD | frozenset(range(_FIRST, _FIRST + _CHANNELS)))
    engine.check(connection)
    return connection, standing


def _take(files: list[int]) -> tuple[socket.socket, socket.socket, socket.socket]:
    """The three channels at the lowest numbers, and nothing else open but the standard three."""
    kept = [os.dup2(file, _ASIDE + i, inheritable=False) for i, file in enumerate(files)]
    os.closerange(_FIRST, _ASIDE)
    ends = [os.dup2(file, _FIRST + i, inheritable=False) for i, file in enumerate(kept)]
    os.closerange(_ASIDE, os.sysconf("SC_OPEN_MAX"))
    control, feeds, results = (socket.socket(fileno=end) for end in ends)
    return control, feeds, results


def _address_space(sizes: int) -> int:
    pages = int(os.pread(sizes, 64, 0).split()[0])
    return pages * resource.getpagesize()


def _silence() -> None:
    """What is printed from now on goes nowhere: user SQL has nothing to tell the server's log."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in _STANDARD:
        os.dup2(nowhere, standard)
    os.close(nowhere)
