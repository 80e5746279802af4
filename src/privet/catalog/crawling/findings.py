"""What crawls found at the paths of datasets that is not what was reviewed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select, update

from privet.catalog.dataset_rows import read_datasets, write_columns
from privet.catalog.datasets import at_revision
from privet.catalog.documents import dump_found, dump_types, load_found
from privet.catalog.versions import Clock, changing
from privet.model.crawling.crawls import FoundDataset
from privet.model.datasets import Column, Dataset
from privet.model.edits import accepted, drift_of, noticed, noticed_ids
from privet.model.names import DatasetName
from privet.model.sources import connection_of
from privet.store import reading
from privet.store.tables import datasets, findings, tags


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
            options = dict(noticed_ids(dataset, found))
            connection.execute(update(datasets).filter_by(id=dataset.id).values(options=options))
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
                        options={**source.options, **_pinned(dataset)},
                        partitions=list(source.partitions),
                    )
                )
            return _rewritten(connection, dataset, columns, by)


def _dataset_at(connection: Connection, found: FoundDataset) -> Dataset | None:
    """The dataset of exactly that path, if it could be looked into, and is found in that way.

    What lies at the path of a table that a catalog names need not be what the catalog means.
    """
    if found.problem:
        return None
    wanted = select(datasets.c.database, datasets.c.name).filter_by(uri=found.source.uri)
    row = connection.execute(wanted).first()
    if row is None:
        return None
    dataset = read_datasets(connection, DatasetName(row.database, row.name))[0]
    return dataset if connection_of(dataset.source) == connection_of(found.source) else None


def _pinned(dataset: Dataset) -> dict[str, Any]:
    """Which version is read was said by a steward, and no crawl knows it."""
    options = dataset.source.options
    return {"version": options["version"]} if "version" in options else {}


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
