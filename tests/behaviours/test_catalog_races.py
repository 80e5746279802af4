"""Several at once, in one server and in several, on every database."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pyarrow as pa

from privet.catalog import Catalog, Starter
from privet.model.crawling.crawls import FoundDataset
from privet.model.datasets import Column, Format, Source
from privet.model.errors import Conflict
from privet.model.names import DatasetName, TagName
from privet.model.permissions import Permission, Scope, ScopeKind
from privet.model.principals import Principal

COSTS = DatasetName("medical", "costs")
COLUMN = Column("id", pa.int64(), "id")
FOUND = FoundDataset("costs", Source("s3://lake/costs", Format.CSV), (COLUMN,))
Make = Callable[[], Catalog]


def at_once(actions: Sequence[Callable[[], object]]) -> list[BaseException | None]:
    """Run each in a thread of its own, started together, and say how each ended."""
    ended: list[BaseException | None] = [None] * len(actions)
    gate = threading.Barrier(len(actions))

    def run(number: int) -> None:
        gate.wait()
        try:
            actions[number]()
        except Conflict as error:
            ended[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(actions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
        assert not thread.is_alive()
    return ended


def test_of_two_stewards_editing_at_once_one_wins(catalog: Catalog, make_catalog: Make) -> None:
    """In one server or in two: one edit is stored whole, the other is told to read again."""
    catalog.databases.create("medical", by="steward")
    catalog.datasets.register(FOUND, COSTS, (COLUMN,), by="steward")
    for stewards in ([catalog, catalog], [make_catalog(), make_catalog()]):
        read = catalog.datasets.get(COSTS).revision

        def edit(server: Catalog, comment: str, revision: int = read) -> None:
            columns = (Column("id", pa.int64(), "id", comment), Column("n", pa.int8(), comment))
            server.datasets.update_columns(COSTS, columns, by=comment, expected_revision=revision)

        ended = at_once([lambda s=s, n=n: edit(s, f"edit {n}") for n, s in enumerate(stewards)])
        assert sorted(type(end).__name__ for end in ended) == ["Conflict", "NoneType"]
        winner = f"edit {ended.index(None)}"
        stored = catalog.datasets.get(COSTS)
        assert (stored.columns[0].comment, stored.columns[1].source_name) == (winner, winner)
        assert stored.revision == read + 1


def test_no_change_is_lost_or_counted_twice(catalog: Catalog, make_catalog: Make) -> None:
    """Writers on three servers: every change is there, and each has a version of its own."""
    before = catalog.version()
    servers = [make_catalog() for _ in range(3)]

    def write(number: int, server: Catalog) -> None:
        for step in range(5):
            server.tags.create(TagName(f"n{number}", f"k{step}"), by="steward")

    ended = at_once([lambda n=n, s=s: write(n, s) for n, s in enumerate(servers)])
    assert ended == [None] * 3
    assert catalog.version() == before + 15
    assert len(catalog.tags.list()) == 1 + 15


def test_a_path_is_registered_once(catalog: Catalog, make_catalog: Make) -> None:
    """Of several who register nested paths at once, exactly one succeeds."""
    catalog.databases.create("medical", by="steward")
    uris = ["s3://lake/costs", "s3://lake/costs/2024", "s3://lake"]

    def register(number: int, server: Catalog) -> None:
        found = FoundDataset("costs", Source(uris[number], Format.CSV), (COLUMN,))
        name = DatasetName("medical", f"costs_{number}")
        server.datasets.register(found, name, (COLUMN,), by="steward")

    ended = at_once([lambda n=n, s=s: register(n, s) for n, s in enumerate([make_catalog()] * 3)])
    assert ended.count(None) == 1
    assert len(catalog.datasets.list()) == 1


def test_of_two_starts_of_a_crawl_one_wins(catalog: Catalog, make_catalog: Make) -> None:
    """Also when the name is used for the first time."""
    for name in ("first", "first", "second"):
        ended = at_once(
            [
                lambda s=s, name=name: s.crawls.start(name, "s3://lake", by=Starter("steward"))
                for s in (make_catalog(), make_catalog())
            ]
        )
        assert sorted(type(end).__name__ for end in ended) == ["Conflict", "NoneType"]
        catalog.crawls.finish(name, ())


def test_facts_are_of_one_version(catalog: Catalog, make_catalog: Make) -> None:
    """While a role is granted and its permission swapped in turn, no answer mixes two moments.

    At odd steps the role is held and has a permission, at even ones it is neither: a version says
    which, so each answer can be checked against its own version.
    """
    catalog.roles.create("r", by="steward")
    granted = Permission(Scope(ScopeKind.CATALOG), "r")
    start = catalog.version()
    principal = Principal("ada", frozenset({"g"}))
    reader, done = make_catalog(), threading.Event()

    def write() -> None:
        for _ in range(10):
            catalog.roles.map_group("r", "g")
            catalog.permissions.add(granted, by="steward")
            catalog.roles.unmap_group("r", "g")
            catalog.permissions.remove(granted)
        done.set()

    expected = {0: (False, ()), 1: (True, ()), 2: (True, (granted,)), 3: (False, ())}
    writer = threading.Thread(target=write)
    writer.start()
    try:
        while not done.is_set():
            facts = reader.facts(COSTS, principal)
            held = "r" in facts.roles
            assert (held, facts.permissions) == expected[(facts.version - start) % 4]
    finally:
        writer.join(timeout=30)
