"""Errors as Flight has them.

Every handler wraps what it does in `told`: a Python exception that reaches the library would reach
the client with its traceback.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pyarrow.flight as fl
import structlog

from privet.model.errors import CalledOff, Cancelled, PrivetError

_log = structlog.get_logger("privet.flight")
_KINDS: dict[int, Any] = {
    401: fl.FlightUnauthenticatedError,
    403: fl.FlightUnauthorizedError,
    503: fl.FlightUnavailableError,
}


@contextmanager
def told() -> Generator[None]:
    """Errors as Flight has them, with ours as JSON beside the text."""
    try:
        yield
    except PrivetError as error:
        extra = json.dumps(
            {
                "code": error.code,
                "message": error.message,
                "hint": error.hint,
                "audit_id": error.audit_id,
                "position": None if error.position is None else error.position._asdict(),
            }
        ).encode()
        raise _kind(error)(str(error), extra) from None
    except fl.FlightError:
        raise
    except Exception as error:  # noqa: BLE001 - the door: nothing unexpected may pass it
        _log.error("unexpected error", kind=type(error).__name__, exc_info=error)
        raise fl.FlightInternalError("something went wrong here") from None


def _kind(error: PrivetError) -> Any:
    # A client library that is told of a cancelling it did not ask for takes it for Ctrl-C.
    if isinstance(error, Cancelled) and not isinstance(error, CalledOff):
        return fl.FlightCancelledError
    return _KINDS.get(error.status, fl.FlightServerError)
