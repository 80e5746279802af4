"""Who was seen, with which groups: for `explain` about people who are not here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, select

from privet.catalog.versions import Lru
from privet.model.principals import LOCAL_ISSUER, Principal
from privet.store import reading, upsert, writing
from privet.store.tables import seen_principals

_EVERY = timedelta(hours=1)
_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class SeenPrincipal:
    """A principal as last written down; at most an hour behind while the groups stay the same."""

    user: str
    issuer: str
    groups: frozenset[str]
    last_seen: datetime


class Principals:
    """The principals that were seen. Every method raises StoreUnavailable when the store fails."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._noted: Lru[tuple[str, str, frozenset[str]], datetime] = Lru(_REMEMBERED)

    def note(self, principal: Principal, at: datetime) -> None:
        """Remember a principal's groups; writes at most once an hour for the same groups."""
        key = (principal.issuer, principal.user, principal.groups)
        noted = self._noted.get(key)
        if noted is not None and at - noted < _EVERY:
            return
        row = {
            "issuer": principal.issuer,
            "user": principal.user,
            "groups": sorted(principal.groups),
            "last_seen": at,
        }
        with writing(self._engine) as connection:
            upsert(connection, seen_principals, row)
        self._noted.put(key, at)

    def last_groups(self, user: str, issuer: str = LOCAL_ISSUER) -> frozenset[str] | None:
        """The groups that a user was last seen with; None for one who was never seen."""
        wanted = select(seen_principals.c.groups).filter_by(issuer=issuer, user=user)
        with reading(self._engine) as connection:
            groups = connection.execute(wanted).scalar()
        return None if groups is None else frozenset(groups)

    def list(self) -> tuple[SeenPrincipal, ...]:
        """Everybody who was seen, by issuer and name."""
        wanted = select(seen_principals).order_by(seen_principals.c.issuer, seen_principals.c.user)
        with reading(self._engine) as connection:
            return tuple(
                SeenPrincipal(row.user, row.issuer, frozenset(row.groups), row.last_seen)
                for row in connection.execute(wanted)
            )
