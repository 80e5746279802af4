"""Crawls as stored: one row per name, with what was found."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    delete,
    insert,
    or_,
    select,
    true,
    update,
)

from privet.catalog.crawling.schedules import read_schedules
from privet.catalog.documents import dump_found, load_found
from privet.catalog.paths import PathOwners
from privet.catalog.versions import Clock
from privet.model.crawling.crawls import Crawl, CrawlReport, CrawlStatus, FoundDataset, Schedule
from privet.model.errors import Conflict, NotFound
from privet.store import reading, writing
from privet.store.crawl_tables import crawl_datasets, crawl_objects
from privet.store.tables import crawls

_RUNNING = CrawlStatus.RUNNING.value


@dataclass(frozen=True, slots=True)
class Starter:
    """Who starts a crawl, and until when the server that does has promised to go on with it."""

    user: str
    issuer: str = ""
    leased_until: datetime | None = None


class Crawls:
    """The crawls of a catalog. Every method raises StoreUnavailable when the store fails.

    Crawls are no facts: they do not change the catalog's version.
    """

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def start(
        self,
        name: str,
        uri: str,
        *,
        by: Starter,
        again: bool = True,
        single_files: bool | None = None,
    ) -> Crawl:
        """Write down that a crawl runs. An earlier one of that name that ended is replaced.

        What it remembers of objects stays, unless it is of another address now. Whether each file
        is a dataset is as it was, unless that is said.

        Raises:
            Conflict: one of that name is running; or, unless it may be `again`, there is one.
        """
        with writing(self._engine) as connection:
            # Of two first starts the table refuses one; of two later ones, the second waits here.
            row = connection.execute(select(crawls).filter_by(name=name).with_for_update()).first()
            if row is not None and row.status == _RUNNING:
                raise Conflict(
                    f"crawl `{name}` is running", hint="wait for its end, or choose another name"
                )
            if row is not None and not again:
                raise Conflict(f"crawl `{name}` already exists", hint="choose another name")
            if single_files is None:
                single_files = row is not None and CrawlReport.from_json(row.report).single_files
            report = CrawlReport(single_files=single_files).to_json()
            started: dict[str, Any] = {
                "uri": uri, "status": _RUNNING, "objects_seen": 0, "datasets_found": 0,
                "found": [], "error": "", "started_at": self._clock(), "finished_at": None,
                "created_by": by.user, "issuer": by.issuer, "report": report,
                "run": 1 if row is None else row.run + 1, "leased_until": by.leased_until,
            }  # fmt: skip
            if row is None:
                connection.execute(insert(crawls).values(name=name, **started))
            else:
                connection.execute(update(crawls).filter_by(name=name).values(started))
                if row.uri != uri:
                    for table in (crawl_objects, crawl_datasets):
                        connection.execute(delete(table).filter_by(crawl=name))
            return _read_one(connection, name)

    def progress(
        self, name: str, *, objects_seen: int, datasets_found: int, started: Crawl | None = None
    ) -> bool:
        """Note how far a running crawl is, and say whether it still runs.

        One that ended meanwhile, as one that was cancelled did, is left as it is; and so is another
        one of its name, than the one that was `started`.
        """
        with writing(self._engine) as connection:
            noted = connection.execute(
                update(crawls)
                .filter_by(name=name, status=_RUNNING, **_same(started))
                .values(objects_seen=objects_seen, datasets_found=datasets_found)
            )
            return bool(noted.rowcount)

    def finish(
        self,
        name: str,
        found: Sequence[FoundDataset],
        *,
        error: str = "",
        report: CrawlReport | None = None,
        started: Crawl | None = None,
    ) -> Crawl:
        """Store what a crawl found and did. With an error it failed. A cancelled one stays that.

        Nothing is stored with another one of its name than the one that was `started`.

        Raises:
            NotFound: there is no such crawl.
        """
        status = CrawlStatus.FAILED if error else CrawlStatus.COMPLETED
        with writing(self._engine) as connection:
            _read_one(connection, name)
            connection.execute(
                update(crawls)
                .filter_by(name=name, **_same(started))
                .where(crawls.c.status != CrawlStatus.CANCELLED.value)
                .values(
                    status=status.value,
                    found=[dump_found(dataset) for dataset in found],
                    datasets_found=len(found),
                    error=error,
                    finished_at=self._clock(),
                    **({} if report is None else {"report": report.to_json()}),
                )
            )
            return _read_one(connection, name)

    def set_single_files(self, name: str, value: bool) -> None:
        """Say for the next run whether each file is a dataset of its own.

        Raises:
            NotFound: there is no such crawl.
        """
        with writing(self._engine) as connection:
            report = replace(_read_one(connection, name).report, single_files=value).to_json()
            connection.execute(update(crawls).filter_by(name=name).values(report=report))

    def forget(self, name: str, found: str) -> None:
        """Forget one dataset that a crawl found, until it finds it again.

        Raises:
            NotFound: there is no such crawl, or it found no such dataset.
        """
        with writing(self._engine) as connection:
            held = _read_one(connection, name).found
            kept = [dump_found(each) for each in held if each.name != found]
            if len(kept) == len(held):
                raise NotFound(f"crawl `{name}` found no dataset `{found[:64]}`")
            connection.execute(
                update(crawls).filter_by(name=name).values(found=kept, datasets_found=len(kept))
            )

    def cancel(self, name: str) -> Crawl:
        """End a running crawl as cancelled; whoever runs it hears of that by its progress.

        Raises:
            NotFound: there is no such crawl.
            Conflict: it does not run.
        """
        with writing(self._engine) as connection:
            _read_one(connection, name)
            ended = connection.execute(
                update(crawls)
                .filter_by(name=name, status=_RUNNING)
                .values(
                    status=CrawlStatus.CANCELLED.value,
                    error="it was cancelled",
                    finished_at=self._clock(),
                )
            )
            if not ended.rowcount:
                raise Conflict(f"crawl `{name}` is not running")
            return _read_one(connection, name)

    def renew(self, names: Collection[str], until: datetime | None) -> None:
        """Promise to go on with crawls that run here; None hands them on to whoever is there."""
        with writing(self._engine) as connection:
            connection.execute(
                update(crawls)
                .where(crawls.c.name.in_(names), crawls.c.status == _RUNNING)
                .values(leased_until=until)
            )

    def adopt(self, until: datetime) -> tuple[Crawl, ...]:
        """Take over the running crawls of servers that did not keep their promise.

        Of several servers one gets each. The report counts that it goes on, and whether its server
        had died, which is not so if that handed it on.
        """
        adopted: list[str] = []
        left = or_(crawls.c.leased_until.is_(None), crawls.c.leased_until < self._clock())
        with writing(self._engine) as connection:
            wanted = select(crawls).where(crawls.c.status == _RUNNING, left)
            for row in connection.execute(wanted).all():
                report = CrawlReport.from_json(row.report)
                died = report.died + (row.leased_until is not None)
                again = replace(report, resumed=report.resumed + 1, died=died).to_json()
                taken = connection.execute(
                    update(crawls)
                    .where(crawls.c.name == row.name, crawls.c.status == _RUNNING, left)
                    .values(leased_until=until, report=again)
                )
                if taken.rowcount:
                    adopted.append(row.name)
            return tuple(_read_one(connection, name) for name in adopted)

    def get(self, name: str) -> Crawl:
        """The crawl of that name; what is registered meanwhile says as what.

        Raises:
            NotFound: there is none.
        """
        with reading(self._engine) as connection:
            return _read_one(connection, name)

    def find(self, name: str) -> Crawl | None:
        """The crawl of that name, as `get`; None if there is none."""
        with reading(self._engine) as connection:
            return next(iter(_read(connection, crawls.c.name == name)), None)

    def drop(self, name: str) -> None:
        """Forget a crawl; datasets that were registered from it stay.

        Raises:
            NotFound: there is none.
            Conflict: it is running.
        """
        with writing(self._engine) as connection:
            if _read_one(connection, name).status is CrawlStatus.RUNNING:
                raise Conflict(f"crawl `{name}` is running", hint="wait for its end")
            connection.execute(delete(crawls).filter_by(name=name))

    def list(self) -> tuple[Crawl, ...]:
        """All crawls, the last started first."""
        with reading(self._engine) as connection:
            return _read(connection, true())


def _read_one(connection: Connection, name: str) -> Crawl:
    for crawl in _read(connection, crawls.c.name == name):
        return crawl
    raise NotFound(f"crawl `{name}` does not exist", hint="start it with `privet crawl`")


def _read(connection: Connection, condition: ColumnElement[bool]) -> tuple[Crawl, ...]:
    owners = PathOwners(connection)
    schedules = read_schedules(connection)
    wanted = select(crawls).where(condition)
    ordered = wanted.order_by(crawls.c.started_at.desc(), crawls.c.name)
    rows = connection.execute(ordered)
    return tuple(_crawl(row, owners, schedules.get(row.name)) for row in rows)


def _crawl(row: Row[Any], owners: PathOwners, schedule: Schedule | None) -> Crawl:
    found = (load_found(document) for document in row.found)
    return Crawl(
        name=row.name,
        uri=row.uri,
        status=CrawlStatus(row.status),
        found=tuple(replace(f, registered_as=owners.find(f.source.uri)) for f in found),
        objects_seen=row.objects_seen,
        started_at=row.started_at,
        finished_at=row.finished_at,
        error=row.error,
        created_by=row.created_by,
        report=CrawlReport.from_json(row.report),
        issuer=row.issuer,
        run=row.run,
        schedule=schedule,
    )


def _same(started: Crawl | None) -> dict[str, Any]:
    """What tells a crawl from others of its name, before and after it."""
    return {} if started is None else {"run": started.run, "started_at": started.started_at}
