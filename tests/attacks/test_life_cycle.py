"""A change counts from the next request on: grants, tags, roles, reviews, sources, datasets."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.flight as fl
import pytest

from doors.doors import DOORS, Wanted, every_answer
from doors.servers import TrialServer, bearer
from doors.steward import Reader, Steward, unique, write
from privet.client.flight_errors import from_flight
from privet.model.errors import Conflict, InvalidRequest, NotFound, PrivetError

pytestmark = pytest.mark.service
TABLE = pa.table({"id": [1, 2, 3], "note": ["a", "b", "c"]})
TAG = "security.withdrawn"


def columns(server: TrialServer, reader: Reader, dataset: str) -> list[str] | str:
    """What a reader gets over REST and Flight alike: column names, or the code of a refusal."""
    found: list[list[str] | str] = []
    for door in ("flight path", "rest arrow"):
        answer = DOORS[door](server, reader.token, Wanted(dataset), None)
        found.append(answer.code if answer.table is None else answer.table.column_names)
    assert found[0] == found[1]
    return found[0]


def ticket_for(server: TrialServer, reader: Reader, dataset: str) -> fl.Ticket:
    """A ticket made now."""
    with server.flight() as client:
        descriptor = fl.FlightDescriptor.for_path(*dataset.split("."))
        return client.get_flight_info(descriptor, bearer(reader.token)).endpoints[0].ticket


def redeemed(server: TrialServer, reader: Reader, ticket: fl.Ticket) -> list[str] | None:
    """What a ticket still gives."""
    with server.flight() as client:
        try:
            return client.do_get(ticket, bearer(reader.token)).read_all().column_names
        except (fl.FlightError, pa.ArrowException) as error:
            refused = from_flight(error)
    assert type(refused) is NotFound
    return None


def withdraw(steward: Steward, dataset: str, reader: Reader, how: str) -> Callable[[], object]:
    """Take a reader's right away in one way; gives what brings it back."""
    grant = f"GRANT SELECT ON TABLE {dataset} HAVING ATTRIBUTE NOT IN ({TAG}) TO ROLE {reader.role}"
    revoke = grant.replace("GRANT", "REVOKE").replace("TO ROLE", "FROM ROLE")
    path = f"/v1/datasets/{dataset.replace('.', '/')}/tags/{TAG}"
    group = f"/v1/roles/{reader.role}/groups/{reader.group}"
    match how:
        case "revoke":
            steward.sql(revoke)
            return lambda: steward.sql(grant)
        case "unmap":
            steward.rest.delete(group)
            return lambda: steward.rest.put(group)
        case "tag the dataset":
            steward.rest.put(path)
            return lambda: steward.rest.delete(path)
        case "tag both columns":
            for column in ("id", "note"):
                steward.rest.put(path, path=column)
            return lambda: [steward.rest.delete(path, path=c) for c in ("id", "note")]
        case _:
            raise AssertionError(how)


@pytest.mark.parametrize("how", ["revoke", "unmap", "tag the dataset", "tag both columns"])
def test_a_right_withdrawn_ends_and_a_live_ticket_with_it(
    server: TrialServer, steward: Steward, how: str
) -> None:
    """At the very next request; given back, the old ticket serves again."""
    steward.ensure_tag(TAG)
    dataset = steward.dataset(TABLE)
    reader = steward.reader(f"GRANT SELECT ON TABLE {dataset} HAVING ATTRIBUTE NOT IN ({TAG})")
    for _ in range(2):
        assert columns(server, reader, dataset) == ["id", "note"]
        ticket = ticket_for(server, reader, dataset)
        give_back = withdraw(steward, dataset, reader, how)
        assert columns(server, reader, dataset) == "not_found"
        assert redeemed(server, reader, ticket) is None
        give_back()
        assert redeemed(server, reader, ticket) == ["id", "note"]


