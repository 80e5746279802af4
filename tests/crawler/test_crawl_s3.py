"""The acceptance flow's crawl, on a real S3 server."""

from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from privet.classifier import BUILTIN_RULES
from privet.connector import Connectors, S3Location
from privet.crawler import crawl
from privet.demo.generate import generate
from privet.demo.objectstore import LAKE, ObjectStore, StoreKeys
from privet.model.datasets import Rule, RuleTarget
from privet.model.errors import NotFound, SourceUnavailable
from privet.model.names import TagName

pytestmark = pytest.mark.service


def reach(store: ObjectStore, keys: StoreKeys) -> Connectors:
    return Connectors(
        s3=[
            S3Location(
                endpoint=store.endpoint, access_key=keys.access_key, secret_key=keys.secret_key
            )
        ]
    )


@pytest.fixture(scope="module")
def lake(seaweed: ObjectStore, tmp_path_factory: pytest.TempPathFactory) -> ObjectStore:
    file: Path = tmp_path_factory.mktemp("costs") / "medical_costs.csv"
    pacsv.write_csv(generate(), file)
    seaweed.upload(file, "medical-costs/medical_costs.csv")
    return seaweed


def test_the_medical_costs_are_found_and_tagged(lake: ObjectStore) -> None:
    """The generator's types, and tags on phone and mrn alone."""
    mrn = Rule("mrn", TagName("phi", "mrn"), "mrn", frozenset({RuleTarget.COLUMN_NAME}))
    (found,) = crawl(reach(lake, lake.reader), f"s3://{LAKE}/medical-costs", (*BUILTIN_RULES, mrn))
    assert (found.name, found.source.uri) == ("medical_costs", f"s3://{LAKE}/medical-costs")
    assert (found.files, found.problem, found.notes) == (1, "", ())
    assert {c.name: c.type for c in found.columns} == {f.name: f.type for f in generate(1).schema}
    assert {c.name: sorted(map(str, c.tags)) for c in found.columns if c.tags} == {
        "mrn": ["phi.mrn"],
        "phone": ["phi.phone_number"],
    }


def test_denied_and_missing_roots_are_typed_errors(lake: ObjectStore) -> None:
    """The analyst's own identity finds nothing out."""
    with pytest.raises(SourceUnavailable, match="access was denied"):
        crawl(reach(lake, lake.analyst), f"s3://{LAKE}/medical-costs", ())
    with pytest.raises(NotFound):
        crawl(reach(lake, lake.reader), f"s3://{LAKE}/none", ())


def test_parquet_is_found_below_partitions(lake: ObjectStore) -> None:
    """Over S3 as over files."""
    files = lake.filesystem(lake.platform)
    for year in (2023, 2024):
        with files.open_output_stream(f"{LAKE}/calls/year={year}/part-0.parquet") as out:
            pq.write_table(pa.table({"mrn": ["1"]}), out)
    (found,) = crawl(reach(lake, lake.reader), f"s3://{LAKE}/calls", ())
    assert found.problem == ""
    assert found.source.partitions == ("year",)
    assert found.files == 2
