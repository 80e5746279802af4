"""Privacy functions in statements of users: no way to the tokens that a policy or a view makes."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pytest

from privet.model.names import DatasetName
from privet.model.transforms import SPECS
from query.platforms import Person, Place, open_place

ROWS = 40
TABLE = pa.table(
    {
        "mrn": [f"MRN-{10_000_000 + n * n}" for n in range(ROWS)],
        "no": pa.array([n * 7_919 + 1_000_000 for n in range(ROWS)], pa.int64()),
    }
)
RAW = ", ".join(f"('{row['mrn']}', {row['no']}::BIGINT)" for row in TABLE.to_pylist())
TOKENS = [n for s in SPECS if s.keyed and s.name != "hash" for n in (s.name, *s.aliases)]
PER_TABLE = {n for s in SPECS if s.per_table for n in (s.name, *s.aliases)}
FORMS = ("{f}({x})", "{f}({x}, signed_user(false))", "{f}({x}, signed_user(true))")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A platform; each test has datasets and tags of its own on it."""
    with open_place(tmp_path_factory.mktemp("functions") / "p") as place:
        place.platform.catalog.databases.create("views", by="root")
        yield place


class World:
    """Two tables with the same values, and two people who read them as a function makes them."""

    def __init__(self, place: Place, function: str) -> None:
        self.place, self.function = place, function
        namespace, self.database = place.unique("ns"), place.unique("db")
        tags = {column: [f"{namespace}.{column}"] for column in TABLE.column_names}
        for name in ("t", "u"):
            place.dataset(TABLE, f"{self.database}.{name}", tags)
        clause = " ".join(f"TRANSFORM {tag} WITH {function}()" for (tag,) in tags.values())
        self.grant = f"GRANT SELECT ON DATABASE {self.database} {clause}"
        self.readers = [place.person(self.grant) for _ in range(2)]
        self.authors = [
            place.person(f"GRANT SELECT ON DATABASE {self.database}", "GRANT ALL ON DATABASE views")
            for _ in range(2)
        ]

    def rows(self, person: Person, sql: str) -> list[tuple[object, ...]]:
        """What a statement gives."""
        got = self.place.ask(person, sql, database=self.database)
        assert got.error is None, (sql, got.error)
        return got.rows

    def view(self, definer: Person, form: str, table: str = "t") -> str:
        """A view of tokens over a table; both read it."""
        name = DatasetName("views", self.place.unique("view"))
        columns = ", ".join(f"{form.format(f=self.function, x=x)} AS {x}" for x in ("mrn", "no"))
        text = f"SELECT {columns} FROM {self.database}.{table}"
        self.place.services.views.create(definer.caller, name, text)
        for reader in (*self.readers, definer):
            self.place.grant(f"GRANT SELECT ON TABLE {name}", reader.role)
        return str(name)

    def found(self, person: Person, name: str) -> int:
        """How many cells somebody finds who compares them with functions of all raw values."""
        calls = [
            (column, form.format(f=self.function, x=f"raw.{column}"))
            for form in FORMS
            for column in ("mrn", "no")
        ]
        tests = " OR ".join(f"seen.{column}::VARCHAR = ({call})::VARCHAR" for column, call in calls)
        sql = f"SELECT count(*) FROM {name} seen JOIN (VALUES {RAW}) raw(mrn, no) ON {tests}"
        ((count,),) = self.rows(person, sql)
        assert isinstance(count, int)
        return count

    def joined(self, person: Person, one: str, other: str) -> tuple[object, ...]:
        """How many rows of two datasets join, by either column."""
        (counts,) = self.rows(
            person,
            f"SELECT (SELECT count(*) FROM {one} a JOIN {other} b ON a.mrn = b.mrn),"
            f" (SELECT count(*) FROM {one} a JOIN {other} b ON a.no = b.no)",
        )
        return counts


@pytest.mark.parametrize("name", TOKENS)
def test_functions_find_no_raw_value(place: Place, name: str) -> None:
    """What a policy made is never equal to a function of a raw value, in any form."""
    world = World(place, name)
    for reader in world.readers:
        assert world.found(reader, f"{world.database}.t") == 0
    own = [world.rows(p, f"SELECT {name}('MRN-10000000'), {name}(7)") for p in world.readers]
    assert not set(own[0][0]) & set(own[1][0])


@pytest.mark.parametrize("name", ["tokenize", "nfp_noref_tokenize", "sha2"])
def test_functions_in_views(place: Place, name: str) -> None:
    """Shared by its readers, or each reader's own; nobody's own statements make the same."""
    world = World(place, name)
    first, second = world.readers
    author, _ = world.authors
    shared, signed = (world.view(author, FORMS[i]) for i in (1, 2))
    plain = world.view(author, FORMS[0])
    query = "SELECT * FROM {} ORDER BY ALL"
    for view in (plain, shared):
        seen = world.rows(first, query.format(view))
        assert len(seen) == ROWS
        assert seen == world.rows(second, query.format(view))
    assert world.rows(first, query.format(signed)) == world.rows(first, query.format(signed))
    assert not {*world.rows(first, query.format(signed))} & {
        *world.rows(second, query.format(signed))
    }
    for view in (plain, shared, signed):
        assert world.joined(first, view, view) == (ROWS, ROWS)
        assert [world.found(p, view) for p in (first, second, author)] == [0, 0, 0]
    assert world.joined(first, shared, signed) == (0, 0)
    raw = world.rows(author, f"SELECT mrn, no FROM {world.database}.t")
    for view in (plain, shared, signed):
        assert not {c for row in raw for c in row} & {
            c for row in world.rows(first, query.format(view)) for c in row
        }


@pytest.mark.parametrize("name", TOKENS)
def test_which_views_join(place: Place, name: str) -> None:
    """Views of one definer over two tables, unless the function is per dataset; of two, never."""
    world = World(place, name)
    reader, (author, another) = world.readers[0], world.authors
    joins = (0, 0) if name in PER_TABLE else (ROWS, ROWS)
    for form in FORMS[1:]:
        one, other = (world.view(author, form, table) for table in ("t", "u"))
        assert world.joined(reader, one, other) == joins
        assert world.joined(reader, one, world.view(another, form)) == (0, 0)


def test_chance_in_views(place: Place) -> None:
    """Drawn anew at each reading."""
    world = World(place, "fp_random")
    view = world.view(world.authors[0], FORMS[0])
    reader = world.readers[0]
    first, second = (world.rows(reader, f"SELECT mrn FROM {view}") for _ in range(2))
    assert not set(first) & set(second)
    assert len(set(first)) == ROWS
