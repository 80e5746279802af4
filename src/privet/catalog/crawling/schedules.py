"""When crawls are due. A schedule goes with its crawl."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, select, update

from privet.catalog.versions import Clock
from privet.model.crawling.crawls import Schedule
from privet.model.errors import NotFound
from privet.store import upsert, writing
from privet.store.crawl_tables import crawl_schedules

Following = Callable[[Schedule, datetime], datetime]
"""When a schedule is due after a moment."""


class Schedules:
    """The schedules of a catalog. Every method raises StoreUnavailable when the store fails."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def put(self, schedule: Schedule) -> None:
        """Give a crawl a schedule, in place of the one it had.

        Raises:
            Conflict: there is no such crawl any more.
        """
        issuer, user = schedule.owner
        values = {
            "crawl": schedule.crawl,
            "expression": schedule.expression,
            "timezone": schedule.timezone,
            "next_at": schedule.next_at,
            "last_at": schedule.last_at,
            "last_error": schedule.last_error,
            "issuer": issuer,
            "user": user,
        }
        with writing(self._engine) as connection:
            upsert(connection, crawl_schedules, values)

    def drop(self, crawl: str) -> None:
        """Take a crawl's schedule away.

        Raises:
            NotFound: it has none.
        """
        with writing(self._engine) as connection:
            gone = connection.execute(delete(crawl_schedules).filter_by(crawl=crawl))
            if not gone.rowcount:
                raise NotFound(f"crawl `{crawl}` has no schedule")

    def claim_due(self, following: Following) -> tuple[Schedule, ...]:
        """The schedules that are due, each moved on to its next moment after now.

        Of several servers one gets each. However many moments were missed, it is due once.
        """
        now = self._clock()
        claimed: list[Schedule] = []
        table = crawl_schedules
        with writing(self._engine) as connection:
            due = select(table).where(table.c.next_at <= now).order_by(table.c.next_at)
            for row in connection.execute(due).all():
                schedule = _schedule(row)
                moved = connection.execute(
                    update(table)
                    .where(table.c.crawl == row.crawl, table.c.next_at == row.next_at)
                    .values(next_at=following(schedule, now), last_at=now, last_error="")
                )
                if moved.rowcount:
                    claimed.append(schedule)
        return tuple(claimed)

    def fail(self, crawl: str, error: str) -> None:
        """Note why a run that was due could not begin."""
        with writing(self._engine) as connection:
            connection.execute(
                update(crawl_schedules).filter_by(crawl=crawl).values(last_error=error)
            )


def read_schedules(connection: Connection) -> Mapping[str, Schedule]:
    """All schedules, by crawl."""
    return {row.crawl: _schedule(row) for row in connection.execute(select(crawl_schedules))}


def _schedule(row: Row[Any]) -> Schedule:
    return Schedule(
        row.crawl,
        row.expression,
        row.timezone,
        row.next_at,
        (row.issuer, row.user),
        row.last_at,
        row.last_error,
    )
