"""Clients that nobody here wrote: the Flight SQL driver of ADBC, and Polars over it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import adbc_driver_flightsql.dbapi as adbc
import polars as pl
import pyarrow as pa
import pytest
from adbc_driver_flightsql import ConnectionOptions, DatabaseOptions
from adbc_driver_manager import dbapi

from doors.servers import TrialServer
from doors.steward import Reader, Steward, unique
from flight.raw import STACK

pytestmark = pytest.mark.service
Seen = tuple[str, Reader]
PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def seen(steward: Steward) -> Seen:
    """A dataset, and somebody who reads some of its rows, no phones, and tokens for MRNs."""
    table = pa.table(
        {
            "id": [1, 2, 3, 4],
            "mrn": ["M-1001", "M-1002", "M-1003", "M-1004"],
            "phone": ["SECRET"] * 4,
            "cost": [1.5, None, 2.5, 9.0],
            "at": pa.array([0, 1, 2, 3], pa.timestamp("us")),
        }
    )
    tags = {"phone": ["phi.phone_number"], "mrn": ["phi.mrn"]}
    steward.ensure_tag("phi.mrn")
    dataset = steward.dataset(table, suffix="parquet", tags=tags)
    grant = (
        f"GRANT SELECT ON TABLE {dataset} HAVING ATTRIBUTE NOT IN (phi.phone_number)"
        " TRANSFORM phi.mrn WITH tokenize() WHERE id != 4"
    )
    return dataset, steward.reader(grant)


@contextmanager
def connected(server: TrialServer, **options: str) -> Iterator[dbapi.Connection]:
    """A connection with TLS and these options of the driver."""
    trusted = {DatabaseOptions.TLS_ROOT_CERTS.value: server.ca.read_text()}
    # The protocol has no transactions here: without autocommit the driver would warn.
    with adbc.connect(
        server.flight_url, db_kwargs={**trusted, **options}, autocommit=True
    ) as connection:
        yield connection


def as_bearer(token: str) -> dict[str, str]:
    """A token, as the driver sends it."""
    return {DatabaseOptions.AUTHORIZATION_HEADER.value: f"Bearer {token}"}


@pytest.fixture
def connection(server: TrialServer, seen: Seen) -> Iterator[dbapi.Connection]:
    """As the reader."""
    with connected(server, **as_bearer(seen[1].token)) as opened:
        yield opened


@pytest.fixture
def cursor(connection: dbapi.Connection) -> Iterator[dbapi.Cursor]:
    """As the reader."""
    with connection.cursor() as opened:
        yield opened


@contextmanager
def failing(text: str) -> Iterator[None]:
    """The body fails with our words, and no stack of ours in them."""
    with pytest.raises((dbapi.Error, OSError), match=text) as error:
        yield
    shown = f"{error.value} {getattr(error.value, 'details', '')}"
    assert not [word for word in STACK if word in shown], shown
    assert "SECRET" not in shown


def test_statements_are_answered(cursor: dbapi.Cursor, seen: Seen) -> None:
    """Rows, tuples and frames: what a scan shows, and no more."""
    cursor.execute(f"SELECT * FROM {seen[0]} ORDER BY id")
    table = cursor.fetch_arrow_table()
    assert table.column_names == ["id", "mrn", "cost", "at"]
    assert table["id"].to_pylist() == [1, 2, 3]
    assert all(not token.startswith("M-10") for token in table["mrn"].to_pylist())
    cursor.execute(f"SELECT count(*), sum(cost) FROM {seen[0]}")
    assert cursor.fetchall() == [(3, 4.0)]
    cursor.execute("SELECT 1 AS a UNION ALL SELECT 2 ORDER BY a")
    assert cursor.fetchone() == (1,)
    assert cursor.fetchone() == (2,)
    assert cursor.fetchone() is None
    assert [column[0] for column in cursor.description] == ["a"]


def test_empty_and_many(cursor: dbapi.Cursor) -> None:
    """No row at all has a schema; many rows come in many batches, in order."""
    cursor.execute("SELECT 1 AS a WHERE false")
    assert cursor.fetch_arrow_table().column_names == ["a"]
    cursor.execute("SELECT range AS a FROM range(200000) ORDER BY a")
    table = cursor.fetch_arrow_table()
    assert table["a"].to_pylist() == list(range(200_000))
    assert max(batch.num_rows for batch in table.to_batches()) <= 32_768


VALUES: tuple[Any, ...] = (
    7,
    -(2**62),
    1.5,
    "text with 'quotes' and ünïcode \N{SNOWMAN}",
    "",
    True,
    None,
    b"\x00\xff bytes",
    dt.date(2024, 2, 29),
    dt.time(12, 34, 56, 789),
    dt.datetime(2024, 2, 29, 12, 34, 56, 789),  # noqa: DTZ001 - SQL has both
    dt.datetime(2024, 2, 29, 12, 34, tzinfo=dt.UTC),
    Decimal("12345.678"),
    [1, 2, None],
    ["a", "b"],
    {"x": 1, "y": "two"},
)


@pytest.mark.parametrize("value", VALUES)
def test_a_value_of_any_type_comes_back(cursor: dbapi.Cursor, value: Any) -> None:
    """As it went, through a prepared statement."""
    cursor.execute("SELECT ? AS value", (value,))
    assert cursor.fetch_arrow_table().to_pydict() == {"value": [value]}


def test_parameters_are_bound_anew(cursor: dbapi.Cursor, seen: Seen) -> None:
    """The same statement again with other values, as the driver reuses it."""
    text = f"SELECT id FROM {seen[0]} WHERE id >= ? AND cost < ? ORDER BY id"
    for low, high, ids in ((1, 2.0, [1]), (1, 3.0, [1, 3]), (2, 3.0, [3]), (9, 9.0, [])):
        cursor.execute(text, (low, high))
        assert cursor.fetch_arrow_table()["id"].to_pylist() == ids


def test_named_parameters_come_as_arrow(cursor: dbapi.Cursor, seen: Seen) -> None:
    """The driver has no dictionaries; the names are those of columns."""
    row = pa.record_batch({"low": [2], "high": [3]})
    cursor.execute(f"SELECT id FROM {seen[0]} WHERE id BETWEEN $low AND $high ORDER BY id", row)
    assert cursor.fetch_arrow_table()["id"].to_pylist() == [2, 3]


def test_what_a_statement_will_give(cursor: dbapi.Cursor, seen: Seen) -> None:
    """Before it is run: its columns, and its parameters."""
    assert cursor.adbc_execute_schema(f"SELECT id, cost FROM {seen[0]}") == pa.schema(
        [("id", pa.int64()), ("cost", pa.float64())]
    )
    assert cursor.adbc_prepare("SELECT ? AS a, ? AS b") == pa.schema(
        [("1", pa.null()), ("2", pa.null())]
    )
    cursor.execute("SELECT ? AS a, ? AS b", (1, "x"))
    assert cursor.fetchall() == [(1, "x")]


def test_partitions_are_read_elsewhere(
    server: TrialServer, connection: dbapi.Connection, seen: Seen
) -> None:
    """A ticket is taken to another connection of the same user."""
    with connection.cursor() as cursor:
        partitions, schema = cursor.adbc_execute_partitions(f"SELECT id FROM {seen[0]} ORDER BY id")
    assert schema == pa.schema([("id", pa.int64())])
    with (
        connected(server, **as_bearer(seen[1].token)) as other,
        other.cursor() as cursor,
    ):
        (partition,) = partitions
        cursor.adbc_read_partition(partition)
        assert cursor.fetch_arrow_table()["id"].to_pylist() == [1, 2, 3]


@pytest.mark.parametrize("depth", ["catalogs", "db_schemas", "tables", "columns", "all"])
def test_objects_at_each_depth(connection: dbapi.Connection, seen: Seen, depth: str) -> None:
    """The catalog as trees of ADBC show it, with nothing hidden in it."""
    database, table = seen[0].split(".")
    (catalog,) = connection.adbc_get_objects(depth=depth).read_all().to_pylist()
    assert catalog["catalog_name"] == "privet"
    if depth == "catalogs":
        return
    (schema,) = catalog["catalog_db_schemas"]
    assert schema["db_schema_name"] == database
    if depth == "db_schemas":
        return
    (found,) = schema["db_schema_tables"]
    assert (found["table_name"], found["table_type"]) == (table, "TABLE")
    if depth == "tables":
        return
    columns = {c["column_name"]: c["xdbc_type_name"] for c in found["table_columns"]}
    assert columns == {"id": "BIGINT", "mrn": "VARCHAR", "cost": "DOUBLE", "at": "TIMESTAMP"}


def test_objects_by_pattern(connection: dbapi.Connection, seen: Seen) -> None:
    """Patterns of databases and tables; what fits none is not there."""
    database, table = seen[0].split(".")

    def tables(**filters: str) -> list[str]:
        (catalog,) = connection.adbc_get_objects(depth="tables", **filters).read_all().to_pylist()
        return [
            found["table_name"]
            for schema in catalog["catalog_db_schemas"]
            for found in schema["db_schema_tables"]
        ]

    assert tables(db_schema_filter=f"{database[:-1]}%", table_name_filter="t%") == [table]
    assert tables(table_name_filter="absent%") == []
    assert tables(db_schema_filter="absent") == []


def test_the_schema_of_a_table(connection: dbapi.Connection, seen: Seen) -> None:
    """Of one that is seen; others are not there, whether they exist or not."""
    database, table = seen[0].split(".")
    schema = connection.adbc_get_table_schema(table, db_schema_filter=database)
    assert schema.names == ["id", "mrn", "cost", "at"]
    with failing("NOT_FOUND"):
        connection.adbc_get_table_schema("medical_costs")
    with failing("NOT_FOUND"):
        connection.adbc_get_table_schema("absent")


def test_what_the_server_says_of_itself(connection: dbapi.Connection) -> None:
    """Its name and versions; its types of tables."""
    info = connection.adbc_get_info()
    assert (info["vendor_name"], info["vendor_arrow_version"]) == ("Privet", pa.__version__)
    assert connection.adbc_get_table_types() == ["TABLE"]


def run(text: str) -> Callable[[dbapi.Cursor], Any]:
    """Execute a statement."""
    return lambda cursor: cursor.execute(text)


REFUSED: dict[str, tuple[Callable[[dbapi.Cursor], Any], str]] = {
    "absent": (run("SELECT * FROM absent.absent"), "does not exist, or you have no access"),
    "hidden": (run("SELECT * FROM medical_charges.medical_costs"), "you have no access"),
    "syntax": (run("SELEC 1"), "line 1"),
    "function": (run("SELECT * FROM read_csv('/etc/passwd')"), "read_csv"),
    "cast": (run("SELECT CAST(x AS INTEGER) FROM (SELECT 'SECRET' AS x)"), "FlightSQL"),
    "values missing": (run("SELECT ? AS a"), "no value"),
    "many": (lambda cursor: cursor.executemany("SELECT ?", [(1,), (2,)]), "only reads"),
    "update": (lambda cursor: cursor.executescript("SELECT 1"), "only reads"),
    "ingest": (
        lambda cursor: cursor.adbc_ingest("t", pa.table({"a": [1]}), mode="create"),
        "only reads",
    ),
    "substrait": (lambda cursor: cursor.execute(b"\x00\x01"), "Substrait"),
    "rows": (
        lambda cursor: cursor.execute("SELECT ?", pa.record_batch({"1": [1, 2]})),
        "exactly one row",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused_is_refused_in_words(cursor: dbapi.Cursor, what: str) -> None:
    """Ours, as the driver passes them on; the connection is good afterwards."""
    act, text = REFUSED[what]
    with failing(text):
        act(cursor)
        cursor.fetchall()
    cursor.execute("SELECT 1 AS a")
    assert cursor.fetchall() == [(1,)]


def test_transactions_and_options_of_sessions(connection: dbapi.Connection) -> None:
    """The driver learns that there are none."""
    with failing("transaction"):
        connection.adbc_connection.set_autocommit(False)
    with failing("session options are not supported"):
        connection.adbc_connection.set_options(
            **{f"{ConnectionOptions.OPTION_SESSION_OPTION_PREFIX.value}x": "y"}
        )


def test_a_name_and_a_password(server: TrialServer, steward: Steward, seen: Seen) -> None:
    """Are exchanged for a token; wrong ones for nothing."""
    user = unique("local_user")
    body = {"user": user, "password": PASSWORD, "groups": [seen[1].group]}
    steward.rest.post("/v1/users", body)
    with connected(server, username=user, password=PASSWORD) as opened, opened.cursor() as cursor:
        for _ in range(2):
            cursor.execute(f"SELECT count(*) FROM {seen[0]}")
            assert cursor.fetchall() == [(3,)]
    with failing("UNAUTHENTICATED"), connected(server, username=user, password="wrong"):
        pass


@pytest.mark.parametrize(
    "options", [{}, as_bearer("a.b.c"), {"adbc.flight.sql.authorization_header": "Token x"}]
)
def test_without_credentials_nothing_is_told(server: TrialServer, options: dict[str, str]) -> None:
    """Neither data nor metadata."""
    with connected(server, **options) as opened, opened.cursor() as cursor:
        with failing("UNAUTHENTICATED"):
            cursor.execute("SELECT 1")
        with failing("UNAUTHENTICATED"):
            opened.adbc_get_objects(depth="catalogs").read_all()
        with failing("UNAUTHENTICATED"):
            opened.adbc_get_table_types()


def test_without_the_certificate_nothing_is_sent(server: TrialServer, seen: Seen) -> None:
    """Neither to a server that is not trusted nor without TLS."""
    for url in (server.flight_url, server.flight_url.replace("grpc+tls", "grpc")):
        kwargs = {**as_bearer(seen[1].token), "adbc.flight.sql.rpc.timeout_seconds.query": "5"}
        with (
            adbc.connect(url, db_kwargs=kwargs, autocommit=True) as opened,
            opened.cursor() as cursor,
            failing("UNAVAILABLE|DEADLINE|IO|UNKNOWN"),
        ):
            cursor.execute("SELECT 1")


def test_polars_reads_over_it(connection: dbapi.Connection, seen: Seen) -> None:
    """A frame, also with parameters."""
    frame = pl.read_database(f"SELECT * FROM {seen[0]} ORDER BY id", connection)
    assert frame.columns == ["id", "mrn", "cost", "at"]
    assert frame["cost"].to_list() == [1.5, None, 2.5]
    assert frame.schema["at"] == pl.Datetime("us")
    chosen = pl.read_database(
        f"SELECT id FROM {seen[0]} WHERE id > ?",
        connection,
        execute_options={"parameters": [2]},
    )
    assert chosen["id"].to_list() == [3]
    with failing("you have no access"):
        pl.read_database("SELECT * FROM absent.absent", connection)


def test_polars_reads_in_batches(connection: dbapi.Connection) -> None:
    """Without holding all of it."""
    batches = pl.read_database(
        "SELECT range AS a FROM range(100000)", connection, iter_batches=True, batch_size=10_000
    )
    assert sum(batch["a"].len() for batch in batches) == 100_000
