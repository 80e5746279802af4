"""Statements by hand: plain and prepared, and everything that is refused, in words."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.flight as fl
import pytest

from doors.servers import TrialServer
from doors.steward import Reader, Steward
from flight.raw import Speaker, numbered, refused, speaker
from privet.enforcement import Seal
from privet.flight import flight_sql_pb2 as pb
from privet.keys import FileKeys, KeyRing
from privet.model.principals import Principal
from privet.model.requests import QueryRequest

pytestmark = pytest.mark.service
Seen = tuple[str, Reader]


@pytest.fixture(scope="module")
def seen(steward: Steward) -> Seen:
    """A dataset, and somebody who may read all but one of its columns."""
    table = pa.table({"id": [1, 2, 3], "age": [30, 40, None], "phone": ["SECRET"] * 3})
    dataset = steward.dataset(table, tags={"phone": ["phi.phone_number"]})
    grant = f"GRANT SELECT ON TABLE {dataset} HAVING ATTRIBUTE NOT IN (phi.phone_number)"
    return dataset, steward.reader(grant)


@pytest.fixture
def reader(server: TrialServer, seen: Seen) -> Iterator[Speaker]:
    """That somebody."""
    with speaker(server, seen[1].token) as speaks:
        yield speaks


def values(**named: Any) -> pa.RecordBatch:
    """A row of parameters."""
    return pa.record_batch({name: [value] for name, value in named.items()})


def test_a_statement_is_answered(reader: Speaker, seen: Seen) -> None:
    """Announced with the schema that it has; the hidden column is not among those of `*`."""
    table = reader.ask(f"SELECT * FROM {seen[0]} ORDER BY id")
    assert table.to_pydict() == {"id": [1, 2, 3], "age": [30, 40, None]}
    assert reader.ask(f"SELECT sum(age) AS s FROM {seen[0]}").to_pydict() == {"s": [70]}
    assert reader.ask(f"SELECT id FROM {seen[0]} WHERE id > 5").num_rows == 0


def test_a_prepared_statement_is_run_again(reader: Speaker, seen: Seen) -> None:
    """As often as one likes; closing it takes nothing away, for there is nothing."""
    prepared = reader.prepare(f"SELECT id FROM {seen[0]} ORDER BY id")
    assert pa.ipc.read_schema(pa.py_buffer(prepared.dataset_schema)) == pa.schema(
        [("id", pa.int64())]
    )
    assert pa.ipc.read_schema(pa.py_buffer(prepared.parameter_schema)) == pa.schema([])
    assert prepared.is_update is False
    assert prepared.HasField("is_update")
    handle = prepared.prepared_statement_handle
    for _ in range(2):
        assert reader.run(handle).to_pydict() == {"id": [1, 2, 3]}
    closing = pb.ActionClosePreparedStatementRequest(prepared_statement_handle=handle)
    for _ in range(2):
        assert reader.act("ClosePreparedStatement", closing) == [b""]


def test_handles_and_tickets_are_opaque(reader: Speaker, seen: Seen) -> None:
    """They do not show the statement nor its values."""
    handle = reader.prepare(f"SELECT id FROM {seen[0]} WHERE age = ?").prepared_statement_handle
    bound = reader.bind(handle, values(one="find_me"))
    ticket = reader.info(pb.CommandStatementQuery(query=f"SELECT id FROM {seen[0]}"))
    for sealed in (handle, bound, ticket.endpoints[0].ticket.ticket):
        opened = sealed + base64.urlsafe_b64decode(sealed[-4 * (len(sealed) // 4) :])
        for word in (b"SELECT", seen[0].encode(), b"find_me", seen[1].user.encode()):
            assert word not in opened


def test_values_stand_for_parameters(reader: Speaker, seen: Seen) -> None:
    """By position, counted from 0 or 1 or not at all, and by name; bound anew each time."""
    prepared = reader.prepare(f"SELECT id, ? AS word FROM {seen[0]} WHERE age >= ? ORDER BY id")
    names = pa.ipc.read_schema(pa.py_buffer(prepared.parameter_schema))
    assert names == pa.schema([("1", pa.null()), ("2", pa.null())])
    handle = prepared.prepared_statement_handle
    for word, row in (
        ("a", numbered("a", 40)),
        ("b", values(**{"1": "b", "2": 40})),
        ("c", pa.RecordBatch.from_arrays([pa.array(["c"]), pa.array([40])], ["", ""])),
    ):
        handle = reader.bind(handle, row)
        assert reader.run(handle).to_pydict() == {"id": [2], "word": [word]}
    named = reader.prepare(f"SELECT id FROM {seen[0]} WHERE age = $age")
    names = pa.ipc.read_schema(pa.py_buffer(named.parameter_schema))
    assert names == pa.schema([("age", pa.null())])
    handle = reader.bind(named.prepared_statement_handle, values(age=30))
    assert reader.run(handle).to_pydict() == {"id": [1]}


def test_a_new_handle_leaves_the_old_one(reader: Speaker) -> None:
    """Each holds its own values; a row of none takes them away."""
    first = reader.prepare("SELECT ? + 1 AS x").prepared_statement_handle
    second = reader.bind(first, numbered(1))
    third = reader.bind(second, numbered(10))
    assert reader.run(second).to_pydict() == {"x": [2]}
    assert reader.run(third).to_pydict() == {"x": [11]}
    for unbound in (first, reader.bind(third, pa.record_batch({"0": pa.array([], pa.int64())}))):
        with refused("invalid_request", "statement_failed", "parse_failed"):
            reader.run(unbound)


@pytest.mark.parametrize(
    "rows",
    [
        [numbered(1), numbered(2)],
        [pa.record_batch({"0": [1, 2]})],
    ],
    ids=["two batches", "two rows"],
)
def test_one_row_of_values(reader: Speaker, rows: list[pa.RecordBatch]) -> None:
    """A statement is run once; many rows are many statements."""
    handle = reader.prepare("SELECT ? + 1 AS x").prepared_statement_handle
    with refused("invalid_request", text="exactly one row"):
        reader.bind(handle, *rows)


@pytest.mark.parametrize(
    "row",
    [
        numbered(),
        numbered("no number"),
        numbered(1, 2),
        numbered([1, 2]),
        pa.record_batch({"0": [b"\xff"]}),
    ],
    ids=["none", "text", "two", "a list", "bytes"],
)
def test_values_that_do_not_fit(reader: Speaker, row: pa.RecordBatch) -> None:
    """Refused when they are put or when the statement is run; never the value in the text."""
    with refused(
        "invalid_request", "type_mismatch", "statement_failed", "parse_failed", "unknown_name"
    ) as said:
        handle = reader.prepare("SELECT ? + 1 AS x").prepared_statement_handle
        reader.run(reader.bind(handle, row))
    assert "no number" not in said["message"]


def test_large_values_are_refused(reader: Speaker) -> None:
    """They would have to travel in the handle."""
    handle = reader.prepare("SELECT length(?) AS x").prepared_statement_handle
    with refused("invalid_request", text="too large"):
        reader.bind(handle, numbered("x" * 3_000_000))


WRONG = (
    ("", {"invalid_request"}),
    (" ", {"invalid_request"}),
    ("SELECT", {"parse_failed"}),
    ("SELEC 1", {"parse_failed"}),
    ("SELECT 1; SELECT 2", {"parse_failed", "invalid_request"}),
    ("SELECT nothing_there FROM {0}", {"unknown_name", "not_found"}),
    ("SELECT phone FROM {0}", {"unknown_name", "not_found"}),
    ("SELECT * FROM absent.absent", {"not_found", "unknown_name"}),
    ("INSERT INTO {0} VALUES (1)", {"parse_failed", "invalid_request"}),
    ("COPY {0} TO 'x'", {"parse_failed", "invalid_request"}),
    ("CREATE TABLE t (a INTEGER)", {"parse_failed", "invalid_request"}),
    ("SET memory_limit = '1TB'", {"parse_failed", "invalid_request"}),
    ("BEGIN TRANSACTION", {"parse_failed", "invalid_request"}),
    ("SELECT * FROM read_csv('/etc/passwd')", {"invalid_request", "parse_failed", "unknown_name"}),
    ("SELECT '\0'", {"invalid_request"}),
    ("SELECT '" + "x" * 200_000 + "'", {"invalid_request"}),
    ("SELECT 1 AS " + "x" * 100_000 + " FROM absent", {"invalid_request", "unknown_name"}),
)


@pytest.mark.parametrize(("text", "codes"), WRONG, ids=range(len(WRONG)))
def test_wrong_statements_are_refused(
    reader: Speaker, seen: Seen, text: str, codes: set[str]
) -> None:
    """Plain and prepared alike, in the same words."""
    text = text.format(seen[0]) if "{0}" in text else text
    with refused(*codes) as plain:
        reader.ask(text)
    with refused(*codes) as prepared:
        reader.run(reader.prepare(text).prepared_statement_handle)
    same = ("code", "message", "hint", "position")
    assert [plain[key] for key in same] == [prepared[key] for key in same]
    assert len(plain["message"]) < 1000


def seal_of(server: TrialServer, **options: Any) -> Seal:
    """A seal with the server's own key: what only a thief of the key could have."""
    return Seal(KeyRing(FileKeys(server.home / "master.key")).derive, **options)


