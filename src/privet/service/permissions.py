"""Permissions: checked when written, effective at the next request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from privet.model.datasets import Dataset
from privet.model.errors import InvalidRequest, NotFound
from privet.model.names import DatasetName, TagName
from privet.model.permissions import AccessLevel, Permission, Rights, on_role
from privet.model.principals import Principal
from privet.policy import (
    Grant,
    Need,
    Passing,
    Revoke,
    Vocabulary,
    check,
    from_json,
    misfit,
    parse,
    to_sql,
)
from privet.service.access import Act, administer, authenticate
from privet.service.dangling import dangling
from privet.service.platform import Caller, Platform
from privet.service.rights import Administrator


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored permission and what its author should know about it."""

    permission: Permission
    warnings: tuple[str, ...] = ()


class Permissions:
    """Granting and revoking."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def list(
        self,
        caller: Caller,
        role: str | None = None,
        database: str | None = None,
        dataset: DatasetName | None = None,
    ) -> tuple[Permission, ...]:
        """Stored permissions that the caller may read; on a database also those in it.

        That are all of roles and on objects that the caller manages; and of the caller's own roles
        those that say no more than listings do.
        """
        administrator = Administrator.of(self._platform, authenticate(self._platform, caller))
        found = self._platform.catalog.permissions.list(
            role=role, database=database, dataset=dataset
        )
        return tuple(p for p in found if _readable(administrator, p))

    def held(self, caller: Caller) -> Rights:
        """What the caller may administer, by their own roles."""
        return Administrator.of(self._platform, authenticate(self._platform, caller)).rights

    def naming(self, caller: Caller, tag: TagName) -> tuple[Permission, ...]:
        """Those that the caller may read and that speak of a tag."""
        named = {p.id for p in self._platform.catalog.permissions.list(tag=tag)}
        return tuple(p for p in self.list(caller) if p.id in named)

    def misfits(self, caller: Caller, dataset: Dataset) -> tuple[str, ...]:
        """Those that the caller may read and whose filters do not fit a dataset they are on."""
        administrator = Administrator.of(self._platform, authenticate(self._platform, caller))
        return misfits_of(self._platform, administrator, dataset)

    def dangling(self, found: Iterable[Permission]) -> tuple[Permission, ...]:
        """Those on what is not there (any more); they count again for what gets its name."""
        kept = tuple(found)
        lost = dangling(self._platform.catalog, kept)
        return tuple(p for p in kept if p.id in lost)

    def grant(self, caller: Caller, statement: Grant) -> Stored:
        """Store a permission.

        Raises:
            UnknownName, TypeMismatch, InvalidRequest: it does not hold together, with position.
            Conflict: the same grant exists.
        """
        permission = statement.permission
        act = Act(
            "permission.create",
            str(permission.scope),
            to_sql(permission),
            {"role": permission.role},
            _passing(permission),
        )
        with administer(self._platform, caller, act) as admin:
            catalog = self._platform.catalog
            covered = [
                d
                for d in catalog.datasets.list(permission.scope.database or None)
                if permission.scope.covers(d.name)
            ]
            warnings = check(
                permission,
                known_vocabulary(self._platform, admin),
                covered,
                catalog.permissions.list(),
                places=statement.places,
                profiles=catalog.domains.profiles(),
            )
            return Stored(catalog.permissions.add(permission, by=admin.user), warnings)

    def grant_text(self, caller: Caller, text: str) -> Stored:
        """Store the permission that a GRANT statement says.

        Raises:
            ParseFailed: not a statement, with position.
            InvalidRequest: another statement than GRANT.
            As `grant`.
        """
        authenticate(self._platform, caller)
        statement = parse(text)
        if not isinstance(statement, Grant):
            raise InvalidRequest(
                "this statement is no GRANT", hint="carry it out as a statement instead"
            )
        return self.grant(caller, statement)

    def grant_form(self, caller: Caller, form: Mapping[str, Any]) -> Stored:
        """Store a permission given in its JSON form.

        Raises:
            InvalidRequest: not that form.
            As `grant`.
        """
        authenticate(self._platform, caller)
        return self.grant(caller, Grant(from_json(form)))

    def revoke(self, caller: Caller, statement: Revoke) -> Permission:
        """Remove the permission with exactly this content."""
        permission = statement.permission
        with administer(self._platform, caller, _revoking(permission)):
            return self._platform.catalog.permissions.remove(permission)

    def revoke_by_id(self, caller: Caller, identifier: str) -> Permission:
        """Remove a permission by its id; one that the caller may not read is as one unknown."""
        act = Act("permission.delete", identifier)
        administrator = Administrator.of(self._platform, authenticate(self._platform, caller))
        with suppress(NotFound):
            permission = self._platform.catalog.permissions.get(identifier)
            if _readable(administrator, permission):
                act = _revoking(permission)
        with administer(self._platform, caller, act):
            return self._platform.catalog.permissions.remove_by_id(identifier)


def misfits_of(
    platform: Platform, administrator: Administrator, dataset: Dataset
) -> tuple[str, ...]:
    """What somebody who looks after permissions should know of those on a new dataset."""
    told = {
        p.id: problem
        for p in platform.catalog.permissions.list()
        if (problem := misfit(p, dataset)) and _readable(administrator, p)
    }
    return tuple(f"on `{dataset.name}` {problem}" for problem in dict.fromkeys(told.values()))


def known_vocabulary(platform: Platform, principal: Principal) -> Vocabulary:
    """The names that exist, as far as somebody may know of them."""
    catalog, administrator = platform.catalog, Administrator.of(platform, principal)
    datasets = administrator.known_datasets(d.name for d in catalog.datasets.list())
    databases = (d.name for d in catalog.databases.list())
    return Vocabulary(
        tags=frozenset(t.name for t in catalog.tags.list()),
        roles=administrator.known_roles(r.name for r in catalog.roles.list()),
        databases=administrator.known_databases(databases, datasets),
        datasets=datasets,
        domains=frozenset(d.name for d in catalog.domains.list()),
    )


def _revoking(permission: Permission) -> Act:
    return Act(
        "permission.delete",
        str(permission.scope),
        to_sql(permission, verb="REVOKE"),
        {"role": permission.role},
        _passing(permission, revoked=True),
    )


def _passing(permission: Permission, *, revoked: bool = False) -> tuple[Need | Passing, ...]:
    """What granting or revoking needs: a right on the role, and one on what it is granted."""
    managing = Need(AccessLevel.MANAGE_PERMISSIONS, on_role(permission.role))
    return managing, Passing(permission, revoked=revoked)


def _readable(administrator: Administrator, permission: Permission) -> bool:
    """Whether somebody may read a statement: it may name what is hidden from its own role."""
    scope = permission.scope
    if administrator.may(AccessLevel.SHOW, on_role(permission.role)):
        return True
    if administrator.may(AccessLevel.MANAGE_GRANTS, scope):
        return True
    on = scope.of_user(administrator.principal.user)
    own = any(permission.id == p.id for p in administrator.rights.permissions)
    return own and on is not None and administrator.knows(on)
