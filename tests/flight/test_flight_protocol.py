"""The Flight door beside the straight way: other methods, forged tickets, odd commands."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pyarrow.flight as fl
import pytest

from doors.servers import TrialServer, bearer
from doors.steward import Reader, Steward, unique
from privet.enforcement import Seal
from privet.keys import FileKeys, KeyRing
from privet.model.names import DatasetName
from privet.model.principals import Principal
from privet.model.requests import ScanRequest

pytestmark = pytest.mark.service
Seen = tuple[str, Reader]


@pytest.fixture(scope="module")
def seen(steward: Steward) -> Seen:
    """A dataset, and somebody who may read one of its columns."""
    table = pa.table({"id": [1, 2, 3], "phone": ["SECRET"] * 3})
    dataset = steward.dataset(table, tags={"phone": ["phi.phone_number"]})
    grant = f"GRANT SELECT ON TABLE {dataset} HAVING ATTRIBUTE NOT IN (phi.phone_number)"
    return dataset, steward.reader(grant)


def told(error: fl.FlightError | pa.ArrowException) -> dict[str, Any]:
    """What stands beside an error; it and the text are ours and hold no stack."""
    text = str(error)
    for word in ("Traceback", ".py", 'File "', "SECRET", "object at 0x"):
        assert word not in text.partition("gRPC client debug context")[0], text
    return json.loads(getattr(error, "extra_info", b"") or b"{}")


def seal_of(server: TrialServer, **options: Any) -> Seal:
    """A seal with the server's own key: what only a thief of the key could have."""
    return Seal(KeyRing(FileKeys(server.home / "master.key")).derive, **options)


def ticket_for(server: TrialServer, seen: Seen) -> fl.Ticket:
    """A good one."""
    with server.flight() as client:
        descriptor = fl.FlightDescriptor.for_path(*seen[0].split("."))
        return client.get_flight_info(descriptor, bearer(seen[1].token)).endpoints[0].ticket


def redeem(server: TrialServer, ticket: bytes, token: str) -> dict[str, Any]:
    """Redeem a ticket that must be refused; what was said."""
    with server.flight() as client, pytest.raises((fl.FlightError, pa.ArrowException)) as refused:
        client.do_get(fl.Ticket(ticket), bearer(token)).read_all()
    return told(refused.value)


def test_a_good_ticket_is_redeemed(server: TrialServer, seen: Seen) -> None:
    """More than once, by the one it was made for; it shows nothing of what it asks for."""
    ticket = ticket_for(server, seen)
    opened = base64.urlsafe_b64decode(ticket.ticket)
    for text in (seen[0].partition(".")[2], seen[1].user, "id"):
        assert text.encode() not in opened or text == "id"
    with server.flight() as client:
        for _ in range(2):
            rows = client.do_get(ticket, bearer(seen[1].token)).read_all()
            assert rows.to_pydict() == {"id": [1, 2, 3]}


def flipped(ticket: bytes, place: int) -> bytes:
    """One bit changed."""
    raw = bytearray(base64.urlsafe_b64decode(ticket))
    raw[place] ^= 1
    return base64.urlsafe_b64encode(bytes(raw))


ALTERED: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "not base64": lambda _: b"\x00\xff\x00",
    "a name": lambda _: b"medical_charges.medical_costs",
    "a command": lambda _: b'{"scan": {"dataset": "medical_charges.medical_costs"}}',
    "cut": lambda t: t[:-8],
    "doubled": lambda t: base64.urlsafe_b64encode(base64.urlsafe_b64decode(t) * 2),
    "huge": lambda _: b"A" * 3_000_000,
    "version": lambda t: flipped(t, 0),
    "time": lambda t: flipped(t, 8),
    "vector": lambda t: flipped(t, 12),
    "content": lambda t: flipped(t, 30),
    "signature": lambda t: flipped(t, -1),
}