def test_a_tag_hides_its_column_at_once(server: TrialServer, steward: Steward) -> None:
    """Also from a ticket that was made before, which then gives less."""
    steward.ensure_tag(TAG)
    dataset = steward.dataset(TABLE)
    reader = steward.reader(f"GRANT SELECT ON TABLE {dataset} HAVING ATTRIBUTE NOT IN ({TAG})")
    ticket = ticket_for(server, reader, dataset)
    steward.rest.put(f"/v1/datasets/{dataset.replace('.', '/')}/tags/{TAG}", path="note")
    assert columns(server, reader, dataset) == ["id"]
    assert redeemed(server, reader, ticket) == ["id"]


def test_a_grant_counts_for_databases_that_are_still_empty(
    server: TrialServer, steward: Steward
) -> None:
    """Written first, effective for what is registered afterwards; dropping a role ends it."""
    database = steward.database()
    reader = steward.reader(f"GRANT SELECT ON DATABASE {database}")
    assert server.rest(reader.token).items("/v1/databases") == []
    dataset = steward.dataset(TABLE, database=database)
    assert columns(server, reader, dataset) == ["id", "note"]
    steward.rest.delete(f"/v1/roles/{reader.role}")
    assert columns(server, reader, dataset) == "not_found"


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_column_that_appears_is_in_nobodys_view(
    server: TrialServer, steward: Steward, suffix: str
) -> None:
    """A file gains a column: readers and even the steward's scan keep what was reviewed."""
    dataset = steward.dataset(TABLE, suffix=suffix)
    reader = steward.reader(f"GRANT SELECT ON TABLE {dataset}")
    wider = pa.table({"secret": ["SECRET"] * 3, "note": ["a", "b", "c"], "id": [1, 2, 3]})
    write(wider, steward.folder(dataset) / f"part.{suffix}")
    for door, answer in every_answer(server, reader.token, Wanted(dataset)).items():
        assert answer.table is not None, (door, answer)
        assert answer.table.column_names == ["id", "note"], door
        assert answer.table.column("id").to_pylist() == [1, 2, 3]
        assert not any(b"SECRET" in part for part in answer.received)
    named = every_answer(server, reader.token, Wanted(dataset, ("secret",)))
    assert {answer.code for answer in named.values()} == {"not_found"}


CHANGED: dict[str, pa.Table] = {
    "missing": pa.table({"id": [1, 2, 3]}),
    "renamed": pa.table({"id": [1, 2, 3], "remark": ["a", "b", "c"]}),
    "retyped": pa.table({"id": ["SECRETA", "SECRETB", "SECRETC"], "note": ["a", "b", "c"]}),
}


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("change", sorted(CHANGED))
def test_a_known_column_that_changes_closes_the_dataset(
    server: TrialServer, steward: Steward, suffix: str, change: str
) -> None:
    """A typed error with a hint at every door, nothing read, no value told; the end is `failed`."""
    dataset = steward.dataset(TABLE, suffix=suffix)
    reader = steward.reader(f"GRANT SELECT ON TABLE {dataset}")
    write(CHANGED[change], steward.folder(dataset) / f"part.{suffix}")
    for door, answer in every_answer(server, reader.token, Wanted(dataset)).items():
        assert answer.table is None, door
        assert answer.code in {"schema_changed", "source_invalid", ""}, (door, answer)
        assert not any(b"SECRET" in part for part in answer.received)
    ends = server.events(user=reader.user, action="scan.end")
    assert ends
    assert {(event["outcome"], event["rows_returned"]) for event in ends} == {("failed", 0)}


def test_a_source_that_vanishes(server: TrialServer, steward: Steward) -> None:
    """A typed error that names no path; the end event says failed; back again, it serves again."""
    dataset = steward.dataset(TABLE)
    folder = steward.folder(dataset)
    reader = steward.reader(f"GRANT SELECT ON TABLE {dataset}")
    away = folder.with_name(f"{folder.name}_away")
    shutil.move(folder, away)
    for door, answer in every_answer(server, reader.token, Wanted(dataset)).items():
        assert answer.code in {"source_unavailable", ""}, (door, answer)
        assert not any(str(server.lake).encode() in part for part in answer.received)
        assert "steward" in str(answer.received), door
    event = server.events(user=reader.user, action="scan.end")[0]
    assert (event["outcome"], event["error"]) == ("failed", "source_unavailable")
    shutil.move(away, folder)
    assert columns(server, reader, dataset) == ["id", "note"]


