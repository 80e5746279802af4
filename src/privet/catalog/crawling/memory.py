"""What crawls remember: each object as it was seen, and what looking into datasets came to.

A row of an object says how it differs from when its dataset was last looked into, not from the last
walk. So a crawl that dies anywhere finds, when it goes on, all that is still to be done.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, delete, func, insert, or_, select, update

from privet.catalog.documents import dump_found, load_found
from privet.model.crawling.crawls import ObjectChange, SeenObject
from privet.model.crawling.remembered import Remembered
from privet.store import reading, upsert, writing
from privet.store.crawl_tables import crawl_datasets, crawl_objects

_AT_ONCE = 500
_objects = crawl_objects.c


class CrawlMemory:
    """What the crawls of a catalog remember. Every method raises StoreUnavailable when it fails."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def note(self, crawl: str, run: int, seen: Sequence[SeenObject]) -> Mapping[str, ObjectChange]:
        """Note objects that a walk sees, and say how each differs, by address."""
        changes: dict[str, ObjectChange] = {}
        with writing(self._engine) as connection:
            for part in _parts(seen):
                changes |= _note(connection, crawl, run, part)
        return changes

    def gone(self, crawl: str, run: int) -> Mapping[str, int]:
        """How many objects a whole walk did not see any more, by dataset."""
        wanted = (
            select(_objects.dataset, func.count())
            .where(_objects.crawl == crawl, _objects.run != run)
            .group_by(_objects.dataset)
        )
        with reading(self._engine) as connection:
            return {row[0]: row[1] for row in connection.execute(wanted)}

    def recall(self, crawl: str, dataset: str) -> Remembered | None:
        """What looking into a dataset came to."""
        wanted = select(crawl_datasets).filter_by(crawl=crawl, uri=dataset)
        with reading(self._engine) as connection:
            row = connection.execute(wanted).first()
        return None if row is None else Remembered(row.digest, load_found(row.found), row.shape)

    def keep(
        self, crawl: str, run: int, dataset: str, remembered: Remembered, *, below: bool = False
    ) -> None:
        """Remember a dataset as looked into now: nothing of it is new or changed any more.

        With `below`, all that lies below its address is of it.
        """
        values: dict[str, Any] = {
            "crawl": crawl,
            "uri": dataset,
            "digest": remembered.digest,
            "found": dump_found(remembered.found),
            "shape": None if remembered.shape is None else dict(remembered.shape),
            "run": run,
        }
        inside = _objects.dataset.startswith(f"{dataset}/", autoescape=True)
        itself = _objects.dataset == dataset
        of = (_objects.crawl == crawl, or_(itself, inside) if below else itself)
        with writing(self._engine) as connection:
            upsert(connection, crawl_datasets, values)
            connection.execute(delete(crawl_objects).where(*of, _objects.run != run))
            changed = update(crawl_objects).where(*of, _objects.change != ObjectChange.NONE.value)
            connection.execute(changed.values(change=ObjectChange.NONE.value))

    def drop(self, crawl: str, dataset: str) -> None:
        """Forget what looking into a dataset came to: it is to be done again."""
        with writing(self._engine) as connection:
            connection.execute(delete(crawl_datasets).filter_by(crawl=crawl, uri=dataset))

    def forget_missing(self, crawl: str, run: int) -> None:
        """Forget what a whole walk did not see."""
        there = select(_objects.dataset).where(_objects.crawl == crawl, _objects.run == run)
        with writing(self._engine) as connection:
            connection.execute(
                delete(crawl_objects).where(_objects.crawl == crawl, _objects.run != run)
            )
            connection.execute(
                delete(crawl_datasets).where(
                    crawl_datasets.c.crawl == crawl, crawl_datasets.c.uri.not_in(there)
                )
            )


def _note(
    connection: Connection, crawl: str, run: int, seen: Sequence[SeenObject]
) -> Mapping[str, ObjectChange]:
    uris = [each.uri for each in seen]
    of = (_objects.crawl == crawl, _objects.uri.in_(uris))
    known = {row.uri: row for row in connection.execute(select(crawl_objects).where(*of))}
    changes: dict[str, ObjectChange] = {}
    fresh: list[dict[str, Any]] = []
    other: list[dict[str, Any]] = []
    for each in seen:
        row = known.get(each.uri)
        changes[each.uri] = change = _change(each, row)
        values = {"crawl": crawl, "run": run, **_values(each, change)}
        if row is None:
            fresh.append(values)
        elif change is not ObjectChange.NONE:
            other.append({"at": each.uri, **values})
    connection.execute(update(crawl_objects).where(*of).values(run=run))
    if fresh:
        connection.execute(insert(crawl_objects), fresh)
    if other:
        names = ("dataset", "size", "modified", "etag", "change")
        changed = update(crawl_objects).where(
            _objects.crawl == crawl, _objects.uri == bindparam("at")
        )
        rows = [{"at": o["at"], **{f"to_{name}": o[name] for name in names}} for o in other]
        connection.execute(changed.values({n: bindparam(f"to_{n}") for n in names}), rows)
    return changes


def _change(seen: SeenObject, row: Any) -> ObjectChange:
    if row is None:
        return ObjectChange.NEW
    same = (row.dataset, row.size, row.modified, row.etag) == (
        seen.dataset,
        seen.size,
        seen.modified,
        seen.etag,
    )
    # What was never looked into stays new, whatever became of it since.
    known = ObjectChange(row.change)
    return known if same or known is ObjectChange.NEW else ObjectChange.CHANGED


def _values(seen: SeenObject, change: ObjectChange) -> dict[str, Any]:
    return {
        "uri": seen.uri,
        "dataset": seen.dataset,
        "size": seen.size,
        "modified": seen.modified,
        "etag": seen.etag,
        "change": change.value,
    }


def _parts(seen: Iterable[SeenObject]) -> Iterator[list[SeenObject]]:
    rest = iter(seen)
    while part := list(islice(rest, _AT_ONCE)):
        yield part
