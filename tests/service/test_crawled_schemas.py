"""Crawls over connections: what they find, who may, and what changed since."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pytest

from privet.catalog import Starter
from privet.model.crawling.crawls import CrawlStatus, FoundDataset
from privet.model.datasets import Column
from privet.model.edits import DriftKind
from privet.model.errors import InvalidRequest, NotFound, SourceUnavailable
from privet.model.names import DatasetName
from privet.model.requests import ScanRequest
from privet.model.sources import TablePlace
from privet.service.crawls import Registration
from query.platforms import Place
from services.connected import connected_place
from services.postgres import DATABASE, PASSWORD, READER, SourceServer, source_server

pytestmark = pytest.mark.service


@pytest.fixture(scope="module")
def source() -> Iterator[SourceServer]:
    with source_server() as server:
        server.run("CREATE TABLE people (id int, email text)")
        server.run(
            "INSERT INTO people SELECT g, 'u' || g || '@example.org' FROM generate_series(1, 50) g"
        )
        server.run('CREATE TABLE "People" (id int)')
        server.run("CREATE TABLE hidden (id int)")
        server.run(f"REVOKE ALL ON hidden FROM {READER}")
        yield server


@pytest.fixture(scope="module")
def place(source: SourceServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("crawls")
    with connected_place(folder, source, "shop") as place:
        yield place


def test_what_is_found(place: Place, source: SourceServer) -> None:
    """The tables that the connection's user may read, with proposed tags, under distinct names."""
    crawl = place.crawl(place.admin, "all", "connection://shop")
    assert (crawl.status, crawl.uri) == (
        CrawlStatus.COMPLETED,
        f"connection://shop/{DATABASE}/public",
    )
    assert {f.name for f in crawl.found} >= {"people", "people_1"}
    assert "hidden" not in {f.name for f in crawl.found}
    (people,) = (f for f in crawl.found if f.source.options["table"] == "people")
    assert "pii.email" in {str(t) for t in people.columns[1].tags}
    assert "@example.org" not in repr(crawl)


def test_registering_and_what_changed_since(place: Place, source: SourceServer) -> None:
    """A found table becomes a dataset; a crawl later says what changed, and its review counts."""
    source.run("CREATE TABLE drifting (id int, total numeric(5, 2))")
    source.run("INSERT INTO drifting VALUES (1, 2.5)")
    place.crawl(place.admin, "first", "connection://shop")
    name = DatasetName("crawled", "drifting")
    place.services.crawls.register(
        place.admin.caller, "first", Registration("drifting", name, new_database=True)
    )
    reader = place.person("GRANT SELECT ON DATABASE crawled")

    def rows() -> list[dict[str, object]]:
        with place.services.scans.open(reader.caller, ScanRequest(name, None)) as stream:
            return [row for batch in stream for row in batch.to_pylist()]

    assert len(rows()) == 1
    source.run("ALTER TABLE drifting ADD COLUMN note text")
    source.run("ALTER TABLE drifting ALTER COLUMN total TYPE numeric(9, 4)")
    again = place.crawl(place.admin, "first", "connection://shop")
    drifts = place.services.crawls.drift(place.admin.caller, again)["drifting"]
    assert {(d.kind, d.column) for d in drifts} == {
        (DriftKind.ADDED, "note"),
        (DriftKind.RETYPED, "total"),
    }
    place.services.datasets.review(place.admin.caller, name)
    assert list(rows()[0]) == ["id", "total", "note"]


def test_who_may(place: Place, source: SourceServer) -> None:
    """It takes the right to use the connection, to crawl and to register."""
    source.run("CREATE TABLE wanted (id int)")
    crawler = place.person("GRANT CREATE_CRAWLER_AS_OWNER ON CATALOG")
    for uri in ("connection://shop", "connection://none"):
        with pytest.raises(NotFound):
            place.services.crawls.start(crawler.caller, "theirs", uri)
    place.grant("GRANT USE ON DATACONNECTION shop", crawler.role)
    place.crawl(crawler, "theirs", "connection://shop")
    place.platform.catalog.databases.create("mine", by="root")
    other = place.person("GRANT ALL ON CRAWLER theirs", "GRANT CREATE ON DATABASE mine")
    wanted = Registration("wanted", DatasetName("mine", "wanted"))
    with pytest.raises(NotFound):
        place.services.crawls.register(other.caller, "theirs", wanted)
    place.grant("GRANT USE ON DATACONNECTION shop", other.role)
    place.services.crawls.register(other.caller, "theirs", wanted)


@pytest.mark.parametrize("uri", ["connection://", "connection://a/b", "connection://a/b/c/d"])
def test_addresses(place: Place, uri: str) -> None:
    """What is no address of a schema is refused, and says how it is written."""
    with pytest.raises(InvalidRequest, match="address"):
        place.services.crawls.start(place.admin.caller, "odd", uri)


def test_servers_that_are_away(place: Place, source: SourceServer) -> None:
    """The crawl fails and says so, without a secret."""
    place.services.statements.execute(
        place.admin.caller,
        "CREATE DATACONNECTION away CXNPROPERTIES('driver'='postgresql', 'host'='127.0.0.1',"
        " 'port'='1', 'user'='secret:user', 'password'='secret:word')",
    )
    crawl = place.crawl(place.admin, "away", "connection://away")
    assert crawl.status is CrawlStatus.FAILED
    assert "let us in" in crawl.error
    assert PASSWORD not in crawl.error


def test_other_databases_of_a_server(place: Place, source: SourceServer) -> None:
    """A connection leads to its own database only: by a crawl, by registering, and by reading."""
    other = "connection://shop/postgres/public"
    with pytest.raises(InvalidRequest, match="is to database"):
        place.services.crawls.start(place.admin.caller, "elsewhere", other)
    elsewhere = TablePlace("shop", "postgres", "pg_catalog", "pg_class")
    with pytest.raises(InvalidRequest, match="is to database"):
        place.platform.databases.names("shop", "postgres", "pg_catalog")
    with pytest.raises(InvalidRequest, match="is to database"):
        place.platform.databases.describe(elsewhere)
    column = Column("relname", pa.string(), "relname", reviewed=True)
    catalog = place.platform.catalog
    catalog.crawls.start("older", other, by=Starter(place.admin.user, "privet"))
    catalog.crawls.finish("older", (FoundDataset("pg", elsewhere.source(), (column,), 1),))
    name = DatasetName("elsewhere", "pg")
    wanted = Registration("pg", name, new_database=True)
    with pytest.raises(InvalidRequest, match="is to database"):
        place.services.crawls.register(place.admin.caller, "older", wanted)
    catalog.datasets.register(
        catalog.crawls.get("older").found[0], name, (column,), by="root", new_database=True
    )
    with pytest.raises(SourceUnavailable):
        scanned(place, name)


def scanned(place: Place, name: DatasetName) -> list[dict[str, object]]:
    """The rows of a dataset, for somebody who may read it."""
    reader = place.person(f"GRANT SELECT ON DATABASE {name.database}")
    with place.services.scans.open(reader.caller, ScanRequest(name, None)) as stream:
        return [row for batch in stream for row in batch.to_pylist()]
