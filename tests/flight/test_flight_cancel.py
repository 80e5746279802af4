"""Statements end when nobody waits for them any more: a client left, or called them off."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import adbc_driver_flightsql.dbapi as adbc
import grpc
import pyarrow as pa
import pyarrow.flight as fl
import pytest
from adbc_driver_flightsql import DatabaseOptions
from adbc_driver_manager import dbapi
from google.protobuf.any_pb2 import Any as Packed

from doors.servers import TrialServer
from doors.steward import Reader, Steward
from flight.raw import Speaker, Wire, described, field, refused, speaker
from privet.flight import flight_sql_pb2 as pb
from privet.flight.messages import pack

pytestmark = pytest.mark.service
ENDLESS = "SELECT count(*) FROM range(10000000000000) AS a(x) WHERE sqrt(x) < 0"
"""Gives nothing for hours."""
FLOOD = "SELECT x, 'some text to fill the pipe' AS y FROM range(10000000000) AS a(x)"
"""Gives rows without end."""


@pytest.fixture
def asker(steward: Steward) -> Reader:
    """Somebody of whom nothing else is on record."""
    return steward.reader()


@pytest.fixture
def reader(server: TrialServer, asker: Reader) -> Iterator[Speaker]:
    """That somebody."""
    with speaker(server, asker.token) as speaks:
        yield speaks


def ends(server: TrialServer, user: str, within: float = 5.0) -> list[str]:
    """How this user's statements ended, once one has."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        events = server.events(user=user)
        ended = [event for event in events if event["action"] == "query.end"]
        if ended:
            return [event["outcome"] for event in ended]
        time.sleep(0.05)
    raise AssertionError([(e["action"], e["outcome"]) for e in server.events(user=user)])


