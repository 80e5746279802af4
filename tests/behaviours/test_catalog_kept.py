"""In how many queries facts are read, and when nothing that was kept is trusted any more."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import replace

import pyarrow as pa
import pytest
from sqlalchemy import Engine, event, func, select, text

from privet.catalog import Catalog
from privet.catalog.current.changes import NOTHING, Changes, Journal
from privet.catalog.versions import Version, changing
from privet.model.crawling.crawls import FoundDataset
from privet.model.datasets import Column, Format, Source, View
from privet.model.decisions import Facts
from privet.model.names import PUBLIC_ROLE, DatasetName, TagName
from privet.model.permissions import CATALOG, Permission, on_dataset
from privet.model.principals import Principal
from privet.policy import from_json, to_json
from privet.store import reading, writing
from privet.store.tables import catalog_changes, metadata

TABLE, OTHER = DatasetName("d", "t"), DatasetName("d", "u")
VIEW, OUTER = DatasetName("d", "v"), DatasetName("d", "w")
TAG = TagName("x", "k")
ADA, BOB = Principal("ada", frozenset({"g"})), Principal("bob")
Open, Make = Callable[[], Engine], Callable[[], Catalog]


@pytest.fixture
def engine(open_store: Open) -> Engine:
    return open_store()


@pytest.fixture
def steward(make_catalog: Make) -> Catalog:
    """Two tables, a view over one, a view over that; a role that reads all of it."""
    made = make_catalog()
    made.ensure_builtin([(TAG, "")], ["r"])
    made.databases.create("d", by="s")
    made.roles.map_group("r", "g")
    made.permissions.add(Permission(CATALOG, "r"), by="s")
    columns = (Column("id", pa.int64(), "ID"),)
    for name in (TABLE, OTHER):
        source = Source(f"s3://lake/{name.name}", Format.CSV)
        made.datasets.register(FoundDataset(name.name, source), name, columns, by="s")
    for name, base in ((VIEW, TABLE), (OUTER, VIEW)):
        rests = {"id": frozenset({(base, "id")})}
        view = View("SELECT id", None, ("privet", "ada"), {base: ("id",)}, rests)
        made.datasets.create_view(name, view, columns, by="s")
    return made


@contextmanager
def counting(engine: Engine) -> Generator[list[str]]:
    """The statements that an engine sends meanwhile, but for those that begin a transaction."""
    sent: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement != "BEGIN":
            sent.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


def fresh(engine: Engine) -> Catalog:
    """A catalog that has read nothing yet."""
    return Catalog(engine, to_json, from_json)


def listed(catalog: Catalog) -> list[Facts]:
    """A list, without the versions at which its facts were read."""
    return [replace(facts, version=0) for facts in catalog.list_facts(ADA)]


CHANGES: dict[str, Callable[[Catalog], object]] = {
    "of nothing": lambda c: c.tags.create(TagName("x", "other"), by="s"),
    "of a tag": lambda c: c.datasets.assign_tag(TABLE, ("id",), TAG, by="s"),
    "of the database": lambda c: c.databases.assign_tag("d", TAG, by="s"),
    "of a permission": lambda c: c.permissions.add(Permission(on_dataset(TABLE), "r"), by="s"),
    "of roles": lambda c: c.roles.map_group(PUBLIC_ROLE + "_2", "g"),
    "of all of these": lambda c: [
        change(c) for what, change in CHANGES.items() if what != "of all of these"
    ],
}


# ---- queries


def test_facts_take_two_queries_at_most(steward: Catalog, engine: Engine) -> None:
    """One when nothing is known, one when all of it is; two after a change, whatever it is."""
    steward.roles.create(PUBLIC_ROLE + "_2", by="s")
    catalog = fresh(engine)
    with counting(engine) as sent:
        catalog.facts(TABLE, ADA)
        assert len(sent) == 1
        catalog.facts(TABLE, ADA)
        assert len(sent) == 2
        catalog.facts(OTHER, BOB)
        assert len(sent) == 3
    for what, change in CHANGES.items():
        if what == "of all of these":
            steward.datasets.unassign_tag(TABLE, ("id",), TAG)
            steward.databases.unassign_tag("d", TAG)
            steward.permissions.remove(Permission(on_dataset(TABLE), "r"))
            steward.roles.unmap_group(PUBLIC_ROLE + "_2", "g")
            steward.tags.drop(TagName("x", "other"))
            catalog.facts(TABLE, ADA)
        change(steward)
        with counting(engine) as sent:
            facts = catalog.facts(TABLE, ADA)
        assert len(sent) <= (1 if what == "of nothing" else 2), what
        assert facts == fresh(engine).facts(TABLE, ADA), what


def test_absent_datasets_take_no_more(steward: Catalog, engine: Engine) -> None:
    """Neither does a catalog in which nothing was ever granted to anybody."""
    with counting(engine) as sent:
        facts = fresh(engine).facts(DatasetName("no", "where"), Principal("nobody"))
    assert (len(sent), facts.dataset, facts.permissions) == (1, None, ())


def test_views_take_a_query_for_each_layer_behind(steward: Catalog, engine: Engine) -> None:
    """And the facts about everything that a view reads, for all on the way, take one together."""
    with counting(engine) as sent:
        fresh(engine).facts(OUTER, ADA)
    assert len(sent) == 3
    catalog = fresh(engine)
    with counting(engine) as sent:
        found = catalog.facts_among([TABLE, OTHER], [ADA, BOB])
        assert len(sent) == 1
        assert catalog.facts_among([TABLE, OTHER], [BOB, ADA]) == found
        assert len(sent) == 2
    for (name, principal), facts in found.items():
        assert facts == fresh(engine).facts(name, principal)
    assert catalog.facts_among([], [ADA]) == {}


def test_a_change_elsewhere_leaves_facts_as_they_are(steward: Catalog, engine: Engine) -> None:
    """They are not read again, and say the new version; of a view, what it rests on is its own."""
    catalog = fresh(engine)
    before = catalog.facts(VIEW, ADA)
    steward.datasets.assign_tag(OTHER, ("id",), TAG, by="s")
    steward.permissions.add(Permission(CATALOG, PUBLIC_ROLE), by="s")
    steward.permissions.remove(Permission(CATALOG, PUBLIC_ROLE))
    with counting(engine) as sent:
        after = catalog.facts(VIEW, BOB)
        assert len(sent) == 2
    steward.datasets.assign_tag(OTHER, (), TAG, by="s")
    with counting(engine) as sent:
        after = catalog.facts(VIEW, BOB)
        assert len(sent) == 1
    assert after.version == steward.version() > before.version
    steward.datasets.assign_tag(TABLE, ("id",), TAG, by="s")
    inherited = catalog.facts(VIEW, BOB).dataset
    assert inherited is not None
    assert inherited.columns[0].tags == {TAG}


def test_lists_read_only_what_changed(steward: Catalog, engine: Engine) -> None:
    """A changed dataset and the views over it are others; all else stays, and is not decided on."""
    catalog = fresh(engine)
    before = {f.name: f for f in catalog.list_facts(ADA)}
    assert {*before} == {TABLE, OTHER, VIEW, OUTER}
    steward.datasets.assign_tag(TABLE, ("id",), TAG, by="s")
    with counting(engine) as sent:
        after = {f.name: f for f in catalog.list_facts(ADA)}
    assert len(sent) == 3
    assert {name for name in after if after[name] is before[name]} == {OTHER}
    steward.permissions.add(Permission(on_dataset(OTHER), "r"), by="s")
    later = {f.name: f for f in catalog.list_facts(ADA)}
    assert {name for name in later if later[name] is after[name]} == {TABLE, VIEW, OUTER}


def test_lists_follow_token_domains(steward: Catalog, engine: Engine) -> None:
    """A dataset that is taken out of one, taken in again, and a new key version: each is seen."""
    steward.datasets.assign_tag(TABLE, ("id",), TAG, by="s")
    dataset, catalog = steward.datasets.get(TABLE), fresh(engine)
    changes: list[tuple[Callable[[], object], list[int]]] = [
        (lambda: None, [1]),
        (lambda: steward.domains.expel(str(TAG), dataset), []),
        (lambda: steward.domains.admit(str(TAG), dataset), [1]),
        (lambda: steward.domains.rotate(str(TAG)), [2]),
    ]
    for change, versions in changes:
        change()
        found = {f.name: f.dataset for f in catalog.list_facts(ADA)}[TABLE]
        alone = catalog.facts(TABLE, ADA).dataset
        assert found == alone == steward.datasets.get(TABLE)
        assert found is not None
        assert [domain.version for domain in found.domains.values()] == versions


# ---- what is noted


def test_all_that_facts_are_read_from_is_noted(steward: Catalog, engine: Engine) -> None:
    """Whoever reads facts from another table gives it the triggers that tell of its changes."""
    with counting(engine) as sent:
        fresh(engine).facts(TABLE, ADA)
        fresh(engine).list_facts(ADA)
    read = {
        name
        for name in metadata.tables
        if any(re.search(rf"(FROM|JOIN) {name}\b", s) for s in sent)
    }
    triggers = {
        "sqlite": "SELECT tbl_name FROM sqlite_master WHERE type = 'trigger'"
        " AND name LIKE '%_changed'",
        "postgresql": "SELECT tgrelid::regclass::text FROM pg_trigger"
        " WHERE tgname LIKE '%_changed'",
    }[engine.dialect.name]
    with reading(engine) as connection:
        noted = {*connection.execute(text(triggers)).scalars()}
    # A role that comes or goes has no permissions and no groups.
    assert read - {"catalog_changes", "roles"} == noted


def test_old_changes_are_forgotten(steward: Catalog, engine: Engine) -> None:
    """The last thousand versions are kept; who is further behind reads everything anew."""
    catalog = fresh(engine)
    catalog.list_facts(ADA)
    steward.datasets.assign_tag(TABLE, ("id",), TAG, by="s")
    with writing(engine) as connection:
        for number in range(1_100):
            connection.execute(
                text("UPDATE catalog_version SET version = version + 1, stamp = :stamp"),
                {"stamp": f"stamp {number}"},
            )
        kept = connection.execute(select(func.count()).select_from(catalog_changes)).scalar_one()
    assert kept == 1_001
    assert listed(catalog) == listed(fresh(engine))


# ---- what is unclear


def _hole(engine: Engine, version: int) -> None:
    with writing(engine) as connection:
        connection.execute(text("DELETE FROM catalog_changes WHERE version = :v"), {"v": version})


def _other_history(engine: Engine, version: int) -> None:
    with writing(engine) as connection:
        connection.execute(text("UPDATE catalog_version SET stamp = 'restored'"))
        connection.execute(text("DELETE FROM catalog_changes WHERE kind <> 'version'"))


def _unknown_kind(engine: Engine, version: int) -> None:
    with writing(engine) as connection:
        connection.execute(
            text("UPDATE catalog_changes SET kind = 'odd' WHERE version = :v AND kind = 'dataset'"),
            {"v": version},
        )


def _gone(engine: Engine, version: int) -> None:
    with writing(engine) as connection:
        connection.execute(text("DELETE FROM catalog_version"))
        connection.execute(text("DELETE FROM catalog_changes"))
        connection.execute(
            text("INSERT INTO catalog_version (id, version, stamp) VALUES (1, :v, 'again')"),
            {"v": version + 1},
        )


@pytest.mark.parametrize("later", [True, False])
@pytest.mark.parametrize("unclear", [_hole, _other_history, _unknown_kind, _gone])
def test_what_is_unclear_is_read_anew(
    steward: Catalog,
    engine: Engine,
    unclear: Callable[[Engine, int], None],
    later: bool,
) -> None:
    """A missing version, another past, an unknown change: nothing that was kept stands."""
    catalog = fresh(engine)
    catalog.list_facts(ADA)
    catalog.facts(TABLE, ADA)
    catalog.rights(ADA)
    steward.datasets.assign_tag(TABLE, ("id",), TAG, by="s")
    unclear(engine, steward.version())
    if later:
        steward.tags.create(TagName("x", "later"), by="s")
    new = fresh(engine)
    assert listed(catalog) == listed(new)
    assert catalog.facts(TABLE, ADA) == new.facts(TABLE, ADA)
    (tagged,) = (f.dataset for f in catalog.list_facts(ADA) if f.name == TABLE)
    assert tagged is not None
    assert tagged.columns[0].tags == {TAG}


def test_a_change_that_fails_is_none(steward: Catalog, engine: Engine) -> None:
    """What is rolled back leaves neither a version nor a word of it."""
    catalog = fresh(engine)
    before = catalog.list_facts(ADA)
    with pytest.raises(ZeroDivisionError):
        _change_and_fail(engine)
    assert catalog.list_facts(ADA) is before


def _change_and_fail(engine: Engine) -> None:
    with changing(engine) as connection:
        connection.execute(text("DELETE FROM tag_assignments"))
        connection.execute(text("DELETE FROM datasets"))
        raise ZeroDivisionError


# ---- the journal by itself


def _version(number: int) -> Version:
    return Version(number, f"s{number}")


def _noted(numbers: Iterable[int]) -> list[tuple[int, str, str, str]]:
    """Rows of versions, each of which changed a dataset of its number."""
    begun = [(n, "version", "", f"s{n - 1}") for n in numbers]
    return [*begun, *((n, "dataset", "d", f"t{n}") for n in numbers)]


def _changed(*numbers: int) -> Changes:
    return Changes(datasets=frozenset(DatasetName("d", f"t{n}") for n in numbers))


def test_the_journal_knows_each_step() -> None:
    """Between any two versions on the way it says what changed; backwards and beyond, nothing."""
    journal = Journal()
    journal.note(_version(3), [])
    journal.note(_version(6), _noted(range(4, 7)))
    journal.note(_version(5), [])
    assert journal.known == 6
    assert journal.between(_version(3), _version(6)) == _changed(4, 5, 6)
    assert journal.between(_version(4), _version(5)) == _changed(5)
    assert journal.between(_version(5), _version(5)) == NOTHING
    for before, after in ((6, 3), (2, 6), (6, 7)):
        assert journal.between(_version(before), _version(after)) is None
    assert journal.between(Version(3, "other"), _version(6)) is None


@pytest.mark.parametrize(
    "rows",
    [
        _noted([5]),
        _noted([4, 6]),
        _noted([4, 5, 6]),
        [row for row in _noted([4, 5]) if row[1] != "version"],
        [(4, "version", "", "other"), (5, "version", "", "s4")],
        [*_noted([4, 5]), (5, "version", "", "s4")],
        [*_noted([4, 5]), (5, "odd", "", "")],
        [*_noted([4, 5]), *((5, "dataset", "d", f"n{n}") for n in range(5_000))],
    ],
)
def test_the_journal_begins_anew_where_it_lacks_a_step(
    rows: list[tuple[int, str, str, str]],
) -> None:
    """Missing, doubled, unknown, too many or of another past: then nothing is known from before."""
    journal = Journal()
    journal.note(_version(3), [])
    journal.note(_version(5), rows)
    assert journal.between(_version(3), _version(5)) is None
    journal.note(_version(6), _noted([6]))
    assert journal.between(_version(5), _version(6)) == _changed(6)


# ---- several at once


def test_lists_of_several_threads(steward: Catalog, engine: Engine, make_catalog: Make) -> None:
    """While another server changes it, a list has each dataset once; in the end, all is there."""
    reader, done = make_catalog(), threading.Event()
    ended: list[set[DatasetName]] = []

    def read() -> None:
        while not done.is_set():
            names = [f.name for f in reader.list_facts(ADA)]
            assert names == sorted({*names})
            assert reader.facts(TABLE, ADA).dataset is not None
        ended.append({f.name for f in reader.list_facts(ADA)})

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for number in range(15):
            name = DatasetName("d", f"n{number}")
            found = FoundDataset(name.name, Source(f"s3://lake/{name.name}", Format.CSV))
            steward.datasets.register(found, name, (Column("id", pa.int64(), "ID"),), by="s")
            if number % 2:
                steward.datasets.drop(name)
    finally:
        done.set()
        for thread in threads:
            thread.join(timeout=30)
    assert ended == [{f.name for f in fresh(engine).list_facts(ADA)}] * 3