def test_a_link_does_not_lead_out_of_the_lake(server: TrialServer, steward: Steward) -> None:
    """Neither for a crawl nor for a file that becomes a link after it was registered."""
    outside = server.home / "outside.csv"
    outside.write_text("id,note\n7,SECRET\n")
    dataset = steward.dataset(TABLE)
    reader = steward.reader(f"GRANT SELECT ON TABLE {dataset}")
    file = steward.folder(dataset) / "part.csv"
    file.unlink()
    file.symlink_to(outside)
    for answer in every_answer(server, reader.token, Wanted(dataset)).values():
        assert answer.table is None
        assert not any(b"SECRET" in part for part in answer.received)
    (server.lake / unique("link")).symlink_to(server.home)
    for path in (f"{server.lake}/../outside.csv", str(outside), "/etc", f"{file}"):
        try:
            found = steward.crawl(path)
        except InvalidRequest:
            continue
        assert not [d for d in found["datasets"] if not d["problem"]], path


def test_dropped_and_made_again(server: TrialServer, steward: Steward) -> None:
    """The name is the same, the dataset is not; an old ticket gives what the new one allows."""
    steward.ensure_tag(TAG)
    dataset = steward.dataset(TABLE, tags={"note": [TAG]})
    database, name = dataset.split(".")
    reader = steward.reader(f"GRANT SELECT ON DATABASE {database} HAVING ATTRIBUTE NOT IN ({TAG})")
    ticket = ticket_for(server, reader, dataset)
    before = steward.rest.get(f"/v1/datasets/{database}/{name}")
    steward.rest.delete(f"/v1/datasets/{database}/{name}")
    assert columns(server, reader, dataset) == "not_found"
    assert redeemed(server, reader, ticket) is None
    crawl = steward.crawl(steward.folder(dataset))
    again = steward.register(crawl, database, columns=[{"name": "note", "tags": [TAG]}])
    assert again["created_at"] != before["created_at"]
    assert columns(server, reader, dataset) == ["id"]
    assert redeemed(server, reader, ticket) == ["id"]


def test_two_stewards_edit_at_once(steward: Steward) -> None:
    """The second is told, and nothing of their edit is applied."""
    dataset = steward.dataset(TABLE)
    path = f"/v1/datasets/{dataset.replace('.', '/')}"
    revision = steward.rest.get(path)["revision"]

    def edit(comment: str) -> dict[str, Any]:
        body = {"revision": revision, "columns": [{"name": "id", "comment": comment}]}
        got = steward.rest._call("PATCH", f"{path}/columns", body=body)
        return got["columns"][0]

    assert edit("first")["comment"] == "first"
    with pytest.raises(Conflict):
        edit("second")
    assert steward.rest.get(path)["columns"][0]["comment"] == "first"
    with pytest.raises(Conflict):
        steward.rest.put(f"{path}/tags/phi.mrn", path="id", revision=revision)


def test_a_path_has_one_owner(steward: Steward) -> None:
    """Registered once it is not offered again; nor is a file within it."""
    dataset = steward.dataset(TABLE)
    database, _, _ = dataset.partition(".")
    folder = steward.folder(dataset)
    again = steward.crawl(folder)
    assert again["datasets"][0]["registered_as"] == dataset
    with pytest.raises(Conflict):
        steward.register(again, database, name="other")
    within = steward.crawl(folder / "part.csv")
    with pytest.raises(PrivetError):
        steward.register(within, database, name="other")
    assert steward.rest.items("/v1/datasets", database=database)[0]["name"] == dataset


def test_a_new_database_comes_with_its_first_dataset_or_not_at_all(steward: Steward) -> None:
    """`new_database` makes it; where registering fails, none is left behind."""
    name, database, other = unique("t"), unique("db"), unique("db")
    crawl = steward.crawl(write(TABLE, steward.server.lake / name / "part.csv").parent)
    steward.register(crawl, database, new_database=True)
    with pytest.raises(Conflict):
        steward.register(crawl, other, new_database=True)
    fresh = steward.crawl(write(TABLE, steward.server.lake / unique("t") / "part.csv").parent)
    with pytest.raises(NotFound):
        steward.register(fresh, other)
    databases = {item["name"] for item in steward.rest.items("/v1/databases")}
    assert database in databases
    assert other not in databases


