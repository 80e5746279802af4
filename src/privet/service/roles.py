"""Roles, the groups that hold them, and who changed them."""

from __future__ import annotations

from dataclasses import replace

from privet.catalog import Role
from privet.model.errors import Conflict
from privet.model.events import Event
from privet.model.permissions import CATALOG, AccessLevel, Effect, Permission, on_role
from privet.policy import Need, roles_asked
from privet.service.access import Act, administer, authenticate, steward
from privet.service.platform import Caller, Platform
from privet.service.rights import Administrator, absent


class Roles:
    """Ours; groups are the identity provider's."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def list(self, caller: Caller) -> tuple[Role, ...]:
        """The roles that the caller holds, with the caller's groups; all of those with a right."""
        principal = authenticate(self._platform, caller)
        administrator = Administrator.of(self._platform, principal)
        groups = {(principal.issuer, group) for group in principal.effective_groups}
        roles = self._platform.catalog.roles.list()
        known = administrator.known_roles(role.name for role in roles)
        return tuple(
            role
            if administrator.may(AccessLevel.SHOW, on_role(role.name))
            else replace(role, groups=tuple(g for g in role.groups if g in groups))
            for role in roles
            if role.name in known
        )

    def create(self, caller: Caller, name: str) -> Role:
        """Add a role."""
        act = Act(
            "role.create",
            name,
            detail={"role": name},
            needs=(Need(AccessLevel.CREATE_ROLE_AS_OWNER, CATALOG),),
            creates=on_role(name),
        )
        with administer(self._platform, caller, act) as admin:
            return self._platform.catalog.roles.create(name, by=admin.user)

    def drop(self, caller: Caller, name: str) -> None:
        """Remove a role with its groups and its permissions.

        Raises:
            Conflict: it is built in, or filters ask for it: whoever made it anew would meet them.
        """
        needs = (Need(AccessLevel.DROP, on_role(name)), *self._guarded(name))
        act = Act("role.delete", name, detail={"role": name}, needs=needs, drops=on_role(name))
        with administer(self._platform, caller, act):
            asking = [p for p in self._platform.catalog.permissions.list() if _asks_for(p, name)]
            if asking:
                raise Conflict(
                    f"role `{name}` is in the filters of {len(asking)} permissions",
                    hint="revoke these permissions before you drop the role",
                )
            self._platform.catalog.roles.drop(name)

    def map_group(self, caller: Caller, role: str, group: str) -> None:
        """Let a group hold a role."""
        needs = (Need(AccessLevel.MANAGE_GROUPS, on_role(role)),)
        act = Act("role.grant", role, detail={"role": role, "group": group}, needs=needs)
        with administer(self._platform, caller, act):
            self._platform.catalog.roles.map_group(role, group)

    def unmap_group(self, caller: Caller, role: str, group: str) -> None:
        """Let a group hold a role no more."""
        needs = (Need(AccessLevel.MANAGE_GROUPS, on_role(role)), *self._guarded(role))
        act = Act("role.revoke", role, detail={"role": role, "group": group}, needs=needs)
        with administer(self._platform, caller, act):
            self._platform.catalog.roles.unmap_group(role, group)

    def history(
        self, caller: Caller, role: str, limit: int = 100, before: str | None = None
    ) -> tuple[Event, ...]:
        """Who changed a role, its groups and its permissions, newest first; only what was done.

        Raises:
            NotFound: the caller has no right on it; or there is no such role, and never was.
        """
        steward(
            self._platform,
            caller,
            Act("role.history", role, needs=(Need(AccessLevel.SHOW, on_role(role)),)),
        )
        events = self._platform.audit.role_history(role, limit=limit, before=before)
        if not events and before is None and role not in self._names():
            raise absent(on_role(role))
        return events

    def _names(self) -> frozenset[str]:
        return frozenset(role.name for role in self._platform.catalog.roles.list())

    def _guarded(self, role: str) -> tuple[Need, ...]:
        """What ends the safeguards of a role for somebody needs the right to drop them."""
        why = f"role `{role}` has safeguards, so this needs MANAGE_GRANTS on what they protect"
        return tuple(
            Need(AccessLevel.MANAGE_GRANTS, p.scope, why)
            for p in self._platform.catalog.permissions.list(role=role)
            if p.effect is not Effect.GRANT
        )


def _asks_for(permission: Permission, role: str) -> bool:
    where = permission.where
    return permission.role != role and where is not None and role in roles_asked(where)
