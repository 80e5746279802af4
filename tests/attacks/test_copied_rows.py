"""Copying is no way around what protects the rows."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pytest

from privet.model.errors import PrivetError
from privet.model.names import DatasetName
from query.platforms import Person, Place, open_place

PEOPLE = pa.table(
    {
        "id": [1, 2, 3, 4],
        "name": ["ada", "bob", "cid", "dot"],
        "region": ["eu", "eu", "us", None],
    }
)
TAGS = {"name": ["pii.name"], "region": ["geo.region"]}


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A platform with `base.people`, a database for copies, and a root for their files."""
    folder = tmp_path_factory.mktemp("copying")
    with open_place(folder, copy_roots=[str(folder / "lake" / "copies")]) as place:
        place.dataset(PEOPLE, "base.people", TAGS)
        place.platform.catalog.databases.create("c", by="root")
        yield place


def copy(place: Place, person: Person, select: str) -> DatasetName:
    """A new copy, that everybody whom nothing hinders may read."""
    name = DatasetName("c", place.unique("copy"))
    place.services.statements.execute(person.caller, f"CREATE TABLE {name} AS {select}")
    run(place, f"GRANT SELECT ON TABLE {name} TO ROLE public_role")
    return name


def run(place: Place, text: str) -> None:
    """Carry out a statement as an administrator."""
    place.services.statements.execute(place.admin.caller, text)


def seen(place: Place, person: Person, name: object) -> object:
    """What a scan shows, by column, or the code of its error."""
    try:
        return place.scan(person, str(name)).to_pydict()
    except PrivetError as error:
        return error.code


def bound(place: Place, *safeguards: str) -> Person:
    """Somebody whom safeguards bind."""
    person = place.person()
    for each in safeguards:
        run(place, f"{each} FROM ROLE {person.role}")
    return person


def test_denials_bind_on_copies(place: Place) -> None:
    """Whom a table denies a tag, its copies deny it too, also under another name."""
    person = bound(place, "DENY SELECT ON TABLE base.people HAVING ATTRIBUTE pii.name")
    name = copy(place, place.admin, "SELECT id, upper(name) AS harmless, region FROM base.people")
    assert list(seen(place, person, name)) == ["id", "region"]


def test_a_safeguard_of_tomorrow_binds_on_copies_of_today(place: Place) -> None:
    """They are what is stored when somebody reads, not what was when somebody copied."""
    name = copy(place, place.admin, "SELECT id, name FROM base.people")
    person = bound(place)
    assert list(seen(place, person, name)) == ["id", "name"]
    run(place, f"DENY SELECT ON DATABASE base HAVING ATTRIBUTE pii.name FROM ROLE {person.role}")
    assert list(seen(place, person, name)) == ["id"]


def test_rows_are_restricted_by_columns_that_were_copied(place: Place) -> None:
    """A filter over a column finds it under its new name."""
    person = bound(place, "RESTRICT SELECT ON TABLE base.people WHERE region = 'eu'")
    name = copy(place, place.admin, "SELECT id, region AS area FROM base.people")
    assert seen(place, person, name) == {"id": [1, 2], "area": ["eu", "eu"]}


@pytest.mark.parametrize(
    "select",
    [
        "SELECT id, name FROM base.people",
        "SELECT id, 'eu' AS region FROM base.people",
        "SELECT id, upper(region) AS region FROM base.people",
        "SELECT count(*) AS n, region FROM base.people GROUP BY region",
        "SELECT DISTINCT region FROM base.people",
        "SELECT p.id, q.region FROM base.people p JOIN base.people q ON p.id <> q.id",
        "SELECT id, region FROM base.people UNION ALL SELECT 3, 'eu'",
        "SELECT id, lag(region) OVER () AS region FROM base.people",
        "SELECT id, region FROM (SELECT id, 'eu' AS region FROM base.people)",
        "WITH people AS (SELECT id, 'eu' AS region FROM base.people) SELECT * FROM people",
        "SELECT id, name AS region, region AS name FROM base.people",
        "SELECT 'eu' AS region",
    ],
)
def test_a_copy_does_not_pretend_to_be_of_another_region(place: Place, select: str) -> None:
    """Where the filter's column is not in the copy row by row, it closes the copy."""
    person = bound(place, "RESTRICT SELECT ON TABLE base.people WHERE region = 'eu'")
    name = copy(place, place.admin, select)
    if "base.people" not in select:
        assert seen(place, person, name) == {"region": ["eu"]}
    elif "name AS region" in select:
        assert seen(place, person, name) == {
            "id": [1, 2],
            "region": ["ada", "bob"],
            "name": ["eu", "eu"],
        }
    else:
        assert seen(place, person, name) == "not_found"


