"""What must hold of datasets and crawls on every database."""

from __future__ import annotations

import dataclasses

import pyarrow as pa
import pytest

from privet.catalog import Catalog, Starter
from privet.model.crawling.crawls import CrawlStatus, FoundDataset
from privet.model.datasets import (
    CanonicalType,
    Column,
    Dataset,
    Evidence,
    FieldTag,
    Format,
    Source,
    TagOrigin,
    TokenDomain,
)
from privet.model.errors import Conflict, InvalidRequest, NotFound, UnknownName
from privet.model.names import DatasetName, TagName

MRN = TagName("phi", "mrn")
PHONE = TagName("phi", "phone_number")
COSTS = DatasetName("medical", "costs")
EVIDENCE = Evidence("phone", "cell_content", 100, 97, "whole cells")
PATIENT = pa.struct([pa.field("Name", pa.string()), pa.field("phones", pa.list_(pa.string()))])
COLUMNS = (
    Column("id", pa.int64(), "ID"),
    Column("mrn", pa.string(), "M\x00R\ud800N", "the \u2764 number", field_tags=(
        FieldTag(("mrn",), MRN),)),
    Column("phone", pa.dictionary(pa.int8(), pa.string()), "Phone", reviewed=False, field_tags=(
        FieldTag(("phone",), PHONE, TagOrigin.RULE, EVIDENCE),)),
    Column("patients", pa.list_(PATIENT), "patients", field_tags=(
        FieldTag(("patients", "phones"), PHONE),)),
    Column("year", pa.int32(), "year", partition=True),
)  # fmt: skip
FOUND = FoundDataset(
    "costs",
    Source("s3://lake/costs", Format.CSV, {"delimiter": ";", "header": True}, ("year",)),
    COLUMNS,
    files=3,
    bytes=12_345_678_901,
    notes=("one empty file",),
)


@pytest.fixture(autouse=True)
def words(catalog: Catalog) -> None:
    catalog.tags.create(MRN, by="steward")
    catalog.databases.create("medical", by="steward")


def _register(catalog: Catalog, uri: str = "s3://lake/costs", name: str = "costs") -> Dataset:
    found = dataclasses.replace(FOUND, source=dataclasses.replace(FOUND.source, uri=uri))
    return catalog.datasets.register(found, DatasetName("medical", name), COLUMNS, by="steward")


def test_a_dataset_comes_back_as_registered(catalog: Catalog) -> None:
    """Source, columns, types, evidence and odd names of the source survive storage."""
    registered = _register(catalog)
    assert registered.source == FOUND.source
    assert registered.columns == COLUMNS
    assert [str(c.type) for c in registered.columns] == [str(c.type) for c in COLUMNS]
    assert (registered.revision, registered.owner) == (1, "steward")
    assert registered == catalog.datasets.get(COSTS) == catalog.datasets.find(COSTS)
    assert catalog.datasets.list() == catalog.datasets.list("medical") == (registered,)
    assert catalog.datasets.list("other") == ()


def test_registration_admits_to_the_domains_of_the_tags(catalog: Catalog) -> None:
    """Each tag on a reviewed column is a domain, typed by the first column in it, and shared."""
    text = TokenDomain("phi.mrn", CanonicalType.TEXT)
    assert dict(_register(catalog).domains) == {"phi.mrn": text}
    reviewed = catalog.findings.accept(COSTS, by="steward", expected_revision=1)
    assert dict(reviewed.domains) == {
        "phi.mrn": text,
        "phi.phone_number": TokenDomain("phi.phone_number", CanonicalType.TEXT),
    }
    number = Column("mrn", pa.int32(), "mrn", field_tags=(FieldTag(("mrn",), MRN),))
    second = catalog.datasets.register(
        dataclasses.replace(FOUND, source=Source("s3://lake/more", Format.PARQUET)),
        DatasetName("medical", "more"),
        (number,),
        by="steward",
    )
    assert dict(second.domains) == {"phi.mrn": text}


