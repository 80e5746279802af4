"""Statements that change tables, and views whose author names the columns, on a whole platform."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from privet.model.errors import Forbidden, InvalidRequest, PrivetError, UnknownName
from privet.service.statements import StatementResult
from query.platforms import Person, Place, open_place

ROWS = pa.table(
    {"id": [1, 2], "word": ["ada", "bob"], "box": pa.array([{"side": "x", "no": 1}] * 2)}
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A platform with a database `d` and some tags."""
    home = tmp_path_factory.mktemp("altering")
    copies = home / "lake" / "copies"
    copies.mkdir(parents=True)
    with open_place(home, copy_roots=[str(copies)]) as place:
        place.platform.catalog.databases.create("d", by="root")
        place.tags("pii.name", "geo.city")
        yield place


def run(place: Place, text: str, person: Person | None = None) -> StatementResult:
    """Carry out a statement, as an administrator unless it is somebody else's."""
    return place.services.statements.execute((person or place.admin).caller, text)


def made(place: Place, rest: str = "") -> str:
    """A new table over files of its own."""
    name, folder = f"d.{place.unique('t')}", place.lake / place.unique("files")
    below = folder / rest
    below.mkdir(parents=True)
    pq.write_table(ROWS, below / "part.parquet")
    parts = " PARTITIONED BY (day INT)" if rest else ""
    run(place, f"CREATE TABLE {name}{parts} LOCATION '{folder}'")
    return name


def described(place: Place, name: str) -> list[tuple[str, ...]]:
    """Name, type, comment and tags of each column."""
    return list(run(place, f"DESCRIBE {name}").rows)


# ---- REPLACE COLUMNS


def test_columns_are_replaced_by_those_named(place: Place) -> None:
    """Those named are there with what is said of them; the others, and their cells, are not."""
    name = made(place)
    run(
        place,
        f"ALTER TABLE {name} REPLACE COLUMNS (word STRING COMMENT 'who' ATTRIBUTE pii.name,"
        " id BIGINT)",
    )
    assert described(place, name) == [
        ("word", "string", "who", "pii.name"),
        ("id", "bigint", "", ""),
    ]
    reader = place.person(f"GRANT SELECT ON TABLE {name}")
    assert place.scan(reader, name).column_names == ["word", "id"]
    run(place, f"ALTER TABLE {name} REPLACE COLUMNS (id BIGINT, box STRUCT<side: STRING>)")
    with pytest.raises(InvalidRequest) as caught:
        run(place, f"ALTER TABLE {name} REPLACE COLUMNS (id BIGINT, nope STRING)")
    assert caught.value.position is not None
    assert (
        caught.value.position.column == len(f"ALTER TABLE {name} REPLACE COLUMNS (id BIGINT, ") + 1
    )


def test_replaced_columns_keep_their_tags_and_partitions(place: Place) -> None:
    """A column that stays has every tag it had, and so have the fields inside; folders stay."""
    name = made(place, "day=3")
    run(place, f"ALTER TABLE {name} ADD COLUMN ATTRIBUTE word pii.name")
    run(place, f"ALTER TABLE {name} ADD COLUMN ATTRIBUTE box.side geo.city")
    kind = "STRUCT<`side`: STRING, `no`: BIGINT>"
    run(place, f"ALTER TABLE {name} REPLACE COLUMNS (box {kind}, word STRING)")
    found = [(row[0], row[3]) for row in described(place, name)]
    assert found == [("box", "geo.city"), ("word", "pii.name"), ("day", "")]


def test_a_column_does_not_lose_its_tags_by_coming_back(place: Place) -> None:
    """Leaving a tagged column out needs the right to take its tags off, on both sides."""
    name = made(place)
    run(place, f"ALTER TABLE {name} ADD COLUMN ATTRIBUTE word pii.name")
    editor = place.person(f"GRANT ALTER ON TABLE {name}")
    with pytest.raises(Forbidden) as caught:
        run(place, f"ALTER TABLE {name} REPLACE COLUMNS (id BIGINT)", editor)
    assert "REMOVE_ATTRIBUTE" in caught.value.message
    text = f"ALTER TABLE {name} REPLACE COLUMNS (word STRING, id BIGINT ATTRIBUTE geo.city)"
    with pytest.raises(Forbidden):
        run(place, text, editor)
    run(place, f"ALTER TABLE {name} REPLACE COLUMNS (word STRING)", editor)
    assert described(place, name) == [("word", "string", "", "pii.name")]


