"""Queries over HTTP: what comes, in which form, and how it is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pyarrow as pa
import pytest

from doors.doors import READ
from doors.servers import TrialServer
from doors.steward import Reader, Steward, unique

pytestmark = pytest.mark.service
ROWS = 25
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def people(steward: Steward) -> tuple[str, Reader]:
    """A dataset and somebody who may read all of it but `phone`, where `id` is not 3."""
    table = pa.table(
        {
            "id": range(ROWS),
            "name": [f"näme {i}" if i % 5 else None for i in range(ROWS)],
            "phone": [f"555-{i:04}" for i in range(ROWS)],
        }
    )
    dataset = steward.dataset(table, suffix="parquet", tags={"phone": ["phi.phone_number"]})
    grant = f"GRANT SELECT ON TABLE {dataset} HAVING ATTRIBUTE NOT IN (phi.phone_number)"
    return dataset, steward.reader(f"{grant} WHERE id != 3")


@pytest.fixture
def http(server: TrialServer, people: tuple[str, Reader]) -> Iterator[httpx2.Client]:
    """That reader, speaking raw HTTP."""
    with server.http(people[1].token) as connection:
        yield connection


def ask(http: httpx2.Client, statement: str, /, form: str = "", **body: Any) -> httpx2.Response:
    """POST a statement."""
    query = {"format": form} if form else {}
    return http.post("/v1/sql", json={"statement": statement, **body}, params=query)


def rows(got: httpx2.Response) -> list[dict[str, Any]]:
    """The rows of an answer in NDJSON."""
    assert got.status_code == 200, got.text
    assert got.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in got.text.splitlines()]


def refused(got: httpx2.Response, *codes: str) -> dict[str, Any]:
    """A refusal with one of these codes and a sentence, and nothing of any library's."""
    assert got.status_code in {400, 401, 404, 422}, (got.status_code, got.text)
    assert got.headers["content-type"] == "application/problem+json"
    body = got.json()
    assert body["code"] in codes, body
    assert body["detail"]
    for word in ("Traceback", "Catalog Error", "Binder Error", "Parser Error", "pyarrow"):
        assert word.lower() not in got.text.lower()
    return body


def test_rows_come_as_this_reader_may_see_them(
    http: httpx2.Client, people: tuple[str, Reader]
) -> None:
    """One object a line, the hidden column and row absent, and nobody keeps a copy."""
    got = ask(http, f"SELECT * FROM {people[0]} ORDER BY id")
    seen = rows(got)
    assert [row["id"] for row in seen] == [i for i in range(ROWS) if i != 3]
    assert set(seen[0]) == {"id", "name"}
    assert seen[:2] == [{"id": 0, "name": None}, {"id": 1, "name": "näme 1"}]
    assert got.headers["cache-control"] == "no-store"
    assert got.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("form", READ)
def test_every_format_has_the_same_rows(
    http: httpx2.Client, people: tuple[str, Reader], form: str
) -> None:
    """By the name of the format, and by its media type."""
    statement = f"SELECT id, name FROM {people[0]} ORDER BY id"
    schema = pa.schema([("id", pa.int64()), ("name", pa.string())])
    got = ask(http, statement, form)
    assert got.status_code == 200, got.text
    table = READ[form](got.content, schema)
    assert table.cast(schema).to_pylist() == rows(ask(http, statement))
    media = got.headers["content-type"].partition(";")[0]
    body = {"statement": statement}
    same = http.post("/v1/sql", json=body, headers={"accept": f"text/html, {media};q=0.9"})
    assert same.headers["content-type"] == got.headers["content-type"]
    assert READ[form](same.content, schema).equals(table)


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("*/*", "application/x-ndjson"),
        ("text/html", "application/x-ndjson"),
        ("", "application/x-ndjson"),
        ("application/json, text/csv;q=0.9", "application/json"),
        ("application/json;q=0.1, TEXT/CSV; q=0.9", "text/csv"),
        ("text/csv;q=0, application/json;q=x", "application/x-ndjson"),
        ("text/csv;q=nan, application/json;q=0.2", "application/json"),
    ],
)
def test_the_accept_header_prefers(http: httpx2.Client, accept: str, media: str) -> None:
    """What it likes best of what there is, else NDJSON."""
    got = http.post("/v1/sql", json={"statement": "SELECT 1 AS a"}, headers={"accept": accept})
    assert got.headers["content-type"].partition(";")[0] == media


