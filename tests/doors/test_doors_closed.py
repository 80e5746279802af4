"""Closed without credentials, and administration closed to everybody else: every address there is.

Addresses come from the server's own description, so that a new one cannot be forgotten.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pyarrow as pa
import pyarrow.flight as fl
import pytest

from doors.clinic import Clinic
from doors.servers import TrialServer, bearer
from doors.steward import Steward, unique

pytestmark = pytest.mark.service
PUBLIC = {
    ("GET", "/v1/server"),
    ("GET", "/v1/jwks"),
    ("POST", "/v1/login"),
    ("GET", "/v1/files/{key}"),
}
READERS = {
    ("GET", "/v1/whoami"),
    ("GET", "/v1/tags"),
    ("GET", "/v1/rules"),
    ("GET", "/v1/databases"),
    ("GET", "/v1/datasets"),
    ("GET", "/v1/datasets/{database}/{name}"),
    ("GET", "/v1/datasets/{database}/{name}/scan"),
    ("GET", "/v1/datasets/{database}/{name}/explain"),
    ("GET", "/v1/roles"),
    ("GET", "/v1/permissions"),
    ("GET", "/v1/connections"),
    ("GET", "/v1/crawls"),
    ("GET", "/v1/proposals"),
    ("GET", "/v1/rejections"),
    ("GET", "/v1/scans"),
    ("GET", "/v1/token-domains"),
    ("GET", "/v1/token-domains/{domain}"),
    ("GET", "/v1/token-joins"),
    ("GET", "/v1/transforms"),
    ("POST", "/v1/transforms/try"),
    ("GET", "/v1/audit"),
    ("POST", "/v1/sql"),
}
"""What people without a right to administer use, within what they may see."""
SAMPLES: dict[str, Any] = {
    "tag": "phi.mrn",
    "tags": ["phi.mrn"],
    "pattern": "x",
    "targets": ["column_name"],
    "groups": ["stewards"],
    "columns": [],
    "revision": 1,
    "sql": "GRANT SELECT ON CATALOG TO ROLE public_role",
    "statement": "SHOW ROLES",
    "statements": ["GRANT SELECT ON CATALOG TO ROLE public_role"],
    "password": "correct horse battery",
    "tokens": ["x"],
    "transform": "mask()",
    "values": ["x"],
}
STATEMENTS = (
    "GRANT SELECT ON CATALOG TO ROLE public_role",
    "GRANT SELECT ON TABLE {patients} TO ROLE {role}",
    "REVOKE SELECT ON CATALOG FROM ROLE public_role",
    "CREATE ATTRIBUTE phi.of_a_reader",
    "CREATE ATTRIBUTE IF NOT EXISTS phi.mrn",
    "DROP ATTRIBUTE phi.mrn",
    "CREATE ROLE of_a_reader",
    "DROP ROLE IF EXISTS {role}",
    "GRANT ROLE {role} TO GROUP g",
    "REVOKE ROLE {role} FROM GROUP {group}",
    "CREATE DATABASE of_a_reader",
    "DROP DATABASE IF EXISTS {database}",
)


@dataclass(frozen=True)
class Address:
    """A method, a path with its names filled in, and a body that fits its schema."""

    method: str
    path: str
    body: Any
    described: tuple[str, str]


def addresses(server: TrialServer, names: dict[str, str]) -> Iterator[Address]:
    """Everything that the server says it answers."""
    with server.http() as http:
        described = http.get("/openapi.json").json()
    schemas = described["components"]["schemas"]
    for path, methods in described["paths"].items():
        for method, what in methods.items():
            body = what.get("requestBody")
            if body is not None:
                schema = named_in(body["content"]["application/json"]["schema"])
                sent = {
                    name: SAMPLES.get(name, names.get(name, "of_a_reader"))
                    for name in schemas[schema]["properties"]
                    if name in schemas[schema].get("required", ()) or name == "sql"
                }
            else:
                sent = None
            filled = path.format_map({**dict.fromkeys(PARTS, "of_a_reader"), **SAMPLES, **names})
            yield Address(method.upper(), filled, sent, (method.upper(), path))


def named_in(schema: dict[str, Any]) -> str:
    """The name of a body's schema, also where it may be left out."""
    referring = next(s for s in (schema, *schema.get("anyOf", ())) if "$ref" in s)
    return referring["$ref"].rpartition("/")[2]


PARTS = (
    "user",
    "role",
    "group",
    "identifier",
    "key",
    "name",
    "database",
    "tag",
    "column",
    "run",
    "domain",
)


@pytest.fixture
def everything(clinic: Clinic) -> list[Address]:
    """Every address, naming things that exist where it can."""
    database, _, name = clinic.patients.partition(".")
    names = {"database": database, "name": name, "role": clinic.analyst.role}
    found = list(addresses(clinic.server, {**names, "group": clinic.analyst.group}))
    known = {address.described for address in found}
    assert known >= PUBLIC | READERS
    assert len(known) > 35
    return found


def catalog(server: TrialServer) -> list[Any]:
    """What the administrator sees of everything that can be changed."""
    pages = ("tags", "rules", "roles", "databases", "datasets", "permissions", "users")
    return [server.rest().items(f"/v1/{page}") for page in pages]


def is_problem(got: httpx2.Response, status: int, code: str) -> None:
    """Problem details that say what to do and hold nothing of Python."""
    assert got.status_code == status, (got.request.url, got.text)
    assert got.headers["content-type"] == "application/problem+json"
    body = got.json()
    assert (body["status"], body["code"]) == (status, code)
    assert body["type"] == f"urn:privet:error:{code}"
    assert body["title"]
    assert body["detail"]
    assert body["hint"]
    assert "Traceback" not in got.text


