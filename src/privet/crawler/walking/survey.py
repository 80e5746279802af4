"""Walking a source: every object seen once, in memory bounded by the number of datasets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from privet.connector import Connector, ObjectInfo, place, shown
from privet.crawler.formats.lakes import lake_of
from privet.crawler.groups import LOOKED_AT, Group
from privet.model.crawling.crawls import (
    MOST_PROBLEMS,
    FoundDataset,
    ObjectChange,
    ObjectProblem,
    SeenObject,
)
from privet.model.datasets import Format
from privet.model.errors import Cancelled, InvalidRequest, PrivetError, SourceUnavailable

if TYPE_CHECKING:
    from privet.crawler.walking.memory import Memory

PROGRESS_EVERY = 500
MOST_DATASETS = 10_000


@dataclass(frozen=True, slots=True)
class CrawlProgress:
    """How far a crawl is: first objects are seen, then datasets are looked into, one by one."""

    objects_seen: int
    found: tuple[FoundDataset, ...] = ()


Report = Callable[[CrawlProgress], None]


@dataclass(slots=True)
class Survey:
    """What a walk saw: groups of files by the address of their dataset, and what it could not.

    `failures` are the datasets that could not be seen as a whole, or hold what cannot be read.
    """

    groups: dict[str, Group] = field(default_factory=dict[str, Group])
    failures: dict[str, PrivetError] = field(default_factory=dict[str, PrivetError])
    seen: int = 0
    changes: dict[ObjectChange, int] = field(default_factory=lambda: dict.fromkeys(ObjectChange, 0))
    gone: int = 0
    broke_off: str = ""
    problems: list[ObjectProblem] = field(default_factory=list[ObjectProblem])
    problem_count: int = 0
    lakes: dict[str, Format] = field(default_factory=dict[str, Format])
    single_files: bool = False

    @property
    def whole(self) -> bool:
        """Whether everything was seen: what was not is gone."""
        return not self.failures and not self.broke_off

    def trouble(self, uri: str, error: PrivetError) -> None:
        """Report an object or folder that could not be read or reached."""
        self.problem_count += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(ObjectProblem(shown(uri), error.message))

    def group_at(self, dataset: str) -> Group:
        """The group of a dataset, made when its first file is seen.

        Raises:
            InvalidRequest: there are too many.
        """
        group = self.groups.get(dataset)
        if group is None:
            if len(self.groups) >= MOST_DATASETS:
                raise InvalidRequest(
                    f"more than {MOST_DATASETS:,} folders hold files",
                    hint="crawl parts of it, each under a name of its own",
                )
            group = self.groups[dataset] = Group(dataset)
        return group


def survey(
    connector: Connector,
    root: str,
    memory: Memory,
    progress: Report,
    cancelled: Callable[[], bool],
    *,
    single_files: bool = False,
) -> Survey:
    """Walk all below `root`, and note it in `memory`.

    Where a listing breaks half-way, what it may have left out counts as failed. With
    `single_files` each file is a dataset, unless it is one of a table of a log.

    Raises:
        NotFound, SourceUnavailable: nothing is there, or it cannot be listed at all.
        InvalidRequest: there are too many datasets.
        Cancelled: `cancelled` said so.
    """
    found = Survey(single_files=single_files)

    def note_failure(folder: str, error: PrivetError) -> None:
        # Of a partition that cannot be listed, the whole dataset must not look complete.
        placement = place(root, f"{folder}/-")
        if not placement.hidden:
            found.failures[placement.dataset] = error
            found.trouble(folder, error)

    waiting: list[tuple[ObjectInfo, Group]] = []
    last = root
    try:
        for info in connector.walk(root, on_error=note_failure):
            if found.seen % PROGRESS_EVERY == 0:
                _note(found, memory, waiting)
                stop_if(cancelled)
                progress(CrawlProgress(found.seen))
            last = info.uri
            _see(found, root, info, waiting)
    except SourceUnavailable as error:
        if not found.seen:
            raise
        _break_off(found, last, error)
    _note(found, memory, waiting)
    _note_gone(found, memory)
    _gather(found)
    progress(CrawlProgress(found.seen))
    return found


def is_plain(root: str, uri: str) -> bool:
    """Whether a name can be part of an address; `root` can."""
    if uri == root:
        return True
    parts = uri.removeprefix(f"{root}/").split("/")
    return uri.isprintable() and "\\" not in uri and not any(p in {"", ".", ".."} for p in parts)


def stop_if(cancelled: Callable[[], bool]) -> None:
    """Raise Cancelled if it says so."""
    if cancelled():
        raise Cancelled("the crawl was cancelled", hint="start it again when you want its result")


def _see(
    found: Survey, root: str, info: ObjectInfo, waiting: list[tuple[ObjectInfo, Group]]
) -> None:
    found.seen += 1
    if not is_plain(root, info.uri):
        _note_odd(found, root, info.uri)
        return
    if (lake := lake_of(info.uri)) is not None and len(lake[0]) >= len(root):
        found.lakes[lake[0]] = lake[1]
    placement = place(root, info.uri)
    if found.single_files and not placement.hidden and info.size:
        placement = replace(placement, dataset=info.uri, partitions=())
    group = found.group_at(placement.dataset)
    group.add(info, placement)
    if info.size and not placement.hidden:
        waiting.append((info, group))


def _gather(found: Survey) -> None:
    """Take all that lies below a table of a log for files of that table."""
    for lake, form in found.lakes.items():
        below = [uri for uri in found.groups if uri.startswith(f"{lake}/")]
        parts = [found.groups.pop(uri) for uri in below]
        group = found.groups.setdefault(lake, Group(lake))
        group.become(form, parts)
        group.files = group.files or 1
        for uri in [uri for uri in found.failures if uri.startswith(f"{lake}/")]:
            found.failures[lake] = found.failures.pop(uri)


def _note_gone(found: Survey, memory: Memory) -> None:
    if not found.whole:
        return
    for dataset, count in memory.gone().items():
        found.gone += count
        if dataset in found.groups:
            found.groups[dataset].gone = count


def _note(found: Survey, memory: Memory, waiting: list[tuple[ObjectInfo, Group]]) -> None:
    """Compare the objects seen last with what is remembered."""
    changes = memory.note(
        [SeenObject(i.uri, g.uri, i.size, i.modified, i.etag) for i, g in waiting]
    )
    for info, group in waiting:
        change = changes[info.uri]
        found.changes[change] += 1
        if change is not ObjectChange.NONE:
            group.changes[change] = group.changes.get(change, 0) + 1
            if len(group.fresh) < LOOKED_AT:
                group.fresh.append(info)
    waiting.clear()


def _note_odd(found: Survey, root: str, uri: str) -> None:
    error = InvalidRequest(
        f"`{shown(uri)}` has a name that no address can hold",
        hint="names must be printable, without backslashes, and no part `.`, `..` or empty",
    )
    found.trouble(uri, error)
    placement = place(root, uri)
    if not placement.hidden:
        found.failures[placement.dataset] = error


def _break_off(found: Survey, last: str, error: SourceUnavailable) -> None:
    found.broke_off = str(error)
    found.trouble(last, error)
    # A store lists all of a folder together: those around the last object may have more.
    for dataset in found.groups:
        if last.startswith(f"{dataset}/"):
            found.failures[dataset] = error
