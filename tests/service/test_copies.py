"""Tables that are made of what somebody sees: what they hold, take along, and leave behind."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from privet.demo.objectstore import LAKE, ObjectStore
from privet.model.datasets import Dataset
from privet.model.errors import (
    Conflict,
    Forbidden,
    InvalidRequest,
    NotFound,
    PrivetError,
    SourceUnavailable,
    TypeMismatch,
)
from privet.model.names import DatasetName, TagName
from privet.policy import definitions, parse
from privet.service.statements.results import StatementResult
from query.platforms import Person, Place, open_place

PEOPLE = pa.table(
    {
        "id": [1, 2, 3, 4],
        "name": ["ada", "bob", "cid", "dot"],
        "phone": ["111", "222", "333", "444"],
        "region": ["eu", "eu", "us", None],
    }
)
TAGS = {"name": ["pii.name"], "phone": ["pii.phone"]}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A platform with `base.people`, a database for copies, and a root for their files."""
    folder = tmp_path_factory.mktemp("copying")
    roots = [str(folder / "lake" / "copies")]
    with open_place(folder, copy_roots=roots) as place:
        place.dataset(PEOPLE, "base.people", TAGS)
        place.platform.catalog.databases.create("c", by="root")
        yield place


def owner(place: Place, *grants: str) -> Person:
    """Somebody who may make tables."""
    return place.person(*grants, "GRANT CREATE_AS_OWNER ON DATABASE c")


def run(place: Place, person: Person, text: str) -> StatementResult:
    """Carry out a statement of the policy language."""
    return place.services.statements.execute(person.caller, text)


def copy(place: Place, person: Person, select: str, clauses: str = "") -> Dataset:
    """A new copy."""
    name = DatasetName("c", place.unique("copy"))
    run(place, person, f"CREATE TABLE {name} {clauses} AS {select}")
    return place.platform.catalog.datasets.get(name)


def tags_of(dataset: Dataset) -> dict[str, dict[str, bool]]:
    """The inherited tags of columns, with whether they are the whole column's."""
    return {c.name: {str(t.tag): len(t.path) == 1 for t in c.field_tags} for c in dataset.columns}


def files_of(dataset: Dataset) -> list[Path]:
    """All files in a copy's folder, hidden ones too."""
    folder = Path(dataset.source.uri.removeprefix("file://"))
    return sorted(folder.iterdir()) if folder.exists() else []


def find_files(place: Place, dataset: Dataset) -> list[str]:
    """The addresses of all files of a copy, wherever it lies."""
    try:
        return [info.uri for info in place.platform.connectors.walk(dataset.source.uri)]
    except NotFound:
        return []


def rows(place: Place, person: Person, name: object) -> list[dict[str, object]] | str:
    """What a scan shows, or the code of its error."""
    try:
        return place.scan(person, str(name)).to_pylist()
    except PrivetError as error:
        return error.code


def test_a_copy_holds_what_its_author_sees(place: Place) -> None:
    """Hidden columns, filtered rows and clear cells behind transforms are in no file of it."""
    author = owner(
        place,
        "GRANT SELECT ON TABLE base.people HAVING ATTRIBUTE NOT IN (pii.phone) "
        "TRANSFORM pii.name WITH mask() WHERE region = 'eu'",
    )
    made = copy(place, author, "SELECT * FROM base.people ORDER BY id")
    (file,) = files_of(made)
    assert pq.read_table(file).to_pylist() == [
        {"id": 1, "name": "XXX", "region": "eu"},
        {"id": 2, "name": "XXX", "region": "eu"},
    ]
    assert rows(place, author, made.name) == pq.read_table(file).to_pylist()


