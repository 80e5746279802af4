"""Running crawls: several at once, each by one server, going on where a server that died left it.

A server promises, for a few seconds at a time, to go on with what it runs. When it does not renew
that, whichever server looks next takes the crawl over. What was looked into until then is
remembered, so going on costs a walk and the rest.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from privet.catalog import CrawlMemory
from privet.crawler import Crawled, CrawlProgress, crawl_catalog, crawl_tables, run_crawl
from privet.model.crawling.crawls import Crawl, CrawlStatus, ObjectChange, SeenObject
from privet.model.crawling.remembered import Remembered
from privet.model.datasets import Rule
from privet.model.errors import Cancelled, NotFound, PrivetError
from privet.model.events import Event, Outcome
from privet.service.connecting import is_catalog
from privet.service.crawling.places import schema_at
from privet.service.crawling.starters import as_last_seen, check_unmoved, needs_again
from privet.service.drift import note_drift
from privet.service.platform import Platform
from privet.service.proposals import note_proposals, rules_of, without_rejected
from privet.service.rights import Administrator

_LEASE = timedelta(seconds=15)
_TICK_SECONDS = 3.0
_DEATHS = 3
"""After how many deaths of servers a crawl is still taken over."""
_log = structlog.get_logger("privet.crawls")


class CrawlRunner:
    """The crawls that this server runs."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._pool = ThreadPoolExecutor(platform.crawls_at_once, thread_name_prefix="crawl")
        self._running: dict[str, threading.Event] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._tending: threading.Thread | None = None

    @property
    def lease(self) -> datetime:
        """Until when we promise now to have done something for a crawl."""
        return self._platform.clock() + _LEASE

    def submit(self, crawl: Crawl, event: Event) -> None:
        """Run a crawl that was started, when there is room; `event` is that of its end."""
        stop = threading.Event()
        with self._lock:
            self._running[crawl.name] = stop
        self._pool.submit(self._run, crawl, event, stop)

    def stop(self, name: str) -> None:
        """Let a crawl end that was cancelled, if it runs here."""
        with self._lock:
            stop = self._running.get(name)
        if stop is not None:
            stop.set()

    def tend(self, also: Callable[[], None] = lambda: None) -> None:
        """Keep promises, take crawls over, and do what is `also` due, until `close`."""

        def tending() -> None:
            while not self._closing.is_set():
                for work in (self.renew, self.adopt, also):
                    try:
                        work()
                    except PrivetError as error:
                        _log.warning("crawls could not be tended", error=error.code)
                self._closing.wait(_TICK_SECONDS)

        self._tending = threading.Thread(target=tending, name="crawls", daemon=True)
        self._tending.start()

    def close(self) -> None:
        """Stop crawls that run; whichever server starts next goes on with them."""
        self._closing.set()
        with self._lock:
            stops = tuple(self._running.values())
        for stop in stops:
            stop.set()
        self._pool.shutdown()
        if self._tending is not None:
            self._tending.join()

    def renew(self) -> None:
        """Promise to go on with what runs here, and stop what somebody cancelled elsewhere."""
        with self._lock:
            running = dict(self._running)
        if not running:
            return
        self._platform.catalog.crawls.renew(tuple(running), self.lease)
        for name, stop in running.items():
            if self._platform.catalog.crawls.get(name).status is CrawlStatus.CANCELLED:
                stop.set()

    def adopt(self) -> Sequence[Crawl]:
        """Take over crawls whose server did not keep its promise; on record.

        One that was running whenever a server died may be why, and ends as failed. So does one
        whose starter may not start it any more.
        """
        adopted = self._platform.catalog.crawls.adopt(self.lease)
        goes_on: list[Crawl] = []
        for crawl in adopted:
            event = Event(
                action="crawl.resume",
                outcome=Outcome.ALLOWED,
                user=crawl.created_by,
                issuer=crawl.issuer,
                door="server",
                object=crawl.name,
                detail={"source": crawl.uri[:200]},
            )
            end = replace(event, action="crawl.end", outcome=Outcome.COMPLETED, detail={})
            if crawl.report.died > _DEATHS:
                self._give_up(crawl, end)
                continue
            if error := self._refusal(crawl):
                self._refuse(crawl, event, error)
                continue
            self._platform.audit.record(event)
            self.submit(crawl, end)
            goes_on.append(crawl)
        return goes_on

    def _refusal(self, crawl: Crawl) -> PrivetError | None:
        """Why whoever started a crawl may not start it any more; None if they may."""
        try:
            starter = as_last_seen(self._platform, crawl.issuer, crawl.created_by)
            administrator = Administrator.of(self._platform, starter)
            ruling = administrator.rule(needs_again(crawl.name, crawl))
            if not ruling.allowed:
                return administrator.refusal(ruling)
            check_unmoved(self._platform, crawl)
        except PrivetError as error:
            return error
        return None

    def _refuse(self, crawl: Crawl, event: Event, error: PrivetError) -> None:
        said = f"it cannot go on: {error.message}"
        self._platform.catalog.crawls.finish(
            crawl.name, (), error=said, report=crawl.report, started=crawl
        )
        self._platform.audit.record(replace(event, outcome=Outcome.REFUSED, error=error.code))

    def _give_up(self, crawl: Crawl, event: Event) -> None:
        error = f"the server ended {crawl.report.died} times while it ran; it is not tried again"
        self._platform.catalog.crawls.finish(
            crawl.name, (), error=error, report=crawl.report, started=crawl
        )
        detail = {"died": crawl.report.died}
        self._platform.audit.record(
            replace(event, outcome=Outcome.FAILED, error="server_died", detail=detail)
        )

    def _run(self, crawl: Crawl, event: Event, stop: threading.Event) -> None:
        crawls = self._platform.catalog.crawls
        try:
            event = self._crawl(crawl, event, stop)
        except Cancelled as error:
            event = replace(event, outcome=Outcome.CANCELLED, error=error.code)
            if self._closing.is_set():
                # Nobody waits for us: the crawl runs on, by whoever is there next.
                crawls.renew((crawl.name,), None)
                event = replace(event, detail={"goes_on": True})
        except PrivetError as error:
            self._fail(crawl, str(error))
            event = replace(event, outcome=Outcome.FAILED, error=error.code)
        except BaseException as error:
            self._fail(crawl, "the crawl failed unexpectedly")
            event = replace(event, outcome=Outcome.FAILED, error=type(error).__name__)
            _log.exception("crawl failed unexpectedly", crawl=crawl.name)
            raise
        finally:
            with self._lock:
                if self._running.get(crawl.name) is stop:
                    del self._running[crawl.name]
            self._platform.audit.record(event)

    def _fail(self, crawl: Crawl, error: str) -> None:
        # It may have been cancelled and dropped meanwhile: then nobody wants to know.
        with suppress(NotFound):
            self._platform.catalog.crawls.finish(crawl.name, (), error=error, started=crawl)

    def _crawl(self, crawl: Crawl, event: Event, stop: threading.Event) -> Event:
        catalog = self._platform.catalog

        def progress(now: CrawlProgress) -> None:
            goes_on = catalog.crawls.progress(
                crawl.name,
                objects_seen=now.objects_seen,
                datasets_found=len(now.found),
                started=crawl,
            )
            if not goes_on:
                stop.set()

        rules = rules_of(self._platform)
        crawled = self._walked(crawl, rules, progress, stop)
        crawled = replace(crawled, found=without_rejected(self._platform, crawled.found))
        drifted = note_drift(self._platform, crawl, crawled.found)
        note_proposals(self._platform, crawled.found)
        return _ended(self._finish(crawl, crawled), event, [str(d.name) for d in drifted])

    def _walked(
        self,
        crawl: Crawl,
        rules: Sequence[Rule],
        progress: Callable[[CrawlProgress], None],
        stop: threading.Event,
    ) -> Crawled:
        place = schema_at(crawl.uri)
        connections = self._platform.catalog.connections
        if place is not None and is_catalog(connections.get(place.connection)):
            return crawl_catalog(
                self._platform.catalogs,
                self._platform.connectors,
                place.connection,
                rules,
                progress=progress,
                cancelled=stop.is_set,
            )
        if place is not None:
            return crawl_tables(
                self._platform.databases, place, rules, progress=progress, cancelled=stop.is_set
            )
        return run_crawl(
            self._platform.connectors,
            crawl.uri,
            rules,
            memory=RunMemory(self._platform.catalog.crawl_memory, crawl.name, crawl.run),
            progress=progress,
            cancelled=stop.is_set,
            single_files=crawl.report.single_files,
        )

    def _finish(self, crawl: Crawl, crawled: Crawled) -> Crawl:
        before = crawl.report
        report = replace(
            crawled.report,
            resumed=before.resumed,
            died=before.died,
            single_files=before.single_files,
        )
        error = f"the listing broke off: {report.broke_off}" if report.broke_off else ""
        return self._platform.catalog.crawls.finish(
            crawl.name, crawled.found, error=error, report=report, started=crawl
        )


