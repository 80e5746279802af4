"""What is being read: batches on their way to a client, ended by the client or by another call."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator

import pyarrow as pa
import pyarrow.flight as fl

from privet.flight.callers import Call
from privet.flight.errors import told
from privet.model.batches import BatchStream
from privet.model.errors import Cancelled, NotFound, Unauthenticated
from privet.service import Caller, Services

_PATIENCE = 2.0
"""Seconds that calling off waits for a statement to end."""


class Reading:
    """One call that reads."""

    def __init__(self, call: Call) -> None:
        self.caller = call.caller
        self.ended = threading.Event()
        self.called_off = threading.Event()
        self._call = call

    def gone(self) -> bool:
        """Whether to end: the client is no longer there, or the statement was called off."""
        return self.called_off.is_set() or self._call.gone()


class Streams:
    """Everything that is being read at this door, by ticket."""

    def __init__(self, services: Services) -> None:
        self._sessions = services.sessions
        self._readings: dict[bytes, list[Reading]] = {}
        self._lock = threading.Lock()

    def open(
        self, call: Call, ticket: bytes, redeem: Callable[[Callable[[], bool]], BatchStream]
    ) -> fl.FlightDataStream:
        """Redeem a ticket and send what comes.

        Args:
            call: ends the stream when it is over itself.
            ticket: what `call_off` finds it by.
            redeem: is given a question: is the client gone?
        """
        reading = Reading(call)
        with self._lock:
            self._readings.setdefault(ticket, []).append(reading)
        call.ends.callback(self._leave, ticket, reading)
        stream = redeem(reading.gone)
        call.ends.callback(stream.close)
        return fl.GeneratorStream(stream.schema, _batches(stream.begin(), reading))

    def _leave(self, ticket: bytes, reading: Reading) -> None:
        with self._lock:
            others = [r for r in self._readings.pop(ticket) if r is not reading]
            if others:
                self._readings[ticket] = others
        reading.ended.set()

    def call_off(self, caller: Caller, tickets: list[bytes]) -> bool:
        """End what reads these tickets, if it is the caller's own; False if it has not ended yet.

        Raises:
            Unauthenticated: the credentials do not hold.
            NotFound: nothing reads them, or somebody else does: the two read alike.
        """
        asks = self._user(caller)
        with self._lock:
            found = [r for ticket in tickets for r in self._readings.get(ticket, ())]
        own = [r for r in found if r.caller == caller or self._is(r.caller, asks)]
        if not own:
            raise NotFound("no such statement is running", hint="it may have ended")
        for reading in own:
            reading.called_off.set()
        return all(reading.ended.wait(_PATIENCE) for reading in own)

    def _is(self, caller: Caller, user: tuple[str, str]) -> bool:
        try:
            return self._user(caller) == user
        except Unauthenticated:
            # Their token ended meanwhile; so will what they read.
            return False

    def _user(self, caller: Caller) -> tuple[str, str]:
        principal = self._sessions.whoami(caller).principal
        return principal.issuer, principal.user


def _batches(batches: Iterator[pa.RecordBatch], reading: Reading) -> Generator[pa.RecordBatch]:
    with told():
        for batch in batches:
            if reading.gone():
                # Not a silent end: to whoever still reads, that would look like the whole answer.
                raise Cancelled("the statement was called off", hint="run it again")
            yield batch
