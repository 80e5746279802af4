"""Tables over connections at the okera door: made, listed by connection, and read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from doors.servers import TrialServer
from okera_door.test_okera_door_catalog import Client, client
from privet.okera.idl import T
from services.postgres import DATABASE, PASSWORD, READER, SourceServer, source_server

pytestmark = pytest.mark.service


@pytest.fixture(scope="module")
def source() -> Iterator[SourceServer]:
    with source_server() as source:
        for table in ("orders", "order_lines", "people"):
            source.run(f"CREATE TABLE {table} AS SELECT g AS id FROM generate_series(1, 9) g")
        yield source


@pytest.fixture(scope="module")
def server(source: SourceServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrialServer]:
    """A server of its own, that knows the secrets of the database."""
    folder = tmp_path_factory.mktemp("connected")
    secrets: list[dict[str, Any]] = []
    for name, value in (("user", READER), ("awssm://word", PASSWORD)):
        file = folder / value
        file.write_text(value)
        secrets.append({"name": name, "hosts": ["127.0.0.1"], "file": str(file)})
    running = TrialServer(folder / "server", PRIVET_SECRETS=json.dumps(secrets))
    running.start()
    yield running
    running.terminate()


@pytest.fixture(scope="module")
def admin(server: TrialServer, source: SourceServer) -> Iterator[Client]:
    with client(server, server.admin_token, "admin") as connected:
        for name in ("shop", "other"):
            connected.ddl(
                f"CREATE DATACONNECTION {name} CXNPROPERTIES('connection_type'='JDBC',"
                f" 'jdbc_driver'='postgresql', 'host'='127.0.0.1', 'port'='{source.port}',"
                f" 'user_key'='secret:user', 'password_key'='awssm://word',"
                f" 'jdbc.db.name'='{DATABASE}')"
            )
        connected.ddl("CREATE DATABASE a DBPROPERTIES('okera.connection.name'='shop')")
        connected.ddl("ALTER DATABASE a LOAD DEFINITIONS(orders, order_lines)")
        connected.ddl("CREATE DATABASE b")
        connected.ddl(
            "CREATE EXTERNAL TABLE b.people STORED as JDBC TBLPROPERTIES('driver'='postgresql',"
            f" 'okera.connection.name'='other', 'jdbc.db.name'='{DATABASE}',"
            " 'jdbc.schema.name'='public', 'table'='people')"
        )
        yield connected


def listed(of: Client, **filters: Any) -> list[str]:
    found = of.call("GetDatasets", T.TGetDatasetsParams(requesting_user=of.user, **filters))
    return [f"{t.db[0]}.{t.name}" for t in found.datasets]


def test_listed_by_connection(admin: Client) -> None:
    """Those over it alone, also with other filters beside; a page of them keeps its order."""
    assert listed(admin, connection_name="shop") == ["a.order_lines", "a.orders"]
    assert listed(admin, connection_name="other") == ["b.people"]
    assert listed(admin, connection_name="shop", databases=["b"]) == []
    assert listed(admin, connection_name="SHOP", filter="lines") == ["a.order_lines"]
    assert listed(admin, connection_name="shop", offset=1, count=1) == ["a.orders"]
    assert listed(admin, databases=["a"], count_only=True, names_only=True) == [
        "a.order_lines",
        "a.orders",
    ]


def test_filters_that_exclude_each_other(admin: Client) -> None:
    """Each says so, in the original's words."""
    for filters, said in (
        ({"dataset_names": ["a.orders"], "connection_name": "shop"}, "and connection_name."),
        ({"dataset_names": ["a.orders"], "databases": ["a"]}, "and databases."),
        ({"databases": ["a"], "count_only": True}, "count_only without names_only"),
        ({"connection_name": "nothing"}, "Connection name does not exist."),
    ):
        with pytest.raises(T.TRecordServiceException) as told:
            listed(admin, **filters)
        assert said in told.value.message


def test_a_connection_of_others_reads_as_absent(server: TrialServer, admin: Client) -> None:
    """Whoever reads a table over it does not learn by which connection that is read."""
    admin.ddl("CREATE ROLE IF NOT EXISTS buyers")
    admin.ddl("GRANT ROLE buyers TO GROUP buying")
    admin.ddl("GRANT SELECT ON TABLE a.orders TO ROLE buyers")
    with client(server, server.token("bo", "buying"), "bo") as reader:
        assert listed(reader, databases=["a"]) == ["a.orders"]
        told: list[str] = []
        for name in ("shop", "nothing"):
            with pytest.raises(T.TRecordServiceException) as refused:
                listed(reader, connection_name=name)
            told.append(refused.value.message)
        assert told[0] == told[1]
        found = reader.call("GetDatasets", T.TGetDatasetsParams(dataset_names=["a.orders"]))
        assert "shop" not in repr(found)


def test_what_is_said_of_a_table(admin: Client) -> None:
    """Its administrators see where it lies, and can make it again."""
    found = admin.call("GetDatasets", T.TGetDatasetsParams(dataset_names=["b.people"]))
    (table,) = found.datasets
    assert table.metadata["okera.connection.name"] == "other"
    assert table.table_format == "JDBC"
    assert [c.name for c in table.schema.cols] == ["id"]


def behind(of: Client, name: str, database: str = "", schema: str = "") -> list[Any]:
    """What a client is told of what lies behind a connection."""
    params = T.TDiscoverCrawlerParams(
        connection=T.TDataRegConnection(name=name), jdbc_catalog=database, jdbc_schema=schema
    )
    (found,) = of.call("DiscoverCrawler", params).crawler_discover_datasets
    return list(found.jdbc_datasets)


def crawl(of: Client, name: str, operation: int = T.TCrawlerOpType.CRAWL) -> object:
    """How a crawl of a connection is told to be."""
    params = T.TCrawlerParams(
        requesting_user=of.user, op_type=operation, connection=T.TDataRegConnection(name=name)
    )
    return of.call("ManageCrawler", params).status


def test_what_lies_behind_a_connection(server: TrialServer, admin: Client) -> None:
    """Its database, schemas and tables are told to whoever may use it; others hear nothing."""
    (database,) = behind(admin, "shop")
    assert (database.jdbc_catalog, database.jdbc_schema) == (DATABASE, None)
    assert "public" in [each.jdbc_schema for each in behind(admin, "shop", DATABASE)]
    tables = behind(admin, "shop", DATABASE, "public")
    assert {each.jdbc_table for each in tables} >= {"orders", "order_lines", "people"}
    with pytest.raises(T.TRecordServiceException, match="is to database"):
        behind(admin, "shop", "postgres")
    with client(server, server.token("sue", "nobodies"), "sue") as stranger:
        told: list[str] = []
        for name in ("shop", "nothing"):
            for ask in (behind, crawl):
                with pytest.raises(T.TRecordServiceException) as refused:
                    ask(stranger, name)
                told.append(refused.value.message.replace(name, "NAME"))
        assert told[:2] == told[2:]


def test_a_connection_is_crawled_under_its_name(admin: Client) -> None:
    """By whoever may; one that runs goes on, and nothing but starting is done here."""
    for _ in range(2):
        assert crawl(admin, "other") == T.TCrawlStatus.CRAWLING
    assert ["_okera_crawler_other"] in [
        each.name
        for each in admin.call("ListDatabases", T.TListDatabasesParams(is_crawler=True)).databases
    ]
    with pytest.raises(T.TRecordServiceException, match="started here"):
        crawl(admin, "other", T.TCrawlerOpType.DISABLE)
