"""Tables over connections: who makes them, what they show, and what their readers are told."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from privet.model.datasets import Dataset
from privet.model.errors import (
    CalledOff,
    Conflict,
    InvalidRequest,
    NotFound,
    PrivetError,
    SchemaChanged,
    SourceUnavailable,
)
from privet.model.names import DatasetName, TagName
from privet.model.requests import ScanRequest
from privet.service.definitions import create_sql
from privet.service.statements.results import StatementResult
from query.platforms import Person, Place
from services.connected import connected_place, properties_of
from services.postgres import PASSWORD, READER, SourceServer, free_port, source_server

pytestmark = pytest.mark.service
OVER = "'okera.connection.name'='shop'"


@pytest.fixture(scope="module")
def source() -> Iterator[SourceServer]:
    with source_server() as server:
        server.run(
            "CREATE TABLE orders (id int PRIMARY KEY, email text, country text,"
            " total numeric(9, 2), placed timestamptz, internal text)"
        )
        server.run("COMMENT ON COLUMN orders.total IS 'in euros'")
        server.run(
            "INSERT INTO orders SELECT g, 'user' || g || '@example.org',"
            " CASE WHEN g % 4 = 0 THEN 'DE' ELSE 'FR' END, g * 1.25, '2024-01-01', 'i' || g"
            " FROM generate_series(1, 1000) g"
        )
        yield server


@pytest.fixture(scope="module")
def place(source: SourceServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("tables")
    with connected_place(folder, source, "shop") as place:
        run(place, place.admin, "CREATE DATABASE d")
        yield place


def run(place: Place, person: Person, text: str) -> StatementResult:
    return place.services.statements.execute(person.caller, text)


def make(place: Place, source: SourceServer, columns: str = "", table: str = "") -> Dataset:
    """A dataset over a table of its own, which is like `orders` unless it is named."""
    name = place.unique("t")
    if not table:
        source.run(f"CREATE TABLE {name} AS SELECT * FROM orders")
    run(place, place.admin, created(f"d.{name}", table or name, columns))
    return place.platform.catalog.datasets.get(DatasetName("d", name))


def created(name: str, table: str, columns: str = "", connection: str = "shop") -> str:
    return (
        f"CREATE EXTERNAL TABLE {name} {columns} STORED AS JDBC TBLPROPERTIES("
        f"'okera.connection.name'='{connection}', 'table'='{table}')"
    )


def scanned(
    place: Place, person: Person, dataset: Dataset, *columns: str
) -> list[dict[str, object]]:
    with place.services.scans.open(
        person.caller, ScanRequest(dataset.name, columns or None)
    ) as stream:
        return [row for batch in stream for row in batch.to_pylist()]


def rows_read(place: Place, person: Person) -> int | None:
    """How many rows somebody's last scan took from its source."""
    (ended, *_) = place.platform.audit.list_events(user=person.user, action="scan.end")
    return ended.rows_read


def test_a_table_is_what_its_server_says(place: Place, source: SourceServer) -> None:
    """Columns, types and comments are the server's; rules propose tags from a few rows."""
    dataset = make(place, source)
    assert [c.name for c in dataset.columns] == [
        "id", "email", "country", "total", "placed", "internal"
    ]  # fmt: skip
    assert str(dataset.columns[3].type) == "decimal128(9, 2)"
    assert "pii.email" in {str(t) for t in dataset.columns[1].tags}
    reader = place.person(f"GRANT SELECT ON TABLE {dataset.name}")
    rows = scanned(place, reader, dataset, "id", "total")
    assert len(rows) == 1000
    again = create_sql(dataset)
    run(place, place.admin, f"DROP TABLE {dataset.name}")
    run(place, place.admin, again)
    made = place.platform.catalog.datasets.get(dataset.name)
    assert made.source == dataset.source
    assert [(c.name, c.type, c.tags) for c in made.columns] == [
        (c.name, c.type, c.tags) for c in dataset.columns
    ]


def test_policy_is_applied_here_and_asked_of_the_server(place: Place, source: SourceServer) -> None:
    """A reader's filter spares the server what they may not see; masks are ours."""
    dataset = make(place, source)
    reader = place.person(
        f"GRANT SELECT ON TABLE {dataset.name} HAVING ATTRIBUTE NOT IN (pii.email)"
        " WHERE country = 'DE'",
    )
    source.setting("log_statement", "'all'")
    rows = scanned(place, reader, dataset)
    source.setting("log_statement", "'none'")
    assert len(rows) == 250
    assert {row["country"] for row in rows} == {"DE"}
    assert "email" not in rows[0]
    asked = [line for line in source.log.splitlines() if "COPY (" in line][-1]
    assert """"country" = 'DE'""" in asked
    assert '"email"' not in asked
    assert rows_read(place, reader) == 250