def test_it_tells_how_many_rows_were_written(place: Place) -> None:
    """The answer of the statement counts, also where there are none."""
    author = owner(place, "GRANT SELECT ON TABLE base.people")
    name = place.unique("copy")
    told = run(place, author, f"CREATE TABLE c.{name} AS SELECT id FROM base.people")
    assert told.message == f"4 rows written to c.{name}"
    empty = copy(place, author, "SELECT id, name FROM base.people WHERE id < 0")
    assert [c.name for c in empty.columns] == ["id", "name"]
    assert rows(place, author, empty.name) == []


def test_tags_go_along(place: Place) -> None:
    """Tags of what a column rests on are on the copy, at once and whoever reads."""
    author = owner(place, "GRANT SELECT ON TABLE base.people")
    made = copy(
        place,
        author,
        "SELECT name AS who, name || region AS mixed, id, count(*) OVER (PARTITION BY phone) AS n "
        "FROM base.people",
    )
    assert tags_of(made) == {
        "who": {"pii.name": True},
        "mixed": {"pii.name": False},
        "id": {},
        "n": {"pii.phone": True},
    }
    reader = place.person(f"GRANT SELECT ON TABLE {made.name} HAVING ATTRIBUTE NOT IN (pii.name)")
    assert place.scan(reader, str(made.name)).column_names == ["id", "n"]
    assert not made.domains


def test_tags_survive_edits_and_a_new_name(place: Place) -> None:
    """Reviewing, renaming columns or the table loses none of them."""
    author = owner(place, "GRANT SELECT ON TABLE base.people")
    made = copy(place, author, "SELECT id, phone FROM base.people")
    catalog = place.platform.catalog
    columns = [replace(c, name=f"new_{c.name}", field_tags=()) for c in made.columns]
    edited = catalog.datasets.update_columns(
        made.name, columns, by="root", expected_revision=made.revision
    )
    assert tags_of(edited) == {"new_id": {}, "new_phone": {"pii.phone": True}}
    to = DatasetName("c", place.unique("renamed"))
    assert tags_of(catalog.definitions.rename(made.name, to)) == tags_of(edited)


def test_a_steward_releases_a_tag(place: Place) -> None:
    """It is gone from that column for good, and on record as a release."""
    author = owner(place, "GRANT SELECT ON TABLE base.people")
    made = copy(place, author, "SELECT length(phone) AS n, phone FROM base.people")
    tag = TagName("pii", "phone")
    place.services.tags.unassign(place.admin.caller, made.name, ("n",), tag)
    after = place.platform.catalog.datasets.get(made.name)
    assert tags_of(after) == {"n": {}, "phone": {"pii.phone": True}}
    events = place.platform.audit.list_events(action="tag.release")
    assert str(made.name) in {event.object for event in events}


def test_unreviewed_columns_stay_unreviewed(place: Place) -> None:
    """Who may see them may copy them, and nobody sees the copy of them before a review."""
    base = place.dataset(PEOPLE, "base.fresh", TAGS)
    columns = [replace(c, reviewed=c.name != "phone") for c in base.columns]
    place.platform.catalog.datasets.update_columns(
        base.name, columns, by="root", expected_revision=base.revision
    )
    made = copy(place, place.admin, "SELECT id, phone, name || phone AS both FROM base.fresh")
    assert {c.name: c.reviewed for c in made.columns} == {
        "id": True,
        "phone": False,
        "both": False,
    }


def test_a_copy_is_its_authors(place: Place) -> None:
    """Who may only create as owner owns it; others know nothing of it."""
    author = owner(place, "GRANT SELECT ON TABLE base.people")
    made = copy(place, author, "SELECT * FROM base.people")
    stranger = place.person("GRANT SELECT ON TABLE base.people")
    assert rows(place, stranger, made.name) == "not_found"
    run(place, author, f"DROP TABLE {made.name}")
    assert not files_of(made)


def test_dropping_takes_its_own_files_and_no_others(place: Place) -> None:
    """The files of a copy go with it; what was written to a LOCATION stays."""
    admin = place.admin
    own = copy(place, admin, "SELECT 1 AS x")
    folder = place.lake / "copies" / place.unique("export")
    export = copy(place, admin, "SELECT 1 AS x", f"LOCATION '{folder}'")
    assert files_of(own)
    run(place, admin, f"DROP TABLE {own.name}")
    run(place, admin, f"DROP TABLE {export.name}")
    assert not files_of(own)
    assert files_of(export)