def began(server: TrialServer, user: str, action: str) -> None:
    """Wait until this is on record."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if any(event["action"] == action for event in server.events(user=user)):
            return
        time.sleep(0.05)
    raise AssertionError(server.events(user=user))


def ticket_for(speaks: Speaker, text: str) -> fl.Ticket:
    """A ticket."""
    return speaks.info(pb.CommandStatementQuery(query=text)).endpoints[0].ticket


@pytest.mark.parametrize("text", [ENDLESS, FLOOD], ids=["computing", "streaming"])
def test_a_client_that_vanishes(
    server: TrialServer, reader: Speaker, asker: Reader, text: str
) -> None:
    """Its statement ends on the server, and that is on record."""
    ticket = ticket_for(reader, text).ticket
    channel = grpc.secure_channel(
        server.flight_url.rpartition("://")[2], grpc.ssl_channel_credentials(server.ca.read_bytes())
    )
    call = channel.unary_stream("/arrow.flight.protocol.FlightService/DoGet")(
        field(1, ticket), metadata=[("authorization", f"Bearer {asker.token}")]
    )

    def leave() -> None:
        began(server, asker.user, "query.start")
        time.sleep(0.3)
        channel.close()

    leaving = threading.Thread(target=leave)
    leaving.start()
    with pytest.raises((grpc.RpcError, ValueError)):
        for _ in call:
            pass
    leaving.join()
    assert ends(server, asker.user) == ["cancelled"]


def test_a_deadline_of_the_client(server: TrialServer, reader: Speaker, asker: Reader) -> None:
    """Counts like leaving."""
    ticket = ticket_for(reader, ENDLESS)
    options = fl.FlightCallOptions(
        headers=[(b"authorization", f"Bearer {asker.token}".encode())], timeout=1
    )
    with pytest.raises(fl.FlightTimedOutError):
        reader.client.do_get(ticket, options).read_all()
    assert ends(server, asker.user) == ["cancelled"]


SLOW_TO_PLAN = "SELECT count(*) FROM (" + "SELECT *, * FROM (" * 18 + "SELECT 1" + ")" * 19
"""Binding it, which describing needs, doubles its columns again and again."""


@pytest.mark.parametrize("what", ["plan", "prepare"])
def test_leaving_while_it_is_planned(server: TrialServer, asker: Reader, what: str) -> None:
    """The sandbox is ended, whatever it does."""
    asked = pb.ActionCreatePreparedStatementRequest(query=SLOW_TO_PLAN)
    method, sent = {
        "plan": (
            "GetFlightInfo",
            described(pack(pb.CommandStatementQuery(query=SLOW_TO_PLAN))),
        ),
        "prepare": (
            "DoAction",
            field(1, b"CreatePreparedStatement") + field(2, pack(asked)),
        ),
    }[what]
    with Wire(server, asker.token, timeout=0.7) as wire:
        ended = wire.send(method, sent)
    assert isinstance(ended, grpc.RpcError)
    assert ended.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert ends(server, asker.user) == ["cancelled"]


def by_flight_info(speaks: Speaker, info: fl.FlightInfo) -> int:
    """CancelFlightInfo."""
    request = pb.CancelFlightInfoRequest(info=info.serialize()).SerializeToString()
    (answer,) = speaks.act("CancelFlightInfo", request)
    return pb.CancelFlightInfoResult.FromString(answer).status


def by_query(speaks: Speaker, info: fl.FlightInfo) -> int:
    """CancelQuery, its predecessor."""
    (answer,) = speaks.act("CancelQuery", pb.ActionCancelQueryRequest(info=info.serialize()))
    result = pb.ActionCancelQueryResult()
    assert Packed.FromString(answer).Unpack(result)
    return result.result


Cancel = Callable[[Speaker, fl.FlightInfo], int]


@pytest.mark.parametrize("cancel", [by_flight_info, by_query])
@pytest.mark.parametrize("text", [ENDLESS, FLOOD], ids=["computing", "streaming"])
def test_calling_off(
    server: TrialServer, reader: Speaker, asker: Reader, cancel: Cancel, text: str
) -> None:
    """By the user whose statement it is, with any token of theirs; who reads it hears of it."""
    info = reader.info(pb.CommandStatementQuery(query=text))
    told: list[BaseException] = []

    def read() -> None:
        try:
            stream = reader.client.do_get(info.endpoints[0].ticket, reader.options)
            while True:
                stream.read_chunk()
        except (fl.FlightError, pa.ArrowException, StopIteration) as error:
            told.append(error)

    reading = threading.Thread(target=read)
    reading.start()
    began(server, asker.user, "query.start")
    time.sleep(0.3)
    with speaker(server, server.token(asker.user)) as elsewhere:
        assert cancel(elsewhere, info) == pb.CANCEL_STATUS_CANCELLED
        reading.join(10)
        assert not reading.is_alive()
        with refused("not_found"):
            cancel(elsewhere, info)
    (error,) = told
    assert isinstance(error, fl.FlightCancelledError), error
    assert ends(server, asker.user) == ["cancelled"]


def test_calling_off_what_is_not_ones_own(
    server: TrialServer, reader: Speaker, asker: Reader, steward: Steward
) -> None:
    """Reads like calling off nothing, also for the administrator, and ends nothing."""
    info = reader.info(pb.CommandStatementQuery(query=FLOOD))
    stream = reader.client.do_get(info.endpoints[0].ticket, reader.options)
    stream.read_chunk()
    said: list[str] = []
    for token in (steward.reader().token, server.admin_token):
        with speaker(server, token) as stranger:
            other = stranger.info(pb.CommandStatementQuery(query="SELECT 1"))
            for cancel in (by_flight_info, by_query):
                for wanted in (info, other):
                    with refused("not_found") as told:
                        cancel(stranger, wanted)
                    said.append(told["message"])
    assert set(said) == {"no such statement is running"}
    with speaker(server, None) as nobody, refused("unauthenticated"):
        by_flight_info(nobody, info)
    assert stream.read_chunk().data.num_rows > 0
    stream.cancel()
    assert ends(server, asker.user) == ["cancelled"]


def test_a_scan_is_called_off_as_well(server: TrialServer, steward: Steward) -> None:
    """Its ticket is in a FlightInfo like any other; what has ended is not running."""
    dataset = steward.dataset(pa.table({"id": [1]}))
    viewer = steward.reader(f"GRANT SELECT ON TABLE {dataset}")
    with speaker(server, viewer.token) as speaks:
        descriptor = fl.FlightDescriptor.for_path(*dataset.split("."))
        info = speaks.client.get_flight_info(descriptor, speaks.options)
        assert speaks.get(info.endpoints[0].ticket).num_rows == 1
        with refused("not_found"):
            by_flight_info(speaks, info)


@pytest.fixture
def connection(server: TrialServer, asker: Reader) -> Iterator[dbapi.Connection]:
    """The driver of ADBC."""
    options = {
        DatabaseOptions.TLS_ROOT_CERTS.value: server.ca.read_text(),
        DatabaseOptions.AUTHORIZATION_HEADER.value: f"Bearer {asker.token}",
    }
    with adbc.connect(server.flight_url, db_kwargs=options, autocommit=True) as opened:
        yield opened


@pytest.mark.parametrize(
    ("text", "action"),
    [(SLOW_TO_PLAN, "query.plan"), (ENDLESS, "query.start")],
    ids=["planning", "computing"],
)
def test_the_driver_cancels(
    server: TrialServer, connection: dbapi.Connection, asker: Reader, text: str, action: str
) -> None:
    """From another thread, while a call waits; the cursor is good afterwards."""
    with connection.cursor() as cursor:

        def cancel() -> None:
            began(server, asker.user, action)
            time.sleep(0.3)
            cursor.adbc_cancel()

        timer = threading.Thread(target=cancel)
        timer.start()
        with pytest.raises((dbapi.Error, OSError), match="cancel"):
            cursor.execute(text).fetchall()
        timer.join()
        assert ends(server, asker.user) == ["cancelled"]
        cursor.execute("SELECT 1 AS a")
        assert cursor.fetchall() == [(1,)]


def test_the_driver_stops_reading(
    server: TrialServer, connection: dbapi.Connection, asker: Reader
) -> None:
    """By closing what it reads from."""
    with connection.cursor() as cursor:
        cursor.execute(FLOOD)
        batches = cursor.fetch_record_batch()
        assert batches.read_next_batch().num_rows > 0
        batches.close()
    assert ends(server, asker.user) == ["cancelled"]
