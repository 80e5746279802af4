"""Every access has its events: what was asked and decided, what fired, and how it ended."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.flight as fl
import pytest

import privet
import privet.model.errors
from doors.clinic import ACCEPTANCE, Clinic
from doors.doors import DOORS, WHOLE_ONLY, Wanted
from doors.servers import TrialServer, bearer
from doors.steward import Reader, Steward, unique

pytestmark = pytest.mark.service
Event = dict[str, Any]
ROWS = 600_000
PATIENCE_SECONDS = 10.0


def events_of(server: TrialServer, user: str, dataset: str) -> list[Event]:
    """What is on record of somebody's reading of a dataset, oldest first."""
    return server.events(user=user, object=dataset)[::-1]


def ended(server: TrialServer, user: str) -> Event:
    """The end of somebody's only scan: it is recorded when the server notices."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if found := server.events(user=user, action="scan.end"):
            assert len(found) == 1
            return found[0]
        time.sleep(0.05)
    raise AssertionError(f"no end after {PATIENCE_SECONDS} s: {server.events(user=user)}")


def fired(steward: Steward, reader: Reader) -> list[str]:
    """The ids of the permissions that a reader's role has."""
    return [p["id"] for p in steward.rest.items("/v1/permissions", role=reader.role)]


@pytest.mark.parametrize("door", DOORS)
def test_a_scan_is_a_start_and_an_end(clinic: Clinic, steward: Steward, door: str) -> None:
    """Who, by which door, what fired, which facts; then rows read and returned."""
    reader = steward.reader(ACCEPTANCE.format(clinic.database))
    answer = DOORS[door](clinic.server, reader.token, Wanted(clinic.patients), None)
    assert not answer.code
    events = events_of(clinic.server, reader.user, clinic.patients)
    over_flight = not door.startswith("rest") and door != "cli"
    planned = ["scan.plan"] if over_flight else []
    assert [e["action"] for e in events] == [*planned, "scan.start", "scan.end"]
    for event in events:
        assert event["door"] == (
            "okera" if door == "thrift" else "flight" if over_flight else "rest"
        )
        assert event["groups"] == [reader.group]
        assert event["permissions"] == fired(steward, reader)
        assert event["facts_version"] > 0
        assert event["bypass"] is False
        assert event["error"] == ""
    start, end = events[-2:]
    assert (start["outcome"], end["outcome"]) == ("allowed", "completed")
    assert (start["rows_read"], start["rows_returned"], start["parent"]) == (None, None, "")
    assert end["parent"] == start["id"]
    assert (end["rows_read"], end["rows_returned"]) == (8, 5)
    assert end["bytes_returned"] > 0


@pytest.mark.parametrize("door", DOORS)
def test_a_refusal_is_recorded_with_what_was_asked(
    clinic: Clinic, steward: Steward, door: str
) -> None:
    """Invisible and absent datasets, and where a door can ask for it a hidden column."""
    reader = steward.reader(ACCEPTANCE.format(clinic.database))
    wanted = [Wanted(clinic.vault), Wanted(f"{clinic.database}.absent")]
    if door not in WHOLE_ONLY:
        wanted.append(Wanted(clinic.patients, ("id", "phone")))
    for asked in wanted:
        answer = DOORS[door](clinic.server, reader.token, asked, None)
        assert answer.code == "not_found"
        first, *more = events_of(clinic.server, reader.user, asked.dataset)
        assert first["action"] in {"scan.plan", "scan.start"}
        assert first["detail"]["columns"] == (asked.columns and list(asked.columns))
        if asked.columns is None:
            assert (first["outcome"], first["permissions"], more) == ("refused", [], [])
        else:
            assert first["permissions"] == fired(steward, reader)
            assert [(e["outcome"], e["error"]) for e in more] == [("refused", "not_found")]
            assert more[0]["parent"] == first["id"]
        assert all(e["rows_returned"] is None for e in (first, *more))


