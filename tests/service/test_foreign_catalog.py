"""A REST catalog that nobody here wrote: its tables are found, registered and read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from privet.model.crawling.crawls import CrawlStatus
from privet.model.errors import SchemaChanged
from privet.model.names import DatasetName
from privet.service.crawls import Registration
from query.platforms import Place, open_place
from services.connected import secrets_in
from services.lakana import ENVIRONMENT, NAMESPACE, Lakana, lakana

pytestmark = pytest.mark.service
ROWS = pa.table({"id": pa.array([1, 2], pa.int64()), "email": ["a@example.org", "b@example.org"]})


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tables").resolve()


@pytest.fixture(scope="module")
def server(tables: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lakana]:
    with lakana(tmp_path_factory.mktemp("lakana"), tables) as server:
        yield server


@pytest.fixture(scope="module")
def place(
    server: Lakana, tables: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("place")
    secrets = secrets_in(folder, {"token": server.token})
    with open_place(folder / "place", lake=tables, secrets=secrets) as place:
        yield place


def defined(place: Place, server: Lakana, name: str, prefix: str = ENVIRONMENT) -> None:
    """A connection to the server."""
    place.services.statements.execute(
        place.admin.caller,
        f"CREATE DATACONNECTION {name} CXNPROPERTIES('driver'='iceberg_rest', 'host'='127.0.0.1',"
        f" 'port'='{server.port}', 'prefix'='{prefix}', 'password'='secret:token',"
        f" 'location'='file://{place.lake}')",
    )


def test_tables_come_and_go(place: Place, server: Lakana) -> None:
    """What its own clients commit is there at the next scan; what they drop is closed."""
    client = server.client()
    client.create_namespace((NAMESPACE, "inner"))
    for at, name in enumerate(((NAMESPACE, "people"), (NAMESPACE, "inner", "others"))):
        client.create_table(name, ROWS.schema).append(ROWS.slice(at))
    defined(place, server, "lake")
    assert place.services.connections.test(place.admin.caller, "lake").problem == ""
    crawl = place.crawl(place.admin, "lake", "connection://lake")
    assert (crawl.status, crawl.error) == (CrawlStatus.COMPLETED, "")
    assert {f.name: f.problem for f in crawl.found} == {"people": "", "others": ""}
    for found in ("people", "others"):
        wanted = Registration(found, DatasetName("d", found), new_database=found == "people")
        place.services.crawls.register(place.admin.caller, "lake", wanted)
    assert place.scan(place.admin, "d.people").num_rows == 2
    assert place.scan(place.admin, "d.others").num_rows == 1
    table = client.load_table((NAMESPACE, "people"))
    table.append(ROWS)
    assert place.scan(place.admin, "d.people").num_rows == 4
    table.delete("id = 1")
    assert place.scan(place.admin, "d.people")["id"].to_pylist() == [2, 2]
    client.drop_table((NAMESPACE, "people"))
    with pytest.raises(SchemaChanged):
        place.scan(place.admin, "d.people")


def test_what_is_not_there(place: Place, server: Lakana) -> None:
    """An environment that it does not have is told when the connection is tried."""
    defined(place, server, "nowhere", "nowhere")
    problem = place.services.connections.test(place.admin.caller, "nowhere").problem
    assert problem
    assert server.token not in problem
