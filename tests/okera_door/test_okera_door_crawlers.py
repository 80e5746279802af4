"""Crawlers at the okera door: what a crawl found, in a database of its own."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from doors.servers import TrialServer
from doors.steward import unique
from doors.thrift_client import Wire, log_in, opened
from privet.okera.idl import T

_LONGEST = 60.0


@contextmanager
def connected(server: TrialServer, token: str) -> Generator[Wire]:
    """A connection that is logged in."""
    with opened(server.okera, server.ca) as wire:
        log_in(wire, token)
        yield wire


@pytest.fixture
def admin(server: TrialServer) -> Iterator[Wire]:
    with connected(server, server.admin_token) as wire:
        yield wire


@pytest.fixture
def crawler(server: TrialServer, admin: Wire) -> str:
    """A crawl that has ended, of a folder with one dataset called `rows`."""
    name = unique("crawl")
    place = Path(server.lake) / name / "rows"
    place.mkdir(parents=True)
    (place / "a.csv").write_text("id,word\n1,a\n")
    run(admin, f"CREATE CRAWLER {name} SOURCE 'file://{place.parent}'")
    wait(admin, name)
    return name


@pytest.fixture
def stranger(server: TrialServer) -> Iterator[Wire]:
    with connected(server, server.token(unique("stranger"))) as wire:
        yield wire


def run(wire: Wire, text: str) -> list[list[str]]:
    """The rows that a statement answers."""
    return wire.call("ExecuteDDL2", ddl=T.TExecDDLParams(ddl=text)).tabular_result


def wait(wire: Wire, name: str) -> None:
    """Ask for the status until the crawl has ended, as clients do."""
    ends = time.monotonic() + _LONGEST
    while time.monotonic() < ends:
        rows = run(wire, f"DESCRIBE DATABASE _okera_crawler_{name}")
        if ["okera.crawler.status", "COMPLETED"] in rows:
            return
        time.sleep(0.1)
    pytest.fail("the crawl did not end")


def names(wire: Wire, name: str) -> list[str]:
    """What is in the database of a crawl."""
    params = T.TGetTablesParams(database=[f"_okera_crawler_{name}"])
    return [table.name for table in wire.call("GetTables", params=params).tables]


def test_found_datasets_are_described_with_their_columns(admin: Wire, crawler: str) -> None:
    """Names, columns and the kind of files are told, of the database and by name."""
    database = f"_okera_crawler_{crawler}"
    assert names(admin, crawler) == ["rows"]
    params = T.TGetDatasetsParams(dataset_names=[f"{database}.rows"], with_schema=True)
    (told,) = wire_datasets(admin, params)
    assert [column.name for column in told.schema.cols] == ["id", "word"]
    assert told.table_format == "TEXT"
    assert [t.name for t in wire_datasets(admin, T.TGetDatasetsParams(databases=[database]))] == [
        "rows"
    ]


def wire_datasets(wire: Wire, params: object) -> list[Any]:
    """The datasets of an answer."""
    return wire.call("GetDatasets", params=params).datasets


def test_whoever_may_not_see_a_crawl_is_answered_as_if_there_were_none(
    stranger: Wire, crawler: str
) -> None:
    """Every way to a crawl that is hidden answers what one answers that never was."""
    for text in ("DESCRIBE DATABASE", "DROP DATABASE"):
        told: list[str] = []
        for name in (crawler, "never"):
            with pytest.raises(T.TRecordServiceException) as refused:
                run(stranger, f"{text} _okera_crawler_{name}")
            told.append(refused.value.message.replace(name, "NAME"))
        assert told[0] == told[1]
    params = T.TGetDatasetsParams(dataset_names=[f"_okera_crawler_{crawler}.rows"])
    assert wire_datasets(stranger, params) == []


def test_what_is_found_is_not_read(admin: Wire, crawler: str) -> None:
    """Only a registered dataset has a policy; an administrator reads no other one either."""
    request = T.TPlanRequestParams(
        request_type=T.TRequestType.Sql, sql_stmt=f"SELECT * FROM _okera_crawler_{crawler}.rows"
    )
    with pytest.raises(T.TRecordServiceException, match="does not exist"):
        wire_plan(admin, request)


def wire_plan(wire: Wire, request: object) -> object:
    """A plan, as workers would be given it."""
    return wire.call("PlanRequest", params=request)


def test_a_crawl_is_done_again_and_forgotten_by_its_database(
    server: TrialServer, admin: Wire, crawler: str
) -> None:
    """Emptying the status looks again, and dropping the database forgets the crawl."""
    more = Path(server.lake) / crawler / "more"
    more.mkdir()
    (more / "b.csv").write_text("id,word\n1,a\n")
    database = f"_okera_crawler_{crawler}"
    run(admin, f"ALTER DATABASE {database} SET DBPROPERTIES('okera.crawler.status'='')")
    wait(admin, crawler)
    assert names(admin, crawler) == ["more", "rows"]
    run(admin, f"DROP DATABASE IF EXISTS {database} CASCADE")
    assert run(admin, f"DROP DATABASE IF EXISTS {database} CASCADE") == []
    listed = T.TListDatabasesParams(is_crawler=True, names_only=True)
    told = wire_databases(admin, listed)
    assert database not in told


def wire_databases(wire: Wire, params: object) -> list[str]:
    """The names of the databases of an answer."""
    return [each.name[0] for each in wire.call("ListDatabases", params=params).databases]


def test_databases_of_crawlers_are_listed_only_where_they_are_asked_for(
    admin: Wire, crawler: str
) -> None:
    """They are not among the others, and among those of crawlers they are told once."""
    database = f"_okera_crawler_{crawler}"
    assert database not in wire_databases(admin, T.TListDatabasesParams())
    asked = T.TListDatabasesParams(is_crawler=True, db_names=[database])
    assert wire_databases(admin, asked) == [database]


def test_files_as_datasets_and_found_ones_that_are_forgotten(
    server: TrialServer, admin: Wire, crawler: str
) -> None:
    """By a property of the database of a crawl, and by dropping a table of it."""
    (Path(server.lake) / crawler / "rows" / "b.csv").write_text("id,word\n1,a\n")
    database = f"_okera_crawler_{crawler}"
    run(admin, f"DROP TABLE {database}.rows")
    assert names(admin, crawler) == []
    with pytest.raises(T.TRecordServiceException, match="no dataset `rows`"):
        run(admin, f"DROP TABLE {database}.rows")
    run(admin, f"DROP TABLE IF EXISTS {database}.rows")
    single = "ALTER DATABASE {} SET DBPROPERTIES('okera.crawler.single_file_datasets'='{}')"
    for said, found in (("true", ["a_csv", "b_csv"]), ("false", ["rows"])):
        run(admin, single.format(database, said))
        run(admin, f"ALTER DATABASE {database} SET DBPROPERTIES('okera.crawler.status'='')")
        wait(admin, crawler)
        assert names(admin, crawler) == found
