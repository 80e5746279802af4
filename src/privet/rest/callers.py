"""Who calls, and the use cases: what every handler depends on."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from privet.service import Caller, Services, read_authorization

_DOOR = "rest"


def _caller(request: Request) -> Caller:
    return Caller(read_authorization(request.headers.getlist("authorization")), _DOOR)


def _services(request: Request) -> Services:
    return request.app.state.services


CallerDep = Annotated[Caller, Depends(_caller)]
ServicesDep = Annotated[Services, Depends(_services)]
