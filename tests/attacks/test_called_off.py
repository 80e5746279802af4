"""What runs can be called off by its reader and by administrators, and by nobody else."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import httpx2
import pyarrow as pa
import pyarrow.flight as fl
import pytest

from doors.doors import Run
from doors.servers import TrialServer, bearer
from doors.steward import Reader, Steward, unique
from privet.client.flight_errors import from_flight
from privet.model.errors import CalledOff, NotFound, PrivetError, Revoked

pytestmark = pytest.mark.service
BIG = 3_000_000
ENDS = {"scan": "scan.end", "query": "query.end"}


@pytest.fixture(scope="module")
def big(steward: Steward) -> str:
    """A dataset that takes seconds to read, in many row groups."""
    table = pa.table({"id": pa.array(range(BIG)), "text": pa.array(["some text"] * BIG)})
    return steward.dataset(table, suffix="parquet", row_group_size=100_000)


@pytest.fixture
def reader(steward: Steward, big: str) -> Reader:
    """Somebody who may read it."""
    return steward.reader(f"GRANT SELECT ON TABLE {big}")


def descriptor(big: str, kind: str) -> fl.FlightDescriptor:
    """Asks for the dataset as a scan, or as a statement whose answer is computed."""
    if kind == "scan":
        return fl.FlightDescriptor.for_path(*big.split("."))
    # Flight SQL's own command, as Any in protobuf.
    from privet.flight import flight_sql_pb2 as pb
    from privet.flight.messages import pack

    text = f"SELECT id + 1 AS more, text FROM {big}"
    return fl.FlightDescriptor.for_command(pack(pb.CommandStatementQuery(query=text)))


class Stream:
    """A stream over Flight of which the first batch has come, and no more was asked for."""

    def __init__(self, server: TrialServer, reader: Reader, big: str, kind: str) -> None:
        self.client = server.flight()
        info = self.client.get_flight_info(descriptor(big, kind), bearer(reader.token))
        self.stream = self.client.do_get(info.endpoints[0].ticket, bearer(reader.token))
        assert self.stream.read_chunk().data.num_rows

    def rest(self) -> PrivetError | None:
        """Read on; the error that comes."""
        try:
            self.stream.read_all()
        except (fl.FlightError, pa.ArrowException) as error:
            return from_flight(error)
        finally:
            self.client.close()
        return None


def running(server: TrialServer, token: str, user: str) -> list[dict[str, Any]]:
    """What runs of that user, as somebody sees it."""
    return [run for run in server.rest(token).items("/v1/scans") if run["user"] == user]


def eventually(found: Callable[[], Any], within: float = 3) -> Any:
    """What comes in time."""
    deadline = time.monotonic() + within
    while not (answer := found()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return answer


@pytest.mark.parametrize("kind", ["scan", "query"])
@pytest.mark.parametrize("who", ["reader", "administrator"])
def test_over_flight(server: TrialServer, reader: Reader, big: str, kind: str, who: str) -> None:
    """The reader gets a typed error; the end is on record with who did it when the call returns."""
    stream = Stream(server, reader, big, kind)
    token = reader.token if who == "reader" else server.admin_token
    (run,) = running(server, token, reader.user)
    assert (run["kind"], run["datasets"], run["door"]) == (kind, [big], "flight")
    assert 0 < run["rows"] < BIG
    server.rest(token).delete(f"/v1/scans/{run['id']}")
    ends = server.events(user=reader.user, action=ENDS[kind])
    assert [(e["parent"], e["outcome"]) for e in ends] == [(run["id"], "cancelled")]
    killer = reader.user if who == "reader" else server.rest().get("/v1/whoami")["user"]
    assert ends[0]["detail"]["killed_by"]["user"] == killer
    error = stream.rest()
    assert isinstance(error, CalledOff)
    assert ("you" if who == "reader" else "an administrator") in error.message
    assert running(server, server.admin_token, reader.user) == []
    assert len(server.events(user=reader.user, action=ENDS[kind])) == 1
    with pytest.raises(NotFound):
        server.rest(token).delete(f"/v1/scans/{run['id']}")


@pytest.mark.parametrize("kind", ["scan", "query"])
def test_over_http(server: TrialServer, reader: Reader, big: str, kind: str) -> None:
    """The answer breaks off, so that nobody takes it for whole."""
    path = f"/v1/datasets/{big.replace('.', '/')}/scan"
    asked: tuple[str, str, dict[str, Any]] = ("GET", path, {"params": {"format": "csv"}})
    if kind == "query":
        text = f"SELECT id + 1 AS more, text FROM {big}"
        asked = ("POST", "/v1/sql", {"json": {"statement": text}})
    method, path, sent = asked
    with server.http(reader.token) as http, http.stream(method, path, **sent) as got:
        parts = got.iter_raw()
        next(parts)
        (run,) = running(server, reader.token, reader.user)
        assert (run["kind"], run["door"]) == (kind, "rest")
        server.rest().delete(f"/v1/scans/{run['id']}")
        with pytest.raises(httpx2.RemoteProtocolError):
            list(parts)
    (event,) = server.events(user=reader.user, action=ENDS[kind])
    assert (event["outcome"], event["rows_returned"] < BIG) == ("cancelled", True)
    assert "killed_by" in event["detail"]


def test_a_query_that_has_not_answered_yet(server: TrialServer, steward: Steward, big: str) -> None:
    """A statement at work in its sandbox ends within a second, with the same error."""
    reader = steward.reader(f"GRANT SELECT ON TABLE {big}")
    text = f"SELECT count(*) FROM {big} a, {big} b WHERE a.id + b.id = 7 AND a.text > b.text"
    told: list[PrivetError] = []

    def ask() -> None:
        try:
            server.rest(reader.token).post("/v1/sql", {"statement": text})
        except PrivetError as error:
            told.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    (run,) = eventually(lambda: running(server, reader.token, reader.user), 20)
    server.rest(reader.token).delete(f"/v1/scans/{run['id']}")
    asking.join(5)
    assert not asking.is_alive()
    assert isinstance(told[0], CalledOff)
    (event,) = server.events(user=reader.user, action="query.end")
    assert (event["outcome"], event["error"]) == ("cancelled", "")


def test_foreign_and_unknown_read_alike(
    server: TrialServer, steward: Steward, reader: Reader, big: str
) -> None:
    """Another reader sees nothing of it, and their order changes nothing; both are on record."""
    other = steward.reader(f"GRANT SELECT ON TABLE {big}")
    stream = Stream(server, reader, big, "scan")
    (run,) = running(server, reader.token, reader.user)
    assert server.rest(other.token).items("/v1/scans") == []
    answers: list[Any] = []
    with server.http(other.token) as http:
        for identifier in (run["id"], run["id"][:-1] + "x", "..", "0" * 36):
            got = http.delete(f"/v1/scans/{identifier}")
            body = got.json() if identifier != ".." else {}
            body.pop("audit_id", None)
            answers.append((got.status_code, body) if body else None)
    assert answers[0] == answers[1] == answers[3]
    assert answers[0][0] == 404
    refused = server.events(user=other.user, action="scan.kill")
    assert {(e["outcome"], e["error"]) for e in refused} == {("refused", "not_found")}
    assert running(server, server.admin_token, reader.user)
    assert stream.rest() is None
    assert server.events(user=reader.user, action="scan.end")[0]["outcome"] == "completed"


def test_what_a_reader_is_told_of_progress(server: TrialServer, steward: Steward, big: str) -> None:
    """Rows that left, never rows that were read: these would tell how many are hidden."""
    reader = steward.reader(f"GRANT SELECT ON TABLE {big} WHERE id % 2 = 0")
    stream = Stream(server, reader, big, "scan")
    (run,) = running(server, reader.token, reader.user)
    assert "rows_read" not in run
    assert set(run) == {"id", "kind", "user", "issuer", "door", "datasets", "since", "rows"}
    server.rest(reader.token).delete(f"/v1/scans/{run['id']}")
    assert isinstance(stream.rest(), CalledOff)


def test_by_command(server: TrialServer, reader: Reader, big: str, command: Run) -> None:
    """`privet scans list` and `kill` say what there is and what was done."""
    stream = Stream(server, reader, big, "scan")
    mine = {"PRIVET_TOKEN": reader.token}
    listed = command("scans", "list", **mine)
    (run,) = running(server, reader.token, reader.user)
    assert run["id"] in listed.stdout
    assert big in listed.stdout
    assert command("scans", "kill", unique("no"), **mine).exit_code == 4
    done = command("scans", "kill", run["id"], **mine)
    assert (done.exit_code, done.stdout) == (0, f"called off {run['id']}\n")
    assert isinstance(stream.rest(), CalledOff)
    assert command("scans", "list", **mine).stdout == "nothing is being read\n"


@pytest.mark.parametrize("kind", ["scan", "query"])
def test_the_end_of_a_token(server: TrialServer, reader: Reader, big: str, kind: str) -> None:
    """What runs ends with the token that it began with; on record as failed, and why."""
    user = unique("brief")
    brief = Reader(user, "", "", server.token(user, reader.group, lifetime=2))
    stream = Stream(server, brief, big, kind)
    time.sleep(2.1)
    error = stream.rest()
    assert isinstance(error, Revoked)
    assert "expired" in error.message
    (event,) = server.events(user=user, action=ENDS[kind])
    assert (event["outcome"], event["error"]) == ("failed", "revoked")
    assert event["rows_returned"] < BIG


@pytest.mark.parametrize("kind", ["scan", "query"])
def test_a_longest_time(fresh_server: Callable[..., TrialServer], kind: str) -> None:
    """What takes longer than the server allows ends, also where nothing else has ended."""
    slow = fresh_server("slow", PRIVET_MAX_SCAN_SECONDS="2")
    steward = Steward(slow)
    table = pa.table({"id": pa.array(range(BIG)), "text": pa.array(["some text"] * BIG)})
    dataset = steward.dataset(table, suffix="parquet", row_group_size=100_000)
    reader = steward.reader(f"GRANT SELECT ON TABLE {dataset}")
    stream = Stream(slow, reader, dataset, kind)
    time.sleep(2.1)
    error = stream.rest()
    assert isinstance(error, Revoked)
    assert "longer than this server allows" in error.message
    assert slow.events(user=reader.user, action=ENDS[kind])[0]["error"] == "revoked"