def test_the_format_asked_for_goes_before_the_header(http: httpx2.Client) -> None:
    """One that is unknown is refused, as for scans."""
    sent: dict[str, Any] = {
        "json": {"statement": "SELECT 1 AS a"},
        "headers": {"accept": "text/csv"},
    }
    got = http.post("/v1/sql", params={"format": "json"}, **sent)
    assert got.json() == [{"a": 1}]
    assert http.post("/v1/sql", params={"format": "xml"}, **sent).status_code == 422


def test_policy_statements_are_carried_out_as_before(server: TrialServer, steward: Steward) -> None:
    """The same body, the same answer; the Accept header and null options do not matter."""
    tag = f"phi.{unique('tag')}"
    with server.http(server.admin_token, accept="text/csv") as admin:
        made = ask(admin, f"CREATE ATTRIBUTE {tag}")
        assert made.json() == {
            "kind": "create",
            "message": "done",
            "columns": [],
            "rows": [],
            "warnings": [],
        }
        for form in ("", "json"):
            shown = ask(admin, "SHOW ATTRIBUTES", form, limit=None, parameters=None)
            assert [tag, ""] in shown.json()["rows"]


@pytest.mark.parametrize(
    "beside",
    [
        {"limit": 1},
        {"parameters": [1]},
        {"parameters": []},
        {"database": "x"},
        {"page_rows": 1},
        {"page": "x"},
        {"form": "csv"},
    ],
)
def test_options_beside_a_policy_statement_are_refused_before_it_is_done(
    server: TrialServer, beside: dict[str, Any]
) -> None:
    """Nothing that has no effect is taken silently."""
    tag = f"phi.{unique('tag')}"
    with server.http(server.admin_token) as admin:
        told = refused(ask(admin, f"CREATE ATTRIBUTE {tag}", **beside), "invalid_request")
        assert next(iter(beside)).replace("form", "format") in told["detail"]
        assert tag not in admin.get("/v1/tags").text


PARAMETERS: tuple[tuple[str, Any, list[dict[str, Any]]], ...] = (
    ("SELECT ? + 1 AS a", [41], [{"a": 42}]),
    ("SELECT $2 AS a, $1 AS b", ["x", "ü'\"\n"], [{"a": "ü'\"\n", "b": "x"}]),
    ("SELECT $n AS a, $m AS b", {"n": 1.5, "m": True}, [{"a": 1.5, "b": True}]),
    ("SELECT $1 IS NULL AS a", [None], [{"a": True}]),
    ("SELECT list_sum($1) AS a", [[1, 2, 3]], [{"a": "6"}]),
    ("SELECT len($1) AS a", [[]], [{"a": 0}]),
    ("SELECT $1::DATE + 1 AS a", ["2024-02-28"], [{"a": "2024-02-29T00:00:00"}]),
    ("SELECT $1::DECIMAL(10, 2) AS a", ["1.10"], [{"a": "1.10"}]),
    ("SELECT 2 IN (SELECT unnest($1)) AS a", [[1, 2]], [{"a": True}]),
    ("SELECT $1 AS a", [2**63 - 1], [{"a": 2**63 - 1}]),
    ("SELECT id FROM {} WHERE name = $1", ["näme 7"], [{"id": 7}]),
    ("SELECT id FROM {} WHERE id IN (?, ?) ORDER BY id", [3, 4], [{"id": 4}]),
    ("SELECT count(*) AS a FROM {} WHERE id < $most", {"most": 10}, [{"a": 9}]),
)


@pytest.mark.parametrize(("statement", "parameters", "expected"), PARAMETERS)
def test_parameters_have_their_types(
    http: httpx2.Client,
    people: tuple[str, Reader],
    statement: str,
    parameters: Any,
    expected: list[dict[str, Any]],
) -> None:
    """By place or by name; text is never SQL; dates and decimals are text that is cast."""
    got = rows(ask(http, statement.format(people[0]), parameters=parameters))
    assert [{k: _midnight(v) for k, v in row.items()} for row in got] == [
        {k: _midnight(v) for k, v in row.items()} for row in expected
    ]