def test_dropping_a_database_takes_the_files_of_its_copies(place: Place) -> None:
    """With CASCADE they go like its tables."""
    run(place, place.admin, "CREATE DATABASE passing")
    run(place, place.admin, "CREATE TABLE passing.t AS SELECT 1 AS x")
    made = place.platform.catalog.datasets.get(DatasetName("passing", "t"))
    run(place, place.admin, "DROP DATABASE passing CASCADE")
    assert not files_of(made)


def test_insert_adds_rows_and_what_protects_them(place: Place) -> None:
    """Tags of the new rows are on the columns that they went into, by position."""
    author = owner(place, "GRANT SELECT ON TABLE base.people")
    made = copy(place, author, "SELECT id, region AS word FROM base.people WHERE id = 1")
    told = run(place, author, f"INSERT INTO {made.name} SELECT id, name FROM base.people")
    assert told.message == f"4 rows written to {made.name}"
    after = place.platform.catalog.datasets.get(made.name)
    assert tags_of(after) == {"id": {}, "word": {"pii.name": False}}
    assert len(files_of(after)) == 2
    assert len(rows(place, author, made.name)) == 5


@pytest.mark.parametrize(
    ("select", "error"),
    [
        ("SELECT id FROM base.people", InvalidRequest),
        ("SELECT name, id FROM base.people", TypeMismatch),
        ("SELECT id, nothing FROM base.people", PrivetError),
        ("SELECT id, name FROM base.nothing", NotFound),
    ],
)
def test_a_failing_insert_leaves_nothing(
    place: Place, select: str, error: type[PrivetError]
) -> None:
    """Neither rows nor files; and no message holds a value."""
    author = owner(place, "GRANT SELECT ON TABLE base.people")
    made = copy(place, author, "SELECT id, region FROM base.people")
    before = files_of(made)
    with pytest.raises(error) as told:
        run(place, author, f"INSERT INTO {made.name} {select}")
    assert files_of(made) == before
    assert "ada" not in f"{told.value} {told.value.hint}"
    assert len(rows(place, author, made.name)) == 4


def test_a_failing_copy_leaves_nothing(place: Place) -> None:
    """A statement that fails half-way leaves no table, and its name is free."""
    author = owner(place, "GRANT SELECT ON TABLE base.people")
    name = place.unique("copy")
    broken = f"CREATE TABLE c.{name} AS SELECT id, error('no') AS x FROM base.people"
    cast = f"CREATE TABLE c.{name} AS SELECT name::INTEGER AS x FROM base.people"
    for text in (broken, cast):
        with pytest.raises(PrivetError):
            run(place, author, text)
    leftovers = list((place.lake / "copies" / "c").rglob(f"{name}*/*"))
    assert not leftovers
    run(place, author, f"CREATE TABLE c.{name} AS SELECT 1 AS x")


def test_rights(place: Place) -> None:
    """Creating takes CREATE, a LOCATION also INSERT on it, adding rows INSERT on the table."""
    reader = place.person("GRANT SELECT ON TABLE base.people")
    with pytest.raises(PrivetError) as told:
        run(place, reader, "CREATE TABLE c.theirs AS SELECT * FROM base.people")
    assert told.type in {Forbidden, NotFound}
    author = owner(place, "GRANT SELECT ON TABLE base.people")
    folder = place.lake / "copies" / place.unique("export")
    text = f"CREATE TABLE c.{place.unique('copy')} LOCATION '{folder}' AS SELECT 1 AS x"
    with pytest.raises(PrivetError) as told:
        run(place, author, text)
    assert told.type in {Forbidden, NotFound}
    place.grant(f"GRANT INSERT ON URI 'file://{place.lake}/copies'", author.role)
    run(place, author, text)
    made = copy(place, author, "SELECT * FROM base.people")
    place.grant(f"GRANT SELECT ON TABLE {made.name}", reader.role)
    with pytest.raises(PrivetError) as told:
        run(place, reader, f"INSERT INTO {made.name} SELECT * FROM base.people")
    assert told.type in {Forbidden, NotFound}
    place.grant(f"GRANT INSERT ON TABLE {made.name}", reader.role)
    run(place, reader, f"INSERT INTO {made.name} SELECT * FROM base.people")


