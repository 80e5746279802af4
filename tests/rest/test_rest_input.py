"""What is sent over HTTP: read strictly, refused with a sentence, never a stack or a 500."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import httpx2
import pyarrow as pa
import pytest

from doors.servers import TrialServer
from doors.steward import Reader, Steward, unique

pytestmark = pytest.mark.service
MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def admin(server: TrialServer) -> Iterator[httpx2.Client]:
    """The admin, speaking raw HTTP."""
    with server.http(server.admin_token) as http:
        yield http


@pytest.fixture(scope="module")
def reader(steward: Steward) -> tuple[str, Reader]:
    """A dataset and somebody who may read all of it but `phone`."""
    table = pa.table({"id": [1, 2, 3], "phone": ["a", "b", "c"]})
    dataset = steward.dataset(table, tags={"phone": ["phi.phone_number"]})
    grant = f"GRANT SELECT ON TABLE {dataset} HAVING ATTRIBUTE NOT IN (phi.phone_number)"
    return dataset, steward.reader(grant)


def is_problem(got: httpx2.Response, *statuses: int) -> dict[str, Any]:
    """Assert that an answer is a problem that says what to do; gives it."""
    assert got.status_code in statuses, (got.status_code, got.text)
    assert got.headers["content-type"] == "application/problem+json"
    body = got.json()
    assert body["status"] == got.status_code
    assert body["code"] not in {"", "internal"}
    assert body["detail"]
    for word in ("Traceback", 'File "', "sqlalchemy", "pydantic", "0x"):
        assert word not in got.text
    return body


BODIES: tuple[tuple[str, str], ...] = (
    ("tags", '{"tag": "phi.x", "tag": "phi.y"}'),
    ("tags", '{"tag": "phi.x", "Tag": "phi.y"}'),
    ("tags", '{"tag": "phi.x", "admin": true}'),
    ("tags", '{"tag": 1}'),
    ("tags", '{"tag": null}'),
    ("tags", '{"tag": ["phi.x"]}'),
    ("tags", "{}"),
    ("tags", "[]"),
    ("tags", "null"),
    ("tags", '"phi.x"'),
    ("tags", ""),
    ("tags", "{"),
    ("tags", '{"tag": "phi.x"} trailing'),
    ("tags", '{"tag": "\\ud800.x"}'),
    ("tags", '{"tag": "phi.x", "description": "\\ud800"}'),
    ("tags", '{"tag": "phi.x", "description": "a\\u0000b"}'),
    ("tags", '{"\\ud800": 1}'),
    ("tags", '{"tag": "phi.\u0435mail"}'),
    ("tags", '{"tag": "phi"}'),
    ("tags", '{"tag": "a.b.c"}'),
    ("tags", '{"tag": "phi.x; DROP TABLE tags"}'),
    ("tags", "[" * 50_000),
    ("tokens", '{"user": "x", "lifetime": 1e999}'),
    ("tokens", '{"user": "x", "lifetime": 99999999999999999999999}'),
    ("tokens", '{"user": "x", "lifetime": 9999999999}'),
    ("tokens", '{"user": "x", "lifetime": 100000000}'),
    ("tokens", '{"user": "x", "lifetime": -5}'),
    ("tokens", '{"user": "x", "lifetime": NaN}'),
    ("tokens", '{"user": "x", "groups": "admins"}'),
    ("tokens", '{"user": "x", "groups": ["user:admin"]}'),
    ("tokens", '{"user": "x", "groups": [["a"]]}'),
    ("tokens", '{"user": "\u212admin"}'),
    ("tokens", '{"user": "a\\nb"}'),
    ("tokens", '{"user": ""}'),
    ("rules", '{"name": "r", "tag": "phi.mrn", "pattern": "(", "targets": ["column_name"]}'),
    (
        "rules",
        (
            '{"name": "r", "tag": "phi.mrn", "pattern": "(a{1000}){1000}", "targets":'
            ' ["cell_content"]}'
        ),
    ),
    ("rules", '{"name": "r", "tag": "phi.mrn", "pattern": "a", "targets": []}'),
    ("rules", '{"name": "r", "tag": "phi.mrn", "pattern": "a", "targets": ["file"]}'),
    (
        "rules",
        (
            '{"name": "r", "tag": "phi.mrn", "pattern": "a", "targets": ["cell_content"],'
            ' "match_rate": 7}'
        ),
    ),
    (
        "rules",
        (
            '{"name": "r", "tag": "phi.mrn", "pattern": "a", "targets": ["cell_content"],'
            ' "min_rows": -1}'
        ),
    ),
    (
        "rules",
        '{"name": "r", "tag": "phi.no_such_tag", "pattern": "a", "targets": ["column_name"]}',
    ),
    ("databases", '{"name": "with.dot"}'),
    ("databases", '{"name": "../up"}'),
    ("databases", json.dumps({"name": "x" * 129})),
    ("permissions", '{"sql": "GRANT SELECT ON CATALOG TO ROLE public_role", "permission": {}}'),
    ("permissions", "{}"),
    ("permissions", '{"permission": {"effect": "grant"}}'),
    ("permissions", '{"sql": "SHOW TAGS"}'),
    ("sql", '{"statement": "DROP TABLE x; DROP TABLE y"}'),
    ("sql", '{"statement": ""}'),
    ("sql", json.dumps({"statement": "GRANT SELECT ON CATALOG WHERE " + "(" * 20_000})),
    (
        "sql",
        json.dumps(
            {
                "statement": "GRANT SELECT ON CATALOG WHERE " + "NOT " * 20_000 + "true"
                " TO ROLE public_role"
            }
        ),
    ),
    ("crawls", '{"name": "c", "source": "/etc"}'),
    ("crawls", '{"name": "c", "source": "s3://elsewhere/x"}'),
    ("crawls", '{"name": "c", "source": "file:///../../etc"}'),
    ("crawls", '{"name": "c", "source": ""}'),
    ("crawls", '{"name": "c/../d", "source": "x"}'),
)


@pytest.mark.parametrize(("what", "body"), BODIES, ids=range(len(BODIES)))
def test_bad_bodies_are_refused(admin: httpx2.Client, what: str, body: str) -> None:
    """Unknown keys, keys twice, wrong types, odd text, numbers out of range; nothing is changed."""
    before = admin.get(f"/v1/{what}").text if what in {"tags", "rules", "databases"} else ""
    got = admin.post(
        f"/v1/{what}", content=body.encode(), headers={"content-type": "application/json"}
    )
    is_problem(got, 400, 404, 422)
    if before:
        assert admin.get(f"/v1/{what}").text == before


def test_a_large_body_is_refused(admin: httpx2.Client, server: TrialServer) -> None:
    """With its length told before, or in chunks without one."""
    body = json.dumps({"tag": "phi.x", "description": "x" * MEGABYTE}).encode()
    headers = {"content-type": "application/json"}
    told = admin.post("/v1/tags", content=body, headers=headers)
    assert told.status_code == 413

    def chunks() -> Iterator[bytes]:
        yield from (body[i : i + 60_000] for i in range(0, len(body), 60_000))

    assert admin.post("/v1/tags", content=chunks(), headers=headers).status_code == 413
    assert "phi.x" not in admin.get("/v1/tags").text


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_bodies_are_json_by_name(admin: httpx2.Client, kind: str) -> None:
    """A form of another page cannot be one."""
    headers = {"content-type": kind} if kind else {}
    is_problem(admin.post("/v1/tags", content=b'{"tag": "phi.q"}', headers=headers), 422)


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "FOO"])
@pytest.mark.parametrize("path", ["/v1/server", "/v1/audit", "/v1/datasets/a/b/scan", "/v1/sql"])
def test_other_methods_do_nothing(
    server: TrialServer, admin: httpx2.Client, method: str, path: str
) -> None:
    """They are refused by name, and no other origin is let in."""
    got = admin.request(method, path, headers={"origin": "https://elsewhere.example"})
    assert got.status_code in {404, 405}
    assert "access-control-allow-origin" not in got.headers


TRICKS = (
    "%2e%2e/%2e%2e",
    "..%2f..%2fetc/passwd",
    "a%2fb/c",
    "medical_charges%00/x",
    "medical_charges/medical_costs%00",
    "medical_charges/%22medical_costs%22",
    "medical_charges/'medical_costs'",
    "medical_charges/medical_costs%20",
    "medical_charges/medical_co%D1%95ts",
    "medical_charges/MEDICAL_COST%C5%BF",
    "medical_charges/%ff%fe",
    "medical_charges/medical.costs",
    "medical_charges/" + "x" * 5000,
    "medical_charges/*",
    "medical_charges/medical_costs;limit=1",
)


@pytest.mark.parametrize("trick", TRICKS)
def test_names_in_addresses_are_identifiers(server: TrialServer, governed: str, trick: str) -> None:
    """What is no name is refused as such; nothing is repaired into one."""
    host, _, port = server.rest_url.rpartition("//")[2].partition(":")
    for end in ("", "/scan", "/explain"):
        head = f"GET /v1/datasets/{trick}{end} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
        head += f"authorization: Bearer {governed}\r\n\r\n"
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(head.encode())
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        assert answer.split()[1] in {b"400", b"404"}, answer[:300]
        assert b"application/problem+json" in answer


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("limit=-1", 422),
        ("limit=1e3", 422),
        ("limit=99999999999999999999999999", 422),
        ("limit=", 422),
        ("format=xml", 422),
        ("format=CSV", 422),
        ("columns=", 400),
        ("columns=id,", 400),
        ("columns=*", 400),
        ("columns=id;phone", 400),
        ("columns=id AS phone", 400),
        ("columns=%22id%22", 400),
        ("columns=phone", 404),
        ("columns=PHONE", 404),
        ("columns=id,phone", 404),
        ("columns=id&columns=phone", 404),
        ("columns=1", 404),
        ("columns=__index_level_0__", 404),
    ],
)
def test_scans_check_what_they_are_asked(
    server: TrialServer, reader: tuple[str, Reader], query: str, status: int
) -> None:
    """Columns are names, a limit is a whole number; hidden ones do not exist, however written."""
    dataset, somebody = reader
    with server.http(somebody.token) as http:
        got = http.get(f"/v1/datasets/{dataset.replace('.', '/')}/scan?{query}")
    is_problem(got, status)


@pytest.mark.parametrize("limit", [0, 1, 3, 4, 2**63 - 1])
def test_limits_count_rows(server: TrialServer, reader: tuple[str, Reader], limit: int) -> None:
    """From none to more than there are."""
    dataset, somebody = reader
    path = f"/v1/datasets/{dataset.replace('.', '/')}/scan?format=json&limit={limit}"
    with server.http(somebody.token) as http:
        assert len(http.get(path).json()) == min(limit, 3)


def test_a_name_in_another_case_is_the_same(
    server: TrialServer, reader: tuple[str, Reader]
) -> None:
    """Folding ASCII case is the only repair; a column asked for twice comes once."""
    dataset, somebody = reader
    with server.http(somebody.token) as http:
        path = f"/v1/datasets/{dataset.replace('.', '/').upper()}/scan"
        got = http.get(path, params={"columns": "ID, id", "format": "json"})
    assert got.json() == [{"id": 1}, {"id": 2}, {"id": 3}]


@pytest.mark.parametrize("name", ["token", "access_token", "authorization", "bearer"])
def test_tokens_in_addresses_are_not_read(server: TrialServer, governed: str, name: str) -> None:
    """They would stand in logs and histories."""
    with server.http() as http:
        is_problem(http.get("/v1/whoami", params={name: governed}), 401)
        cookie = {"cookie": f"{name}={governed}"}
        is_problem(http.get("/v1/whoami", headers=cookie), 401)


def test_answers_are_not_kept_or_sniffed(server: TrialServer, governed: str) -> None:
    """Every answer, refusals and streams included, says so."""
    with server.http(governed) as http:
        for path in (
            "/v1/whoami",
            "/nowhere",
            "/v1/datasets/medical_charges/medical_costs/scan?limit=1",
            "/v1/datasets/medical_charges/absent",
        ):
            headers = http.get(path).headers
            assert headers["cache-control"] == "no-store"
            assert headers["x-content-type-options"] == "nosniff"
            assert "default-src 'none'" in headers["content-security-policy"]
            assert "server" not in headers


def test_the_description_names_every_address(server: TrialServer) -> None:
    """OpenAPI 3.1, without credentials."""
    with server.http() as http:
        described = http.get("/openapi.json").json()
        assert http.get("/docs").status_code == 404
    assert described["openapi"].startswith("3.1")
    assert "/v1/datasets/{database}/{name}/scan" in described["paths"]


def test_pages_of_a_listing_join_without_gap(server: TrialServer, steward: Steward) -> None:
    """The cursor of the audit leads through all of it once."""
    user = unique("paged")
    with server.http(server.token(user, "nothing")) as http:
        for _ in range(7):
            http.get("/v1/datasets/a/b")
    seen: list[str] = []
    before = None
    while True:
        page = server.rest().get("/v1/audit", user=user, limit=3, before=before)
        seen += [item["id"] for item in page["items"]]
        if (before := page["next"]) is None:
            break
    assert len(seen) == len(set(seen)) == 7
    assert seen == sorted(seen, reverse=True)


MALFORMED = [
    ("POST", "/v1/tags", b'{"nothing": 1}'),
    ("POST", "/v1/tags", b'{"tag": "a.b", "tag": "a.c"}'),
    ("POST", "/v1/tags", b"{"),
    ("POST", "/v1/sql", b'{"statement": 3}'),
    ("GET", "/v1/audit?limit=-1", b""),
    ("GET", "/v1/permissions?role=%00", b""),
]


@pytest.mark.parametrize(("method", "path", "body"), MALFORMED)
def test_strangers_are_not_told_what_is_wrong_with_a_request(
    server: TrialServer, method: str, path: str, body: bytes
) -> None:
    """Without credentials that hold, a malformed request is refused like a well-formed one."""
    sent = {"content-type": "application/json"} if body else {}
    with server.http() as http:
        for given in ({}, {"authorization": "Bearer not-a-token"}, {"authorization": "Nonsense"}):
            got = http.request(method, path, content=body or None, headers=sent | given)
            if got.status_code != 404:
                is_problem(got, 401, "unauthenticated")
