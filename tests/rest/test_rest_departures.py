"""Clients who leave and answers that break: the statement ends, and no part is taken for all."""

from __future__ import annotations

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from doors.servers import TrialServer
from doors.steward import unique

pytestmark = pytest.mark.service
SOON = 15.0
LONG_PLANNING = (
    "SELECT list_sum(list_transform(range(1000000), lambda x:"
    " list_sum(list_transform(range(2000), lambda y: sin(y * x))))) AS a"
)
LONG_BEFORE_ROWS = (
    "SELECT count(*) AS n FROM range(1000000000) a, range(1000) b WHERE a.range < b.range"
)
LONG_STREAM = "SELECT i, repeat('x', 100) AS text FROM range(1000000000) t(i)"


def request(token: str, body: dict[str, Any]) -> bytes:
    """A request as it goes over the wire."""
    sent = json.dumps(body).encode()
    head = (
        "POST /v1/sql HTTP/1.1",
        "host: x",
        f"authorization: Bearer {token}",
        "content-type: application/json",
        f"content-length: {len(sent)}",
    )
    return "\r\n".join((*head, "", "")).encode() + sent


def ended(server: TrialServer, user: str) -> dict[str, Any]:
    """How somebody's only statement ended, once it has."""
    deadline = time.monotonic() + SOON
    while time.monotonic() < deadline:
        events = server.events(user=user)
        if found := [e for e in events if e["parent"] or e["outcome"] == "cancelled"]:
            return found[0]
        time.sleep(0.05)
    raise AssertionError(f"no end after {SOON} s: {server.events(user=user)}")


@pytest.mark.parametrize(
    ("body", "read"),
    [
        ({"statement": LONG_PLANNING}, False),
        ({"statement": LONG_BEFORE_ROWS}, False),
        ({"statement": LONG_BEFORE_ROWS, "page_rows": 10}, False),
        ({"statement": LONG_STREAM}, True),
    ],
)
def test_a_client_who_leaves_ends_the_statement(
    server: TrialServer, body: dict[str, Any], read: bool
) -> None:
    """While it is planned, before the first row, amid the rows; it is recorded as cancelled."""
    user = unique("leaver")
    host, _, port = server.rest_url.rpartition("//")[2].partition(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(request(server.token(user), body))
        if read:
            assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        else:
            time.sleep(0.7)
    left = time.monotonic()
    assert ended(server, user)["outcome"] == "cancelled"
    assert time.monotonic() - left < SOON
    with server.http(server.token(unique("stayer"))) as http:
        assert http.post("/v1/sql", json={"statement": "SELECT 1 AS a"}).json() == {"a": 1}


def test_an_answer_that_breaks_is_no_answer(server: TrialServer) -> None:
    """What fails amid the rows cuts the body off, so that no client takes it for the whole."""
    statement = (
        "SELECT CASE WHEN i < 400000 THEN i ELSE ('x' || i)::BIGINT END AS a"
        " FROM range(1000000) t(i)"
    )
    user = unique("unlucky")
    with server.http(server.token(user)) as http:
        body = {"statement": statement}
        try:
            got = http.post("/v1/sql", json=body)
        except httpx2.RemoteProtocolError:
            assert ended(server, user)["outcome"] == "failed"
        else:
            assert got.json()["code"] == "statement_failed"


def test_those_who_wait_hold_nobody_up(server: TrialServer) -> None:
    """While many statements run and wait, other requests are answered at once."""
    host, _, port = server.rest_url.rpartition("//")[2].partition(":")
    token = server.token(unique("crowd"))
    sockets = [socket.create_connection((host, int(port))) for _ in range(60)]
    try:
        for connection in sockets:
            connection.sendall(request(token, {"statement": LONG_BEFORE_ROWS}))
        time.sleep(0.5)
        with server.http(server.token(unique("other"))) as http:
            began = time.monotonic()
            assert http.get("/v1/whoami").status_code == 200
            assert time.monotonic() - began < SOON
    finally:
        for connection in sockets:
            connection.close()


def test_answers_at_the_same_time_do_not_mix(server: TrialServer) -> None:
    """Each gets its own."""
    token = server.token(unique("many"))

    def one(number: int) -> bool:
        with server.http(token) as http:
            body = {"statement": "SELECT $1 AS a FROM range(1000)", "parameters": [number]}
            got = http.post("/v1/sql", json=body)
            return got.text == f'{{"a": {number}}}\n' * 1000

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(one, range(24)))
