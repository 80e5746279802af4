"""Errors as this protocol has them: the one place where ours become `TRecordServiceException`.

The original's clients tell them apart by their texts: `message` says what is wrong in a sentence;
`detail` begins with a class of errors, has the hint, and ends with our code and the audit's number.
"""

from __future__ import annotations

from typing import Any

import structlog

from privet.model.errors import (
    Busy,
    Cancelled,
    Forbidden,
    NotFound,
    PrivetError,
    ResourcesExceeded,
    Revoked,
    TooManyAttempts,
    Unauthenticated,
)
from privet.okera.idl import T

_log = structlog.get_logger("privet.okera")
_CODES: tuple[tuple[type[PrivetError], int], ...] = (
    (Unauthenticated, T.TErrorCode.AUTHENTICATION_ERROR),
    (Revoked, T.TErrorCode.AUTHENTICATION_ERROR),
    (TooManyAttempts, T.TErrorCode.SERVICE_BUSY),
    (Busy, T.TErrorCode.SERVICE_BUSY),
    (ResourcesExceeded, T.TErrorCode.OUT_OF_MEMORY),
    (Cancelled, T.TErrorCode.CANCELLED),
)
_CODES_BY_NAME = {
    "ticket_invalid": T.TErrorCode.INVALID_TASK,
    "handle_invalid": T.TErrorCode.INVALID_HANDLE,
    "unsupported": T.TErrorCode.UNSUPPORTED_REQUEST,
    "not_expressible": T.TErrorCode.UNSUPPORTED_REQUEST,
}
_FIRST_SERVER_STATUS = 500


class HandleInvalid(PrivetError):
    """A handle of a task that has ended, expired or is another principal's: one text for all."""

    code = "handle_invalid"
    status = 404


class Unsupported(PrivetError):
    """A call or an option that this server does not serve."""

    code = "unsupported"
    status = 400


class RequestTooLarge(PrivetError):
    """A request of more bytes than this door takes."""

    code = "request_too_large"
    status = 413


def raised(error: Exception) -> Any:
    """An error as the protocol has it; what is unexpected is logged, and told as nothing."""
    if not isinstance(error, PrivetError):
        _log.error("unexpected error", kind=type(error).__name__, exc_info=error)
        return T.TRecordServiceException(
            code=T.TErrorCode.INTERNAL_ERROR,
            message="something went wrong here",
            detail="InternalException: something went wrong here [internal]",
        )
    audited = f", audit {error.audit_id}" if error.audit_id else ""
    return T.TRecordServiceException(
        code=_code(error),
        message=error.message,
        detail=f"{_family(error)}: {error} [{error.code}{audited}]",
    )


def _code(error: PrivetError) -> int:
    if error.code in _CODES_BY_NAME:
        return _CODES_BY_NAME[error.code]
    for kind, code in _CODES:
        if isinstance(error, kind):
            return code
    if error.status >= _FIRST_SERVER_STATUS:
        return T.TErrorCode.INTERNAL_ERROR
    return T.TErrorCode.INVALID_REQUEST


def _family(error: PrivetError) -> str:
    """What the original calls such errors."""
    if isinstance(error, Forbidden | NotFound | Unauthenticated | Revoked):
        return "AuthorizationException"
    if error.status >= _FIRST_SERVER_STATUS:
        return "InternalException"
    return "AnalysisException"
