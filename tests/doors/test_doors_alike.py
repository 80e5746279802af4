"""What is hidden reads like what is absent: byte for byte, but for the name and the audit id."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pyarrow as pa
import pyarrow.flight as fl
import pytest

import privet
from doors.clinic import Clinic
from doors.doors import READ, Run
from doors.servers import TrialServer, bearer
from doors.steward import Steward
from privet.model.errors import PrivetError

pytestmark = pytest.mark.service
Seen = tuple[Any, ...]
AUDIT_ID = re.compile(rb'("audit_id": ?)"[^"]+"')


@pytest.fixture(params=["analyst", "visitor"])
def token(request: pytest.FixtureRequest, clinic: Clinic) -> str:
    """Somebody who sees some things, and somebody who sees nothing."""
    return clinic.analyst.token if request.param == "analyst" else clinic.visitor


def twins(clinic: Clinic) -> tuple[str, ...]:
    """Names of one length: of a dataset that exists, and of some that do not."""
    database, _, name = clinic.vault.partition(".")
    return clinic.vault, f"{database}.x{name[1:]}", f"x{database[1:]}.{name}"


def anonymous(part: bytes, *names: str) -> bytes:
    """Without the audit id and the names that were asked for."""
    for name in names:
        part = part.replace(name.encode(), b"?")
    return AUDIT_ID.sub(rb'\1"?"', part)


def seen_over_http(got: httpx2.Response, *names: str) -> Seen:
    """All that a client gets of an answer."""
    headers = sorted((k, v) for k, v in got.headers.items() if k != "date")
    return got.status_code, headers, anonymous(got.content, *names)


def seen_over_flight(call: Callable[[], Any], *names: str) -> Seen:
    """All that a client gets of a refusal, or the answer."""
    try:
        answer = call()
    except (fl.FlightError, pa.ArrowException) as error:
        extra = bytes(getattr(error, "extra_info", b"") or b"")
        text = re.sub(r"(peer|created_time|file_line)\S*", "", str(error))
        return type(error), anonymous(text.encode(), *names), anonymous(extra, *names)
    return (anonymous(repr(answer).encode(), *names),)


REQUESTS: tuple[tuple[str, str, Any], ...] = (
    *(("GET", f"/v1/datasets/{{path}}/scan?format={form}", None) for form in READ),
    ("GET", "/v1/datasets/{path}/scan?columns=id&limit=1", None),
    ("GET", "/v1/datasets/{path}/scan?limit=-1", None),
    ("GET", "/v1/datasets/{path}", None),
    ("GET", "/v1/datasets/{path}/explain", None),
    ("GET", "/v1/datasets/{path}/explain?user=admin", None),
    ("GET", "/v1/datasets/{path}/explain?groups=a", None),
    ("GET", "/v1/datasets?database={database}", None),
    ("GET", "/v1/permissions?dataset={name}", None),
    ("GET", "/v1/permissions?database={database}", None),
    ("DELETE", "/v1/datasets/{path}", None),
    ("DELETE", "/v1/databases/{database}", None),
    ("POST", "/v1/databases", {"name": "{database}"}),
    ("POST", "/v1/datasets/{path}/review", None),
    ("PATCH", "/v1/datasets/{path}/columns", {"revision": 1, "columns": [{"name": "id"}]}),
    ("PATCH", "/v1/datasets/{path}/columns", {"revision": 1, "columns": [{"name": "no"}]}),
    ("PUT", "/v1/datasets/{path}/tags/phi.mrn?path=id", None),
    ("DELETE", "/v1/datasets/{path}/tags/phi.mrn?path=mrn", None),
    ("POST", "/v1/sql", {"statement": "DESCRIBE {name}"}),
    ("POST", "/v1/sql", {"statement": "SHOW TABLES IN {database}"}),
    ("POST", "/v1/sql", {"statement": "DROP DATABASE {database}"}),
    ("POST", "/v1/sql", {"statement": "DROP DATABASE IF EXISTS {database}"}),
    ("POST", "/v1/sql", {"statement": "CREATE DATABASE IF NOT EXISTS {database}"}),
    (
        "POST",
        "/v1/sql",
        {"statement": "GRANT SELECT ON TABLE {name} WHERE id > 1 TO ROLE public_role"},
    ),
    ("POST", "/v1/sql", {"statement": "REVOKE SELECT ON TABLE {name} FROM ROLE public_role"}),
    ("POST", "/v1/permissions", {"sql": "GRANT SELECT ON TABLE {name} TO ROLE public_role"}),
    ("POST", "/v1/crawls", {"name": "{database}", "source": "/nowhere"}),
)


def test_rest_tells_invisible_and_absent_datasets_alike(clinic: Clinic, token: str) -> None:
    """Status, headers and body: reading, describing, administering."""
    with clinic.server.http(token) as http:
        for method, page, body in REQUESTS:
            answers = set()
            for name in twins(clinic):
                database = name.partition(".")[0]
                words = {"path": name.replace(".", "/"), "name": name, "database": database}
                sent = body and {
                    k: v.format(**words) if isinstance(v, str) else v for k, v in body.items()
                }
                got = http.request(method, page.format(**words), json=sent)
                answers.add(repr(seen_over_http(got, name, database)))
            assert len(answers) == 1, (method, page, answers)


def calls(client: fl.FlightClient, token: str, name: str) -> Iterator[Callable[[], Any]]:
    """Every way to ask for a dataset over Flight."""
    options = bearer(token)
    command = json.dumps({"scan": {"dataset": name}}).encode()
    for descriptor in (
        fl.FlightDescriptor.for_command(command),
        fl.FlightDescriptor.for_path(*name.split(".")),
    ):
        yield lambda d=descriptor: client.get_flight_info(d, options)
    for body in (
        {"use": "explain", "dataset": name},
        {"use": "explain", "dataset": name, "user": "admin"},
        {"use": "datasets", "database": name.partition(".")[0]},
        {"use": "sql", "statement": f"DESCRIBE {name}"},
    ):
        action = fl.Action("privet.call", json.dumps(body).encode())
        yield lambda a=action: [r.body.to_pybytes() for r in client.do_action(a, options)]


def test_flight_tells_invisible_and_absent_datasets_alike(clinic: Clinic, token: str) -> None:
    """Kind of error, text and extra information of every call."""
    with clinic.server.flight() as client:
        answers = {
            tuple(
                repr(seen_over_flight(call, name, name.partition(".")[0]))
                for call in calls(client, token, name)
            )
            for name in twins(clinic)
        }
    assert len(answers) == 1, answers


def test_client_and_command_line_tell_them_alike(clinic: Clinic, token: str, command: Run) -> None:
    """They add nothing of their own to what the server says."""
    said = set()
    for name in twins(clinic):
        with privet.connect(clinic.server.rest_url, token, ca=clinic.server.ca) as client:
            with pytest.raises(PrivetError) as caught:
                client.scan(name)
            client_said = f"{type(caught.value)} {caught.value}".replace(name, "?")
        done = command("scan", name, "--format", "csv", PRIVET_TOKEN=token)
        shown = "".join(x for x in done.stderr.splitlines(True) if not x.startswith("audit:"))
        said.add((client_said, done.exit_code, done.stdout, shown.replace(name, "?")))
    assert len(said) == 1, said


@pytest.mark.parametrize("columns", ["{}", "id,{}", "{0},{0}"])
def test_rest_tells_hidden_and_absent_columns_alike(clinic: Clinic, columns: str) -> None:
    """`phone` is hidden from the analyst, `phona` is not there."""
    with clinic.server.http(clinic.analyst.token) as http:
        for form in READ:
            answers = set()
            for column in ("phone", "phona"):
                query = {"columns": columns.format(column), "format": form}
                got = http.get(f"{clinic.path()}/scan", params=query)
                answers.add(repr(seen_over_http(got, column)))
            assert len(answers) == 1, (form, answers)


def test_a_ticket_for_what_became_invisible_reads_like_one_for_what_was_dropped(
    clinic: Clinic,
) -> None:
    """Redeeming decides again."""
    steward, said = clinic.steward, set()
    for end in ("revoke", "drop", "unmap"):
        dataset = steward.dataset("id\n1\n2\n")
        reader = steward.reader(f"GRANT SELECT ON TABLE {dataset}")
        with clinic.server.flight() as client:
            descriptor = fl.FlightDescriptor.for_path(*dataset.split("."))
            info = client.get_flight_info(descriptor, bearer(reader.token))
            if end == "revoke":
                steward.sql(f"REVOKE SELECT ON TABLE {dataset} FROM ROLE {reader.role}")
            elif end == "drop":
                steward.rest.delete(clinic.path(dataset))
            else:
                steward.rest.delete(f"/v1/roles/{reader.role}/groups/{reader.group}")
            ticket = info.endpoints[0].ticket
            said.add(
                seen_over_flight(
                    lambda c=client, t=ticket, r=reader: c.do_get(t, bearer(r.token)).read_all(),
                    dataset,
                )
            )
    assert len(said) == 1, said
    assert b"not_found" in said.pop()[2]


def listings(server: TrialServer, token: str, command: Run) -> Iterator[bytes]:
    """Everything that lists."""
    with server.http(token) as http:
        yield http.get("/v1/datasets").content
        yield http.get("/v1/databases").content
        yield http.get("/v1/whoami").content
        for statement in ("SHOW DATABASES", "SHOW ROLES", "SHOW TAGS"):
            yield http.post("/v1/sql", json={"statement": statement}).content
    with server.flight() as client:
        for info in client.list_flights(options=bearer(token)):
            yield info.serialize()
        for use in ("databases", "datasets", "whoami"):
            action = fl.Action("privet.call", json.dumps({"use": use}).encode())
            yield from (r.body.to_pybytes() for r in client.do_action(action, bearer(token)))
    with privet.connect(server.rest_url, token, ca=server.ca) as connection:
        yield repr([connection.databases(), connection.datasets()]).encode()
    for arguments in (("db", "list"), ("db", "list", "--json"), ("db", "datasets", "--json")):
        yield command(*arguments, PRIVET_TOKEN=token).stdout_bytes


def test_listings_leave_out_what_is_invisible(
    clinic: Clinic, token: str, command: Run, steward: Steward
) -> None:
    """Datasets and databases without anything visible, at every door; empty databases too."""
    empty = steward.database()
    invisible = [clinic.vault.partition(".")[0], empty, "medical_charges", "medical_costs"]
    if token == clinic.visitor:
        invisible.append(clinic.database)
    words = [re.compile(rb"\b%s\b" % name.encode()) for name in invisible]
    listed = list(listings(clinic.server, token, command))
    assert [w.pattern for w in words for part in listed if w.search(part)] == []
    if token != clinic.visitor:
        assert sum(clinic.database.encode() in part for part in listed) >= 8
