"""What must hold of crawls' memory, leases and schedules on every database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from sqlalchemy import Engine

from privet.catalog import Catalog, Starter
from privet.model.crawling.crawls import (
    CrawlReport,
    CrawlStatus,
    FoundDataset,
    ObjectProblem,
    Schedule,
    SeenObject,
)
from privet.model.crawling.remembered import Remembered
from privet.model.datasets import Column, Format, Source
from privet.model.errors import Conflict, NotFound
from privet.policy import from_json, to_json

AT = datetime(2026, 3, 4, 5, 6, 7, 123456, tzinfo=UTC)
FOUND = FoundDataset(
    "costs", Source("s3://lake/costs", Format.CSV), (Column("id", pa.int64(), "Id"),), files=3
)
KNOWN = Remembered("digest", FOUND, {"fields": [["Id", ""]]})


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = AT

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def catalog(open_store: Callable[[], Engine], clock: Clock) -> Catalog:
    return Catalog(open_store(), to_json, from_json, clock=clock)


def seen(
    name: str, *, etag: str = "1", size: int = 5, dataset: str = "s3://lake/costs"
) -> SeenObject:
    return SeenObject(f"{dataset}/{name}", dataset, size, AT, etag)


def started(catalog: Catalog) -> int:
    return catalog.crawls.start("lake", "s3://lake", by=Starter("ada", "privet")).run


def note(catalog: Catalog, run: int, *objects: SeenObject) -> list[str]:
    changes = catalog.crawl_memory.note("lake", run, objects)
    return [changes[each.uri].value for each in objects]


def test_objects_are_new_until_they_are_looked_into(catalog: Catalog) -> None:
    """Seeing is not looking: a crawl that dies after the walk has all of it still to do."""
    run = started(catalog)
    assert note(catalog, run, seen("a"), seen("b")) == ["new", "new"]
    assert note(catalog, run, seen("a"), seen("b", etag="2")) == ["new", "new"]
    catalog.crawl_memory.keep("lake", run, "s3://lake/costs", KNOWN)
    assert note(catalog, run + 1, seen("a"), seen("b", etag="2")) == ["", ""]
    assert catalog.crawl_memory.recall("lake", "s3://lake/costs") == KNOWN


@pytest.mark.parametrize(
    "other",
    [
        seen("a", etag="2"),
        seen("a", size=6),
        replace(seen("a"), modified=AT + timedelta(microseconds=1)),
        replace(seen("a"), dataset="s3://lake"),
    ],
)
def test_another_etag_size_time_or_place_is_a_change(catalog: Catalog, other: SeenObject) -> None:
    """It stays one until the dataset was looked into, also when the object goes back."""
    run = started(catalog)
    note(catalog, run, seen("a"))
    catalog.crawl_memory.keep("lake", run, "s3://lake/costs", KNOWN)
    assert note(catalog, run, other) == ["changed"]
    assert note(catalog, run, seen("a")) == ["changed"]
    catalog.crawl_memory.keep("lake", run, other.dataset, KNOWN)
    catalog.crawl_memory.keep("lake", run, "s3://lake/costs", KNOWN)
    assert note(catalog, run, seen("a")) == [""]


def test_a_dataset_may_have_all_that_lies_below_it(catalog: Catalog) -> None:
    """As tables with a log do; what only begins like its address is another's."""
    run = started(catalog)
    inside = seen("x", dataset="s3://lake/costs/deep")
    beside = seen("y", dataset="s3://lake/costs2")
    note(catalog, run, seen("a"), inside, beside)
    catalog.crawl_memory.keep("lake", run, "s3://lake/costs", KNOWN, below=True)
    assert note(catalog, run + 1, seen("a"), inside, beside) == ["", "", "new"]


