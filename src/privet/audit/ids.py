"""Ids of events: unique, and sorted by time as text."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECONDS = 1_000_000
_TICKS_PER_SECOND = 4_096_000
_VERSION, _VARIANT = 7 << 76, 0b10 << 62


class EventIds:
    """UUIDs of version 7 (RFC 9562, method 3): milliseconds, 12 bits of their fraction, chance.

    Within one log each id is greater than the one before, also when the clock stands or steps back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def next(self, at: datetime) -> str:
        """The id of an event at that moment (aware)."""
        elapsed = at - _EPOCH
        micros = (elapsed.days * 86_400 + elapsed.seconds) * _MICROSECONDS + elapsed.microseconds
        with self._lock:
            self._last = max(micros * _TICKS_PER_SECOND // _MICROSECONDS, self._last + 1)
            millis, fraction = divmod(self._last, 4096)
        chance = int.from_bytes(os.urandom(8)) >> 2
        return str(UUID(int=millis << 80 | _VERSION | fraction << 64 | _VARIANT | chance))
