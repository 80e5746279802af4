"""Views that would wait for each other, or multiply."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pytest

from privet.model.errors import PrivetError
from privet.model.names import DatasetName
from privet.model.requests import QueryRequest, ScanRequest
from query.platforms import Person, Place, open_place

DEEPEST = 16
ROWS = 300_000


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """With short times: who waits for ever here, waits for ten minutes on a server."""
    short = {"query_seconds": 10, "query_wait_seconds": 4}
    with open_place(tmp_path_factory.mktemp("many"), **short) as place:
        table = pa.table({"id": list(range(ROWS)), "t": ["x" * 50] * ROWS})
        place.dataset(table, "base.big")
        place.dataset(table.slice(0, 4), "base.small")
        place.platform.catalog.databases.create("v", by="root")
        yield place


@pytest.fixture(scope="module")
def definer(place: Place) -> Person:
    """Who writes views."""
    return place.person("GRANT SELECT ON DATABASE base", "GRANT CREATE_AS_OWNER ON DATABASE v")


def view(place: Place, by: Person, text: str) -> DatasetName:
    """A new view."""
    name = DatasetName("v", place.unique("view"))
    place.services.views.create(by.caller, name, text)
    return name


def tower(place: Place, by: Person, height: int) -> DatasetName:
    """Views on views: the lowest of so many is over a table."""
    name = view(place, by, "SELECT id FROM base.small")
    for _ in range(height - 1):
        name = view(place, by, f"SELECT id FROM {name}")
    return name


def rows(place: Place, person: Person, name: DatasetName) -> object:
    """How many a scan shows, or the code of its error."""
    try:
        return place.scan(person, str(name)).num_rows
    except PrivetError as error:
        return error.code


def test_the_deepest_view_that_may_be_can_be_read(place: Place, definer: Person) -> None:
    """It holds a place at each level, and there are eight of them."""
    assert rows(place, definer, tower(place, definer, DEEPEST - 1)) == 4


def test_readers_of_views_of_views_do_not_wait_for_each_other(
    place: Place, definer: Person
) -> None:
    """Four readers, each with half of the places that it needs, wait until none is served."""
    name = tower(place, definer, 5)
    readers = [place.person(f"GRANT SELECT ON TABLE {name}") for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda r: rows(place, r, name), readers)) == [4] * 4


def test_many_views_in_one_statement(place: Place, definer: Person) -> None:
    """All of them are read at the same time here, and the first wait for the last."""
    views = [view(place, definer, "SELECT id, t FROM base.big WHERE id >= 0") for _ in range(12)]
    joined = " POSITIONAL JOIN ".join(f"{name} a{i}" for i, name in enumerate(views))
    got = place.ask(definer, f"SELECT count(*), max(a0.t) FROM {joined}")
    assert got.error is None or "views" in got.error.message
    assert got.error or got.rows == [(ROWS, "x" * 50)]


def test_nobody_takes_all_places_of_views(place: Place, definer: Person) -> None:
    """Two statements that nobody takes an answer from; turns are fair, places behind are not."""
    views = [view(place, definer, "SELECT id, t FROM base.big WHERE id >= 0") for _ in range(4)]
    joined = " POSITIONAL JOIN ".join(f"{name} a{i}" for i, name in enumerate(views))
    held = []
    for _ in range(2):
        request = QueryRequest(f"SELECT a0.t, a1.t, a2.t, a3.t FROM {joined}")
        held.append(place.services.queries.open(definer.caller, request))
        next(iter(held[-1]))
    other = place.person(f"GRANT SELECT ON TABLE {views[0]}")
    try:
        assert place.ask(other, f"SELECT id FROM {views[0]} LIMIT 1").error is None
    finally:
        for stream in held:
            stream.close()


def test_what_views_share_is_recorded_once(place: Place, definer: Person) -> None:
    """Not once for each way that leads there: three views on three, ten times, have 60,000."""
    below = [view(place, definer, "SELECT id FROM base.small") for _ in range(3)]
    for _ in range(9):
        every = " UNION ALL ".join(f"SELECT id FROM {name}" for name in below)
        below = [view(place, definer, every) for _ in range(3)]
    before = len(place.platform.audit.list_events(action="view.read", limit=1000))
    place.services.scans.plan(definer.caller, ScanRequest(below[0]))
    events = place.platform.audit.list_events(action="view.read", limit=1000)
    assert len(events) - before <= 3 * 10 + 1


def test_views_altered_at_once_make_no_ring(place: Place, definer: Person) -> None:
    """Each is checked before the other is written; `lineage` never comes back from a ring."""
    one, other = tower(place, definer, 1), tower(place, definer, 1)
    views, catalog = place.services.views, place.platform.catalog.datasets
    principal = place.platform.identity.authenticate(definer.caller.credentials)
    texts = ((one, f"SELECT id FROM {other}"), (other, f"SELECT id FROM {one}"))
    traced = [(n, views._traced(principal, n, text, None)) for n, text in texts]
    refused = 0
    for name, (made, columns) in traced:
        try:
            catalog.alter_view(name, made, columns, by=definer.user)
        except PrivetError:
            refused += 1
    views.lineage(place.admin.caller, one)
    assert refused == 1


def test_a_view_renamed_into_what_it_rests_on_makes_no_ring(place: Place, definer: Person) -> None:
    """A ring can be closed by a name, too."""
    lowest = tower(place, definer, 1)
    middle = view(place, definer, f"SELECT id FROM {lowest}")
    top = view(place, definer, f"SELECT id FROM {middle}")
    tables, admin = place.services.tables, place.admin.caller
    tables.drop(admin, lowest)
    try:
        tables.rename(admin, top, lowest)
    except PrivetError:
        return
    place.services.views.lineage(admin, lowest)
