"""Who was seen, with which groups: for `explain` about people who are not here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, Row, select

from privet.catalog.versions import Lru
from privet.model.principals import LOCAL_ISSUER, Principal
from privet.store import reading, upsert, writing
from privet.store.tables import seen_principals

_EVERY = timedelta(minutes=1)
_REMEMBERED = 10_000
_Noted = tuple[tuple[frozenset[str], frozenset[str]], datetime]


@dataclass(frozen=True, slots=True)
class SeenPrincipal:
    """A principal as last written down; at most a minute behind while the groups stay the same.

    `other_groups` are those that their credentials left out.
    """

    user: str
    issuer: str
    groups: frozenset[str]
    last_seen: datetime
    other_groups: frozenset[str] = frozenset()


class Principals:
    """The principals that were seen. Every method raises StoreUnavailable when the store fails."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._noted: Lru[tuple[str, str], _Noted] = Lru(_REMEMBERED)

    def note(self, principal: Principal, at: datetime) -> None:
        """Remember a principal's groups; writes at most once a minute for the same groups."""
        key, groups = (principal.issuer, principal.user), (principal.groups, principal.other_groups)
        noted = self._noted.get(key)
        if noted is not None and noted[0] == groups and at - noted[1] < _EVERY:
            return
        row = {
            "issuer": principal.issuer,
            "user": principal.user,
            "groups": sorted(principal.groups),
            "other_groups": sorted(principal.other_groups),
            "last_seen": at,
        }
        with writing(self._engine) as connection:
            upsert(connection, seen_principals, row)
        self._noted.put(key, (groups, at))

    def find(self, user: str, issuer: str = LOCAL_ISSUER) -> SeenPrincipal | None:
        """A user as they were last seen; None for one who was never seen."""
        wanted = select(seen_principals).filter_by(issuer=issuer, user=user)
        with reading(self._engine) as connection:
            row = connection.execute(wanted).first()
        return None if row is None else _seen(row)

    def last_groups(self, user: str, issuer: str = LOCAL_ISSUER) -> frozenset[str] | None:
        """The groups that a user was last seen with; None for one who was never seen."""
        found = self.find(user, issuer)
        return None if found is None else found.groups

    def list(self) -> tuple[SeenPrincipal, ...]:
        """Everybody who was seen, by issuer and name."""
        wanted = select(seen_principals).order_by(seen_principals.c.issuer, seen_principals.c.user)
        with reading(self._engine) as connection:
            return tuple(_seen(row) for row in connection.execute(wanted))


def _seen(row: Row[Any]) -> SeenPrincipal:
    groups, others = frozenset(row.groups), frozenset(row.other_groups)
    return SeenPrincipal(row.user, row.issuer, groups, row.last_seen, others)