@pytest.mark.parametrize("how", sorted(ALTERED))
def test_altered_tickets_are_refused_alike(server: TrialServer, seen: Seen, how: str) -> None:
    """One sentence for every way, and each attempt is on record."""
    ticket = ALTERED[how](ticket_for(server, seen).ticket)
    said = redeem(server, ticket, seen[1].token)
    assert said["code"] == "ticket_invalid"
    assert said["message"] == ("the ticket is not valid, has expired or belongs to somebody else")
    event = server.events(user=seen[1].user)[0]
    assert (event["id"], event["outcome"], event["error"]) == (
        said["audit_id"],
        "refused",
        "ticket_invalid",
    )


def test_a_replayed_ticket_serves_nobody_else(
    server: TrialServer, seen: Seen, steward: Steward
) -> None:
    """Not even somebody who may read more, the admin, or a namesake with other groups."""
    ticket = ticket_for(server, seen).ticket
    other = steward.reader(f"GRANT SELECT ON TABLE {seen[0]}")
    for token in (other.token, server.admin_token):
        assert redeem(server, ticket, token)["code"] == "ticket_invalid"
    namesake = server.token(seen[1].user, unique("other_group"))
    assert redeem(server, ticket, namesake)["code"] == "not_found"
    with server.flight() as client, pytest.raises(fl.FlightUnauthenticatedError):
        client.do_get(fl.Ticket(ticket)).read_all()


def test_an_expired_ticket_is_refused(server: TrialServer, seen: Seen) -> None:
    """Ten minutes, by the server's clock; one from the future is refused as well."""
    request = ScanRequest(DatasetName.parse(seen[0]))
    principal = Principal(seen[1].user)

    for shift, code in ((-601, "ticket_invalid"), (-590, ""), (3600, "ticket_invalid")):
        seal = seal_of(server, clock=lambda shift=shift: time.time() + shift)
        ticket = seal.close(request, principal)
        if code:
            assert redeem(server, ticket, seen[1].token)["code"] == code
        else:
            with server.flight() as client:
                client.do_get(fl.Ticket(ticket), bearer(seen[1].token)).read_all()


def test_even_a_well_sealed_ticket_carries_no_right(
    server: TrialServer, seen: Seen, steward: Steward
) -> None:
    """A ticket is a request: redeeming one decides again."""
    seal = seal_of(server, lifetime=timedelta(minutes=10))
    principal = Principal(seen[1].user)
    hidden = ScanRequest(DatasetName.parse(seen[0]), ("phone",))
    elsewhere = ScanRequest(DatasetName.parse(steward.dataset(pa.table({"a": [1]}))))
    for request in (hidden, elsewhere):
        said = redeem(server, seal.close(request, principal), seen[1].token)
        assert said["code"] == "not_found"


