"""The facts of every dataset for somebody, kept up with changes."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from privet.catalog.current.changes import Journal
from privet.catalog.current.covering import Covering, Reach, to_facts
from privet.catalog.current.granted import Granted
from privet.catalog.current.holders import Holders
from privet.catalog.current.image import Image
from privet.catalog.definitions.lineage import LineageRule
from privet.catalog.roles import HeldRoles
from privet.catalog.versions import Lru, Version
from privet.model.decisions import Facts
from privet.model.names import DatasetName
from privet.model.permissions import Permission
from privet.model.principals import Principal
from privet.store import reading

_LISTS = 32


@dataclass(frozen=True, slots=True)
class _Listing:
    """A list as it was at a version: of an image after so many edits, by these permissions."""

    version: Version
    edits: int
    permissions: tuple[Permission, ...]
    facts: tuple[Facts, ...]


class Lists:
    """Lists by what roles somebody holds. May be used by several threads.

    What changes is read again; what does not keeps its facts, and what was decided on them.
    """

    def __init__(
        self,
        engine: Engine,
        journal: Journal,
        granted: Granted,
        holders: Holders,
        rule: LineageRule = LineageRule.WHOLE,
    ) -> None:
        self._engine = engine
        self._rule = rule
        self._journal = journal
        self._granted = granted
        self._holders = holders
        # One reads, and the others find what it has read.
        self._lock = threading.Lock()
        self._image: Image | None = None
        self._lists: Lru[HeldRoles, _Listing] = Lru(_LISTS)

    def facts(self, version: Version, principal: Principal) -> tuple[Facts, ...]:
        """The facts of every dataset by name, at this version or, if it has passed, at a later one.

        Those of a dataset that did not change bear the number of the version when they were read.
        """
        roles = self._holders.find(version, principal)
        known = self._lists.get(roles) if roles else None
        if known is not None and known.version == version:
            return known.facts
        with self.now() as (connection, image):
            roles = self._holders.read(connection, image.version, principal)
            return self._listing(connection, roles, image).facts

    @contextmanager
    def now(self) -> Generator[tuple[Connection, Image]]:
        """A transaction that reads, and the image at the version that it sees: for one at a time.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        # Only then the transaction: it must not see less than whoever came before.
        with self._lock, reading(self._engine) as connection:
            yield connection, self._at(connection, self._journal.read(connection))

    def _at(self, connection: Connection, version: Version) -> Image:
        # Whatever goes wrong below, no image is kept that is neither here nor there.
        image, self._image = self._image, None
        changes = self._journal.between(image.version, version) if image else None
        if image is None or changes is None or not image.follow(connection, version, changes):
            image = Image.read(connection, version, image, self._rule)
        self._image = image
        return image

    def _listing(self, connection: Connection, roles: HeldRoles, image: Image) -> _Listing:
        version, known = image.version, self._lists.get(roles)
        changes = self._journal.between(known.version, version) if known else None
        named = roles.held | roles.bound
        if known is None or changes is None or not changes.roles.isdisjoint(named):
            permissions = self._granted.of_roles(connection, named)
        else:
            permissions = known.permissions
        facts = _facts(known, image, roles, permissions)
        listing = _Listing(version, image.edits, permissions, facts)
        return self._lists.put(roles, listing)


def _facts(
    known: _Listing | None, image: Image, roles: HeldRoles, permissions: tuple[Permission, ...]
) -> tuple[Facts, ...]:
    """The facts of every dataset: those that are known where nothing changed."""
    before, reach = dict[DatasetName, Facts](), None
    if known is not None:
        changed = _differing(known.permissions, permissions)
        if not changed and known.edits == image.edits:
            return known.facts
        before = {facts.name: facts for facts in known.facts}
        reach = Reach.of(changed) if changed else None
    held, number = Covering(permissions), image.version.number
    return tuple(
        [
            facts
            if (facts := before.get(name)) is not None
            and facts.dataset is dataset
            and not (reach and reach.holds(name))
            else to_facts(number, name, dataset, roles, held.of(name))
            for name, dataset in image.datasets.items()
        ]
    )


def _differing(one: tuple[Permission, ...], other: tuple[Permission, ...]) -> list[Permission]:
    """Those that are in one of both; what a permission says never changes."""
    if one is other:
        return []
    both = {p.id for p in one} & {p.id for p in other}
    return [p for p in (*one, *other) if p.id not in both]
