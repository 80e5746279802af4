"""What a server said, as the model's errors again; and the two things only a client can meet."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, cast

import pyarrow as pa
from pyarrow import flight

from privet.model import errors
from privet.model.errors import (
    Conflict,
    Forbidden,
    InvalidRequest,
    NotFound,
    Position,
    PrivetError,
    Unauthenticated,
)

_CHECK_ADDRESS = "check the address, that the server runs, and PRIVET_CA for its certificate"
_DEBUG_MARKS = (". Detail:", ". gRPC client debug context", " gRPC client debug context")


class Unreachable(PrivetError):
    """The server did not answer, or the connection to it cannot be trusted or broke."""

    code: ClassVar[str] = "unreachable"
    status: ClassVar[int] = 503


class Insecure(PrivetError):
    """Credentials would travel unencrypted or to a server that nobody verified."""

    code: ClassVar[str] = "insecure_connection"
    status: ClassVar[int] = 400


_BY_CODE: dict[str, type[PrivetError]] = {
    kind.code: kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, PrivetError)
}
_BY_STATUS: dict[int, type[PrivetError]] = {
    kind.status: kind for kind in (InvalidRequest, Unauthenticated, Forbidden, NotFound, Conflict)
}


def from_answer(answer: Mapping[str, Any], fallback: type[PrivetError]) -> PrivetError:
    """Rebuild an error from problem details or from Flight's extra information.

    Args:
        answer: `code`, `message` or `detail`, and where present `hint`, `position`, `audit_id`.
        fallback: the class for a code that this version of the client does not know.
    """
    kind = _BY_CODE.get(str(answer.get("code")), fallback)
    message = answer.get("message") or answer.get("detail") or answer.get("title")
    return kind(
        str(message or "the server refused without saying why"),
        hint=str(answer.get("hint") or ""),
        position=_position(answer.get("position")),
        audit_id=str(answer.get("audit_id") or ""),
    )


def _position(value: object) -> Position | None:
    if not isinstance(value, Mapping):
        return None
    place = cast("Mapping[str, object]", value)
    parts = [p for name in Position._fields if isinstance(p := place.get(name), int)]
    return Position(*parts) if len(parts) == len(Position._fields) else None


def from_http(status: int, body: bytes) -> PrivetError:
    """Rebuild an error from an HTTP answer; `body` is problem details or anything else."""
    fallback = _BY_STATUS.get(status, PrivetError)
    answer = _object(body)
    if answer is None:
        return fallback(f"the server answered with status {status} and no explanation")
    return from_answer(answer, fallback)


def from_flight(error: BaseException) -> PrivetError:
    """Rebuild an error from what a Flight call raised."""
    answer = _object(getattr(error, "extra_info", b"") or b"")
    fallback = _flight_fallback(error)
    if answer is not None:
        return from_answer(answer, fallback)
    hint = _CHECK_ADDRESS if fallback is Unreachable else ""
    return fallback(_sentence(error), hint=hint)


def _flight_fallback(error: BaseException) -> type[PrivetError]:
    if isinstance(error, flight.FlightUnauthenticatedError):
        return Unauthenticated
    if isinstance(error, flight.FlightUnauthorizedError):
        return Forbidden
    if isinstance(error, (flight.FlightUnavailableError, flight.FlightTimedOutError, OSError)):
        return Unreachable
    return PrivetError


def _sentence(error: BaseException) -> str:
    text = str(error)
    for mark in _DEBUG_MARKS:
        text = text.partition(mark)[0]
    return text.rpartition("with message: ")[2].strip() or type(error).__name__


def _object(body: bytes | str) -> Mapping[str, Any] | None:
    try:
        value = json.loads(body)
    except ValueError:
        return None
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else None


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
