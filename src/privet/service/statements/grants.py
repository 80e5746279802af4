"""Statements about permissions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from privet.model.errors import Conflict, NotFound
from privet.model.permissions import Permission, Scope
from privet.policy import Grant, Revoke, shows, to_english, to_sql
from privet.service.dangling import dangling
from privet.service.permissions import Permissions
from privet.service.platform import Caller, Platform
from privet.service.roles import Roles
from privet.service.statements.results import Handler, Row, StatementResult, table

_COLUMNS = (
    "permission", "effect", "privilege", "scope", "object", "columns", "grant_option", "dangling",
    "id",
)  # fmt: skip


class GrantStatements:
    """GRANT, REVOKE and safeguards, and what there is of them."""

    def __init__(self, platform: Platform, permissions: Permissions, roles: Roles) -> None:
        self._platform = platform
        self._permissions = permissions
        self._roles = roles

    def handlers(self) -> Mapping[type, Handler]:
        """By the type of the statement."""
        return {
            Grant: self._grant,
            Revoke: self._revoke,
            shows.ShowGrantRole: self._of_role,
            shows.ShowGrantTag: self._of_tag,
        }

    def _grant(self, caller: Caller, statement: Grant) -> StatementResult:
        try:
            stored = self._permissions.grant(caller, statement)
        except Conflict:
            if not statement.if_not_exists:
                raise
            return StatementResult("grant", "nothing to do")
        return StatementResult("grant", to_english(stored.permission), warnings=stored.warnings)

    def _revoke(self, caller: Caller, statement: Revoke) -> StatementResult:
        gone = self._permissions.revoke(caller, statement)
        return StatementResult("revoke", f"revoked: {to_sql(gone)}")

    def _of_role(self, caller: Caller, statement: shows.ShowGrantRole) -> StatementResult:
        if statement.role not in {role.name for role in self._roles.list(caller)}:
            raise NotFound(f"role `{statement.role}` does not exist")
        found = self._permissions.list(caller, role=statement.role)
        return self._table(found, statement.scope)

    def _of_tag(self, caller: Caller, statement: shows.ShowGrantTag) -> StatementResult:
        naming = {p.id for p in self._platform.catalog.permissions.list(tag=statement.tag)}
        found = (p for p in self._permissions.list(caller) if p.id in naming)
        return self._table(found, statement.scope)

    def _table(self, found: Iterable[Permission], scope: Scope | None) -> StatementResult:
        shown = [p for p in found if scope is None or scope.holds(p.scope)]
        lost = dangling(self._platform.catalog, shown)
        return table(*_COLUMNS, rows=[_row(p, p.id in lost) for p in shown])


def _row(permission: Permission, lost: bool) -> Row:
    scope = permission.scope
    return (
        to_sql(permission),
        permission.effect.value,
        permission.level.value,
        scope.kind.value,
        scope.name or ".".join(filter(None, (scope.database, scope.dataset))),
        ", ".join(permission.columns),
        str(permission.grant_option).lower(),
        str(lost).lower(),
        permission.id,
    )
