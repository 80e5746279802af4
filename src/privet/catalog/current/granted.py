"""Stored permissions as values. What one says never changes, so each is decoded once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from privet.catalog.documents import load_text
from privet.catalog.versions import Lru
from privet.model.errors import PrivetError, StoreUnavailable
from privet.model.permissions import Permission
from privet.store.tables import permissions

Decode = Callable[[Mapping[str, Any]], Permission]
_DECODED = 20_000


class Granted:
    """Reads permissions. May be used by several threads."""

    def __init__(self, decode: Decode) -> None:
        self._decode = decode
        self._decoded: Lru[str, Permission] = Lru(_DECODED)

    def read(
        self, connection: Connection, condition: ColumnElement[bool]
    ) -> tuple[Permission, ...]:
        """Permissions whose rows meet a condition, oldest first: two queries, one if all are known.

        Raises:
            StoreUnavailable: one cannot be read by this version of Privet.
        """
        named = select(permissions.c.id).where(condition)
        ordered = named.order_by(permissions.c.created_at, permissions.c.id)
        ids = connection.execute(ordered).scalars().all()
        known = {i: found for i in ids if (found := self._decoded.get(i)) is not None}
        if len(known) < len(ids):
            for row in connection.execute(select(permissions).where(condition)):
                known[row.id] = self.value(row.id, row.document, row.created_by, row.created_at)
        return tuple(known[i] for i in ids)

    def of_roles(self, connection: Connection, roles: Iterable[str]) -> tuple[Permission, ...]:
        """All permissions of some roles, oldest first."""
        return self.read(connection, permissions.c.role.in_([*roles]))

    def value(
        self, identifier: str, document: Mapping[str, Any] | str, by: str, at: datetime
    ) -> Permission:
        """The permission of a row, whose document may still be text.

        Raises:
            StoreUnavailable: it cannot be read by this version of Privet.
        """
        known = self._decoded.get(identifier)
        if known is not None:
            return known
        try:
            read = load_text(document) if isinstance(document, str) else document
            permission = self._decode(read)
        except PrivetError as error:
            # Leaving it out could show what it was meant to hide.
            raise StoreUnavailable(
                f"permission `{identifier}` cannot be read by this version of Privet",
                hint="start the version that wrote it, or remove it there",
            ) from error
        stored = replace(permission, id=identifier, created_by=by, created_at=at)
        return self._decoded.put(identifier, stored)


def moment_of(text: str) -> datetime:
    """A stored moment that came as text."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
