"""Who asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from privet.model.names import RESERVED_GROUP_PREFIX

LOCAL_ISSUER = "privet"


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated subject. Users and groups are names within `issuer`.

    `groups` are those that the credentials carry, and grants go by them. `other_groups` are those
    that the user is in as well, as far as is known: safeguards bind by them too.
    """

    user: str
    groups: frozenset[str] = frozenset()
    issuer: str = LOCAL_ISSUER
    admin: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict[str, str], compare=False)
    expires_at: datetime | None = field(default=None, compare=False)
    token_id: str = field(default="", compare=False)
    issued_at: datetime | None = field(default=None, compare=False)
    other_groups: frozenset[str] = frozenset()

    @property
    def effective_groups(self) -> frozenset[str]:
        """The issuer's groups and the implicit `user:<name>`."""
        return self.groups | {f"{RESERVED_GROUP_PREFIX}{self.user}"}

    @property
    def all_groups(self) -> frozenset[str]:
        """What safeguards go by: also the groups that these credentials leave out."""
        return self.effective_groups | self.other_groups


@dataclass(frozen=True, slots=True)
class BearerToken:
    """Credentials: a signed token."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Password:
    """Credentials: a local user's name and password."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something was sent as credentials, and it is none; refused like wrong ones, and on record."""


@dataclass(frozen=True, slots=True)
class NamedUser:
    """A mere name; only an identity made for tests takes it for credentials. Empty: the admin."""

    user: str


Credentials = BearerToken | Password | Unreadable | NamedUser | None
