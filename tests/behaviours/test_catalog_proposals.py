"""Proposed tags that wait, and those that were rejected, kept by either store."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from privet.catalog import Catalog
from privet.model.crawling.crawls import FoundDataset
from privet.model.datasets import Column, Dataset, FieldTag, Format, Source, TagOrigin
from privet.model.errors import NotFound
from privet.model.names import DatasetName, TagName
from privet.model.tagging import Evidence
from privet.model.tagging.proposals import RejectedColumn, Rejection

NAME = DatasetName("lake", "people")
EMAIL = TagName("pii", "email")
SEEN = Evidence("mails", "cell_content", 10, 9, examples=("aaa@aaa.aa", "ä"))
MAIL = FieldTag(("mail",), EMAIL, TagOrigin.RULE, SEEN)
INNER = FieldTag(("who", "mail"), EMAIL, TagOrigin.RULE, SEEN)
COLUMNS = (Column("mail", pa.string(), "Mail 🙂"), Column("who", pa.string(), "who"))
FOUND = FoundDataset("people", Source("s3://lake/people", Format.PARQUET), COLUMNS)
AT = datetime(2026, 11, 24, 20, 30, tzinfo=UTC)
NO = Rejection(
    FOUND.source.uri, ("mail",), EMAIL, RejectedColumn("Mail 🙂", "", "string"), SEEN, "ada", AT
)


@pytest.fixture
def dataset(catalog: Catalog) -> Dataset:
    """A dataset as it was found."""
    catalog.databases.create("lake", by="steward")
    return catalog.datasets.register(FOUND, NAME, COLUMNS, by="steward")


def test_proposals_replace_those_from_before(catalog: Catalog, dataset: Dataset) -> None:
    """They come back as they were, with evidence, and change nothing that decisions rest on."""
    version = catalog.version()
    catalog.proposals.note(dataset.id, [INNER, MAIL], "one")
    assert [(p.dataset, p.tag, p.rules) for p in catalog.proposals.list()] == [
        (NAME, MAIL, "one"),
        (NAME, INNER, "one"),
    ]
    catalog.proposals.note(dataset.id, [INNER], "two")
    assert [(p.tag, p.rules) for p in catalog.proposals.list(NAME)] == [(INNER, "two")]
    assert catalog.proposals.list(DatasetName("lake", "others")) == ()
    catalog.proposals.forget(dataset.id, INNER.path, EMAIL)
    assert catalog.proposals.list() == ()
    assert catalog.version() == version


def test_what_was_rejected_waits_no_more(catalog: Catalog, dataset: Dataset) -> None:
    """Nor is it noted again, until it is reconsidered; a second rejection replaces the first."""
    catalog.proposals.note(dataset.id, [MAIL, INNER], "one")
    catalog.proposals.reject(dataset.id, NO)
    catalog.proposals.reject(dataset.id, NO)
    assert [p.tag for p in catalog.proposals.list()] == [INNER]
    catalog.proposals.note(dataset.id, [MAIL, INNER], "two")
    assert [p.tag for p in catalog.proposals.list()] == [INNER]
    (kept,) = catalog.proposals.rejections()
    assert kept.dataset == NAME
    assert (kept.column, kept.evidence, kept.by, kept.at) == (NO.column, SEEN, "ada", AT)
    uri = FOUND.source.uri
    assert catalog.proposals.rejected([uri, "s3://other"]) == {uri: {(("mail",), EMAIL)}}
    catalog.proposals.reconsider(uri, ("mail",), EMAIL)
    assert catalog.proposals.rejected([uri]) == {}
    with pytest.raises(NotFound):
        catalog.proposals.reconsider(uri, ("mail",), EMAIL)


def test_rejections_outlive_the_dataset_and_proposals_do_not(
    catalog: Catalog, dataset: Dataset
) -> None:
    """What is registered at the same path again has the rejections, and nothing that waits."""
    catalog.proposals.note(dataset.id, [MAIL, INNER], "one")
    catalog.proposals.reject(dataset.id, NO)
    catalog.datasets.drop(NAME)
    assert catalog.proposals.list() == ()
    assert [r.dataset for r in catalog.proposals.rejections()] == [None]
    again = catalog.datasets.register(FOUND, NAME, COLUMNS, by="steward")
    catalog.proposals.note(again.id, [MAIL], "one")
    assert catalog.proposals.list() == ()
    catalog.proposals.note("no-such-dataset", [INNER], "one")
    assert catalog.proposals.list() == ()