def test_queries_and_views(place: Place, source: SourceServer) -> None:
    """SQL reads such a table like any other, and its conditions reach the server."""
    dataset = make(place, source)
    reader = place.person(f"GRANT SELECT ON TABLE {dataset.name} WHERE country = 'DE'")
    source.setting("log_statement", "'all'")
    got = place.ask(reader, f"SELECT count(*), sum(id) FROM {dataset.name} WHERE id <= 8")
    source.setting("log_statement", "'none'")
    assert got.rows == [(2, 12)]
    asked = [line for line in source.log.splitlines() if "COPY (" in line][-1]
    assert '"id" <= 8' in asked
    assert """"country" = 'DE'""" in asked
    author = place.person("GRANT CREATE ON DATABASE d", f"GRANT SELECT ON TABLE {dataset.name}")
    run(place, author, f"CREATE VIEW {dataset.name}_v AS SELECT id FROM {dataset.name}")
    over = place.person(f"GRANT SELECT ON TABLE {dataset.name}_v")
    assert place.ask(over, f"SELECT max(id) FROM {dataset.name}_v").rows == [(1000,)]


def test_declared_columns(place: Place, source: SourceServer) -> None:
    """Some columns, under other types that hold them; others are refused where they stand."""
    dataset = make(place, source, "(id int, total string, country string COMMENT 'of the buyer')")
    assert [(c.name, str(c.type)) for c in dataset.columns] == [
        ("id", "int32"),
        ("total", "string"),
        ("country", "string"),
    ]
    for columns, said in (
        ("(id bigint)", "cannot be read as int64"),
        ("(nothing int)", "nothing"),
    ):
        with pytest.raises(InvalidRequest, match=said):
            make(place, source, columns)


def test_our_own_form(place: Place, source: SourceServer) -> None:
    """It says the same in fewer words, and takes as little of files."""
    table = place.unique("own")
    source.run(f"CREATE TABLE {table} AS SELECT 1 AS v")
    text = f"CREATE TABLE d.{table} OVER DATACONNECTION shop TABLE '{table}' SCHEMA 'public'"
    with pytest.raises(InvalidRequest, match="PARQUET"):
        run(place, place.admin, f"{text} STORED AS PARQUET")
    run(place, place.admin, text)
    dataset = place.platform.catalog.datasets.get(DatasetName("d", table))
    assert scanned(place, place.person(f"GRANT SELECT ON TABLE d.{table}"), dataset) == [{"v": 1}]
    run(place, place.admin, f"DROP TABLE d.{table}")
    run(place, place.admin, create_sql(dataset))
    again = place.platform.catalog.datasets.get(dataset.name)
    assert again.source == dataset.source


def test_calling_off_reaches_the_server(place: Place, source: SourceServer) -> None:
    """A scan that waits for its first row ends when it is called off, and its statement does."""
    source.run("CREATE VIEW slow AS SELECT 1 AS v")
    run(place, place.admin, "CREATE TABLE d.slow OVER DATACONNECTION shop TABLE 'slow'")
    source.run("CREATE OR REPLACE VIEW slow AS SELECT 1 AS v FROM pg_sleep(600)")
    reader = place.person("GRANT SELECT ON TABLE d.slow")
    stream = place.services.scans.open(reader.caller, ScanRequest(DatasetName("d", "slow")))
    with ThreadPoolExecutor(1) as other:
        waiting = other.submit(lambda: next(iter(stream)))
        until = time.monotonic() + 60
        while not any("slow" in query for query in source.ours()):
            assert time.monotonic() < until
            time.sleep(0.05)
        assert stream.call_off()
        with pytest.raises(CalledOff):
            waiting.result(timeout=60)
    while source.ours():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_permissions_that_stayed_are_told_of(place: Place, source: SourceServer) -> None:
    """Whoever makes a table anew under its name learns that they count again, if they may."""
    dataset = make(place, source)
    place.person(f"GRANT SELECT ON TABLE {dataset.name}")
    again = f"permissions that were written on `{dataset.name}` before count again"
    run(place, place.admin, f"DROP TABLE {dataset.name}")
    text = created(str(dataset.name), dataset.name.name)
    assert again in run(place, place.admin, text).warnings
    run(place, place.admin, f"DROP TABLE {dataset.name}")
    maker = place.person("GRANT CREATE ON DATABASE d", "GRANT USE ON DATACONNECTION shop")
    assert again not in run(place, maker, text).warnings
    run(place, place.admin, f"DROP TABLE {dataset.name}")
    table, database = place.unique("kept"), place.unique("again")
    source.run(f"CREATE TABLE {table} (v int)")
    over = "DBPROPERTIES('okera.connection.name'='shop')"
    run(place, place.admin, f"CREATE DATABASE {database} {over}")
    load = f"ALTER DATABASE {database} LOAD DEFINITIONS({table})"
    assert not run(place, place.admin, load).warnings
    place.person(f"GRANT SELECT ON TABLE {database}.{table}")
    run(place, place.admin, f"DROP TABLE {database}.{table}")
    assert any("count again" in w for w in run(place, place.admin, load).warnings)


