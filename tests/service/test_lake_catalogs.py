"""Tables that a catalog of Iceberg names: found, registered, read, and believed only so far."""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyiceberg.catalog.rest import RestCatalog
from pyiceberg.catalog.sql import SqlCatalog

from privet.connector.lake_catalogs import base, rest, sql
from privet.model.crawling.crawls import Crawl, CrawlStatus
from privet.model.edits import DriftKind
from privet.model.errors import (
    Conflict,
    Forbidden,
    InvalidRequest,
    NotFound,
    PrivetError,
    SchemaChanged,
    SourceInvalid,
    SourceUnavailable,
)
from privet.model.names import DatasetName
from privet.model.requests import ScanRequest
from privet.service.crawls import Registration
from privet.service.definitions import create_sql
from query.platforms import Person, Place, open_place
from services.connected import secrets_in
from services.iceberg_rest import CLIENT, TOKEN, VENDED, RestCatalogServer, rest_catalog
from services.postgres import DATABASE, PASSWORD, READER, SourceServer, source_server

pytestmark = pytest.mark.service
ROWS = pa.table({"id": pa.array([1, 2], pa.int64()), "email": ["a@example.org", "b@example.org"]})
REST = "'driver'='iceberg_rest', 'host'='h'"
KINDS = ("sqlite", "postgresql", "rest", "oauth")


@pytest.fixture(scope="module")
def postgres() -> Iterator[SourceServer]:
    with source_server() as server:
        yield server


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("catalogs")
    words = {
        "user": READER, "word": PASSWORD, "token": TOKEN, "client": CLIENT[0], "own": CLIENT[1],
        "wrong": "not-the-token",
    }  # fmt: skip
    with open_place(folder / "place", secrets=secrets_in(folder, words)) as place:
        yield place


class Lake:
    """A catalog with a connection to it, and the folder where its tables lie."""

    def __init__(self, place: Place, name: str, catalog: SqlCatalog, folder: Path) -> None:
        self.place = place
        self.name = name
        self.catalog = catalog
        self.folder = folder
        self.properties = ""
        self.server: RestCatalogServer | None = None

    def connect(self, properties: str) -> None:
        """Define the connection."""
        self.properties = f"{properties}, 'location'='file://{self.folder}'"
        run(self.place, f"CREATE DATACONNECTION {self.name} CXNPROPERTIES({self.properties})")

    def make(self, name: str, rows: pa.Table = ROWS) -> Any:
        """A table with rows."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            table = self.catalog.create_table(name, rows.schema)
            table.append(rows)
        return table

    def register(self, found: str) -> DatasetName:
        """Crawl, and make a dataset of what was found."""
        crawl = crawled(self.place, self.place.admin, self.name)
        assert crawl.status is CrawlStatus.COMPLETED, crawl.error
        name = DatasetName(f"of_{self.name}", found)
        new = self.place.platform.catalog.databases.find(name.database) is None
        wanted = Registration(found, name, new_database=new)
        self.place.services.crawls.register(self.place.admin.caller, self.name, wanted)
        return name


@pytest.fixture
def lake(place: Place, postgres: SourceServer, request: pytest.FixtureRequest) -> Iterator[Lake]:
    """A catalog of the kind that the test asks for, SQLite's by default."""
    kind = getattr(request, "param", "sqlite")
    name = place.unique("lake")
    folder = (place.lake / name).resolve()
    folder.mkdir()
    file = folder.parent / f"{name}.db"
    if kind == "postgresql":
        uri = f"postgresql+psycopg://privet@/{DATABASE}?host={postgres.folder}&port={postgres.port}"
    else:
        uri = f"sqlite:///{file}"
    catalog = SqlCatalog(name, uri=uri, warehouse=f"file://{folder}")
    catalog.create_namespace("n")
    made = Lake(place, name, catalog, folder)
    server = "'host'='127.0.0.1', 'port'="
    try:
        if kind == "sqlite":
            made.connect(f"'driver'='iceberg_sqlite', 'database'='{file}', 'catalog'='{name}'")
            yield made
        elif kind == "postgresql":
            made.connect(
                f"'driver'='iceberg_sql', {server}'{postgres.port}', 'database'='{DATABASE}',"
                f" 'user'='secret:user', 'password'='secret:word', 'catalog'='{name}'"
            )
            yield made
        else:
            with rest_catalog(catalog, "pre/fix" if kind == "oauth" else "") as made.server:
                who = "'user'='secret:client', 'password'='secret:own'"
                who = who if kind == "oauth" else "'password'='secret:token'"
                port = made.server.port
                made.connect(f"'driver'='iceberg_rest', {server}'{port}', {who}")
                yield made
    finally:
        catalog.engine.dispose()