def test_where_copies_may_lie(place: Place) -> None:
    """Below the roots and in empty folders only."""
    for location in (place.lake / "elsewhere", place.lake / "copies", "/etc/copies", "s3://b/x"):
        with pytest.raises(InvalidRequest):
            copy(place, place.admin, "SELECT 1 AS x", f"LOCATION '{location}'")
    folder = place.lake / "copies" / place.unique("taken")
    folder.mkdir(parents=True)
    (folder / "x.txt").write_text("mine")
    with pytest.raises(Conflict):
        copy(place, place.admin, "SELECT 1 AS x", f"LOCATION '{folder}'")
    assert (folder / "x.txt").read_text() == "mine"
    link = place.lake / "copies" / place.unique("link")
    link.symlink_to(place.lake)
    with pytest.raises(InvalidRequest):
        copy(place, place.admin, "SELECT 1 AS x", f"LOCATION '{link}/x'")


def test_files_that_others_write_are_not_added_to(place: Place) -> None:
    """INSERT is for copies."""
    with pytest.raises(InvalidRequest, match="somebody else writes"):
        run(place, place.admin, "INSERT INTO base.people SELECT * FROM base.people")


def test_a_server_without_roots_has_no_copies(tmp_path: Path) -> None:
    """It says which setting would give it some."""
    with open_place(tmp_path) as place:
        place.platform.catalog.databases.create("c", by="root")
        with pytest.raises(InvalidRequest) as told:
            run(place, place.admin, "CREATE TABLE c.t AS SELECT 1 AS x")
        assert "copy_roots" in told.value.hint


def test_every_type_is_kept_or_refused(place: Place) -> None:
    """What is read from a copy is what was written; what files cannot hold is refused by name."""
    kept = copy(
        place,
        place.admin,
        "SELECT 1::TINYINT a, 2::UBIGINT b, 1.5::DECIMAL(30, 4) c, DATE '2020-02-03' d, "
        "TIMESTAMP '2020-02-03 04:05:06.123456' e, TIMESTAMP_S '2020-02-03 04:05:06' f, "
        "[1, 2] g, {'x': 1, 'y': 'z'} h, 'x'::BLOB i, NULL j, TIME '01:02:03' k, true l, 1e300 m",
    )
    table = place.scan(place.admin, str(kept.name))
    assert table.num_rows == 1
    assert table.column("c").to_pylist()[0].as_tuple().exponent == -4
    assert [c.type for c in kept.columns] == list(table.schema.types)
    with pytest.raises(InvalidRequest, match="`x`"):
        copy(place, place.admin, "SELECT INTERVAL 1 DAY AS x")


def test_large_answers_are_in_groups(place: Place) -> None:
    """An answer of many batches is one file of large groups."""
    made = copy(place, place.admin, "SELECT range AS n FROM range(300000)")
    (file,) = files_of(made)
    metadata = pq.read_metadata(file)
    assert metadata.num_rows == 300_000
    assert metadata.num_row_groups <= 4


def test_a_copy_is_a_query_on_record(place: Place) -> None:
    """The act, and the query with its decisions and its end, are in the audit."""
    author = owner(place, "GRANT SELECT ON TABLE base.people")
    made = copy(place, author, "SELECT id FROM base.people")
    mine = place.platform.audit.list_events(user=author.user)
    assert {"table.copy", "query.start", "query.end"} <= {e.action for e in mine}
    (end,) = [e for e in mine if e.action == "query.end"]
    assert end.rows_returned == 4
    assert str(made.name) in {e.object for e in mine if e.action == "table.copy"}


