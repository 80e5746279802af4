"""Token domains in the store: what is in one, and that nobody comes back in by the back door."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from sqlalchemy import Engine

from privet.catalog import Catalog, Starter
from privet.model.crawling.crawls import CrawlStatus, FoundDataset
from privet.model.datasets import CanonicalType, Column, Dataset, FieldTag, Format, Source
from privet.model.errors import Conflict, NotFound, RateLimited, TypeMismatch, UnknownName
from privet.model.names import DatasetName, TagName
from privet.model.principals import Principal
from privet.model.tokens import Profile
from privet.policy import from_json, to_json

MRN, NO = TagName("phi", "mrn"), TagName("hr", "no")


def register(
    catalog: Catalog, name: str, tag: TagName = MRN, kind: pa.DataType | None = None
) -> Dataset:
    """Register a dataset with one tagged column, at a path of its name."""
    for needed in {MRN, NO} - {t.name for t in catalog.tags.list()}:
        catalog.tags.create(needed, by="root")
    column = Column("c", kind or pa.string(), "c", field_tags=(FieldTag(("c",), tag),))
    source = Source(f"file:///lake/{name}", Format.CSV)
    fresh = catalog.databases.find("d") is None
    found = FoundDataset(name, source, (column,))
    full = DatasetName("d", name)
    return catalog.datasets.register(found, full, (column,), by="root", new_database=fresh)


def test_registration_begins_and_enters_the_domain_of_a_tag(catalog: Catalog) -> None:
    """It serves that tag, in version 1, and knows who is in it."""
    first, second = register(catalog, "one"), register(catalog, "two")
    (domain,) = catalog.domains.list()
    assert (domain.name, domain.tags, domain.version) == ("phi.mrn", {"phi.mrn"}, 1)
    assert domain.datasets == (first.name, second.name)
    assert catalog.domains.get("phi.mrn") == domain
    with pytest.raises(NotFound):
        catalog.domains.get("hr.no")


@pytest.mark.parametrize(
    ("kinds", "wanted"),
    [
        ((pa.date32(), pa.bool_(), pa.int64(), pa.string()), CanonicalType.INT64),
        ((pa.float64(), pa.string(), pa.int64()), CanonicalType.TEXT),
        ((pa.dictionary(pa.int32(), pa.string()),), CanonicalType.TEXT),
        ((pa.date32(),), CanonicalType.TEXT),
    ],
)
def test_what_a_domain_begins_as(
    catalog: Catalog, kinds: tuple[pa.DataType, ...], wanted: CanonicalType
) -> None:
    """Text and integers decide; other types have tokens of their own type in either."""
    catalog.tags.create(MRN, by="root")
    names = [f"c{n}" for n in range(len(kinds))]
    columns = tuple(
        Column(name, kind, name, field_tags=(FieldTag((name,), MRN),))
        for name, kind in zip(names, kinds, strict=True)
    )
    found = FoundDataset("t", Source("file:///lake/t", Format.PARQUET), columns)
    full = DatasetName("d", "t")
    catalog.datasets.register(found, full, columns, by="root", new_database=True)
    assert catalog.domains.get("phi.mrn").canonical is wanted


def test_declaring_changes_nothing_until_admission(catalog: Catalog) -> None:
    """Registered datasets stay where they are; new ones of the tag begin in the declared domain."""
    one, two = register(catalog, "one"), register(catalog, "two", NO)
    catalog.domains.create("people", CanonicalType.TEXT, [MRN, NO], purpose="joins")
    assert catalog.datasets.get(one.name).domains == one.domains
    catalog.domains.admit("people", one)
    catalog.domains.admit("people", two)
    catalog.domains.admit("people", two)
    for name, tag in ((one.name, "phi.mrn"), (two.name, "hr.no")):
        assert catalog.datasets.get(name).domains[tag].name == "people"
    assert register(catalog, "three").domains["phi.mrn"].name == "people"
    assert [len(d.datasets) for d in catalog.domains.list()] == [1, 3, 1]


def test_what_cannot_be_declared(catalog: Catalog) -> None:
    """A name or tag that is taken, a tag that is not there."""
    register(catalog, "one")
    catalog.domains.create("people", CanonicalType.TEXT, [MRN])
    with pytest.raises(Conflict, match="already exists"):
        catalog.domains.create("people", CanonicalType.TEXT, [NO])
    with pytest.raises(Conflict, match="is served by"):
        catalog.domains.create("others", CanonicalType.TEXT, [MRN])
    with pytest.raises(UnknownName):
        catalog.domains.create("others", CanonicalType.TEXT, [TagName("no", "tag")])
    catalog.domains.retire("people")
    catalog.domains.create("others", CanonicalType.TEXT, [MRN])


def test_who_is_expelled_stays_out(catalog: Catalog) -> None:
    """Not by an edit, not by tagging anew, not by dropping and registering; only by admission."""
    one = register(catalog, "one")
    catalog.domains.expel("phi.mrn", one)
    assert not catalog.datasets.get(one.name).domains
    catalog.datasets.unassign_tag(one.name, ("c",), MRN)
    catalog.datasets.assign_tag(one.name, ("c",), MRN, by="root")
    now = catalog.datasets.get(one.name)
    catalog.datasets.update_columns(
        one.name, now.columns, by="root", expected_revision=now.revision
    )
    assert not catalog.datasets.get(one.name).domains
    catalog.datasets.drop(one.name)
    again = register(catalog, "one")
    assert again.id != one.id
    assert not again.domains
    with pytest.raises(NotFound):
        catalog.domains.expel("phi.mrn", again)
    catalog.domains.admit("phi.mrn", again)
    assert catalog.datasets.get(one.name).domains


def test_what_cannot_be_admitted(catalog: Catalog) -> None:
    """Nothing to tokenize, a type that does not fit, a dataset that is gone, a retired domain."""
    one, number = register(catalog, "one"), register(catalog, "number", NO, pa.int64())
    with pytest.raises(TypeMismatch, match="no column"):
        catalog.domains.admit("hr.no", one)
    catalog.domains.create("people", CanonicalType.TEXT, [NO])
    with pytest.raises(TypeMismatch, match="int64"):
        catalog.domains.admit("people", number)
    catalog.domains.retire("people")
    with pytest.raises(Conflict, match="retired"):
        catalog.domains.admit("people", number)
    with pytest.raises(NotFound):
        catalog.domains.admit("no_domain", one)
    catalog.datasets.drop(one.name)
    with pytest.raises(NotFound):
        catalog.domains.admit("phi.mrn", one)


def test_retired_domains_take_nobody_in(catalog: Catalog) -> None:
    """They are emptied first, and end: no rotation, no admission by registering."""
    one = register(catalog, "one")
    with pytest.raises(Conflict, match="datasets are in"):
        catalog.domains.retire("phi.mrn")
    catalog.domains.expel("phi.mrn", one)
    assert catalog.domains.retire("phi.mrn").retired_at is not None
    for again in (catalog.domains.retire, catalog.domains.rotate):
        with pytest.raises(Conflict, match="is retired"):
            again("phi.mrn")
    assert not register(catalog, "two").domains


def test_rotation_counts_for_the_next_facts(
    make_catalog: Callable[[], Catalog], catalog: Catalog
) -> None:
    """On every server over the store, at once, for everybody in the domain."""
    other, principal = make_catalog(), Principal("ann")
    name = register(catalog, "one").name
    before = [c.facts(name, principal).dataset for c in (catalog, other)]
    assert [d and d.domains["phi.mrn"].version for d in before] == [1, 1]
    assert catalog.domains.rotate("phi.mrn").version == 2
    after = [c.facts(name, principal).dataset for c in (catalog, other)]
    assert [d and d.domains["phi.mrn"].version for d in after] == [2, 2]
    assert catalog.domains.get("phi.mrn").rotated_at is not None


def test_profiles_come_back_and_go_with_the_dataset(catalog: Catalog) -> None:
    """By dataset and column; the latest sample counts."""
    one = register(catalog, "one")
    catalog.domains.note_profiles(one, {"c": Profile(10, 10), "gone": Profile(3, 0)})
    catalog.domains.note_profiles(one, {"c": Profile(100, 1)})
    assert catalog.domains.profiles() == {(one.name, "c"): Profile(100, 1)}
    catalog.datasets.drop(one.name)
    assert not catalog.domains.profiles()
    catalog.domains.note_profiles(one, {"c": Profile(1, 1)})
    assert not catalog.domains.profiles()


def test_profiles_of_a_crawl_are_kept_with_it(catalog: Catalog) -> None:
    """With what was found."""
    found = FoundDataset("x", Source("file:///x", Format.CSV), profiles={"c": Profile(7, 3)})
    catalog.crawls.start("crawl", "file:///x", by=Starter("root"))
    catalog.crawls.finish("crawl", [found])
    assert catalog.crawls.get("crawl").found[0].profiles == {"c": Profile(7, 3)}


def test_jobs_are_one_at_a_time_and_end(catalog: Catalog) -> None:
    """Completed with a file, failed with a reason, or failed by the end of the server."""
    register(catalog, "one")
    job = catalog.token_jobs.start("phi.mrn", (1, 2), 1, by="root")
    with pytest.raises(Conflict):
        catalog.token_jobs.start("phi.mrn", (1, 2), 1, by="root")
    catalog.token_jobs.progress(job.id, datasets_done=1, rows_read=10, pairs=4)
    catalog.token_jobs.finish(job.id, file="/maps/x")
    ended = catalog.token_jobs.get(job.id)
    assert (ended.status, ended.rows_read, ended.file) == (CrawlStatus.COMPLETED, 10, "/maps/x")
    left = catalog.token_jobs.start("phi.mrn", (1, 2), 1, by="root")
    catalog.token_jobs.fail_interrupted()
    assert catalog.token_jobs.get(left.id).error == "the server ended"
    assert {j.id for j in catalog.token_jobs.list()} == {job.id, left.id}
    with pytest.raises(NotFound):
        catalog.token_jobs.get("no such")


def test_budgets_last_an_hour_over_all_servers(open_store: Callable[[], Engine]) -> None:
    """Spent on one server is spent on all; refusals spend nothing; others have their own."""
    now = datetime(2030, 1, 1, tzinfo=UTC)

    def make() -> Catalog:
        return Catalog(open_store(), to_json, from_json, clock=lambda: now)

    one, two, ann, eve = make(), make(), Principal("ann"), Principal("eve")
    one.budgets.spend(ann, 6, 10)
    with pytest.raises(RateLimited) as caught:
        two.budgets.spend(ann, 5, 10)
    assert "01:00:00" in caught.value.hint
    two.budgets.spend(ann, 4, 10)
    two.budgets.spend(eve, 10, 10)
    now += timedelta(minutes=59)
    with pytest.raises(RateLimited):
        one.budgets.spend(ann, 1, 10)
    now += timedelta(minutes=1)
    one.budgets.spend(ann, 10, 10)
