"""How many queries a request takes to find out what may be seen; what is counted says the docs."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pyarrow as pa
import pytest
from sqlalchemy import event

from privet.catalog import Catalog
from privet.model.names import DatasetName
from privet.model.requests import QueryRequest, ScanRequest
from privet.policy import from_json, to_json
from privet.service import Services
from query.platforms import Person, Place, open_place

ROWS = pa.table({"id": [1, 2], "name": ["ada", "bob"]})
ONE, TWO, VIEW = DatasetName("a", "one"), DatasetName("b", "two"), DatasetName("b", "view")
FACTS = ("catalog_version", "datasets", "permissions", "role_groups")
WHO = ("users", "revocations", "seen_principals")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A platform with two datasets."""
    with open_place(tmp_path_factory.mktemp("counted")) as place:
        for name in (ONE, TWO):
            place.dataset(ROWS, str(name), {"name": ["pii.name"]})
        yield place


@pytest.fixture
def reader(place: Place) -> Person:
    """Somebody with a role who was seen before."""
    reader = place.person("GRANT SELECT ON CATALOG")
    place.services.sessions.whoami(reader.caller)
    return reader


@pytest.fixture
def cold(place: Place) -> Iterator[Services]:
    """The same platform, with a catalog that has read nothing yet."""
    engine = place.platform.catalog.datasets._engine
    catalog = Catalog(engine, to_json, from_json)
    # Who was noted a moment ago is not noted again.
    catalog.principals = place.platform.catalog.principals
    offered = Services(replace(place.platform, catalog=catalog))
    yield offered
    offered.close()


@contextmanager
def counting(place: Place) -> Generator[Callable[[tuple[str, ...]], int]]:
    """Counts the queries that read any of some tables."""
    sent: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        sent.append(statement)

    def count(tables: tuple[str, ...]) -> int:
        return sum(any(f"FROM {table}" in statement for table in tables) for statement in sent)

    engine = place.platform.catalog.datasets._engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield count
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_a_cold_scan(place: Place, cold: Services, reader: Person) -> None:
    """Two queries at most for its facts, and two for who asks."""
    for _ in ("cold", "warm"):
        with counting(place) as count:
            cold.scans.open(reader.caller, ScanRequest(ONE)).close()
        assert 1 <= count(FACTS) <= 2
        assert count(WHO) <= 2


def test_a_ticket(place: Place, cold: Services, reader: Person) -> None:
    """Planning takes what a scan takes, and so does redeeming; what is known by then is kept."""
    with counting(place) as count:
        planned = cold.scans.plan(reader.caller, ScanRequest(ONE))
        assert 1 <= count(FACTS) <= 2
    with counting(place) as count:
        cold.scans.redeem(reader.caller, planned.ticket).close()
        assert count(FACTS) == 1


def test_a_query(place: Place, cold: Services, reader: Person) -> None:
    """Two at most for each dataset that it names."""
    request = QueryRequest("SELECT o.id FROM a.one o JOIN b.two t ON o.id = t.id")
    with counting(place) as count, cold.queries.open(reader.caller, request) as answer:
        assert sum(batch.num_rows for batch in answer) == 2
        assert 2 <= count(FACTS) <= 4


def test_a_view(place: Place, cold: Services, reader: Person) -> None:
    """Two, one for what is behind it, and one for the facts about that, for all on the way."""
    place.grant("GRANT SELECT ON CATALOG", place.role(place.admin))
    text = "SELECT o.id, t.name FROM a.one o JOIN b.two t ON o.id = t.id"
    place.services.views.create(place.admin.caller, VIEW, text)
    with counting(place) as count:
        cold.scans.open(reader.caller, ScanRequest(VIEW)).close()
    assert 1 <= count(FACTS) <= 4
    # Who asks, and who made the view.
    assert count(WHO) <= 4
    with counting(place) as count:
        cold.scans.open(reader.caller, ScanRequest(VIEW)).close()
    assert count(FACTS) <= 2
