"""Who calls, and the use cases: what every handler depends on."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from fastapi import Depends, Request

from privet.model.errors import Unauthenticated
from privet.model.principals import BearerToken, Credentials, Password
from privet.service import Caller, Services

_DOOR = "rest"


def credentials_of(header: str | None) -> Credentials:
    """Read an `Authorization` header: Bearer or Basic.

    Raises:
        Unauthenticated: neither.
    """
    if not header:
        return None
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer" and value:
        return BearerToken(value.strip())
    if scheme.lower() == "basic":
        try:
            user, mark, password = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise _unreadable() from error
        if mark:
            return Password(user, password)
    raise _unreadable()


def _unreadable() -> Unauthenticated:
    return Unauthenticated(
        "the authorization header cannot be read", hint="send `Bearer <token>`, or Basic"
    )


def _caller(request: Request) -> Caller:
    headers = request.headers.getlist("authorization")
    if len(headers) > 1:
        # Whoever stands before us may have looked at another one than we would.
        raise _unreadable()
    return Caller(credentials_of(headers[0] if headers else None), _DOOR)


def _services(request: Request) -> Services:
    return request.app.state.services


CallerDep = Annotated[Caller, Depends(_caller)]
ServicesDep = Annotated[Services, Depends(_services)]
