"""Routes whose JSON bodies are read strictly."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from privet.model.strict_json import read_json

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class StrictRoute(APIRoute):
    """Refuses bodies with a member that stands twice before anything is read from them."""

    def get_route_handler(self) -> Handler:
        """The library's handler behind our check."""
        handle = super().get_route_handler()

        async def strict(request: Request) -> Response:
            if body := await request.body():
                read_json(body)
            return await handle(request)

        return strict
