"""Answers page by page: the pages are the answer, and their cursors are one reader's own."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pyarrow as pa
import pytest
from cryptography.fernet import Fernet

from doors.doors import READ
from doors.servers import TrialServer
from doors.steward import Reader, Steward
from privet.keys import FileKeys, KeyRing

pytestmark = pytest.mark.service
ROWS = 25
NEXT = "x-privet-next-page"


@pytest.fixture(scope="module")
def numbers(steward: Steward) -> tuple[str, Reader]:
    """A dataset, and somebody who may read it."""
    table = pa.table({"id": range(ROWS), "text": [f"t{i}" for i in range(ROWS)]})
    dataset = steward.dataset(table, suffix="parquet")
    return dataset, steward.reader(f"GRANT SELECT ON TABLE {dataset}")


@pytest.fixture
def http(server: TrialServer, numbers: tuple[str, Reader]) -> Iterator[httpx2.Client]:
    """That reader, speaking raw HTTP."""
    with server.http(numbers[1].token) as connection:
        yield connection


def first(http: httpx2.Client, statement: str, rows: int, **body: Any) -> httpx2.Response:
    """The first page of an answer."""
    return http.post("/v1/sql", json={"statement": statement, "page_rows": rows, **body})


def lines(got: httpx2.Response) -> list[Any]:
    """The rows of a page."""
    assert got.status_code == 200, got.text
    return [json.loads(line) for line in got.text.splitlines()]


def pages(http: httpx2.Client, got: httpx2.Response) -> Iterator[list[Any]]:
    """The rows of a page and of all after it."""
    yield lines(got)
    while cursor := got.headers.get(NEXT):
        got = http.post("/v1/sql", json={"page": cursor})
        yield lines(got)


@pytest.mark.parametrize("rows", [1, 7, ROWS - 1, ROWS, ROWS + 1, 10_000])
def test_pages_to_the_end_are_the_whole(
    http: httpx2.Client, numbers: tuple[str, Reader], rows: int
) -> None:
    """Every page but the last is full, and the last one says that it is by having no cursor."""
    statement = f"SELECT id, text FROM {numbers[0]} ORDER BY id"
    parts = list(pages(http, first(http, statement, rows)))
    assert [row for part in parts for row in part] == lines(
        http.post("/v1/sql", json={"statement": statement})
    )
    assert [len(part) for part in parts[:-1]] == [rows] * (len(parts) - 1)
    assert 0 < len(parts[-1]) <= rows


def test_an_answer_without_rows_has_one_page(
    http: httpx2.Client, numbers: tuple[str, Reader]
) -> None:
    """And it is empty."""
    assert list(pages(http, first(http, f"SELECT * FROM {numbers[0]} WHERE id < 0", 5))) == [[]]


def test_parameters_and_database_go_with_the_cursor(
    http: httpx2.Client, numbers: tuple[str, Reader]
) -> None:
    """It needs nothing beside it, and has the form asked for with each page."""
    database, _, name = numbers[0].partition(".")
    statement = f"SELECT id FROM {name} WHERE id > $low ORDER BY id"
    got = first(http, statement, 2, database=database, parameters={"low": ROWS - 6})
    seen = lines(got)
    for form in ("csv", "arrow"):
        body = {"page": got.headers[NEXT]}
        got = http.post("/v1/sql", json=body, params={"format": form})
        seen += READ[form](got.content, None).to_pylist()
    assert [row["id"] for row in seen] == list(range(ROWS - 5, ROWS))
    assert NEXT not in got.headers


def test_a_page_can_be_asked_for_again(http: httpx2.Client, numbers: tuple[str, Reader]) -> None:
    """A cursor is a request, and asking it twice is asking twice."""
    cursor = first(http, f"SELECT id FROM {numbers[0]} ORDER BY id", 10).headers[NEXT]
    once, again = (http.post("/v1/sql", json={"page": cursor}) for _ in range(2))
    assert lines(once) == lines(again)


def refused(got: httpx2.Response, status: int, code: str) -> None:
    """A refusal, and no rows."""
    assert (got.status_code, got.json()["code"]) == (status, code), got.text
    assert got.json()["hint"]
    assert NEXT not in got.headers


def resealed(server: TrialServer, cursor: str, *, age: float, **changed: Any) -> str:
    """A cursor as the server would have made it `age` seconds ago: needs the server's own key."""
    (file,) = server.home.rglob("master.key")
    box = Fernet(base64.urlsafe_b64encode(KeyRing(FileKeys(file)).derive("ticket", "1")))
    body = json.loads(box.decrypt(cursor))
    return box.encrypt_at_time(json.dumps(body | changed).encode(), int(time.time() - age)).decode()


def test_cursors_of_others_do_not_hold(
    server: TrialServer, steward: Steward, http: httpx2.Client, numbers: tuple[str, Reader]
) -> None:
    """Altered, cut, expired, somebody else's, or of another kind: one refusal for all."""
    dataset, _ = numbers
    cursor = first(http, f"SELECT id FROM {dataset} ORDER BY id", 10).headers[NEXT]
    middle = len(cursor) // 2
    flipped = "A" if cursor[middle] != "A" else "B"
    bad = (
        "x",
        "ü",
        cursor[:-4],
        cursor[:middle] + flipped + cursor[middle + 1 :],
        resealed(server, cursor, age=13 * 3600),
        resealed(server, cursor, age=-3600),
    )
    for text in bad:
        refused(http.post("/v1/sql", json={"page": text}), 401, "ticket_invalid")
    for token in (
        server.admin_token,
        steward.reader(f"GRANT SELECT ON TABLE {dataset}").token,
    ):
        with server.http(token) as other:
            refused(other.post("/v1/sql", json={"page": cursor}), 401, "ticket_invalid")
    fresh = resealed(server, cursor, age=1)
    assert len(lines(http.post("/v1/sql", json={"page": fresh}))) == 10


def test_a_cursor_is_decided_anew(
    server: TrialServer, steward: Steward, numbers: tuple[str, Reader]
) -> None:
    """What was revoked after the first page does not come with the second."""
    dataset, _ = numbers
    reader = steward.reader(f"GRANT SELECT ON TABLE {dataset}")
    with server.http(reader.token) as http:
        cursor = first(http, f"SELECT id FROM {dataset} ORDER BY id", 10).headers[NEXT]
        assert len(lines(http.post("/v1/sql", json={"page": cursor}))) == 10
        steward.sql(f"REVOKE SELECT ON TABLE {dataset} FROM ROLE {reader.role}")
        got = http.post("/v1/sql", json={"page": cursor})
        assert got.status_code in {400, 404}
        assert got.json()["code"] in {"not_found", "unknown_name"}


def test_pages_are_small(http: httpx2.Client) -> None:
    """In rows, in bytes, and in what a cursor has to carry; each refusal says what to do."""
    refused(first(http, "SELECT 1", 10_001), 400, "invalid_request")
    big = first(http, "SELECT repeat('x', 1000000) AS a FROM range(100)", 100)
    refused(big, 422, "resources_exceeded")
    refused(first(http, f"SELECT 1 --{'x' * 10_000}", 1), 400, "invalid_request")
    refused(first(http, "SELECT $1", 1, parameters=["x" * 10_000]), 400, "invalid_request")
