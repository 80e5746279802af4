"""What changed between two versions of the catalog, as far as it is known without doubt."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select

from privet.catalog.versions import Lru, Version
from privet.model.names import DatasetName
from privet.store import json_rows
from privet.store.tables import catalog_changes, catalog_version

_MOST = 5_000
"""Changes that are looked into; after more, everything is read anew."""
_STEPS = 1_000
_NO_VERSION = 2**62
Noted = tuple[int, str, str, str]
"""A row of `catalog_changes`: version, kind, database, name."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Which facts are others than before; what is not named here stands.

    Attributes:
        datasets: registered, changed, renamed or dropped, by the names of before and after.
        databases: those of which every dataset may be another.
        roles: those with other permissions.
        groups: whether anybody may hold other roles.
    """

    datasets: frozenset[DatasetName] = frozenset()
    databases: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    groups: bool = False

    def touch(self, names: Iterable[DatasetName]) -> bool:
        """Whether one of these datasets may be another."""
        return any(name in self.datasets or name.database in self.databases for name in names)

    def __or__(self, other: Changes) -> Changes:
        return Changes(
            self.datasets | other.datasets,
            self.databases | other.databases,
            self.roles | other.roles,
            self.groups or other.groups,
        )


NOTHING = Changes()

_found = (
    select(catalog_changes)
    .where(catalog_changes.c.version > bindparam("known"))
    .limit(_MOST + 1)
    .subquery()
)
MOMENT = (
    catalog_version.c.version,
    catalog_version.c.stamp,
    select(json_rows(*_found.c)).scalar_subquery().label("changes"),
)
"""Columns that say at which version a row was read, and what changed since `known`."""
_READ_MOMENT = select(*MOMENT)


class Journal:
    """The versions that were seen, each with what changed to it. May be used by several threads.

    What was read at one version stands at a later one if nothing that it rests on changed between
    them. Where the way from one to the other is not known step by step, nothing stands.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._versions: tuple[Version, ...] = ()
        self._steps: tuple[Changes, ...] = ()
        """The step to each version but the first."""
        self._places: dict[Version, int] = {}
        self._merged: Lru[tuple[Version, Version], Changes] = Lru(256)

    @property
    def known(self) -> int:
        """The number of the newest version, as `known` for `MOMENT`."""
        versions = self._versions
        return versions[-1].number if versions else _NO_VERSION

    def read(self, connection: Connection) -> Version:
        """The version that the connection's transaction sees: one query."""
        row = connection.execute(_READ_MOMENT, {"known": self.known}).one()
        return self.note(Version(row.version, row.stamp), row.changes)

    def note(self, now: Version, changes: list[Noted]) -> Version:
        """Remember a version that was read with the columns of `MOMENT`."""
        with self._lock:
            if now in self._places:
                return now
            steps = _steps(self._versions[-1], now, changes) if self._versions else None
            if steps is None:
                self._keep((now,), ())
            else:
                versions = (version for version, _ in steps)
                self._keep(
                    (*self._versions, *versions), (*self._steps, *(step for _, step in steps))
                )
        return now

    def _keep(self, versions: tuple[Version, ...], steps: tuple[Changes, ...]) -> None:
        self._versions = versions[-_STEPS:]
        self._steps = steps[-len(self._versions) + 1 :] if len(self._versions) > 1 else ()
        self._places = {version: place for place, version in enumerate(self._versions)}

    def between(self, before: Version, after: Version) -> Changes | None:
        """What changed from one version to another; None if that is not known."""
        if before == after:
            return NOTHING
        with self._lock:
            first, last = self._places.get(before), self._places.get(after)
            steps = self._steps
        if first is None or last is None or first > last:
            return None
        known = self._merged.get((before, after))
        if known is None:
            merged = NOTHING
            for step in steps[first:last]:
                merged |= step
            known = self._merged.put((before, after), merged)
        return known


def _steps(
    newest: Version, now: Version, rows: list[Noted]
) -> list[tuple[Version, Changes]] | None:
    """The steps from a known version to another one; None unless each of them is there."""
    noted: dict[int, list[Noted]] = {}
    for row in rows:
        noted.setdefault(row[0], []).append(row)
    numbers = range(newest.number + 1, now.number + 1)
    later = {number for number in noted if number > newest.number}
    if not numbers or len(rows) > _MOST or later != {*numbers}:
        return None
    steps = [_Step.of(noted[number]) for number in numbers]
    if any(step is None for step in steps):
        return None
    known = [step for step in steps if step is not None]
    # What each version was made from is the stamp of the one before it.
    stamps = [*(step.stamp_before for step in known[1:]), now.stamp]
    if known[0].stamp_before != newest.stamp:
        return None
    return [
        (Version(number, stamp), step.changes)
        for number, stamp, step in zip(numbers, stamps, known, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Step:
    """One version: the stamp of the version that it was made from, and what changed."""

    stamp_before: str
    changes: Changes

    @classmethod
    def of(cls, rows: Iterable[Noted]) -> _Step | None:
        """From the rows of a version; None if they do not say what happened."""
        begun: list[str] = []
        datasets, databases, roles = set[DatasetName](), set[str](), set[str]()
        groups = False
        for _, kind, database, name in rows:
            match kind:
                case "version":
                    begun.append(name)
                case "dataset" if name:
                    datasets.add(DatasetName(database, name))
                case "dataset":
                    databases.add(database)
                case "role":
                    roles.add(name)
                case "groups":
                    groups = True
                case _:
                    return None
        changes = Changes(frozenset(datasets), frozenset(databases), frozenset(roles), groups)
        return cls(begun[0], changes) if len(begun) == 1 else None
