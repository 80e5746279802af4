"""Answers of a provider, kept for a while; and never asked for twice at once."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass

from privet.identity.attributes.answers import unavailable
from privet.identity.attributes.values import read_attributes
from privet.model.errors import AttributesUnavailable, InvalidRequest
from privet.model.strict_json import read_json

MOST_KEPT = 4096
MOST_AT_ONCE = 8
"""Calls of a provider; each holds a thread of its door."""

Ask = Callable[[str], bytes]
"""The user's name to what a provider says: JSON. Raises AttributesUnavailable."""

Attributes = Mapping[str, str]
_Key = tuple[str, str]
_Answer = Attributes | AttributesUnavailable


@dataclass(frozen=True, slots=True)
class _Kept:
    attributes: Attributes
    until: float


class ProvidedAttributes:
    """What a provider says of users. Thread-safe.

    Only answers are kept. A failure is told to everybody who waits for it, and the next request
    asks again.
    """

    def __init__(
        self,
        ask: Ask,
        *,
        seconds: float,
        keep_seconds: float,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        """Put it before a provider.

        Args:
            ask: the provider.
            seconds: how long to wait for a free place among the calls; `ask` bounds itself.
            keep_seconds: how long an answer holds, from when it was asked for.
            timer: a clock that never goes back.
        """
        self._ask = ask
        self._seconds = seconds
        self._keep = keep_seconds
        self._timer = timer
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(MOST_AT_ONCE)
        self._kept: OrderedDict[_Key, _Kept] = OrderedDict()
        self._calls: dict[_Key, Future[_Answer]] = {}

    def of(self, issuer: str, user: str) -> Attributes:
        """What is known of a user, or what the provider says now.

        Raises:
            AttributesUnavailable: it failed, was too slow, or said nonsense.
        """
        key = (issuer, user)
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and self._timer() < kept.until:
                self._kept.move_to_end(key)
                return kept.attributes
            call = self._calls.get(key)
            mine = call is None
            if call is None:
                call = self._calls[key] = Future()
        if mine:
            self._call(key, call)
        match call.result():
            case AttributesUnavailable() as error:
                # One of one's own: whoever catches it adds to it.
                raise AttributesUnavailable(error.message, hint=error.hint) from error
            case attributes:
                return attributes

    def _call(self, key: _Key, call: Future[_Answer]) -> None:
        """Make the call for everybody who waits for it, and let them go whatever happens."""
        asked = self._timer()
        answer: _Answer = unavailable("the look-up broke")
        try:
            answer = self._provided(key[1])
        except AttributesUnavailable as error:
            answer = error
        finally:
            with self._lock:
                if not isinstance(answer, AttributesUnavailable):
                    self._keep_answer(key, _Kept(answer, asked + self._keep))
                del self._calls[key]
            call.set_result(answer)

    def _provided(self, user: str) -> Attributes:
        if not self._places.acquire(timeout=self._seconds):
            raise unavailable("too many look-ups at once")
        try:
            return read_attributes(read_json(self._ask(user)))
        except InvalidRequest as error:
            raise unavailable("the provider's answer makes no sense") from error
        finally:
            self._places.release()

    def _keep_answer(self, key: _Key, kept: _Kept) -> None:
        self._kept[key] = kept
        self._kept.move_to_end(key)
        if len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
