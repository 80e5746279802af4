"""What is hidden reads exactly like what does not exist: same status, same body, same listings."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.flight as fl
import pytest

from doors.doors import Wanted, every_answer
from doors.servers import TrialServer, bearer
from doors.steward import Reader, Steward, unique

pytestmark = pytest.mark.service
TABLE = pa.table({"id": [1, 2], "open": ["a", "b"], "phone": ["x", "y"]})
Ask = Callable[[Any, str], tuple[int, str]]


@pytest.fixture(scope="module")
def names(steward: Steward) -> dict[str, str]:
    """A dataset that the reader sees a part of, and one in the same database that is hidden."""
    database = steward.database()
    tags = {"phone": ["phi.phone_number"]}
    return {
        "seen": steward.dataset(TABLE, database=database, tags=tags),
        "hidden": steward.dataset(TABLE, database=database),
        "elsewhere": steward.dataset(TABLE),
        "database": database,
    }


@pytest.fixture(scope="module")
def reader(steward: Steward, names: dict[str, str]) -> Reader:
    """May read `open` and `id` of one dataset; a grant on the other fires for nobody."""
    return steward.reader(
        f"GRANT SELECT ON TABLE {names['seen']} HAVING ATTRIBUTE NOT IN (phi.phone_number)",
        f"GRANT SELECT ON TABLE {names['hidden']} WHERE user() = 'nobody'",
    )


def scrubbed(text: str, *, name: str, column: str = "") -> str:
    """A body without the id of its audit event and what the reader wrote themselves."""
    try:
        body = json.loads(text)
    except ValueError:
        body = {"detail": text}
    body.pop("audit_id", None)
    shown = json.dumps(body, sort_keys=True).replace(name, "NAME")
    return shown.replace(f"`{column}`", "COLUMN") if column else shown


METHODS = (
    ("GET", "/v1/datasets/{0}/scan?format=csv", None),
    ("GET", "/v1/datasets/{0}/scan?columns=id", None),
    ("GET", "/v1/datasets/{0}", None),
    ("GET", "/v1/datasets/{0}/explain", None),
    ("GET", "/v1/datasets/{0}/explain?user=admin", None),
    ("DELETE", "/v1/datasets/{0}", None),
    ("POST", "/v1/datasets/{0}/review", None),
    ("PATCH", "/v1/datasets/{0}/columns", {"revision": 1, "columns": [{"name": "id"}]}),
    ("PATCH", "/v1/datasets/{0}/columns", {"revision": 1, "columns": [{"name": "zzz"}]}),
    ("PUT", "/v1/datasets/{0}/tags/phi.mrn", None),
    ("DELETE", "/v1/datasets/{0}/tags/phi.mrn?path=id", None),
    ("POST", "/v1/sql", {"statement": "DESCRIBE {1}"}),
    ("POST", "/v1/sql", {"statement": "GRANT SELECT ON TABLE {1} TO ROLE public_role"}),
)


@pytest.mark.parametrize("asked", METHODS)
@pytest.mark.parametrize("kind", ["hidden", "elsewhere"])
def test_a_hidden_dataset(
    server: TrialServer,
    names: dict[str, str],
    reader: Reader,
    kind: str,
    asked: tuple[str, str, Any],
) -> None:
    """Every address that takes a dataset answers as for a name that was never used."""
    method, path, body = asked

    def ask(name: str) -> tuple[int, str]:
        sent = json.loads(json.dumps(body).replace("{1}", name)) if body else None
        with server.http(reader.token) as http:
            got = http.request(method, path.format(name.replace(".", "/")), json=sent)
        text = got.text.replace(name.replace(".", "/"), "NAME")
        return got.status_code, scrubbed(text, name=name)

    absent = f"{names[kind].partition('.')[0]}.{unique('t')}"
    assert ask(names[kind]) == ask(absent) == ask(f"{unique('nowhere')}.t_1")


CHANGES = (
    {"name": "{}"},
    {"name": "{}", "type": "int64"},
    {"name": "{}", "tags": []},
    {"name": "{}", "reviewed": True},
)


@pytest.mark.parametrize("change", CHANGES)
def test_editing_a_hidden_column(
    server: TrialServer, names: dict[str, str], reader: Reader, change: dict[str, Any]
) -> None:
    """Who may not edit learns nothing by trying."""

    def ask(column: str) -> tuple[int, str]:
        edit = json.loads(json.dumps(change).replace("{}", column))
        path = f"/v1/datasets/{names['seen'].replace('.', '/')}/columns"
        with server.http(reader.token) as http:
            got = http.patch(path, json={"revision": 1, "columns": [edit]})
        return got.status_code, scrubbed(got.text, name="-", column=column)

    assert ask("phone") == ask("absent") == ask("id")


def test_a_hidden_column_at_every_door(
    server: TrialServer, names: dict[str, str], reader: Reader
) -> None:
    """Same code, same sentence, and no door gives a row."""
    hidden = every_answer(server, reader.token, Wanted(names["seen"], ("id", "phone")))
    absent = every_answer(server, reader.token, Wanted(names["seen"], ("id", "absent")))
    for door, answer in hidden.items():
        assert answer.table is None, door
        assert (answer.code, answer.message.replace("phone", "absent")) == (
            absent[door].code,
            absent[door].message,
        )


@pytest.mark.parametrize("kind", ["hidden", "elsewhere"])
def test_a_hidden_dataset_at_every_door(
    server: TrialServer, names: dict[str, str], reader: Reader, kind: str
) -> None:
    """Same code, same sentence."""
    absent_name = f"{unique('nowhere')}.{unique('t')}"
    hidden = every_answer(server, reader.token, Wanted(names[kind]))
    absent = every_answer(server, reader.token, Wanted(absent_name))
    for door, answer in hidden.items():
        assert answer.code == "not_found", door
        assert answer.message == absent[door].message.replace(absent_name, names[kind]), door


def test_listings_leave_it_out(server: TrialServer, names: dict[str, str], reader: Reader) -> None:
    """REST, SQL and Flight list what a scan would give something of, and nothing else."""
    with server.http(reader.token) as http:
        datasets = [item["name"] for item in http.get("/v1/datasets").json()["items"]]
        databases = [item["name"] for item in http.get("/v1/databases").json()["items"]]
        hidden = http.get("/v1/datasets", params={"database": names["elsewhere"].split(".")[0]})
        absent = http.get("/v1/datasets", params={"database": unique("nowhere")})

        def rows(statement: str) -> Any:
            return http.post("/v1/sql", json={"statement": statement}).json()["rows"]

        shown = rows(f"SHOW TABLES IN {names['database']}")
        assert rows("SHOW DATABASES") == [[names["database"]]]
    assert datasets == [names["seen"]]
    assert databases == [names["database"]]
    assert hidden.content == absent.content
    assert shown == [[names["seen"].partition(".")[2]]]
    with server.flight() as client:
        flights = list(client.list_flights(options=bearer(reader.token)))
    assert [".".join(p.decode() for p in f.descriptor.path) for f in flights] == datasets
    assert [f.schema.names for f in flights] == [["id", "open"]]
    assert {(f.total_records, f.total_bytes) for f in flights} == {(-1, -1)}


@pytest.mark.parametrize(
    ("statement", "status"),
    [
        ("CREATE DATABASE {0}", 403),
        ("CREATE ROLE {1}", 403),
        ("DROP DATABASE {0}", 404),
        ("DROP ROLE {1}", 404),
        ("GRANT ROLE {1} TO GROUP g", 404),
        ("REVOKE SELECT ON TABLE {0}.t FROM ROLE {1}", 404),
        ("DENY SELECT ON DATABASE {0} HAVING ATTRIBUTE phi.mrn FROM ROLE {1}", 404),
    ],
)
def test_administration_is_refused_alike(
    server: TrialServer,
    steward: Steward,
    names: dict[str, str],
    reader: Reader,
    statement: str,
    status: int,
) -> None:
    """Whether or not what is named exists."""
    database, role = names["elsewhere"].partition(".")[0], steward.reader().role
    said: list[str] = []
    for named in ((database, role), ("zzz", "zzzz")):
        with server.http(reader.token) as http:
            refused = http.post("/v1/sql", json={"statement": statement.format(*named)})
        assert refused.status_code == status, refused.text
        text = scrubbed(refused.text, name=named[1])
        said.append(text.replace(named[0], "OTHER"))
    assert said[0] == said[1]


def test_flight_errors_are_equal_byte_by_byte(
    server: TrialServer, names: dict[str, str], reader: Reader
) -> None:
    """Kind, text and what stands beside it, but for the audit id and the name."""

    def ask(*path: str) -> tuple[type, str]:
        with server.flight() as client, pytest.raises(fl.FlightError) as refused:
            client.get_flight_info(fl.FlightDescriptor.for_path(*path), bearer(reader.token))
        return type(refused.value), scrubbed(refused.value.extra_info.decode(), name=".".join(path))

    assert ask(*names["hidden"].split(".")) == ask(names["database"], unique("t"))
    assert ask(*names["elsewhere"].split(".")) == ask(unique("nowhere"), "t")
