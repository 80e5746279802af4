"""Many callers, one commit: each waits until its row is durable."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from sqlalchemy import Engine, insert

from privet.model.errors import AuditUnavailable, PrivetError
from privet.store import writing
from privet.store.tables import audit_events

_MAX_WAITING = 1024
_MAX_BATCH = 256
_LONGEST_WAIT_SECONDS = 20.0


class _State(Enum):
    WAITING = auto()
    WRITING = auto()
    DURABLE = auto()
    FAILED = auto()


@dataclass(eq=False, slots=True)
class _Entry:
    row: Mapping[str, Any]
    state: _State = _State.WAITING
    cause: PrivetError | None = None


class GroupCommit:
    """At most one transaction at a time, led by one of the callers for all that wait.

    While it runs, others queue; when it ends, one of them leads the next for the whole queue. A
    single caller thus pays no change of thread, and there is no thread that could die unnoticed.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._changed = threading.Condition()
        self._waiting: deque[_Entry] = deque()
        self._led = False
        self._open = True

    def write(self, row: Mapping[str, Any]) -> None:
        """Return when the row is committed.

        Raises:
            AuditUnavailable: it was not, or not in time: then it may still be, by another caller.
        """
        entry = _Entry(row)
        deadline = time.monotonic() + _LONGEST_WAIT_SECONDS
        self._enqueue(entry)
        while batch := self._lead_or_wait(entry, deadline):
            self._commit(batch)
        if entry.state is not _State.DURABLE:
            raise _unavailable() from entry.cause

    def close(self) -> None:
        """Take nothing more, and return when everything taken is committed or refused."""
        with self._changed:
            self._open = False
            self._changed.wait_for(lambda: not self._waiting and not self._led)

    def _enqueue(self, entry: _Entry) -> None:
        with self._changed:
            if not self._open:
                raise AuditUnavailable("the audit log is closed", hint="the server is stopping")
            if len(self._waiting) >= _MAX_WAITING:
                raise AuditUnavailable("the audit log is overloaded", hint="try again shortly")
            self._waiting.append(entry)

    def _lead_or_wait(self, entry: _Entry, deadline: float) -> list[_Entry]:
        """A batch to commit if it is this caller's turn to lead; nothing once `entry` is settled.

        A caller whose time is over withdraws an entry that nobody has begun to write.
        """
        with self._changed:
            while entry.state in {_State.WAITING, _State.WRITING}:
                if not self._led and entry.state is _State.WAITING:
                    self._led = True
                    return self._take()
                if not self._changed.wait(deadline - time.monotonic()):
                    if entry.state is _State.WAITING:
                        self._waiting.remove(entry)
                    break
            return []

    def _take(self) -> list[_Entry]:
        size = min(len(self._waiting), _MAX_BATCH)
        batch = [self._waiting.popleft() for _ in range(size)]
        for entry in batch:
            entry.state = _State.WRITING
        return batch

    def _commit(self, batch: list[_Entry]) -> None:
        outcome, cause = _State.FAILED, None
        try:
            with writing(self._engine) as connection:
                connection.execute(insert(audit_events), [entry.row for entry in batch])
            outcome = _State.DURABLE
        except PrivetError as error:
            cause = error
        finally:
            # Also when something unforeseen flies past: nobody may wait for ever, or be let in.
            with self._changed:
                for entry in batch:
                    entry.state, entry.cause = outcome, cause
                self._led = False
                self._changed.notify_all()


def _unavailable() -> AuditUnavailable:
    return AuditUnavailable(
        "the audit log could not be written, so nothing was read or changed",
        hint="try again; an administrator checks the audit database and its disk",
    )
