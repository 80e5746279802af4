"""Queries with the client against a real server: what comes, and how it is refused."""

import datetime as dt
import signal
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

import privet
from doors.steward import Steward, unique
from privet.client import Client
from privet.client.languages import governs
from privet.client.statements import label, query_command
from privet.client.waiting import cancel_request
from privet.model.errors import (
    Cancelled,
    InvalidRequest,
    NotFound,
    ParseFailed,
    PrivetError,
    StatementFailed,
    UnknownName,
)
from privet.model.sql_text import is_query

ROWS = 100_000
LONG_PLANNING = "SELECT count(*) FROM (" + "SELECT *, * FROM (" * 18 + "SELECT 1" + ")" * 19
LONG = "SELECT count(*) AS n FROM range(1000000000) a, range(1000) b WHERE a.range < b.range"


@pytest.fixture(scope="module")
def dataset(steward: Steward) -> str:
    """Ids, text, and a column that nobody but administrators sees."""
    table = pa.table({"id": range(ROWS), "text": ["x" * 50] * ROWS, "phone": ["555"] * ROWS})
    return steward.dataset(table, suffix="parquet", tags={"phone": ["phi.phone_number"]})


@pytest.fixture
def client(steward: Steward, dataset: str) -> Iterator[Client]:
    """The connection of somebody new who may read all but that column."""
    grant = f"GRANT SELECT ON TABLE {dataset} HAVING ATTRIBUTE NOT IN (phi.phone_number)"
    server = steward.server
    token = steward.reader(grant).token
    with privet.connect(server.rest_url, token, ca=server.ca) as connection:
        yield connection


def ended(steward: Steward, client: Client) -> dict[str, Any]:
    """How the only query of a client ended, once it has."""
    user = client.whoami()["user"]
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if found := steward.server.events(user=user, action="query.end"):
            return found[0]
        time.sleep(0.05)
    raise AssertionError(steward.server.events(user=user))


@pytest.mark.service
def test_every_form_has_the_same_rows(client: Client, dataset: str) -> None:
    """Arrow, batches, a reader, pandas and Polars agree; the schema is known before any row."""
    statement = f"SELECT id, text FROM {dataset} WHERE id < 5000 ORDER BY id"
    query = client.sql(statement)
    assert query.schema.names == ["id", "text"]
    table = query.to_arrow()
    assert table.column("id").to_pylist() == list(range(5000))
    assert pa.Table.from_batches(list(client.sql(statement))).equals(table)
    assert client.sql(statement).to_reader().read_all().equals(table)
    frame = client.sql(statement).to_pandas()
    assert pa.Table.from_pandas(frame, schema=table.schema).equals(table)
    assert client.sql(statement).to_polars().shape == table.shape


VALUES: tuple[Any, ...] = (
    None,
    True,
    -(2**63),
    1.5,
    "ü'\"\n\\",
    "",
    b"\x00\xff",
    Decimal("1.50"),
    dt.date(2024, 2, 29),
    dt.time(1, 2, 3, 4),
    dt.datetime(2024, 2, 29, 1, 2, 3, 4),  # noqa: DTZ001 - a time without a zone
    dt.datetime(2024, 2, 29, 1, 2, 3, 4, tzinfo=dt.UTC),
    [1, None, 3],
    ["a", "b"],
    [[1], []],
)


@pytest.mark.service
def test_parameters_arrive_as_they_are(client: Client) -> None:
    """By place and by name, of every type that a column can have; none of them is SQL."""
    for value in VALUES:
        (row,) = client.sql("SELECT $1 AS a", [value]).to_arrow().to_pylist()
        assert row == {"a": value}, value
    (row,) = client.sql("SELECT $b AS b, $a AS a", {"a": 1, "b": "; DROP"}).to_arrow().to_pylist()
    assert row == {"b": "; DROP", "a": 1}
    assert client.sql("SELECT ? + ? AS a", (40, 2)).to_arrow().to_pylist() == [{"a": 42}]
    assert client.sql("SELECT 1 AS a", []).to_arrow().num_rows == 1


@pytest.mark.service
@pytest.mark.parametrize(
    ("statement", "parameters", "kind"),
    [
        ("SELECT $1", None, InvalidRequest),
        ("SELECT $1", [1, 2], InvalidRequest),
        ("SELECT $a", {"b": 1}, InvalidRequest),
        ("SELECT $1::INTEGER", ["secret"], StatementFailed),
        ("SELECT FROM", None, ParseFailed),
        ("SELECT 1; SELECT 2", None, InvalidRequest),
        ("SELECT phone FROM {}", None, UnknownName),
        ("SELECT * FROM {}_absent", None, NotFound),
        ("", None, InvalidRequest),
        ("SELECT '" + "x" * 140_000 + "'", None, InvalidRequest),
    ],
)
def test_refusals_are_the_models_errors(
    client: Client, dataset: str, statement: str, parameters: Any, kind: type[PrivetError]
) -> None:
    """Without a value in it, and with the place where there is one."""
    with pytest.raises(kind) as refused:
        client.sql(statement.format(dataset), parameters).to_arrow()
    assert "secret" not in str(refused.value)
    assert "grpc" not in str(refused.value).lower()
    if kind in {ParseFailed, UnknownName}:
        assert refused.value.position is not None


