"""Crawling ten thousand objects in as many partitions, on a real S3 server of this machine.

Requests that the store got are not counted here but in the tests.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.measure import Figure
from privet.catalog import Catalog, Starter
from privet.connector import Connectors, S3Location
from privet.crawler import run_crawl
from privet.demo.objectstore import LAKE, ObjectStore
from privet.policy import from_json, to_json
from privet.service.crawling import RunMemory
from privet.store import migrate, open_engine

OBJECTS = 10_000
ROOT = f"s3://{LAKE}/days"


def run() -> Iterator[Figure]:
    """Measure."""
    with tempfile.TemporaryDirectory() as folder, ObjectStore(Path(folder) / "store") as store:
        _fill(store)
        engine = open_engine(f"sqlite:///{folder}/catalog.db")
        migrate(engine)
        catalog = Catalog(engine, to_json, from_json)
        try:
            first, opened = _crawl(catalog, store)
            assert opened
            yield Figure(f"crawl of {OBJECTS:,} objects in partitions", first, "s", bound=60)
            again, opened = _crawl(catalog, store)
            assert not opened
            yield Figure("the same, where nothing has changed", again, "s", bound=5)
        finally:
            engine.dispose()


def _fill(store: ObjectStore) -> None:
    files = store.filesystem(store.platform)

    def put(day: int) -> None:
        path = f"{LAKE}/days/day={day:05}/part.csv"
        with files.open_output_stream(path) as out:
            out.write(b"id,name\n1,ada\n")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, range(OBJECTS)))


def _crawl(catalog: Catalog, store: ObjectStore) -> tuple[float, int]:
    """Seconds that it takes, and how often a file was opened."""
    keys = store.reader
    location = S3Location(
        endpoint=store.endpoint, access_key=keys.access_key, secret_key=keys.secret_key
    )
    connectors = Connectors(s3=[location])
    crawl = catalog.crawls.start("days", ROOT, by=Starter("bench"))
    memory = RunMemory(catalog.crawl_memory, crawl.name, crawl.run)
    began = time.perf_counter()
    crawled = run_crawl(connectors, ROOT, (), memory=memory)
    took = time.perf_counter() - began
    catalog.crawls.finish(crawl.name, crawled.found, report=crawled.report)
    (found,) = crawled.found
    assert found.files == OBJECTS
    return took, crawled.report.opened
