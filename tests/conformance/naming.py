"""Who asks, in a server that only the original client's own tests talk to: whoever they say."""

from __future__ import annotations

from datetime import UTC, datetime

from privet.identity import Identity
from privet.model.principals import Credentials, NamedUser, Principal

ADMINS = frozenset({"okera", "root"})


class NamingIdentity(Identity):
    """Takes a name for whoever bears it, in a group of that name; no name is the first admin's."""

    def __init__(self, usual: Identity) -> None:
        self.__dict__.update(usual.__dict__)

    def authenticate(self, credentials: Credentials) -> Principal:
        if not isinstance(credentials, NamedUser):
            return super().authenticate(credentials)
        user = credentials.user or "okera"
        return Principal(
            user,
            frozenset({user}),
            admin=user in ADMINS,
            attributes={"whoami": user},
            expires_at=datetime.max.replace(tzinfo=UTC),
            issued_at=datetime.now(UTC),
        )
