"""Small texts that clients keep by key, each principal's own."""

from __future__ import annotations

from sqlalchemy import Engine, delete, func, select

from privet.catalog.versions import Clock
from privet.model.errors import ResourcesExceeded
from privet.store import reading, upsert, writing
from privet.store.tables import notes

Owner = tuple[str, str]
"""An issuer, and the name of a user there."""


class Notes:
    """The texts by owner and key. Every method raises StoreUnavailable when the store fails."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def find(self, owner: Owner, key: str) -> str | None:
        """The text, if there is one."""
        issuer, user = owner
        with reading(self._engine) as connection:
            found = select(notes.c.value).filter_by(issuer=issuer, user=user, key=key)
            return connection.execute(found).scalar()

    def list(self, owner: Owner) -> tuple[tuple[str, str], ...]:
        """All keys of an owner, in order, with their texts."""
        issuer, user = owner
        with reading(self._engine) as connection:
            found = select(notes.c.key, notes.c.value).filter_by(issuer=issuer, user=user)
            rows = connection.execute(found.order_by(notes.c.key)).all()
        return tuple((row.key, row.value) for row in rows)

    def put(self, owner: Owner, key: str, value: str | None, *, most: int) -> None:
        """Keep a text, or with None forget it.

        Raises:
            ResourcesExceeded: it would be one more than `most` of this owner.
        """
        issuer, user = owner
        own = {"issuer": issuer, "user": user, "key": key}
        with writing(self._engine) as connection:
            if value is None:
                connection.execute(delete(notes).filter_by(**own))
                return
            upsert(connection, notes, {**own, "value": value, "updated_at": self._clock()})
            mine = select(func.count()).select_from(notes).filter_by(issuer=issuer, user=user)
            if connection.execute(mine).scalar_one() > most:
                raise ResourcesExceeded(
                    f"there are {most} keys already", hint="forget those that nobody needs"
                )