def flipped(sealed: bytes, place: int) -> bytes:
    """One bit changed."""
    raw = bytearray(base64.urlsafe_b64decode(sealed))
    raw[place] ^= 1
    return base64.urlsafe_b64encode(bytes(raw))


ALTERED = (b"", b"\x00\xff", b"SELECT 1", b"x" * 100_000)


def test_altered_handles_and_tickets_are_refused_alike(reader: Speaker) -> None:
    """In one sentence, for running, binding and redeeming."""
    handle = reader.prepare("SELECT ? AS x").prepared_statement_handle
    said: set[str] = set()
    for bad in (*ALTERED, handle[:-8], *(flipped(handle, place) for place in (0, 8, 12, 30, -1))):
        for attempt in (
            lambda bad=bad: reader.run(bad),
            lambda bad=bad: reader.bind(bad, numbered(1)),
            lambda bad=bad: reader.get(pb.TicketStatementQuery(statement_handle=bad)),
        ):
            with refused("ticket_invalid") as told:
                attempt()
            said.add(told["message"])
    assert said == {"the ticket is not valid, has expired or belongs to somebody else"}


def test_handles_and_tickets_serve_nobody_else(
    server: TrialServer, reader: Speaker, seen: Seen, steward: Steward
) -> None:
    """Not even somebody who may read more, or the administrator; nor nobody."""
    text = f"SELECT id FROM {seen[0]}"
    handle = reader.prepare(text).prepared_statement_handle
    ticket = reader.info(pb.CommandStatementQuery(query=text)).endpoints[0].ticket
    other = steward.reader(f"GRANT SELECT ON TABLE {seen[0]}")
    for token, code in (
        (other.token, "ticket_invalid"),
        (server.admin_token, "ticket_invalid"),
        (None, "unauthenticated"),
    ):
        with speaker(server, token) as stranger:
            for attempt in (
                lambda: stranger.run(handle),
                lambda: stranger.bind(handle, numbered(1)),
                lambda: stranger.get(ticket),
            ):
                with refused(code):
                    attempt()


