"""Tags on the way through a view: none gets lost, and none opens what it should protect."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pytest

from privet.model.edits import ColumnEdit
from privet.model.errors import PrivetError
from privet.model.names import DatasetName, TagName
from query.platforms import Person, Place, open_place

PEOPLE = pa.table(
    {
        "id": [1, 2],
        "name": ["ada", "bob"],
        "phone": ["111", "222"],
        "city": ["x", "y"],
    }
)
TAGS = {"name": ["pii.name"], "phone": ["pii.phone"], "city": ["geo.city"]}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A platform with `base.people`, and a database for views."""
    with open_place(tmp_path_factory.mktemp("lineage")) as place:
        place.dataset(PEOPLE, "base.people", TAGS)
        place.platform.catalog.databases.create("v", by="root")
        yield place


def writer(place: Place, *grants: str) -> Person:
    """Somebody who may write views."""
    return place.person(*grants, "GRANT CREATE_AS_OWNER ON DATABASE v")


def view(place: Place, by: Person, text: str) -> DatasetName:
    """A new view."""
    name = DatasetName("v", place.unique("view"))
    place.services.views.create(by.caller, name, text)
    return name


def cells(place: Place, person: Person, name: DatasetName) -> str:
    """All that a scan says, an error too."""
    try:
        return str(place.scan(person, str(name)).to_pylist())
    except PrivetError as error:
        return f"{error.code} {error.message}"


SWITCHES = {
    "the clock": "current_date < DATE '2099-01-01'",
    "the moment": "now() < TIMESTAMPTZ '2099-01-01'",
    "the reader's key": "tokenize('abc') = '{own}'",
    "the engine": "version() <> 'v0'",
}


@pytest.mark.parametrize("switch", SWITCHES)
def test_what_is_not_the_same_each_time_is_no_constant(place: Place, switch: str) -> None:
    """Planning folds these into constants, and drops the branch that a later reading takes.

    With `tokenize` it is now: the definer's own token is a constant while the view is traced, and
    for every reader the other branch is the answer.
    """
    definer = writer(place, "GRANT SELECT ON TABLE base.people")
    own = place.ask(definer, "SELECT tokenize('abc')").rows[0][0]
    condition = SWITCHES[switch].format(own=own)
    name = view(
        place,
        definer,
        f"SELECT CASE WHEN {condition} THEN id::VARCHAR ELSE phone END AS x FROM base.people",
    )
    (column,) = place.platform.catalog.datasets.get(name).columns
    assert "pii.phone" in map(str, column.tags | column.inner_tags)
    reader = place.person(f"GRANT SELECT ON TABLE {name} HAVING ATTRIBUTE NOT pii.phone")
    assert "111" not in cells(place, reader, name)


@pytest.mark.parametrize("text", ["to_json(p)::VARCHAR", "p::VARCHAR", "hash(p)"])
def test_a_view_reads_the_columns_that_it_was_traced_with(place: Place, text: str) -> None:
    """A column that its definer sees only since then is in no view of theirs without its tag."""
    definer = writer(place, "GRANT SELECT(id, city) ON TABLE base.people")
    name = view(place, definer, f"SELECT ({text})::VARCHAR AS x FROM base.people p")
    reader = place.person(f"GRANT SELECT ON TABLE {name} HAVING ATTRIBUTE NOT pii.phone")
    before = cells(place, reader, name)
    place.grant("GRANT SELECT(phone) ON TABLE base.people", definer.role)
    after = cells(place, reader, name)
    tags = place.platform.catalog.datasets.get(name).columns[0].tags
    assert after == before or "pii.phone" in map(str, tags)
    assert "111" not in after