COMMANDS: tuple[bytes, ...] = (
    b"",
    b"\x00",
    b"\xff\xfe",
    b"null",
    b"[]",
    b"7",
    b'"medical_charges.medical_costs"',
    b"SELECT * FROM medical_charges.medical_costs",
    b"{}",
    b'{"scan": null}',
    b'{"scan": []}',
    b'{"scan": {}}',
    b'{"scan": {"dataset": null}}',
    b'{"scan": {"dataset": ["a", "b"]}}',
    b'{"scan": {"dataset": "a.b.c"}}',
    b'{"scan": {"dataset": "a"}}',
    b'{"scan": {"dataset": "a.b/../c"}}',
    b'{"scan": {"dataset": "a.\\ud800"}}',
    b'{"scan": {"dataset": "a.b\\u0000"}}',
    b'{"scan": {"dataset": "a.b"}, "scan": {"dataset": "a.c"}}',
    b'{"scan": {"dataset": "a.b", "dataset": "a.c"}}',
    b'{"scan": {"dataset": "a.b"}, "user": "admin"}',
    b'{"scan": {"dataset": "a.b", "where": "1=1"}}',
    b'{"scan": {"dataset": "a.b", "columns": "id"}}',
    b'{"scan": {"dataset": "a.b", "columns": [1]}}',
    b'{"scan": {"dataset": "a.b", "columns": ["id; phone"]}}',
    b'{"scan": {"dataset": "a.b", "columns": []}}',
    b'{"scan": {"dataset": "a.b", "limit": -1}}',
    b'{"scan": {"dataset": "a.b", "limit": "1"}}',
    b'{"scan": {"dataset": "a.b", "limit": true}}',
    b'{"scan": {"dataset": "a.b", "limit": 1.5}}',
    b'{"scan": {"dataset": "a.b", "limit": 99999999999999999999}}',
    b'{"scan": {"dataset": "a.b", "limit": NaN}}',
    b"[" * 100_000,
    b'{"scan": {"dataset": "' + b"a" * 3_000_000 + b'.b"}}',
    b'{"query": null}',
    b'{"query": {}}',
    b'{"query": {"statement": null}}',
    b'{"query": {"statement": ["SELECT 1"]}}',
    b'{"query": {"statement": ""}}',
    b'{"query": {"statement": "SELECT 1", "statement": "SELECT 2"}}',
    b'{"query": {"statement": "SELECT 1"}, "scan": {"dataset": "a.b"}}',
    b'{"query": {"statement": "SELECT 1", "offset": 1}}',
    b'{"query": {"statement": "SELECT 1", "limit": -1}}',
    b'{"query": {"statement": "SELECT 1", "limit": true}}',
    b'{"query": {"statement": "SELECT 1", "database": 1}}',
    b'{"query": {"statement": "SELECT 1", "database": "a.b"}}',
    b'{"query": {"statement": "SELECT 1", "parameters": [1]}}',
    b'{"query": {"statement": "SELECT 1", "parameters": ""}}',
    b'{"query": {"statement": "SELECT 1", "parameters": "not base64"}}',
    b'{"query": {"statement": "SELECT 1", "parameters": "AAAA"}}',
    b'{"query": {"statement": "SELECT \\u0000"}}',
    b'{"query": {"statement": "SELECT \\ud800"}}',
    b'{"query": {"statement": "SELECT \'' + b"a" * 3_000_000 + b"'\"}}",
)


@pytest.mark.parametrize("sent", COMMANDS, ids=range(len(COMMANDS)))
def test_malformed_commands_are_refused(server: TrialServer, seen: Seen, sent: bytes) -> None:
    """As invalid, with what to send instead."""
    descriptor = fl.FlightDescriptor.for_command(sent)
    with server.flight() as client, pytest.raises((fl.FlightError, pa.ArrowException)) as refused:
        client.get_flight_info(descriptor, bearer(seen[1].token))
    assert told(refused.value)["code"] == "invalid_request"


@pytest.mark.parametrize("path", [("medical_charges", "medical_costs"), ("absent", "absent")])
def test_get_schema_points_elsewhere(server: TrialServer, seen: Seen, path: Any) -> None:
    """Before anything is looked up; the library would tell clients its stack otherwise."""
    descriptor = fl.FlightDescriptor.for_path(*path)
    with (
        server.flight() as client,
        pytest.raises(OSError, match="GetFlightInfo has the schema") as refused,
    ):
        client.get_schema(descriptor, bearer(seen[1].token))
    assert "Traceback" not in str(refused.value)


@pytest.mark.parametrize(
    "path",
    [(), ("a",), ("a.b",), ("a", "b", "c"), ("a", "b\x00"), ("", ""), ("a", "b/c")],
)
def test_malformed_paths_are_refused(server: TrialServer, seen: Seen, path: Any) -> None:
    """A path is two identifiers."""
    descriptor = fl.FlightDescriptor.for_path(*path)
    with server.flight() as client, pytest.raises((fl.FlightError, pa.ArrowException)) as refused:
        client.get_flight_info(descriptor, bearer(seen[1].token))
    assert told(refused.value)["code"] == "invalid_request"


