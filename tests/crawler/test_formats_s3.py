"""Every format on a real S3 server: what lies there is found and scanned with the reader's keys."""

from __future__ import annotations

import warnings
from pathlib import Path

import pyarrow as pa
import pytest
from pyiceberg.catalog.sql import SqlCatalog

from privet.connector import Connectors, S3Location
from privet.crawler import crawl
from privet.demo.objectstore import LAKE, ObjectStore, StoreKeys
from privet.model.datasets import Dataset
from privet.model.errors import SourceUnavailable
from privet.model.names import DatasetName
from privet.scan import Engine
from scan.sources import failure, scan
from scan.writing import WRITERS

pytestmark = pytest.mark.service
ROWS = pa.table({"id": [1, 2, 3, 4], "who": pa.array([{"name": f"n{i}"} for i in range(4)])})


def reach(store: ObjectStore, keys: StoreKeys) -> Connectors:
    return Connectors(
        s3=[
            S3Location(
                endpoint=store.endpoint, access_key=keys.access_key, secret_key=keys.secret_key
            )
        ]
    )


def put(store: ObjectStore, folder: Path, form: str) -> str:
    """Write a table where the server has it; gives its prefix."""
    prefix = f"formats/{form.replace('.', '_')}"
    if form == "iceberg":
        keys = store.platform
        options = {
            "s3.endpoint": store.endpoint,
            "s3.access-key-id": keys.access_key,
            "s3.secret-access-key": keys.secret_key,
            "s3.region": "us-east-1",
        }
        location = f"s3://{LAKE}/{prefix}"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            catalog = SqlCatalog("c", uri="sqlite://", warehouse=location, **options)
            catalog.create_namespace("n")
            catalog.create_table("n.t", ROWS.schema, location).append(ROWS)
            catalog.engine.dispose()
        return prefix
    WRITERS[form](ROWS, folder / f"part.{form}")
    for file in folder.glob("**/*"):
        if file.is_file():
            store.upload(file, f"{prefix}/{file.relative_to(folder)}")
    return prefix


@pytest.mark.parametrize("form", WRITERS)
def test_a_table_in_a_bucket(seaweed: ObjectStore, tmp_path: Path, form: str) -> None:
    """Its log and its files come by our own connector; other keys find and read nothing."""
    prefix = put(seaweed, tmp_path, form)
    connectors = reach(seaweed, seaweed.reader)
    (found,) = crawl(connectors, f"s3://{LAKE}/{prefix}", ())
    assert found.problem == ""
    dataset = Dataset("id-1", DatasetName("db", "t"), found.source, found.columns)
    engine = Engine(connectors)
    try:
        out = scan(engine, dataset)
        assert sorted(out.to_pylist(), key=str) == sorted(ROWS.to_pylist(), key=str)
    finally:
        engine.close()
    other = Engine(reach(seaweed, seaweed.analyst))
    try:
        assert isinstance(failure(other, dataset), SourceUnavailable)
    finally:
        other.close()