def test_what_a_whole_walk_did_not_see_is_gone(catalog: Catalog) -> None:
    """It is counted by dataset until that was looked into; then it is forgotten."""
    run = started(catalog)
    elsewhere = seen("x", dataset="s3://lake/other")
    note(catalog, run, seen("a"), seen("b"), elsewhere)
    catalog.crawl_memory.keep("lake", run, "s3://lake/other", KNOWN)
    note(catalog, run + 1, seen("b"))
    assert catalog.crawl_memory.gone("lake", run + 1) == {
        "s3://lake/costs": 1,
        "s3://lake/other": 1,
    }
    catalog.crawl_memory.keep("lake", run + 1, "s3://lake/costs", KNOWN)
    assert catalog.crawl_memory.gone("lake", run + 1) == {"s3://lake/other": 1}
    catalog.crawl_memory.forget_missing("lake", run + 1)
    assert catalog.crawl_memory.gone("lake", run + 1) == {}
    assert catalog.crawl_memory.recall("lake", "s3://lake/other") is None
    assert catalog.crawl_memory.recall("lake", "s3://lake/costs") == KNOWN


def test_memory_goes_with_its_crawl_and_with_its_address(catalog: Catalog) -> None:
    """Two crawls share none; a name that crawls elsewhere begins anew; a dropped one is gone."""
    run = started(catalog)
    note(catalog, run, seen("a"))
    catalog.crawl_memory.keep("lake", run, "s3://lake/costs", KNOWN)
    catalog.crawls.start("other", "s3://lake", by=Starter("ada"))
    assert catalog.crawl_memory.recall("other", "s3://lake/costs") is None
    catalog.crawls.finish("lake", ())
    assert started(catalog) == run + 1
    assert catalog.crawl_memory.recall("lake", "s3://lake/costs") == KNOWN
    catalog.crawls.finish("lake", ())
    catalog.crawls.start("lake", "s3://lake2", by=Starter("ada"))
    assert catalog.crawl_memory.recall("lake", "s3://lake/costs") is None
    assert note(catalog, 3, seen("a")) == ["new"]
    catalog.crawls.finish("lake", ())
    catalog.crawls.drop("lake")
    assert catalog.crawl_memory.gone("lake", 9) == {}


def test_a_report_comes_back_as_it_was(catalog: Catalog) -> None:
    """With numbers and problems; a crawl without one has an empty one."""
    started(catalog)
    assert catalog.crawls.get("lake").report == CrawlReport()
    problems = (ObjectProblem("s3://lake/x", "access was denied"),)
    report = CrawlReport(1, 2, 3, 4, 5, 6, 7, problems, 9, "broken", 2)
    catalog.crawls.finish("lake", (), report=report)
    assert catalog.crawls.get("lake").report == report


def test_a_cancelled_crawl_stays_cancelled(catalog: Catalog) -> None:
    """Whoever runs it hears so, and cannot finish it; another run may begin."""
    started(catalog)
    assert catalog.crawls.progress("lake", objects_seen=1, datasets_found=0)
    assert catalog.crawls.cancel("lake").status is CrawlStatus.CANCELLED
    assert not catalog.crawls.progress("lake", objects_seen=2, datasets_found=0)
    assert catalog.crawls.finish("lake", (FOUND,)).status is CrawlStatus.CANCELLED
    with pytest.raises(Conflict, match="is not running"):
        catalog.crawls.cancel("lake")
    with pytest.raises(NotFound):
        catalog.crawls.cancel("absent")
    assert started(catalog) == 2


def test_crawls_of_dead_servers_are_taken_over_once(catalog: Catalog, clock: Clock) -> None:
    """A promise that was kept is left alone; a broken one has one new owner, and says so."""
    later = AT + timedelta(seconds=10)
    catalog.crawls.start("lake", "s3://lake", by=Starter("ada", "privet", later))
    assert catalog.crawls.adopt(later) == ()
    clock.now = later + timedelta(seconds=1)
    catalog.crawls.renew(("lake",), clock.now + timedelta(seconds=5))
    assert catalog.crawls.adopt(clock.now) == ()
    clock.now += timedelta(seconds=6)
    (adopted,) = catalog.crawls.adopt(clock.now + timedelta(seconds=5))
    assert (adopted.name, adopted.report.resumed, adopted.issuer) == ("lake", 1, "privet")
    assert catalog.crawls.adopt(clock.now + timedelta(seconds=5)) == ()
    catalog.crawls.finish("lake", ())
    clock.now += timedelta(hours=1)
    assert catalog.crawls.adopt(clock.now) == ()


