"""Statements as values: what `parse` returns."""

from __future__ import annotations

from dataclasses import dataclass, field

from privet.model.errors import Position
from privet.model.names import TagName
from privet.model.permissions import Permission
from privet.policy.language.definitions import Definition
from privet.policy.language.shows import Show


@dataclass(frozen=True, slots=True)
class Places:
    """Where the names that a permission's values hold without a position were written."""

    scope: Position | None = None
    role: Position | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """`GRANT ... TO ROLE r`, or a safeguard: `DENY` and `RESTRICT ... FROM ROLE r`."""

    permission: Permission
    if_not_exists: bool = False
    places: Places = field(default_factory=Places, compare=False, repr=False)

    @property
    def at(self) -> Position | None:
        """Where the name of its object stands; of the catalog, that of its role."""
        return self.places.scope or self.places.role


@dataclass(frozen=True, slots=True)
class Revoke:
    """`REVOKE ... FROM ROLE r`: of the permission with exactly this content, properties apart.

    Of a safeguard: `DROP DENY` and `DROP RESTRICT ... FROM ROLE r`.
    """

    permission: Permission
    places: Places = field(default_factory=Places, compare=False, repr=False)

    @property
    def at(self) -> Position | None:
        """Where the name of its object stands; of the catalog, that of its role."""
        return self.places.scope or self.places.role


@dataclass(frozen=True, slots=True)
class CreateTag:
    """`CREATE ATTRIBUTE [IF NOT EXISTS] ns.k`."""

    tag: TagName
    if_not_exists: bool = False
    at: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class DropTag:
    """`DROP ATTRIBUTE [IF EXISTS] ns.k`."""

    tag: TagName
    if_exists: bool = False
    at: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class CreateRole:
    """`CREATE ROLE [IF NOT EXISTS] r [WITH GROUPS g, ..]`."""

    role: str
    if_not_exists: bool = False
    groups: tuple[str, ...] = ()
    at: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class DropRole:
    """`DROP ROLE [IF EXISTS] r`."""

    role: str
    if_exists: bool = False
    at: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class GrantRole:
    """`GRANT ROLE r TO GROUP g`."""

    role: str
    group: str
    at: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class RevokeRole:
    """`REVOKE ROLE r FROM GROUP g`."""

    role: str
    group: str
    at: Position | None = field(default=None, compare=False, repr=False)


Statement = (
    Grant
    | Revoke
    | CreateTag
    | DropTag
    | CreateRole
    | DropRole
    | GrantRole
    | RevokeRole
    | Definition
    | Show
)
