"""What is being read on this server now, so that it can be listed and called off."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from weakref import WeakMethod, WeakValueDictionary

from privet.model.errors import CalledOff
from privet.model.events import Event
from privet.model.principals import Principal
from privet.scan import Progress


@dataclass(eq=False, slots=True, weakref_slot=True)
class Run:
    """A scan or query that runs. Whatever reads it keeps it alive; nothing else does.

    Attributes:
        started: the event of its beginning; a run goes by its id.
        datasets: that it reads, by name.
        progress: how far it is.
        killer: who called it off, once somebody did.
        reason: what whoever reads it is told then.
        call_off: records its end and lets the next step of whoever reads it raise a reason; false
            if it had ended.
    """

    started: Event
    datasets: tuple[str, ...]
    progress: Progress
    killer: Principal | None = None
    reason: CalledOff | None = None
    call_off: WeakMethod[Callable[[CalledOff], bool]] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def kind(self) -> str:
        """`scan` or `query`."""
        return self.started.action.partition(".")[0]

    @property
    def since(self) -> datetime | None:
        """When it began."""
        return self.started.at

    @property
    def killed(self) -> dict[str, Any]:
        """Who called it off, as the detail of the event of its end."""
        if self.killer is None:
            return {}
        return {"killed_by": {"user": self.killer.user, "issuer": self.killer.issuer}}

    def is_of(self, principal: Principal) -> bool:
        """Whether it is this principal's own."""
        return (self.started.user, self.started.issuer) == (principal.user, principal.issuer)

    def kill(self, by: Principal) -> bool:
        """Call it off: its end is on record when this returns. False if it had ended."""
        with self._lock:
            call_off = self.call_off() if self.call_off else None
            if call_off is None or self.killer is not None:
                return False
            self.killer = by
            who = "you" if self.is_of(by) else "an administrator"
            reason = CalledOff(
                f"{who} called this {self.kind} off",
                hint="what was received is incomplete",
                audit_id=self.started.id,
            )
            if call_off(reason):
                self.reason = reason
                return True
            self.killer = None
            return False

    def guarding(self, check: Callable[[], None]) -> Callable[[], None]:
        """A check that raises the reason once it was called off."""

        def guarded() -> None:
            if self.reason is not None:
                raise self.reason
            check()

        return guarded


class Running:
    """Everything that runs, by the id of the event of its beginning."""

    def __init__(self) -> None:
        self._runs: WeakValueDictionary[str, Run] = WeakValueDictionary()
        self._lock = threading.Lock()

    def enter(self, run: Run, call_off: Callable[[CalledOff], bool]) -> None:
        """It has begun; `call_off` is a method of what reads it."""
        run.call_off = WeakMethod(call_off)
        with self._lock:
            self._runs[run.started.id] = run

    def leave(self, run: Run) -> None:
        """It has ended."""
        with self._lock:
            self._runs.pop(run.started.id, None)

    def find(self, identifier: str) -> Run | None:
        """The run of that id."""
        with self._lock:
            return self._runs.get(identifier)

    def list(self) -> tuple[Run, ...]:
        """Everything that runs, the oldest first; ids are in the order of time."""
        with self._lock:
            return tuple(sorted(self._runs.values(), key=lambda run: run.started.id))