def test_deaths_of_servers_are_counted(catalog: Catalog, clock: Clock) -> None:
    """Apart from takeovers of crawls that a server handed on."""
    catalog.crawls.start("lake", "s3://lake", by=Starter("ada", "privet", AT))
    counts: list[tuple[int, int]] = []
    for handed_on in (False, True, False, True):
        clock.now += timedelta(seconds=10)
        if handed_on:
            catalog.crawls.renew(("lake",), None)
        (adopted,) = catalog.crawls.adopt(clock.now + timedelta(seconds=5))
        counts.append((adopted.report.resumed, adopted.report.died))
    assert counts == [(1, 1), (2, 1), (3, 2), (4, 2)]


def test_what_is_due_is_claimed_once_however_much_was_missed(
    catalog: Catalog, clock: Clock
) -> None:
    """The next moment is after now, and a schedule goes with its crawl."""

    def hourly(_: Schedule, after: datetime) -> datetime:
        return after + timedelta(hours=1)

    started(catalog)
    due = AT + timedelta(minutes=5)
    catalog.schedules.put(Schedule("lake", "5 * * * *", "UTC", due, ("privet", "ada")))
    assert catalog.schedules.claim_due(hourly) == ()
    clock.now = AT + timedelta(days=3)
    (claimed,) = catalog.schedules.claim_due(hourly)
    assert (claimed.crawl, claimed.owner) == ("lake", ("privet", "ada"))
    assert catalog.schedules.claim_due(hourly) == ()
    kept = catalog.crawls.get("lake").schedule
    assert kept is not None
    assert (kept.next_at, kept.last_at) == (clock.now + timedelta(hours=1), clock.now)
    catalog.schedules.fail("lake", "it was still running")
    kept = catalog.crawls.list()[0].schedule
    assert kept is not None
    assert kept.last_error == "it was still running"
    catalog.schedules.drop("lake")
    with pytest.raises(NotFound):
        catalog.schedules.drop("lake")
    assert catalog.crawls.get("lake").schedule is None


def test_what_was_cancelled_writes_nothing_into_what_came_after(
    catalog: Catalog, clock: Clock
) -> None:
    """Another one of its name, or the same done again: neither its progress nor what it found."""
    old = catalog.crawls.start("lake", "s3://lake", by=Starter("ada"))
    catalog.crawls.cancel("lake")
    for drop in (False, True):
        if drop:
            catalog.crawls.cancel("lake")
            catalog.crawls.drop("lake")
        clock.now += timedelta(seconds=1)
        new = catalog.crawls.start("lake", "s3://lake2", by=Starter("eve"))
        assert not catalog.crawls.progress("lake", objects_seen=9, datasets_found=9, started=old)
        left = catalog.crawls.finish("lake", [FOUND], started=old)
        assert (left.status, left.found, left.objects_seen) == (CrawlStatus.RUNNING, (), 0)
        assert catalog.crawls.progress("lake", objects_seen=1, datasets_found=0, started=new)
    done = catalog.crawls.finish("lake", [FOUND], started=new)
    assert (done.status, len(done.found)) == (CrawlStatus.COMPLETED, 1)


def test_what_is_a_dataset_stays_as_it_was_said(catalog: Catalog) -> None:
    """From run to run, until something else is said; before the next run too."""
    crawls, by = catalog.crawls, Starter("root")
    assert not crawls.start("c", "file:///lake", by=by).report.single_files
    crawls.finish("c", ())
    assert crawls.start("c", "file:///lake", by=by, single_files=True).report.single_files
    crawls.finish("c", (), error="it broke off")
    assert crawls.start("c", "file:///lake", by=by).report.single_files
    crawls.finish("c", ())
    crawls.set_single_files("c", value=False)
    assert not crawls.start("c", "file:///lake", by=by).report.single_files
    with pytest.raises(NotFound):
        crawls.set_single_files("none", value=True)


def test_one_of_the_found_datasets_is_forgotten(catalog: Catalog) -> None:
    """The others stay as they are."""
    found = tuple(
        FoundDataset(name, Source(f"file:///lake/{name}", Format.CSV)) for name in ("a", "b")
    )
    catalog.crawls.start("c", "file:///lake", by=Starter("root"))
    catalog.crawls.finish("c", found)
    catalog.crawls.forget("c", "a")
    assert catalog.crawls.get("c").found == found[1:]
    for crawl, name in (("c", "a"), ("none", "b")):
        with pytest.raises(NotFound):
            catalog.crawls.forget(crawl, name)
