"""The HTTP door: routes, errors and limits over the use cases."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import FastAPI, Request, Response
from starlette.middleware.base import RequestResponseEndpoint

from privet import __version__
from privet.rest import data, governance, problems, scans, sessions
from privet.service import Services

_LARGEST_BODY = 1024 * 1024
_HEADERS = {
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """What a client may know before it logs in."""

    flight: str


def create_app(services: Services, info: ServerInfo) -> FastAPI:
    """The application. Handlers are synchronous and run on threads, as everything beneath."""
    app = FastAPI(
        title="Privet",
        version=__version__,
        summary="Governed access to datasets, and its administration",
        docs_url=None,
        redoc_url=None,
    )
    app.state.services = services
    app.state.info = info
    problems.install(app)
    app.middleware("http")(_guard)
    for part in (sessions, governance, data, scans):
        app.include_router(part.router)
    return app


async def _guard(request: Request, call_next: RequestResponseEndpoint) -> Response:
    length = request.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > _LARGEST_BODY:
        return Response(status_code=413)
    response = await call_next(request)
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    return response