def run(place: Place, text: str, person: Person | None = None) -> Any:
    return place.services.statements.execute((person or place.admin).caller, text)


def crawled(place: Place, person: Person, name: str) -> Crawl:
    """A crawl over a connection, once it has ended."""
    return place.crawl(person, name, f"connection://{name}")


def rows(place: Place, name: DatasetName) -> list[int]:
    """What a reader sees, by `id`."""
    reader = place.person(f"GRANT SELECT ON DATABASE {name.database}")
    with place.services.scans.open(reader.caller, ScanRequest(name, None)) as stream:
        return sorted(row["id"] for batch in stream for row in batch.to_pylist())


def refused(place: Place, name: DatasetName) -> PrivetError:
    """Why a reader sees nothing; nothing of it tells of catalogs and places."""
    with pytest.raises(PrivetError) as failed:
        rows(place, name)
    for text in (failed.value.message, failed.value.hint):
        assert str(place.lake) not in text
        assert "127.0.0.1" not in text
    return failed.value


@pytest.mark.parametrize("lake", KINDS, indirect=True)
def test_tables_are_read_as_their_catalog_says(lake: Lake) -> None:
    """Found with tags, registered, and read as the catalog has them at each scan."""
    table = lake.make("n.people")
    assert lake.place.services.connections.test(lake.place.admin.caller, lake.name).problem == ""
    name = lake.register("people")
    dataset = lake.place.platform.catalog.datasets.get(name)
    assert "pii.email" in {str(t) for t in dataset.columns[1].tags}
    assert dataset.source.options["uuid"] == str(table.metadata.table_uuid)
    assert "metadata" not in dataset.source.options
    assert rows(lake.place, name) == [1, 2]
    table.append(pa.table({"id": pa.array([3], pa.int64()), "email": ["c"]}))
    assert rows(lake.place, name) == [1, 2, 3]
    table.delete("id = 1")
    assert rows(lake.place, name) == [2, 3]


@pytest.mark.parametrize("lake", KINDS, indirect=True)
def test_what_the_catalog_says_counts(lake: Lake) -> None:
    """Newer metadata in the folder that the catalog does not name are not read."""
    table = lake.make("n.people")
    name = lake.register("people")
    newest = Path(table.metadata_location.removeprefix("file://"))
    (newest.parent / f"00099-{newest.name[6:]}").write_text(
        newest.read_text().replace('"current-snapshot-id"', '"current-snapshot"')
    )
    assert rows(lake.place, name) == [1, 2]


@pytest.mark.parametrize("lake", KINDS, indirect=True)
def test_all_tables_are_found(lake: Lake) -> None:
    """Of all namespaces and pages, a second of one name as `_1`; what is wrong is its problem."""
    lake.catalog.create_namespace(("n", "inner"))
    for at in range(3):
        lake.make(f"n.t{at}")
    lake.make("n.inner.deep")
    lake.make("n.inner.t0")
    broken = lake.make("n.broken")
    Path(broken.metadata_location.removeprefix("file://")).write_text("{")
    crawl = crawled(lake.place, lake.place.admin, lake.name)
    found = {f.name: f.problem for f in crawl.found}
    assert set(found) == {"t0", "t0_1", "t1", "t2", "deep", "broken"}
    assert {name for name, problem in found.items() if problem} == {"broken"}


