"""Crawls: what they found, remember and report, and when they are due again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from privet.model.datasets import Column
from privet.model.names import DatasetName
from privet.model.sources import Source
from privet.model.tokens.profiles import Profile

MOST_PROBLEMS = 100
"""Objects that a report names; more are counted."""


class ObjectChange(StrEnum):
    """How an object differs from when its dataset was last looked into."""

    NONE = ""
    NEW = "new"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class SeenObject:
    """An object as a walk saw it. Equal marks mean: the same content, as far as its store says."""

    uri: str
    dataset: str
    size: int
    modified: datetime | None
    etag: str


@dataclass(frozen=True, slots=True)
class ObjectProblem:
    """Why an object could not be read or reached, without anything of its content."""

    uri: str
    problem: str


@dataclass(frozen=True, slots=True)
class CrawlReport:
    """What a crawl did, in numbers, and what it could not do.

    Attributes:
        unchanged: objects that were as the crawl before had seen them.
        new: objects that it had not seen.
        changed: objects of another size, time or etag.
        gone: objects that it had seen and that are not there any more.
        hidden: objects passed over, since they or a folder above begin with `.` or `_`.
        opened: how often a file was opened to look into it.
        kept: datasets that were not looked into again, since nothing of them had changed.
        problems: the first objects that could not be read or reached.
        problem_count: how many there were.
        broke_off: why the listing ended early; empty if it is whole.
        resumed: how often it went on after its server had ended.
        died: how often that server had not handed it on: it was killed, by the crawl perhaps.
        single_files: whether each file is a dataset of its own, whatever else is in its folder.
    """

    unchanged: int = 0
    new: int = 0
    changed: int = 0
    gone: int = 0
    hidden: int = 0
    opened: int = 0
    kept: int = 0
    problems: tuple[ObjectProblem, ...] = ()
    problem_count: int = 0
    broke_off: str = ""
    resumed: int = 0
    died: int = 0
    single_files: bool = False

    def to_json(self) -> dict[str, Any]:
        """As doors and the store write it."""
        numbers = {name: getattr(self, name) for name in self.__slots__ if name != "problems"}
        return numbers | {
            "problems": [{"object": p.uri, "problem": p.problem} for p in self.problems]
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> CrawlReport:
        """The reverse of `to_json`; crawls of earlier versions have nothing to report."""
        known = {name: value for name, value in document.items() if name in cls.__slots__}
        listed = known.pop("problems", ())
        problems = tuple(ObjectProblem(each["object"], each["problem"]) for each in listed)
        return cls(problems=problems, **known)


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a crawl is to be done again, and by whose rights.

    `expression` is five fields as cron has them, in `timezone`. `next_at` is the moment that it is
    due, which stays in the past while no server runs.
    """

    crawl: str
    expression: str
    timezone: str
    next_at: datetime
    owner: tuple[str, str]
    """Issuer and user."""
    last_at: datetime | None = None
    last_error: str = ""
    """Why the last run that was due could not begin."""


class CrawlStatus(StrEnum):
    """The life of a crawl."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class FoundDataset:
    """A dataset that a crawl found. `problem` says why it cannot be registered, if it cannot.

    `registered_as` is filled in by the catalog when the path is already some dataset's.
    """

    name: str
    source: Source
    columns: tuple[Column, ...] = ()
    files: int = 0
    bytes: int = 0
    problem: str = ""
    notes: tuple[str, ...] = ()
    registered_as: DatasetName | None = None
    profiles: Mapping[str, Profile] = field(default_factory=dict[str, Profile])
    description: str = ""
    """What its files say about it."""
    last_file: str = ""
    """The address of the last of them by name, mostly of the latest partition."""


@dataclass(frozen=True, slots=True)
class Crawl:
    """One walk of a connector, as stored."""

    name: str
    uri: str
    status: CrawlStatus
    found: tuple[FoundDataset, ...] = ()
    objects_seen: int = 0
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: str = ""
    created_by: str = ""
    report: CrawlReport = field(default_factory=CrawlReport)
    issuer: str = ""
    """Of whoever started it."""
    run: int = 1
    """How often a crawl of this name was started."""
    schedule: Schedule | None = None
