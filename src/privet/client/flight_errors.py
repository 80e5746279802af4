"""What a Flight call raised, as the model's errors again."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import pyarrow as pa
from pyarrow import flight

from privet.client.errors import Unreachable, from_answer, read_object
from privet.model.errors import Cancelled, Forbidden, PrivetError, Unauthenticated

_CHECK_ADDRESS = "check the address, that the server runs, and PRIVET_CA for its certificate"
_DEBUG_MARKS = (". Detail:", ". gRPC client debug context", " gRPC client debug context")


def from_flight(error: BaseException) -> PrivetError:
    """Rebuild an error from what a Flight call raised."""
    answer = read_object(getattr(error, "extra_info", b"") or b"")
    fallback = _flight_fallback(error)
    if answer is not None:
        return from_answer(answer, fallback)
    if fallback is Unreachable:
        return Unreachable(f"cannot reach the server: {_sentence(error)}", hint=_CHECK_ADDRESS)
    return fallback(_sentence(error))


def _flight_fallback(error: BaseException) -> type[PrivetError]:
    if isinstance(error, flight.FlightUnauthenticatedError):
        return Unauthenticated
    if isinstance(error, flight.FlightUnauthorizedError):
        return Forbidden
    if isinstance(error, flight.FlightCancelledError):
        return Cancelled
    if isinstance(error, (flight.FlightUnavailableError, flight.FlightTimedOutError, OSError)):
        return Unreachable
    return PrivetError


def _sentence(error: BaseException) -> str:
    text = str(error)
    for mark in _DEBUG_MARKS:
        text = text.partition(mark)[0]
    return text.rpartition("with message: ")[2].strip() or type(error).__name__


@contextmanager
def translated() -> Generator[None]:
    """Turn what pyarrow raises about a connection into the model's errors.

    Raises:
        PrivetError: the server's own error, or `Unreachable`.
    """
    try:
        yield
    except (flight.FlightError, pa.ArrowException, OSError) as error:
        raise from_flight(error) from error
