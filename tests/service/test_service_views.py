"""Views: by the grants of whoever wrote them, for whoever reads them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pyarrow as pa
import pytest

from privet.model.datasets import TagOrigin
from privet.model.errors import Conflict, InvalidRequest, NotFound, SourceInvalid, UnknownName
from privet.model.names import DatasetName, TagName
from query.platforms import Person, Place, open_place

ROWS = pa.table(
    {
        "id": [1, 2, 3, 4],
        "name": ["ada", "bob", "cid", "dan"],
        "phone": ["111", "222", "333", "444"],
        "city": ["x", "x", "y", "y"],
        "hide": [0, 0, 0, 1],
    }
)
TAGS = {"name": ["pii.name"], "phone": ["pii.phone"], "city": ["geo.city"]}
LENT = "GRANT SELECT ON TABLE base.people HAVING ATTRIBUTE NOT pii.phone WHERE hide = 0"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A platform, with the dataset `base.people`."""
    with open_place(tmp_path_factory.mktemp("views")) as place:
        place.dataset(ROWS, "base.people", TAGS)
        place.platform.catalog.databases.create("v", by="root")
        yield place


@pytest.fixture
def definer(place: Place) -> Iterator[Person]:
    """Who writes views: an administrator with a role that was granted a part."""
    role = place.role(place.admin)
    place.grant(LENT, role)
    yield replace(place.admin, role=role)
    place.platform.catalog.roles.drop(role)


def view(place: Place, by: Person, text: str) -> DatasetName:
    """A new view."""
    name = DatasetName("v", place.unique("view"))
    place.services.views.create(by.caller, name, text)
    return name


def scan(place: Place, person: Person, name: DatasetName) -> list[dict[str, object]]:
    """What a scan of it shows."""
    return place.scan(person, str(name)).to_pylist()


def tags(place: Place, name: DatasetName) -> dict[str, set[str]]:
    """The tags of each column."""
    columns = place.platform.catalog.datasets.get(name).columns
    return {c.name: set(map(str, c.tags | c.inner_tags)) for c in columns}


def test_readers_see_what_the_definer_may(place: Place, definer: Person) -> None:
    """Of rows and columns; the reader needs no right on what is behind, and has none."""
    name = view(place, definer, "SELECT id, upper(name) AS name FROM base.people")
    reader = place.person(f"GRANT SELECT ON TABLE {name}")
    assert scan(place, reader, name) == [
        {"id": 1, "name": "ADA"},
        {"id": 2, "name": "BOB"},
        {"id": 3, "name": "CID"},
    ]
    got = place.ask(reader, f"SELECT count(*), max(name) FROM {name} WHERE id < 3")
    assert got.rows == [(2, "BOB")]
    assert place.ask(reader, "SELECT * FROM base.people").code == NotFound.code


def test_a_view_has_grants_of_its_own(place: Place, definer: Person) -> None:
    """With filters and transforms over what comes out of it."""
    name = view(place, definer, "SELECT id, name, city FROM base.people")
    masked = place.person(
        f"GRANT SELECT ON TABLE {name} TRANSFORM pii.name WITH mask() WHERE city = 'x'"
    )
    assert scan(place, masked, name) == [
        {"id": 1, "name": "XXX", "city": "x"},
        {"id": 2, "name": "XXX", "city": "x"},
    ]
    assert place.ask(place.person(), f"SELECT * FROM {name}").code == NotFound.code


def test_nobody_lends_more_than_they_were_granted(place: Place, definer: Person) -> None:
    """An administrator neither."""
    for text in ("SELECT phone FROM base.people", "SELECT id FROM base.people WHERE phone = '1'"):
        with pytest.raises((NotFound, UnknownName)):
            view(place, definer, text)


def test_a_view_ends_with_the_right_of_its_definer(place: Place, definer: Person) -> None:
    """It is like an unknown name, in scans, in SQL and in lists; and comes back with the right."""
    name = view(place, definer, "SELECT id, city FROM base.people")
    reader = place.person(f"GRANT SELECT ON TABLE {name}")
    assert len(scan(place, reader, name)) == 3
    place.platform.catalog.roles.unmap_group(definer.role, "user:root")
    with pytest.raises(NotFound):
        scan(place, reader, name)
    assert place.ask(reader, f"SELECT * FROM {name}").code == NotFound.code
    assert name not in {v.dataset.name for v in place.services.datasets.list(reader.caller)}
    place.platform.catalog.roles.map_group(definer.role, "user:root")
    assert len(scan(place, reader, name)) == 3


