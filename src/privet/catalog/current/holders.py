"""Who holds which roles, kept for as long as nobody's roles change."""

from __future__ import annotations

from sqlalchemy import Connection

from privet.catalog.current.changes import Journal
from privet.catalog.roles import HeldRoles, roles_of
from privet.catalog.versions import Lru, Version
from privet.model.principals import Principal

_PRINCIPALS = 4096
_Holder = tuple[str, frozenset[str], frozenset[str]]


class Holders:
    """The roles of principals by version. May be used by several threads."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._known: Lru[_Holder, tuple[Version, HeldRoles]] = Lru(_PRINCIPALS)

    def last(self, principal: Principal) -> HeldRoles | None:
        """The roles that they had when that was last read."""
        known = self._known.get(_holder(principal))
        return known[1] if known else None

    def find(self, version: Version, principal: Principal) -> HeldRoles | None:
        """The roles that they have at a version, if that is known."""
        known = self._known.get(_holder(principal))
        if known is None:
            return None
        changes = self._journal.between(known[0], version)
        return None if changes is None or changes.groups else known[1]

    def keep(self, version: Version, principal: Principal, roles: HeldRoles) -> HeldRoles:
        """Remember what was read at a version."""
        self._known.put(_holder(principal), (version, roles))
        return roles

    def read(self, connection: Connection, version: Version, principal: Principal) -> HeldRoles:
        """The roles that they have at the version that the connection's transaction sees."""
        known = self.find(version, principal)
        return known or self.keep(version, principal, roles_of(connection, principal))


def _holder(principal: Principal) -> _Holder:
    return (principal.issuer, principal.effective_groups, principal.other_groups)