def test_the_library_reads_from_the_same_server(lake: Lake) -> None:
    """The server that stands for REST catalogs speaks as the library's own client expects."""
    lake.make("n.people")
    with rest_catalog(lake.catalog) as server:
        uri = f"http://127.0.0.1:{server.port}"
        client = RestCatalog("r", uri=uri, token=TOKEN)
        assert client.list_namespaces() == [("n",)]
        assert client.load_table("n.people").scan().to_arrow().num_rows == 2


@pytest.mark.parametrize("lake", ["sqlite", "rest"], indirect=True)
def test_statements(lake: Lake) -> None:
    """Make such a table, also as of an older snapshot, and are written down as they are made."""
    place = lake.place
    table = lake.make("n.people")
    first = table.current_snapshot().snapshot_id
    database = place.unique("d")
    run(place, f"CREATE DATABASE {database}")
    named = f"'okera.connection.name'='{lake.name}', 'table'='n.people'"
    run(place, f"CREATE TABLE {database}.t STORED AS ICEBERG TBLPROPERTIES({named})")
    name = DatasetName(database, "t")
    table.append(ROWS)
    assert rows(place, name) == [1, 1, 2, 2]
    written = create_sql(place.platform.catalog.datasets.get(name))
    assert "LOCATION" not in written
    run(place, f"DROP TABLE {name}")
    run(place, written)
    assert rows(place, name) == [1, 1, 2, 2]
    run(place, f"DROP TABLE {name}")
    old = f"{named}, 'read.version'='{first}'"
    run(place, f"CREATE TABLE {name} STORED AS ICEBERG TBLPROPERTIES({old})")
    assert rows(place, name) == [1, 2]
    run(place, f"DROP TABLE {name}")
    run(place, f"CREATE TABLE {name} OVER DATACONNECTION {lake.name} TABLE 'n.people'")
    for wrong in ("'table'='people'", "'table'='n.none'", "'table'=''"):
        text = f"'okera.connection.name'='{lake.name}', {wrong}"
        with pytest.raises(InvalidRequest):
            run(place, f"CREATE TABLE {name}2 STORED AS ICEBERG TBLPROPERTIES({text})")
    with pytest.raises(InvalidRequest):
        run(
            place,
            f"CREATE TABLE {name}3 STORED AS ICEBERG LOCATION 'file://{lake.folder}/n/people'"
            f" TBLPROPERTIES({named})",
        )
    text = f"DBPROPERTIES('okera.connection.name'='{lake.name}')"
    run(place, f"CREATE DATABASE {database}_of {text}")
    with pytest.raises(InvalidRequest):
        run(place, f"ALTER DATABASE {database}_of LOAD DEFINITIONS()")
    for where in ((), ("db",), ("db", "public")):
        with pytest.raises(InvalidRequest):
            place.services.connections.browse(place.admin.caller, lake.name, *where)


# ---- tables that are others


@pytest.mark.parametrize("lake", ["sqlite", "rest"], indirect=True)
def test_a_table_that_was_made_anew(lake: Lake) -> None:
    """At the same place under the same name: closed, and the crawl says so."""
    lake.make("n.people")
    name = lake.register("people")
    location = lake.catalog.load_table("n.people").location()
    lake.catalog.drop_table("n.people")
    assert isinstance(refused(lake.place, name), SchemaChanged)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = lake.catalog.create_table("n.people", ROWS.schema, location=location)
    other.append(ROWS)
    assert isinstance(refused(lake.place, name), SchemaChanged)
    crawl = crawled(lake.place, lake.place.admin, lake.name)
    drift = lake.place.services.crawls.drift(lake.place.admin.caller, crawl)["people"]
    assert {d.kind for d in drift} == {DriftKind.SOURCE}
    lake.place.services.datasets.review(lake.place.admin.caller, name)
    assert rows(lake.place, name) == [1, 2]


