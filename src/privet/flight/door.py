"""The Arrow Flight door: scans, and statements by the Flight SQL protocol."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.flight as fl

from privet.flight import flight_sql_pb2 as pb
from privet.flight.callers import Call, authentication, call_of
from privet.flight.calls import CALL, call
from privet.flight.errors import told
from privet.flight.messages import (
    no_transactions,
    only_reads,
    pack,
    parse,
    requested,
    tickets_in,
    unpack,
    unpack_body,
    within_bounds,
)
from privet.flight.metadata import Metadata
from privet.flight.statements import Statements, close
from privet.flight.streams import Streams
from privet.model.errors import InvalidRequest
from privet.model.requests import QueryRequest, ScanRequest
from privet.service import Services

_UNKNOWN = -1


class FlightDoor(fl.FlightServerBase):
    """Serves until `shutdown`. `port` is the one it got."""

    def __init__(
        self, services: Services, *, host: str, port: int, certificate: Path, key: Path
    ) -> None:
        super().__init__(
            f"grpc+tls://{host}:{port}",
            tls_certificates=[(certificate.read_bytes(), key.read_bytes())],
            **authentication(services),
        )
        self._services = services
        self._metadata = Metadata(services)
        self._statements = Statements(services)
        self._streams = Streams(services)
        self._actions: dict[str, tuple[str, Callable[[Call, bytes], bytes]]] = {
            CALL: ("whoami, databases, datasets, explain, sql; JSON in and out", self._call),
            "CreatePreparedStatement": ("Flight SQL", self._statements.prepare),
            "ClosePreparedStatement": ("Flight SQL; handles end by themselves", _close),
            "CancelFlightInfo": ("ends what reads a ticket", self._cancel_flight_info),
            "CancelQuery": ("the older CancelFlightInfo", self._cancel_query),
            "CloseSession": ("there are no sessions: always closed", _close_session),
        }

    def list_flights(self, context: Any, criteria: bytes) -> Iterator[fl.FlightInfo]:
        """The datasets that the caller sees something of."""
        with told():
            if criteria:
                raise InvalidRequest("criteria are not supported", hint="send none")
            views = self._services.datasets.list(call_of(context).caller)
        for view in views:
            if not view.decision.allowed:
                # Known for a right on it; there is nothing to read.
                continue
            descriptor = fl.FlightDescriptor.for_path(*view.dataset.name)
            yield fl.FlightInfo(view.schema, descriptor, [], _UNKNOWN, _UNKNOWN)

    def get_flight_info(self, context: Any, descriptor: fl.FlightDescriptor) -> fl.FlightInfo:
        """Decide about a scan or statement and give a ticket for it."""
        with told():
            asked, call = requested(descriptor), call_of(context)
            match asked:
                case ScanRequest():
                    planned = self._services.scans.plan(call.caller, asked)
                    schema, ticket = planned.schema, planned.ticket
                case (
                    QueryRequest() | pb.CommandStatementQuery() | pb.CommandPreparedStatementQuery()
                ):
                    schema, ticket = self._statements.plan(call, asked)
                case pb.TicketStatementQuery():
                    raise InvalidRequest("a ticket is no command", hint="use DoGet")
                case _:
                    schema, ticket = self._metadata.schema(call.caller, asked), pack(asked)
            endpoint = fl.FlightEndpoint(fl.Ticket(ticket), [])
            return fl.FlightInfo(schema, descriptor, [endpoint], _UNKNOWN, _UNKNOWN)

    def do_get(self, context: Any, ticket: fl.Ticket) -> fl.FlightDataStream:
        """Redeem a ticket: decide again, then read."""
        with told():
            sealed, call = within_bounds(ticket.ticket), call_of(context)
            match message := unpack(sealed):
                case None:
                    scans = self._services.scans
                    return self._streams.open(
                        call, sealed, lambda _: scans.redeem(call.caller, sealed)
                    )
                case pb.TicketStatementQuery():
                    queries, handle = self._services.queries, message.statement_handle
                    return self._streams.open(
                        call, sealed, lambda gone: queries.redeem(call.caller, handle, gone)
                    )
                case pb.CommandStatementQuery() | pb.CommandPreparedStatementQuery():
                    raise InvalidRequest("a command is no ticket", hint="use GetFlightInfo")
                case _:
                    return fl.RecordBatchStream(self._metadata.table(call.caller, message))

    def do_action(self, context: Any, action: fl.Action) -> Iterator[bytes]:
        """`privet.call`: one of a few use cases, JSON in and out; and actions of Flight SQL."""
        with told():
            if action.type not in self._actions:
                raise _refused(action.type)
            _, act = self._actions[action.type]
            body = b"" if action.body is None else within_bounds(action.body).to_pybytes()
            answer = act(call_of(context), body)
        yield answer

    def list_actions(self, context: Any) -> list[tuple[str, str]]:  # noqa: ARG002 - the interface
        """What `do_action` knows."""
        return [(name, about) for name, (about, _) in self._actions.items()]

    def do_put(self, context: Any, descriptor: Any, reader: Any, writer: Any) -> None:
        """Values of a prepared statement; nothing else is taken."""
        with told():
            message = (
                unpack(descriptor.command)
                if descriptor.descriptor_type == fl.DescriptorType.CMD
                else None
            )
            if not isinstance(message, pb.CommandPreparedStatementQuery):
                raise only_reads()
            writer.write(self._statements.bind(call_of(context), message, reader))

    def do_exchange(self, context: Any, descriptor: Any, reader: Any, writer: Any) -> None:  # noqa: ARG002
        """Refused: nothing is written here."""
        with told():
            raise InvalidRequest("this server only reads", hint="use DoGet")

    def _call(self, asks: Call, body: bytes) -> bytes:
        answer = call(self._services, asks.caller, body or b"{}")
        return json.dumps({"result": answer}).encode()

    def _cancel_flight_info(self, asks: Call, body: bytes) -> bytes:
        info = parse(pb.CancelFlightInfoRequest, body).info
        ended = self._streams.call_off(asks.caller, tickets_in(info))
        status = pb.CANCEL_STATUS_CANCELLED if ended else pb.CANCEL_STATUS_CANCELLING
        return pb.CancelFlightInfoResult(status=status).SerializeToString()

    def _cancel_query(self, asks: Call, body: bytes) -> bytes:
        info = unpack_body(pb.ActionCancelQueryRequest, body).info
        ended = self._streams.call_off(asks.caller, tickets_in(info))
        kinds = pb.ActionCancelQueryResult
        result = kinds.CANCEL_RESULT_CANCELLED if ended else kinds.CANCEL_RESULT_CANCELLING
        return pack(pb.ActionCancelQueryResult(result=result))


def _close(_: Call, body: bytes) -> bytes:
    close(body)
    return b""


def _close_session(_: Call, __: bytes) -> bytes:
    return pb.CloseSessionResult(status=pb.CloseSessionResult.CLOSED).SerializeToString()


def _refused(action: str) -> InvalidRequest:
    if action in {"BeginTransaction", "EndTransaction", "BeginSavepoint", "EndSavepoint"}:
        return no_transactions()
    if action in {"SetSessionOptions", "GetSessionOptions"}:
        return InvalidRequest(
            "session options are not supported", hint="every call stands for itself"
        )
    if action == "CreatePreparedSubstraitPlan":
        return InvalidRequest("Substrait plans are not supported", hint="send SQL")
    return InvalidRequest(f"`{action[:64]!a}` is no action of this server", hint=f"use `{CALL}`")
