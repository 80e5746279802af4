"""The Arrow Flight door: scans by sealed tickets, a few calls, nothing else.

Every handler wraps what it does: a Python exception that reaches the library would reach the
client with its traceback.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.flight as fl
import structlog

from privet.flight.calls import CALL, call
from privet.model.errors import InvalidRequest, PrivetError
from privet.model.names import DatasetName, fold
from privet.model.principals import BearerToken, Password
from privet.model.requests import ScanRequest
from privet.model.strict_json import read_json
from privet.service import Caller, Services, read_authorization
from privet.service.scans import GovernedStream

_DOOR = "flight"
_UNKNOWN = -1
_log = structlog.get_logger("privet.flight")


class FlightDoor(fl.FlightServerBase):
    """Serves until `shutdown`. `port` is the one it got."""

    def __init__(
        self, services: Services, *, host: str, port: int, certificate: Path, key: Path
    ) -> None:
        super().__init__(
            f"grpc+tls://{host}:{port}",
            auth_handler=_NoHandshake(),
            tls_certificates=[(certificate.read_bytes(), key.read_bytes())],
            middleware={"caller": _Callers(services)},
        )
        self._services = services

    def list_flights(self, context: Any, criteria: bytes) -> Iterator[fl.FlightInfo]:
        """The datasets that the caller sees something of."""
        with _told():
            if criteria:
                raise InvalidRequest("criteria are not supported", hint="send none")
            views = self._services.datasets.list(_caller(context))
        for view in views:
            descriptor = fl.FlightDescriptor.for_path(*view.dataset.name)
            columns = [pa.field(c.column.name, c.column.type) for c in view.decision.visible]
            yield fl.FlightInfo(pa.schema(columns), descriptor, [], _UNKNOWN, _UNKNOWN)

    def get_flight_info(self, context: Any, descriptor: fl.FlightDescriptor) -> fl.FlightInfo:
        """Decide about a scan and give a ticket for it."""
        with _told():
            planned = self._services.scans.plan(_caller(context), _request(descriptor))
            endpoint = fl.FlightEndpoint(fl.Ticket(planned.ticket), [])
            return fl.FlightInfo(planned.schema, descriptor, [endpoint], _UNKNOWN, _UNKNOWN)

    def do_get(self, context: Any, ticket: fl.Ticket) -> fl.FlightDataStream:
        """Redeem a ticket: decide again, then read."""
        with _told():
            stream = self._services.scans.redeem(_caller(context), ticket.ticket)
            return fl.GeneratorStream(stream.schema, _batches(stream, stream.begin(), context))

    def do_action(self, context: Any, action: fl.Action) -> Iterator[bytes]:
        """`privet.call`: one of a few use cases, JSON in and out."""
        with _told():
            if action.type != CALL:
                raise InvalidRequest(
                    f"`{action.type[:64]!a}` is no action of this server", hint=f"use `{CALL}`"
                )
            body = action.body.to_pybytes() if action.body is not None else b"{}"
            answer = call(self._services, _caller(context), body)
        yield json.dumps({"result": answer}).encode()

    def list_actions(self, context: Any) -> list[tuple[str, str]]:  # noqa: ARG002 - the interface
        """What `do_action` knows."""
        return [(CALL, "whoami, databases, datasets, explain, sql; JSON in and out")]

    def do_put(self, context: Any, descriptor: Any, reader: Any, writer: Any) -> None:  # noqa: ARG002
        """Refused: nothing is written here."""
        with _told():
            raise InvalidRequest("this server only reads", hint="data is registered by crawling")

    def do_exchange(self, context: Any, descriptor: Any, reader: Any, writer: Any) -> None:  # noqa: ARG002
        """Refused: nothing is written here."""
        with _told():
            raise InvalidRequest("this server only reads", hint="use DoGet")


def _batches(
    stream: GovernedStream, batches: Iterator[pa.RecordBatch], context: Any
) -> Generator[pa.RecordBatch]:
    """Batches until the end, or until the client is gone; how it ended is recorded either way."""
    try:
        with _told():
            for batch in batches:
                if context.is_cancelled():
                    return
                yield batch
    finally:
        stream.close()


def _request(descriptor: fl.FlightDescriptor) -> ScanRequest:
    if descriptor.descriptor_type == fl.DescriptorType.PATH:
        parts = [part.decode(errors="replace") for part in descriptor.path]
        if len(parts) != len(DatasetName._fields):
            raise InvalidRequest("a path is a database and a dataset")
        database, name = parts
        return ScanRequest(DatasetName(fold(database, "database name"), fold(name, "dataset name")))
    if descriptor.descriptor_type != fl.DescriptorType.CMD:
        raise InvalidRequest("a descriptor is a path or a command")
    body = read_json(descriptor.command)
    asked = body.get("scan") if isinstance(body, dict) and set(body) == {"scan"} else None
    if not isinstance(asked, dict) or not set(asked) <= {"dataset", "columns", "limit"}:
        raise InvalidRequest(
            "the command is not a scan", hint='send {"scan": {"dataset": "database.name"}}'
        )
    columns, limit = asked.get("columns"), asked.get("limit")
    texts = columns is None or (
        isinstance(columns, list) and all(isinstance(c, str) for c in columns)
    )
    if (
        not isinstance(asked.get("dataset"), str)
        or not texts
        or type(limit) not in (int, type(None))
    ):
        raise InvalidRequest("a dataset name, a list of column names and a number are expected")
    chosen = None if columns is None else tuple(fold(c, "column name") for c in columns)
    return ScanRequest(DatasetName.parse(asked["dataset"]), chosen, limit)


@contextmanager
def _told() -> Generator[None]:
    """Errors as Flight has them, with ours as JSON beside the text."""
    try:
        yield
    except PrivetError as error:
        extra = json.dumps(
            {
                "code": error.code,
                "message": error.message,
                "hint": error.hint,
                "audit_id": error.audit_id,
                "position": None if error.position is None else error.position._asdict(),
            }
        ).encode()
        kind: Any = _KINDS.get(error.status, fl.FlightServerError)
        raise kind(str(error), extra) from None
    except fl.FlightError:
        raise
    except Exception as error:  # noqa: BLE001 - the door: nothing unexpected may pass it
        _log.error("unexpected error", kind=type(error).__name__, exc_info=error)
        raise fl.FlightInternalError("something went wrong here") from None


_KINDS: dict[int, Any] = {
    401: fl.FlightUnauthenticatedError,
    403: fl.FlightUnauthorizedError,
    503: fl.FlightUnavailableError,
}


class _NoHandshake(fl.ServerAuthHandler):
    """Needed beside the middleware, or the library refuses the basic handshake."""

    def authenticate(self, outgoing: Any, incoming: Any) -> None:
        """Nothing to exchange."""

    def is_valid(self, token: bytes) -> bytes:  # noqa: ARG002 - the interface
        """Every call carries its credentials itself."""
        return b""


class _Callers(fl.ServerMiddlewareFactory):
    """Credentials of a call, from its headers."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def start_call(self, info: Any, headers: dict[str, list[str]]) -> fl.ServerMiddleware:
        """Bearer tokens as they are; a name and password are exchanged for one."""
        with _told():
            if info.method == fl.FlightMethod.GET_SCHEMA:
                # The library sends what a handler of this method raises with its traceback.
                raise InvalidRequest("GetSchema is not served", hint="GetFlightInfo has the schema")
            given = [v for k, vs in headers.items() if k.lower() == "authorization" for v in vs]
            credentials = read_authorization(given)
            if isinstance(credentials, Password):
                asked = Caller(None, _DOOR), credentials.user, credentials.password
                token = self._services.sessions.login(*asked).token
                return _Call(Caller(BearerToken(token), _DOOR), token)
            return _Call(Caller(credentials, _DOOR))


class _Call(fl.ServerMiddleware):
    def __init__(self, caller: Caller, token: str = "") -> None:
        self.caller = caller
        self._token = token

    def sending_headers(self) -> dict[str, str]:
        """The token that a name and password were exchanged for."""
        return {"authorization": f"Bearer {self._token}"} if self._token else {}


def _caller(context: Any) -> Caller:
    return context.get_middleware("caller").caller