@pytest.mark.parametrize("lake", ["sqlite", "rest"], indirect=True)
def test_two_tables_that_were_swapped(lake: Lake) -> None:
    """A name that comes to mean another table, elsewhere, shows none of it."""
    lake.make("n.open")
    lake.make("n.secret")
    name = lake.register("open")
    lake.catalog.rename_table("n.open", "n.old")
    lake.catalog.rename_table("n.secret", "n.open")
    assert isinstance(refused(lake.place, name), SourceInvalid)


def test_a_crawl_of_the_path_changes_nothing(lake: Lake) -> None:
    """What lies in the folder is not what the catalog means, so it is no drift of the dataset."""
    table = lake.make("n.people")
    name = lake.register("people")
    before = lake.place.platform.catalog.datasets.get(name)
    lake.place.crawl(lake.place.admin, f"p_{lake.name}", table.location())
    lake.place.services.datasets.review(lake.place.admin.caller, name)
    after = lake.place.platform.catalog.datasets.get(name)
    assert after.source == before.source


# ---- who may


def test_who_may(lake: Lake) -> None:
    """Who defines a connection can read its places; who uses it, registers over it."""
    lake.make("n.people")
    place = lake.place
    person = place.person("GRANT CREATE_DATACONNECTION_AS_OWNER ON CATALOG")
    text = f"CREATE DATACONNECTION {lake.name}_2 CXNPROPERTIES({lake.properties})"
    with pytest.raises((Forbidden, NotFound)):
        run(place, text, person)
    place.grant(f"GRANT SELECT ON URI 'file://{lake.folder}'", person.role)
    with pytest.raises((Forbidden, NotFound)):
        run(place, text, person)
    place.grant(f"GRANT SELECT ON URI 'file://{lake.folder}.db'", person.role)
    run(place, text, person)
    theirs = lake.properties.replace("'database'", "'jdbc.db.name'")
    run(place, f"ALTER DATACONNECTION {lake.name}_2 CXNPROPERTIES({theirs})", person)
    wider = lake.properties.replace(str(lake.folder), str(place.lake.resolve()))
    with pytest.raises((Forbidden, NotFound)):
        run(place, f"ALTER DATACONNECTION {lake.name}_2 CXNPROPERTIES({wider})", person)
    place.grant("GRANT CREATE_CRAWLER_AS_OWNER ON CATALOG", person.role)
    with pytest.raises(NotFound):
        crawled(place, person, lake.name)


def test_a_connection_in_use_is_kept(lake: Lake) -> None:
    """As long as a dataset is read over it."""
    lake.make("n.people")
    name = lake.register("people")
    with pytest.raises(Conflict):
        run(lake.place, f"DROP DATACONNECTION {lake.name}")
    run(lake.place, f"DROP TABLE {name}")
    run(lake.place, f"DROP DATACONNECTION {lake.name}")


@pytest.mark.parametrize(
    "properties",
    [
        f"{REST}, 'password'='secret:token'",
        f"{REST}, 'location'='/x'",
        f"{REST}, 'password'='word', 'location'='/x'",
        f"{REST}, 'password'='secret:t', 'location'='/x', 'prefix'='a/../b'",
        f"{REST}, 'password'='secret:t', 'location'='/x', 'credential'='a:b'",
        f"{REST}, 'password'='secret:t', 'location'='/x', 'sslmode'='some'",
        "'driver'='iceberg_sql', 'host'='h', 'user'='secret:u', 'password'='secret:t'",
        "'driver'='iceberg_sqlite', 'catalog'='c', 'location'='/x'",
        "'driver'='iceberg_sqlite', 'catalog'='c', 'database'='/etc/x.db', 'location'='/etc'",
    ],
)
def test_what_is_no_connection(place: Place, properties: str) -> None:
    """Is refused when it is written."""
    with pytest.raises(InvalidRequest):
        run(place, f"CREATE DATACONNECTION none CXNPROPERTIES({properties})")


# ---- catalogs that lie, stall or are away


def lying(lake: Lake, lie: Any) -> None:
    assert lake.server is not None
    lake.server.lie = lie


def metadata_at(address: object) -> Any:
    return lambda path, body: {**body, "metadata-location": address} if "/tables/" in path else body


