"""What somebody may do, as the original says it: levels by number, on objects."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from privet.model.permissions import AccessLevel, Effect, Permission, Scope, ScopeKind
from privet.okera.calls import Call
from privet.okera.idl import T

_NUMBERS: dict[str, int] = {
    level.value: getattr(T.TAccessPermissionLevel, level.name)
    for level in AccessLevel
    if hasattr(T.TAccessPermissionLevel, level.name)
}
_SCOPES: dict[ScopeKind, int] = {
    ScopeKind.CATALOG: T.TAccessPermissionScope.SERVER,
    ScopeKind.URI: T.TAccessPermissionScope.URI,
    ScopeKind.DATABASE: T.TAccessPermissionScope.DATABASE,
    ScopeKind.TABLE: T.TAccessPermissionScope.TABLE,
    ScopeKind.NAMESPACE: T.TAccessPermissionScope.ATTRIBUTE_NAMESPACE,
    ScopeKind.ROLE: T.TAccessPermissionScope.ROLE,
    ScopeKind.CRAWLER: T.TAccessPermissionScope.CRAWLER,
    ScopeKind.DATACONNECTION: T.TAccessPermissionScope.DATACONNECTION,
}
ALL: int = T.TAccessPermissionLevel.ALL


def number_of(level: AccessLevel) -> int | None:
    """A level as a message says it; None for one that the original does not have."""
    return _NUMBERS.get(level.value)


def levels_of(numbers: Iterable[int]) -> frozenset[AccessLevel]:
    """Levels that a message names."""
    by_number = {number: name for name, number in _NUMBERS.items()}
    return frozenset(AccessLevel(by_number[n]) for n in numbers if n in by_number)


def level_names() -> Collection[str]:
    """The levels that the original has."""
    return _NUMBERS.keys()


def scope_number(permission: Permission) -> int:
    """The kind of object of a permission as a message says it."""
    if permission.columns:
        return int(T.TAccessPermissionScope.COLUMN)
    return _SCOPES.get(permission.scope.kind, int(T.TAccessPermissionScope.SERVER))


@dataclass(frozen=True, slots=True)
class Held:
    """The grants of whoever calls."""

    admin: bool
    grants: tuple[Permission, ...]

    @classmethod
    def of(cls, call: Call) -> Held:
        """Those that count now."""
        rights = call.services.permissions.held(call.caller)
        grants = {p.id: p for p in rights.permissions}
        if call.compatibility and not rights.principal.admin:
            # With the original those of some columns or rows are levels as well.
            readable = call.services.permissions.list(call.of_user("").caller)
            grants |= {p.id: p for p in readable if p.role in rights.roles}
        return cls(
            rights.principal.admin,
            tuple(p for p in grants.values() if p.effect is Effect.GRANT),
        )

    def levels_on(self, scope: Scope, inherited: Collection[AccessLevel]) -> list[int]:
        """The levels on an object: those on itself, and of those on the catalog the inherited."""
        if self.admin:
            return [ALL]
        return _numbers(
            p.level
            for p in self.grants
            if p.scope == scope or (p.scope.kind is ScopeKind.CATALOG and p.level in inherited)
        )

    def levels_exactly(
        self, wanted: Callable[[Scope], bool], without: Collection[AccessLevel] = ()
    ) -> list[int]:
        """The levels on any of the wanted objects, but for some."""
        if self.admin:
            return [ALL]
        return _numbers(p.level for p in self.grants if wanted(p.scope) and p.level not in without)

    def may_pass_on(self, scope: Scope) -> bool:
        """Whether something on an object may be granted on."""
        return self.admin or any(p.grant_option and p.scope.holds(scope) for p in self.grants)

    def anything_in(self, database: str, numbers: Iterable[int]) -> bool:
        """Whether one of the levels, or all, is held on a database or in it."""
        levels = levels_of(numbers) | {AccessLevel.ALL}
        return self.admin or any(
            p.level in levels
            and (p.scope.kind is ScopeKind.CATALOG or p.scope.database == database)
            for p in self.grants
        )

    def anything_on(self, scope: Scope, numbers: Iterable[int]) -> bool:
        """Whether one of the levels, or all, is held on an object or around it."""
        levels = levels_of(numbers) | {AccessLevel.ALL}
        return self.admin or any(p.level in levels and p.scope.holds(scope) for p in self.grants)


def _numbers(levels: Iterable[AccessLevel]) -> list[int]:
    return sorted({n for level in levels if (n := number_of(level)) is not None})