@pytest.mark.parametrize("door", DOORS)
def test_a_failure_is_recorded_by_its_class(clinic: Clinic, steward: Steward, door: str) -> None:
    """The file has gone: the scan started, and ended as failed with no row."""
    dataset = steward.dataset("id\n1\n2\n")
    reader = steward.reader(f"GRANT SELECT ON TABLE {dataset}")
    for file in steward.folder(dataset).iterdir():
        file.unlink()
    answer = DOORS[door](clinic.server, reader.token, Wanted(dataset), None)
    assert answer.table is None
    end = ended(clinic.server, reader.user)
    assert end["outcome"] == "failed"
    assert end["error"] in {"source_unavailable", "not_found"}
    assert (end["rows_read"], end["rows_returned"]) == (0, 0)
    assert end["permissions"] == fired(steward, reader)


@pytest.fixture(scope="module")
def wide(steward: Steward) -> str:
    """More than any buffer between the server and its reader holds."""
    table = pa.table({"id": range(ROWS), "text": ["x" * 100] * ROWS})
    return steward.dataset(table, suffix="parquet", row_group_size=50_000)


def flight_cancel(server: TrialServer, token: str, dataset: str) -> None:
    """A call that is cancelled after a batch."""
    with server.flight() as client:
        descriptor = fl.FlightDescriptor.for_path(*dataset.split("."))
        info = client.get_flight_info(descriptor, bearer(token))
        reader = client.do_get(info.endpoints[0].ticket, bearer(token))
        assert reader.read_chunk().data.num_rows
        reader.cancel()
        # Not `read_all`, for which the library takes a cancelled call for Ctrl-C.
        with contextlib.suppress(fl.FlightCancelledError):
            assert sum(chunk.data.num_rows for chunk in reader) < ROWS


def flight_gone(server: TrialServer, token: str, dataset: str) -> None:
    """A connection that goes away after a batch."""
    with server.flight() as client:
        descriptor = fl.FlightDescriptor.for_path(*dataset.split("."))
        info = client.get_flight_info(descriptor, bearer(token))
        reader = client.do_get(info.endpoints[0].ticket, bearer(token))
        assert reader.read_chunk().data.num_rows
        del reader


def client_close(server: TrialServer, token: str, dataset: str) -> None:
    """The Python client, closed amid the rows."""
    with privet.connect(server.rest_url, token, ca=server.ca) as connection:
        scan = connection.scan(dataset)
        assert next(iter(scan)).num_rows
        scan.close()


