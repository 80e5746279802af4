"""What this server does not do, refused in words: never a stack, never a crash."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import pyarrow as pa
import pytest

from doors.servers import TrialServer
from flight.raw import STACK, Speaker, Wire, described, field, numbered, refused, speaker
from privet.flight import flight_sql_pb2 as pb
from privet.flight.messages import pack

pytestmark = pytest.mark.service


@pytest.fixture(scope="module")
def token(server: TrialServer) -> str:
    """Of somebody who may read nothing: that is enough to be refused."""
    return server.token("refused_reader")


@pytest.fixture
def reader(server: TrialServer, token: str) -> Iterator[Speaker]:
    """That somebody."""
    with speaker(server, token) as speaks:
        yield speaks


ANY = "type.googleapis.com/arrow.flight.protocol.sql."
COMMANDS: dict[str, tuple[bytes, str]] = {
    "substrait": (field(1, f"{ANY}CommandStatementSubstraitPlan".encode()), "Substrait"),
    "update": (field(1, f"{ANY}CommandStatementUpdate".encode()), "only reads"),
    "ingest": (field(1, f"{ANY}CommandStatementIngest".encode()), "only reads"),
    "unknown": (field(1, f"{ANY}CommandDropEverything".encode()), "no command"),
    "another package": (field(1, b"type.googleapis.com/google.protobuf.Empty"), "no command"),
    "damaged": (field(1, f"{ANY}CommandStatementQuery".encode()) + field(2, b"\xff"), "this is no"),
    "transaction": (
        pack(pb.CommandStatementQuery(query="SELECT 1", transaction_id=b"t")),
        "transactions",
    ),
}


@pytest.mark.parametrize("what", COMMANDS)
def test_other_commands_are_refused(reader: Speaker, what: str) -> None:
    """Wherever a command can stand."""
    command, text = COMMANDS[what]
    with refused("invalid_request", text=text):
        reader.info(command)
    with refused("invalid_request", text=text):
        reader.get(command)
    with refused("invalid_request"):
        reader.put(command, numbered(1))


ACTIONS: dict[str, tuple[str, bytes, str]] = {
    "begin": ("BeginTransaction", b"", "transactions"),
    "end": ("EndTransaction", b"", "transactions"),
    "savepoint": ("BeginSavepoint", b"", "transactions"),
    "end savepoint": ("EndSavepoint", b"", "transactions"),
    "substrait": ("CreatePreparedSubstraitPlan", b"", "Substrait"),
    "set options": ("SetSessionOptions", b"\x0a\x00", "session options"),
    "get options": ("GetSessionOptions", b"", "session options"),
    "renew": ("RenewFlightEndpoint", b"", "no action"),
    "prepare nothing": ("CreatePreparedStatement", b"", "as its body"),
    "prepare garbage": ("CreatePreparedStatement", b"\xff\xff", "this is no"),
    "prepare another": (
        "CreatePreparedStatement",
        pack(pb.CommandStatementQuery(query="SELECT 1")),
        "as its body",
    ),
    "prepare in a transaction": (
        "CreatePreparedStatement",
        pack(pb.ActionCreatePreparedStatementRequest(query="SELECT 1", transaction_id=b"t")),
        "transactions",
    ),
    "close nothing": ("ClosePreparedStatement", b"", "as its body"),
    "cancel nothing": ("CancelFlightInfo", b"", "FlightInfo"),
    "cancel garbage": ("CancelFlightInfo", b"\xff\xff", "this is no"),
    "cancel what is none": ("CancelFlightInfo", field(1, b"garbage"), "FlightInfo"),
    "cancel query": ("CancelQuery", field(1, b"garbage"), "as its body"),
}


@pytest.mark.parametrize("what", ACTIONS)
def test_other_actions_are_refused(reader: Speaker, what: str) -> None:
    """Transactions, sessions, Substrait, and known ones with other bodies."""
    action, body, text = ACTIONS[what]
    with refused("invalid_request", text=text):
        reader.act(action, body)


def test_closing_a_session_is_nothing(reader: Speaker) -> None:
    """Drivers do it at their end; there are no sessions."""
    (answer,) = reader.act("CloseSession", b"")
    assert pb.CloseSessionResult.FromString(answer).status == pb.CloseSessionResult.CLOSED


def test_actions_are_listed(reader: Speaker) -> None:
    """What is served, and nothing that is refused."""
    assert {action.type for action in reader.client.list_actions(reader.options)} == {
        "privet.call",
        "CreatePreparedStatement",
        "ClosePreparedStatement",
        "CancelFlightInfo",
        "CancelQuery",
        "CloseSession",
    }


def test_only_values_are_put(reader: Speaker) -> None:
    """No statement, no path, no data."""
    for command in (
        pb.CommandStatementQuery(query="SELECT 1"),
        pb.CommandGetTables(),
        b"",
        b'{"scan": {"dataset": "a.b"}}',
    ):
        with refused("invalid_request", text="only reads"):
            reader.put(command, numbered(1))


def ipc_messages(batch: pa.RecordBatch) -> list[tuple[bytes, bytes]]:
    """Headers and bodies of a batch's stream: its schema, then its rows."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    messages = pa.ipc.MessageReader.open_stream(sink.getvalue())
    return [(m.metadata.to_pybytes(), m.body.to_pybytes() if m.body else b"") for m in messages]