def test_what_is_shown_of_a_copy(place: Place) -> None:
    """Its lineage, and a statement that would make such a table with its tags written down."""
    author = owner(place, "GRANT SELECT ON TABLE base.people")
    made = copy(place, author, "SELECT name, phone || name AS both FROM base.people")
    lineage = place.services.views.lineage(place.admin.caller, made.name)
    assert lineage.parents == (DatasetName("base", "people"),)
    below = place.services.views.lineage(place.admin.caller, DatasetName("base", "people"))
    assert made.name in below.children
    ((text,),) = run(place, place.admin, f"SHOW CREATE TABLE {made.name}").rows
    assert "`name` string ATTRIBUTE pii.name" in text
    assert "`both` string ATTRIBUTE pii.name pii.phone" in text


def test_rows_are_added_by_several_at_once(place: Place) -> None:
    """Nobody's rows are lost, and nobody has to ask again."""
    author = owner(place, "GRANT SELECT ON TABLE base.people")
    made = copy(place, author, "SELECT id, region FROM base.people")
    added = f"INSERT INTO {made.name} SELECT id, name FROM base.people"
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: run(place, author, added), range(6)))
    assert len(rows(place, author, made.name)) == 28


def test_a_copy_that_was_dropped_meanwhile_gets_no_rows(place: Place) -> None:
    """Files that were written for it are gone with it."""
    author = owner(place, "GRANT SELECT ON TABLE base.people")
    made = copy(place, author, "SELECT id FROM base.people")
    wanted = parse(f"INSERT INTO {made.name} SELECT id FROM base.people")
    assert isinstance(wanted, definitions.Insert)
    extend = place.platform.catalog.definitions.extend_copy

    def dropped(*args: Any, **options: Any) -> Dataset:
        run(place, place.admin, f"DROP TABLE {made.name}")
        return extend(*args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(place.platform.catalog.definitions, "extend_copy", dropped)
        with pytest.raises(NotFound):
            place.services.copies.insert(author.caller, wanted)
    assert not files_of(made)


@pytest.mark.service
def test_copies_lie_in_object_stores(seaweed: ObjectStore, tmp_path: Path) -> None:
    """Rows are written to a real S3 server, added to, read back, and removed with the table."""
    keys = {
        "endpoint": seaweed.endpoint,
        "access_key": seaweed.platform.access_key,
        "secret_key": seaweed.platform.secret_key,
    }
    root = f"s3://{LAKE}/copies"
    with open_place(tmp_path, copy_roots=[root], s3=[keys]) as place:
        place.platform.catalog.databases.create("c", by="root")
        made = copy(place, place.admin, "SELECT range AS n FROM range(1000)")
        run(place, place.admin, f"INSERT INTO {made.name} SELECT 1")
        assert len(rows(place, place.admin, made.name)) == 1001
        assert made.source.uri.startswith(f"{root}/c/")
        run(place, place.admin, f"DROP TABLE {made.name}")
        assert not find_files(place, made)


@pytest.mark.service
def test_a_store_that_refuses_writing_leaves_no_table(seaweed: ObjectStore, tmp_path: Path) -> None:
    """An identity that may only read cannot hold copies, and is told so."""
    keys = {
        "endpoint": seaweed.endpoint,
        "access_key": seaweed.reader.access_key,
        "secret_key": seaweed.reader.secret_key,
    }
    with open_place(tmp_path, copy_roots=[f"s3://{LAKE}/copies"], s3=[keys]) as place:
        place.platform.catalog.databases.create("c", by="root")
        with pytest.raises(SourceUnavailable, match="access was denied"):
            run(place, place.admin, "CREATE TABLE c.t AS SELECT 1 AS x")
        assert not place.platform.catalog.datasets.list()