@pytest.mark.parametrize("lake", ["rest"], indirect=True)
def test_metadata_of_elsewhere(lake: Lake) -> None:
    """No address is followed out of the location, nor to another table's metadata."""
    lake.make("n.people")
    other = lake.make("n.other")
    name = lake.register("people")
    outside = lake.folder.parent / f"{lake.name}-outside"
    shutil.copytree(lake.folder, outside)
    (copied,) = outside.glob("n/people/metadata/00001-*.json")
    inside = f"file://{lake.folder}/../{outside.name}/n/people/metadata/{copied.name}"
    for address in (f"file://{copied}", inside, "/etc/passwd", "s3://bucket/m.json", "http://h/m"):
        lying(lake, metadata_at(address))
        assert isinstance(refused(lake.place, name), SourceInvalid)
        crawl = crawled(lake.place, lake.place.admin, lake.name)
        assert all(f.problem for f in crawl.found)
        assert all(str(outside) not in f.problem for f in crawl.found)
    for address in (other.metadata_location, "", 7, None, "x" * 5000, f"file://{lake.folder}/no"):
        lying(lake, metadata_at(address))
        assert isinstance(refused(lake.place, name), SourceInvalid | SourceUnavailable)


@pytest.mark.parametrize("lake", ["rest"], indirect=True)
@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b"[" * 100_000, b"\xff", b"7", b" " * (9 << 20), b'{"namespaces": 7}'],
    ids=["empty", "list", "half", "deep", "bytes", "number", "large", "other"],
)
def test_answers_that_are_none(lake: Lake, body: bytes) -> None:
    """End what was asked with an error of ours."""
    lake.make("n.people")
    name = lake.register("people")
    lying(lake, lambda *_: body)
    problem = lake.place.services.connections.test(lake.place.admin.caller, lake.name).problem
    assert problem or body == b'{"namespaces": 7}'
    assert isinstance(refused(lake.place, name), SourceInvalid)
    assert crawled(lake.place, lake.place.admin, lake.name).status is CrawlStatus.FAILED


@pytest.mark.parametrize("lake", ["rest"], indirect=True)
def test_listings_without_end(lake: Lake) -> None:
    """Pages and namespaces that never end, end the crawl."""

    def pages(path: str, body: dict[str, Any]) -> Any:
        return {**body, "next-page-token": "again"} if "namespaces" in path else body

    def nested(path: str, body: dict[str, Any]) -> Any:
        if path.endswith("/tables"):
            return {"identifiers": []}
        return {"namespaces": [["x"] * 400]} if path.endswith("/namespaces") else body

    for lie in (pages, nested):
        lying(lake, lie)
        crawl = crawled(lake.place, lake.place.admin, lake.name)
        assert crawl.status is CrawlStatus.FAILED


