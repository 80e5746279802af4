"""The acceptance flow: the steward's commands have run; what the analyst gets, and its record."""

from __future__ import annotations

import csv
import io
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from doors.doors import Run, Wanted, every_answer
from doors.servers import TrialServer
from doors.steward import GROUP, ROLE, Steward
from privet.demo.generate import generate

pytestmark = pytest.mark.service
NAME = "medical_charges.medical_costs"
TAKEN = ("mrn", "phone")


def visible() -> pa.Table:
    """What the analyst may see, but for tokens: computed from the raw table by hand."""
    raw = generate()
    return raw.filter(pc.not_equal(raw.column("opted_out"), 1))


def test_every_door_gives_the_analyst_the_same_governed_rows(
    server: TrialServer, governed: str
) -> None:
    """No phone, no opted-out row, tokens of the shape of an mrn, everything else untouched."""
    answers = every_answer(server, governed, Wanted(NAME))
    expected = visible()
    reference = answers["flight command"].table
    assert reference is not None
    assert reference.column_names == [n for n in expected.column_names if n != "phone"]
    for name in reference.column_names:
        if name not in TAKEN:
            assert reference.column(name).equals(expected.column(name)), name
    tokens = reference.column("mrn").to_pylist()
    raw = expected.column("mrn").to_pylist()
    assert not set(tokens) & set(raw)
    assert len(set(tokens)) == len(set(raw))
    assert {(len(t), t.isdigit()) for t in tokens} == {(len(t), t.isdigit()) for t in raw}
    for door, answer in answers.items():
        assert answer.table is not None, (door, answer.message)
        assert answer.table.cast(reference.schema).equals(reference), door


def test_the_admin_bypasses_and_that_is_on_record(server: TrialServer, governed: str) -> None:
    """All rows, clear; each of the reads is marked."""
    known = len(server.events(user="admin", action="scan.start", object=NAME))
    answers = every_answer(server, server.admin_token, Wanted(NAME))
    raw = generate()
    for door, answer in answers.items():
        assert answer.table is not None
        assert answer.table.cast(raw.schema).equals(raw), door
    events = server.events(user="admin", action="scan.start", object=NAME)
    assert len(events) >= known + len(answers)
    assert all(event["bypass"] for event in events)


def test_somebody_without_grants_sees_that_nothing_exists(
    server: TrialServer, steward: Steward, governed: str
) -> None:
    """At every door the same sentence as for a name that does not exist."""
    token = steward.reader().token
    hidden = every_answer(server, token, Wanted(NAME))
    absent = every_answer(server, token, Wanted("medical_charges.absent"))
    for door, answer in hidden.items():
        assert answer.code == "not_found", (door, answer)
        assert answer.message == absent[door].message.replace("absent", "medical_costs"), door


def test_explain_agrees_with_the_scan(server: TrialServer, governed: str, command: Run) -> None:
    """The steward sees which permission gave and took; the analyst no more than their scan."""
    path = f"/v1/datasets/{NAME.replace('.', '/')}/explain"
    full = server.rest().get(path, user="demo_user2", groups=GROUP)
    verdicts = {column["name"]: column["verdict"] for column in full["columns"]}
    assert verdicts.pop("phone") == "hidden"
    assert verdicts.pop("mrn") == "transformed"
    assert set(verdicts.values()) == {"clear"}
    assert full["filter"]["sql"] == "opted_out != 1"
    (fired,) = full["permissions"]
    assert ROLE in fired["sql"]
    own = server.rest(governed).get(path)
    assert own["allowed"]
    assert [c["name"] for c in own["columns"]] == [
        n for n in generate().column_names if n != "phone"
    ]
    assert (own["permissions"], own["version"], own["digest"]) == ([], None, "")
    said = command("explain", NAME, "--user", "demo_user2").stdout
    assert "phone" in said
    assert "hidden" in said


def last(events: list[dict[str, Any]], action: str) -> dict[str, Any]:
    """The newest event of an action."""
    return next(event for event in events if event["action"] == action)


def test_the_audit_has_every_access_with_what_fired_and_how_it_ended(
    server: TrialServer, governed: str
) -> None:
    """Start: who, by which door, which permission, which facts; end: rows read and returned."""
    with server.http(governed) as http:
        got = http.get(f"/v1/datasets/{NAME.replace('.', '/')}/scan", params={"format": "csv"})
    rows = len(list(csv.reader(io.StringIO(got.text)))) - 1
    events = server.events(user="demo_user2", object=NAME)
    ended, started = last(events, "scan.end"), last(events, "scan.start")
    assert ended["parent"] == started["id"]
    assert (started["outcome"], ended["outcome"]) == ("allowed", "completed")
    assert (started["door"], started["groups"], started["bypass"]) == ("rest", [GROUP], False)
    (permission,) = [
        p
        for p in server.rest().items("/v1/permissions")
        if ROLE in p["sql"] and "medical_charges" in p["sql"]
    ]
    assert started["permissions"] == [permission["id"]]
    assert started["facts_version"] > 0
    assert started["detail"]["decision"]
    assert (ended["rows_read"], ended["rows_returned"]) == (1338, rows)
    assert ended["bytes_returned"] > 0


@pytest.mark.parametrize(
    ("dataset", "columns"), [(NAME, "phone"), (NAME, "absent"), ("medical_charges.absent", None)]
)
def test_refused_scans_are_on_record_with_the_id_that_the_reader_was_given(
    server: TrialServer, governed: str, dataset: str, columns: str | None
) -> None:
    """What was asked for is there, though it does not exist for the one who asked."""
    with server.http(governed) as http:
        query = {} if columns is None else {"columns": columns}
        refused = http.get(f"/v1/datasets/{dataset.replace('.', '/')}/scan", params=query)
    audit_id = refused.json()["audit_id"]
    events = server.events(user="demo_user2", object=dataset)
    asked = next(event for event in events if event["id"] == audit_id)
    assert asked["detail"]["columns"] == (None if columns is None else [columns])
    outcomes = {e["outcome"] for e in events if audit_id in (e["id"], e["parent"])}
    assert "refused" in outcomes
    assert not outcomes & {"completed", "failed"}


def test_readers_read_their_own_audit_only(server: TrialServer, governed: str) -> None:
    """Asking for another's is refused, and recorded."""
    with server.http(governed) as http:
        own = http.get("/v1/audit", params={"limit": 1000}).json()["items"]
        assert {event["user"] for event in own} == {"demo_user2"}
        assert http.get("/v1/audit", params={"user": "admin"}).status_code == 403
    assert last(server.events(user="demo_user2"), "audit.list")["outcome"] == "refused"
