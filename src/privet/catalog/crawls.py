"""Crawls as stored: one row per name, with what was found; and what of that is news."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    delete,
    insert,
    select,
    true,
    update,
)

from privet.catalog.dataset_rows import read_datasets, write_columns
from privet.catalog.datasets import at_revision
from privet.catalog.documents import dump_found, dump_types, load_found
from privet.catalog.paths import PathOwners
from privet.catalog.versions import Clock, changing
from privet.model.datasets import Column, Crawl, CrawlStatus, Dataset, FoundDataset
from privet.model.edits import accepted, drift_of, noticed
from privet.model.errors import Conflict, NotFound
from privet.model.names import DatasetName
from privet.store import reading, writing
from privet.store.tables import crawls, datasets, findings, tags

_RUNNING = CrawlStatus.RUNNING.value


class Crawls:
    """The crawls of a catalog. Every method raises StoreUnavailable when the store fails.

    Crawls are no facts: they do not change the catalog's version.
    """

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def start(self, name: str, uri: str, *, by: str, again: bool = True) -> Crawl:
        """Write down that a crawl runs. An earlier one of that name that ended is replaced.

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


class Findings:
    """What crawls found at the paths of datasets that is not what was reviewed."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def find(self, dataset: Dataset) -> FoundDataset | None:
        """What the last crawl found there, if it was something else."""
        with reading(self._engine) as connection:
            return _finding(connection, dataset)

    def note(self, found: FoundDataset, *, crawl: str, by: str) -> Dataset | None:
        """Keep what a crawl found at a dataset's path, and add the columns that appeared there.

        They are unreviewed, with the tags that were proposed. Gives the dataset, if there is one of
        exactly this path, and what is there is not what was reviewed.
        """
        with reading(self._engine) as connection:
            dataset = _dataset_at(connection, found)
            if dataset is None or _nothing_new(connection, dataset, found):
                return dataset if dataset and drift_of(dataset, found) else None
        with changing(self._engine) as connection:
            dataset = _dataset_at(connection, found)
            if dataset is None:
                return None
            columns = _with_tags_there_are(connection, noticed(dataset, found))
            connection.execute(delete(findings).filter_by(dataset=dataset.id))
            if _differs(dataset, found):
                kept = {"crawl": crawl, "found": dump_found(found), "at": self._clock()}
                connection.execute(insert(findings).values(dataset=dataset.id, **kept))
            seen = _rewritten(connection, dataset, columns, by)
            return seen if drift_of(seen, found) else None

    def accept(self, name: DatasetName, *, by: str, expected_revision: int | None) -> Dataset:
        """Review every column as it is at the source, as far as crawls have told.

        Raises:
            NotFound: there is no such dataset.
            Conflict: somebody changed the dataset since that revision.
        """
        with changing(self._engine) as connection:
            dataset = at_revision(connection, name, expected_revision)
            found = _finding(connection, dataset)
            columns = _with_tags_there_are(connection, accepted(dataset, found))
            if found is not None:
                source = found.source
                connection.execute(delete(findings).filter_by(dataset=dataset.id))
                connection.execute(
                    update(datasets)
                    .filter_by(id=dataset.id)
                    .values(
                        format=source.format.value,
                        options=dict(source.options),
                        partitions=list(source.partitions),
                    )
                )
            return _rewritten(connection, dataset, columns, by)


def _dataset_at(connection: Connection, found: FoundDataset) -> Dataset | None:
    """The dataset of exactly that path, if it could be looked into."""
    if found.problem:
        return None
    wanted = select(datasets.c.database, datasets.c.name).filter_by(uri=found.source.uri)
    row = connection.execute(wanted).first()
    return read_datasets(connection, DatasetName(row.database, row.name))[0] if row else None


def _finding(connection: Connection, dataset: Dataset) -> FoundDataset | None:
    row = connection.execute(select(findings.c.found).filter_by(dataset=dataset.id)).first()
    return load_found(row.found) if row else None


def _differs(dataset: Dataset, found: FoundDataset) -> bool:
    """Whether there is more to tell than which columns are unreviewed."""
    return drift_of(dataset, found) != drift_of(dataset, None)


def _nothing_new(connection: Connection, dataset: Dataset, found: FoundDataset) -> bool:
    kept = _finding(connection, dataset)
    known = drift_of(dataset, kept) == drift_of(dataset, found)
    return known and noticed(dataset, found) == dataset.columns


def _with_tags_there_are(connection: Connection, columns: Sequence[Column]) -> tuple[Column, ...]:
    """The columns without tags that were dropped while they were proposed."""
    there = {tuple(row) for row in connection.execute(select(tags.c.namespace, tags.c.key))}
    return tuple(
        replace(c, field_tags=tuple(t for t in c.field_tags if tuple(t.tag) in there))
        for c in columns
    )


def _rewritten(
    connection: Connection, dataset: Dataset, columns: Sequence[Column], by: str
) -> Dataset:
    types = dump_types([column.type for column in columns])
    changed = update(datasets).filter_by(id=dataset.id)
    connection.execute(changed.values(types=types, revision=dataset.revision + 1))
    write_columns(connection, dataset.id, dataset.name, columns, by)
    return read_datasets(connection, dataset.name)[0]
