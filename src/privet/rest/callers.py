"""Who calls, and the use cases: what every handler depends on."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from privet.service import Caller, Services, read_authorization

_DOOR = "rest"


def caller_of(request: Request) -> Caller:
    """Whoever calls, by credentials that are not checked yet."""
    return Caller(read_authorization(request.headers.getlist("authorization")), _DOOR)


def anybody(request: Request) -> Caller:
    """Whoever calls where no credentials are asked for."""
    return caller_of(request)


def services_of(request: Request) -> Services:
    """The use cases."""
    return request.app.state.services


AnybodyDep = Annotated[Caller, Depends(anybody)]
CallerDep = Annotated[Caller, Depends(caller_of)]
ServicesDep = Annotated[Services, Depends(services_of)]