def test_a_filter_is_not_asked_about_a_mask(place: Place) -> None:
    """What the author saw masked is no column that a filter could hold for."""
    author = place.person(
        "GRANT SELECT ON TABLE base.people TRANSFORM geo.region WITH mask()",
        "GRANT CREATE_AS_OWNER ON DATABASE c",
    )
    person = bound(place, "RESTRICT SELECT ON TABLE base.people WHERE region <> 'us'")
    name = copy(place, author, "SELECT id, region FROM base.people")
    assert seen(place, person, name) == "not_found"


def test_leniency_is_not_copied(place: Place) -> None:
    """A safeguard that passes over tables without its column does not pass over a copy of one."""
    person = bound(place)
    run(
        place,
        f"RESTRICT SELECT ON DATABASE base WHERE region = 'eu' FROM ROLE {person.role} "
        "POLICYPROPERTIES('missing_columns'='ignore')",
    )
    name = copy(place, place.admin, "SELECT id, name FROM base.people")
    assert seen(place, person, name) == "not_found"
    place.dataset(pa.table({"x": [1]}), "base.other")
    other = copy(place, place.admin, "SELECT x FROM base.other")
    assert seen(place, person, other) == {"x": [1]}


def test_a_column_is_not_found_by_a_tag_that_was_put_elsewhere(place: Place) -> None:
    """Which column `columns_with_attribute` means is settled where the rows came from."""
    person = bound(
        place,
        "RESTRICT SELECT ON TABLE base.people WHERE columns_with_attribute('geo.region') = 'eu'",
    )
    place.dataset(pa.table({"k": [1, 2, 3, 4], "where": ["eu"] * 4}), "base.fake",
                  {"where": ["geo.region"]})  # fmt: skip
    name = copy(
        place,
        place.admin,
        'SELECT p.id, p.name, f."where" FROM base.people p JOIN base.fake f ON p.id = f.k',
    )
    assert seen(place, person, name) == "not_found"
    plain = copy(place, place.admin, "SELECT region AS r, id FROM base.people")
    assert seen(place, person, plain) == {"r": ["eu", "eu"], "id": [1, 2]}


def test_copies_of_copies_and_of_views(place: Place) -> None:
    """However often it is copied, and through what: the safeguards of the first bind."""
    run(place, "GRANT SELECT ON TABLE base.people TO ROLE public_role")
    person = bound(
        place,
        "RESTRICT SELECT ON TABLE base.people WHERE region = 'eu'",
    )
    first = copy(place, place.admin, "SELECT id, region AS a FROM base.people")
    second = copy(place, place.admin, f"SELECT a AS b, id FROM {first}")
    assert seen(place, person, second) == {"b": ["eu", "eu"], "id": [1, 2]}
    third = copy(place, place.admin, f"SELECT max(id) AS m FROM {second}")
    assert seen(place, person, third) == "not_found"
    run(place, "CREATE VIEW c.v AS SELECT id, region FROM base.people")
    through = copy(place, place.admin, "SELECT id, region FROM c.v")
    assert seen(place, person, through) == "not_found"
    run(place, f"CREATE VIEW c.w AS SELECT a FROM {first}")
    run(place, "GRANT SELECT ON TABLE c.w TO ROLE public_role")
    assert seen(place, person, "c.w") == {"a": ["eu", "eu"]}
    behind = copy(place, place.admin, "SELECT a FROM c.w")
    assert seen(place, person, behind) == "not_found"


def test_a_safeguard_follows_a_table_to_its_new_name(place: Place) -> None:
    """Renaming what was copied leaves its copies as protected as before."""
    person = bound(place, "DENY SELECT ON TABLE base.people HAVING ATTRIBUTE pii.name")
    name = copy(place, place.admin, "SELECT id, name FROM base.people")
    run(place, "ALTER TABLE base.people RENAME TO base.folk")
    assert list(seen(place, person, name)) == ["id"]


