"""Who gets a sandbox when: fair turns between principals, a few made ready ahead."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import structlog

from privet.model.errors import Busy, Cancelled, PrivetError, ResourcesExceeded
from privet.query.asker import Asker, Gone
from privet.query.processes import Process, Template
from privet.sandbox import Limits

_USERS = range(61_184, 61_184 + 4_096)
"""Ids that systemd sets aside for users that exist for a while only (DynamicUser=)."""
_TICK_SECONDS = 0.1
_BEHIND = 16
"""Views that one statement may read at once, those behind views too."""
_LOOK_SECONDS = 1.0
_LET_BEGIN_SECONDS = 0.03
_log = structlog.get_logger("privet.query")

Owner = tuple[str, str]
"""Issuer and user."""


@dataclass(frozen=True, slots=True)
class AskerLimits:
    """What all statements together, and each of them, may use.

    Attributes:
        workers: statements that run at once.
        spare: sandboxes that wait ready.
        memory: bytes for each statement's engine.
        seconds: from a statement's start to its last batch.
        wait_seconds: in the queue.
        stall_seconds: that a client may take nothing of an answer.
        threads: of each engine.
        spill: bytes on disk for each.
    """

    workers: int = 4
    spare: int = 2
    memory: int = 512 * 1024 * 1024
    seconds: float = 600
    wait_seconds: float = 30
    stall_seconds: float = 60
    threads: int = 2
    spill: int = 4 * 1024 * 1024 * 1024


class Askers:
    """All sandboxes of a server. Nothing is started before `warm_up`, or the first statement."""

    def __init__(self, limits: AskerLimits, places: Path) -> None:
        self._limits = limits
        self._places = tempfile.TemporaryDirectory(dir=places, prefix="askers-")
        privileged = os.geteuid() == 0
        one = Limits(
            memory=limits.memory,
            seconds=max(1, int(limits.seconds * limits.threads)),
            threads=limits.threads,
            spill=limits.spill,
        )
        self._template = Template(one, Path(self._places.name), _USERS if privileged else range(0))
        self._turns = _Turns(limits.workers, each=(limits.workers + 1) // 2)
        self._behind = threading.BoundedSemaphore(_BEHIND * limits.workers)
        self._burying = ThreadPoolExecutor(1, thread_name_prefix="ended")
        self._ready: deque[Process] = deque()
        self._running: set[_Lease] = set()
        self._changed = threading.Condition()
        self._closed = False
        self._keeper: threading.Thread | None = None

    @contextmanager
    def lease(self, owner: Owner, gone: Gone, *, rewrites: bool = True) -> Generator[Asker]:
        """A sandbox for one statement of this principal; it is ended afterwards.

        The keeper takes it back earlier if it takes too long, or if the client takes nothing. The
        plan of a statement that is only looked at is not rewritten, if asked so.

        Raises:
            Busy: none came free in time, or none can be had.
            Cancelled: the client left.
        """
        leave = self._turns.enter(owner, time.monotonic() + self._limits.wait_seconds, gone)
        try:
            with self._leased(leave, gone, rewrites=rewrites) as asker:
                yield asker
        finally:
            leave()

    @contextmanager
    def lease_behind(self, statement: Behind, gone: Gone) -> Generator[Asker]:
        """A sandbox for a view that a running statement reads.

        It waits for no turn: statements that hold one would wait for each other.

        Raises:
            ResourcesExceeded: the statement reads too many views at once.
            Busy: all statements together do.
        """
        statement.enter()
        try:
            if not self._behind.acquire(blocking=False):
                raise Busy("too many views are being read now", hint="try again in a moment")
            try:
                with self._leased(lambda: None, gone) as asker:
                    yield asker
            finally:
                self._behind.release()
        finally:
            statement.leave()

    @contextmanager
    def _leased(
        self, leave: Callable[[], None], gone: Gone, *, rewrites: bool = True
    ) -> Generator[Asker]:
        process = self._take() if rewrites else self._make(rewrites=False)
        asker = Asker(process, time.monotonic() + self._limits.seconds, gone)
        lease = _Lease(asker, leave)
        with self._changed:
            self._running.add(lease)
            closed = self._closed
        try:
            if closed:
                raise _stopping()
            yield asker
        finally:
            process.kill()
            with self._changed:
                self._running.discard(lease)
            self._bury(process)

    def _bury(self, process: Process) -> None:
        """Wait for its end and clear up, while its client goes on."""
        try:
            self._burying.submit(process.end)
        except RuntimeError:
            process.end()

    def _take(self) -> Process:
        process = None
        with self._changed:
            if self._closed:
                raise _stopping()
            while self._ready and process is None:
                process = self._ready.popleft()
                if not process.alive:
                    process.end()
                    process = None
            self._changed.notify_all()
        self.warm_up()
        return process or self._make()

    def _make(self, *, rewrites: bool = True) -> Process:
        process = self._template.fork(rewrites=rewrites)
        process.wait_ready()
        return process

    def _keep(self) -> None:
        """Have spare ones ready and take back overdue ones, for as long as the server runs."""
        while True:
            with self._changed:
                if not self._closed and len(self._ready) >= self._limits.spare:
                    self._changed.wait(_LOOK_SECONDS)
                if self._closed:
                    return
                overdue = [x for x in self._running if x.overdue(self._limits.stall_seconds)]
                enough = len(self._ready) >= self._limits.spare
                if self._ready and not enough:
                    # Somebody has just taken one: let them begin before another takes a core.
                    self._changed.wait(_LET_BEGIN_SECONDS)
            for lease in overdue:
                lease.take_back()
            if not enough:
                self._add_spare()

    def _add_spare(self) -> None:
        try:
            made = self._make()
        except PrivetError as error:
            if not self._closed:
                _log.warning("no spare sandbox", code=error.code)
                time.sleep(1)
            return
        with self._changed:
            if not self._closed:
                self._ready.append(made)
                return
        made.end()

    def warm_up(self) -> None:
        """Begin to make spare ones ready, in the background."""
        with self._changed:
            if self._keeper is None and not self._closed:
                self._keeper = threading.Thread(target=self._keep, daemon=True, name="askers")
                self._keeper.start()

    def close(self) -> None:
        """End every sandbox; who waits for one is told."""
        with self._changed:
            self._closed = True
            left = [*self._ready, *(lease.asker.process for lease in self._running)]
            self._ready.clear()
            self._changed.notify_all()
        for process in left:
            process.kill()
        self._template.close()
        if self._keeper is not None:
            self._keeper.join(timeout=_TICK_SECONDS * 50)
        for process in left:
            process.end()
        self._burying.shutdown()
        self._places.cleanup()


def _stopping() -> Busy:
    return Busy("the server is stopping", hint="try again in a moment")


class Behind:
    """How many views one statement reads at this moment."""

    def __init__(self) -> None:
        self._count = 0
        self._lock = threading.Lock()

    def enter(self) -> None:
        """One more.

        Raises:
            ResourcesExceeded: there are as many as there may be.
        """
        with self._lock:
            if self._count >= _BEHIND:
                raise ResourcesExceeded(
                    "the statement reads too many views at once",
                    hint=f"at most {_BEHIND}, with those that they are made of",
                )
            self._count += 1

    def leave(self) -> None:
        """One less."""
        with self._lock:
            self._count -= 1


@dataclass(frozen=True, slots=True, eq=False)
class _Lease:
    """A sandbox at work, and how its turn is given back."""

    asker: Asker
    leave: Callable[[], None]

    def overdue(self, stall: float) -> bool:
        """Whether it takes too long, or its client nothing."""
        now = time.monotonic()
        since = self.asker.waits_since
        return now > self.asker.deadline or (since is not None and now - since > stall)

    def take_back(self) -> None:
        """End it, whoever holds it, and let the next one in."""
        self.asker.process.kill()
        self.leave()


class _Turns:
    """So many at once; of those who wait, whoever has the fewest running, then who came first.

    Nobody may have more than `each`, so that there is always a place for somebody else soon.
    """

    def __init__(self, places: int, each: int) -> None:
        self._places = places
        self._each = each
        self._running: Counter[Owner] = Counter()
        self._waiting: dict[int, Owner] = {}
        self._numbers = count()
        self._changed = threading.Condition()

    def enter(self, owner: Owner, deadline: float, gone: Gone) -> Callable[[], None]:
        """Wait for a turn; what comes back gives it back, once however often it is called.

        Raises:
            Busy: it did not come in time.
            Cancelled: the client left.
        """
        with self._changed:
            number = next(self._numbers)
            self._waiting[number] = owner
            try:
                while self._next() != number:
                    self._changed.wait(_TICK_SECONDS)
                    if gone():
                        raise Cancelled("the client left", hint="")
                    if time.monotonic() > deadline:
                        raise Busy(
                            "other statements are running and none came to an end in time",
                            hint="try again in a moment, or end others of your own",
                        )
                self._running[owner] += 1
            finally:
                del self._waiting[number]
                self._changed.notify_all()
        left = False

        def leave() -> None:
            nonlocal left
            with self._changed:
                if not left:
                    left = True
                    self._leave(owner)

        return leave

    def _next(self) -> int | None:
        if self._running.total() >= self._places:
            return None
        able = (
            (self._running[o], n) for n, o in self._waiting.items() if self._running[o] < self._each
        )
        return min(able, default=(0, None))[1]

    def _leave(self, owner: Owner) -> None:
        self._running[owner] -= 1
        if not self._running[owner]:
            del self._running[owner]
        self._changed.notify_all()
