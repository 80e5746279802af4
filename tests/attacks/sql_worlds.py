"""Two platforms that must look alike: one has something to hide, in the other it never existed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from doors.planted import COMMENT, GRANT, PHONE, TAGS, planted
from query.copies import SanitisedCopy
from query.platforms import Got, Person, Place, make_master, open_place, settled

VISITS, TOWNS = "clinic.visits", "clinic.towns"
HIDDEN_COLUMNS = ["phone", "note"]
TOWN_TABLE = pa.table(
    {
        "town": [f"town{i}" for i in range(4)] + [None],
        "region": ["north", "south", "west", None, "east"],
        "people": pa.array([10, 2**40, 0, None, -7], pa.int64()),
    }
)
TOWN_GRANT = f"GRANT SELECT ON TABLE {TOWNS} WHERE region != 'south'"
_TOWNS_WITHOUT = TOWN_TABLE.filter(pa.array([True, False, True, False, True]))
_SECONDS = 5


@dataclass(frozen=True)
class World:
    """A platform, and the analyst who asks there."""

    place: Place
    analyst: Person

    def ask(self, sql: str, parameters: Any = None) -> Got:
        """Run a statement as the analyst."""
        return self.place.ask(self.analyst, sql, parameters)

    def copy(self) -> SanitisedCopy:
        """A database that holds what the analyst's scans show."""
        return SanitisedCopy(
            {name: self.place.scan(self.analyst, name) for name in (VISITS, TOWNS)},
            self.analyst.user,
        )


@dataclass(frozen=True)
class Worlds:
    """`hiding` has hidden columns, rows and datasets; `bare` has none of them."""

    hiding: World
    bare: World

    def ask(self, sql: str, parameters: Any = None) -> tuple[Got, Got]:
        """The same statement in both, at the same time."""
        asked = (lambda: self.hiding.ask(sql, parameters)), (lambda: self.bare.ask(sql, parameters))
        return settled(*asked)


@contextmanager
def open_worlds(folder: Path, salt: str = "") -> Generator[Worlds]:
    """Both, with one master key, so that tokens are the same."""
    master = make_master(folder / "master.key")
    limits = {"query_seconds": _SECONDS}
    with ExitStack() as stack:
        hiding = stack.enter_context(open_place(folder / "hiding", master=master, **limits))
        bare = stack.enter_context(open_place(folder / "bare", master=master, **limits))
        _fill(hiding, planted(salt=salt), TOWN_TABLE)
        _fill(bare, planted(hidden_rows=False).drop_columns(HIDDEN_COLUMNS), _TOWNS_WITHOUT)
        hiding.dataset(planted(), "clinic.vault", TAGS)
        hiding.dataset(pa.table({"id": [1], "word": [COMMENT], "call": [PHONE]}), "secret.t")
        yield Worlds(World(hiding, _analyst(hiding)), World(bare, _analyst(bare)))


def _fill(place: Place, visits: pa.Table, towns: pa.Table) -> None:
    tags = {c: t for c, t in TAGS.items() if c in visits.column_names}
    place.tags("phi.phone_number", "security.hidden")
    place.dataset(visits, VISITS, tags)
    place.dataset(towns, TOWNS)


def _analyst(place: Place) -> Person:
    return place.person(GRANT.format(VISITS), TOWN_GRANT, user="analyst")


def cells(table: pa.Table) -> Counter[str]:
    """The rows as a multiset of texts; NaN equals NaN."""
    columns = [column.to_pylist() for column in table.columns]
    return Counter(map(repr, zip(*columns, strict=True)))


def difference(got: pa.Table, copied: pa.Table) -> str:
    """What an answer and that over the copy disagree on, or nothing."""
    names = got.column_names, copied.column_names
    if names[0] != names[1]:
        return f"columns {names[0]} for {names[1]}"
    ours, theirs = cells(got), cells(copied)
    if ours != theirs:
        return f"rows {list((ours - theirs).items())[:3]} for {list((theirs - ours).items())[:3]}"
    return ""