def test_handles_and_tickets_expire(server: TrialServer, seen: Seen, reader: Speaker) -> None:
    """Twelve hours and ten minutes; those from the future are refused, and one as the other."""
    request, principal = QueryRequest(f"SELECT id FROM {seen[0]}"), Principal(seen[1].user)

    def sealed(shift: int, *, handle: bool = False) -> bytes:
        seal = seal_of(server, clock=lambda: time.time() + shift)
        return seal.close(request, principal, handle=handle)

    assert reader.run(sealed(-12 * 3600 + 60, handle=True)).num_rows == 3
    with refused("ticket_invalid"):
        reader.run(sealed(0))
    with refused("ticket_invalid"):
        reader.get(pb.TicketStatementQuery(statement_handle=sealed(0, handle=True)))
    assert reader.get(pb.TicketStatementQuery(statement_handle=sealed(-540))).num_rows == 3
    for shift in (-12 * 3600 - 60, 3600):
        with refused("ticket_invalid"):
            reader.run(sealed(shift, handle=True))
    for shift in (-660, 3600):
        with refused("ticket_invalid"):
            reader.get(pb.TicketStatementQuery(statement_handle=sealed(shift)))


def test_even_a_well_sealed_statement_carries_no_right(
    server: TrialServer, seen: Seen, reader: Speaker
) -> None:
    """Redeeming and running decide again."""
    hidden = QueryRequest(f"SELECT phone FROM {seen[0]}")
    seal, principal = seal_of(server), Principal(seen[1].user)
    with refused("unknown_name", "not_found"):
        reader.run(seal.close(hidden, principal, handle=True))
    with refused("unknown_name", "not_found"):
        reader.get(pb.TicketStatementQuery(statement_handle=seal.close(hidden, principal)))