@pytest.mark.parametrize("of", ["view", "copy"])
def test_only_tables_over_files_have_columns_to_replace(place: Place, of: str) -> None:
    """A view has the columns of its SELECT, and a copy those of what it was made of."""
    boss, name = place.person("GRANT ALL ON CATALOG"), made(place)
    other = f"d.{place.unique('other')}"
    what = "VIEW" if of == "view" else "TABLE"
    run(place, f"CREATE {what} {other} AS SELECT id, word FROM {name}", boss)
    with pytest.raises(InvalidRequest):
        run(place, f"ALTER TABLE {other} REPLACE COLUMNS (id BIGINT)", boss)


# ---- views with named columns


def test_a_view_has_the_columns_that_its_author_names(place: Place) -> None:
    """Names, comments and tags are theirs; types and tags of what it is made of are its own."""
    boss, name = place.person("GRANT ALL ON CATALOG"), made(place)
    run(place, f"ALTER TABLE {name} ADD COLUMN ATTRIBUTE word pii.name")
    view = f"d.{place.unique('v')}"
    run(
        place,
        f"CREATE VIEW {view} (`Key` BIGINT, who STRING ATTRIBUTE geo.city COMMENT 'x')"
        f" COMMENT 'all' AS SELECT id, word FROM {name} -- as they are\n; -- told",
        boss,
    )
    assert described(place, view) == [
        ("key", "bigint", "", ""),
        ("who", "string", "x", "geo.city pii.name"),
    ]
    reader = place.person(f"GRANT SELECT ON TABLE {view}")
    assert place.scan(reader, view).to_pydict() == {"key": [1, 2], "who": ["ada", "bob"]}
    (written,) = run(place, f"SHOW CREATE VIEW {view}").rows[0]
    run(place, written.replace(view.split(".")[1], place.unique("again")), boss)


@pytest.mark.parametrize(
    ("columns", "query", "error", "where"),
    [
        ("(a INT, b STRING)", "SELECT id, word FROM {}", InvalidRequest, "a INT"),
        ("(a)", "SELECT id, word FROM {}", InvalidRequest, "a)"),
        ("(a, b ATTRIBUTE no.no)", "SELECT id, word FROM {}", UnknownName, "no.no"),
        ("(a, b)", "SELECT id, nope FROM {}", UnknownName, "nope"),
        ("(a, b)", "SELECT id,\n nope FROM {}", UnknownName, "nope"),
    ],
)
def test_what_does_not_fit_is_refused_where_it_stands(
    place: Place, columns: str, query: str, error: type[PrivetError], where: str
) -> None:
    """Another type or number of columns, an unknown tag, and what is wrong in the SELECT."""
    boss, name, view = place.person("GRANT ALL ON CATALOG"), made(place), place.unique("v")
    text = f"CREATE VIEW d.{view} {columns} AS {query.format(name)}"
    with pytest.raises(error) as caught:
        run(place, text, boss)
    before = text[: text.index(where)]
    at = caught.value.position
    assert at is not None
    assert (at.line, at.column) == (1 + before.count("\n"), len(before.split("\n")[-1]) + 1)
    assert view not in {d.name.name for d in place.platform.catalog.datasets.list()}


def test_tags_of_a_view_need_rights_on_their_words(place: Place) -> None:
    """Who may create in a database may not use every word there."""
    name = made(place)
    maker = place.person("GRANT CREATE ON DATABASE d", f"GRANT SELECT ON TABLE {name}")
    text = f"CREATE VIEW d.{place.unique('v')} (a ATTRIBUTE geo.city) AS SELECT id FROM {name}"
    with pytest.raises(Forbidden) as caught:
        run(place, text, maker)
    assert "ADD_ATTRIBUTE" in caught.value.message
    run(place, text.replace(" ATTRIBUTE geo.city", ""), maker)
