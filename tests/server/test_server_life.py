"""Starting, ending, dying and starting again."""

from __future__ import annotations

import contextlib
import socket
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.flight as fl
import pytest

from doors.doors import READ
from doors.servers import TrialServer, bearer, refused_start
from doors.steward import Steward
from privet.client import Rest
from privet.model.errors import PrivetError

pytestmark = pytest.mark.service
Fresh = Callable[..., TrialServer]
WIDE = pa.table({"id": range(400_000), "text": ["x" * 80] * 400_000})


def stalled_http(server: TrialServer, dataset: str, token: str) -> socket.socket:
    """A scan over HTTP whose reader stops after a few bytes."""
    host, _, port = server.rest_url.rpartition("//")[2].partition(":")
    connection = socket.create_connection((host, int(port)))
    path = f"/v1/datasets/{dataset.replace('.', '/')}/scan?format=csv"
    head = f"GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n"
    connection.sendall(head.encode())
    assert connection.recv(16).startswith(b"HTTP/1.1 200")
    return connection


def stalled_flight(client: fl.FlightClient, dataset: str, token: str) -> Any:
    """A scan over Flight whose reader stops after a batch."""
    descriptor = fl.FlightDescriptor.for_path(*dataset.split("."))
    info = client.get_flight_info(descriptor, bearer(token))
    reader = client.do_get(info.endpoints[0].ticket, bearer(token))
    assert reader.read_chunk().data.num_rows
    return reader


def audit(server: TrialServer) -> list[tuple[str, str]]:
    """Action and outcome of every event, oldest first, from the file of a server that is gone."""
    connection = sqlite3.connect(server.home / "audit.db")
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        wanted = "SELECT action, outcome FROM audit_events ORDER BY seq"
        return connection.execute(wanted).fetchall()
    finally:
        connection.close()


def test_sigterm_ends_cleanly_while_readers_stall(fresh_server: Fresh) -> None:
    """Exit code 0 in seconds, and both scans are on record as cancelled."""
    server = fresh_server()
    steward = Steward(server)
    dataset = steward.dataset(WIDE, suffix="parquet")
    token = steward.reader(f"GRANT SELECT ON TABLE {dataset}").token
    with stalled_http(server, dataset, token), server.flight() as client:
        held = stalled_flight(client, dataset, token)
        began = time.monotonic()
        assert server.terminate() == 0, held
        assert time.monotonic() - began < 30
    events = audit(server)
    assert events.count(("scan.start", "allowed")) == 2
    assert [outcome for action, outcome in events if action == "scan.end"] == ["cancelled"] * 2
    assert "Traceback" not in server.log.read_text()


def tokenized(steward: Steward) -> tuple[str, str]:
    """A dataset whose only column is tokenized, and somebody who may read it."""
    steward.ensure_tag("phi.mrn")
    table = pa.table({"mrn": ["10000001", "10000002"]})
    dataset = steward.dataset(table, tags={"mrn": ["phi.mrn"]})
    reader = steward.reader(f"GRANT SELECT ON TABLE {dataset} TRANSFORM phi.mrn WITH tokenize()")
    return dataset, reader.token


def keep_writing(server: TrialServer, lane: int, answered: list[str]) -> None:
    """Databases, permissions and crawls until the server is gone."""
    with contextlib.suppress(PrivetError), Rest(server.rest_url, server.admin_token) as rest:
        for number in range(10_000):
            name = f"d_{lane}_{number}"
            rest.post("/v1/databases", {"name": name})
            answered.append(name)
            grant = f"GRANT SELECT ON DATABASE {name} TO ROLE healthcare_analyst_role"
            rest.post("/v1/sql", {"statement": grant})
            rest.post("/v1/crawls", {"name": name, "source": str(server.lake)})


def kill_while_writing(server: TrialServer) -> list[str]:
    """Kill the server amid writes; the databases that it said were made."""
    answered: list[str] = []
    threads = [
        threading.Thread(target=keep_writing, args=(server, lane, answered)) for lane in range(4)
    ]
    for thread in threads:
        thread.start()
    while len(answered) < 20:
        time.sleep(0.01)
    server.kill()
    for thread in threads:
        thread.join()
    return answered


