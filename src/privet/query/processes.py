"""Sandbox processes: made ready before they are needed, used once, ended for certain."""

from __future__ import annotations

import errno
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

import structlog

from privet.model.errors import Busy
from privet.sandbox import Channel, Limits
from privet.sandbox.wire import Closed

_READY_SECONDS = 20.0
_TICK_SECONDS = 0.1
ENVIRONMENT = {
    # No thread may run while the template forks.
    "OPENBLAS_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}
"""All of it; the template forgets it once it has begun."""
_log = structlog.get_logger("privet.query")


class Process:
    """One sandbox, walled and waiting for its statement.

    Attributes:
        control: the conversation about the statement.
        feeds: where it asks for governed streams.
        results: where its answer comes.
    """

    def __init__(
        self, handle: int, ends: tuple[socket.socket, socket.socket, socket.socket], place: Path
    ) -> None:
        self.control = Channel(ends[0])
        self.feeds = Channel(ends[1])
        self.results = ends[2]
        self._handle = handle
        self._place = place
        self._ended = threading.Lock()
        self._gone = False

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        with self._ended:
            return not self._gone and not _readable(self._handle, 0)

    def wait_ready(self) -> None:
        """Until its walls stand.

        Raises:
            Busy: they do not.
        """
        said = None
        if _readable(self.control, _READY_SECONDS):
            with suppress(Closed):
                said, _ = self.control.receive()
        if said is None or "ready" not in said:
            self.end()
            if said is not None:
                _log.error("sandbox is not safe", why=str(said.get("unwalled")))
            raise Busy(
                "queries cannot be answered on this server",
                hint="an administrator finds the reason in the server's log",
            )

    def kill(self) -> None:
        """Stop it at once, whatever it does; whoever waits for it sees its channels close."""
        with self._ended, suppress(ProcessLookupError):
            if not self._gone:
                signal.pidfd_send_signal(self._handle, signal.SIGKILL)

    def end(self) -> None:
        """Stop it and remove what it left."""
        self.kill()
        with self._ended:
            if self._gone:
                return
            self._gone = True
            _readable(self._handle, _READY_SECONDS)
            os.close(self._handle)
        for channel in (self.control, self.feeds, self.results):
            channel.close()
        shutil.rmtree(self._place, ignore_errors=True)


class Template:
    """The process that sandboxes are forked from; started again when it is gone."""

    def __init__(self, limits: Limits, places: Path, users: range) -> None:
        self._limits = limits
        self._places = places
        self._users = users
        self._next = 0
        self._lock = threading.Lock()
        self._closed = False
        self._process: subprocess.Popen[bytes] | None = None
        self._orders: Channel | None = None

    def fork(self, *, rewrites: bool = True) -> Process:
        """A new sandbox, not yet ready; its engine rewrites plans, or leaves them as written.

        Raises:
            Busy: there is none to be had.
        """
        with self._lock:
            for _ in range(0 if self._closed else 2):
                try:
                    orders = self._orders or self._start()
                    return self._fork(orders, replace(self._limits, rewrites=rewrites))
                except Closed:
                    self._stop()
                except OSError as error:
                    _log.error("no sandbox can be made", why=error.strerror)
                    break
        raise Busy("queries cannot be answered now", hint="try again in a moment")

    def _fork(self, orders: Channel, limits: Limits) -> Process:
        user = self._users[self._next % len(self._users)] if self._users else 0
        self._next += 1
        with ExitStack() as undo, ExitStack() as given:
            place = Path(tempfile.mkdtemp(dir=self._places))
            undo.callback(shutil.rmtree, place, ignore_errors=True)
            if user:
                os.chown(place, user, user)
            order = {"limits": limits.to_json() | {"user": user}, "place": str(place)}
            pairs: list[tuple[socket.socket, socket.socket]] = []
            for _ in range(3):
                pairs.append(socket.socketpair())
                undo.enter_context(pairs[-1][0])
                given.enter_context(pairs[-1][1])
            orders.send(order, files=tuple(theirs.fileno() for _, theirs in pairs))
            _, handles = orders.receive(files=1)
            if not handles:
                raise OSError(errno.EMFILE, "the sandbox's handle could not be taken")
            undo.pop_all()
        control, feeds, results = (mine for mine, _ in pairs)
        return Process(handles[0], (control, feeds, results), place)

    def _start(self) -> Channel:
        mine, theirs = socket.socketpair()
        # Nothing of the server's environment, files or settings goes along.
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "privet.sandbox", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            env=ENVIRONMENT,
            cwd="/",
            start_new_session=True,
        )
        theirs.close()
        self._orders = Channel(mine)
        return self._orders

    def _stop(self) -> None:
        orders, self._orders = self._orders, None
        process, self._process = self._process, None
        if orders is not None:
            orders.close()
        if process is not None:
            process.kill()
            process.wait()

    def close(self) -> None:
        """End it for good; sandboxes that run end with it."""
        with self._lock:
            self._closed = True
            self._stop()


def wait_readable(end: socket.socket | Channel, deadline: float) -> bool:
    """Wait a little for something to read; False if nothing came in that time.

    Raises:
        TimeoutError: `deadline` (of the monotonic clock) has passed.
    """
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return _readable(end, min(left, _TICK_SECONDS))


def _readable(end: socket.socket | Channel | int, seconds: float) -> bool:
    """Whether there is something to read, or an end, within some time."""
    # Not select(): a server has more than 1,024 files open.
    waiting = select.poll()
    waiting.register(end, select.POLLIN)
    return bool(waiting.poll(1000 * seconds))