def test_who_may_make_one(place: Place, source: SourceServer) -> None:
    """Both the place and the connection are needed; a connection of others reads as absent."""
    source.run("CREATE TABLE theirs AS SELECT 1 AS v")
    place.platform.catalog.databases.create("rights", by="root")
    text = created("rights.t", "theirs")
    maker = place.person("GRANT CREATE ON DATABASE rights")
    with pytest.raises(NotFound) as hidden:
        run(place, maker, text)
    with pytest.raises(NotFound) as absent:
        run(place, maker, text.replace("'shop'", "'none'"))
    assert hidden.value.message.replace("shop", "") == absent.value.message.replace("none", "")
    place.grant("GRANT USE ON DATACONNECTION shop", maker.role)
    run(place, maker, text)
    reader = place.person("GRANT SELECT ON DATABASE rights")
    found = place.platform.catalog.datasets.get(DatasetName("rights", "t"))
    assert scanned(place, reader, found) == [{"v": 1}]


def test_one_owner(place: Place, source: SourceServer) -> None:
    """A table is one dataset; its connection stays as long as it does."""
    dataset = make(place, source)
    with pytest.raises(Conflict, match="path"):
        run(place, place.admin, created("d.second", dataset.name.name))
    with pytest.raises(Conflict, match="read over"):
        run(place, place.admin, "DROP DATACONNECTION shop")


@pytest.mark.parametrize(
    ("clauses", "others", "said"),
    [
        ("", "'table'='orders'", "names its connection"),
        ("", OVER, "which table"),
        ("LOCATION '/x'", f"{OVER}, 'table'='orders'", "no LOCATION"),
        ("", f"{OVER}, 'table'='orders', 'driver'='mysql'", "is to postgresql"),
        ("", f"{OVER}, 'table'='orders', 'jdbc.db.name'='postgres'", "is to database"),
    ],
)
def test_what_makes_no_table(place: Place, clauses: str, others: str, said: str) -> None:
    """Each is refused by what is wrong with it."""
    with pytest.raises(InvalidRequest, match=said):
        run(
            place,
            place.admin,
            f"CREATE TABLE d.never STORED AS JDBC {clauses} TBLPROPERTIES({others})",
        )


def test_tables_that_are_not_there(place: Place) -> None:
    """They are said to be absent to whoever may use the connection."""
    with pytest.raises(NotFound, match="no table"):
        run(place, place.admin, created("d.never", "nowhere"))


def test_other_databases_are_defined_and_not_read(place: Place, source: SourceServer) -> None:
    """A connection of another kind says which there are."""
    name = place.unique("other")
    text = properties_of(source).replace("postgresql", "mysql")
    run(place, place.admin, f"CREATE DATACONNECTION {name} CXNPROPERTIES({text})")
    with pytest.raises(InvalidRequest, match="mysql"):
        run(place, place.admin, created("d.never", "orders", connection=name))


