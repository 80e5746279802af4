"""Roles, and the groups that hold them."""

from __future__ import annotations

from privet.catalog import Role
from privet.service.access import Act, administer, steward
from privet.service.platform import Caller, Platform


class Roles:
    """Ours; groups are the identity provider's."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def list(self, caller: Caller) -> tuple[Role, ...]:
        """All roles with their groups."""
        steward(self._platform, caller, Act("role.list"))
        return self._platform.catalog.roles.list()

    def create(self, caller: Caller, name: str) -> Role:
        """Add a role."""
        with administer(self._platform, caller, Act("role.create", name)) as admin:
            return self._platform.catalog.roles.create(name, by=admin.user)

    def drop(self, caller: Caller, name: str) -> None:
        """Remove a role with its groups and its permissions."""
        with administer(self._platform, caller, Act("role.delete", name)):
            self._platform.catalog.roles.drop(name)

    def map_group(self, caller: Caller, role: str, group: str) -> None:
        """Let a group hold a role."""
        with administer(self._platform, caller, Act("role.grant", role, detail={"group": group})):
            self._platform.catalog.roles.map_group(role, group)

    def unmap_group(self, caller: Caller, role: str, group: str) -> None:
        """Let a group hold a role no more."""
        with administer(self._platform, caller, Act("role.revoke", role, detail={"group": group})):
            self._platform.catalog.roles.unmap_group(role, group)
