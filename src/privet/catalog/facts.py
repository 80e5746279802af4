"""Facts for decisions: what is stored about a name and a principal, at one version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain

from sqlalchemy import Connection, Engine

from privet.catalog.dataset_rows import read_datasets
from privet.catalog.permissions import Permissions
from privet.catalog.roles import HeldRoles, roles_by_group, roles_of
from privet.catalog.versions import Lru, Version, read_version
from privet.model.datasets import Dataset
from privet.model.decisions import Facts
from privet.model.names import DatasetName
from privet.model.permissions import Effect, Permission, Rights, ScopeKind
from privet.model.principals import Principal
from privet.store import reading, reading_once

Holder = tuple[Version, str, frozenset[str], frozenset[str]]
_FACTS = 2048
_PRINCIPALS = 4096
_LISTS = 32


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
        held = _Covering(p for p in self.permissions if p.role in named)
        return tuple(_facts(self.version, d.name, d, roles, held.of(d.name)) for d in datasets)


class FactReader:
    """Reads facts from one snapshot, and keeps them for as long as the version stands.

    The version is read at every call, so a change by any process is in the very next answer.
    """

    def __init__(self, engine: Engine, permissions: Permissions) -> None:
        self._engine = engine
        self._permissions = permissions
        self._roles: Lru[Holder, HeldRoles] = Lru(_PRINCIPALS)
        self._datasets: Lru[tuple[Version, DatasetName], tuple[Dataset, ...]] = Lru(_FACTS)
        self._facts: Lru[tuple[Version, DatasetName, HeldRoles], Facts] = Lru(_FACTS)
        self._lists: Lru[tuple[Version, HeldRoles], tuple[Facts, ...]] = Lru(_LISTS)
        self._rights: Lru[tuple[Version, frozenset[str]], tuple[Permission, ...]] = Lru(_PRINCIPALS)

    def version(self) -> Version:
        """The version now: one query."""
        with reading_once(self._engine) as connection:
            return read_version(connection)

    def facts(self, name: DatasetName, principal: Principal) -> Facts:
        """All that a decision about a dataset and a principal rests on."""
        version = self.version()
        roles = self._roles.get(_holder(version, principal))
        known = None if roles is None else self._facts.get((version, name, roles))
        return known or self._read_facts(name, principal)

    def _read_facts(self, name: DatasetName, principal: Principal) -> Facts:
        with reading(self._engine) as connection:
            # A change may have come in between: all of the answer is of the snapshot's version.
            version = read_version(connection)
            roles = self._read_roles(connection, version, principal)
            known = self._facts.get((version, name, roles))
            if known is not None:
                return known
            dataset = self._read_dataset(connection, version, name)
            found = self._permissions.covering(connection, roles.held | roles.bound, name)
        facts = _facts(version, name, dataset, roles, found)
        return self._facts.put((version, name, roles), facts)

    def list_facts(self, principal: Principal) -> tuple[Facts, ...]:
        """The facts of every dataset, by name."""
        version = self.version()
        roles = self._roles.get(_holder(version, principal))
        known = None if roles is None else self._lists.get((version, roles))
        return self._read_list(principal) if known is None else known

    def _read_list(self, principal: Principal) -> tuple[Facts, ...]:
        with reading(self._engine) as connection:
            version = read_version(connection)
            roles = self._read_roles(connection, version, principal)
            known = self._lists.get((version, roles))
            if known is not None:
                return known
            found = read_datasets(connection)
            held = _Covering(self._permissions.covering(connection, roles.held | roles.bound))
        facts = tuple(
            _facts(version, dataset.name, dataset, roles, held.of(dataset.name))
            for dataset in found
        )
        return self._lists.put((version, roles), facts)

    def snapshot(self) -> Snapshot:
        """All that decisions about any principal and dataset rest on, at one version."""
        with reading(self._engine) as connection:
            return Snapshot(
                read_version(connection),
                read_datasets(connection),
                self._permissions.every(connection),
                roles_by_group(connection),
            )

    def rights(self, principal: Principal) -> Rights:
        """What says whether a principal may administer: by the roles that credentials give."""
        version = self.version()
        roles = self._roles.get(_holder(version, principal))
        known = None if roles is None else self._rights.get((version, roles.held))
        if roles is None or known is None:
            with reading(self._engine) as connection:
                version = read_version(connection)
                roles = self._read_roles(connection, version, principal)
                found = self._permissions.covering(connection, roles.held)
            known = self._rights.put((version, roles.held), tuple(filter(_administers, found)))
        return Rights(principal, version.number, roles.held, known)

    def _read_roles(
        self, connection: Connection, version: Version, principal: Principal
    ) -> HeldRoles:
        key = _holder(version, principal)
        return self._roles.get(key) or self._roles.put(key, roles_of(connection, principal))

    def _read_dataset(
        self, connection: Connection, version: Version, name: DatasetName
    ) -> Dataset | None:
        known = self._datasets.get((version, name))
        if known is None:
            known = self._datasets.put((version, name), read_datasets(connection, name))
        return next(iter(known), None)


class _Covering:
    """Permissions by what they are on, to find those that cover a name without trying each."""

    def __init__(self, permissions: Iterable[Permission]) -> None:
        self._on: dict[tuple[str, ...], list[tuple[int, Permission]]] = {}
        for age, permission in enumerate(permissions):
            scope = permission.scope
            match scope.kind:
                case ScopeKind.DATABASE if not scope.per_user:
                    key: tuple[str, ...] = (scope.database,)
                case ScopeKind.TABLE if not scope.per_user:
                    key = (scope.database, scope.dataset)
                case kind if kind.holds_data:
                    # Also those that mean another object for each reader; the policy tells.
                    key = ()
                case _:
                    continue
            self._on.setdefault(key, []).append((age, permission))

    def of(self, name: DatasetName) -> tuple[Permission, ...]:
        scopes = ((), name[:1], tuple(name))
        covering = chain.from_iterable(self._on.get(scope, ()) for scope in scopes)
        return tuple(permission for _, permission in sorted(covering, key=lambda pair: pair[0]))


def _administers(permission: Permission) -> bool:
    """Whether it may give a right to administer: a grant of the whole, or one to hand on."""
    whole = not (
        permission.having or permission.transforms or permission.where or permission.columns
    )
    return permission.effect is Effect.GRANT and (whole or permission.grant_option)


def _holder(version: Version, principal: Principal) -> Holder:
    return (version, principal.issuer, principal.effective_groups, principal.other_groups)


def _facts(
    version: Version,
    name: DatasetName,
    dataset: Dataset | None,
    roles: HeldRoles,
    found: tuple[Permission, ...],
) -> Facts:
    grants = tuple(p for p in found if p.effect is Effect.GRANT and p.role in roles.held)
    guards = tuple(p for p in found if p.effect is not Effect.GRANT and p.role in roles.bound)
    return Facts(version.number, name, dataset, roles.held, grants, guards)
