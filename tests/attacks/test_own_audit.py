"""The audit log, read by the one it is about, tells no more than their scans did."""

from __future__ import annotations

from typing import Any

import httpx2
import pyarrow as pa
import pytest

from doors.servers import TrialServer
from doors.steward import Reader, Steward

pytestmark = pytest.mark.service
VISIBLE = 5
FEW, MANY = ([0] * VISIBLE + [1] * hidden for hidden in (1, 40))
OWN = {"id", "at", "parent", "object", "audit_id"}


def with_token(reader: Reader) -> dict[str, str]:
    """The headers of a reader's requests."""
    return {"authorization": f"Bearer {reader.token}"}


def own_events(server: TrialServer, reader: Reader) -> list[dict[str, Any]]:
    """What a reader is shown of their own events, without what names the one event."""
    answer = httpx2.get(f"{server.rest_url}/v1/audit", headers=with_token(reader))
    events = answer.json()["items"]
    return [{k: v for k, v in e.items() if k not in OWN} for e in events]


def scan(server: TrialServer, reader: Reader, dataset: str) -> None:
    """Read a dataset to its end."""
    path = dataset.replace(".", "/")
    address = f"{server.rest_url}/v1/datasets/{path}/scan?format=csv"
    assert httpx2.get(address, headers=with_token(reader)).status_code == 200


def test_own_events_do_not_count_hidden_rows(server: TrialServer, steward: Steward) -> None:
    """Two datasets that differ in hidden rows leave the same events for the reader of both."""
    shown: list[list[dict[str, Any]]] = []
    for opted_out in (FEW, MANY):
        rows = len(opted_out)
        dataset = steward.dataset(pa.table({"id": range(rows), "opted_out": opted_out}))
        reader = steward.reader(f"GRANT SELECT ON TABLE {dataset} WHERE opted_out != 1")
        scan(server, reader, dataset)
        events = own_events(server, reader)
        for event in events:
            assert (event.pop("user"), event.pop("groups")) == (reader.user, [reader.group])
        shown.append(events)
    few, many = shown
    assert few == many
    (end,) = (e for e in few if e["action"] == "scan.end")
    assert (end["rows_returned"], end["rows_read"]) == (VISIBLE, None)


def test_own_events_tell_nothing_of_policies(server: TrialServer, steward: Steward) -> None:
    """No ids of permissions, no version of the catalog, no digest; what was asked for stays."""
    dataset = steward.dataset(pa.table({"id": [1], "opted_out": [0]}))
    reader = steward.reader(f"GRANT SELECT ON TABLE {dataset}")
    scan(server, reader, dataset)
    for event in own_events(server, reader):
        assert (event["permissions"], event["facts_version"]) == ([], 0)
        assert set(event["detail"]) <= {"columns", "limit"}


def test_own_events_of_queries_do_not_count_hidden_rows(
    server: TrialServer, steward: Steward
) -> None:
    """A statement leaves the same events, whatever was read for it."""
    shown: list[list[dict[str, Any]]] = []
    for opted_out in (FEW, MANY):
        dataset = steward.dataset(pa.table({"id": range(len(opted_out)), "opted_out": opted_out}))
        reader = steward.reader(f"GRANT SELECT ON TABLE {dataset} WHERE opted_out != 1")
        body = {"statement": f"SELECT sum(id) FROM {dataset}"}
        asked = httpx2.post(f"{server.rest_url}/v1/sql", json=body, headers=with_token(reader))
        assert asked.status_code == 200
        events = own_events(server, reader)
        for event in events:
            assert (event.pop("user"), event.pop("groups")) == (reader.user, [reader.group])
            assert event.pop("statement", "") in {"", body["statement"]}
            assert (event["permissions"], event["facts_version"]) == ([], 0)
            assert set(event["detail"]) <= {"limit"}
        shown.append(events)
    few, many = shown
    assert few == many
    (end,) = (e for e in few if e["action"] == "query.end")
    assert (end["rows_returned"], end["rows_read"]) == (1, None)


def test_the_steward_still_reads_them_whole(server: TrialServer, steward: Steward) -> None:
    """What a reader is not shown is on record."""
    dataset = steward.dataset(pa.table({"id": range(len(MANY)), "opted_out": MANY}))
    reader = steward.reader(f"GRANT SELECT ON TABLE {dataset} WHERE opted_out != 1")
    scan(server, reader, dataset)
    end = steward.rest.items("/v1/audit", user=reader.user, action="scan.end")[0]
    assert (end["rows_read"], end["rows_returned"]) == (len(MANY), VISIBLE)
    assert end["permissions"]
    assert end["facts_version"] > 0


@pytest.mark.parametrize("header", ["Digest x", "Basic !!!", "Bearer", "Basic dXNlcg=="])
def test_unreadable_credentials_are_refused_on_record(
    server: TrialServer, steward: Steward, header: str
) -> None:
    """Like wrong ones: 401, with the id of an event that is there."""
    answer = httpx2.get(f"{server.rest_url}/v1/whoami", headers={"authorization": header})
    assert answer.status_code == 401
    refused = steward.rest.items("/v1/audit", action="session.authenticate", limit=1)[0]
    assert (refused["id"], refused["outcome"]) == (answer.json()["audit_id"], "refused")
