"""Token domains through the use cases: joins, rotation with maps, reports, values turned back."""

from __future__ import annotations

import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from privet.catalog import TokenJob
from privet.model.crawling.crawls import CrawlStatus
from privet.model.datasets import CanonicalType
from privet.model.errors import (
    Conflict,
    Forbidden,
    InvalidRequest,
    KeyVersionRetired,
    NotFound,
    RateLimited,
)
from privet.model.events import Event
from privet.model.names import DatasetName, TagName
from privet.service import Caller
from query.platforms import Person, Place, open_place

NUMBERS = [f"MRN-{n:08d}" for n in range(60)]
OF_EACH = NUMBERS + NUMBERS[:20] + [NUMBERS[0]] * 40 + ["odd", None]
WHY = "a recall of devices"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A platform; each test has datasets and tags of its own on it."""
    with open_place(tmp_path_factory.mktemp("domains") / "p", detokenized_an_hour=50) as place:
        yield place


class World:
    """Two tables with the same values under two tags, and somebody who reads their tokens."""

    def __init__(self, place: Place) -> None:
        self.place, self.services = place, place.services
        namespace, database = place.unique("ns"), place.unique("db")
        self.tags = (f"{namespace}.one", f"{namespace}.two")
        table = pa.table({"n": OF_EACH, "age": [n % 5 for n in range(len(OF_EACH))]})
        self.tables = [
            place.dataset(table, f"{database}.{tag[-3:]}", {"n": [tag]}) for tag in self.tags
        ]
        clauses = " ".join(f"TRANSFORM {tag} WITH tokenize()" for tag in self.tags)
        self.reader = place.person(f"GRANT SELECT ON DATABASE {database} {clauses}")

    @property
    def admin(self) -> Caller:
        """An administrator."""
        return self.place.admin.caller

    def tokens(self, at: int = 0) -> list[str | None]:
        """What the reader sees in a table."""
        return self.place.scan(self.reader, str(self.tables[at].name))["n"].to_pylist()

    def shared(self) -> str:
        """A domain of both tags, with both tables in it."""
        name = self.place.unique("shared")
        tags = map(TagName.parse, self.tags)
        self.services.domains.create(self.admin, name, CanonicalType.TEXT, tags, "joins")
        for table in self.tables:
            self.services.domains.admit(self.admin, name, table.name)
        return name

    def detokenizer(self, domain: str) -> Person:
        """Somebody who may turn tokens of a domain back."""
        return self.place.person(f"GRANT DETOKENIZE ON TOKEN DOMAIN {domain}")

    def events(self, person: Person, action: str) -> list[Event]:
        """What is on record of somebody."""
        return list(self.place.platform.audit.list_events(user=person.user, action=action))

    def map(self, domain: str, version: int | None = None) -> TokenJob:
        """A map, when it is written."""
        maps = self.services.token_maps
        job = maps.start(self.admin, domain, version)
        while job.status is CrawlStatus.RUNNING:
            time.sleep(0.01)
            job = maps.get(self.admin, job.id)
        return job


@pytest.fixture
def world(place: Place) -> World:
    """Things that no other test has."""
    return World(place)


def test_tags_that_share_a_domain_join(world: World) -> None:
    """And did not before; nothing of it changes the tokens of who is not admitted."""
    before = world.tokens(0), world.tokens(1)
    assert not set(before[0]) & set(before[1]) - {None}
    name = world.shared()
    assert world.tokens(0) == world.tokens(1)
    (group,) = world.services.joins.matrix(world.reader.caller, name)
    assert [(c.dataset, c.column) for c in group.columns] == [(t.name, "n") for t in world.tables]
    world.services.domains.expel(world.admin, name, world.tables[0].name)
    assert world.tokens(0) == before[0]


def test_the_matrix_shows_what_its_reader_may_know(world: World) -> None:
    """A column that is hidden from somebody is in none of their groups, nor is its dataset."""
    name, first = world.shared(), world.tables[0].name
    seen = world.place.person(
        f"GRANT SELECT ON TABLE {first} TRANSFORM {world.tags[0]} WITH mask()"
    )
    blind = world.place.person(f"GRANT SELECT(age) ON TABLE {first}")
    overseer = world.place.person(f"GRANT VIEW_COMPLETE_METADATA ON TABLE {first}")
    for person, count in ((seen, 1), (blind, 0), (overseer, 1), (world.place.admin, 2)):
        groups = world.services.joins.matrix(person.caller, name)
        assert [len(g.columns) for g in groups] == [count] * bool(count)
    listed = {d.domain.name: d.domain for d in world.services.domains.list(blind.caller)}
    assert listed[name].datasets == (first,)
    stranger = world.place.person()
    assert not world.services.domains.get(stranger.caller, name).domain.datasets


def test_values_come_back_for_who_may_have_them(world: World) -> None:
    """Each token in its place; what has no way back is None; the record counts and says why."""
    person, tokens = world.detokenizer(world.tags[0]), world.tokens()
    values = world.services.detokenizing.detokenize(
        person.caller, world.tags[0], [str(t) for t in tokens[:3]] + ["x-1"], WHY
    )
    assert values == [*NUMBERS[:3], None]
    asked = world.events(person, "token.detokenize")
    (started,) = (e for e in asked if not e.parent)
    assert started.detail == {"purpose": WHY, "values": 4}
    assert started.object == world.tags[0]
    assert started.permissions
    assert not any(n in repr(asked) for n in NUMBERS)


def test_overflow_forms_have_no_way_back(world: World) -> None:
    """Nor have opaque tokens: nothing that looks like a value comes out."""
    person, overflowed = world.detokenizer(world.tags[0]), world.tokens()[-2]
    assert overflowed is not None
    assert len(overflowed) == 32
    found = world.services.detokenizing.detokenize(
        person.caller, world.tags[0], [overflowed, "", "é", "x" * 300], WHY
    )
    assert found == [None] * 4


def test_integers_come_back_in_decimal(place: Place) -> None:
    """Those of int32 and of int64 columns, and what is no integer is none."""
    tag = f"{place.unique('ns')}.n"
    table = pa.table({"i": pa.array([7, -9], pa.int32()), "l": pa.array([7, 2**40], pa.int64())})
    name = place.dataset(table, "", {"i": [tag], "l": [tag]}).name
    reader = place.person(f"GRANT SELECT ON TABLE {name} TRANSFORM {tag} WITH tokenize()")
    shown = place.scan(reader, str(name))
    wanted = [str(t) for column in shown.columns for t in column.to_pylist()]
    person = place.person(f"GRANT DETOKENIZE ON TOKEN DOMAIN {tag}")
    found = place.services.detokenizing.detokenize(
        person.caller, tag, [*wanted, "07", "x", str(2**70)], WHY
    )
    assert found == ["7", "-9", "7", str(2**40), None, None, None]


@pytest.mark.parametrize(
    ("tokens", "purpose"),
    [
        (["x"], ""),
        (["x"], "  "),
        (["x"], "two\nlines"),
        (["x"], "y" * 501),
        ([], WHY),
        (["x"] * 1001, WHY),
        (["x" * 5000], WHY),
        (["\ud800"], WHY),
    ],
)
def test_what_is_not_asked_for_rightly(world: World, tokens: list[str], purpose: str) -> None:
    """It is refused, on record, and takes nothing of what one may have."""
    person = world.detokenizer(world.tags[0])
    with pytest.raises(InvalidRequest):
        world.services.detokenizing.detokenize(person.caller, world.tags[0], tokens, purpose)
    assert any(e.error for e in world.events(person, "token.detokenize"))
    world.services.detokenizing.detokenize(person.caller, world.tags[0], ["x"] * 50, WHY)


def test_old_tokens_are_refused_and_mapped(world: World) -> None:
    """A rotation makes all tokens new; the old version is refused, and a map leads from it."""
    name, old = world.shared(), world.tokens()
    assert world.services.domains.rotate(world.admin, name).domain.version == 2
    new = world.tokens()
    assert not set(old) & set(new) - {None}
    assert new == world.tokens(1)
    person = world.detokenizer(name)
    with pytest.raises(KeyVersionRetired, match="is at key version 2, not 1") as caught:
        world.services.detokenizing.detokenize(person.caller, name, [str(old[0])], WHY, 1)
    assert "retoken" in caught.value.hint
    with pytest.raises(KeyVersionRetired):
        world.services.detokenizing.detokenize(person.caller, name, [str(old[0])], WHY, 3)
    job = world.map(name)
    assert (job.status, job.datasets_done, job.error) == (CrawlStatus.COMPLETED, 2, "")
    mapped = pq.read_table(job.file)
    pairs = {row["old"]: row["new"] for row in mapped.to_pylist() if row["form"] == "tokenize"}
    assert [pairs.get(str(token)) for token in old] == new
    assert mapped.num_rows == job.pairs == 2 * (len(set(OF_EACH)) - 1)
    back = world.services.detokenizing.detokenize(person.caller, name, [pairs[str(old[0])]], WHY, 2)
    assert back == [NUMBERS[0]]


def test_a_map_tells_only_which_token_is_which(world: World) -> None:
    """For the server's user alone, in the order of the old tokens, each once, without a value."""
    name = world.shared()
    world.services.domains.rotate(world.admin, name)
    world.services.domains.rotate(world.admin, name)
    file = Path(world.map(name, 1).file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [p.name for p in file.parent.iterdir() if p.name.startswith(".")] == []
    pairs = pq.read_table(file).to_pylist()
    assert pairs == sorted(pairs, key=lambda row: (row["form"], row["old"]))
    assert not {text for row in pairs for text in row.values()} & set(OF_EACH)
    assert all(number.encode() not in file.read_bytes() for number in NUMBERS)
    events = world.place.platform.audit.list_events(action="token.map_end", object=name)
    assert events[0].detail["pairs"] == len(pairs)
    assert events[0].rows_read


def test_what_cannot_be_mapped(world: World) -> None:
    """A domain that was never rotated, a version that there never was, a domain that is not."""
    with pytest.raises(Conflict, match="never rotated"):
        world.services.token_maps.start(world.admin, world.tags[0])
    world.services.domains.rotate(world.admin, world.tags[0])
    for version in (0, 2, 9):
        with pytest.raises(NotFound):
            world.services.token_maps.start(world.admin, world.tags[0], version)
    with pytest.raises(NotFound):
        world.services.token_maps.start(world.admin, "no_domain")


def test_a_map_of_a_broken_source_fails_on_record(world: World) -> None:
    """And leaves no file."""
    name = world.shared()
    world.services.domains.rotate(world.admin, name)
    folder = Path(world.tables[1].source.uri.removeprefix("file://"))
    (folder / "part.parquet").write_bytes(b"no longer a file of that kind")
    job = world.map(name)
    assert job.status is CrawlStatus.FAILED
    assert job.error
    assert not job.file
    (ended,) = world.place.platform.audit.list_events(action="token.map_end", object=name)
    assert ended.error


def test_a_report_tells_how_often_and_never_what(world: World) -> None:
    """Administrators get every count; the words say what they come to."""
    report = world.services.token_risks.of_column(world.admin, world.tables[0].name, "n")
    assert (report.rows, report.nulls, report.distinct) == (len(OF_EACH), 1, 61)
    assert (report.small, report.top[0], report.exact) == (1, 42, True)
    assert report.domains == (world.tags[0],)
    counted = {(c.least, c.most): (c.values, c.rows) for c in report.classes}
    assert counted == {
        (1, 1): (41, 41), (2, 4): (19, 38), (5, 9): (0, 0), (10, 49): (1, 42), (50, 99): (0, 0),
        (100, None): (0, 0),
    }  # fmt: skip
    assert report.told == "33 % of the rows have a value of their own"
    assert not any(n in repr(report) for n in NUMBERS)


def test_small_counts_are_withheld(world: World) -> None:
    """From who may see all metadata and is no administrator; no difference gives one away."""
    name = world.tables[0].name
    person = world.place.person(f"GRANT VIEW_COMPLETE_METADATA ON TABLE {name}")
    report = world.services.token_risks.of_column(person.caller, name, "n")
    assert (report.rows, report.nulls, report.distinct, report.small) == (120, None, 60, None)
    assert report.top[:2] == (40, None)
    counts = [n for c in report.classes for n in (c.values, c.rows)]
    assert all(n is None or n % 10 == 0 for n in (*counts, *report.top))
    assert not report.exact
    (asked,) = (e for e in world.events(person, "token.risk") if not e.parent)
    assert asked.detail == {"column": "n"}
    with pytest.raises(Forbidden):
        world.services.token_risks.of_column(world.reader.caller, name, "n")


def test_what_has_no_report(world: World) -> None:
    """A column that is not there, or of which no tokens are made."""
    name = world.tables[0].name
    with pytest.raises(NotFound, match="no column"):
        world.services.token_risks.of_column(world.admin, name, "absent")
    with pytest.raises(NotFound):
        world.services.token_risks.of_column(world.admin, DatasetName("no", "where"), "n")
    lists = world.place.dataset(pa.table({"f": [["a"], ["b"]]}))
    with pytest.raises(InvalidRequest, match="no tokens of columns of type `list"):
        world.services.token_risks.of_column(world.admin, lists.name, "f")


def test_so_many_values_an_hour(world: World) -> None:
    """Fifty here; then none until the hour is over, and the hint says until when."""
    person, token = world.detokenizer(world.tags[0]), str(world.tokens()[0])
    turn = world.services.detokenizing.detokenize
    assert turn(person.caller, world.tags[0], [token] * 49, WHY) == [NUMBERS[0]] * 49
    with pytest.raises(RateLimited, match="51 values in an hour, and 50 may be") as caught:
        turn(person.caller, world.tags[0], [token] * 2, WHY)
    assert "UTC" in caught.value.hint
    assert turn(person.caller, world.tags[0], [token], WHY) == [NUMBERS[0]]
    with pytest.raises(RateLimited):
        turn(person.caller, world.tags[0], [token], WHY)
