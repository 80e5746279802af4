"""Who may administer what: by which grants, besides catalog administrators, who may everything.

A right on an object comes from an active grant of its level, or of ALL, on the object or on what
contains it. Grants of some columns, rows or transforms are for reading and give no such right.
Whoever hands on a permission needs a grant of the same WITH GRANT OPTION, or MANAGE_GRANTS.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from privet.model.names import DatasetName
from privet.model.permissions import AccessLevel, Effect, Permission, Rights, Scope, ScopeKind
from privet.policy.bound import window_of
from privet.policy.language.forms import to_json

_OF_ROLES = frozenset({AccessLevel.MANAGE_GROUPS, AccessLevel.MANAGE_PERMISSIONS})
_OF_DATA = frozenset(
    {
        AccessLevel.VIEW_AUDIT,
        AccessLevel.VIEW_COMPLETE_METADATA,
        AccessLevel.ADD_ATTRIBUTE,
        AccessLevel.REMOVE_ATTRIBUTE,
    }
)
_OF_ALL = frozenset({AccessLevel.ALTER, AccessLevel.DROP, AccessLevel.MANAGE_GRANTS})
_CLAUSES = ("having", "transforms", "where")


@dataclass(frozen=True, slots=True)
class Need:
    """A right on an object. `why` is said instead of its name where that would tell too much."""

    level: AccessLevel
    scope: Scope
    why: str = ""


@dataclass(frozen=True, slots=True)
class Passing:
    """The right to let a role have a permission, or, `revoked`, to take it from there."""

    permission: Permission
    revoked: bool = False

    @property
    def scope(self) -> Scope:
        """The object of the permission."""
        return self.permission.scope


@dataclass(frozen=True, slots=True)
class Ruling:
    """Whether somebody may, and by which permissions; or by none, as a catalog administrator.

    Attributes:
        allowed: whether every need is met.
        bypass: whether no grant was asked for.
        permissions: the ids of the grants that give the rights.
        unmet: the first need that is not met; None where only an administrator may.
        as_owner: whether what is created belongs to its creator, and would not otherwise.
    """

    allowed: bool
    bypass: bool = False
    permissions: tuple[str, ...] = ()
    unmet: Need | Passing | None = None
    as_owner: bool = False


def judge(rights: Rights, needs: Iterable[Need | Passing], now: datetime) -> Ruling:
    """Whether all of it is met; no needs at all are a matter of catalog administrators."""
    if rights.principal.admin:
        return Ruling(allowed=True, bypass=True)
    found: dict[str, None] = {}
    as_owner = False
    wanted = tuple(needs)
    for need in wanted:
        match need:
            case Need(level, scope):
                giving = may(rights, level, scope, now)
                as_owner |= bool(giving) and all(_as_owner(p.level) for p in giving)
            case Passing():
                giving = may_pass(rights, need, now)
        if not giving:
            return Ruling(allowed=False, unmet=need)
        found |= dict.fromkeys(p.id for p in giving)
    return Ruling(allowed=bool(wanted), permissions=tuple(found), as_owner=as_owner)


def may(rights: Rights, level: AccessLevel, scope: Scope, now: datetime) -> tuple[Permission, ...]:
    """The active grants that give a right on an object; SHOW comes with any right on it."""
    return tuple(
        p
        for p in rights.permissions
        if _plain(p)
        and _active(p, now)
        and (on := p.scope.of_user(rights.principal.user)) is not None
        and on.holds(scope)
        and _gives(p, level, scope, exact=on == scope)
    )


@dataclass(frozen=True, slots=True)
class Reach:
    """The datasets on which somebody has a right: all, those of databases, and some by name."""

    everywhere: bool = False
    databases: frozenset[str] = frozenset()
    datasets: frozenset[DatasetName] = frozenset()

    def __or__(self, other: Reach) -> Reach:
        return Reach(
            self.everywhere or other.everywhere,
            self.databases | other.databases,
            self.datasets | other.datasets,
        )

    def holds(self, name: DatasetName) -> bool:
        """Whether they have it on this one."""
        return self.everywhere or name.database in self.databases or name in self.datasets


_SOME_TABLE = Scope(ScopeKind.TABLE)


def reach(rights: Rights, level: AccessLevel, now: datetime) -> Reach:
    """Where `may` says that somebody has a right, for every dataset at once."""
    if rights.principal.admin:
        return Reach(everywhere=True)
    everywhere, databases, datasets = False, set[str](), set[DatasetName]()
    for permission in rights.permissions:
        on = permission.scope.of_user(rights.principal.user)
        if on is None or not on.kind.holds_data:
            continue
        exact = on.kind is ScopeKind.TABLE
        gives = _plain(permission) and _gives(permission, level, _SOME_TABLE, exact=exact)
        if not gives or not _active(permission, now):
            continue
        match on.kind:
            case ScopeKind.CATALOG:
                everywhere = True
            case ScopeKind.DATABASE:
                databases.add(on.database)
            case _:
                datasets.add(DatasetName(on.database, on.dataset))
    return Reach(everywhere, frozenset(databases), frozenset(datasets))


def may_pass(rights: Rights, passing: Passing, now: datetime) -> tuple[Permission, ...]:
    """The active grants by which somebody may grant or revoke a permission.

    The right to change what its role has is another one: MANAGE_PERMISSIONS on the role.
    """
    wanted = passing.permission
    managing = may(rights, AccessLevel.MANAGE_GRANTS, wanted.scope, now)
    if wanted.effect is not Effect.GRANT:
        return managing
    handed = tuple(p for p in rights.permissions if _hands_on(rights, p, wanted, now))
    giving = (*managing, *(p for p in handed if p not in managing))
    if passing.revoked:
        return giving
    return tuple(p for p in giving if _outlasts(p, wanted))


def _plain(permission: Permission) -> bool:
    """Whether it is a grant of the whole object."""
    return permission.effect is Effect.GRANT and not (
        permission.having or permission.transforms or permission.where or permission.columns
    )


def _active(permission: Permission, now: datetime) -> bool:
    window = window_of(permission.properties)
    return not window.problem and not window.closed(now.timestamp())


def _as_owner(level: AccessLevel) -> bool:
    return level in {
        AccessLevel.CREATE_AS_OWNER,
        AccessLevel.CREATE_ROLE_AS_OWNER,
        AccessLevel.CREATE_CRAWLER_AS_OWNER,
        AccessLevel.CREATE_DATACONNECTION_AS_OWNER,
    }


def _gives(permission: Permission, level: AccessLevel, scope: Scope, *, exact: bool) -> bool:
    held = permission.level
    if level is AccessLevel.DETOKENIZE:
        # Nobody gets to know who people are because somebody wrote ALL.
        return held is level
    if held is AccessLevel.ALL:
        # Sharing something is not part of having all of it.
        return level is not AccessLevel.MANAGE_GRANTS or permission.grant_option
    if held is AccessLevel.CREATE_AS_OWNER:
        # Within this very object: the databases of others are not meant.
        return exact and level in {held, AccessLevel.CREATE, AccessLevel.SHOW}
    if level is AccessLevel.SHOW:
        # Nobody can hand on what they may not know of.
        return (exact and permission.grant_option) or _shows(held, scope.kind, exact=exact)
    return held is level


def _shows(held: AccessLevel, kind: ScopeKind, *, exact: bool) -> bool:
    """Whether a right on an object, or on what contains it, tells that the object is there.

    Reading does not: of what is read, the law says what is there.
    """
    if held is AccessLevel.SHOW or held in _OF_ALL:
        return True
    if kind.holds_data:
        return held in _OF_DATA or (exact and held is not AccessLevel.SELECT)
    if kind is ScopeKind.DATACONNECTION and held is AccessLevel.USE:
        return True
    return exact or (kind is ScopeKind.ROLE and held in _OF_ROLES)


def _hands_on(rights: Rights, own: Permission, wanted: Permission, now: datetime) -> bool:
    if not own.grant_option or own.level not in {wanted.level, AccessLevel.ALL}:
        return False
    on = own.scope.of_user(rights.principal.user)
    return (
        on is not None and on.holds(wanted.scope) and _active(own, now) and _no_wider(wanted, own)
    )


def _no_wider(wanted: Permission, own: Permission) -> bool:
    """Whether it shows nothing that the other does not: the same clauses, or any below none."""
    if own.columns and not (wanted.columns and {*wanted.columns} <= {*own.columns}):
        return False
    clauses = _clauses(own)
    return not any(clauses) or clauses == _clauses(wanted)


def _clauses(permission: Permission) -> list[Any]:
    form = to_json(permission)
    return [form[clause] for clause in _CLAUSES]


def _outlasts(own: Permission, wanted: Permission) -> bool:
    """Whether what is granted ends no later than the right to grant it."""
    end = window_of(wanted.properties)
    return bool(end.problem) or end.end <= window_of(own.properties).end