def test_a_change_of_policy_counts_at_once(
    server: TrialServer, steward: Steward, seen: Seen
) -> None:
    """A handle and a ticket of before a revocation give nothing."""
    leaver = steward.reader(f"GRANT SELECT ON TABLE {seen[0]}")
    with speaker(server, leaver.token) as speaks:
        text = f"SELECT id FROM {seen[0]}"
        handle = speaks.prepare(text).prepared_statement_handle
        ticket = speaks.info(pb.CommandStatementQuery(query=text)).endpoints[0].ticket
        assert speaks.get(ticket).num_rows == 3
        steward.rest.delete(f"/v1/roles/{leaver.role}/groups/{leaver.group}")
        with refused("not_found"):
            speaks.get(ticket)
        with refused("not_found"):
            speaks.run(handle)


def asked(statement: str, row: pa.RecordBatch | None = None, **others: Any) -> bytes:
    """A query as our own client sends it."""
    stream = None
    if row is not None:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, row.schema) as writer:
            writer.write_batch(row)
        stream = base64.b64encode(sink.getvalue().to_pybytes()).decode()
    query = {"statement": statement, "parameters": stream, **others}
    return json.dumps({"query": query}).encode()


def test_our_own_client_asks_in_json(reader: Speaker, seen: Seen) -> None:
    """With values, a database for names without one, and a limit."""
    database, name = seen[0].split(".")
    assert reader.ask(asked("SELECT 1 AS x")).to_pydict() == {"x": [1]}
    text = f"SELECT id FROM {name} WHERE age >= ? ORDER BY id"
    command = asked(text, values(**{"1": 30}), database=database, limit=1)
    assert reader.ask(command).to_pydict() == {"id": [1]}
    named = asked(f"SELECT id FROM {seen[0]} WHERE age = $age", values(age=40))
    assert reader.ask(named).to_pydict() == {"id": [2]}
    for row in (pa.record_batch({"1": [1, 2]}), pa.record_batch({"1": pa.array([], pa.int64())})):
        with refused("invalid_request", text="exactly one row"):
            reader.info(asked("SELECT ? AS x", row))
    with refused("parse_failed", "invalid_request"):
        reader.info(asked("SHOW ROLES"))


def test_paths_are_still_scans(reader: Speaker, seen: Seen) -> None:
    """What Flight alone offers is beside Flight SQL."""
    descriptor = fl.FlightDescriptor.for_path(*seen[0].split("."))
    info = reader.client.get_flight_info(descriptor, reader.options)
    assert reader.get(info.endpoints[0].ticket).num_rows == 3
