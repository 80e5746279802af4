"""How files make a dataset: a folder is one, and folders named `k=v` below it are its partitions.

The crawler groups by these rules, and a scan lists a dataset's files by them, so that what was
reviewed and what is read are the same files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from privet.connector.base import Connector, ObjectInfo, shown
from privet.model.datasets import Source
from privet.model.errors import SchemaChanged

_NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a file belongs: the address of its dataset, and its partition values, outermost first.

    A value is text, percent-decoded as Hive and Spark write it, or None. `hidden`: the file or a
    folder above it begins with `.` or `_`, as markers and work in progress do.
    """

    dataset: str
    partitions: tuple[tuple[str, str | None], ...]
    hidden: bool


Partitions = tuple[tuple[str, str | None], ...]
"""Names and values of partition folders, outermost first."""

Wanted = Callable[[Partitions], bool]
"""Says of values of the outermost partition columns, or of all, whether such rows are wanted."""


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file of a dataset and the values of the dataset's partition columns in it."""

    info: ObjectInfo
    partitions: tuple[tuple[str, str | None], ...] = ()


def place(root: str, uri: str) -> Placement:
    """Say where the file at `uri`, found by walking `root`, belongs."""
    if uri == root:
        return Placement(root, (), hidden=False)
    *folders, name = uri.removeprefix(f"{root}/").split("/")
    start = len(folders)
    while start and _is_partition(folders[start - 1]):
        start -= 1
    partitions = tuple(_partition(folder) for folder in folders[start:])
    hidden = _is_hidden(name) or any(_is_hidden(f) and not _is_partition(f) for f in folders)
    return Placement("/".join((root, *folders[:start])), partitions, hidden)


def data_files(
    connector: Connector, source: Source, wanted: Wanted = lambda _: True
) -> Iterator[DataFile]:
    """The files of a dataset; hidden and empty files hold no rows and are left out.

    Their order is the same each time. Partitions that are not `wanted` are not even listed.

    Raises:
        NotFound: nothing is at the source's address any more.
        SourceUnavailable: it cannot be listed.
        SchemaChanged: a file lies in other partition folders than the source has.
    """

    def enter(folder: str) -> bool:
        placement = place(source.uri, f"{folder}/-")
        if placement.hidden or placement.dataset != source.uri:
            return False
        names = tuple(name for name, _ in placement.partitions)
        # What lies in other folders than it should is to be found, and told.
        return names != source.partitions[: len(names)] or wanted(placement.partitions)

    for info in connector.walk(source.uri, enter=enter):
        placement = place(source.uri, info.uri)
        if placement.hidden or placement.dataset != source.uri or not info.size:
            continue
        if tuple(name for name, _ in placement.partitions) != source.partitions:
            raise SchemaChanged(
                f"`{shown(info.uri)}` lies in other partition folders than its dataset has",
                hint="a steward has to crawl and review the dataset again",
            )
        if wanted(placement.partitions):
            yield DataFile(info, placement.partitions)


def _is_hidden(name: str) -> bool:
    return name.startswith((".", "_"))


def _is_partition(folder: str) -> bool:
    name, mark, value = folder.partition("=")
    return bool(name and mark and value) and not name.startswith(".")


def _partition(folder: str) -> tuple[str, str | None]:
    name, _, value = folder.partition("=")
    return name, None if value == _NULL_PARTITION else unquote(value)