def _midnight(value: Any) -> Any:
    return value.removesuffix("T00:00:00") if isinstance(value, str) else value


@pytest.mark.parametrize(
    ("statement", "parameters"),
    [
        ("SELECT $1", [{"a": 1}]),
        ("SELECT $1", [[1, "x"]]),
        ("SELECT $a", {"a": {"b": 1}}),
        ("SELECT $1", []),
        ("SELECT $1", [1, 2]),
        ("SELECT $a", [1]),
        ("SELECT $a", {"b": 1}),
        ("SELECT $1::INTEGER", ["no number"]),
        ("SELECT $1 + 1", [[1]]),
        ("SELECT * FROM range(3) LIMIT $1", ["x"]),
        ("SELECT 1", [1]),
    ],
)
def test_parameters_that_do_not_fit_are_refused(
    http: httpx2.Client, statement: str, parameters: Any
) -> None:
    """With a sentence that does not repeat them."""
    got = ask(http, statement, parameters=parameters)
    told = refused(
        got, "invalid_request", "parse_failed", "type_mismatch", "statement_failed", "unknown_name"
    )
    assert "no number" not in json.dumps(told)


BAD_BODIES = (
    "{}",
    '{"statement": null}',
    '{"statement": 1}',
    '{"statement": " "}',
    '{"statement": ["SELECT 1"]}',
    '{"statement": "SELECT 1", "limit": -1}',
    '{"statement": "SELECT 1", "limit": "1"}',
    '{"statement": "SELECT 1", "limit": true}',
    '{"statement": "SELECT 1", "limit": 1.0}',
    '{"statement": "SELECT 1", "limit": 9223372036854775808}',
    '{"statement": "SELECT 1", "parameters": 1}',
    '{"statement": "SELECT 1", "parameters": "1"}',
    '{"statement": "SELECT $1", "parameters": [NaN]}',
    '{"statement": "SELECT $1", "parameters": [1e999]}',
    '{"statement": "SELECT $1", "parameters": [9223372036854775808]}',
    '{"statement": "SELECT $a", "parameters": {"a": 1, "a": 2}}',
    '{"statement": "SELECT $1", "parameters": ["\\u0000"]}',
    '{"statement": "SELECT $1", "parameters": ["\\ud800"]}',
    '{"statement": "SELECT \'\\u0000\'"}',
    '{"statement": "SELECT 1", "statement": "SELECT 2"}',
    '{"statement": "SELECT 1", "database": "a.b"}',
    '{"statement": "SELECT 1", "database": 1}',
    '{"statement": "SELECT 1", "offset": 1}',
    '{"statement": "SELECT 1", "page_rows": 0}',
    '{"statement": "SELECT 1", "page_rows": 10001}',
    '{"statement": "SELECT 1", "page_rows": "1"}',
    '{"statement": "SELECT 1", "page_rows": 1, "limit": 1}',
    '{"statement": "SELECT 1", "page": "x"}',
    '{"page": "x", "page_rows": 1}',
    '{"page": 1}',
)


@pytest.mark.parametrize("body", BAD_BODIES, ids=range(len(BAD_BODIES)))
def test_bad_bodies_are_refused(http: httpx2.Client, body: str) -> None:
    """Wrong types, numbers out of range, options that contradict each other."""
    got = http.post("/v1/sql", content=body.encode(), headers=JSON)
    refused(got, "invalid_request", "parse_failed")


@pytest.mark.parametrize(
    ("statement", "line", "column"),
    [
        ("SELECT 1 FROM FROM", 1, 15),
        ("SELECT\n  'ü' AS a\nWHERE )", 3, 7),
        ("SELECT 'ü☃𝄞', absent", 1, 15),
        ("-- ü\nSELECT * FROM range(3) t(i) WHERE i = 𝄞", 2, 39),
        ("SELECT 1 FROM a.b", 1, 15),
    ],
)
def test_errors_point_into_the_statement(
    http: httpx2.Client, statement: str, line: int, column: int
) -> None:
    """Lines and columns count from one, in characters."""
    told = refused(ask(http, statement), "parse_failed", "unknown_name", "not_found")
    assert (told["position"]["line"], told["position"]["column"]) == (line, column)