def test_an_integer_column_makes_a_domain_of_integers(catalog: Catalog) -> None:
    """Whatever its width, an integer's domain is int64."""
    column = Column("mrn", pa.int32(), "mrn", field_tags=(FieldTag(("mrn",), MRN),))
    dataset = catalog.datasets.register(FOUND, COSTS, (column,), by="steward")
    assert dataset.domains["phi.mrn"].canonical is CanonicalType.INT64


@pytest.mark.parametrize(
    "uri",
    ["s3://lake/costs", "s3://lake/costs/", "s3://lake/costs/2024/a.csv", "s3://lake", "s3://"],
)
def test_a_path_has_one_owner(catalog: Catalog, uri: str) -> None:
    """A path that is, contains or lies within an owned one is refused, without saying whose."""
    _register(catalog)
    with pytest.raises(Conflict, match="the path equals") as refused:
        _register(catalog, uri, "another")
    assert "medical" not in str(refused.value)
    assert len(catalog.datasets.list()) == 1


@pytest.mark.parametrize(
    "uri",
    ["s3://lake/cost", "s3://lake/costs_2", "s3://lake/costs.csv", "s3://lake/Costs",
     "s3://lak", "s3://other/lake/costs", "file:///lake/costs", "s3://lake/%", "s3://lake/cost_"],
)  # fmt: skip
def test_unrelated_paths_do_not_meet(catalog: Catalog, uri: str) -> None:
    """Paths are compared by whole parts and bytes."""
    _register(catalog)
    assert _register(catalog, uri, "another").source.uri == uri


def test_a_dropped_dataset_leaves_its_path_and_name(catalog: Catalog) -> None:
    """Both can be registered again, as another dataset without the old one's tags."""
    first = _register(catalog)
    catalog.datasets.assign_tag(COSTS, (), PHONE, by="steward")
    catalog.datasets.drop(COSTS)
    assert catalog.datasets.find(COSTS) is None
    with pytest.raises(NotFound, match="does not exist, or you have no access to it"):
        catalog.datasets.get(COSTS)
    with pytest.raises(NotFound):
        catalog.datasets.drop(COSTS)
    second = catalog.datasets.register(FOUND, COSTS, COLUMNS[:1], by="steward")
    assert second.id != first.id
    assert (second.tags, second.columns, dict(second.domains)) == (frozenset(), COLUMNS[:1], {})


def test_a_full_database_cannot_be_dropped(catalog: Catalog) -> None:
    """Its datasets go first."""
    _register(catalog)
    with pytest.raises(Conflict, match="not empty"):
        catalog.databases.drop("medical")
    catalog.datasets.drop(COSTS)
    catalog.databases.drop("medical")


def test_a_new_database_is_made_with_its_first_dataset(catalog: Catalog) -> None:
    """Both or neither; a database that exists is no new one."""
    name = DatasetName("fresh", "costs")
    _register(catalog)
    with pytest.raises(Conflict, match="the path"):
        catalog.datasets.register(FOUND, name, COLUMNS, by="steward", new_database=True)
    assert catalog.databases.find("fresh") is None
    catalog.datasets.drop(COSTS)
    version = catalog.version()
    made = catalog.datasets.register(FOUND, name, COLUMNS, by="steward", new_database=True)
    assert catalog.version() == version + 1
    database = catalog.databases.find("fresh")
    assert database is not None
    assert (database.created_by, database.created_at) == ("steward", made.created_at)
    with pytest.raises(Conflict, match="database `fresh` already exists"):
        catalog.datasets.register(FOUND, name, COLUMNS, by="steward", new_database=True)


