"""Nothing waits for the network's timers."""

from __future__ import annotations

import time

import pytest

from doors.servers import TrialServer

pytestmark = pytest.mark.service
ACKNOWLEDGEMENT_SECONDS = 0.040
"""How long a client's system holds back an acknowledgement that nobody else asks for."""


def test_small_answers_come_at_once_on_an_open_connection(server: TrialServer) -> None:
    """The body does not wait until the head is acknowledged."""
    took: list[float] = []
    with server.http() as http:
        for _ in range(40):
            began = time.perf_counter()
            http.get("/v1/server")
            took.append(time.perf_counter() - began)
    assert sorted(took)[len(took) // 4] < ACKNOWLEDGEMENT_SECONDS * 0.75
