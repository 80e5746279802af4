"""Strangers, broken bytes, others' tickets and clients that stop: nobody is shown or kept more."""

from __future__ import annotations

import os
import random
import socket
import ssl
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pyarrow as pa
import pytest
from thriftpy2.thrift import TApplicationException

from doors.servers import TrialServer
from doors.steward import Steward
from doors.thrift_client import (
    SaslRefused,
    Wire,
    fetched,
    log_in,
    logged_in,
    message,
    opened,
    planned,
)
from privet.okera.idl import T

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("governed")]
NAME = "medical_charges.medical_costs"
START = struct.pack("!BI", 1, 10) + b"DIGEST-MD5"
HEAD = struct.pack("!HHi", 0x8001, 1, 5) + b"Fetch" + struct.pack("!i", 0)


def ended(wire: Wire, seconds: float = 5.0) -> bytes:
    """What comes until the server closes the connection, which it does."""
    wire.connection.settimeout(seconds)
    received = b""
    with suppress(ConnectionError, ssl.SSLError):
        while part := wire.connection.recv(4096):
            received += part
    return received


def alive(server: TrialServer) -> None:
    """The server goes on serving, and logged nothing unexpected."""
    with logged_in(server.okera, server.ca, server.admin_token) as wire:
        assert wire.call("GetProtocolVersion") == "1.0"
    assert "unexpected error" not in server.log.read_text()


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x00" * 100,
        b"\x01\xff\xff\xff\xff" + b"x" * 100,
        b"\x16\x03\x01\x00\x05hello",
        HEAD + b"\x0f\x00\x01\x63" + struct.pack("!i", 2**31 - 1),
        HEAD + b"\x0f\x00\x01\x0c" + struct.pack("!i", -1),
        HEAD + b"\x0f\x00\x01\x0f" * 1000,
        HEAD + b"\x0c\x00\x01" * 100_000,
        HEAD + b"\x0d\x00\x01\x08\x63" + struct.pack("!i", 2**31 - 1),
        HEAD + b"\x0b\x00\x01" + struct.pack("!i", -5),
        struct.pack("!HHi", 0x8001, 1, 2**31 - 1),
        struct.pack("!HHi", 0x8001, 1, 3) + b"\xff\xfe\xfd" + b"\0" * 5,
    ],
)
@pytest.mark.parametrize("secured", [True, False])
def test_bytes_that_are_no_request(server: TrialServer, sent: bytes, secured: bool) -> None:
    """The connection is closed, soon and without a word of Python."""
    with opened(server.okera, server.ca if secured else None) as wire:
        with suppress(ConnectionError):
            wire.send(sent)
        told = ended(wire)
    assert b"Traceback" not in told
    assert b"Error" not in told
    alive(server)


