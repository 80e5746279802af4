"""Crawls in the background, and registering what they found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from privet.catalog import Starter
from privet.model.crawling.crawls import Crawl, FoundDataset
from privet.model.datasets import Column, Dataset, Format
from privet.model.edits import ColumnEdit, Drift, edit_columns
from privet.model.errors import Conflict, InvalidRequest, NotFound
from privet.model.events import Outcome
from privet.model.names import DatasetName, fold
from privet.model.permissions import (
    CATALOG,
    AccessLevel,
    Scope,
    ScopeKind,
    on_crawler,
    on_database,
    on_dataset,
)
from privet.model.sources import SchemaPlace, TablePlace, connection_of
from privet.policy import Need
from privet.service.access import Act, administer, authenticate, event_of, steward
from privet.service.crawling import CrawlRunner, CrawlSchedules
from privet.service.crawling.places import canonical, reading, reading_found
from privet.service.drift import drift_by_found
from privet.service.platform import Caller, Platform
from privet.service.rights import Administrator, absent, complete_metadata, tagging

_TAKEN = "the path is registered already"


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
        self._runner = CrawlRunner(platform)
        self.schedules = CrawlSchedules(platform, self._runner)

    def tend(self) -> None:
        """From now on, take over what servers that died left behind, and start what is due."""
        self._runner.tend(self.schedules.run_due)

    def close(self) -> None:
        """Stop crawls that run here; whichever server starts next goes on with them."""
        self._runner.close()

    def start(
        self, caller: Caller, name: str, uri: str, *, single_files: bool | None = None
    ) -> Crawl:
        """Begin a crawl, or do it again under the same name; it goes on in the background.

        Args:
            caller: who may start it, and read what is there.
            name: of the crawl.
            uri: where to look.
            single_files: whether each file is a dataset of its own; None: as it was.

        Raises:
            InvalidRequest: the path is malformed or outside what the settings allow.
            Conflict: a crawl of that name is running.
        """
        name = fold(name)
        administrator = Administrator.of(self._platform, authenticate(self._platform, caller))
        crawler, known = on_crawler(name), self._platform.catalog.crawls.find(name) is not None
        read = reading(self._platform, uri)
        again = known and administrator.may(AccessLevel.ALTER, crawler)
        act = Act(
            "crawl.start",
            name,
            detail={"source": uri[:200]},
            needs=(
                Need(AccessLevel.ALTER, crawler)
                if again
                else Need(AccessLevel.CREATE_CRAWLER_AS_OWNER, CATALOG),
                read,
            ),
            creates=None if again else crawler,
        )
        with administer(self._platform, caller, act) as admin:
            # Links may have changed: what is crawled is what was decided about.
            path = read.scope.name if read.scope.kind is ScopeKind.URI else ""
            place = path or canonical(self._platform, uri)
            by = Starter(admin.user, admin.issuer, self._runner.lease)
            started = self._platform.catalog.crawls.start(
                name, place, by=by, again=again, single_files=single_files
            )
            event = event_of(admin, caller, "crawl.end", Outcome.COMPLETED)
            self._runner.submit(started, replace(event, object=started.name))
            return started

    def cancel(self, caller: Caller, name: str) -> Crawl:
        """End a crawl that runs; what it has looked into is remembered for the next run.

        Raises:
            NotFound: there is none of that name.
            Conflict: it does not run.
        """
        name = fold(name)
        needs = (Need(AccessLevel.ALTER, on_crawler(name)),)
        with administer(self._platform, caller, Act("crawl.cancel", name, needs=needs)) as admin:
            cancelled = self._platform.catalog.crawls.cancel(name)
            self._runner.stop(name)
            return _as_seen(Administrator.of(self._platform, admin), cancelled)

    def list(self, caller: Caller) -> tuple[Crawl, ...]:
        """The crawls that the caller may see, the latest of each name."""
        administrator = Administrator.of(self._platform, authenticate(self._platform, caller))
        return tuple(
            _as_seen(administrator, crawl)
            for crawl in self._platform.catalog.crawls.list()
            if administrator.may(AccessLevel.SHOW, on_crawler(crawl.name))
        )

    def get(self, caller: Caller, name: str) -> Crawl:
        """One crawl with what it found so far."""
        name = fold(name)
        needs = (Need(AccessLevel.SHOW, on_crawler(name)),)
        principal = steward(self._platform, caller, Act("crawl.describe", name, needs=needs))
        crawl = self._platform.catalog.crawls.get(name)
        return _as_seen(Administrator.of(self._platform, principal), crawl)

    def drift(self, caller: Caller, crawl: Crawl) -> Mapping[str, tuple[Drift, ...]]:
        """How the datasets that a crawl found again differ from what was reviewed, by found name.

        Of those alone of which the caller sees all columns: some that are hidden may be gone.

        Args:
            caller: who asks.
            crawl: as `get` gave it, without what its reader may not know.
        """
        administrator = Administrator.of(self._platform, authenticate(self._platform, caller))
        return drift_by_found(self._platform, crawl, complete_metadata(administrator))

    def register(self, caller: Caller, crawl_name: str, wanted: Registration) -> Dataset:
        """Make a found dataset a dataset of a database.

        Raises:
            NotFound: no such crawl, found dataset or database.
            Conflict: the name or the path is taken already.
            InvalidRequest: what was found cannot be registered; the text says why.
        """
        crawl_name = fold(crawl_name)
        crawl = self._platform.catalog.crawls.find(crawl_name)
        act = Act(
            "dataset.register",
            str(wanted.name),
            detail={"crawl": crawl_name},
            needs=_registering(on_crawler(crawl_name), crawl, wanted),
            creates=on_database(wanted.name.database)
            if wanted.new_database
            else on_dataset(wanted.name),
        )
        with administer(self._platform, caller, act) as admin:
            catalog = self._platform.catalog
            if crawl is None:
                raise absent(on_crawler(crawl_name))
            found = _find(_as_seen(Administrator.of(self._platform, admin), crawl), wanted.found)
            columns = _reviewed(found, wanted.columns)
            if _has_moved(self._platform, found):
                raise InvalidRequest(
                    f"the path of `{found.name}` is a link now, and was none when it was crawled",
                    hint="crawl the place that it leads to",
                )
            registered = catalog.datasets.register(
                found, wanted.name, columns, by=admin.user, new_database=wanted.new_database
            )
            catalog.domains.note_profiles(registered, found.profiles)
            return registered

    def set_single_files(self, caller: Caller, name: str, value: bool) -> None:
        """Say for the next run whether each file is a dataset of its own.

        Raises:
            NotFound: there is none of that name.
        """
        crawler = on_crawler(fold(name))
        needs = (Need(AccessLevel.ALTER, crawler),)
        act = Act("crawl.update", crawler.name, detail={"single_files": value}, needs=needs)
        with administer(self._platform, caller, act):
            self._platform.catalog.crawls.set_single_files(crawler.name, value)

    def forget(self, caller: Caller, name: str, found: str) -> None:
        """Forget one dataset that a crawl found, until a run finds it again.

        Raises:
            NotFound: there is no such crawl, or it found no such dataset.
        """
        crawler = on_crawler(fold(name))
        needs = (Need(AccessLevel.ALTER, crawler),)
        act = Act("crawl.update", crawler.name, detail={"forgotten": found[:200]}, needs=needs)
        with administer(self._platform, caller, act):
            self._platform.catalog.crawls.forget(crawler.name, fold(found, "dataset name"))

    def drop(self, caller: Caller, name: str) -> None:
        """Forget a crawl; datasets that were registered from it stay.

        Raises:
            NotFound: there is none of that name.
            Conflict: it is running.
        """
        crawler = on_crawler(fold(name))
        needs = (Need(AccessLevel.DROP, crawler),)
        act = Act("crawl.delete", crawler.name, needs=needs, drops=crawler)
        with administer(self._platform, caller, act):
            self._platform.catalog.crawls.drop(crawler.name)


def _has_moved(platform: Platform, found: FoundDataset) -> bool:
    """Whether a path of files is a link now, that leads elsewhere.

    Raises:
        InvalidRequest, NotFound, SourceInvalid: its connection does not lead to it any more.
    """
    if found.source.format is Format.TABLE:
        place = TablePlace.of(found.source)
        canonical(platform, SchemaPlace(place.connection, place.database, place.schema).uri)
        return False
    if (connection := connection_of(found.source)) and not found.problem:
        platform.catalogs.check_location(connection, found.source.uri)
    return platform.connectors.canonical(found.source.uri) != found.source.uri


def _registering(crawler: Scope, crawl: Crawl | None, wanted: Registration) -> tuple[Need, ...]:
    """The crawl, the place, the path, and the tags that are others than the proposed ones."""
    place = CATALOG if wanted.new_database else on_database(wanted.name.database)
    needs = Need(AccessLevel.SHOW, crawler), Need(AccessLevel.CREATE, place)
    for found in crawl.found if crawl else ():
        if found.name == wanted.found.lower():
            tags = tagging(found.columns, wanted.columns, None)
            return (*needs, reading_found(found.source), *tags)
    return needs


def _as_seen(administrator: Administrator, crawl: Crawl) -> Crawl:
    """A crawl without the names of datasets that its reader may not know of."""
    taken = {f.registered_as for f in crawl.found if f.registered_as is not None}
    known = administrator.known_datasets(taken) if taken else taken
    return replace(
        crawl,
        found=tuple(
            f
            if f.registered_as is None or f.registered_as in known
            else replace(f, registered_as=None, problem=f.problem or _TAKEN)
            for f in crawl.found
        ),
    )


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
