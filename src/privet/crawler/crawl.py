"""Walks a source and reports the datasets in it, with columns, types and proposed tags."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from privet.connector import Connector, shown
from privet.crawler.describe import Described, Known, counted, describe
from privet.crawler.groups import Group, name_of
from privet.crawler.names import distinct, fold_name
from privet.crawler.shapes import GUESS, KNOWN, Given
from privet.crawler.walking import (
    Counting,
    CrawlProgress,
    Forgetful,
    Memory,
    Report,
    Survey,
    digest_of,
    dump_shape,
    load_shape,
    stop_if,
    survey,
)
from privet.model.crawling.crawls import CrawlReport, FoundDataset, ObjectChange
from privet.model.crawling.remembered import Remembered
from privet.model.datasets import Rule
from privet.model.errors import InvalidRequest

_Place = TypeVar("_Place")


@dataclass(frozen=True, slots=True)
class Crawled:
    """What a crawl found, and what it did for that."""

    found: tuple[FoundDataset, ...]
    report: CrawlReport


def crawl(
    connectors: Connector,
    uri: str,
    rules: Sequence[Rule],
    *,
    progress: Report = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> tuple[FoundDataset, ...]:
    """What `run_crawl` finds without a memory."""
    return run_crawl(connectors, uri, rules, progress=progress, cancelled=cancelled).found


def run_crawl(  # noqa: PLR0913 - what it is told is said by name
    connectors: Connector,
    uri: str,
    rules: Sequence[Rule],
    *,
    memory: Memory | None = None,
    progress: Report = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
    single_files: bool = False,
) -> Crawled:
    """Find the datasets at `uri`, in path order, with columns and the tags that `rules` propose.

    A folder that holds files is a dataset; folders named `k=v` below it are its partitions. What
    is wrong with one dataset stands in its `problem`, and the crawl goes on. What a `memory` knows
    to be as it was is not opened.

    Args:
        connectors: opens the source; mostly the server's `Connectors`.
        uri: a folder or a file.
        rules: what proposes tags.
        memory: of the crawl before, if there was one.
        progress: told every 500 objects and after every dataset.
        cancelled: asked as often, and before a file is opened.
        single_files: whether each file is a dataset, called as the file with its ending.

    Raises:
        InvalidRequest: `uri` is malformed, outside what settings allow, or holds no data files.
        NotFound, SourceUnavailable: nothing is there, or it refuses us or cannot be reached.
        Cancelled: `cancelled` said so.
    """
    counting = Counting(connectors, cancelled)
    root = connectors.canonical(uri)
    memory = memory or Forgetful()
    seen = survey(counting, root, memory, progress, cancelled, single_files=single_files)
    # Beside datasets of single files, those without rows are none.
    alone = not single_files
    groups = [g for g in seen.groups.values() if g.files or (g.empty and alone)]
    if not groups and not seen.failures:
        raise InvalidRequest(
            f"nothing was found at `{shown(root)}`",
            hint=f"name a folder with files of {KNOWN} in it or below it",
        )
    groups += [Group(failed) for failed in seen.failures if failed not in seen.groups]
    groups.sort(key=lambda group: group.uri.split("/"))
    names = distinct((fold_name(_title(group, root), "dataset") for group in groups), first=1)
    looking = _Looking(counting, rules, memory, digest_of(rules), seen)
    found: list[FoundDataset] = []
    for name, group in zip(names, groups, strict=True):
        stop_if(cancelled)
        found.append(looking.into(name, group))
        progress(CrawlProgress(seen.seen, tuple(found)))
    if seen.whole:
        memory.forget_missing()
    return Crawled(tuple(found), looking.report(counting.opened))


def crawl_named(
    places: Sequence[_Place],
    look: Callable[[_Place], FoundDataset],
    progress: Report,
    cancelled: Callable[[], bool],
) -> Crawled:
    """Look into places that somebody else lists by name, each a dataset; in their order.

    Raises:
        Cancelled: `cancelled` said so.
    """
    found: list[FoundDataset] = []
    for place in places:
        stop_if(cancelled)
        found.append(look(place))
        progress(CrawlProgress(len(places), tuple(found)))
    names = distinct((each.name for each in found), first=1)
    named = tuple(replace(each, name=name) for each, name in zip(found, names, strict=True))
    problems = sum(bool(each.problem) for each in found)
    return Crawled(named, CrawlReport(opened=len(places), problem_count=problems))


@dataclass(slots=True)
class _Looking:
    """Looks into datasets, unless the memory knows what that would come to."""

    connector: Connector
    rules: Sequence[Rule]
    memory: Memory
    digest: str
    seen: Survey
    kept: int = 0

    def into(self, name: str, group: Group) -> FoundDataset:
        """A dataset as it is now."""
        failure = self.seen.failures.get(group.uri)
        remembered = None if failure or group.altered else self.memory.recall(group.uri)
        if remembered is not None and remembered.digest != self.digest:
            remembered = None
        if remembered is not None and not group.new:
            self.kept += 1
            same = remembered.found
            return counted(replace(same, name=name, files=group.files, bytes=group.bytes), group)
        described = describe(
            self.connector,
            name,
            group,
            self.rules,
            failure=failure,
            known=_known(remembered),
        )
        for uri, error in described.unread:
            self.seen.trouble(uri, error)
        self._remember(group, described)
        return counted(described.found, group)

    def _remember(self, group: Group, described: Described) -> None:
        if not described.lasting:
            self.memory.drop(group.uri)
            return
        shape = None if described.shape is None else dump_shape(described.shape)
        self.memory.keep(
            group.uri,
            Remembered(self.digest, described.found, shape),
            below=group.lake is not None,
        )

    def report(self, opened: int) -> CrawlReport:
        """What was done."""
        seen = self.seen
        return CrawlReport(
            unchanged=seen.changes[ObjectChange.NONE],
            new=seen.changes[ObjectChange.NEW],
            changed=seen.changes[ObjectChange.CHANGED],
            gone=seen.gone,
            hidden=sum(group.hidden for group in seen.groups.values()),
            opened=opened,
            kept=self.kept,
            problems=tuple(seen.problems),
            problem_count=seen.problem_count,
            broke_off=seen.broke_off,
        )


def _known(remembered: Remembered | None) -> Known | None:
    if remembered is None or remembered.shape is None:
        return None
    return Known(load_shape(remembered.shape), remembered.found)


def look(
    connectors: Connector, uri: str, rules: Sequence[Rule], given: Given = GUESS
) -> FoundDataset | None:
    """The one dataset that lies at `uri`, as `crawl` would find it; None where no file is yet.

    Args:
        connectors: opens the source.
        uri: a folder, whose other folders than partitions are left alone, or a file.
        rules: what proposes tags.
        given: what is known about the files, and not to be guessed.

    Raises:
        As `crawl`.
    """
    root = connectors.canonical(uri)
    seen = survey(connectors, root, Forgetful(), lambda _: None, lambda: False)
    group, failure = seen.groups.get(root), seen.failures.get(root)
    if failure is None and (group is None or not group.files):
        return None
    group = group or Group(root)
    name = fold_name(_title(group, root), "dataset")
    described = describe(connectors, name, group, rules, failure=failure, given=given)
    return counted(described.found, group)


def _title(group: Group, root: str) -> str:
    """What a dataset is called at its source: its folder, or its file without the endings."""
    name = name_of(group.uri)
    is_file = group.uri == root and bool(group.first) and group.first[0].uri == root
    return name.split(".")[0] or name if is_file else name