def test_a_safeguard_outlives_its_table(place: Place) -> None:
    """Dropping what was copied leaves its copies as protected as before, or more."""
    person = bound(
        place,
        "RESTRICT SELECT ON TABLE base.people WHERE region = 'eu'",
    )
    tagged = bound(
        place,
        "RESTRICT SELECT ON TABLE base.people WHERE columns_with_attribute('geo.region') = 'eu'",
    )
    name = copy(place, place.admin, "SELECT id, region FROM base.people")
    run(place, "DROP TABLE base.people")
    assert seen(place, person, name) == {"id": [1, 2], "region": ["eu", "eu"]}
    assert seen(place, tagged, name) == "not_found"


def test_insert_brings_its_safeguards(place: Place) -> None:
    """A table that rows were added to is as protected as they are."""
    person = bound(place, "DENY SELECT ON TABLE base.people HAVING ATTRIBUTE pii.name")
    filtered = bound(place, "RESTRICT SELECT ON TABLE base.people WHERE region = 'eu'")
    name = copy(place, place.admin, "SELECT 0 AS id, 'nobody' AS word")
    assert seen(place, person, name) == {"id": [0], "word": ["nobody"]}
    run(place, f"INSERT INTO {name} SELECT id, name FROM base.people")
    ids = seen(place, person, name)
    assert isinstance(ids, dict)
    assert sorted(ids.pop("id")) == [0, 1, 2, 3, 4]
    assert not ids
    assert seen(place, filtered, name) == "not_found"


def test_objects_of_each_user_are_told_apart_on_copies(place: Place) -> None:
    """A safeguard on `${user}`'s own table binds on copies of that table, for that user."""
    place.platform.catalog.databases.create("home", by="root")
    person = place.person()
    place.dataset(PEOPLE, f"home.{person.user}", TAGS)
    other = place.person()
    run(
        place,
        "DENY SELECT ON TABLE home.`${user}` HAVING ATTRIBUTE pii.name FROM ROLE public_role",
    )
    name = copy(place, place.admin, f"SELECT id, name FROM home.{person.user}")
    assert list(seen(place, person, name)) == ["id"]
    assert list(seen(place, other, name)) == ["id", "name"]


def test_tokens_of_a_copy_are_its_own(place: Place) -> None:
    """Values of somebody's choice are not made into the tokens of others."""
    grant = "GRANT SELECT ON TABLE {} TRANSFORM pii.name WITH tokenize()"
    author = place.person(
        "GRANT SELECT ON TABLE base.people", "GRANT CREATE_AS_OWNER ON DATABASE c"
    )
    reader = place.person(grant.format("base.people"))
    name = DatasetName("c", place.unique("copy"))
    text = f"CREATE TABLE {name} AS SELECT id, name FROM base.people"
    place.services.statements.execute(author.caller, text)
    place.grant(grant.format(name), reader.role)
    mine = seen(place, reader, name)
    theirs = seen(place, reader, "base.people")
    assert isinstance(mine, dict)
    assert isinstance(theirs, dict)
    assert not set(mine["name"]) & {*theirs["name"], *PEOPLE.column("name").to_pylist()}


def test_listing_is_deciding_on_copies(place: Place) -> None:
    """A copy that a safeguard closes is in no list."""
    person = bound(place, "RESTRICT SELECT ON TABLE base.people WHERE region = 'eu'")
    closed = copy(place, place.admin, "SELECT max(id) AS m FROM base.people")
    partly = copy(place, place.admin, "SELECT id, region FROM base.people")
    listed = {str(v.dataset.name) for v in place.services.datasets.list(person.caller)}
    assert str(partly) in listed
    assert str(closed) not in listed


def test_where_copies_may_lie_is_for_those_who_may_make_one(place: Place) -> None:
    """Whoever lacks the right is told that, whatever they name; nobody is told the root."""
    stranger = place.person("GRANT SELECT ON TABLE base.people")
    told = set[str]()
    for location in ("/etc/x", f"{place.lake}/copies/x", "s3://b/x"):
        text = f"CREATE TABLE c.theirs LOCATION '{location}' AS SELECT 1 AS x"
        with pytest.raises(PrivetError) as refused:
            place.services.statements.execute(stranger.caller, text)
        told.add(f"{type(refused.value).__name__} {refused.value} {refused.value.hint}")
    assert len(told) == 1
    with pytest.raises(PrivetError) as refused:
        place.services.statements.execute(
            place.admin.caller, "CREATE TABLE c.x LOCATION '/etc/x' AS SELECT 1 AS x"
        )
    assert str(place.lake) not in f"{refused.value} {refused.value.hint}"