def http_gone(server: TrialServer, token: str, dataset: str) -> None:
    """A browser that closes the page."""
    host, _, port = server.rest_url.rpartition("//")[2].partition(":")
    path = f"/v1/datasets/{dataset.replace('.', '/')}/scan?format=csv"
    head = f"GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n"
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(head.encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("leave", [flight_cancel, flight_gone, client_close, http_gone])
def test_a_scan_that_its_reader_leaves_ends_as_cancelled(
    clinic: Clinic,
    steward: Steward,
    wide: str,
    leave: Callable[[TrialServer, str, str], None],
) -> None:
    """Within seconds, with the rows that were on their way and no more."""
    reader = steward.reader(f"GRANT SELECT ON TABLE {wide}")
    leave(clinic.server, reader.token, wide)
    end = ended(clinic.server, reader.user)
    assert (end["outcome"], end["error"]) == ("cancelled", "")
    assert 0 < end["rows_returned"] < ROWS
    assert end["rows_returned"] <= end["rows_read"] < ROWS
    assert end["permissions"] == fired(steward, reader)


@pytest.mark.parametrize("limit", [0, 1, 3])
def test_a_limit_is_in_the_record(clinic: Clinic, steward: Steward, limit: int) -> None:
    """What was asked for, and that no more rows left."""
    reader = steward.reader(ACCEPTANCE.format(clinic.database))
    DOORS["rest csv"](
        clinic.server, reader.token, Wanted(clinic.patients, ("age", "id"), limit), None
    )
    start, end = events_of(clinic.server, reader.user, clinic.patients)
    assert (start["detail"]["columns"], start["detail"]["limit"]) == (["age", "id"], limit)
    assert (end["outcome"], end["rows_returned"]) == ("completed", limit)


def test_two_grants_are_both_named(clinic: Clinic, steward: Steward) -> None:
    """Those that fired, and not one that grants nothing here."""
    reader = steward.reader(
        f"GRANT SELECT ON TABLE {clinic.patients} WHERE id < 3",
        f"GRANT SELECT ON TABLE {clinic.patients} WHERE id > 6",
        f"GRANT SELECT ON TABLE {clinic.patients} WHERE user() = 'nobody'",
    )
    silent = next(
        p["id"]
        for p in steward.rest.items("/v1/permissions", role=reader.role)
        if "nobody" in p["sql"]
    )
    DOORS["client"](clinic.server, reader.token, Wanted(clinic.patients), None)
    named = ended(clinic.server, reader.user)["permissions"]
    assert sorted([*named, silent]) == sorted(fired(steward, reader))


def test_an_administrator_reads_as_a_bypass(clinic: Clinic, steward: Steward) -> None:
    """Start and end are marked; no permission fired."""
    dataset = steward.dataset("id\n1\n2\n")
    DOORS["client"](clinic.server, clinic.server.admin_token, Wanted(dataset), None)
    events = events_of(clinic.server, "admin", dataset)
    scans = [e for e in events if e["action"].startswith("scan.")]
    assert [e["action"] for e in scans] == ["scan.plan", "scan.start", "scan.end"]
    assert all(e["bypass"] and e["permissions"] == [] for e in scans)
    assert scans[-1]["rows_returned"] == 2


def test_looking_is_recorded(clinic: Clinic) -> None:
    """Pages and explanations of a dataset, allowed and refused, at both doors."""
    user = unique("looker")
    token = clinic.server.token(user, clinic.analyst.group)
    with clinic.server.http(token) as http, clinic.server.flight() as client:
        for dataset in (clinic.patients, clinic.vault):
            http.get(clinic.path(dataset))
            http.get(f"{clinic.path(dataset)}/explain")
            body = json.dumps({"use": "explain", "dataset": dataset}).encode()
            try:
                list(client.do_action(fl.Action("privet.call", body), bearer(token)))
            except (fl.FlightError, pa.ArrowException):
                assert dataset == clinic.vault
    for dataset, outcomes in ((clinic.patients, {"allowed"}), (clinic.vault, {"refused"})):
        seen = {
            (e["action"], e["door"], e["outcome"]) for e in events_of(clinic.server, user, dataset)
        }
        assert {(action, door) for action, door, _ in seen} == {
            ("dataset.describe", "rest"),
            ("explain", "rest"),
            ("explain", "flight"),
        }
        assert {outcome for _, _, outcome in seen} == outcomes, dataset


def test_acts_are_recorded_before_and_after(clinic: Clinic, steward: Steward) -> None:
    """With the statement as it was understood; one that fails says so."""
    dataset = steward.dataset("id\n1\n")
    grant = f"GRANT SELECT ON TABLE {dataset} WHERE id > 100 TO ROLE {clinic.analyst.role}"
    steward.sql(grant)
    with pytest.raises(privet.model.errors.Conflict):
        steward.sql(grant)
    steward.sql(grant.replace("GRANT", "REVOKE").replace("TO ROLE", "FROM ROLE"))
    events = events_of(clinic.server, "admin", dataset)
    acts = [e for e in events if e["action"].startswith("permission.")]
    assert [(e["action"], e["outcome"], e["error"]) for e in acts] == [
        ("permission.create", "allowed", ""),
        ("permission.create", "completed", ""),
        ("permission.create", "allowed", ""),
        ("permission.create", "failed", "conflict"),
        ("permission.delete", "allowed", ""),
        ("permission.delete", "completed", ""),
    ]
    assert acts[0]["statement"] == grant
    assert [e["parent"] for e in acts[1::2]] == [e["id"] for e in acts[::2]]
