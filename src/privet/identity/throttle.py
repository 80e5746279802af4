"""Bounds how often a password can be guessed. In memory, per process."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from privet.model.errors import TooManyAttempts

_FREE_FAILURES = 5
_FIRST_DELAY = timedelta(seconds=1)
_LONGEST_DELAY = timedelta(minutes=5)
_FORGET_AFTER = timedelta(minutes=15)
_MAX_NAMES = 10_000


@dataclass(frozen=True, slots=True)
class _Failures:
    count: int
    last: datetime

    def open_again(self) -> datetime:
        """When the next attempt is allowed: each failure past the free ones doubles the wait."""
        excess = self.count - _FREE_FAILURES
        if excess < 0:
            return self.last
        doublings = min(excess, 16)
        return self.last + min(_FIRST_DELAY * 2**doublings, _LONGEST_DELAY)


class Throttle:
    """Failures by user name, known or not, so that a refusal tells nothing about the name.

    The caller serialises `check`, the attempt, and `failed` or `succeeded`.
    """

    def __init__(self) -> None:
        self._failures: dict[bytes, _Failures] = {}

    def check(self, user: str, now: datetime) -> None:
        """Let an attempt through, or not.

        Raises:
            TooManyAttempts: too many wrong passwords for this name of late.
        """
        failures = self._failures.get(_key(user))
        if failures is not None and now < failures.open_again():
            seconds = int((failures.open_again() - now).total_seconds()) + 1
            raise TooManyAttempts(
                "too many wrong passwords for this user", hint=f"try again in {seconds} seconds"
            )

    def failed(self, user: str, now: datetime) -> None:
        """Count a wrong password."""
        key = _key(user)
        before = self._failures.pop(key, None)
        recent = before is not None and now - before.last < _FORGET_AFTER
        if len(self._failures) >= _MAX_NAMES:
            self._make_room(now)
        count = before.count + 1 if before is not None and recent else 1
        self._failures[key] = _Failures(count, now)

    def succeeded(self, user: str) -> None:
        """Forget what failed before."""
        self._failures.pop(_key(user), None)

    def _make_room(self, now: datetime) -> None:
        # Entries stand in the order of their last failure.
        while self._failures:
            oldest, failures = next(iter(self._failures.items()))
            fresh = now - failures.last < _FORGET_AFTER
            if fresh and len(self._failures) < _MAX_NAMES:
                return
            del self._failures[oldest]


def _key(user: str) -> bytes:
    """Of one size, however long the name that a stranger sends."""
    return hashlib.sha256(user.encode("utf-8", "surrogatepass")).digest()
