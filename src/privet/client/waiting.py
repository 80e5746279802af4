"""Waiting for a server in a way that can be interrupted.

Calls of the library below return when the server has answered, which for a query may take long, and
Ctrl-C does not reach them before. So they wait on a thread of their own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

import pyarrow as pa
from pyarrow import flight

T = TypeVar("T")

_LOOK_SECONDS = 0.1
_CANCEL = "CancelFlightInfo"
_MORE = 0x80


@dataclass(frozen=True, slots=True)
class Line:
    """A connection, with the options of calls that answer soon and of streams."""

    connection: flight.FlightClient
    calls: flight.FlightCallOptions
    streams: flight.FlightCallOptions

    def call_off(self, info: flight.FlightInfo) -> None:
        """Have the server end what reads this, if it still does."""
        action = flight.Action(_CANCEL, cancel_request(info.serialize()))
        # What has ended, or does not answer, need not be ended.
        with suppress(flight.FlightError, pa.ArrowException, OSError):
            list(self.connection.do_action(action, self.calls))


class _Call(Generic[T]):
    def __init__(self, call: Callable[[], T]) -> None:
        self.done = threading.Event()
        self._call = call
        self._answer: T
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._answer = self._call()
        except BaseException as error:  # noqa: BLE001 - raised again by whoever waits
            self._error = error
        self.done.set()

    def answer(self) -> T:
        if self._error is not None:
            raise self._error
        return self._answer


def patiently(call: Callable[[], T], look: Callable[[], None] | None = None) -> T:
    """What a call gives or raises; in the meantime `look` is called about ten times a second.

    Raises:
        KeyboardInterrupt: at once; nobody waits for the call any more.
    """
    waiting = _Call(call)
    threading.Thread(target=waiting.run, name="privet-call", daemon=True).start()
    while not waiting.done.wait(_LOOK_SECONDS):
        if look is not None:
            look()
    return waiting.answer()


def cancel_request(info: bytes) -> bytes:
    """The protobuf message CancelFlightInfoRequest: its first field is the FlightInfo."""
    size, length = len(info), bytearray()
    while size >= _MORE:
        length.append(size % _MORE | _MORE)
        size //= _MORE
    return b"\x0a" + bytes([*length, size]) + info