def _ended(crawl: Crawl, event: Event, drifted: Sequence[str]) -> Event:
    detail: dict[str, object] = {"drifted": list(drifted)} if drifted else {}
    if crawl.report.problem_count:
        detail["problems"] = crawl.report.problem_count
    outcome = {
        CrawlStatus.COMPLETED: Outcome.COMPLETED,
        CrawlStatus.CANCELLED: Outcome.CANCELLED,
        # It was cancelled, and another one of its name began.
        CrawlStatus.RUNNING: Outcome.CANCELLED,
    }.get(crawl.status, Outcome.FAILED)
    error = "source_unavailable" if outcome is Outcome.FAILED else ""
    return replace(event, outcome=outcome, error=error, detail=detail)


@dataclass(frozen=True, slots=True)
class RunMemory:
    """What one run of one crawl remembers, in the catalog."""

    memory: CrawlMemory
    crawl: str
    run: int

    def note(self, seen: Sequence[SeenObject]) -> Mapping[str, ObjectChange]:
        """See `Memory.note`."""
        return self.memory.note(self.crawl, self.run, seen)

    def gone(self) -> Mapping[str, int]:
        """See `Memory.gone`."""
        return self.memory.gone(self.crawl, self.run)

    def recall(self, dataset: str) -> Remembered | None:
        """See `Memory.recall`."""
        return self.memory.recall(self.crawl, dataset)

    def keep(self, dataset: str, remembered: Remembered, *, below: bool = False) -> None:
        """See `Memory.keep`."""
        self.memory.keep(self.crawl, self.run, dataset, remembered, below=below)

    def drop(self, dataset: str) -> None:
        """See `Memory.drop`."""
        self.memory.drop(self.crawl, dataset)

    def forget_missing(self) -> None:
        """See `Memory.forget_missing`."""
        self.memory.forget_missing(self.crawl, self.run)
