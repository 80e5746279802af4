"""The original's rule for tags of views: there for its own tests, and no setting leads to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from privet.catalog import Catalog, LineageRule
from privet.model.datasets import Dataset
from privet.model.errors import ConfigurationInvalid
from privet.model.names import DatasetName, TagName
from privet.policy import from_json, to_json
from privet.server.settings import Settings
from privet.store import open_engine
from query.platforms import Person, Place, open_place

T = pa.table({"id": [1, 2], "phone": ["111", "222"], "city": ["x", "y"]})
U = pa.table({"id": [1, 2], "mail": ["a", "b"]})
STATEMENTS: dict[str, tuple[str, dict[str, str]]] = {
    "all": ("SELECT * FROM p.t", {"phone": "pii.phone", "city": "geo.city"}),
    "exchanged": (
        "SELECT phone AS city, city AS phone FROM p.t WHERE id > 1 ORDER BY id LIMIT 5",
        {"phone": "geo.city", "city": "pii.phone"},
    ),
    "joined": (
        "SELECT a.phone, u.mail, city FROM p.t a JOIN p.u u ON a.id = u.id",
        {"phone": "pii.phone", "mail": "pii.mail", "city": "geo.city"},
    ),
    "joined by name": (
        "SELECT * FROM p.t JOIN p.u USING (id)",
        {"phone": "pii.phone", "mail": "pii.mail", "city": "geo.city"},
    ),
    "of one of two": (
        "SELECT b.*, a.city AS c FROM p.t a, p.u b",
        {"mail": "pii.mail", "c": "geo.city"},
    ),
    "within": (
        "WITH w(x) AS (SELECT phone FROM p.t) SELECT y, w.x FROM w, (FROM p.u UNION FROM p.u) s(y)",
        {"x": "pii.phone"},
    ),
    "without some": ("SELECT * EXCLUDE (city) FROM p.t AS q(a, b)", {"b": "pii.phone"}),
    "computed": ("SELECT upper(phone) AS phone, city FROM p.t", {"city": "geo.city"}),
    "counted": ("SELECT phone, count(*) AS n FROM p.t GROUP BY phone", {}),
    "united": ("SELECT phone FROM p.t UNION ALL SELECT phone FROM p.t", {}),
    "replaced": ("SELECT * REPLACE ('x' AS phone) FROM p.t", {}),
    "of a view": ("SELECT number AS n FROM p.numbers", {"n": "pii.phone"}),
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("plain")


@pytest.fixture(scope="module")
def place(root: Path) -> Iterator[Place]:
    """A usual server with two tables in a database; the database and a table have tags too."""
    with open_place(root) as place:
        place.dataset(T, "p.t", {"phone": ["pii.phone"], "city": ["geo.city"]})
        place.dataset(U, "p.u", {"mail": ["pii.mail"]})
        place.tags("of.table", "of.database")
        catalog = place.platform.catalog
        catalog.datasets.assign_tag(DatasetName("p", "t"), (), TagName("of", "table"), by="s")
        catalog.databases.assign_tag("p", TagName("of", "database"), by="s")
        catalog.databases.create("v", by="s")
        yield place


@pytest.fixture(scope="module")
def definer(place: Place) -> Person:
    """Somebody who may write views; with one in the tables' database."""
    person = place.person(
        "GRANT SELECT ON DATABASE p",
        "GRANT CREATE_AS_OWNER ON DATABASE p",
        "GRANT CREATE_AS_OWNER ON DATABASE v",
    )
    numbers = DatasetName("p", "numbers")
    place.services.views.create(person.caller, numbers, "SELECT phone AS number FROM p.t")
    return person


@pytest.fixture(scope="module")
def plain(root: Path, definer: Person) -> Iterator[Catalog]:
    """The same store, as a server for the original's tests reads it."""
    del definer
    engine = open_engine(f"sqlite:///{root / 'state' / 'privet.db'}")
    yield Catalog(engine, to_json, from_json, lineage=LineageRule.PLAIN)
    engine.dispose()


def tags(dataset: Dataset | None) -> dict[str, set[str]]:
    """The tags of columns that have some."""
    assert dataset is not None
    found = {c.name: {str(t) for t in c.tags | c.inner_tags} for c in dataset.columns}
    return {name: held for name, held in found.items() if held}


