"""Errors as RFC 9457 problem details, mapped in one place."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from privet.model.errors import PrivetError

MEDIA_TYPE = "application/problem+json"
_log = structlog.get_logger("privet.rest")


def problem(error: PrivetError) -> dict[str, Any]:
    """The body that tells an error."""
    body: dict[str, Any] = {
        "type": f"urn:privet:error:{error.code}",
        "title": error.code.replace("_", " "),
        "status": error.status,
        "detail": error.message,
        "code": error.code,
        "hint": error.hint,
    }
    if error.position is not None:
        body["position"] = error.position._asdict()
    if error.audit_id:
        body["audit_id"] = error.audit_id
    return body


def install(app: FastAPI) -> None:
    """Map what can be raised below the door; anything else is logged and told without its text."""
    app.add_exception_handler(PrivetError, _told)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


def _answer(body: dict[str, Any]) -> JSONResponse:
    headers = {"www-authenticate": "Bearer"} if body["status"] == HTTPStatus.UNAUTHORIZED else None
    return JSONResponse(body, body["status"], headers, media_type=MEDIA_TYPE)


async def _told(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, PrivetError)
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.warning("request failed", code=error.code, audit_id=error.audit_id)
    return _answer(problem(error))


async def _malformed(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    places = "; ".join(
        f"{'.'.join(str(p) for p in e['loc'])}: {e['msg'].lower()}" for e in error.errors()[:5]
    )
    return _plain(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", places)


async def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    code = "not_found" if status is HTTPStatus.NOT_FOUND else "invalid_request"
    answer = _plain(status, code, _SAID.get(status, "the request cannot be understood"))
    answer.headers.update(error.headers or {})
    return answer


_SAID = {
    HTTPStatus.NOT_FOUND: "there is nothing at this address",
    HTTPStatus.METHOD_NOT_ALLOWED: "this address does not know the method",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "the body is too large",
}


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    if isinstance(error.__cause__, PrivetError):
        # The answer had begun, so it can only be broken off; the library does that.
        _log.warning("answer broke off", code=error.__cause__.code)
    else:
        _log.error("unexpected error", path=request.url.path, exc_info=error)
    return _plain(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", "something went wrong here")


def _plain(status: HTTPStatus, code: str, detail: str) -> JSONResponse:
    return _answer(
        {
            "type": f"urn:privet:error:{code}",
            "title": code.replace("_", " "),
            "status": int(status),
            "detail": detail,
            "code": code,
            "hint": "the addresses and bodies are described at /openapi.json",
        }
    )