def test_refused_registrations_leave_nothing(catalog: Catalog) -> None:
    """A problem, a missing database or tag, a taken name and odd columns are each refused."""
    odd = FieldTag(("id",), TagName("phi", "odd"))
    elsewhere = FieldTag(("mrn",), MRN)
    refusals = [
        (InvalidRequest, dataclasses.replace(FOUND, problem="rows differ"), COSTS, COLUMNS),
        (NotFound, FOUND, DatasetName("nowhere", "costs"), COLUMNS),
        (UnknownName, FOUND, COSTS, (Column("id", pa.int64(), "id", field_tags=(odd,)),)),
        (InvalidRequest, FOUND, COSTS, ()),
        (InvalidRequest, FOUND, COSTS, (*COLUMNS, COLUMNS[0])),
        (InvalidRequest, FOUND, COSTS, (Column("Id", pa.int64(), "Id"),)),
        (InvalidRequest, FOUND, COSTS, (Column("a b", pa.int64(), "a b"),)),
        (InvalidRequest, FOUND, COSTS, (Column("id", pa.int64(), "id", field_tags=(elsewhere,)),)),
    ]
    for error, found, name, columns in refusals:
        with pytest.raises(error):
            catalog.datasets.register(found, name, columns, by="steward")
    assert catalog.datasets.list() == ()
    _register(catalog)
    with pytest.raises(Conflict, match="already exists"):
        _register(catalog, "s3://elsewhere", "costs")


def test_tags_attach_to_fields_and_to_the_dataset(catalog: Catalog) -> None:
    """A tag is on a column, inside one, or on everything; again is as once."""
    _register(catalog)
    catalog.datasets.assign_tag(COSTS, ("id",), MRN, by="steward")
    catalog.datasets.assign_tag(COSTS, ("patients", "name"), MRN, by="steward")
    tagged = catalog.datasets.assign_tag(COSTS, (), PHONE, by="steward")
    assert catalog.datasets.assign_tag(COSTS, (), PHONE, by="steward") == tagged
    assert tagged.revision == 4
    assert tagged.columns[0].tags == {MRN}
    assert {(t.path, t.tag) for t in tagged.columns[3].field_tags} == {
        (("patients", "name"), MRN),
        (("patients", "phones"), PHONE),
    }
    assert tagged.effective_tags(tagged.columns[0]) == {MRN, PHONE}
    catalog.datasets.unassign_tag(COSTS, (), PHONE)
    bare = catalog.datasets.unassign_tag(COSTS, ("id",), MRN)
    assert (bare.tags, bare.columns[0].tags, bare.revision) == (frozenset(), frozenset(), 6)


def test_a_tag_given_later_admits_too_and_admission_stays(catalog: Catalog) -> None:
    """Tagging is a steward's act like registration; taking the tag off does not change tokens."""
    catalog.datasets.register(FOUND, COSTS, COLUMNS[:1], by="steward")
    tagged = catalog.datasets.assign_tag(COSTS, ("id",), MRN, by="steward")
    admitted = {"phi.mrn": TokenDomain("phi.mrn", CanonicalType.INT64)}
    assert dict(tagged.domains) == admitted
    assert dict(catalog.datasets.unassign_tag(COSTS, ("id",), MRN).domains) == admitted


def test_refusals_about_tags(catalog: Catalog) -> None:
    """Unknown tags, fields and datasets are refused, and so is taking off what is not there."""
    _register(catalog)
    for path in [("absent",), ("id", "x"), ("patients", "absent"), ("patients", "name", "x")]:
        with pytest.raises(InvalidRequest, match="there is no field"):
            catalog.datasets.assign_tag(COSTS, path, MRN, by="steward")
    with pytest.raises(UnknownName):
        catalog.datasets.assign_tag(COSTS, ("id",), TagName("phi", "odd"), by="steward")
    with pytest.raises(NotFound):
        catalog.datasets.assign_tag(DatasetName("medical", "no"), ("id",), MRN, by="steward")
    with pytest.raises(NotFound, match="`id`"):
        catalog.datasets.unassign_tag(COSTS, ("id",), MRN)
    assert catalog.datasets.get(COSTS).revision == 1


def test_dropping_a_tag_takes_it_off(catalog: Catalog) -> None:
    """Columns lose it, and whoever was editing them is told that something changed."""
    _register(catalog)
    catalog.tags.drop(MRN)
    dataset = catalog.datasets.get(COSTS)
    assert (dataset.columns[1].tags, dataset.revision) == (frozenset(), 2)