@pytest.mark.service
def test_each_language_has_its_method(client: Client) -> None:
    """The hint of a refusal names the other one."""
    with pytest.raises(InvalidRequest, match="`execute`"):
        client.sql("GRANT SELECT ON CATALOG TO ROLE public_role")
    with pytest.raises(ParseFailed, match="`sql`"):
        client.execute("SELECT 1")


@pytest.mark.service
def test_a_database_and_a_limit(client: Client, dataset: str) -> None:
    """Where bare names are looked for, and how many rows may come."""
    database, _, name = dataset.partition(".")
    query = client.sql(f"SELECT id FROM {name}", database=database, limit=7)
    assert query.to_arrow().num_rows == 7
    assert client.sql("SELECT 1 AS a", limit=0).to_arrow().num_rows == 0
    with pytest.raises(InvalidRequest):
        client.sql("SELECT 1", limit=-1)


@pytest.mark.service
def test_leaving_early_ends_the_query(client: Client, dataset: str, steward: Steward) -> None:
    """Its audit says that it was cancelled."""
    with client.sql(f"SELECT a.* FROM {dataset} a, range(1000)") as query:
        next(iter(query))
    assert ended(steward, client)["outcome"] == "cancelled"


@pytest.mark.service
def test_another_thread_can_cancel(client: Client) -> None:
    """Whoever reads does not wait for ever, and cannot read again."""
    query = client.sql(LONG)
    timer = threading.Timer(0.5, query.cancel)
    timer.start()
    began = time.monotonic()
    with pytest.raises(Cancelled):
        query.to_arrow()
    assert time.monotonic() - began < 15
    timer.join()
    with pytest.raises(InvalidRequest, match="run the query again"):
        list(query)


@pytest.mark.service
@pytest.mark.parametrize(
    "statement",
    [LONG, f"SELECT i AS n FROM range(40000) t(i) UNION ALL {LONG}"],
    ids=["before the first row", "amid the rows"],
)
def test_an_interrupt_ends_the_query(client: Client, steward: Steward, statement: str) -> None:
    """Ctrl-C, or the notebook's button; on both sides."""
    query = client.sql(statement)
    timer = threading.Timer(1, signal.raise_signal, (signal.SIGINT,))
    timer.start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        query.to_arrow()
    assert time.monotonic() - began < 15
    timer.join()
    assert ended(steward, client)["outcome"] == "cancelled"


@pytest.mark.service
def test_planning_can_be_interrupted_too(client: Client) -> None:
    """Binding alone may take long."""
    timer = threading.Timer(0.5, signal.raise_signal, (signal.SIGINT,))
    timer.start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        client.sql(LONG_PLANNING)
    assert time.monotonic() - began < 15
    timer.join()


@pytest.mark.service
def test_a_query_is_decided_again_when_it_is_read(steward: Steward, dataset: str) -> None:
    """What is revoked between planning and reading does not come."""
    reader = steward.reader(f"GRANT SELECT ON TABLE {dataset}", user=unique("late"))
    server = steward.server
    with privet.connect(server.flight_url, reader.token, ca=server.ca) as client:
        query = client.sql(f"SELECT count(*) AS n FROM {dataset}")
        steward.sql(f"REVOKE SELECT ON TABLE {dataset} FROM ROLE {reader.role}")
        with pytest.raises(NotFound):
            query.to_arrow()


def test_a_command_is_json_with_an_arrow_row() -> None:
    """Text as it is; what is no text or no value is refused before anything is sent."""
    assert b"\xc3\xbc" in query_command("SELECT 'ü'", None, None, None)
    assert b'"parameters": "' in query_command("SELECT $1", [1], "db", 5)
    for statement, parameters in (("SELECT '\ud800'", None), ("SELECT $1", [object()])):
        with pytest.raises(InvalidRequest):
            query_command(statement, parameters, None, None)


def test_a_label_is_the_beginning() -> None:
    """On one line."""
    assert label("SELECT\n  1") == "SELECT 1"
    assert label("SELECT " + "x" * 100) == "SELECT " + "x" * 33 + "..."


@pytest.mark.parametrize("size", [0, 1, 127, 128, 300, 16384])
def test_a_request_to_cancel_is_a_protobuf_message(size: int) -> None:
    """As the server's own library reads it."""
    from privet.flight import flight_sql_pb2 as pb

    info = bytes(size)
    assert pb.CancelFlightInfoRequest.FromString(cancel_request(info)).info == info


@pytest.mark.parametrize(
    ("text", "asking", "governing"),
    [
        ("select 1", True, False),
        ("-- who\n/* \n */ WITH x AS (SELECT 1) FROM x", True, False),
        ("(select 1)", True, False),
        ("selection", False, False),
        ("GRANT SELECT ON CATALOG TO ROLE x", False, True),
        ("show tables in x", False, True),
        ("INSERT INTO x VALUES (1)", False, False),
        ("", False, False),
    ],
)
def test_languages_are_told_apart_by_their_first_word(
    text: str, asking: bool, governing: bool
) -> None:
    """For hints only."""
    assert (is_query(text), governs(text)) == (asking, governing)