def test_damaged_values_are_refused(server: TrialServer, reader: Speaker, token: str) -> None:
    """Offsets beyond the buffer, text that is none, what ends too soon: none is a crash."""
    handle = reader.prepare("SELECT ? AS x").prepared_statement_handle
    descriptor = described(pack(pb.CommandPreparedStatementQuery(prepared_statement_handle=handle)))
    (head, _), (row, body) = ipc_messages(pa.record_batch({"1": ["hello world hello"]}))
    first = field(1, descriptor) + field(2, head)
    beyond = body.replace((17).to_bytes(4, "little"), (1 << 30).to_bytes(4, "little"), 1)
    assert beyond != body
    attempts: dict[str, list[bytes]] = {
        "offsets": [first, field(2, row) + field(1000, beyond)],
        "text": [
            first,
            field(2, row) + field(1000, body.replace(b"hello", b"\xff\xfe\xfd\xfc\xfb")),
        ],
        "short": [first, field(2, row) + field(1000, body[:10])],
        "no body": [first, field(2, row)],
        "schema twice": [first, first],
        "header": [field(1, descriptor) + field(2, b"\xff" * 50)],
        "not protobuf": [b"\xff\xff\xff"],
        "nothing": [],
        "no descriptor": [b""],
    }
    with Wire(server, token) as wire:
        for what, sent in attempts.items():
            ended = wire.send("DoPut", *sent)
            assert isinstance(ended, grpc.RpcError), what
            assert not [word for word in STACK if word in ended.details()], ended.details()
        good = wire.send("DoPut", first, field(2, row) + field(1000, body))
        assert isinstance(good, list)
    assert reader.ask("SELECT 1 AS x").to_pydict() == {"x": [1]}


@pytest.mark.parametrize("method", ["PollFlightInfo", "GetSchema", "GetFlightInfo", "DoExchange"])
def test_what_is_not_served_shows_no_stack(server: TrialServer, token: str, method: str) -> None:
    """Methods of Flight that are not Flight SQL's here, and garbage in those that are."""
    command = described(pack(pb.CommandStatementQuery(query="SELEC 1")))
    with Wire(server, token) as wire:
        for sent in (command, described(b"\xff\xff"), b"\xff\xff", b""):
            ended = wire.send(method, sent)
            assert isinstance(ended, grpc.RpcError)
            assert ended.code() is not grpc.StatusCode.OK
            assert not [word for word in STACK if word in ended.details()], ended.details()


def test_the_log_holds_nothing_unexpected(server: TrialServer, reader: Speaker) -> None:
    """After anything above, in any order; the server answers on."""
    assert reader.ask("SELECT 1 AS x").to_pydict() == {"x": [1]}
    assert "unexpected error" not in server.log.read_text()
