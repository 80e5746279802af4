"""Scans of S3 through a proxy: only what is needed is asked for, and what breaks is on record."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from privet.demo.objectstore import LAKE, ObjectStore
from privet.model.crawling.crawls import Crawl, CrawlStatus
from privet.model.errors import SourceUnavailable
from privet.model.names import DatasetName
from privet.service.crawls import Registration
from query.platforms import Place, open_place
from services.proxies import DENIED, SLOW_DOWN, Proxy, proxied

pytestmark = pytest.mark.service
DAYS = 20


@pytest.fixture(scope="module")
def stored(seaweed: ObjectStore) -> ObjectStore:
    files = seaweed.filesystem(seaweed.platform)
    for day in range(DAYS):
        for region in ("eu", "us"):
            folder = f"{LAKE}/visits/day={day}/region={region}"
            with files.open_output_stream(f"{folder}/part.parquet") as out:
                pq.write_table(pa.table({"n": range(1000), "who": ["x" * 50] * 1000}), out)
    return seaweed


@contextmanager
def placed(proxy: Proxy, store: ObjectStore, folder: Path) -> Iterator[Place]:
    """A platform that reaches the store through a proxy, with the dataset `v.visits`."""
    location = {**store.location(store.reader), "endpoint": proxy.endpoint, "timeout": 1}
    with open_place(folder, s3=[location]) as place:
        crawls = place.services.crawls
        crawls.start(place.admin.caller, "visits", f"s3://{LAKE}/visits")
        assert ended(place, "visits").status is CrawlStatus.COMPLETED
        wanted = Registration("visits", DatasetName("v", "visits"), new_database=True)
        crawls.register(place.admin.caller, "visits", wanted)
        yield place


def ended(place: Place, name: str) -> Crawl:
    while (crawl := place.platform.catalog.crawls.get(name)).status is CrawlStatus.RUNNING:
        time.sleep(0.02)
    return crawl


@pytest.fixture(scope="module")
def proxy(stored: ObjectStore) -> Iterator[Proxy]:
    with proxied(stored.endpoint) as made:
        yield made


@pytest.fixture(scope="module")
def place(
    proxy: Proxy, stored: ObjectStore, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    with placed(proxy, stored, tmp_path_factory.mktemp("place")) as made:
        yield made


def folders(proxy: Proxy) -> set[str]:
    """The partitions that were read from."""
    return {key.removeprefix("visits/").rpartition("/")[0] for key in proxy.reads()}


def test_only_the_partitions_that_the_policy_shows_are_listed_and_read(
    place: Place, proxy: Proxy
) -> None:
    """Of forty partitions in two levels, one: by its listing and its file."""
    grant = "GRANT SELECT ON TABLE v.visits WHERE day = 7 AND region = 'eu'"
    reader = place.person(grant)
    proxy.requests.clear()
    assert place.scan(reader, "v.visits").num_rows == 1000
    assert folders(proxy) == {"day=7/region=eu"}
    assert [q.partition("prefix=")[2].partition("&")[0] for q in proxy.lists()] == [
        "visits/",
        "visits/day=7/",
        "visits/day=7/region=eu/",
    ]


def test_only_the_partitions_that_the_query_needs_are_read(place: Place, proxy: Proxy) -> None:
    """What a statement asks for narrows what the policy shows."""
    reader = place.person("GRANT SELECT ON TABLE v.visits WHERE region = 'us'")
    proxy.requests.clear()
    got = place.ask(reader, "SELECT count(*) FROM v.visits WHERE day IN (3, 4)")
    assert got.rows == [(2000,)]
    assert folders(proxy) <= {"day=3/region=us", "day=4/region=us"}


def test_a_scan_of_everything_lists_all_at_once(place: Place, proxy: Proxy) -> None:
    """Not a request for each of the partitions."""
    proxy.requests.clear()
    assert place.scan(place.admin, "v.visits").num_rows == 2 * DAYS * 1000
    assert len(folders(proxy)) == 2 * DAYS
    assert len(proxy.lists()) <= 3


def test_a_scan_whose_partitions_are_all_hidden_is_empty_and_reads_nothing(
    place: Place, proxy: Proxy
) -> None:
    """It reads like a table without rows, not like one whose files are gone."""
    reader = place.person("GRANT SELECT ON TABLE v.visits WHERE day = 99")
    proxy.requests.clear()
    assert place.scan(reader, "v.visits").num_rows == 0
    assert proxy.reads() == []


@pytest.mark.parametrize("fault", ["stall", "reset", "cut", SLOW_DOWN, DENIED])
def test_a_source_that_breaks_half_way_ends_the_scan_and_is_on_record(
    place: Place, proxy: Proxy, fault: tuple[int, str] | str
) -> None:
    """A typed error after bounded tries of each request; its end says so, with the rows before."""
    reader = place.person("GRANT SELECT ON TABLE v.visits WHERE region = 'eu'")
    proxy.requests.clear()
    proxy.fault = lambda r: fault if "day=9/" in r.path and not r.lists else None
    try:
        with pytest.raises(SourceUnavailable) as raised:
            place.scan(reader, "v.visits")
    finally:
        proxy.fault = lambda _: None
    assert "day=9" not in str(raised.value)
    tries = [r for r in proxy.requests if "day=9/" in r.path]
    assert len(tries) <= 12
    (end,) = place.platform.audit.list_events(user=reader.user, action="scan.end")
    assert (end.outcome.value, end.error) == ("failed", "source_unavailable")
    assert place.scan(reader, "v.visits").num_rows == DAYS * 1000


def test_crawling_again_reads_nothing(place: Place, proxy: Proxy) -> None:
    """By etags: listings, and not one object; through the use case, with its report."""
    proxy.requests.clear()
    place.services.crawls.start(place.admin.caller, "visits", f"s3://{LAKE}/visits")
    crawl = ended(place, "visits")
    assert (crawl.report.opened, crawl.report.unchanged) == (0, 2 * DAYS)
    assert proxy.reads() == []
    assert len(proxy.requests) <= 3
