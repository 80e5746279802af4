"""Crawls over the lives of servers: killed, cancelled, side by side, and by a schedule."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from doors.servers import TrialServer
from privet.client import Rest
from privet.demo.objectstore import LAKE, ObjectStore
from privet.model.errors import Conflict, InvalidRequest, NotFound
from services.proxies import Proxy, proxied

pytestmark = pytest.mark.service
Fresh = Callable[..., TrialServer]
PATIENCE = 90.0
"""Seconds: a taken over crawl waits for the promise of the dead server to end."""


@pytest.fixture(scope="module")
def stored(seaweed: ObjectStore) -> ObjectStore:
    files = seaweed.filesystem(seaweed.platform)
    for name in "abcd":
        with files.open_output_stream(f"{LAKE}/life/{name}/{name}.csv") as out:
            out.write(b"id,name\n1,ada\n2,bob\n")
    return seaweed


@contextmanager
def reached(stored: ObjectStore, fresh: Fresh) -> Iterator[tuple[TrialServer, Proxy]]:
    """A server that reaches the store through a proxy."""
    with proxied(stored.endpoint) as proxy:
        location = {**stored.location(stored.reader), "endpoint": proxy.endpoint, "timeout": 60}
        yield fresh(PRIVET_S3=json.dumps([location])), proxy


def until(rest: Rest, name: str, status: str) -> dict[str, Any]:
    """The crawl once it has a status."""
    deadline = time.monotonic() + PATIENCE
    while (crawl := rest.get(f"/v1/crawls/{name}"))["status"] != status:
        assert time.monotonic() < deadline, crawl
        time.sleep(0.1)
    return crawl


def wait_for(what: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_after_kill_9_a_crawl_goes_on_where_it_was(
    stored: ObjectStore, fresh_server: Fresh
) -> None:
    """By itself once the server is back; what was looked into is not read again; on record."""
    with reached(stored, fresh_server) as (server, proxy):
        proxy.fault = lambda r: "stall" if r.path.endswith("c/c.csv") else None
        rest = server.rest()
        rest.post("/v1/crawls", {"name": "life", "source": f"s3://{LAKE}/life"})
        wait_for(lambda: any(key.endswith("c/c.csv") for key in map(_path, proxy.requests)))
        assert rest.get("/v1/crawls/life")["status"] == "running"
        server.kill()
        proxy.fault = lambda _: None
        proxy.requests.clear()
        server.start()
        rest = server.rest()
        crawl = until(rest, "life", "completed")
        assert [d["name"] for d in crawl["datasets"]] == ["a", "b", "c", "d"]
        assert not any(d["problem"] for d in crawl["datasets"])
        assert (crawl["report"]["resumed"], crawl["report"]["kept"]) == (1, 2)
        assert not {k[-5:] for k in proxy.reads()} & {"a.csv", "b.csv"}
        events = [e["action"] for e in server.events() if e["object"] == "life"]
        assert events.count("crawl.resume") == 1
        assert events.count("crawl.end") == 1


def _path(request: Any) -> str:
    return request.path


def test_a_stopped_server_leaves_its_crawl_to_the_next(
    stored: ObjectStore, fresh_server: Fresh
) -> None:
    """A polite end is no failure of the crawl."""
    with reached(stored, fresh_server) as (server, proxy):
        proxy.fault = lambda r: "stall" if r.path.endswith("d/d.csv") else None
        rest = server.rest()
        rest.post("/v1/crawls", {"name": "life", "source": f"s3://{LAKE}/life"})
        wait_for(lambda: any(key.endswith("d/d.csv") for key in map(_path, proxy.requests)))
        proxy.let_go()
        assert server.terminate() == 0
        proxy.fault = lambda _: None
        server.start()
        crawl = until(server.rest(), "life", "completed")
        assert len(crawl["datasets"]) == 4


def test_a_crawl_is_cancelled_and_others_run_beside_it(
    stored: ObjectStore, fresh_server: Fresh
) -> None:
    """It ends before the next file; a second cancel, or one of nothing, is told so."""
    with reached(stored, fresh_server) as (server, proxy):
        proxy.fault = lambda r: "stall" if r.path.endswith("b/b.csv") else None
        rest = server.rest()
        rest.post("/v1/crawls", {"name": "slow", "source": f"s3://{LAKE}/life"})
        wait_for(lambda: any(key.endswith("b/b.csv") for key in map(_path, proxy.requests)))
        rest.post("/v1/crawls", {"name": "quick", "source": f"s3://{LAKE}/life/a"})
        assert until(rest, "quick", "completed")["datasets"][0]["name"] == "a"
        with pytest.raises(Conflict, match="is running"):
            rest.post("/v1/crawls", {"name": "slow", "source": f"s3://{LAKE}/life"})
        assert rest.post("/v1/crawls/slow/cancel", {})["status"] == "cancelled"
        with pytest.raises(Conflict, match="not running"):
            rest.post("/v1/crawls/slow/cancel", {})
        with pytest.raises(NotFound):
            rest.post("/v1/crawls/absent/cancel", {})
        proxy.let_go()
        wait_for(lambda: _ends(server, "slow"))
        assert _ends(server, "slow") == ["cancelled"]
        assert not any(key.endswith("d/d.csv") for key in proxy.reads())
        proxy.fault = lambda _: None
        rest.post("/v1/crawls", {"name": "slow", "source": f"s3://{LAKE}/life"})
        assert len(until(rest, "slow", "completed")["datasets"]) == 4


def _ends(server: TrialServer, name: str) -> list[str]:
    return [e["outcome"] for e in server.events(action="crawl.end") if e["object"] == name]


def due_now(server: TrialServer, name: str) -> None:
    """Make a schedule of a server that is down one that was missed for days."""
    connection = sqlite3.connect(server.home / "privet.db")
    missed = datetime.now(UTC) - timedelta(days=3)
    with connection:
        connection.execute(
            "UPDATE crawl_schedules SET next_at = ? WHERE crawl = ?",
            (missed.strftime("%Y-%m-%d %H:%M:%S.%f"), name),
        )
    connection.close()


def test_a_schedule_outlives_the_server_and_runs_once_for_all_it_missed(
    fresh_server: Fresh,
) -> None:
    """New files are found; its next moment is in the future; it is on record as what it is."""
    server = fresh_server()
    lake = server.lake / "scheduled"
    lake.mkdir(parents=True)
    (lake / "a.csv").write_text("id\n1\n")
    rest = server.rest()
    rest.post("/v1/crawls", {"name": "nightly", "source": str(lake)})
    until(rest, "nightly", "completed")
    body = {"expression": "0 3 * * *", "timezone": "Europe/Berlin"}
    schedule = rest.post("/v1/crawls/nightly/schedule", body)["schedule"]
    assert schedule["timezone"] == "Europe/Berlin"
    assert datetime.fromisoformat(schedule["next_at"]) > datetime.now(UTC)
    assert server.terminate() == 0
    due_now(server, "nightly")
    (lake / "b.csv").write_text("id\n2\n")
    server.start()
    rest = server.rest()
    wait_for(lambda: rest.get("/v1/crawls/nightly")["run"] == 2)
    crawl = until(rest, "nightly", "completed")
    assert crawl["datasets"][0]["files"] == 2
    assert crawl["report"]["opened"] >= 1
    assert datetime.fromisoformat(crawl["schedule"]["next_at"]) > datetime.now(UTC)
    assert crawl["schedule"]["last_error"] == ""
    starts = [e for e in server.events(action="crawl.start") if e["door"] == "schedule"]
    assert {e["outcome"] for e in starts} == {"allowed", "completed"}
    time.sleep(4)
    assert rest.get("/v1/crawls/nightly")["run"] == 2
    rest.delete("/v1/crawls/nightly/schedule")
    assert rest.get("/v1/crawls/nightly")["schedule"] is None
    with pytest.raises(NotFound):
        rest.delete("/v1/crawls/nightly/schedule")
    rest.delete("/v1/crawls/nightly")
    with pytest.raises(NotFound):
        rest.get("/v1/crawls/nightly")


@pytest.mark.parametrize(
    "body",
    [
        {"expression": "often"},
        {"expression": "* * * * * *"},
        {"expression": "0 0 30 2 *"},
        {"expression": "61 * * * *"},
        {"expression": "0 3 * * *", "timezone": "Middle/Earth"},
        {"expression": "0 3 * * *", "timezone": "../../etc/passwd"},
    ],
)
def test_a_schedule_that_never_comes_true_is_refused(
    server: TrialServer, body: dict[str, str]
) -> None:
    """With a hint, and without a change."""
    name = f"never_{os.getpid()}"
    lake = server.lake / name
    lake.mkdir(parents=True, exist_ok=True)
    (lake / "a.csv").write_text("id\n1\n")
    with server.rest() as rest:
        rest.post("/v1/crawls", {"name": name, "source": str(lake)})
        until(rest, name, "completed")
        with pytest.raises(InvalidRequest):
            rest.post(f"/v1/crawls/{name}/schedule", body)
        assert rest.get(f"/v1/crawls/{name}")["schedule"] is None
        with pytest.raises(NotFound):
            rest.post("/v1/crawls/absent/schedule", {"expression": "0 3 * * *"})


def test_a_schedule_runs_by_the_rights_that_its_owner_has_by_then(fresh_server: Fresh) -> None:
    """Taken away, the run that is due is refused, on record, and the schedule says why."""
    server = fresh_server()
    lake = server.lake / "rights"
    lake.mkdir(parents=True)
    (lake / "a.csv").write_text("id\n1\n")
    admin = server.rest()
    admin.post("/v1/roles", {"name": "crawlers"})
    admin.put("/v1/roles/crawlers/groups/crawling")
    grants = (
        "GRANT CREATE_CRAWLER_AS_OWNER ON CATALOG TO ROLE crawlers",
        f"GRANT SELECT ON URI 'file://{lake}' TO ROLE crawlers",
    )
    for grant in grants:
        admin.post("/v1/sql", {"statement": grant})
    rest = server.rest(server.token("eve", "crawling"))
    rest.post("/v1/crawls", {"name": "hers", "source": str(lake)})
    until(rest, "hers", "completed")
    assert rest.post("/v1/crawls/hers/schedule", {"expression": "0 3 * * *"})["schedule"]
    server.terminate()
    due_now(server, "hers")
    server.start()
    rest = server.rest(server.token("eve", "crawling"))
    wait_for(lambda: rest.get("/v1/crawls/hers")["run"] == 2)
    until(rest, "hers", "completed")
    admin = server.rest()
    revoke = f"REVOKE SELECT ON URI 'file://{lake}' FROM ROLE crawlers"
    admin.post("/v1/sql", {"statement": revoke})
    server.terminate()
    due_now(server, "hers")
    server.start()
    admin = server.rest()
    wait_for(lambda: admin.get("/v1/crawls/hers")["schedule"]["last_error"])
    assert admin.get("/v1/crawls/hers")["run"] == 2
    refused = [e for e in server.events(action="crawl.start") if e["outcome"] == "refused"]
    assert [(e["user"], e["door"]) for e in refused] == [("eve", "schedule")]