def test_loading_a_schema(place: Place, source: SourceServer) -> None:
    """All tables that may be read, or those named; what cannot be registered is said."""
    source.run("CREATE SCHEMA stock")
    source.run(f"GRANT USAGE ON SCHEMA stock TO {READER}")
    for table in ("items", '"Mixed Case"', "hidden"):
        source.run(f"CREATE TABLE stock.{table} (v int)")
    source.run(f"REVOKE ALL ON stock.hidden FROM {READER}")
    text = f"{properties_of(source)}, 'schema'='stock'"
    run(place, place.admin, f"CREATE DATACONNECTION stock CXNPROPERTIES({text})")
    over = "DBPROPERTIES('okera.connection.name'='stock')"
    run(place, place.admin, f"CREATE DATABASE stock {over}")
    one = run(place, place.admin, "ALTER DATABASE stock LOAD DEFINITIONS(items)")
    assert one.rows == (("stock.items",),)
    rest = run(place, place.admin, "ALTER DATABASE stock LOAD DEFINITIONS()")
    assert rest.rows == (("stock.mixed_case",),)
    assert "items" in " ".join(rest.warnings)
    bare = place.unique("bare")
    run(place, place.admin, f"CREATE DATABASE {bare}")
    with pytest.raises(InvalidRequest, match="names no connection"):
        run(place, place.admin, f"ALTER DATABASE {bare} LOAD DEFINITIONS()")
    changer = place.person("GRANT ALTER ON DATABASE stock", "GRANT CREATE ON CATALOG")
    for refused in (
        "ALTER DATABASE stock LOAD DEFINITIONS()",
        f"ALTER DATABASE stock SET {over}",
        f"CREATE DATABASE {place.unique('db')} {over}",
    ):
        with pytest.raises(NotFound, match="stock"):
            run(place, changer, refused)


def test_readers_are_told_no_names(place: Place, source: SourceServer) -> None:
    """Whatever happens to the server or table: no host, user, table or secret is in the error."""
    dataset = make(place, source)
    reader = place.person(f"GRANT SELECT ON TABLE {dataset.name}")
    table = dataset.name.name
    told: list[PrivetError] = []

    def fails(kind: type[PrivetError]) -> None:
        with pytest.raises(kind) as error:
            scanned(place, reader, dataset)
        told.append(error.value)

    source.run(f"ALTER TABLE {table} ALTER COLUMN total TYPE numeric(12, 4)")
    fails(SchemaChanged)
    source.run(f"DROP TABLE {table}")
    fails(SchemaChanged)
    gone = properties_of(source, free_port())
    run(place, place.admin, f"ALTER DATACONNECTION shop CXNPROPERTIES({gone})")
    fails(SourceUnavailable)
    wrong = properties_of(source).replace("secret:word", "secret:user")
    run(place, place.admin, f"ALTER DATACONNECTION shop CXNPROPERTIES({wrong})")
    fails(SourceUnavailable)
    run(place, place.admin, f"ALTER DATACONNECTION shop CXNPROPERTIES({properties_of(source)})")
    for error in told:
        words = f"{error.message} {error.hint}"
        for hidden in ("127.0.0.1", READER, PASSWORD, f"public.{table}", "secret"):
            assert hidden not in words


def test_autotag(place: Place, source: SourceServer) -> None:
    """Rules look at the table again."""
    dataset = make(place, source)
    run(
        place,
        place.admin,
        f"ALTER TABLE {dataset.name} DROP COLUMN ATTRIBUTE email pii.email",
    )
    again = run(place, place.admin, f"ALTER TABLE {dataset.name} EXECUTE AUTOTAG")
    assert ("email", "pii.email") in again.rows


def test_what_was_rejected_is_proposed_no_more(place: Place, source: SourceServer) -> None:
    """Neither once the table is registered anew, nor with all others of its schema."""
    dataset = make(place, source)
    caller, table = place.admin.caller, dataset.name.name

    def tagged(name: DatasetName) -> set[tuple[str, ...]]:
        after = place.platform.catalog.datasets.get(name)
        return {t.path for c in after.columns for t in c.field_tags}

    (column,) = tagged(dataset.name)
    place.services.proposals.reject(caller, dataset.name, column, TagName("pii", "email"))
    place.services.tables.drop(caller, dataset.name)
    run(place, place.admin, created(str(dataset.name), table))
    assert tagged(dataset.name) == set()
    place.services.tables.drop(caller, dataset.name)
    run(place, place.admin, "ALTER DATABASE d SET DBPROPERTIES('okera.connection.name'='shop')")
    run(place, place.admin, f"ALTER DATABASE d LOAD DEFINITIONS({table})")
    assert tagged(dataset.name) == set()
