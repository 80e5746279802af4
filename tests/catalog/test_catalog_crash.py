"""A server that is killed leaves a catalog that is whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn

import pytest
from sqlalchemy import func, select, text

from privet.catalog import Catalog
from privet.model.names import DatasetName, TagName
from privet.store import migrate, open_engine, reading
from privet.store.tables import (
    audit_events,
    dataset_columns,
    datasets,
    domain_datasets,
    tag_assignments,
)

_WRITER = """
import itertools, sys
from datetime import UTC, datetime
import pyarrow as pa
from sqlalchemy import insert
from privet.catalog import Catalog
from privet.model.crawling.crawls import FoundDataset
from privet.model.datasets import *
from privet.model.names import DatasetName, TagName
from privet.store import open_engine, writing
from privet.store.tables import audit_events

engine = open_engine(sys.argv[1])
catalog = Catalog(engine, lambda p: {}, lambda d: None)
tag = TagName("phi", "mrn")
columns = tuple(
    Column(f"c{n}", pa.int64(), f"c{n}", field_tags=(FieldTag((f"c{n}",), tag),)) for n in range(9)
)
start = catalog.version()
for n in itertools.count():
    found = FoundDataset("t", Source(f"s3://lake/{start}/{n}", Format.CSV))
    catalog.datasets.register(found, DatasetName("d", f"t_{start}_{n}"), columns, by="writer")
    with writing(engine) as connection:
        connection.execute(insert(audit_events).values(
            id=f"{start}_{n}", at=datetime.now(UTC), action="a", outcome="allowed", user="",
            issuer="", groups=[], door="", object="", statement="", bypass=False, permissions=[],
            facts_version=0, error="", parent="", detail={}))
    print(n, catalog.version(), flush=True)
"""


def _no_permission(_: object) -> NoReturn:
    raise AssertionError("no permission is stored here")


@pytest.mark.parametrize("delay", [0.02, 0.09])
def test_a_killed_writer_leaves_whole_changes(tmp_path: Path, delay: float) -> None:
    """What was answered is there; what is there is whole; the version counts exactly that."""
    url = f"sqlite:///{tmp_path}/store.db"
    engine = open_engine(url)
    migrate(engine)
    catalog = Catalog(engine, _no_permission, _no_permission)
    catalog.databases.create("d", by="steward")
    catalog.tags.create(TagName("phi", "mrn"), by="steward")
    start = catalog.version()
    writer = subprocess.Popen(
        [sys.executable, "-c", _WRITER, url], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    first = writer.stdout.readline()
    time.sleep(delay)
    os.kill(writer.pid, signal.SIGKILL)
    said = [first, *writer.stdout.readlines()]
    assert writer.wait() == -signal.SIGKILL
    writer.stdout.close()
    whole = [line.split() for line in said if line.endswith("\n")]

    with reading(engine) as connection:
        assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"
        assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
        stored, columns, tags, domains, events = (
            connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (
                datasets, dataset_columns, tag_assignments, domain_datasets, audit_events
            )
        )  # fmt: skip
    assert len(whole) <= events <= stored <= len(whole) + 1
    assert (columns, tags, domains) == (9 * stored, 9 * stored, stored)
    assert catalog.version() == start + stored
    assert int(whole[-1][1]) <= catalog.version()
    last = DatasetName("d", f"t_{start}_{stored - 1}")
    assert len(catalog.datasets.get(last).columns) == 9
    catalog.datasets.drop(last)
    engine.dispose()
