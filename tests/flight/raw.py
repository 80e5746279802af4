"""Flight SQL by hand: its messages over pyarrow's client, and bytes over gRPC."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import grpc
import pyarrow as pa
import pyarrow.flight as fl
import pytest
from google.protobuf.any_pb2 import Any as Packed
from google.protobuf.message import Message

from doors.servers import TrialServer, bearer
from privet.flight import flight_sql_pb2 as pb
from privet.flight.messages import pack

STACK = ("Traceback", ".py", 'File "', "object at 0x", "<class")
"""What no error may hold."""


@contextmanager
def refused(*codes: str, text: str = "") -> Iterator[dict[str, Any]]:
    """The body is refused with one of these codes; filled with what was said."""
    said: dict[str, Any] = {}
    with pytest.raises((fl.FlightError, pa.ArrowException)) as error:
        yield said
    shown = str(error.value).partition("gRPC client debug context")[0]
    for word in STACK:
        assert word not in shown, shown
    said |= json.loads(error.value.extra_info or b"{}")
    assert said.get("code") in codes, (said, shown)
    assert text in said["message"], said


class Speaker:
    """Speaks Flight SQL as one user; without a token as nobody."""

    def __init__(self, server: TrialServer, client: fl.FlightClient, token: str | None) -> None:
        self.server = server
        self.client = client
        self.options = bearer(token)

    def info(self, command: Message | bytes) -> fl.FlightInfo:
        """GetFlightInfo; nothing in it counts anything."""
        sent = command if isinstance(command, bytes) else pack(command)
        info = self.client.get_flight_info(fl.FlightDescriptor.for_command(sent), self.options)
        assert (info.total_records, info.total_bytes, len(info.endpoints)) == (-1, -1, 1)
        return info

    def get(self, ticket: Message | bytes | fl.Ticket) -> pa.Table:
        """DoGet, whole."""
        if not isinstance(ticket, fl.Ticket):
            ticket = fl.Ticket(ticket if isinstance(ticket, bytes) else pack(ticket))
        return self.client.do_get(ticket, self.options).read_all()

    def ask(self, command: Message | bytes | str) -> pa.Table:
        """Both, one after the other; text is a statement."""
        if isinstance(command, str):
            command = pb.CommandStatementQuery(query=command)
        info = self.info(command)
        table = self.get(info.endpoints[0].ticket)
        assert table.schema.equals(info.schema)
        return table

    def act(self, action: str, body: Message | bytes) -> list[bytes]:
        """DoAction; a message is packed."""
        sent = body if isinstance(body, bytes) else pack(body)
        results = self.client.do_action(fl.Action(action, sent), self.options)
        return [result.body.to_pybytes() for result in results]

    def prepare(self, text: str) -> pb.ActionCreatePreparedStatementResult:
        """CreatePreparedStatement."""
        asked = pb.ActionCreatePreparedStatementRequest(query=text)
        (answer,) = self.act("CreatePreparedStatement", asked)
        result = pb.ActionCreatePreparedStatementResult()
        assert Packed.FromString(answer).Unpack(result)
        return result

    def bind(self, handle: bytes, *batches: pa.RecordBatch) -> bytes:
        """DoPut of values; the new handle."""
        answer = self.put(
            pb.CommandPreparedStatementQuery(prepared_statement_handle=handle), *batches
        )
        return pb.DoPutPreparedStatementResult.FromString(answer).prepared_statement_handle

    def put(self, command: Message | bytes, *batches: pa.RecordBatch) -> bytes:
        """DoPut; what came back."""
        sent = command if isinstance(command, bytes) else pack(command)
        descriptor = fl.FlightDescriptor.for_command(sent)
        writer, reader = self.client.do_put(descriptor, batches[0].schema, self.options)
        with writer:
            for batch in batches:
                writer.write_batch(batch)
            writer.done_writing()
            return reader.read().to_pybytes()

    def run(self, handle: bytes) -> pa.Table:
        """Execute a prepared statement."""
        return self.ask(pb.CommandPreparedStatementQuery(prepared_statement_handle=handle))


def numbered(*given: Any) -> pa.RecordBatch:
    """A row of parameters, counted as the driver of ADBC does."""
    return pa.record_batch({str(number): [value] for number, value in enumerate(given)})


@contextmanager
def speaker(server: TrialServer, token: str | None) -> Iterator[Speaker]:
    """Somebody who speaks Flight SQL."""
    with server.flight() as client:
        yield Speaker(server, client, token)


class Wire:
    """Bytes in, bytes or a status out: what pyarrow's client would not send."""

    def __init__(self, server: TrialServer, token: str, timeout: float = 20) -> None:
        trusted = grpc.ssl_channel_credentials(server.ca.read_bytes())
        self._channel = grpc.secure_channel(server.flight_url.rpartition("://")[2], trusted)
        self._metadata = [("authorization", f"Bearer {token}")]
        self._timeout = timeout

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()

    def send(self, method: str, *messages: bytes) -> list[bytes] | grpc.RpcError:
        """Call a method with these messages; what came, or how it ended."""
        path = f"/arrow.flight.protocol.FlightService/{method}"
        call = self._channel.stream_stream(path)
        try:
            return list(call(iter(messages), metadata=self._metadata, timeout=self._timeout))
        except grpc.RpcError as error:
            return error


def varint(number: int) -> bytes:
    """A number as protobuf writes it."""
    low, rest = number & 127, number >> 7
    return bytes([low | 128]) + varint(rest) if rest else bytes([low])


def field(number: int, content: bytes) -> bytes:
    """A field of bytes as protobuf writes it."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def described(command: bytes) -> bytes:
    """A FlightDescriptor with a command."""
    return b"\x08\x02" + field(2, command)