def test_permissions_end_and_begin_by_the_clock(server: TrialServer, steward: Steward) -> None:
    """Outside their time they grant nothing."""
    dataset = steward.dataset(TABLE)
    early, late, now = (steward.reader() for _ in range(3))
    past, future = int(time.time()) - 60, int(time.time()) + 3600
    times = {
        early.role: f"'end_datetime'='{past}'",
        late.role: f"'start_datetime'='{future}'",
        now.role: f"'start_datetime'='{past}', 'end_datetime'='{future}'",
    }
    for role, properties in times.items():
        steward.sql(
            f"GRANT SELECT ON TABLE {dataset} TO ROLE {role} POLICYPROPERTIES({properties})"
        )
    assert columns(server, early, dataset) == columns(server, late, dataset) == "not_found"
    assert columns(server, now, dataset) == ["id", "note"]


BIG = 4_000_000


@pytest.fixture(scope="module")
def big(steward: Steward) -> tuple[str, Reader]:
    """A dataset that takes seconds to read, in many row groups."""
    table = pa.table({"id": pa.array(range(BIG)), "text": pa.array(["some text"] * BIG)})
    dataset = steward.dataset(table, suffix="parquet", row_group_size=100_000)
    return dataset, steward.reader(f"GRANT SELECT ON TABLE {dataset}")


def ended(server: TrialServer, reader: Reader, within: float) -> dict[str, Any]:
    """The end event of the reader's only running scan, which must come in time."""
    known = {e["parent"] for e in server.events(user=reader.user, action="scan.end")[1:]}
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        started = server.events(user=reader.user, action="scan.start")[0]["id"]
        for event in server.events(user=reader.user, action="scan.end"):
            if event["parent"] == started and event["id"] not in known:
                return event
        time.sleep(0.05)
    raise AssertionError("the scan has not ended")


def test_a_client_that_leaves_stops_the_work(server: TrialServer, big: tuple[str, Reader]) -> None:
    """Within a second, at both doors; rows read do not reach the end."""
    dataset, reader = big
    with server.flight() as client:
        descriptor = fl.FlightDescriptor.for_path(*dataset.split("."))
        info = client.get_flight_info(descriptor, bearer(reader.token))
        stream = client.do_get(info.endpoints[0].ticket, bearer(reader.token))
        assert stream.read_chunk().data.num_rows
        stream.cancel()
        event = ended(server, reader, 1.5)
    assert (event["outcome"], event["door"]) == ("cancelled", "flight")
    assert 0 < event["rows_returned"] <= event["rows_read"] < BIG
    with (
        server.http(reader.token) as http,
        http.stream("GET", f"/v1/datasets/{dataset.replace('.', '/')}/scan?format=csv") as got,
    ):
        next(got.iter_raw())
    event = ended(server, reader, 1.5)
    assert (event["outcome"], event["door"]) == ("cancelled", "rest")
    assert event["rows_read"] < BIG


def test_a_revocation_ends_a_running_scan(
    server: TrialServer, steward: Steward, big: tuple[str, Reader]
) -> None:
    """A reader who goes on reading slowly is stopped with a typed error, on record as such."""
    dataset, reader = big
    user = unique("leaver")
    token = server.token(user, reader.group)
    with server.flight() as client:
        descriptor = fl.FlightDescriptor.for_path(*dataset.split("."))
        info = client.get_flight_info(descriptor, bearer(token))
        stream = client.do_get(info.endpoints[0].ticket, bearer(token))
        stream.read_chunk()
        steward.rest.post(f"/v1/users/{user}/revoke")
        time.sleep(1.1)
        with pytest.raises(fl.FlightUnauthenticatedError, match="revoked"):
            stream.read_all()
    event = ended(server, Reader(user, "", "", token), 1.5)
    assert (event["outcome"], event["error"]) == ("failed", "revoked")
    assert event["rows_returned"] < BIG
