"""Who a statement runs for cannot be made somebody else: `user`, `current_user` and their like."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pyarrow as pa
import pytest

from privet.model.names import DatasetName
from query.platforms import Person, Place, open_place

ROWS = pa.table(
    {
        "id": [1, 2, 3],
        "owner": ["ada", "o'hara", "duckdb"],
        "user": ["x", "y", "z"],
        "phone": ["1", "2", "3"],
    }
)
WORDS = ("user", "current_user", "session_user", "current_role")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A platform with `base.owned`, that everybody may read, and a database for views."""
    with open_place(tmp_path_factory.mktemp("readers")) as place:
        place.dataset(ROWS, "base.owned", {"phone": ["pii.phone"]})
        place.platform.catalog.databases.create("v", by="root")
        place.grant("GRANT SELECT ON TABLE base.owned", "public_role")
        yield place


@pytest.fixture(scope="module")
def ada(place: Place) -> Person:
    """Somebody who asks."""
    return place.person(user="ada")


@pytest.mark.parametrize("form", ["{}", "{}()", '"{}"', '"{}"()', "UPPER({})", "(SELECT {})"])
@pytest.mark.parametrize("word", WORDS)
def test_a_statement_knows_who_asks(place: Place, ada: Person, word: str, form: str) -> None:
    """In every spelling; the engine's own user is nobody's name here."""
    for spelled in (word, word.upper()):
        got = place.ask(ada, f"SELECT {form.format(spelled)} AS who")
        assert [row[0].lower() for row in got.rows] == ["ada"], got.error
    for user in ("o'hara", 'q"uote', "back\\slash", "semi;colon", "ünïcode", "duckdb"):
        other = place.person(user=user)
        assert place.ask(other, f"SELECT {word}()").rows == [(user,)]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT system.main.{}()",
        "SELECT main.{}()",
        "SELECT privet.main.{}()",
        "SELECT pg_catalog.{}()",
        "SELECT x.{}() FROM (SELECT 1 AS x) AS t",
        "SELECT {}() OVER ()",
        "SELECT {}(1)",
        "SELECT * FROM {}()",
        "CREATE MACRO {}() AS 'eve'",
        "CREATE OR REPLACE MACRO {}() AS 'eve'",
        "CREATE OR REPLACE TEMP MACRO {}() AS 'eve'",
        "SET VARIABLE privet_reader = 'eve'",
        "RESET VARIABLE privet_reader",
        "SELECT getvariable('privet_reader')",
        "SELECT 1; SET VARIABLE privet_reader = 'eve'; SELECT {}()",
        "WITH a AS (SELECT 1) SET VARIABLE privet_reader = 'eve'",
        "PREPARE p AS SELECT {}()",
        "EXECUTE p('eve')",
        "SELECT query('SELECT 1')",
    ],
)
def test_nothing_else_is_answered(place: Place, ada: Person, text: str) -> None:
    """Neither the engine's function by its whole name, nor another meaning for the word."""
    for word in WORDS:
        assert place.ask(ada, text.format(word)).error is not None, text


@pytest.mark.parametrize(
    "text",
    [
        "WITH current_user AS (SELECT 'eve' AS z) SELECT current_user()",
        "WITH RECURSIVE session_user AS (SELECT 'eve' AS z) SELECT session_user",
        "SELECT current_user() FROM (SELECT 'eve') AS t(\"current_user\")",
        "SELECT (SELECT user() FROM (SELECT 'eve' AS user))",
        "SELECT list_transform(['eve'], lambda u: current_user())[1]",
        "SELECT current_user() FROM (VALUES ('eve')) AS current_user(z)",
    ],
)
def test_the_call_means_the_reader_whatever_is_named_so(
    place: Place, ada: Person, text: str
) -> None:
    """Columns, tables and aliases of these names do not change what the function gives."""
    assert place.ask(ada, text).rows == [("ada",)]


def test_a_column_of_that_name_goes_before_the_word(place: Place, ada: Person) -> None:
    """As SQL has it, where it is in view; where it is hidden the word is as if there was none."""
    got = place.ask(ada, "SELECT user FROM base.owned WHERE owner = user()")
    assert got.rows == [("x",)]
    texts = []
    for columns in ("id, owner", "id, owner, user"):
        name = DatasetName("h", place.unique("t"))
        place.dataset(ROWS.select(columns.split(", ")), str(name))
        reader = place.person(f"GRANT SELECT(id, owner) ON TABLE {name}", user=place.unique("r"))
        got = place.ask(reader, f"SELECT user FROM {name} WHERE id = 1")
        texts.append((got.rows == [(reader.user,)], got.told()))
    assert texts[0] == texts[1]
    assert texts[0][0]


def test_in_a_view_it_is_the_reader(place: Place, ada: Person) -> None:
    """Not the definer, an administrator neither; through a view of a view too."""
    definer = replace(place.admin, role=place.role(place.admin))
    first, second = (DatasetName("v", place.unique("own")) for _ in range(2))
    text = "SELECT id, current_user() AS who FROM base.owned WHERE owner = user()"
    place.services.views.create(definer.caller, first, text)
    place.grant(f"GRANT SELECT ON TABLE {first}", "public_role")
    place.services.views.create(
        definer.caller, second, f"SELECT *, session_user AS also FROM {first}"
    )
    place.grant(f"GRANT SELECT ON TABLE {second}", "public_role")
    other = place.person(user="o'hara")
    for reader, number in ((ada, 1), (other, 2)):
        row = {"id": number, "who": reader.user, "also": reader.user}
        assert place.scan(reader, str(second)).to_pylist() == [row]
        assert place.ask(reader, f"SELECT * FROM {second}").rows == [tuple(row.values())]
    assert place.scan(place.person(), str(first)).num_rows == 0
    assert place.scan(place.admin, str(first)).num_rows == 0


def test_a_column_that_the_reader_decides_about_rests_on_all_of_it(place: Place) -> None:
    """What is one value for the definer, and another for others, is not folded away."""
    name = DatasetName("v", place.unique("view"))
    text = "SELECT CASE WHEN current_user = 'root' THEN owner ELSE phone END AS x FROM base.owned"
    place.role(place.admin)
    place.services.views.create(place.admin.caller, name, text)
    (column,) = place.platform.catalog.datasets.get(name).columns
    assert {str(t) for t in column.inner_tags} == {"pii.phone"}
