"""What a server said, as the model's errors again; and the two things only a client can meet."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar, cast

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
    answer = read_object(body)
    if answer is None:
        return fallback(f"the server answered with status {status} and no explanation")
    return from_answer(answer, fallback)


def read_object(body: bytes) -> Mapping[str, Any] | None:
    """The JSON object that this is, if it is one."""
    try:
        value = json.loads(body)
    except ValueError:
        return None
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else None
