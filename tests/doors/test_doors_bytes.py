"""Every byte that demo_user2 gets, searched for what the acceptance policy keeps from them."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.flight as fl
import pytest

from doors.doors import Run, Wanted, every_answer
from doors.planted import inside_parquet
from doors.servers import TrialServer, bearer
from privet.demo.generate import generate

pytestmark = pytest.mark.service
NAME = "medical_charges.medical_costs"
PATH = f"/v1/datasets/{NAME.replace('.', '/')}"
PHONE = re.compile(rb"\(\d{3}\) 555-01\d\d")
RECORD_NUMBER = re.compile(rb"MRN\d{8}")
STATEMENTS = (
    f"DESCRIBE {NAME}",
    "SHOW TABLES IN medical_charges",
    "SHOW DATABASES",
    "SHOW ROLES",
    f"GRANT SELECT ON TABLE {NAME} WHERE phone = 1 TO ROLE healthcare_analyst_role",
)


@dataclass(frozen=True)
class Secrets:
    """What must not leave: raw record numbers, any phone, charges of those who opted out."""

    record_numbers: frozenset[bytes]
    charges: frozenset[float]

    def found(self, part: bytes) -> set[str]:
        """What of it stands in these bytes, as text or as a number."""
        kinds = {
            "a phone": PHONE.search(part) is not None,
            "a record number": not self.record_numbers.isdisjoint(RECORD_NUMBER.findall(part)),
            "charges": any(
                struct.pack("<d", value) in part or repr(value).encode() in part
                for value in self.charges
            ),
        }
        return {kind for kind, there in kinds.items() if there}


@pytest.fixture(scope="module")
def secrets() -> Secrets:
    """From the raw table."""
    raw = generate()
    out = raw.filter(pc.equal(raw.column("opted_out"), 1)).column("charges").to_pylist()
    kept = raw.filter(pc.not_equal(raw.column("opted_out"), 1)).column("charges").to_pylist()
    numbers = (number.encode() for number in raw.column("mrn").to_pylist())
    return Secrets(frozenset(numbers), frozenset(out) - frozenset(kept))


def scanned(server: TrialServer, token: str, wanted: Wanted) -> Iterator[tuple[str, bytes]]:
    """What every door sends of a scan, and Flight's batches written again without compression."""
    for door, answer in every_answer(server, token, wanted).items():
        yield from ((door, part) for part in answer.received)
        if door == "rest parquet" and answer.table is not None:
            yield from ((door, part) for part in inside_parquet(answer.received[0]))
        if door.startswith("flight") and answer.table is not None:
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, answer.table.schema) as writer:
                writer.write_table(answer.table)
            yield f"{door} again", sink.getvalue().to_pybytes()


class _Parts(dict[str, str]):
    """What stands in paths; whatever else a page names is called like a hidden column."""

    def __missing__(self, key: str) -> str:
        return "phone"


PARTS = _Parts(database="medical_charges", name="medical_costs", user="admin", column="mrn")


def pages(server: TrialServer, token: str) -> Iterator[tuple[str, bytes]]:
    """Every page that the server describes, good and bad requests, with headers."""
    with server.http(token) as http:
        for path, methods in http.get("/openapi.json").json()["paths"].items():
            if "get" not in methods:
                continue
            page = path.format_map(PARTS)
            for query in ("", "?user=admin", "?columns=phone", "?columns=mrn,id&limit=2", "?x=1"):
                got = http.get(page + query)
                yield page + query, got.content + repr(got.headers.raw).encode()
        for statement in STATEMENTS:
            yield statement, http.post("/v1/sql", json={"statement": statement}).content
        yield "patch", http.patch(f"{PATH}/columns", json={"revision": "phone"}).content


def actions(server: TrialServer, token: str) -> Iterator[tuple[str, bytes]]:
    """Flight beside scans: listings, calls, refusals with their extra information."""
    with server.flight() as client:
        for info in client.list_flights(options=bearer(token)):
            yield "list_flights", info.serialize()
        for body in (
            {"use": "whoami"},
            {"use": "databases"},
            {"use": "datasets"},
            {"use": "explain", "dataset": NAME},
            {"use": "explain", "dataset": NAME, "user": "admin"},
            *({"use": "sql", "statement": statement} for statement in STATEMENTS),
        ):
            call = fl.Action("privet.call", json.dumps(body).encode())
            try:
                for result in client.do_action(call, bearer(token)):
                    yield repr(body), result.body.to_pybytes()
            except (fl.FlightError, pa.ArrowException) as error:
                yield repr(body), repr(error).encode() + bytes(error.extra_info or b"")


def commands(run: Run, token: str) -> Iterator[tuple[str, bytes]]:
    """The command line's output, errors included."""
    for arguments in (
        ("scan", NAME, "--format", "table"),
        ("scan", NAME, "--columns", "phone"),
        ("explain", NAME),
        ("dataset", "show", NAME, "--json"),
        ("db", "datasets"),
        ("audit", "list", "--json"),
    ):
        done = run(*arguments, PRIVET_TOKEN=token)
        yield " ".join(arguments), done.stdout_bytes + done.stderr_bytes


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(NAME),
        Wanted(NAME, None, 7),
        Wanted(NAME, ("charges", "mrn")),
        Wanted(NAME, ("phone",)),
        Wanted("medical_charges.absent"),
    ],
)
def test_scans_hold_nothing_that_is_kept_back(
    server: TrialServer, governed: str, secrets: Secrets, wanted: Wanted
) -> None:
    """Rows, buffers beneath them, statistics, errors."""
    parts = list(scanned(server, governed, wanted))
    assert len(parts) >= 8
    assert [(door, secrets.found(part)) for door, part in parts if secrets.found(part)] == []


def test_pages_calls_and_commands_hold_nothing_that_is_kept_back(
    server: TrialServer, governed: str, secrets: Secrets, command: Run
) -> None:
    """Listings, explanations, refusals, the reader's own audit."""
    parts = [*pages(server, governed), *actions(server, governed), *commands(command, governed)]
    assert len(parts) > 80
    assert [(what, secrets.found(part)) for what, part in parts if secrets.found(part)] == []
    lake = str(server.lake).encode()
    assert [what for what, part in parts if lake in part] == []


def test_the_search_finds_all_of_it_in_what_the_admin_gets(
    server: TrialServer, governed: str, secrets: Secrets
) -> None:
    """At every door, so that finding nothing means something."""
    found: dict[str, set[str]] = {}
    for door, part in scanned(server, server.admin_token, Wanted(NAME)):
        found.setdefault(door, set()).update(secrets.found(part))
    assert set(map(len, found.values())) == {3}, found


def test_the_log_holds_nothing_of_it(server: TrialServer, governed: str, secrets: Secrets) -> None:
    """Nor tokens, whatever was asked before."""
    list(pages(server, governed))
    log = server.log.read_bytes()
    assert secrets.found(log) == set()
    for token in (governed, server.admin_token):
        assert token.encode() not in log
        assert token.rpartition(".")[2].encode() not in log