@pytest.mark.parametrize(
    ("statement", "codes"),
    [
        ("SELECT * FROM {}_absent", {"not_found", "unknown_name"}),
        ("SELECT phone FROM {}", {"unknown_name", "not_found"}),
        ("SELECT 'x'::INTEGER", {"statement_failed"}),
        ("SELECT no_such_function(1)", {"unknown_name", "invalid_request"}),
        ("SELECT 1; SELECT 2", {"parse_failed", "invalid_request"}),
        (
            "WITH x AS (DELETE FROM y RETURNING *) SELECT * FROM x",
            {"parse_failed", "invalid_request"},
        ),
        ("SELECT * FROM read_csv('/etc/passwd')", {"unknown_name", "invalid_request", "not_found"}),
        ("INSERT INTO x VALUES (1)", {"parse_failed"}),
    ],
)
def test_what_cannot_be_answered_is_refused_by_status(
    http: httpx2.Client, people: tuple[str, Reader], statement: str, codes: set[str]
) -> None:
    """Before an answer begins, so that no client takes it for one without rows."""
    refused(ask(http, statement.format(people[0])), *codes)


def test_unicode_goes_there_and_back(http: httpx2.Client) -> None:
    """In names, text and comments."""
    got = ask(http, "SELECT 'Zoë ☃ 𝄞 \u200d' AS \"größe\" -- ✓\n")
    assert rows(got) == [{"größe": "Zoë ☃ 𝄞 \u200d"}]


def test_a_database_stands_before_bare_names(
    http: httpx2.Client, people: tuple[str, Reader]
) -> None:
    """Where one is given."""
    database, _, name = people[0].partition(".")
    statement = f"SELECT count(*) AS n FROM {name}"
    assert rows(ask(http, statement, database=database.upper())) == [{"n": ROWS - 1}]
    refused(ask(http, statement), "not_found", "unknown_name")


@pytest.mark.parametrize("limit", [0, 1, ROWS, 2**63 - 1])
def test_limits_count_rows(http: httpx2.Client, people: tuple[str, Reader], limit: int) -> None:
    """From none to more than there are; such an answer has no next page."""
    got = ask(http, f"SELECT id FROM {people[0]}", limit=limit)
    assert len(rows(got)) == min(limit, ROWS - 1)
    assert "x-privet-next-page" not in got.headers


def test_statements_have_a_longest_length(http: httpx2.Client) -> None:
    """128 KB; it counts in bytes."""
    assert rows(ask(http, f"SELECT 1 AS a --{'x' * 120_000}")) == [{"a": 1}]
    for filling in ("x" * 132_000, "ü" * 66_000):
        refused(ask(http, f"SELECT 1 AS a --{filling}"), "invalid_request")


def test_names_that_json_cannot_tell_apart_are_refused(http: httpx2.Client) -> None:
    """A value is never left out silently; other formats have both, or both have names."""
    statement = "SELECT x.a, y.a FROM (SELECT 1 AS a) x, (SELECT 2 AS a) y"
    for form in ("ndjson", "json"):
        got = ask(http, statement, form)
        if got.status_code == 200:
            assert len(READ[form](got.content, None).column_names) == 2
        else:
            refused(got, "invalid_request")
    assert READ["arrow"](ask(http, statement, "arrow").content, None).num_columns == 2


def test_without_credentials_nothing_is_said(server: TrialServer) -> None:
    """Not even whether the statement is one."""
    with server.http() as http:
        for statement in ("SELECT 1", "SELECT FROM", "SHOW TAGS", "SELECT * FROM a.b"):
            assert refused(ask(http, statement), "unauthenticated")["detail"]
        refused(ask(http, "SELECT 1", page_rows=1), "unauthenticated")
        refused(http.post("/v1/sql", json={"page": "x"}), "unauthenticated")
