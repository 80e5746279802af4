"""Jobs that write re-token maps, and how much somebody had detokenized."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Engine, Row, insert, select, update

from privet.catalog.versions import Clock
from privet.model.crawling.crawls import CrawlStatus
from privet.model.errors import Conflict, NotFound, RateLimited
from privet.model.principals import Principal
from privet.store import reading, writing
from privet.store.tables import detokenized, token_jobs

WINDOW = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class TokenJob:
    """One writing of a map from old tokens to new ones. `file` is where it lies, when complete."""

    id: str
    domain: str
    from_version: int
    to_version: int
    status: CrawlStatus
    datasets: int
    datasets_done: int = 0
    rows_read: int = 0
    pairs: int = 0
    file: str = ""
    error: str = ""
    created_by: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None


class TokenJobs:
    """The jobs of a catalog. Every method raises StoreUnavailable when the store fails."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def start(self, domain: str, versions: tuple[int, int], datasets: int, *, by: str) -> TokenJob:
        """Note that a job begins.

        Raises:
            Conflict: one for this domain is running.
        """
        with writing(self._engine) as connection:
            running = select(token_jobs.c.id).filter_by(domain=domain, status="running")
            if connection.execute(running).first():
                raise Conflict(
                    f"a map of token domain `{domain}` is being written",
                    hint="see `privet tokens jobs`",
                )
            old, new = versions
            job = TokenJob(
                str(uuid4()), domain, old, new, CrawlStatus.RUNNING, datasets,
                created_by=by, started_at=self._clock(),
            )  # fmt: skip
            values = {name: getattr(job, name) for name in TokenJob.__dataclass_fields__}
            connection.execute(insert(token_jobs).values(values | {"status": job.status.value}))
            return job

    def progress(self, identifier: str, *, datasets_done: int, rows_read: int, pairs: int) -> None:
        """Say how far it is."""
        self._update(identifier, datasets_done=datasets_done, rows_read=rows_read, pairs=pairs)

    def finish(self, identifier: str, *, file: str = "", error: str = "") -> None:
        """Say how it ended: with a file, or an error."""
        status = CrawlStatus.FAILED if error else CrawlStatus.COMPLETED
        self._update(
            identifier, status=status.value, file=file, error=error, finished_at=self._clock()
        )

    def list(self) -> tuple[TokenJob, ...]:
        """All jobs, the latest first."""
        wanted = select(token_jobs).order_by(token_jobs.c.started_at.desc(), token_jobs.c.id)
        with reading(self._engine) as connection:
            return tuple(map(_job, connection.execute(wanted)))

    def get(self, identifier: str) -> TokenJob:
        """One job.

        Raises:
            NotFound: there is none of that id.
        """
        with reading(self._engine) as connection:
            row = connection.execute(select(token_jobs).filter_by(id=identifier)).first()
        if row is None:
            raise NotFound("there is no such job", hint="see `privet tokens jobs`")
        return _job(row)

    def fail_interrupted(self) -> None:
        """Call those failed that a server left behind; at its start."""
        interrupted = {"status": "failed", "error": "the server ended", "file": ""}
        with writing(self._engine) as connection:
            running = update(token_jobs).filter_by(status="running")
            connection.execute(running.values(finished_at=self._clock(), **interrupted))

    def _update(self, identifier: str, **values: Any) -> None:
        with writing(self._engine) as connection:
            connection.execute(update(token_jobs).filter_by(id=identifier).values(**values))


class Budgets:
    """How many values each principal had detokenized in the last hour, over all servers."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def spend(self, principal: Principal, values: int, limit: int) -> None:
        """Count values before they are given.

        Raises:
            RateLimited: they are more than is left of this hour; nothing is counted then.
        """
        who = {"issuer": principal.issuer, "user": principal.user}
        now = self._clock()
        with writing(self._engine) as connection:
            own = select(detokenized).filter_by(**who).with_for_update()
            row = connection.execute(own).first()
            fresh = row is None or row.since + WINDOW <= now
            spent, since = (0, now) if row is None or fresh else (row.values, row.since)
            if spent + values > limit:
                raise RateLimited(
                    f"that would be {spent + values} values in an hour, and {limit} may be",
                    hint=f"ask for fewer, or again after {since + WINDOW:%H:%M:%S} UTC",
                )
            counted = {"since": since, "values": spent + values}
            if row is None:
                connection.execute(insert(detokenized).values(who | counted))
            else:
                connection.execute(update(detokenized).filter_by(**who).values(**counted))


def _job(row: Row[Any]) -> TokenJob:
    values = dict[str, Any](zip(token_jobs.c.keys(), row, strict=True))
    values["status"] = CrawlStatus(row.status)
    return TokenJob(**values)
