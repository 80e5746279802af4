"""The audit log: what was asked for and how it ended, durable before anything follows from it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Engine, select

from privet.audit.events import clean, clean_text, from_row, to_row
from privet.audit.group_commit import GroupCommit
from privet.audit.ids import EventIds
from privet.audit.reach import Reach
from privet.model.errors import AuditUnavailable, InvalidRequest
from privet.model.events import Event, Outcome
from privet.store import reading_once
from privet.store.tables import audit_events as table

MAX_PAGE = 1000
_ENDS = frozenset({Outcome.COMPLETED, Outcome.CANCELLED, Outcome.FAILED})
_TOLD = (
    *("id", "parent", "action", "outcome", "user", "object", "error"),
    *("rows_read", "rows_returned", "bytes_returned"),
)
_OF_ROLES = (
    *("role.create", "role.delete", "role.grant", "role.revoke"),
    *("permission.create", "permission.delete"),
)
_log = logging.getLogger("privet.audit")


class AuditLog:
    """Events in the append-only table `audit_events` of a migrated store. Thread-safe."""

    def __init__(self, engine: Engine, *, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._clock = clock
        self._ids = EventIds()
        self._commits = GroupCommit(engine)

    def record(self, event: Event) -> Event:
        """Write the event; it is on disk when this returns.

        Must not be called inside a transaction on the same SQLite file: it would wait for itself.

        Returns:
            The event as stored, with its id and moment.

        How something ended has happened, recorded or not: what the log cannot take of that goes to
        the server's own log.

        Raises:
            AuditUnavailable: it could not be written; the caller must not go on.
        """
        at = self._clock()
        stored = clean(event, self._ids.next(at), at)
        row = to_row(stored)
        try:
            self._commits.write(row)
        except AuditUnavailable as error:
            if stored.outcome not in _ENDS:
                raise
            _log.error("an end is not on record: %s", json.dumps({k: row[k] for k in _TOLD}))
            raise AuditUnavailable(
                "how it ended could not be recorded; that it was asked for is on record",
                hint="an administrator finds the end in the server's own log",
            ) from error
        return stored

    def list_events(  # noqa: PLR0913 - each is a filter of its own
        self,
        *,
        user: str | None = None,
        action: str | None = None,
        object: str | None = None,  # noqa: A002 - the field's name
        outcome: Outcome | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 100,
        before: str | None = None,
        reach: Reach | None = None,
    ) -> tuple[Event, ...]:
        """Events that match every filter given, newest first.

        Args:
            user: Exact, as `action` and `object`.
            action: For example `scan.start`.
            object: For example `medical_charges.medical_costs`.
            outcome: How it went.
            since: This moment (aware) or later.
            until: Before this moment (aware).
            limit: 1 to 1000.
            before: The id of the last event of the page before.
            reach: Whose eyes they are for; without it, every event counts.

        Raises:
            InvalidRequest: a limit, moment or id that cannot be meant.
            StoreUnavailable: the log could not be read.
        """
        _check_page(limit)
        texts = ((table.c.user, user), (table.c.action, action), (table.c.object, object))
        filters = [column == clean_text(text) for column, text in texts if text is not None]
        if outcome is not None:
            filters.append(table.c.outcome == outcome.value)
        filters += _between(since, until)
        if before is not None:
            filters.append(table.c.id < _check_id(before))
        if reach is not None:
            filters.append(reach.condition())
        return self._read(filters, limit)

    def role_history(
        self, role: str, *, limit: int = 100, before: str | None = None
    ) -> tuple[Event, ...]:
        """What was asked for and done to a role, its groups and permissions, newest first.

        Raises:
            InvalidRequest: as `list_events`.
            StoreUnavailable: the log could not be read.
        """
        _check_page(limit)
        ends = table.alias("ends")
        done = (
            select(ends.c.id)
            .where(ends.c.parent == table.c.id, ends.c.outcome == Outcome.COMPLETED.value)
            .exists()
        )
        about = table.c.detail["role"].as_string() == role
        filters = [table.c.action.in_(_OF_ROLES), table.c.parent == "", about, done]
        if before is not None:
            filters.append(table.c.id < _check_id(before))
        return self._read(filters, limit)

    def _read(self, filters: list[ColumnElement[bool]], limit: int) -> tuple[Event, ...]:
        query = select(table).where(*filters).order_by(table.c.id.desc()).limit(limit)
        with reading_once(self._engine) as connection:
            return tuple(from_row(dict(row)) for row in connection.execute(query).mappings())

    def close(self) -> None:
        """Return when every event taken is durable or refused; nothing is taken any more."""
        self._commits.close()


def _check_page(limit: int) -> None:
    if not 1 <= limit <= MAX_PAGE:
        raise InvalidRequest(f"a page of {limit} events", hint=f"ask for 1 to {MAX_PAGE}")


def _between(since: datetime | None, until: datetime | None) -> list[ColumnElement[bool]]:
    if any(moment is not None and moment.tzinfo is None for moment in (since, until)):
        raise InvalidRequest("a moment without a time zone", hint="add one, for example Z")
    filters: list[ColumnElement[bool]] = []
    if since is not None:
        filters.append(table.c.at >= since)
    if until is not None:
        filters.append(table.c.at < until)
    return filters


def _check_id(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError as error:
        raise InvalidRequest(
            f"`{text[:64]!a}` is not the id of an event", hint="take it from a listed event"
        ) from error
