"""Statements over Flight SQL: planned, prepared, bound. The service runs them and holds nothing.

Whatever a client keeps between calls is sealed and says only what was asked and by whom.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from privet.flight import flight_sql_pb2 as pb
from privet.flight.callers import Call
from privet.flight.messages import pack, unpack_body
from privet.flight.values import numbered, only_row
from privet.model.requests import Parameters, QueryRequest
from privet.service import Services

Asked = QueryRequest | pb.CommandStatementQuery | pb.CommandPreparedStatementQuery


class Statements:
    """The calls about statements, but for reading what they answer."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def plan(self, call: Call, command: Asked) -> tuple[pa.Schema, bytes]:
        """What a statement would answer, and the ticket for it.

        Raises:
            InvalidRequest, NotFound: what is wrong with the statement.
            TicketInvalid: the handle of a prepared one does not hold for this caller.
        """
        match command:
            case QueryRequest():
                request = command
            case pb.CommandPreparedStatementQuery():
                handle = command.prepared_statement_handle
                request = self._services.queries.prepared(call.caller, handle)
            case _:
                request = QueryRequest(command.query)
        planned = self._services.queries.plan(call.caller, request, call.gone)
        return planned.schema, pack(pb.TicketStatementQuery(statement_handle=planned.ticket))

    def prepare(self, call: Call, body: bytes) -> bytes:
        """CreatePreparedStatement: a handle, the schema of the answer, names of parameters.

        Raises:
            As `plan`.
        """
        asked = unpack_body(pb.ActionCreatePreparedStatementRequest, body)
        prepared = self._services.queries.prepare(call.caller, QueryRequest(asked.query), call.gone)
        # What a parameter is compared with does not say its type: any that fits may be sent.
        parameters = pa.schema([(name, pa.null()) for name in prepared.parameters])
        return pack(
            pb.ActionCreatePreparedStatementResult(
                prepared_statement_handle=prepared.handle,
                dataset_schema=prepared.schema.serialize().to_pybytes(),
                parameter_schema=parameters.serialize().to_pybytes(),
                is_update=False,
            )
        )

    def bind(self, call: Call, command: pb.CommandPreparedStatementQuery, reader: Any) -> bytes:
        """The result of putting values: a new handle, which holds them.

        Raises:
            TicketInvalid: the old handle does not hold for this caller.
            InvalidRequest: more than one row of values, or damaged ones.
        """
        # Before anything that was sent is read: whose handle is it?
        self._services.queries.prepared(call.caller, command.prepared_statement_handle)
        row = only_row(chunk.data for chunk in reader)
        handle = self._services.queries.bind(
            call.caller,
            command.prepared_statement_handle,
            None if row is None else Parameters.of_batch(numbered(row)),
        )
        return pb.DoPutPreparedStatementResult(prepared_statement_handle=handle).SerializeToString()


def close(body: bytes) -> None:
    """ClosePreparedStatement: there is nothing to forget.

    Raises:
        InvalidRequest: the body is another message.
    """
    unpack_body(pb.ActionClosePreparedStatementRequest, body)
