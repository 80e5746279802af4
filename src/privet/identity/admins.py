"""Who administers the catalog: named in settings, for principals of our own issuer only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from privet.model.errors import ConfigurationInvalid, InvalidRequest
from privet.model.names import check_group_name, check_principal_name


@dataclass(frozen=True, slots=True)
class AdminRule:
    """Names compared exactly; no folding, no patterns. Empty means nobody."""

    users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, entries: Iterable[str]) -> Self:
        """Read the setting `catalog_admins`: `user:NAME`, `group:NAME`, or a user's bare NAME.

        Raises:
            ConfigurationInvalid: an entry that is none of these, so that a typing error in the
                setting stops the start instead of naming somebody else.
        """
        users: set[str] = set()
        groups: set[str] = set()
        for entry in entries:
            kind, separator, name = entry.partition(":")
            try:
                match kind if separator else None:
                    case None:
                        users.add(check_principal_name(entry))
                    case "user":
                        users.add(check_principal_name(name))
                    case "group":
                        groups.add(check_group_name(name))
                    case _:
                        raise _invalid(entry)
            except InvalidRequest as error:
                raise _invalid(entry) from error
        return cls(frozenset(users), frozenset(groups))

    def matches(self, user: str, groups: frozenset[str]) -> bool:
        """Whether a principal of our own issuer is an admin."""
        return user in self.users or not self.groups.isdisjoint(groups)


def _invalid(entry: str) -> ConfigurationInvalid:
    return ConfigurationInvalid(
        f"`{entry[:64]!a}` in catalog_admins names no user or group",
        hint="write user:NAME, group:NAME, or NAME for a user",
    )
