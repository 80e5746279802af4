"""Statements about permissions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from privet.model.errors import Conflict, NotFound
from privet.model.permissions import Effect, Permission, Scope, ScopeKind
from privet.policy import (
    Grant,
    Revoke,
    filter_sql,
    shows,
    tags_sql,
    to_english,
    to_sql,
    transform_sql,
)
from privet.service.dangling import dangling
from privet.service.permissions import Permissions
from privet.service.platform import Caller, Platform
from privet.service.roles import Roles
from privet.service.statements.results import Handler, Row, StatementResult, table

GRANT_COLUMNS = (
    "scope", "database", "table", "column", "uri", "attribute_namespace", "role", "crawler",
    "data_connection", "privilege", "attribute_expression", "transform_expression", "filter",
    "grant_option", "create_time", "properties",
)  # fmt: skip
"""What the original's client expects, in its order."""
_COLUMNS = (*GRANT_COLUMNS, "effect", "dangling", "permission", "id")
_KINDS = {ScopeKind.CATALOG: "server", ScopeKind.NAMESPACE: "attribute_namespace"}


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
            raise NotFound(f"role `{statement.role}` does not exist", hint="see `privet role list`")
        found = self._permissions.list(caller, role=statement.role)
        return self._table(found, statement.scope)

    def _of_tag(self, caller: Caller, statement: shows.ShowGrantTag) -> StatementResult:
        naming = {p.id for p in self._platform.catalog.permissions.list(tag=statement.tag)}
        found = (p for p in self._permissions.list(caller) if p.id in naming)
        return self._table(found, statement.scope)

    def _table(self, found: Iterable[Permission], scope: Scope | None) -> StatementResult:
        shown = [p for p in found if scope is None or scope.holds(p.scope)]
        lost = dangling(self._platform.catalog, shown)
        rows = [row for p in shown for row in _rows(p, p.id in lost)]
        return table(*_COLUMNS, rows=rows)


def grant_rows(permission: Permission) -> Iterator[Row]:
    """A permission under `GRANT_COLUMNS`; one on several columns is a row for each."""
    scope = permission.scope
    verb = "" if permission.effect is Effect.GRANT else f"{permission.effect.value} "
    created = permission.created_at.isoformat() if permission.created_at else ""
    properties = ", ".join(f"{k}={v}" for k, v in sorted(permission.properties.items()))
    transforms = "; ".join(
        f"{tags_sql(clause.tags)}:{transform_sql(clause.call)}" for clause in permission.transforms
    )
    for column in permission.columns or ("",):
        yield (
            "column" if permission.columns else _KINDS.get(scope.kind, scope.kind.value),
            scope.database,
            scope.dataset,
            column,
            _name(scope, ScopeKind.URI),
            _name(scope, ScopeKind.NAMESPACE),
            _name(scope, ScopeKind.ROLE),
            _name(scope, ScopeKind.CRAWLER),
            _name(scope, ScopeKind.DATACONNECTION),
            verb + permission.level.value,
            "" if permission.having is None else tags_sql(permission.having),
            transforms,
            "" if permission.where is None else filter_sql(permission.where),
            str(permission.grant_option).lower(),
            created,
            properties,
        )


def _name(scope: Scope, kind: ScopeKind) -> str:
    return scope.name if scope.kind is kind else ""


def _rows(permission: Permission, lost: bool) -> Iterator[Row]:
    ours = (permission.effect.value, str(lost).lower(), to_sql(permission), permission.id)
    return ((*row, *ours) for row in grant_rows(permission))