CALLS: tuple[tuple[str, bytes], ...] = (
    ("privet.call", b""),
    ("privet.call", b"null"),
    ("privet.call", b"[]"),
    ("privet.call", b'{"use": ["whoami"]}'),
    ("privet.call", b'{"use": "__class__"}'),
    ("privet.call", b'{"use": "whoami", "use": "sql"}'),
    ("privet.call", b'{"use": "whoami", "user": "admin"}'),
    ("privet.call", b'{"use": "datasets", "database": 1}'),
    ("privet.call", b'{"use": "datasets", "database": "a.b"}'),
    ("privet.call", b'{"use": "explain"}'),
    ("privet.call", b'{"use": "explain", "dataset": "a.b", "groups": "x"}'),
    ("privet.call", b'{"use": "sql"}'),
    ("privet.call", b'{"use": "sql", "statement": ""}'),
    ("privet.call", b"[" * 100_000),
    ("CreatePreparedStatement", b""),
    ("SetSessionOptions", b"\x0a\x00"),
    ("CancelFlightInfo", b""),
    ("BeginTransaction", b""),
    ("PRIVET.CALL", b'{"use": "whoami"}'),
    ("", b""),
    ("\u202ecall", b""),
    ("x" * 10_000, b""),
)


@pytest.mark.parametrize(("kind", "body"), CALLS, ids=range(len(CALLS)))
def test_other_actions_are_refused(server: TrialServer, seen: Seen, kind: str, body: bytes) -> None:
    """Unknown ones, Flight SQL's, session options, and ours with wrong arguments."""
    with server.flight() as client, pytest.raises((fl.FlightError, pa.ArrowException)) as refused:
        list(client.do_action(fl.Action(kind, body), bearer(seen[1].token)))
    assert told(refused.value)["code"] in {"invalid_request", "parse_failed"}


def put(client: fl.FlightClient, descriptor: fl.FlightDescriptor, token: str) -> None:
    """Try to write a row."""
    schema = pa.schema([("a", pa.int64())])
    writer, _ = client.do_put(descriptor, schema, bearer(token))
    with writer:
        writer.write_batch(pa.record_batch({"a": [1]}))


def exchange(client: fl.FlightClient, descriptor: fl.FlightDescriptor, token: str) -> None:
    """Try to exchange rows."""
    writer, reader = client.do_exchange(descriptor, bearer(token))
    with writer:
        writer.done_writing()
        reader.read_all()


@pytest.mark.parametrize("write", [put, exchange])
def test_nothing_can_be_written(server: TrialServer, seen: Seen, write: Any) -> None:
    """DoPut and DoExchange are refused in words."""
    descriptor = fl.FlightDescriptor.for_path(*seen[0].split("."))
    with (
        server.flight() as client,
        pytest.raises((fl.FlightError, pa.ArrowException), match="only reads") as refused,
    ):
        write(client, descriptor, seen[1].token)
    told(refused.value)


def test_criteria_are_refused_not_ignored(server: TrialServer, seen: Seen) -> None:
    """Who sends some expects a selection."""
    with server.flight() as client, pytest.raises((fl.FlightError, pa.ArrowException)) as refused:
        list(client.list_flights(b"phone", bearer(seen[1].token)))
    assert told(refused.value)["code"] == "invalid_request"


def test_without_the_certificate_nothing_is_sent(server: TrialServer, seen: Seen) -> None:
    """Neither to a server that is not trusted nor without TLS."""
    descriptor = fl.FlightDescriptor.for_path(*seen[0].split("."))
    plain = server.flight_url.replace("grpc+tls", "grpc")
    for url in (server.flight_url, plain):
        options = fl.FlightCallOptions(
            headers=[(b"authorization", f"Bearer {seen[1].token}".encode())], timeout=3
        )
        with (
            fl.FlightClient(url) as client,
            pytest.raises((fl.FlightUnavailableError, fl.FlightTimedOutError)),
        ):
            client.get_flight_info(descriptor, options)


def test_the_server_serves_on(server: TrialServer, seen: Seen) -> None:
    """After anything above, in any order; nothing unexpected is in its log."""
    with server.flight() as client:
        ticket = ticket_for(server, seen)
        assert client.do_get(ticket, bearer(seen[1].token)).read_all().num_rows == 3
    assert "unexpected error" not in server.log.read_text()