@pytest.mark.parametrize("lake", ["rest"], indirect=True)
@pytest.mark.parametrize("drips", [False, True])
def test_a_catalog_that_stalls(lake: Lake, drips: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is not waited for, whether it sends nothing or a byte now and then."""
    lake.make("n.people")
    name = lake.register("people")
    monkeypatch.setattr(rest, "SECONDS", 1)
    assert lake.server is not None
    lake.server.stall = threading.Event()
    lake.server.drips = drips
    started = time.monotonic()
    assert isinstance(refused(lake.place, name), SourceUnavailable)
    assert time.monotonic() - started < 20


@pytest.mark.parametrize("lake", ["rest", "oauth"], indirect=True)
def test_nothing_vended_is_used_or_asked_for(lake: Lake) -> None:
    """Neither credentials nor another address that the catalog says its clients shall use."""
    lake.make("n.people")
    name = lake.register("people")
    assert rows(lake.place, name) == [1, 2]
    assert lake.server is not None
    for headers in lake.server.headers:
        assert not any("delegation" in key.lower() for key in headers)
        assert VENDED not in str(headers)
    dataset = lake.place.platform.catalog.datasets.get(name)
    assert VENDED not in json.dumps(dict(dataset.source.options))


def test_a_catalog_that_does_not_let_us_in(lake: Lake) -> None:
    """A wrong token, and nobody at the port: told by the test, without the secret."""
    with rest_catalog(lake.catalog) as server:
        about = f"'host'='127.0.0.1', 'location'='file://{lake.folder}', 'password'='secret:wrong'"
        for port, word in ((server.port, "let us in"), (1, "reached")):
            name = lake.place.unique("closed")
            text = f"'driver'='iceberg_rest', 'port'='{port}', {about}"
            run(lake.place, f"CREATE DATACONNECTION {name} CXNPROPERTIES({text})")
            tested = lake.place.services.connections.test(lake.place.admin.caller, name)
            assert word in tested.problem
            assert "not-the-token" not in tested.problem


def test_files_that_are_no_catalog(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Views that compute for ever, other files, links: typed errors, in time."""
    lake.make("n.people")
    name = lake.register("people")
    file = lake.folder.parent / f"{lake.name}.db"
    lake.catalog.engine.dispose()
    kept = file.read_bytes()
    file.write_bytes(b"no database at all, " * 100)
    assert isinstance(refused(lake.place, name), SourceInvalid)
    file.unlink()
    endless = (
        "CREATE VIEW iceberg_tables AS WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1"
        " FROM r) SELECT 'c' catalog_name, 'n' table_namespace, 't' table_name, n FROM r"
    )
    with sqlite3.connect(file) as connection:
        connection.execute(endless)
    connection.close()
    assert isinstance(refused(lake.place, name), SourceInvalid)
    file.unlink()
    assert isinstance(refused(lake.place, name), SourceUnavailable)
    elsewhere = file.with_name(f"{lake.name}-moved.db")
    elsewhere.write_bytes(kept)
    file.symlink_to(elsewhere)
    assert isinstance(refused(lake.place, name), SourceUnavailable)


@pytest.mark.parametrize("lake", ["postgresql"], indirect=True)
def test_a_database_that_takes_too_long(
    lake: Lake, postgres: SourceServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Is broken off, whatever its own limits are."""
    lake.make("n.people")
    name = lake.register("people")
    monkeypatch.setattr(sql, "SECONDS", 1)
    postgres.run("ALTER TABLE iceberg_tables RENAME TO kept")
    try:
        postgres.run(
            "CREATE VIEW iceberg_tables AS SELECT k.* FROM kept k, LATERAL (SELECT pg_sleep(60)) s"
        )
        postgres.run(f"GRANT SELECT ON iceberg_tables TO {READER}")
        started = time.monotonic()
        assert isinstance(refused(lake.place, name), SourceUnavailable)
        assert time.monotonic() - started < 20
    finally:
        postgres.run("DROP VIEW iceberg_tables")
        postgres.run("ALTER TABLE kept RENAME TO iceberg_tables")


def test_a_connection_that_leads_elsewhere_now(lake: Lake) -> None:
    """To a narrower location, or to a database: what was registered is closed."""
    lake.make("n.people")
    name = lake.register("people")
    narrow = lake.properties.replace(f"file://{lake.folder}", f"file://{lake.folder}/other")
    run(lake.place, f"ALTER DATACONNECTION {lake.name} CXNPROPERTIES({narrow})")
    assert isinstance(refused(lake.place, name), SourceInvalid)
    table = "'driver'='postgresql', 'host'='127.0.0.1', 'user'='secret:user'"
    run(
        lake.place,
        f"ALTER DATACONNECTION {lake.name} CXNPROPERTIES({table}, 'password'='secret:word')",
    )
    assert isinstance(refused(lake.place, name), SourceUnavailable)


def test_names_that_are_none() -> None:
    """A catalog's names are text that can be shown and kept."""
    for namespace, table in (([], "t"), ([""], "t"), (["n"], ""), (["n\n"], "t"), ([7], "t")):
        with pytest.raises(SourceInvalid):
            base.name_of(namespace, table)
    with pytest.raises(SourceInvalid):
        base.name_of(["n" * 600], "t")
    assert base.name_of(["a", "b.c"], "t").dotted == "a.b.c"
