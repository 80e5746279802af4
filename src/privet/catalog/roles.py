"""Roles: what permissions are granted to. Principals hold them through groups of their issuer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from sqlalchemy import Connection, Engine, delete, insert, select, update

from privet.catalog.versions import Clock, changing
from privet.model.errors import Conflict, InvalidRequest, NotFound, UnknownName
from privet.model.names import (
    PUBLIC_ROLE,
    RESERVED_GROUP_PREFIX,
    RESERVED_ROLE_PREFIX,
    check_principal_name,
    owner_role,
)
from privet.model.principals import LOCAL_ISSUER, Principal
from privet.store import reading
from privet.store.tables import permissions, role_groups, roles

_SYSTEM = "privet"


@dataclass(frozen=True, slots=True)
class Role:
    """A role and the groups that hold it, as (issuer, group)."""

    name: str
    groups: tuple[tuple[str, str], ...] = ()
    builtin: bool = False


class Roles:
    """The roles of a catalog. Every method raises StoreUnavailable when the store fails."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def create(self, name: str, *, by: str) -> Role:
        """Add a role that nobody holds yet.

        Raises:
            Conflict: there is one of that name.
            InvalidRequest: such names are for the roles of owners.
        """
        if name.startswith(RESERVED_ROLE_PREFIX):
            raise InvalidRequest(
                f"`{name}` is reserved: roles of owners are called so", hint="choose another name"
            )
        with changing(self._engine) as connection:
            if _exists(connection, name):
                raise Conflict(f"role `{name}` already exists")
            _insert(connection, name, builtin=False, by=by, at=self._clock())
        return Role(name)

    def drop(self, name: str) -> None:
        """Remove a role with its groups and its permissions.

        Raises:
            NotFound: there is none of that name.
            Conflict: it is built in.
        """
        with changing(self._engine) as connection:
            row = connection.execute(select(roles).filter_by(name=name)).first()
            if row is None:
                raise _unknown(name)
            if row.builtin:
                raise Conflict(f"role `{name}` is built in and cannot be dropped")
            connection.execute(delete(permissions).filter_by(role=name))
            connection.execute(delete(role_groups).filter_by(role=name))
            connection.execute(delete(roles).filter_by(name=name))

    def list(self) -> tuple[Role, ...]:
        """All roles by name, with their groups."""
        with reading(self._engine) as connection:
            held: dict[str, list[tuple[str, str]]] = {}
            mapped = select(role_groups).order_by(role_groups.c.issuer, role_groups.c.group)
            for row in connection.execute(mapped):
                held.setdefault(row.role, []).append((row.issuer, row.group))
            return tuple(
                Role(row.name, tuple(held.get(row.name, ())), row.builtin)
                for row in connection.execute(select(roles).order_by(roles.c.name))
            )

    def map_group(self, role: str, group: str, issuer: str = LOCAL_ISSUER) -> None:
        """Let a group hold a role; again is the same as once. `user:<name>` is one user.

        Raises:
            NotFound: there is no such role.
            InvalidRequest: not a group name, or the role is held by everybody anyway.
        """
        check_principal_name(group, "group name")
        if role == PUBLIC_ROLE:
            raise InvalidRequest(f"everybody holds `{PUBLIC_ROLE}`", hint="map another role")
        row = {"issuer": issuer, "group": group, "role": role}
        with changing(self._engine) as connection:
            if not _exists(connection, role):
                raise _unknown(role)
            if not connection.execute(select(role_groups).filter_by(**row)).first():
                connection.execute(insert(role_groups).values(row))

    def unmap_group(self, role: str, group: str, issuer: str = LOCAL_ISSUER) -> None:
        """Take a role from a group.

        Raises:
            NotFound: the group does not hold it.
        """
        row = {"issuer": issuer, "group": group, "role": role}
        with changing(self._engine) as connection:
            if not connection.execute(delete(role_groups).filter_by(**row)).rowcount:
                raise NotFound(
                    f"group `{group}` does not hold role `{role}`", hint="see `privet role list`"
                )

    def of(self, principal: Principal) -> frozenset[str]:
        """The roles that a principal holds; the public role always."""
        with reading(self._engine) as connection:
            return roles_of(connection, principal).held

    def ensure_builtin(self, wanted: Iterable[str]) -> None:
        """Make these roles, and the public one, exist and be built in."""
        expected = {PUBLIC_ROLE, *wanted}
        if missing := expected - {role.name for role in self.list() if role.builtin}:
            with changing(self._engine) as connection:
                for name in sorted(missing):
                    if _exists(connection, name):
                        connection.execute(update(roles).filter_by(name=name).values(builtin=True))
                    else:
                        _insert(connection, name, builtin=True, by=_SYSTEM, at=self._clock())


def _insert(connection: Connection, name: str, *, builtin: bool, by: str, at: datetime) -> None:
    row = {"name": name, "builtin": builtin, "created_by": by, "created_at": at}
    connection.execute(insert(roles).values(row))


def ensure_owner(connection: Connection, owner: Principal, at: datetime) -> str:
    """The role by which one user has what they own; made, and given to them alone, if absent."""
    name = owner_role(owner.user, owner.issuer)
    if not _exists(connection, name):
        _insert(connection, name, builtin=False, by=_SYSTEM, at=at)
        group = f"{RESERVED_GROUP_PREFIX}{owner.user}"
        row = {"issuer": owner.issuer, "group": group, "role": name}
        connection.execute(insert(role_groups).values(row))
    return name


@dataclass(frozen=True, slots=True)
class HeldRoles:
    """The roles of a principal.

    `held` are those that their credentials give; grants go by them. `bound` are those of all groups
    that they are known to be in; safeguards go by them.
    """

    held: frozenset[str]
    bound: frozenset[str]

    @classmethod
    def given(cls, principal: Principal, mapped: Iterable[tuple[str, str]]) -> Self:
        """From the groups of their issuer that they are in, each with a role that it holds."""
        found, given = tuple(mapped), principal.effective_groups
        return cls(
            frozenset({PUBLIC_ROLE, *(role for group, role in found if group in given)}),
            frozenset({PUBLIC_ROLE, *(role for _, role in found)}),
        )


def roles_of(connection: Connection, principal: Principal) -> HeldRoles:
    """The roles of a principal as the connection's transaction sees them."""
    mapped = select(role_groups.c.role, role_groups.c.group).where(
        role_groups.c.issuer == principal.issuer,
        role_groups.c.group.in_(principal.all_groups),
    )
    found = connection.execute(mapped).all()
    return HeldRoles.given(principal, ((row.group, row.role) for row in found))


def roles_by_group(connection: Connection) -> dict[tuple[str, str], frozenset[str]]:
    """The roles of every group that holds one, by issuer and name."""
    found: dict[tuple[str, str], set[str]] = {}
    for row in connection.execute(select(role_groups)):
        found.setdefault((row.issuer, row.group), set()).add(row.role)
    return {group: frozenset(held) for group, held in found.items()}


def require_role(connection: Connection, name: str) -> None:
    """Check that a role exists, within the transaction that is going to use it.

    Raises:
        UnknownName: it does not.
    """
    if not _exists(connection, name):
        raise UnknownName(
            f"role `{name}` does not exist", hint=f"create it with `privet role create {name}`"
        )


def _exists(connection: Connection, name: str) -> bool:
    return connection.execute(select(roles.c.name).filter_by(name=name)).first() is not None


def _unknown(name: str) -> NotFound:
    return NotFound(f"role `{name}` does not exist", hint="see `privet role list`")