def test_natural_joins_stay_as_they_were_traced(place: Place) -> None:
    """A column that both sides have since then would decide about rows, without its tag."""
    left = place.dataset(pa.table({"id": [1, 2], "ssn": ["7", "8"]}), tags={"ssn": ["pii.ssn"]})
    right = place.dataset(pa.table({"id": [1, 2], "ssn": ["7", "0"]}), tags={"ssn": ["pii.ssn"]})
    definer = writer(
        place, f"GRANT SELECT(id) ON TABLE {left.name}", f"GRANT SELECT(id) ON TABLE {right.name}"
    )
    name = view(place, definer, f"SELECT id FROM {left.name} NATURAL JOIN {right.name}")
    reader = place.person(f"GRANT SELECT ON TABLE {name} HAVING ATTRIBUTE NOT pii.ssn")
    assert cells(place, reader, name) == "[{'id': 1}, {'id': 2}]"
    for dataset in (left, right):
        place.grant(f"GRANT SELECT(ssn) ON TABLE {dataset.name}", definer.role)
    assert cells(place, reader, name) != "[{'id': 1}]"


def test_a_tag_on_one_part_says_nothing_in_favour_of_another(place: Place) -> None:
    """As with fields inside a column: what grants goes by tags that all of it has.

    Who writes the view has no right to put `geo.city` on anything.
    """
    definer = writer(place, "GRANT SELECT ON TABLE base.people")
    reader = place.person("GRANT SELECT ON DATABASE v HAVING ATTRIBUTE geo.city")
    for text in (
        "SELECT phone AS x FROM base.people WHERE city = 'x' OR city <> 'x'",
        "SELECT phone || city AS x FROM base.people",
    ):
        assert "111" not in cells(place, reader, view(place, definer, text))


def test_a_tag_inside_a_column_grants_no_more_through_a_view(place: Place) -> None:
    """It does not grant the column on the table either."""
    rows = pa.table({"p": [{"city": "x", "secret": "S3CRET"}]})
    base = place.dataset(rows, f"v.{place.unique('nested')}")
    place.platform.catalog.datasets.assign_tag(
        base.name, ("p", "city"), TagName("geo", "city"), by="root"
    )
    definer = writer(place, f"GRANT SELECT ON TABLE {base.name}")
    reader = place.person("GRANT SELECT ON DATABASE v HAVING ATTRIBUTE geo.city")
    assert "S3CRET" not in cells(place, reader, base.name)
    name = view(place, definer, f"SELECT p FROM {base.name}")
    assert "S3CRET" not in cells(place, reader, name)


def test_lineage_admits_to_no_token_domain(place: Place) -> None:
    """Else whoever writes a view has values of their own tokenized as the table's are.

    The attacker sees tokens of `mrn` only, and owns a view: a dictionary of the table's tokens.
    """
    place.tags("phi.mrn")
    rows = pa.table({"mrn": ["12345678", "87654321"]})
    base = place.dataset(rows, tags={"mrn": ["phi.mrn"]}).name
    attacker = writer(place, f"GRANT SELECT ON TABLE {base} TRANSFORM phi.mrn WITH tokenize()")
    everywhere = "RESTRICT SELECT ON DATABASE v HAVING ATTRIBUTE phi.mrn"
    place.safeguard(f"{everywhere} TRANSFORM phi.mrn WITH tokenize()", attacker.role)
    name = view(
        place,
        attacker,
        "SELECT '1234567' || v AS guess FROM range(10) t(v) "
        f"WHERE EXISTS (SELECT 1 FROM {base} WHERE mrn IS NOT NULL)",
    )
    revision = place.platform.catalog.datasets.get(name).revision
    place.services.datasets.update_columns(
        attacker.caller, name, {"guess": ColumnEdit(comment="mine")}, revision
    )
    tokens = set(place.scan(attacker, str(base)).column("mrn").to_pylist())
    guesses = set(place.scan(attacker, str(name)).column("guess").to_pylist())
    assert not place.platform.catalog.datasets.get(name).domains
    assert not tokens & guesses


def test_a_column_that_is_not_read_is_not_computed(place: Place) -> None:
    """What it meets would be an answer about cells that the column's tags keep from the reader."""
    definer = writer(place, "GRANT SELECT ON TABLE base.people")
    name = view(
        place,
        definer,
        "SELECT id, CASE WHEN name = 'ada' THEN error('x')::VARCHAR END AS e FROM base.people",
    )
    reader = place.person(f"GRANT SELECT ON TABLE {name} HAVING ATTRIBUTE NOT pii.name")
    assert cells(place, reader, name) == "[{'id': 1}, {'id': 2}]"
