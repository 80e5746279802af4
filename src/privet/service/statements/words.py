"""Statements about attributes and roles: the words that permissions are written in."""

from __future__ import annotations

from collections.abc import Mapping

from privet.model.errors import Conflict, NotFound
from privet.policy import CreateRole, CreateTag, DropRole, DropTag, GrantRole, RevokeRole, shows
from privet.service.access import Act, steward
from privet.service.platform import Caller, Platform
from privet.service.roles import Roles
from privet.service.sessions import Sessions
from privet.service.statements.results import Handler, StatementResult, done, table
from privet.service.tags import Tags


class WordStatements:
    """Attributes, roles, and the groups that hold them."""

    def __init__(self, platform: Platform, tags: Tags, roles: Roles, sessions: Sessions) -> None:
        self._platform = platform
        self._tags = tags
        self._roles = roles
        self._sessions = sessions

    def handlers(self) -> Mapping[type, Handler]:
        """By the type of the statement."""
        return {
            CreateTag: self._create_tag,
            DropTag: self._drop_tag,
            CreateRole: self._create_role,
            DropRole: self._drop_role,
            GrantRole: self._grant_role,
            RevokeRole: self._revoke_role,
            shows.ShowTags: self._show_tags,
            shows.ShowRoles: self._show_roles,
            shows.ShowRolesOfGroup: self._roles_of_group,
        }

    def _create_tag(self, caller: Caller, statement: CreateTag) -> StatementResult:
        lenient = statement.if_not_exists
        return done("create", lenient, Conflict, lambda: self._tags.create(caller, statement.tag))

    def _drop_tag(self, caller: Caller, statement: DropTag) -> StatementResult:
        lenient = statement.if_exists
        return done("drop", lenient, NotFound, lambda: self._tags.drop(caller, statement.tag))

    def _create_role(self, caller: Caller, statement: CreateRole) -> StatementResult:
        role = statement.role

        def create() -> None:
            self._roles.create(caller, role)
            for group in statement.groups:
                self._roles.map_group(caller, role, group)

        return done("create", statement.if_not_exists, Conflict, create)

    def _drop_role(self, caller: Caller, statement: DropRole) -> StatementResult:
        lenient = statement.if_exists
        return done("drop", lenient, NotFound, lambda: self._roles.drop(caller, statement.role))

    def _grant_role(self, caller: Caller, statement: GrantRole) -> StatementResult:
        role, group = statement.role, statement.group
        self._roles.map_group(caller, role, group)
        return StatementResult("grant_role", f"group `{group}` holds role `{role}`")

    def _revoke_role(self, caller: Caller, statement: RevokeRole) -> StatementResult:
        role, group = statement.role, statement.group
        self._roles.unmap_group(caller, role, group)
        return StatementResult("revoke_role", f"group `{group}` no longer holds `{role}`")

    def _show_tags(self, caller: Caller, _: shows.ShowTags) -> StatementResult:
        rows = [(str(tag.name), tag.description) for tag in self._tags.list(caller)]
        return table("attribute", "description", rows=rows)

    def _show_roles(self, caller: Caller, statement: shows.ShowRoles) -> StatementResult:
        roles = self._roles.list(caller)
        if statement.which is shows.Which.ALL:
            steward(self._platform, caller, Act("role.list"))
        if statement.which is shows.Which.CURRENT:
            held = self._sessions.whoami(caller).roles
            roles = tuple(role for role in roles if role.name in held)
        rows = [(role.name, ", ".join(group for _, group in role.groups)) for role in roles]
        return table("role", "groups", rows=rows)

    def _roles_of_group(self, caller: Caller, statement: shows.ShowRolesOfGroup) -> StatementResult:
        held = (
            (role.name,)
            for role in self._roles.list(caller)
            if statement.group in {group for _, group in role.groups}
        )
        return table("role", rows=held)