def test_a_column_that_is_taken_from_the_definer_closes_the_view(
    place: Place, definer: Person
) -> None:
    """Also where only a condition needs it."""
    name = view(place, definer, "SELECT id FROM base.people WHERE city = 'x'")
    reader = place.person(f"GRANT SELECT ON TABLE {name}")
    assert len(scan(place, reader, name)) == 2
    place.safeguard("DENY SELECT ON TABLE base.people HAVING ATTRIBUTE geo.city", definer.role)
    with pytest.raises(NotFound):
        scan(place, reader, name)


def test_safeguards_of_the_reader_bind_behind_the_view(place: Place, definer: Person) -> None:
    """At the table: before the view computes."""
    name = view(place, definer, "SELECT count(*) AS n, min(name) AS first FROM base.people")
    reader = place.person(f"GRANT SELECT ON TABLE {name}")
    table = "RESTRICT SELECT ON TABLE base.people"
    place.safeguard(f"{table} WHERE id > 1", reader.role)
    place.safeguard(f"{table} TRANSFORM pii.name WITH mask()", reader.role)
    assert scan(place, reader, name) == [{"n": 2, "first": "XXX"}]
    other = place.person(f"GRANT SELECT ON TABLE {name}")
    assert scan(place, other, name) == [{"n": 3, "first": "ada"}]


def test_a_view_asks_about_its_reader(place: Place) -> None:
    """`user()` in the definer's grant is the reader."""
    role = place.role(place.admin)
    place.grant("GRANT SELECT ON TABLE base.people WHERE name = user()", role)
    place.grant("GRANT SELECT ON TABLE base.people WHERE id = 4 AND name = 'never'", role)
    name = DatasetName("v", place.unique("view"))
    place.services.views.create(place.admin.caller, name, "SELECT 1 AS one FROM base.people")
    for user, rows in (("bob", 1), ("eve", 0)):
        reader = place.person(f"GRANT SELECT ON TABLE {name}", user=user)
        assert len(scan(place, reader, name)) == rows
    place.platform.catalog.roles.drop(role)


def test_views_of_views(place: Place, definer: Person) -> None:
    """Each by its own definer's grants; the sandboxes do not wait for each other for ever."""
    first = view(place, definer, "SELECT id, city FROM base.people")
    place.grant(f"GRANT SELECT ON TABLE {first}", definer.role)
    second = view(place, definer, f"SELECT city, count(*) AS n FROM {first} GROUP BY city")
    place.grant(f"GRANT SELECT ON TABLE {second}", definer.role)
    third = view(place, definer, f"SELECT sum(n) AS n FROM {second} a JOIN {first} b USING (city)")
    reader = place.person(f"GRANT SELECT ON DATABASE {third.database}")
    for _ in range(4):
        assert scan(place, reader, third) == [{"n": 5}]
        got = place.ask(reader, f"SELECT t.n, s.* FROM {third} t, {second} s ORDER BY ALL")
        assert got.rows == [(5, "x", 2), (5, "y", 1)]
    assert not place.platform.askers._running


def test_cycles_are_refused(place: Place, definer: Person) -> None:
    """However long the way round."""
    first = view(place, definer, "SELECT id FROM base.people")
    place.grant(f"GRANT SELECT ON TABLE {first}", definer.role)
    second = view(place, definer, f"SELECT id FROM {first}")
    place.grant(f"GRANT SELECT ON TABLE {second}", definer.role)
    for name, text in ((first, f"SELECT id FROM {first}"), (first, f"SELECT id FROM {second}")):
        with pytest.raises(InvalidRequest, match="made of itself"):
            place.services.views.alter(definer.caller, name, text)


def test_cycles_by_renaming_are_refused(place: Place, definer: Person) -> None:
    """A view cannot come to have the name of something that it rests on."""
    base = place.dataset(ROWS, f"{place.unique('db')}.t").name
    place.grant(f"GRANT SELECT ON DATABASE {base.database}", definer.role)
    first = DatasetName(base.database, "first")
    place.services.views.create(definer.caller, first, "SELECT id FROM t")
    second = DatasetName(base.database, "second")
    place.services.views.create(definer.caller, second, "SELECT id FROM first")
    admin, execute = place.admin.caller, place.services.statements.execute
    execute(admin, f"ALTER TABLE {base} RENAME TO {base.database}.gone")
    with pytest.raises(InvalidRequest, match="made of itself"):
        execute(admin, f"ALTER TABLE {second} RENAME TO {base}")
    reader = place.person(f"GRANT SELECT ON DATABASE {base.database}")
    assert place.ask(reader, f"SELECT * FROM {first}").code == NotFound.code
    listed = {v.dataset.name.name for v in place.services.datasets.list(reader.caller)}
    assert listed & {"first", "second", "gone"} == {"gone"}