@pytest.mark.parametrize("seed", range(5))
def test_messages_with_bytes_changed(server: TrialServer, seed: int) -> None:
    """Whatever was changed in a request, it is answered or the connection is closed."""
    rng = random.Random(seed)
    plan = T.TPlanRequestParams(
        client_version="1.0", request_type=0, sql_stmt=f"SELECT * FROM {NAME}", max_tasks=3
    )
    for _ in range(40):
        data = bytearray(message("PlanRequest", params=plan))
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        del data[rng.randrange(len(data) // 2, len(data) + 1) :]
        with logged_in(server.okera, server.ca, server.admin_token) as wire:
            wire.send(struct.pack("!I", len(data)) + data)
            socket.socket.shutdown(wire.connection, socket.SHUT_WR)
            ended(wire, 20)
    alive(server)


@pytest.mark.parametrize(
    ("token", "other", "password"),
    [
        ("not.a.token", {}, "cerebro"),
        ("", {}, "cerebro"),
        ("id.secret", {}, "secret"),
        ("admin", {}, "cerebro"),
        (None, {}, "wrong"),
        (None, {"nonce": "0" * 32}, "cerebro"),
        (None, {"response": "0" * 32}, "cerebro"),
        (None, {"realm": "other"}, "cerebro"),
        (None, {"nc": "00000002"}, "cerebro"),
        ("é" * 20, {}, "cerebro"),
    ],
)
def test_who_cannot_prove_who_they_are(
    server: TrialServer, token: str | None, other: dict[str, str], password: str
) -> None:
    """Refused in the protocol's words, and the connection ends."""
    with opened(server.okera, server.ca) as wire:
        with pytest.raises(SaslRefused) as caught:
            log_in(wire, server.admin_token if token is None else token, password, **other)
        assert caught.value.args[0] == 4
        assert caught.value.args[1].startswith("Could not verify token")
        assert ended(wire) == b""


def test_a_token_that_ended_ends_what_it_began(server: TrialServer) -> None:
    """Each call is authenticated anew."""
    token = server.token("briefly", lifetime=2)
    with logged_in(server.okera, server.ca, token) as wire:
        assert wire.call("InitApplication", params=T.TInitApplicationParams("x")) is not None
        time.sleep(2.1)
        with pytest.raises(T.TRecordServiceException) as caught:
            planned(wire, "SELECT 1")
    assert caught.value.code == T.TErrorCode.AUTHENTICATION_ERROR


@pytest.mark.parametrize("mechanism", [b"PLAIN", b"GSSAPI", b"DIGEST-MD5" * 2, b""])
def test_other_mechanisms(server: TrialServer, mechanism: bytes) -> None:
    """Only the one is known."""
    with opened(server.okera, server.ca) as wire:
        wire.send(struct.pack("!BI", 1, len(mechanism)) + mechanism)
        assert wire.take(1) == b"\x03"
        assert b"DIGEST-MD5" in ended(wire)


def test_clear_text_is_told_to_use_tls(server: TrialServer) -> None:
    """Before a token is sent, and before anything that was sent is carried out."""
    with opened(server.okera) as wire:
        wire.send(START)
        assert wire.take(1) == b"\x04"
        assert b"TLS" in ended(wire)
    with opened(server.okera) as wire:
        wire.framed = False
        with pytest.raises(T.TRecordServiceException, match="TLS"):
            wire.call("InitApplication", params=T.TInitApplicationParams("x"))
        assert ended(wire) == b""


def test_tls_without_a_token(server: TrialServer) -> None:
    """Told so in answer to the first call, whatever user it names."""
    with opened(server.okera, server.ca) as wire:
        wire.framed = False
        with pytest.raises(T.TRecordServiceException) as caught:
            wire.call("GetDatabases", params=T.TGetDatabasesParams(requesting_user="admin"))
        assert caught.value.code == T.TErrorCode.AUTHENTICATION_ERROR
        assert "Client does not have authentication enabled" in caught.value.message
        assert ended(wire) == b""


@pytest.mark.parametrize("size", [17 * 2**20, 110 * 2**20])
def test_a_request_beyond_the_limit(server: TrialServer, size: int) -> None:
    """It is read to its end, not kept, and refused; the connection can be used further."""
    with logged_in(server.okera, server.ca, server.admin_token) as wire:
        with pytest.raises(T.TRecordServiceException, match="larger than the maximum allowed size"):
            planned(wire, "x" * size)
        assert wire.call("GetProtocolVersion") == "1.0"


def test_a_frame_beyond_any_size(server: TrialServer) -> None:
    """It is not even waited for."""
    with logged_in(server.okera, server.ca, server.admin_token) as wire:
        wire.send(struct.pack("!I", 2**32 - 1))
        assert ended(wire) == b""


def test_methods_that_are_not_there(server: TrialServer) -> None:
    """Unknown ones, and known ones that are not served, are errors of the protocol."""
    with logged_in(server.okera, server.ca, server.admin_token) as wire:
        data = message("GetProtocolVersion").replace(b"GetProtocolVersion", b"GetProtocolVersioX")
        wire.send(struct.pack("!I", len(data)) + data)
        with pytest.raises(TApplicationException, match="no such method"):
            wire.result("GetProtocolVersion")
        with pytest.raises(T.TRecordServiceException) as caught:
            wire.call("Eval", params=T.TEvalParams(sql="1"))
        assert caught.value.code == T.TErrorCode.UNSUPPORTED_REQUEST
        for name in ("PlanRequest", "ExecTask", "Fetch"):
            with pytest.raises(T.TRecordServiceException):
                wire.call(name)
        assert wire.call("GetProtocolVersion") == "1.0"


def test_nobody_asks_for_another_user(server: TrialServer, steward: Steward) -> None:
    """A request that names somebody else is refused and on record, also an administrator's."""
    reader = steward.reader(f"GRANT SELECT ON TABLE {NAME}")
    for token, user in ((reader.token, "admin"), (server.admin_token, reader.user)):
        with logged_in(server.okera, server.ca, token) as wire:
            plan = T.TPlanRequestParams(
                request_type=0, sql_stmt=f"SELECT * FROM {NAME}", requesting_user=user
            )
            with pytest.raises(T.TRecordServiceException, match="nobody asks for another user"):
                wire.call("PlanRequest", params=plan)
    refused = server.events(user=reader.user, action="session.delegate")
    assert [e["outcome"] for e in refused] == ["refused"]
    with logged_in(server.okera, server.ca, reader.token) as wire:
        plan = T.TPlanRequestParams(
            request_type=0, sql_stmt=f"SELECT * FROM {NAME}", requesting_user=reader.user
        )
        assert wire.call("PlanRequest", params=plan).tasks


def test_tasks_of_others_and_altered_ones(server: TrialServer, steward: Steward) -> None:
    """A task runs for whom it was planned, as it was planned, and decided anew."""
    first, second = (steward.reader(f"GRANT SELECT ON TABLE {NAME}") for _ in range(2))
    for sql in (f"SELECT * FROM {NAME}", f"SELECT count(*) AS n FROM {NAME}"):
        with logged_in(server.okera, server.ca, first.token) as wire:
            plan = planned(wire, sql)
        ticket = plan.tasks[0].task
        kind = b"q" if ticket[:1] == b"s" else b"s"
        for token, task in (
            (second.token, ticket),
            (server.admin_token, ticket),
            (first.token, ticket[:-1] + b"A"),
            (first.token, kind + ticket[1:]),
            (first.token, ticket[1:]),
            (first.token, b""),
            (first.token, os.urandom(200)),
        ):
            with logged_in(server.okera, server.ca, token) as wire:
                params = T.TExecTaskParams(task=task, record_format=T.TRecordFormat.ColumnarNumPy)
                with pytest.raises(T.TRecordServiceException) as caught:
                    wire.call("ExecTask", params=params)
                assert caught.value.code == T.TErrorCode.INVALID_TASK
        with logged_in(server.okera, server.ca, first.token) as wire:
            assert fetched(wire, plan).num_rows
    plan_again: Callable[[Wire], Any] = lambda wire: planned(wire, f"SELECT * FROM {NAME}")  # noqa: E731
    with logged_in(server.okera, server.ca, first.token) as wire:
        plan = plan_again(wire)
        steward.sql(f"REVOKE SELECT ON TABLE {NAME} FROM ROLE {first.role}")
        with pytest.raises(T.TRecordServiceException, match="does not exist"):
            fetched(wire, plan)


def test_handles_of_others(server: TrialServer) -> None:
    """A handle holds on its own connection only; elsewhere it reads like one that never was."""
    params = T.TExecTaskParams(record_format=T.TRecordFormat.ColumnarNumPy)
    with (
        logged_in(server.okera, server.ca, server.admin_token) as wire,
        logged_in(server.okera, server.ca, server.admin_token) as other,
    ):
        params.task = planned(wire, f"SELECT * FROM {NAME}").tasks[0].task
        handle = wire.call("ExecTask", params=params).handle
        said = set()
        for asked in (handle, T.TUniqueId(hi=1, lo=2)):
            with pytest.raises(T.TRecordServiceException) as caught:
                other.call("Fetch", params=T.TFetchParams(handle=asked))
            said.add((caught.value.code, caught.value.message, caught.value.detail))
        assert len(said) == 1
        assert wire.call("Fetch", params=T.TFetchParams(handle=handle)).num_records
        wire.call("CloseTask", handle=handle)
        wire.call("CloseTask", handle=handle)
        with pytest.raises(T.TRecordServiceException) as caught:
            wire.call("Fetch", params=T.TFetchParams(handle=handle))
        assert caught.value.code == T.TErrorCode.INVALID_HANDLE


def test_a_connection_runs_so_many_tasks(server: TrialServer) -> None:
    """One more is refused until one is closed."""
    with logged_in(server.okera, server.ca, server.admin_token) as wire:
        task = planned(wire, f"SELECT * FROM {NAME}").tasks[0].task
        params = T.TExecTaskParams(task=task, record_format=T.TRecordFormat.ColumnarNumPy)
        handles = [wire.call("ExecTask", params=params).handle for _ in range(16)]
        with pytest.raises(T.TRecordServiceException) as caught:
            wire.call("ExecTask", params=params)
        assert caught.value.code == T.TErrorCode.SERVICE_BUSY
        wire.call("CloseTask", handle=handles[0])
        assert wire.call("ExecTask", params=params).handle


def large(steward: Steward) -> str:
    """A dataset of some megabytes."""
    table = pa.table({"id": range(200_000), "word": ["x" * 100] * 200_000})
    return steward.dataset(table, suffix="parquet")


def test_who_leaves_amid_a_task_ends_it(server: TrialServer, steward: Steward) -> None:
    """Scans and queries end, on record, when their connection does."""
    dataset = large(steward)
    for sql, end in (
        (f"SELECT * FROM {dataset}", "scan.end"),
        (f"SELECT id, word FROM {dataset} WHERE id > 0 ORDER BY word", "query.end"),
    ):
        reader = steward.reader(f"GRANT SELECT ON TABLE {dataset}")
        with logged_in(server.okera, server.ca, reader.token) as wire:
            task = planned(wire, sql).tasks[0].task
            params = T.TExecTaskParams(task=task, record_format=T.TRecordFormat.ColumnarNumPy)
            handle = wire.call("ExecTask", params=params).handle
            got = wire.call("Fetch", params=T.TFetchParams(handle=handle))
            assert not got.done
            assert sum(len(c.data) for c in got.columnar_records.cols) < 2 * 2**20
        deadline = time.monotonic() + 10
        while not (events := server.events(user=reader.user, action=end)):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert [e["outcome"] for e in events] == ["cancelled"]


def test_who_stops_reading_holds_up_nobody(server: TrialServer, steward: Steward) -> None:
    """Answers that nobody takes wait for their reader alone."""
    dataset = large(steward)
    with logged_in(server.okera, server.ca, server.admin_token) as stalled:
        task = planned(stalled, f"SELECT * FROM {dataset}").tasks[0].task
        params = T.TExecTaskParams(task=task, record_format=T.TRecordFormat.ColumnarNumPy)
        handle = stalled.call("ExecTask", params=params).handle
        for _ in range(15):
            stalled.send_call("Fetch", params=T.TFetchParams(handle=handle))
        for _ in range(3):
            started = time.monotonic()
            alive(server)
            assert time.monotonic() - started < 15


def test_a_server_ends_with_clients_connected(
    fresh_server: Callable[..., TrialServer],
) -> None:
    """Idle ones, ones that never spoke, and one in the middle of TLS do not hold it up."""
    server = fresh_server("ending")
    host, _, port = server.okera.rpartition(":")
    with (
        logged_in(server.okera, server.ca, server.admin_token) as wire,
        socket.create_connection((host, int(port))),
        socket.create_connection((host, int(port))) as half,
    ):
        half.sendall(b"\x16\x03\x01")
        assert wire.call("GetProtocolVersion") == "1.0"
        assert server.terminate() == 0
        assert ended(wire) == b""