def test_columns_are_replaced_as_reviewed(catalog: Catalog) -> None:
    """New columns, types, order, tags and reviews take effect together."""
    _register(catalog)
    catalog.datasets.assign_tag(COSTS, (), PHONE, by="steward")
    columns = (
        dataclasses.replace(COLUMNS[2], reviewed=True, field_tags=()),
        dataclasses.replace(COLUMNS[0], type=pa.string(), comment="as text"),
    )
    updated = catalog.datasets.update_columns(COSTS, columns, by="steward", expected_revision=2)
    assert (updated.columns, updated.revision, updated.tags) == (columns, 3, {PHONE})
    assert catalog.datasets.get(COSTS) == updated


def test_an_edit_of_what_changed_meanwhile_is_refused(catalog: Catalog) -> None:
    """The second of two stewards is told to read again, and nothing of the edit is kept."""
    first = _register(catalog)
    catalog.datasets.assign_tag(COSTS, ("id",), MRN, by="steward", expected_revision=first.revision)
    for edit in (
        lambda: catalog.datasets.update_columns(COSTS, COLUMNS, by="b", expected_revision=1),
        lambda: catalog.datasets.assign_tag(COSTS, (), PHONE, by="b", expected_revision=1),
        lambda: catalog.datasets.unassign_tag(COSTS, ("id",), MRN, expected_revision=1),
    ):
        with pytest.raises(Conflict, match="somebody changed") as refused:
            edit()
        assert "read it again" in refused.value.hint
    assert catalog.datasets.get(COSTS).columns[0].tags == {MRN}


def test_a_crawl_from_start_to_end(catalog: Catalog) -> None:
    """It runs, counts, and ends with all that it found; it is no fact, so the version stands."""
    version = catalog.version()
    started = catalog.crawls.start("lake", "s3://lake", by=Starter("steward"))
    assert (started.status, started.finished_at) == (CrawlStatus.RUNNING, None)
    with pytest.raises(Conflict, match="is running"):
        catalog.crawls.start("lake", "s3://lake", by=Starter("steward"))
    catalog.crawls.progress("lake", objects_seen=7, datasets_found=1)
    assert catalog.crawls.get("lake").objects_seen == 7
    finished = catalog.crawls.finish("lake", (FOUND,))
    assert (finished.status, finished.error) == (CrawlStatus.COMPLETED, "")
    assert (finished.found, finished.objects_seen) == ((FOUND,), 7)
    catalog.crawls.progress("lake", objects_seen=9, datasets_found=1)
    assert catalog.crawls.list() == (finished,)
    assert catalog.version() == version


def test_a_crawl_that_ended_can_be_run_again(catalog: Catalog) -> None:
    """A failed one says why; the next run of that name replaces it."""
    catalog.crawls.start("lake", "s3://lake", by=Starter("steward"))
    failed = catalog.crawls.finish("lake", (), error="the bucket is away")
    assert (failed.status, failed.error) == (CrawlStatus.FAILED, "the bucket is away")
    again = catalog.crawls.start("lake", "s3://other", by=Starter("eve"))
    assert (again.uri, again.error, again.found) == ("s3://other", "", ())
    failed = catalog.crawls.finish("lake", (), error="the bucket is gone")
    assert (failed.status, failed.error) == (CrawlStatus.FAILED, "the bucket is gone")
    with pytest.raises(NotFound):
        catalog.crawls.get("other")
    with pytest.raises(NotFound):
        catalog.crawls.finish("other", ())


def test_a_registered_path_is_not_offered_again(catalog: Catalog) -> None:
    """Found datasets say as what they, or what is around or within them, are registered."""
    uris = ["s3://lake/costs", "s3://lake/costs/2024", "s3://lake", "s3://lake/costs2"]
    found = [dataclasses.replace(FOUND, source=Source(uri, Format.CSV)) for uri in uris]
    catalog.crawls.start("lake", "s3://lake", by=Starter("steward"))
    catalog.crawls.finish("lake", found)
    offered = [f.registered_as for f in catalog.crawls.get("lake").found]
    assert offered == [None] * 4
    _register(catalog)
    for crawl in (catalog.crawls.get("lake"), catalog.crawls.list()[0]):
        assert [f.registered_as for f in crawl.found] == [COSTS, COSTS, COSTS, None]
    catalog.datasets.drop(COSTS)
    assert [f.registered_as for f in catalog.crawls.get("lake").found] == offered
