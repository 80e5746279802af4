"""What crawls find at the paths of datasets, kept by either store."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest

from privet.catalog import Catalog
from privet.model.crawling.crawls import FoundDataset
from privet.model.datasets import Column, Dataset, FieldTag, Format, Source, TagOrigin
from privet.model.edits import DriftKind, drift_of
from privet.model.errors import Conflict, NotFound
from privet.model.names import DatasetName, TagName
from privet.model.sources import FIELD_IDS

NAME = DatasetName("lake", "people")
EMAIL = TagName("pii", "email")
COLUMNS = (Column("id", pa.int64(), "id"), Column("note", pa.string(), "note"))
FOUND = FoundDataset("people", Source("s3://lake/people", Format.PARQUET), COLUMNS)
NEW = Column("mail", pa.string(), "mail", field_tags=(FieldTag(("mail",), EMAIL, TagOrigin.RULE),))


@pytest.fixture
def dataset(catalog: Catalog) -> Dataset:
    """A dataset as it was found."""
    catalog.tags.create(EMAIL, by="steward")
    catalog.databases.create("lake", by="steward")
    return catalog.datasets.register(FOUND, NAME, COLUMNS, by="steward")


def note(catalog: Catalog, *columns: Column, **changed: object) -> Dataset | None:
    """A crawl finds these columns."""
    found = replace(FOUND, columns=columns, **changed)
    return catalog.findings.note(found, crawl="again", by="crawler")


def test_the_same_again_changes_nothing(catalog: Catalog, dataset: Dataset) -> None:
    """Neither the dataset nor the catalog's version."""
    before = catalog.version()
    assert note(catalog, *COLUMNS) is None
    assert catalog.version() == before
    assert catalog.datasets.get(NAME) == dataset


def test_a_new_column(catalog: Catalog, dataset: Dataset) -> None:
    """Added once, unreviewed, with its tag and without the tag's token domain; then accepted."""
    seen = note(catalog, *COLUMNS, NEW)
    assert seen is not None
    assert seen.columns == (*COLUMNS, replace(NEW, reviewed=False))
    assert (seen.revision, dict(seen.domains)) == (dataset.revision + 1, {})
    assert catalog.findings.find(seen) is None
    version = catalog.version()
    assert note(catalog, *COLUMNS, NEW) == seen
    assert catalog.version() == version
    done = catalog.findings.accept(NAME, by="steward", expected_revision=seen.revision)
    assert done.columns == (*COLUMNS, NEW)
    assert set(done.domains) == {"pii.email"}


def test_a_tag_that_was_dropped_meanwhile(catalog: Catalog, dataset: Dataset) -> None:
    """The column comes without it."""
    catalog.tags.drop(EMAIL)
    seen = note(catalog, *COLUMNS, NEW)
    assert seen is not None
    assert seen.columns[-1].field_tags == ()


def test_what_is_missing_or_of_another_type(catalog: Catalog, dataset: Dataset) -> None:
    """Kept beside the dataset, which stays as it was; mended it is forgotten, accepted applied."""
    other = replace(COLUMNS[0], type=pa.string())
    seen = note(catalog, other)
    assert seen is not None
    assert seen.columns == dataset.columns
    kept = catalog.findings.find(seen)
    assert {(d.kind, d.column) for d in drift_of(seen, kept)} == {
        (DriftKind.RETYPED, "id"),
        (DriftKind.MISSING, "note"),
    }
    assert note(catalog, *COLUMNS) is None
    assert catalog.findings.find(seen) is None
    note(catalog, other)
    with pytest.raises(Conflict):
        catalog.findings.accept(NAME, by="steward", expected_revision=dataset.revision)
    assert catalog.findings.accept(NAME, by="steward", expected_revision=None).columns == (other,)
    assert catalog.findings.find(seen) is None


def test_another_source(catalog: Catalog, dataset: Dataset) -> None:
    """Accepted, the dataset is read by it."""
    source = Source("s3://lake/people", Format.CSV, {"header": True}, ("year",))
    year = Column("year", pa.int64(), "year", partition=True)
    note(catalog, *COLUMNS, year, source=source)
    done = catalog.findings.accept(NAME, by="steward", expected_revision=None)
    assert (done.source, done.columns) == (source, (*COLUMNS, year))


def test_what_is_no_dataset_of_ours(catalog: Catalog, dataset: Dataset) -> None:
    """Another path, one within, or one that could not be looked into, changes nothing."""
    before = catalog.version()
    for uri in ("s3://lake/other", "s3://lake/people/part", "s3://lake"):
        assert note(catalog, NEW, source=Source(uri, Format.PARQUET)) is None
    assert note(catalog, NEW, problem="is broken") is None
    assert catalog.version() == before
    with pytest.raises(NotFound):
        catalog.findings.accept(DatasetName("lake", "no"), by="steward", expected_revision=None)


def test_it_goes_with_its_dataset(catalog: Catalog, dataset: Dataset) -> None:
    """Registered again under the same name and path, nothing has drifted."""
    note(catalog, COLUMNS[0])
    catalog.datasets.drop(NAME)
    again = catalog.datasets.register(FOUND, NAME, COLUMNS, by="steward")
    assert catalog.findings.find(again) is None


def test_a_name_that_is_of_another_column(catalog: Catalog, dataset: Dataset) -> None:
    """As an Iceberg table numbers them: what was reviewed keeps its number until it is accepted."""
    del dataset
    numbered = DatasetName("lake", "numbered")
    address = "s3://lake/numbered"

    def source(**ids: int) -> Source:
        return Source(address, Format.ICEBERG, {FIELD_IDS: {n: [i, {}] for n, i in ids.items()}})

    first = FoundDataset("numbered", source(id=1, note=2), COLUMNS)
    made = catalog.datasets.register(first, numbered, COLUMNS, by="steward")
    again = replace(first, columns=(*COLUMNS, NEW), source=source(id=1, note=3, mail=4))
    seen = catalog.findings.note(again, crawl="again", by="crawler")
    assert seen is not None
    assert seen.source.options[FIELD_IDS] == {"id": [1, {}], "note": [2, {}], "mail": [4, {}]}
    kinds = {(d.kind, d.column) for d in drift_of(seen, catalog.findings.find(seen))}
    assert kinds == {(DriftKind.REPLACED, "note"), (DriftKind.ADDED, "mail")}
    done = catalog.findings.accept(numbered, by="steward", expected_revision=seen.revision)
    assert done.source.options[FIELD_IDS] == {"id": [1, {}], "note": [3, {}], "mail": [4, {}]}
    assert drift_of(done, None) == ()
    assert done.revision > made.revision