@pytest.mark.parametrize("header", [None, "Bearer a.b.c", "Basic YTpi", "Token x"])
def test_without_credentials_nothing_answers(
    clinic: Clinic, everything: list[Address], header: str | None
) -> None:
    """Everything but the three public addresses: 401, and how to authenticate."""
    headers = {} if header is None else {"authorization": header}
    wrong_password = header is not None and header.startswith("Basic")
    with clinic.server.http(**headers) as http:
        for address in everything:
            if address.described in PUBLIC:
                continue
            got = http.request(address.method, address.path, json=address.body)
            if wrong_password and got.status_code == 429:
                is_problem(got, 429, "too_many_attempts")
                continue
            is_problem(got, 401, "unauthenticated")
            assert got.headers["www-authenticate"] == "Bearer"


def test_the_public_addresses_need_none(clinic: Clinic) -> None:
    """Where the doors are, the public keys, and logging in; nothing more is in them."""
    with clinic.server.http() as http:
        assert set(http.get("/v1/server").json()) == {"name", "version", "flight"}
        for key in http.get("/v1/jwks").json()["keys"]:
            assert not {"d", "p", "q", "k"} & set(key)
        is_problem(
            http.post("/v1/login", json={"user": unique("nobody"), "password": "x"}),
            401,
            "unauthenticated",
        )


@pytest.mark.parametrize("who", ["analyst", "visitor"])
def test_administration_is_closed_to_readers(
    clinic: Clinic, everything: list[Address], who: str
) -> None:
    """403 where they know what it is about, 404 elsewhere; nothing is changed by trying."""
    token = clinic.analyst.token if who == "analyst" else clinic.visitor
    before = catalog(clinic.server)
    with clinic.server.http(token) as http:
        for address in everything:
            if address.described in PUBLIC | READERS:
                continue
            got = http.request(address.method, address.path, json=address.body)
            forbidden = got.status_code == 403
            is_problem(got, *((403, "forbidden") if forbidden else (404, "not_found")))
            assert got.json()["audit_id"], address
    assert catalog(clinic.server) == before


def test_statements_that_administer_are_closed_to_readers(clinic: Clinic) -> None:
    """At both doors."""
    before = catalog(clinic.server)
    names = {"patients": clinic.patients, "database": clinic.database}
    names |= {"role": clinic.analyst.role, "group": clinic.analyst.group}
    with clinic.server.http(clinic.analyst.token) as http, clinic.server.flight() as client:
        for text in STATEMENTS:
            statement = text.format(**names)
            got = http.post("/v1/sql", json={"statement": statement})
            code = "forbidden"
            is_problem(got, 403, code)
            call = json.dumps({"use": "sql", "statement": statement}).encode()
            with pytest.raises((fl.FlightError, pa.ArrowException)) as refused:
                list(client.do_action(fl.Action("privet.call", call), bearer(clinic.analyst.token)))
            assert json.loads(refused.value.extra_info)["code"] == code
    assert catalog(clinic.server) == before


def test_refused_administration_is_on_record(clinic: Clinic, everything: list[Address]) -> None:
    """Acts and pages alike, under the name of who tried."""
    user = unique("curious")
    with clinic.server.http(clinic.server.token(user)) as http:
        closed = [a for a in everything if a.described not in PUBLIC | READERS]
        told = [http.request(a.method, a.path, json=a.body).json().get("audit_id") for a in closed]
    events = clinic.server.events(user=user, outcome="refused")
    assert {event["id"] for event in events} == set(told)
    assert len(events) == len(closed)


def test_one_authorization_header_at_most(clinic: Clinic) -> None:
    """Two could be read differently by whoever stands in between."""
    good, bad = f"Bearer {clinic.analyst.token}", f"Bearer {clinic.visitor}"
    with clinic.server.http() as http:
        for values in ((good, bad), (bad, good), (good, good)):
            headers = [("authorization", value) for value in values]
            is_problem(http.get("/v1/whoami", headers=headers), 401, "unauthenticated")
    for values in ((good, bad), (bad, good), (good, good)):
        options = fl.FlightCallOptions(headers=[(b"authorization", v.encode()) for v in values])
        with clinic.server.flight() as client, pytest.raises(fl.FlightUnauthenticatedError):
            list(client.do_action(fl.Action("privet.call", b'{"use": "whoami"}'), options))


def test_rotated_keys_keep_older_tokens(clinic: Clinic, steward: Steward) -> None:
    """Tokens of before hold until they end, new ones name the new key, at both doors."""
    user = unique("rotated")
    before = clinic.server.token(user)
    known = {key["kid"] for key in steward.rest.get("/v1/jwks")["keys"]}
    steward.rest.post("/v1/signing-keys/rotate")
    after = clinic.server.token(user)
    assert before.partition(".")[0] != after.partition(".")[0]
    assert {key["kid"] for key in steward.rest.get("/v1/jwks")["keys"]} > known
    for token in (before, after):
        with clinic.server.http(token) as http:
            assert http.get("/v1/whoami").json()["user"] == user
        with clinic.server.flight() as client:
            call = fl.Action("privet.call", b'{"use": "whoami"}')
            (got,) = client.do_action(call, bearer(token))
            assert json.loads(got.body.to_pybytes())["result"]["user"] == user
