"""Facts for decisions: what is stored about a name and a principal, at one version."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Engine, true

from privet.catalog.current.asked import Asked, read_asked
from privet.catalog.current.changes import Journal
from privet.catalog.current.covering import Covering, to_facts
from privet.catalog.current.granted import Granted
from privet.catalog.current.holders import Holders
from privet.catalog.current.inherited import Inheritance, rests_on
from privet.catalog.current.lists import Lists
from privet.catalog.definitions.lineage import LineageRule
from privet.catalog.roles import HeldRoles, roles_by_group
from privet.catalog.versions import Lru, Version
from privet.model.datasets import Dataset
from privet.model.decisions import Facts
from privet.model.names import DatasetName
from privet.model.permissions import Effect, Permission, Rights
from privet.model.principals import Principal
from privet.store import reading, reading_once

Pair = tuple[DatasetName, Principal]
_FACTS = 2048
_RIGHTS = 4096


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The catalog at one version, to work out decisions about many principals.

    With `dataclasses.replace` it says what would be if other permissions were stored.
    """

    version: Version
    datasets: tuple[Dataset, ...]
    permissions: tuple[Permission, ...]
    roles: Mapping[tuple[str, str], frozenset[str]]
    """The roles of groups, by issuer and name."""

    def roles_of(self, principal: Principal) -> HeldRoles:
        """The roles of a principal."""
        mapped = (
            (group, role)
            for group in principal.all_groups
            for role in self.roles.get((principal.issuer, group), ())
        )
        return HeldRoles.given(principal, mapped)

    def facts(self, roles: HeldRoles, datasets: Iterable[Dataset]) -> tuple[Facts, ...]:
        """The facts about each of the datasets for those who hold these roles."""
        named = roles.held | roles.bound
        held = Covering(p for p in self.permissions if p.role in named)
        number = self.version.number
        return tuple(to_facts(number, d.name, d, roles, held.of(d.name)) for d in datasets)


@dataclass(frozen=True, slots=True)
class _Kept:
    """Facts as they were read at a version, and the names of all that the dataset rests on."""

    version: Version
    facts: Facts
    rests_on: frozenset[DatasetName]


class FactReader:
    """Reads facts at one version, and keeps them for as long as nothing they rest on changes.

    The version is read at every call, so a change by any process is in the very next answer.
    """

    def __init__(
        self, engine: Engine, granted: Granted, rule: LineageRule = LineageRule.WHOLE
    ) -> None:
        self._engine = engine
        self._rule = rule
        self._granted = granted
        self._journal = Journal()
        self._holders = Holders(self._journal)
        self._lists = Lists(engine, self._journal, granted, self._holders, rule)
        self._facts: Lru[tuple[DatasetName, HeldRoles], _Kept] = Lru(_FACTS)
        self._rights: Lru[frozenset[str], tuple[Version, tuple[Permission, ...]]] = Lru(_RIGHTS)

    def version(self) -> Version:
        """The version now: one query."""
        with reading_once(self._engine) as connection:
            return self._journal.read(connection)

    def facts(self, name: DatasetName, principal: Principal) -> Facts:
        """All that a decision about a dataset and a principal rests on."""
        return self.among((name,), (principal,))[name, principal]

    def among(
        self, names: Collection[DatasetName], principals: Collection[Principal]
    ) -> Mapping[Pair, Facts]:
        """The facts about each of the datasets for each of the principals, all at one version.

        One query if all of it is kept and stands. Otherwise one more, or that one alone if some of
        it was never read; and another for each layer of views behind the datasets.
        """
        pairs = [(name, principal) for name in names for principal in principals]
        if not pairs:
            return {}
        if all(self._kept(name, principal) for name, principal in pairs):
            version = self.version()
            found = {pair: f for pair in pairs if (f := self._standing(version, *pair))}
            if len(found) == len(pairs):
                return found
        with reading(self._engine) as connection:
            asked = read_asked(connection, self._journal, self._granted, names, principals)
        return self._keep(asked, pairs)

    def _kept(self, name: DatasetName, principal: Principal) -> _Kept | None:
        """What was read last, which may stand or not."""
        roles = self._holders.last(principal)
        return self._facts.get((name, roles)) if roles else None

    def _standing(self, version: Version, name: DatasetName, principal: Principal) -> Facts | None:
        roles = self._holders.find(version, principal)
        kept = self._facts.get((name, roles)) if roles else None
        if roles is None or kept is None:
            return None
        if kept.version != version:
            changes = self._journal.between(kept.version, version)
            if changes is None or changes.touch(kept.rests_on):
                return None
            if not changes.roles.isdisjoint(roles.held | roles.bound):
                return None
            facts = replace(kept.facts, version=version.number)
            kept = self._facts.put((name, roles), _Kept(version, facts, kept.rests_on))
        return kept.facts

    def _keep(self, asked: Asked, pairs: Iterable[Pair]) -> dict[Pair, Facts]:
        version, inherited = asked.version, Inheritance(asked.stored, self._rule)
        for principal, roles in asked.roles.items():
            self._holders.keep(version, principal, roles)
        held = {
            roles: Covering(p for p in asked.permissions if p.role in roles.held | roles.bound)
            for roles in asked.roles.values()
        }
        found: dict[Pair, Facts] = {}
        for name, principal in pairs:
            roles = asked.roles[principal]
            kept = self._facts.get((name, roles))
            if kept is None or kept.version != version:
                covering = held[roles].of(name)
                facts = to_facts(version.number, name, inherited.of(name), roles, covering)
                kept = _Kept(version, facts, rests_on(asked.stored, name))
                self._facts.put((name, roles), kept)
            found[name, principal] = kept.facts
        return found

    def list_facts(self, principal: Principal) -> tuple[Facts, ...]:
        """The facts of every dataset, by name."""
        return self._lists.facts(self.version(), principal)

    def snapshot(self) -> Snapshot:
        """All that decisions about any principal and dataset rest on, at one version."""
        with self._lists.now() as (connection, image):
            return Snapshot(
                image.version,
                tuple(image.datasets.values()),
                self._granted.read(connection, true()),
                roles_by_group(connection),
            )

    def rights(self, principal: Principal) -> Rights:
        """What says whether a principal may administer: by the roles that credentials give."""
        version = self.version()
        roles = self._holders.find(version, principal)
        known = self._standing_rights(version, roles.held) if roles else None
        if roles is None or known is None:
            with reading(self._engine) as connection:
                version = self._journal.read(connection)
                roles = self._holders.read(connection, version, principal)
                found = self._granted.of_roles(connection, roles.held)
            known = tuple(filter(_administers, found))
        self._rights.put(roles.held, (version, known))
        return Rights(principal, version.number, roles.held, known)

    def _standing_rights(
        self, version: Version, held: frozenset[str]
    ) -> tuple[Permission, ...] | None:
        known = self._rights.get(held)
        changes = self._journal.between(known[0], version) if known else None
        if known is None or changes is None or not changes.roles.isdisjoint(held):
            return None
        return known[1]


def _administers(permission: Permission) -> bool:
    """Whether it may give a right to administer: a grant of the whole, or one to hand on."""
    whole = not (
        permission.having or permission.transforms or permission.where or permission.columns
    )
    return permission.effect is Effect.GRANT and (whole or permission.grant_option)
