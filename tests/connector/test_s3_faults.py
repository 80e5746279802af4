"""S3 that stalls, resets, throttles and denies half-way: typed errors after bounded tries."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from privet.connector import Connectors, S3Location
from privet.crawler import run_crawl
from privet.demo.objectstore import LAKE, ObjectStore
from privet.model.errors import SourceUnavailable
from services.proxies import DENIED, SLOW_DOWN, Fault, Proxy, Request, proxied

pytestmark = pytest.mark.service
ROOT = f"s3://{LAKE}/faults"
MOST_TRIES = 3


@pytest.fixture(scope="module")
def stored(seaweed: ObjectStore) -> ObjectStore:
    files = seaweed.filesystem(seaweed.platform)
    for name in ("a/x", "b/y", "c/z"):
        with files.open_output_stream(f"{LAKE}/faults/{name}.parquet") as out:
            pq.write_table(pa.table({"id": range(5000)}), out)
    return seaweed


@pytest.fixture
def proxy(stored: ObjectStore) -> Iterator[Proxy]:
    with proxied(stored.endpoint) as made:
        yield made


def reach(proxy: Proxy, store: ObjectStore) -> Connectors:
    location = S3Location(
        endpoint=proxy.endpoint,
        access_key=store.reader.access_key,
        secret_key=store.reader.secret_key,
        timeout=1,
    )
    return Connectors(s3=[location])


class First:
    """A fault of the first requests that fit, and then no more."""

    def __init__(self, fault: object, count: int) -> None:
        self._fault = fault
        self._left = count
        self._lock = threading.Lock()

    def __call__(self, _: Request) -> object:
        with self._lock:
            self._left -= 1
            return self._fault if self._left >= 0 else None


FAULTS = ["stall", "reset", SLOW_DOWN]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_passes_is_not_noticed(
    proxy: Proxy, stored: ObjectStore, fault: object
) -> None:
    """Listing and reading are tried again."""
    connectors = reach(proxy, stored)
    proxy.fault = First(fault, 1)  # type: ignore[assignment]
    assert len(list(connectors.walk(ROOT))) == 3
    proxy.fault = First(fault, 1)  # type: ignore[assignment]
    with connectors.open_file(f"{ROOT}/a/x.parquet") as file:
        assert pq.read_table(file).num_rows == 5000


@pytest.mark.parametrize("fault", [*FAULTS, DENIED])
def test_a_fault_that_stays_is_a_typed_error(
    proxy: Proxy, stored: ObjectStore, fault: tuple[int, str] | str
) -> None:
    """After a few tries of each request, and no more."""
    connectors = reach(proxy, stored)
    proxy.fault = lambda _: fault
    with pytest.raises(SourceUnavailable, match="denied" if fault == DENIED else "cannot be"):
        list(connectors.walk(ROOT))
    assert len([r for r in proxy.requests if r.lists]) <= MOST_TRIES
    assert len(proxy.requests) <= 2 * MOST_TRIES
    proxy.requests.clear()
    with pytest.raises(SourceUnavailable):
        connectors.open_file(f"{ROOT}/a/x.parquet")
    assert len(proxy.requests) <= 2 * MOST_TRIES


@pytest.mark.parametrize("fault", ["stall", "reset", SLOW_DOWN, DENIED])
def test_a_crawl_reports_the_object_and_goes_on(
    proxy: Proxy, stored: ObjectStore, fault: tuple[int, str] | str
) -> None:
    """One folder's file is out of reach; the others are found."""
    proxy.fault = lambda r: fault if r.path.endswith("b/y.parquet") else None
    crawled = run_crawl(reach(proxy, stored), ROOT, ())
    problems = {found.name: bool(found.problem) for found in crawled.found}
    assert problems == {"a": False, "b": True, "c": False}
    (problem,) = crawled.report.problems
    assert problem.uri == f"{ROOT}/b/y.parquet"


def half_way(fault: tuple[int, str] | str) -> Fault:
    """From the second listing on."""
    seen: list[Request] = []

    def judge(request: Request) -> tuple[int, str] | str | None:
        if not request.lists:
            return None
        seen.append(request)
        return fault if len(seen) > 1 else None

    return judge


@pytest.mark.parametrize("fault", ["reset", DENIED])
def test_a_listing_that_breaks_half_way_is_told(
    proxy: Proxy, seaweed: ObjectStore, fault: tuple[int, str] | str
) -> None:
    """The first thousand are there, and the crawl says that the rest is not."""
    files = seaweed.filesystem(seaweed.platform)
    for number in range(1001):
        with files.open_output_stream(f"{LAKE}/pages/t/{number:04}.csv") as out:
            out.write(b"id\n1\n")
    proxy.fault = half_way(fault)
    crawled = run_crawl(reach(proxy, seaweed), f"s3://{LAKE}/pages", ())
    assert crawled.report.broke_off
    assert crawled.report.new == 1000
    (found,) = crawled.found
    assert found.problem
