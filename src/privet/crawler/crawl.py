"""Walks a source and reports the datasets in it, with columns, types and proposed tags."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from privet.connector import Connector, place, shown
from privet.crawler.describe import describe
from privet.crawler.groups import Group, name_of
from privet.crawler.names import distinct, fold_name
from privet.crawler.shapes import GUESS, KNOWN, Given
from privet.model.datasets import FoundDataset, Rule
from privet.model.errors import Cancelled, InvalidRequest, PrivetError

PROGRESS_EVERY = 500


@dataclass(frozen=True, slots=True)
class CrawlProgress:
    """How far a crawl is: first objects are seen, then datasets are looked into, one by one."""

    objects_seen: int
    found: tuple[FoundDataset, ...] = ()


Report = Callable[[CrawlProgress], None]


@dataclass(slots=True)
class _Survey:
    """What a walk saw: groups of files by the address of their dataset, and what it could not."""

    groups: dict[str, Group] = field(default_factory=dict[str, Group])
    failures: dict[str, PrivetError] = field(default_factory=dict[str, PrivetError])
    seen: int = 0


def crawl(
    connectors: Connector,
    uri: str,
    rules: Sequence[Rule],
    *,
    progress: Report = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> tuple[FoundDataset, ...]:
    """Find the datasets at `uri`, in path order, with columns and the tags that `rules` propose.

    A folder that holds files is a dataset; folders named `k=v` below it are its partitions. What
    is wrong with one dataset stands in its `problem`, and the crawl goes on.

    Args:
        connectors: opens the source; mostly the server's `Connectors`.
        uri: a folder or a file.
        rules: what proposes tags.
        progress: told every 500 objects and after every dataset.
        cancelled: asked as often.

    Raises:
        InvalidRequest: `uri` is malformed, outside what settings allow, or holds no data files.
        NotFound, SourceUnavailable: nothing is there, or it refuses us or cannot be reached.
        Cancelled: `cancelled` said so.
    """
    root = connectors.canonical(uri)
    survey = _walk(connectors, root, progress, cancelled)
    groups = [group for group in survey.groups.values() if group.files or group.empty]
    if not groups and not survey.failures:
        raise InvalidRequest(
            f"nothing was found at `{shown(root)}`",
            hint=f"name a folder with files of {KNOWN} in it or below it",
        )
    groups += [Group(failed) for failed in survey.failures if failed not in survey.groups]
    groups.sort(key=lambda group: group.uri.split("/"))
    names = distinct(fold_name(_title(group, root), "dataset") for group in groups)
    found: list[FoundDataset] = []
    for name, group in zip(names, groups, strict=True):
        _stop_if(cancelled)
        failure = survey.failures.get(group.uri)
        found.append(describe(connectors, name, group, rules, failure=failure))
        progress(CrawlProgress(survey.seen, tuple(found)))
    return tuple(found)


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
    survey = _walk(connectors, root, lambda _: None, lambda: False)
    group, failure = survey.groups.get(root), survey.failures.get(root)
    if failure is None and (group is None or not group.files):
        return None
    group = group or Group(root)
    name = fold_name(_title(group, root), "dataset")
    return describe(connectors, name, group, rules, failure=failure, given=given)


def _walk(
    connector: Connector, root: str, progress: Report, cancelled: Callable[[], bool]
) -> _Survey:
    survey = _Survey()

    def note_failure(folder: str, error: PrivetError) -> None:
        # Of a partition that cannot be listed, the whole dataset must not look complete.
        placement = place(root, f"{folder}/-")
        if not placement.hidden:
            survey.failures[placement.dataset] = error

    for info in connector.walk(root, on_error=note_failure):
        if survey.seen % PROGRESS_EVERY == 0:
            _stop_if(cancelled)
            progress(CrawlProgress(survey.seen))
        survey.seen += 1
        placement = place(root, info.uri)
        group = survey.groups.get(placement.dataset)
        if group is None:
            group = survey.groups[placement.dataset] = Group(placement.dataset)
        group.add(info, placement)
    progress(CrawlProgress(survey.seen))
    return survey


def _title(group: Group, root: str) -> str:
    """What a dataset is called at its source: its folder, or its file without the endings."""
    name = name_of(group.uri)
    is_file = group.uri == root and bool(group.first) and group.first[0].uri == root
    return name.split(".")[0] or name if is_file else name


def _stop_if(cancelled: Callable[[], bool]) -> None:
    if cancelled():
        raise Cancelled("the crawl was cancelled", hint="start it again when you want its result")
