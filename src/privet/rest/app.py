"""The HTTP door: routes, errors and limits over the use cases."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import FastAPI

from privet import __version__
from privet.rest import (
    data,
    domains,
    governance,
    problems,
    proposals,
    scans,
    sessions,
    statements,
)
from privet.rest.guard import Guard
from privet.service import Services

_LARGEST_BODY = 1024 * 1024


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
        max_body_size=_LARGEST_BODY,
    )
    app.state.services = services
    app.state.info = info
    problems.install(app)
    app.add_middleware(Guard)
    for part in (sessions, governance, domains, proposals, data, scans, statements):
        app.include_router(part.router)
    return app
