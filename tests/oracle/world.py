"""The question that the law answers, and what it says about who holds what, on what, and when.

From docs/reference/policy-language.md; shares nothing with `privet.policy`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from privet.model.datasets import Column, Dataset
from privet.model.expressions import HasTag, TagAnd, TagExpr, TagNot, TagOr
from privet.model.names import TagName
from privet.model.permissions import AccessLevel, Effect, Permission, ScopeKind
from privet.model.principals import Principal

PUBLIC = "public_role"
_IN_NAMES = re.compile(r"[a-z0-9_]{1,128}")


@dataclass(frozen=True)
class World:
    """A question: who asks, for what, when, and all that is the case.

    `permissions` are grants and safeguards alike; `roles` maps a role to the (issuer, group) pairs
    that hold it. Behind a view `lenders` are those who made the views on the way, whoever lends
    this dataset last.
    """

    principal: Principal
    dataset: Dataset
    table: pa.Table
    permissions: tuple[Permission, ...]
    roles: Mapping[str, frozenset[tuple[str, str]]]
    now: datetime
    lenders: tuple[Principal, ...] = ()

    @property
    def owner(self) -> Principal:
        """By whose grants it is read."""
        return self.lenders[-1] if self.lenders else self.principal

    @property
    def bound(self) -> tuple[Principal, ...]:
        """Whose safeguards bind; an administrator has none."""
        if self.principal.admin:
            return self.lenders
        return (*self.lenders, self.principal)


# ---- who


def roles_of(world: World) -> frozenset[str]:
    """The reader's roles: of the token's groups, of `user:<name>`, and the public one."""
    return _roles(world, world.principal, world.principal.groups)


def roles_bound(world: World) -> frozenset[str]:
    """The roles that safeguards go by: also of the groups that a token leaves out."""
    of_each = (_roles(world, one, one.groups | one.other_groups) for one in world.bound)
    return frozenset().union(*of_each)


def _roles(world: World, who: Principal, groups: frozenset[str]) -> frozenset[str]:
    held = {(who.issuer, g) for g in (*groups, f"user:{who.user}")}
    return frozenset({PUBLIC, *(r for r, members in world.roles.items() if members & held)})


def grants_heard(world: World) -> Iterator[Permission]:
    """The grants of cells that are the reader's, cover the dataset and are in force.

    Behind a view they are those of whoever made it.
    """
    reading = {AccessLevel.SELECT, AccessLevel.ALL}
    lent = _roles(world, world.owner, world.owner.groups)
    for permission in _covering(world, lent, world.owner):
        counts = permission.effect is Effect.GRANT and permission.level in reading
        if counts and in_force(permission, world.now, unreadable=False):
            yield permission


def safeguards_heard(world: World) -> Iterator[Permission]:
    """The safeguards that bind the reader, cover the dataset and are in force.

    Behind a view also those that bind whoever made a view on the way. They bind all of them alike.
    """
    for permission in _covering(world, roles_bound(world), world.principal, *world.lenders):
        counts = permission.effect is not Effect.GRANT
        if counts and in_force(permission, world.now, unreadable=True):
            yield permission


def _covering(world: World, held: frozenset[str], *who: Principal) -> Iterator[Permission]:
    return (
        p for p in world.permissions if p.role in held and any(covers(p, world, w) for w in who)
    )


# ---- on what, and when


def covers(permission: Permission, world: World, who: Principal | None = None) -> bool:
    """Whether a permission is on the catalog, on this database or on this dataset.

    Args:
        permission: any.
        world: with the dataset.
        who: whose name `${user}` stands for; the reader's by default.
    """
    scope, name = permission.scope, world.dataset.name
    if scope.kind is ScopeKind.CATALOG:
        return True
    user = (who or world.principal).user
    database, dataset = (_of_user(part, user) for part in (scope.database, scope.dataset))
    if scope.kind is ScopeKind.DATABASE:
        return database == name.database
    return scope.kind is ScopeKind.TABLE and (database, dataset) == (name.database, name.name)


def _of_user(part: str, user: str) -> str | None:
    """The part for somebody; None if their name is no part of a name."""
    if "${user}" not in part:
        return part
    return part.replace("${user}", user) if _IN_NAMES.fullmatch(user) else None


def in_force(permission: Permission, now: datetime, *, unreadable: bool) -> bool:
    """Enabled, and start <= now < end, in seconds since 1970; `unreadable` if nobody can tell."""
    properties = permission.properties
    enabled = properties.get("enabled", "true")
    start, end = properties.get("start_datetime", "0"), properties.get("end_datetime")
    if enabled not in {"true", "false"} or not all(
        re.fullmatch("[0-9]+", t or "0") for t in (start, end)
    ):
        return unreadable
    return (
        enabled == "true"
        and int(start) <= now.timestamp()
        and (end is None or now.timestamp() < int(end))
    )


# ---- on which columns


def readings_of(column: Column, dataset: Dataset) -> tuple[frozenset[TagName], frozenset[TagName]]:
    """The tags of a column with those inside it, and without."""
    return tags_of(column, dataset), tags_of(column, dataset, inside=False)


def tags_of(column: Column, dataset: Dataset, *, inside: bool = True) -> frozenset[TagName]:
    """The column's own tags, its dataset's and its database's, and those on fields inside it."""
    own = {t.tag for t in column.field_tags if inside or t.path == (column.name,)}
    return frozenset(own | dataset.tags | dataset.database_tags)


def matches(tags: TagExpr, held: frozenset[TagName]) -> bool:
    """Whether a tag expression is true of these tags."""
    match tags:
        case HasTag(tag):
            return tag in held
        case TagNot(part):
            return not matches(part, held)
        case TagAnd(parts):
            return all(matches(p, held) for p in parts)
        case TagOr(parts):
            return any(matches(p, held) for p in parts)
    raise AssertionError(tags)