@pytest.mark.parametrize("what", STATEMENTS)
def test_tags_go_on_where_a_column_is_one_of_a_table(
    what: str, place: Place, definer: Person, plain: Catalog
) -> None:
    """A column as it is keeps its own tags, through views and joins; nothing else has any.

    A usual server reads more from the same store: the tags of all that each column rests on.
    """
    statement, expected = STATEMENTS[what]
    name = DatasetName("v", place.unique("view"))
    place.services.views.create(definer.caller, name, statement)
    wanted = {column: {tag} for column, tag in expected.items()}
    assert tags(plain.datasets.find(name)) == wanted
    snapshot = {d.name: d for d in plain.snapshot().datasets}
    assert tags(snapshot[name]) == wanted

    whole = tags(place.platform.catalog.datasets.find(name))
    for column, held in wanted.items():
        assert held < whole[column]
    assert "of.database" in set[str]().union(*whole.values())


def test_a_tag_released_stays_off(place: Place, definer: Person, plain: Catalog) -> None:
    """Releasing takes off what goes on, by either rule."""
    name = DatasetName("v", place.unique("view"))
    place.services.views.create(definer.caller, name, "SELECT phone FROM p.t")
    place.platform.catalog.datasets.release_tag(name, "phone", TagName("pii", "phone"))
    assert tags(plain.datasets.find(name)) == {}


def test_a_tag_put_on_later_goes_on(place: Place, definer: Person, plain: Catalog) -> None:
    """Tags are looked for when they are asked for, not when a view is written."""
    place.tags("late.tag")
    table = place.dataset(T, f"p.{place.unique('late')}").name
    name = DatasetName("v", place.unique("view"))
    place.services.views.create(definer.caller, name, f"SELECT id FROM {table}")
    reader = place.platform.identity.authenticate(definer.caller.credentials)
    assert tags(plain.facts(name, reader).dataset) == {}
    late = TagName("late", "tag")
    place.platform.catalog.datasets.assign_tag(table, ("id",), late, by="s")
    assert tags(plain.facts(name, reader).dataset) == {"id": {"late.tag"}}


@pytest.mark.parametrize("setting", ["lineage", "compatibility"])
def test_no_setting_leads_to_it(setting: str, tmp_path: Path) -> None:
    """A server that is started by its settings has the other rule."""
    with pytest.raises(ConfigurationInvalid):
        Settings.load(None, state_dir=tmp_path, **{setting: "plain"})


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("SELECT spot FROM {0}", {"spot.geo": "pii.geo", "spot.geo.lat": "pii.lat"}),
        ("SELECT spot.geo AS g, id FROM {0}", {"g": "pii.geo", "g.lat": "pii.lat"}),
        ("SELECT x.spot.geo.lat, x.spot.town FROM {0} x", {"lat": "pii.lat"}),
        ("SELECT g.lat AS l FROM (SELECT spot.geo AS g FROM {0})", {"l": "pii.lat"}),
        ("SELECT spot.geo.lat + 1 AS l FROM {0}", {}),
        ("SELECT spot.geo.lat FROM {0} spot", {"lat": "pii.lat"}),
        ("SELECT id FROM {0}", {}),
    ],
)
def test_tags_of_fields_go_on_with_them(
    statement: str, expected: dict[str, str], place: Place, definer: Person, plain: Catalog
) -> None:
    """A field as it is keeps its own tags and those inside it; in doubt what it is, it has none."""
    place.tags("pii.geo", "pii.lat")
    row = {"id": 1, "spot": {"town": "x", "geo": {"lat": 1}}}
    table = place.dataset(pa.Table.from_pylist([row]), f"p.{place.unique('nested')}").name
    catalog = place.platform.catalog.datasets
    catalog.assign_tag(table, ("spot", "geo"), TagName("pii", "geo"), by="s")
    catalog.assign_tag(table, ("spot", "geo", "lat"), TagName("pii", "lat"), by="s")
    name = DatasetName("v", place.unique("view"))
    place.services.views.create(definer.caller, name, statement.format(table))
    found = plain.datasets.find(name)
    assert found is not None
    told = {".".join(t.path): str(t.tag) for c in found.columns for t in c.field_tags}
    assert told == expected
