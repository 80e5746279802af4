"""Groups the files of a walk into datasets, in memory bounded by the number of datasets."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from privet.connector import ObjectInfo, Placement
from privet.model.crawling.crawls import ObjectChange
from privet.model.datasets import Format
from privet.scan import PACKED

LOOKED_AT = 50
"""Files per dataset that are looked into; all of them are counted."""

_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")
_SUFFIX = re.compile(r"\.[a-z][a-z0-9_-]*")


@dataclass(slots=True)
class Group:
    """The files of one folder and its partitions.

    `suffixes` holds a file name for each kind of name; `integers` the partition columns of which
    every value so far was an integer, written in the one way. `fresh` are the first files that are
    new or changed, `changes` how many there are; `gone` is how many went.
    """

    uri: str
    first: list[ObjectInfo] = field(default_factory=list[ObjectInfo])
    last: ObjectInfo | None = None
    """The file of which the address is the last: mostly that of the latest partition."""
    files: int = 0
    bytes: int = 0
    hidden: int = 0
    empty: int = 0
    suffixes: dict[str, str] = field(default_factory=dict[str, str])
    partitions: tuple[str, ...] = ()
    integers: set[str] = field(default_factory=set[str])
    uneven: str = ""
    fresh: list[ObjectInfo] = field(default_factory=list[ObjectInfo])
    changes: dict[ObjectChange, int] = field(default_factory=dict[ObjectChange, int])
    gone: int = 0
    lake: Format | None = None
    """The kind of table that its files are, if they are one."""

    @property
    def new(self) -> int:
        """Files that no crawl has looked into."""
        return self.changes.get(ObjectChange.NEW, 0)

    @property
    def altered(self) -> bool:
        """Whether files that were looked into changed or went."""
        # What a log says may change without a file of data: it is always read again.
        return bool(self.changes.get(ObjectChange.CHANGED) or self.gone or self.lake)

    def become(self, lake: Format, parts: Iterable[Group]) -> None:
        """Be a table of a log, with the files of the groups below it."""
        self.lake = lake
        self.suffixes, self.partitions, self.uneven = {"": name_of(self.uri)}, (), ""
        for part in parts:
            self.files += part.files
            self.bytes += part.bytes
            self.gone += part.gone
            for change, count in part.changes.items():
                self.changes[change] = self.changes.get(change, 0) + count

    def add(self, info: ObjectInfo, placement: Placement) -> None:
        """Take in a file of this dataset."""
        if placement.hidden:
            self.hidden += 1
            return
        if not info.size:
            self.empty += 1
            return
        names = tuple(name for name, _ in placement.partitions)
        if not self.files:
            self.partitions, self.integers = names, set(names)
        elif names != self.partitions and not self.uneven:
            self.uneven = name_of(info.uri)
        for name, value in placement.partitions:
            if value is not None and not _INTEGER.fullmatch(value):
                self.integers.discard(name)
        self.files += 1
        self.bytes += info.size
        self.suffixes.setdefault(suffix_of(info.uri), name_of(info.uri))
        if len(self.first) < LOOKED_AT:
            self.first.append(info)
        if self.last is None or info.uri > self.last.uri:
            self.last = info


def name_of(uri: str) -> str:
    """The last part of an address."""
    return uri.rstrip("/").rpartition("/")[2]


def suffix_of(uri: str) -> str:
    """What a file's name says about its format: `.csv`, `.csv.gz`, or nothing."""
    name = name_of(uri).lower()
    packed = next((ending for ending in PACKED if name.endswith(ending)), "")
    stem, dot, last = name.removesuffix(packed).rpartition(".")
    suffix = dot + last if stem and _SUFFIX.fullmatch(dot + last) else ""
    return suffix + packed
