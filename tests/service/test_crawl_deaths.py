"""A crawl during which servers die again and again: it is not tried for ever."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from privet.catalog import Starter
from privet.model.crawling.crawls import Crawl, CrawlStatus
from privet.service.crawling.runner import CrawlRunner
from query.platforms import Place, open_place

PATIENCE = 60.0
"""Seconds, to notice a hang."""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with open_place(tmp_path) as opened:
        folder = opened.lake / "x"
        folder.mkdir()
        pq.write_table(pa.table({"a": [1]}), folder / "p.parquet")
        yield opened


def died(place: Place, times: int) -> None:
    """Leave a crawl as servers do that die while they run it."""
    crawls = place.platform.catalog.crawls
    past = place.platform.clock() - timedelta(seconds=60)
    crawls.start("lake", f"file://{place.lake}/x", by=Starter(place.admin.user, "privet", past))
    for _ in range(times - 1):
        assert crawls.adopt(past)


def adopted(place: Place) -> Crawl:
    """The crawl once another server took it over, and it ended."""
    runner = CrawlRunner(place.platform)
    runner.adopt()
    deadline = time.monotonic() + PATIENCE
    while (crawl := place.platform.catalog.crawls.get("lake")).status is CrawlStatus.RUNNING:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    runner.close()
    return crawl


def test_a_few_deaths(place: Place) -> None:
    """May have been others' doing: the crawl goes on, and says how often."""
    died(place, 3)
    crawl = adopted(place)
    assert (crawl.status, crawl.error) == (CrawlStatus.COMPLETED, "")
    assert (crawl.report.resumed, crawl.report.died) == (3, 3)
    assert [d.name for d in crawl.found] == ["x"]


def test_too_many_deaths(place: Place) -> None:
    """End it as failed, with the reason; it may be started again by hand."""
    died(place, 4)
    crawl = adopted(place)
    assert (crawl.status, crawl.found) == (CrawlStatus.FAILED, ())
    assert "4 times" in crawl.error
    assert not place.platform.catalog.crawls.adopt(place.platform.clock())
    died(place, 1)
    assert adopted(place).status is CrawlStatus.COMPLETED


def test_the_rights_of_who_started_it(place: Place) -> None:
    """Are judged again: without the right to read the place, the crawl ends and finds nothing."""
    uri = f"file://{place.lake}/x"
    person = place.person("GRANT CREATE_CRAWLER_AS_OWNER ON CATALOG", "GRANT ALL ON CRAWLER lake")
    past = place.platform.clock() - timedelta(seconds=60)
    crawls = place.platform.catalog.crawls
    crawls.start("lake", uri, by=Starter(person.user, "privet", past))
    crawl = adopted(place)
    assert (crawl.status, crawl.found) == (CrawlStatus.FAILED, ())
    assert "cannot go on" in crawl.error
    place.grant(f"GRANT SELECT ON URI '{uri}'", person.role)
    crawls.start("lake", uri, by=Starter(person.user, "privet", past))
    assert adopted(place).status is CrawlStatus.COMPLETED
