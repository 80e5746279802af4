"""Ends tokens before their time: one moment per user, before which nothing counts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, Engine, select
from sqlalchemy.dialects import postgresql, sqlite

from privet.store import reading_once, writing
from privet.store.tables import revocations

_INSERTS = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


class Revocations:
    """Read anew at every authentication, so that a revocation holds at once on every replica."""

    def __init__(self, engine: Engine, issuer: str) -> None:
        self._engine = engine
        self._issuer = issuer
        self._query = select(revocations.c.revoked_before).where(revocations.c.issuer == issuer)

    def covers(self, user: str, issued_at: datetime) -> bool:
        """Whether what was issued to `user` at that moment is revoked.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        with reading_once(self._engine) as connection:
            before = connection.scalar(self._query.where(revocations.c.user == user))
        return before is not None and issued_at < before

    def add(self, user: str, at: datetime) -> None:
        """Revoke what was issued to `user` before `at`; an earlier moment changes nothing.

        Raises:
            StoreUnavailable: the store could not be written.
        """
        with writing(self._engine) as connection:
            self.add_within(connection, user, at)

    def add_within(self, connection: Connection, user: str, at: datetime) -> None:
        """As `add`, in the caller's transaction."""
        insert = _INSERTS[connection.dialect.name](revocations).values(
            issuer=self._issuer, user=user, revoked_before=at
        )
        connection.execute(
            insert.on_conflict_do_update(
                index_elements=[revocations.c.issuer, revocations.c.user],
                set_={"revoked_before": insert.excluded.revoked_before},
                where=revocations.c.revoked_before < insert.excluded.revoked_before,
            )
        )
