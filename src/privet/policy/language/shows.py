"""Statements that ask what there is, as values. `at` is where the name of their object stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from privet.model.errors import Position
from privet.model.names import DatasetName, TagName
from privet.model.permissions import Scope


@dataclass(frozen=True, slots=True)
class ShowDatabases:
    """`SHOW DATABASES`."""


@dataclass(frozen=True, slots=True)
class ShowTables:
    """`SHOW TABLES IN d`; with `views`, `SHOW VIEWS IN d`."""

    database: str
    views: bool = False
    at: Position | None = field(default=None, compare=False, repr=False)


class Which(StrEnum):
    """Which roles are asked for."""

    VISIBLE = "visible"
    ALL = "all"
    CURRENT = "current"


@dataclass(frozen=True, slots=True)
class ShowRoles:
    """`SHOW ROLES`, `SHOW ALL ROLES`, `SHOW CURRENT ROLES`."""

    which: Which = Which.VISIBLE


@dataclass(frozen=True, slots=True)
class ShowRolesOfGroup:
    """`SHOW ROLE GRANT GROUP g`."""

    group: str


@dataclass(frozen=True, slots=True)
class ShowTags:
    """`SHOW ATTRIBUTES`."""


@dataclass(frozen=True, slots=True)
class ShowConnections:
    """`SHOW DATACONNECTIONS`."""


@dataclass(frozen=True, slots=True)
class ShowCrawlers:
    """`SHOW CRAWLERS`."""


@dataclass(frozen=True, slots=True)
class ShowGrantRole:
    """`SHOW GRANT ROLE r [ON ...]`."""

    role: str
    scope: Scope | None = None
    at: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ShowGrantTag:
    """`SHOW GRANT ATTRIBUTE ns.k [ON ...]`: the permissions that name it."""

    tag: TagName
    scope: Scope | None = None
    at: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ShowPartitions:
    """`SHOW PARTITIONS d.t`."""

    dataset: DatasetName
    at: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ShowCreate:
    """`SHOW CREATE TABLE|VIEW d.t`."""

    dataset: DatasetName
    view: bool = False
    at: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Describe:
    """`DESCRIBE [FORMATTED] d.t`."""

    dataset: DatasetName
    formatted: bool = False
    at: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class DescribeDatabase:
    """`DESCRIBE DATABASE d`."""

    database: str
    at: Position | None = field(default=None, compare=False, repr=False)


Show = (
    ShowDatabases
    | ShowTables
    | ShowRoles
    | ShowRolesOfGroup
    | ShowTags
    | ShowConnections
    | ShowCrawlers
    | ShowGrantRole
    | ShowGrantTag
    | ShowPartitions
    | ShowCreate
    | Describe
    | DescribeDatabase
)
