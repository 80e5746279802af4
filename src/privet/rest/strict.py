"""Routes whose JSON bodies are read strictly, and whose complaints are for those who may call."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from privet.model.errors import InvalidRequest
from privet.model.strict_json import read_json
from privet.rest.callers import caller_of, services_of

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class StrictRoute(APIRoute):
    """Refuses bodies with a member that stands twice before anything is read from them.

    What is wrong with a request is said to callers whose credentials hold; others are told that
    theirs do not, as they would be if it were well formed.
    """

    def get_route_handler(self) -> Handler:
        """The library's handler behind our check."""
        handle = super().get_route_handler()
        asks_who = any(d.call is caller_of for d in self.dependant.dependencies)

        async def strict(request: Request) -> Response:
            try:
                if body := await request.body():
                    read_json(body)
                return await handle(request)
            except (RequestValidationError, InvalidRequest):
                await admit(request)
                raise

        async def admit(request: Request) -> None:
            if asks_who:
                caller = caller_of(request)
                await run_in_threadpool(services_of(request).sessions.whoami, caller)

        return strict
