"""Crawls in the background, and registering what they found."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import structlog

from privet.classifier import BUILTIN_RULES
from privet.crawler import CrawlProgress, crawl
from privet.model.datasets import Column, Crawl, Dataset, FoundDataset
from privet.model.edits import ColumnEdit, Drift, edit_columns
from privet.model.errors import Conflict, InvalidRequest, NotFound, PrivetError
from privet.model.events import Event, Outcome
from privet.model.names import DatasetName, fold
from privet.service.access import Act, administer, event_of, steward
from privet.service.drift import drift_by_found, note_drift
from privet.service.platform import Caller, Platform

_CONCURRENT_CRAWLS = 2
_log = structlog.get_logger("privet.crawls")


@dataclass(frozen=True, slots=True)
class Registration:
    """Which found dataset becomes which dataset. Registering is the review of every column."""

    found: str
    name: DatasetName
    new_database: bool = False
    columns: Mapping[str, ColumnEdit] = field(default_factory=dict[str, ColumnEdit])


class Crawls:
    """Where data comes from."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._pool = ThreadPoolExecutor(_CONCURRENT_CRAWLS, thread_name_prefix="crawl")
        self._closing = threading.Event()

    def close(self) -> None:
        """Stop crawls that run; they are recorded as failed."""
        self._closing.set()
        self._pool.shutdown()

    def start(self, caller: Caller, name: str, uri: str) -> Crawl:
        """Begin a crawl, or do it again under the same name; it goes on in the background.

        Raises:
            InvalidRequest: the path is malformed or outside what the settings allow.
            Conflict: a crawl of that name is running.
        """
        with administer(
            self._platform, caller, Act("crawl.start", name, detail={"source": uri[:200]})
        ) as admin:
            canonical = self._platform.connectors.canonical(uri)
            started = self._platform.catalog.crawls.start(fold(name), canonical, by=admin.user)
            event = event_of(admin, caller, "crawl.end", Outcome.COMPLETED)
            self._pool.submit(self._run, started, replace(event, object=started.name))
            return started

    def list(self, caller: Caller) -> tuple[Crawl, ...]:
        """All crawls, the latest of each name."""
        steward(self._platform, caller, Act("crawl.list"))
        return self._platform.catalog.crawls.list()

    def get(self, caller: Caller, name: str) -> Crawl:
        """One crawl with what it found so far."""
        steward(self._platform, caller, Act("crawl.describe", name))
        return self._platform.catalog.crawls.get(fold(name))

    def drift(self, crawl: Crawl) -> Mapping[str, tuple[Drift, ...]]:
        """How the datasets that a crawl found again differ from what was reviewed, by found name.

        Args:
            crawl: as `get` gave it, without what its reader may not know.
        """
        return drift_by_found(self._platform, crawl)

    def register(self, caller: Caller, crawl_name: str, wanted: Registration) -> Dataset:
        """Make a found dataset a dataset of a database.

        Raises:
            NotFound: no such crawl, found dataset or database.
            Conflict: the name or the path is taken already.
            InvalidRequest: what was found cannot be registered; the text says why.
        """
        act = Act("dataset.register", str(wanted.name), detail={"crawl": crawl_name})
        with administer(self._platform, caller, act) as admin:
            catalog = self._platform.catalog
            found = _find(catalog.crawls.get(fold(crawl_name)), wanted.found)
            columns = _reviewed(found, wanted.columns)
            return catalog.datasets.register(
                found, wanted.name, columns, by=admin.user, new_database=wanted.new_database
            )

    def _run(self, started: Crawl, event: Event) -> None:
        catalog = self._platform.catalog

        def progress(now: CrawlProgress) -> None:
            catalog.crawls.progress(
                started.name, objects_seen=now.objects_seen, datasets_found=len(now.found)
            )

        try:
            rules = (*catalog.rules.list(), *BUILTIN_RULES)
            found = crawl(
                self._platform.connectors,
                started.uri,
                rules,
                progress=progress,
                cancelled=self._closing.is_set,
            )
            drifted = note_drift(self._platform, started, found)
            if drifted:
                event = replace(event, detail={"drifted": [str(d.name) for d in drifted]})
            catalog.crawls.finish(started.name, found)
        except PrivetError as error:
            catalog.crawls.finish(started.name, (), error=str(error))
            event = replace(event, outcome=Outcome.FAILED, error=error.code)
        except BaseException as error:
            catalog.crawls.finish(started.name, (), error="the crawl failed unexpectedly")
            event = replace(event, outcome=Outcome.FAILED, error=type(error).__name__)
            _log.exception("crawl failed unexpectedly", crawl=started.name)
            raise
        finally:
            self._platform.audit.record(event)


def _find(stored: Crawl, name: str) -> FoundDataset:
    for found in stored.found:
        if found.name == fold(name, "dataset name"):
            break
    else:
        known = ", ".join(f.name for f in stored.found) or "nothing"
        raise NotFound(
            f"crawl `{stored.name}` found no dataset `{name[:64]}`", hint=f"it found {known}"
        )
    if found.problem:
        raise InvalidRequest(
            f"`{found.name}` cannot be registered: {found.problem}",
            hint="mend the source and crawl again",
        )
    if found.registered_as is not None:
        raise Conflict(
            f"the path of `{found.name}` is registered already, as `{found.registered_as}`",
            hint="drop that dataset first",
        )
    return found


def _reviewed(found: FoundDataset, edits: Mapping[str, ColumnEdit]) -> tuple[Column, ...]:
    edited = edit_columns(found.name, found.columns, edits)
    return tuple(replace(column, reviewed=True) for column in edited)