def test_kill_9_during_writes_loses_nothing_that_was_answered(fresh_server: Fresh) -> None:
    """After it: catalog and audit are whole, tokens, tickets and tokenization are as before."""
    server = fresh_server()
    dataset, token = tokenized(Steward(server))
    scan = f"/v1/datasets/{dataset.replace('.', '/')}/scan"
    with server.http(token) as http, server.flight() as client:
        before = http.get(scan, params={"format": "arrow"}).content
        descriptor = fl.FlightDescriptor.for_path(*dataset.split("."))
        ticket = client.get_flight_info(descriptor, bearer(token)).endpoints[0].ticket
    table = READ["arrow"](before, None)
    assert not set(table.column("mrn").to_pylist()) & {"10000001", "10000002"}
    answered = kill_while_writing(server)
    server.start()
    with server.http(token) as http, server.flight() as client:
        assert http.get(scan, params={"format": "arrow"}).content == before
        assert client.do_get(ticket, bearer(token)).read_all().equals(table)
    rest = server.rest()
    databases = {item["name"] for item in rest.items("/v1/databases")}
    assert databases >= set(answered)
    granted = {item["json"]["scope"]["database"] for item in rest.items("/v1/permissions")}
    assert granted - {""} <= databases
    assert {c["status"] for c in rest.items("/v1/crawls")} <= {"completed", "failed", "running"}
    assert server.terminate() == 0
    assert audit(server).count(("database.create", "allowed")) >= len(answered)


def test_without_room_for_the_audit_nothing_is_read(fresh_server: Fresh) -> None:
    """503 at both doors and not one row; with room again, all is as before."""
    server = fresh_server()
    steward = Steward(server)
    dataset = steward.dataset(pa.table({"secret": ["visible-only-with-audit"] * 3}))
    token = steward.reader(f"GRANT SELECT ON TABLE {dataset}").token
    path = f"/v1/datasets/{dataset.replace('.', '/')}/scan"
    with server.http(token) as http, server.flight() as client:
        assert http.get(path).status_code == 200
        info = client.get_flight_info(
            fl.FlightDescriptor.for_path(*dataset.split(".")), bearer(token)
        )
        server.limit_files(1024)
        for form in READ:
            refused = http.get(path, params={"format": form})
            assert (refused.status_code, refused.json()["code"]) == (503, "audit_unavailable")
            assert b"visible" not in refused.content
        with pytest.raises(fl.FlightUnavailableError, match="audit"):
            client.do_get(info.endpoints[0].ticket, bearer(token)).read_all()
        with pytest.raises(fl.FlightUnavailableError, match="audit"):
            client.get_flight_info(info.descriptor, bearer(token))
        for change in ("CREATE ROLE x", f"GRANT SELECT ON TABLE {dataset} TO ROLE public_role"):
            with pytest.raises(PrivetError, match="audit log could not be written"):
                steward.sql(change)
        refused = http.get("/v1/whoami", headers={"authorization": "Bearer a.b.c"})
        assert refused.status_code == 503
        server.limit_files(-1)
        assert http.get(path).status_code == 200
        assert client.do_get(info.endpoints[0].ticket, bearer(token)).read_all().num_rows == 3
    assert "x" not in {role["name"] for role in steward.rest.items("/v1/roles")}
    assert server.terminate() == 0


@pytest.mark.parametrize(
    ("option", "setting"),
    [("--port", "rest_port"), ("--flight-port", "flight_port"), ("--okera-port", "okera_port")],
)
def test_two_servers_do_not_share_a_port(server: TrialServer, option: str, setting: str) -> None:
    """A taken port ends the start with a sentence that names it and what says which, no stack."""
    taken = server.flight_url.rpartition(":")[2]
    home = server.home.with_name("second")
    ports = {"--port": "0", "--flight-port": "0", option: taken}
    arguments = (word for each in ports.items() for word in each)
    code, said = refused_start("--dev", str(home), *arguments)
    assert code == 1
    assert f":{taken}: the port is in use" in said
    assert f"the setting {setting}, or {option}" in " ".join(said.split())
    assert "tls_cert" not in said
    assert "Traceback" not in said
