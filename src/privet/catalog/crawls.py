"""Crawls as stored: one row per name, with what was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, insert, select, true, update

from privet.catalog.documents import dump_found, load_found
from privet.catalog.paths import PathOwners
from privet.catalog.versions import Clock
from privet.model.datasets import Crawl, CrawlStatus, FoundDataset
from privet.model.errors import Conflict, NotFound
from privet.store import reading, writing
from privet.store.tables import crawls

_RUNNING = CrawlStatus.RUNNING.value


class Crawls:
    """The crawls of a catalog. Every method raises StoreUnavailable when the store fails.

    Crawls are no facts: they do not change the catalog's version.
    """

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def start(self, name: str, uri: str, *, by: str) -> Crawl:
        """Write down that a crawl runs. An earlier one of that name that ended is replaced.

        Raises:
            Conflict: one of that name is running.
        """
        with writing(self._engine) as connection:
            # Of two first starts the table refuses one; of two later ones, the second waits here.
            row = connection.execute(select(crawls).filter_by(name=name).with_for_update()).first()
            if row is not None and row.status == _RUNNING:
                raise Conflict(
                    f"crawl `{name}` is running", hint="wait for its end, or choose another name"
                )
            started: dict[str, Any] = {
                "uri": uri, "status": _RUNNING, "objects_seen": 0, "datasets_found": 0,
                "found": [], "error": "", "started_at": self._clock(), "finished_at": None,
                "created_by": by,
            }  # fmt: skip
            if row is None:
                connection.execute(insert(crawls).values(name=name, **started))
            else:
                connection.execute(update(crawls).filter_by(name=name).values(started))
            return _read_one(connection, name)

    def progress(self, name: str, *, objects_seen: int, datasets_found: int) -> None:
        """Note how far a running crawl is; one that ended meanwhile is left as it is."""
        with writing(self._engine) as connection:
            connection.execute(
                update(crawls)
                .filter_by(name=name, status=_RUNNING)
                .values(objects_seen=objects_seen, datasets_found=datasets_found)
            )

    def finish(self, name: str, found: Sequence[FoundDataset], *, error: str = "") -> Crawl:
        """Store what a crawl found. With an error it failed.

        Raises:
            NotFound: there is no such crawl.
        """
        status = CrawlStatus.FAILED if error else CrawlStatus.COMPLETED
        with writing(self._engine) as connection:
            _read_one(connection, name)
            connection.execute(
                update(crawls)
                .filter_by(name=name)
                .values(
                    status=status.value,
                    found=[dump_found(dataset) for dataset in found],
                    datasets_found=len(found),
                    error=error,
                    finished_at=self._clock(),
                )
            )
            return _read_one(connection, name)

    def get(self, name: str) -> Crawl:
        """The crawl of that name; what is registered meanwhile says as what.

        Raises:
            NotFound: there is none.
        """
        with reading(self._engine) as connection:
            return _read_one(connection, name)

    def list(self) -> tuple[Crawl, ...]:
        """All crawls, the last started first."""
        with reading(self._engine) as connection:
            return _read(connection, true())

    def fail_interrupted(self) -> int:
        """Mark every running crawl as failed, and say how many: call it when the server starts."""
        with writing(self._engine) as connection:
            interrupted = connection.execute(
                update(crawls)
                .filter_by(status=_RUNNING)
                .values(
                    status=CrawlStatus.FAILED.value,
                    error="the server stopped while the crawl ran; start it again",
                    finished_at=self._clock(),
                )
            )
            return interrupted.rowcount


def _read_one(connection: Connection, name: str) -> Crawl:
    for crawl in _read(connection, crawls.c.name == name):
        return crawl
    raise NotFound(f"crawl `{name}` does not exist", hint="start it with `privet crawl`")


def _read(connection: Connection, condition: ColumnElement[bool]) -> tuple[Crawl, ...]:
    owners = PathOwners(connection)
    wanted = select(crawls).where(condition)
    ordered = wanted.order_by(crawls.c.started_at.desc(), crawls.c.name)
    return tuple(_crawl(row, owners) for row in connection.execute(ordered))


def _crawl(row: Row[Any], owners: PathOwners) -> Crawl:
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
    )