def test_views_that_share_what_is_behind_them(place: Place, definer: Person) -> None:
    """Each over the one before, twice: what is behind is decided about and read once."""
    name = DatasetName("base", "people")
    for _ in range(9):
        above = view(place, definer, f"SELECT a.id FROM {name} a, {name} b WHERE a.id = b.id")
        place.grant(f"GRANT SELECT ON TABLE {above}", definer.role)
        name = above
    reader = place.person(f"GRANT SELECT ON TABLE {name}")
    assert name in {v.dataset.name for v in place.services.datasets.list(reader.caller)}


PII, GEO = {"pii.name"}, {"geo.city"}
TRACED: dict[str, dict[str, set[str]]] = {
    "SELECT id, name, city FROM base.people": {"id": set(), "name": PII, "city": GEO},
    "SELECT id AS a, name || city AS b FROM base.people": {"a": set(), "b": PII | GEO},
    "SELECT id, city FROM base.people WHERE name <> 'x'": {"id": PII, "city": PII | GEO},
    "SELECT city, count(*) AS n FROM base.people GROUP BY city": {"city": GEO, "n": GEO},
    "SELECT max(name) AS m, count(*) AS n FROM base.people": {"m": PII, "n": set()},
    "SELECT a.id FROM base.people a JOIN base.people b ON a.name = b.name": {"id": PII},
    "SELECT id FROM base.people QUALIFY row_number() OVER (ORDER BY city) = 1": {"id": GEO},
    "SELECT name AS x FROM base.people UNION ALL SELECT city FROM base.people": {"x": PII | GEO},
    "SELECT (SELECT max(name) FROM base.people) AS top, id FROM base.people": {
        "top": PII,
        "id": set(),
    },
    "SELECT DISTINCT id, name FROM base.people": {"id": PII, "name": PII},
    "WITH w AS (SELECT name AS n, id FROM base.people) SELECT id FROM w": {"id": set()},
    "SELECT 1 AS one": {"one": set()},
    "SELECT id FROM base.people ORDER BY name LIMIT 1": {"id": PII},
    "FROM base.people SELECT id WHERE id IN (SELECT id FROM base.people WHERE city = 'x'); ": {
        "id": GEO
    },
}


@pytest.mark.parametrize("text", TRACED)
def test_tags_flow_by_lineage(place: Place, definer: Person, text: str) -> None:
    """A column has the tags of all that it is made of, and of all that decides about rows."""
    assert tags(place, view(place, definer, text)) == TRACED[text]


def test_tags_flow_when_they_change(place: Place, definer: Person) -> None:
    """On the table, at once and through views of views; a released tag stays away."""
    first = view(place, definer, "SELECT id AS number FROM base.people")
    place.grant(f"GRANT SELECT ON TABLE {first}", definer.role)
    second = view(place, definer, f"SELECT number + 1 AS next FROM {first}")
    assert tags(place, second) == {"next": set()}
    place.tags("pii.number", "pii.whole")
    number, whole = TagName("pii", "number"), TagName("pii", "whole")
    catalog = place.platform.catalog.datasets
    base = DatasetName("base", "people")
    catalog.assign_tag(base, ("id",), number, by="root")
    catalog.assign_tag(base, (), whole, by="root")
    assert tags(place, second) == {"next": {"pii.number", "pii.whole"}}
    place.services.tags.unassign(definer.caller, second, ("next",), number)
    assert tags(place, second) == {"next": {"pii.whole"}}
    assert tags(place, first) == {"number": {"pii.number", "pii.whole"}}
    with pytest.raises(NotFound):
        place.services.tags.unassign(definer.caller, second, ("next",), number)
    catalog.unassign_tag(base, ("id",), number)
    catalog.unassign_tag(base, (), whole)
    assert tags(place, first) == {"number": set()}


def test_lineage(place: Place, definer: Person) -> None:
    """Parents, tables at the bottom, and children."""
    first = view(place, definer, "SELECT id FROM base.people")
    place.grant(f"GRANT SELECT ON TABLE {first}", definer.role)
    second = view(place, definer, f"SELECT id FROM {first}")
    base = DatasetName("base", "people")
    found = place.services.views.lineage(definer.caller, first)
    assert (found.parents, found.tables, found.children) == ((base,), (base,), (second,))
    assert place.services.views.lineage(definer.caller, second).tables == (base,)
    assert first in place.services.views.lineage(definer.caller, base).children
    with pytest.raises(NotFound):
        place.services.views.lineage(place.person().caller, first)


