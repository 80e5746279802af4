"""Logging in, tokens, users, keys, and what the server is."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter, Request, status

from privet import __version__
from privet.rest.bodies import Login, NewToken, NewUser, items
from privet.rest.callers import AnybodyDep, CallerDep, ServicesDep
from privet.rest.strict import StrictRoute
from privet.service.forms import Json, moment, token_json, whoami_json

router = APIRouter(route_class=StrictRoute, prefix="/v1", tags=["sessions"])
_GONE = status.HTTP_204_NO_CONTENT


@router.get("/server")
def server(request: Request) -> Json:
    """What this is and where its other doors are; needs no credentials."""
    return {"name": "privet", "version": __version__, "flight": request.app.state.info.flight}


@router.post("/login")
def login(caller: AnybodyDep, services: ServicesDep, body: Login) -> Json:
    """A token for a local user."""
    issued = services.sessions.login(caller, body.user, body.password.get_secret_value())
    return token_json(issued)


@router.get("/whoami")
def whoami(caller: CallerDep, services: ServicesDep) -> Json:
    """Who the caller is."""
    return whoami_json(services.sessions.whoami(caller))


@router.post("/tokens", status_code=status.HTTP_201_CREATED)
def issue_token(caller: CallerDep, services: ServicesDep, body: NewToken) -> Json:
    """A token for somebody; administrators only."""
    lifetime = None if body.lifetime is None else timedelta(seconds=body.lifetime)
    return token_json(services.sessions.issue(caller, body.user, body.groups, lifetime))


@router.get("/users")
def list_users(caller: CallerDep, services: ServicesDep) -> Json:
    """Local users."""
    listed = [
        {"user": u.user, "groups": sorted(u.groups), "created_at": moment(u.created_at)}
        for u in services.sessions.list_users(caller)
    ]
    return items(listed)


@router.post("/users", status_code=status.HTTP_201_CREATED)
def create_user(caller: CallerDep, services: ServicesDep, body: NewUser) -> Json:
    """Add a local user."""
    services.sessions.create_user(caller, body.user, body.password.get_secret_value(), body.groups)
    return {"user": body.user, "groups": sorted(body.groups)}


@router.get("/users/{user:path}/attributes")
def attributes(caller: CallerDep, services: ServicesDep, user: str) -> Json:
    """What is known of a user; administrators only."""
    known = services.sessions.attributes_of(caller, user)
    return {"user": user, "attributes": dict(sorted(known.items()))}


@router.delete("/users/{user:path}", status_code=_GONE)
def drop_user(caller: CallerDep, services: ServicesDep, user: str) -> None:
    """Remove a local user."""
    services.sessions.drop_user(caller, user)


@router.post("/users/{user:path}/revoke", status_code=_GONE)
def revoke(caller: CallerDep, services: ServicesDep, user: str) -> None:
    """End every token of a user."""
    services.sessions.revoke(caller, user)


@router.post("/signing-keys/rotate", status_code=_GONE)
def rotate(caller: CallerDep, services: ServicesDep) -> None:
    """Sign with a new key from now on."""
    services.sessions.rotate_signing_keys(caller)


@router.get("/jwks")
def jwks(services: ServicesDep) -> Json:
    """Our public keys; needs no credentials."""
    return services.sessions.jwks()
