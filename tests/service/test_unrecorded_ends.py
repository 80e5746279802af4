"""An audit log that breaks when something ends: nobody is told that nothing happened."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pyarrow as pa
import pytest

from doors.doors import DOORS, Wanted
from doors.servers import TrialServer
from doors.steward import Steward

pytestmark = pytest.mark.service
REFUSE = """
CREATE TRIGGER no_ends BEFORE INSERT ON audit_events
WHEN NEW.outcome IN ('completed', 'cancelled', 'failed') BEGIN SELECT RAISE(ABORT, 'full'); END
"""


@contextmanager
def without_ends(server: TrialServer) -> Iterator[None]:
    """The audit log of a server refuses how things ended, and only that."""
    with closing(sqlite3.connect(server.home / "audit.db")) as connection:
        connection.execute(REFUSE)
        yield
        connection.execute("DROP TRIGGER no_ends")


def told(server: TrialServer) -> list[dict[str, object]]:
    """The ends that stand in the server's own log."""
    marker = "an end is not on record: "
    lines = [
        json.loads(line)["event"] for line in server.log.read_text().splitlines() if "{" in line
    ]
    return [json.loads(line.partition(marker)[2]) for line in lines if line.startswith(marker)]


def test_ends_that_cannot_be_recorded(fresh_server: Callable[..., TrialServer]) -> None:
    """A change says it was applied, a failure why it failed; the server's log has the counts."""
    server = fresh_server()
    steward = Steward(server)
    dataset = steward.dataset(pa.table({"word": ["a"] * 7}), suffix="parquet")
    reader = steward.reader(f"GRANT SELECT ON TABLE {dataset}")
    with without_ends(server), server.http(server.admin_token) as http:
        made = http.post("/v1/roles", json={"name": "late"})
        assert (made.status_code, made.json()["code"]) == (503, "audit_unavailable")
        assert "it was applied, and its end could not be recorded" in made.text
        assert "nothing was" not in made.text
        again = http.post("/v1/roles", json={"name": "late"})
        assert (again.status_code, again.json()["code"]) == (409, "conflict")
        answers = [
            DOORS[door](server, reader.token, Wanted(dataset), None)
            for door in ("rest json", "flight path")
        ]
    assert "late" in {role["name"] for role in steward.rest.items("/v1/roles")}
    for answer in answers:
        assert answer.table is None
        assert "nothing was" not in answer.message
    role, conflict, *scans = told(server)
    assert (role["action"], role["outcome"], role["user"]) == ("role.create", "completed", "admin")
    assert (conflict["action"], conflict["outcome"]) == ("role.create", "failed")
    for scan in scans:
        assert (scan["action"], scan["outcome"]) == ("scan.end", "completed")
        assert (scan["user"], scan["object"]) == (reader.user, dataset)
        assert (scan["rows_read"], scan["rows_returned"]) == (7, 7)
    started = {e["id"] for e in server.events(user=reader.user, action="scan.start")}
    assert {scan["parent"] for scan in scans} == started
