"""Permissions on what is not there any more. They grant nothing, until something has the name."""

from __future__ import annotations

from collections.abc import Iterable

from privet.catalog import Catalog
from privet.model.names import DatasetName
from privet.model.permissions import Permission, ScopeKind


def dangling(catalog: Catalog, permissions: Iterable[Permission]) -> frozenset[str]:
    """The ids of those whose object does not exist.

    The catalog and paths always do; what a name with `${user}` means depends on who asks.
    """
    there = {
        ScopeKind.DATABASE: {d.name for d in catalog.databases.list()},
        ScopeKind.TABLE: {d.name for d in catalog.datasets.list()},
        ScopeKind.NAMESPACE: {t.name.namespace for t in catalog.tags.list()},
        ScopeKind.ROLE: {r.name for r in catalog.roles.list()},
        ScopeKind.TOKEN_DOMAIN: {d.name for d in catalog.domains.list()}
        | {str(t.name) for t in catalog.tags.list()},
        ScopeKind.CRAWLER: {c.name for c in catalog.crawls.list()},
        ScopeKind.DATACONNECTION: {c.name for c in catalog.connections.list()},
    }

    def lost(permission: Permission) -> bool:
        scope = permission.scope
        if scope.per_user or scope.kind not in there:
            return False
        if scope.kind is ScopeKind.TABLE:
            return DatasetName(scope.database, scope.dataset) not in there[scope.kind]
        return (scope.name or scope.database) not in there[scope.kind]

    return frozenset(p.id for p in permissions if lost(p))
