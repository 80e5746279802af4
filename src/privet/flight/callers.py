"""A call: whose it is, whether they are still there, and what ends with it."""

from __future__ import annotations

import threading
from contextlib import ExitStack, suppress
from typing import Any

import pyarrow.flight as fl

from privet.flight.errors import told
from privet.model.errors import InvalidRequest
from privet.model.principals import BearerToken, Password
from privet.service import Caller, Services, read_authorization

_DOOR = "flight"
_MIDDLEWARE = "caller"


class Call(fl.ServerMiddleware):
    """One call.

    Attributes:
        caller: the credentials that came with it.
        ends: closed when the call is over, whichever way, also if no batch was ever asked for.
    """

    def __init__(self, caller: Caller, token: str = "") -> None:
        self.caller = caller
        self._token = token
        self._context: Any = None
        self._over = False
        self.ends = ExitStack()
        self._lock = threading.Lock()

    def gone(self) -> bool:
        """Whether nobody waits for the answer any more; any thread may ask, at any time."""
        # The library frees a context with its call: after that it must not be touched.
        with self._lock:
            return self._over or bool(self._context.is_cancelled())

    def enter(self, context: Any) -> Call:
        """Take the library's context of this call."""
        self._context = context
        return self

    def sending_headers(self) -> dict[str, str]:
        """The token that a name and password were exchanged for."""
        return {"authorization": f"Bearer {self._token}"} if self._token else {}

    def call_completed(self, exception: Any) -> None:  # noqa: ARG002 - the interface
        """Let go of the context, and end what was to end with the call."""
        with self._lock:
            self._over = True
            self._context = None
        with suppress(fl.FlightError), told():
            self.ends.close()


def call_of(context: Any) -> Call:
    """The call that a handler serves."""
    return context.get_middleware(_MIDDLEWARE).enter(context)


class _Callers(fl.ServerMiddlewareFactory):
    """Credentials of a call, from its headers."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def start_call(self, info: Any, headers: dict[str, list[str]]) -> fl.ServerMiddleware:
        """Bearer tokens as they are; a name and password are exchanged for one."""
        with told():
            if info.method == fl.FlightMethod.GET_SCHEMA:
                # The library sends what a handler of this method raises with its traceback.
                raise InvalidRequest("GetSchema is not served", hint="GetFlightInfo has the schema")
            given = [v for k, vs in headers.items() if k.lower() == "authorization" for v in vs]
            credentials = read_authorization(given)
            if isinstance(credentials, Password):
                asked = Caller(None, _DOOR), credentials.user, credentials.password
                token = self._services.sessions.login(*asked).token
                return Call(Caller(BearerToken(token), _DOOR), token)
            caller = Caller(credentials, _DOOR)
            # Before anything is read of what a stranger sent; each use case asks again.
            self._services.sessions.identify(caller)
            return Call(caller)


class _NoHandshake(fl.ServerAuthHandler):
    """Needed beside the middleware, or the library refuses the basic handshake."""

    def authenticate(self, outgoing: Any, incoming: Any) -> None:
        """Nothing to exchange."""

    def is_valid(self, token: bytes) -> bytes:  # noqa: ARG002 - the interface
        """Every call carries its credentials itself."""
        return b""


def authentication(services: Services) -> dict[str, Any]:
    """What a server is given so that `call_of` works."""
    return {"auth_handler": _NoHandshake(), "middleware": {_MIDDLEWARE: _Callers(services)}}
