"""Permissions: checked when written, effective at the next request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from privet.model.errors import InvalidRequest
from privet.model.names import DatasetName
from privet.model.permissions import Permission
from privet.policy import Grant, Revoke, Vocabulary, check, from_json, parse, to_sql
from privet.service.access import Act, administer, authenticate, steward
from privet.service.platform import Caller, Platform


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
        """Stored permissions; on a database also those on its datasets."""
        steward(self._platform, caller, Act("permission.list"))
        return self._platform.catalog.permissions.list(
            role=role, database=database, dataset=dataset
        )

    def grant(self, caller: Caller, statement: Grant) -> Stored:
        """Store a permission.

        Raises:
            UnknownName, TypeMismatch, InvalidRequest: it does not hold together, with position.
            Conflict: the same grant exists.
        """
        permission = statement.permission
        act = Act("permission.create", str(permission.scope), to_sql(permission))
        with administer(self._platform, caller, act) as admin:
            catalog = self._platform.catalog
            covered = [
                d
                for d in catalog.datasets.list(permission.scope.database or None)
                if permission.scope.covers(d.name)
            ]
            warnings = check(
                permission,
                self._vocabulary(),
                covered,
                catalog.permissions.list(),
                places=statement.places,
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
        act = Act("permission.delete", str(permission.scope), to_sql(permission, verb="REVOKE"))
        with administer(self._platform, caller, act):
            return self._platform.catalog.permissions.remove(permission)

    def revoke_by_id(self, caller: Caller, identifier: str) -> Permission:
        """Remove a permission by its id."""
        with administer(self._platform, caller, Act("permission.delete", identifier)):
            return self._platform.catalog.permissions.remove_by_id(identifier)

    def _vocabulary(self) -> Vocabulary:
        catalog = self._platform.catalog
        return Vocabulary(
            tags=frozenset(t.name for t in catalog.tags.list()),
            roles=frozenset(r.name for r in catalog.roles.list()),
            databases=frozenset(d.name for d in catalog.databases.list()),
            datasets=frozenset(d.name for d in catalog.datasets.list()),
        )