def test_tags_of_lineage_are_not_written_down(place: Place, definer: Person) -> None:
    """An edit of the view's columns keeps the steward's own, and no copy of the others."""
    name = view(place, definer, "SELECT name FROM base.people WHERE city <> 'z'")
    place.tags("own.one")
    catalog = place.platform.catalog.datasets
    catalog.assign_tag(name, ("name",), TagName("own", "one"), by="root")
    dataset = catalog.get(name)
    catalog.update_columns(name, dataset.columns, by="root", expected_revision=dataset.revision)
    place.services.views.alter(definer.caller, name, "SELECT city AS name FROM base.people")
    (column,) = catalog.get(name).columns
    origins = {str(t.tag): t.origin for t in column.field_tags}
    assert origins == {"own.one": TagOrigin.MANUAL, "geo.city": TagOrigin.LINEAGE}


BAD: dict[str, type[Exception]] = {
    "SELECT id, id FROM base.people": InvalidRequest,
    "SELECT ? AS x": InvalidRequest,
    "EXPLAIN SELECT 1": InvalidRequest,
    'SELECT id AS "a b" FROM base.people': InvalidRequest,
    "SELECT nothing FROM base.people": UnknownName,
    "SELECT * FROM base.nothing": NotFound,
    "DROP TABLE base.people": InvalidRequest,
}


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_view(place: Place, definer: Person, text: str) -> None:
    """Refused when it is written."""
    with pytest.raises(BAD[text]):
        view(place, definer, text)


def test_names_are_taken_once(place: Place, definer: Person) -> None:
    """Views and tables share their names."""
    name = view(place, definer, "SELECT 1 AS one")
    with pytest.raises(Conflict):
        place.services.views.create(definer.caller, name, "SELECT 2 AS two")
    place.platform.catalog.datasets.drop(name)
    place.services.views.create(definer.caller, name, "SELECT 2 AS two")


def test_what_a_view_is_made_of_may_change(place: Place, definer: Person) -> None:
    """A column that is gone or of another type: a typed error without a value."""
    base = place.dataset(pa.table({"a": [1, 2], "b": ["x", "y"]})).name
    place.grant(f"GRANT SELECT ON TABLE {base}", definer.role)
    name = view(place, definer, f"SELECT a, b FROM {base}")
    reader = place.person(f"GRANT SELECT ON TABLE {name}")
    assert len(scan(place, reader, name)) == 2
    catalog = place.platform.catalog.datasets
    dataset = catalog.get(base)
    columns = tuple(replace(c, type=pa.string()) for c in dataset.columns)
    catalog.update_columns(base, columns, by="root", expected_revision=dataset.revision)
    got = place.ask(reader, f"SELECT * FROM {name}")
    assert got.code in {"schema_changed", "source_invalid"}
    assert got.error is not None
    assert str(base) not in got.error.message
    assert "column" not in got.error.message
    revision = catalog.get(base).revision
    catalog.update_columns(base, columns[1:], by="root", expected_revision=revision)
    assert place.ask(reader, f"SELECT * FROM {name}").code == NotFound.code
    catalog.drop(base)
    assert place.ask(reader, f"SELECT * FROM {name}").code == NotFound.code


def test_a_failing_view_says_nothing_of_rows(place: Place, definer: Person) -> None:
    """What its statement met is its definer's to know."""
    name = view(place, definer, "SELECT CAST(name AS INT) AS n FROM base.people")
    reader = place.person(f"GRANT SELECT ON TABLE {name}")
    with pytest.raises(SourceInvalid) as caught:
        scan(place, reader, name)
    said = f"{caught.value.message} {caught.value.hint}".lower()
    assert not any(word in said for word in ("ada", "cast"))


def test_each_decision_behind_a_view_is_on_record(place: Place, definer: Person) -> None:
    """As a child of the scan's, before anything is read."""
    name = view(place, definer, "SELECT id FROM base.people")
    reader = place.person(f"GRANT SELECT ON TABLE {name}")
    scan(place, reader, name)
    events = place.platform.audit.list_events(user=reader.user)
    (behind,) = (e for e in events if e.action == "view.read")
    (started,) = (e for e in events if e.action == "scan.start")
    assert (behind.parent, behind.object) == (started.id, "base.people")
    assert behind.permissions
    assert not behind.bypass


def test_an_admin_reads_a_view_as_it_is(place: Place, definer: Person) -> None:
    """The bypass ends at the view: behind it, its definer's grants count."""
    name = view(place, definer, "SELECT id FROM base.people")
    assert len(scan(place, place.admin, name)) == 3
