"""Statements that define databases, tables, views, crawlers and connections, as values.

`at` is where the name of their object stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from privet.model.errors import Position
from privet.model.names import DatasetName, FieldPath, TagName

Properties = Mapping[str, str]


def _none() -> dict[str, str]:
    return {}


@dataclass(frozen=True, slots=True)
class CreateDatabase:
    """`CREATE DATABASE [IF NOT EXISTS] d [COMMENT '..'] [DBPROPERTIES(..)]`."""

    database: str
    if_not_exists: bool = False
    comment: str = ""
    properties: Properties = field(default_factory=_none)
    at: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class DropDatabase:
    """`DROP DATABASE [IF EXISTS] d [CASCADE] [INCLUDING PERMISSIONS]`."""

    database: str
    if_exists: bool = False
    cascade: bool = False
    permissions: bool = False
    at: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class TagDatabase:
    """`ALTER DATABASE d ADD|DROP ATTRIBUTE ns.k`."""

    database: str
    tag: TagName
    add: bool
    at: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class SetDatabaseProperties:
    """`ALTER DATABASE d SET DBPROPERTIES(..)`: those named change, the others stay."""

    database: str
    properties: Properties
    at: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class LoadDefinitions:
    """`ALTER DATABASE d LOAD DEFINITIONS([t, ..])`: tables of a connection, all or those named."""

    database: str
    tables: tuple[str, ...] = ()
    at: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class TagAt:
    """A tag as it was written."""

    tag: TagName
    path: FieldPath = ()
    at: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ColumnDefinition:
    """A column of a table; `tags` are on it (path of one part) and on fields inside it.

    `exact` says that the type is meant to the letter; without it a text of any length is text,
    and a moment is one of the unit and zone that the files have.
    """

    name: str
    type: pa.DataType
    exact: bool = False
    comment: str = ""
    tags: tuple[TagAt, ...] = ()
    at: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class TableOver:
    """`OVER DATACONNECTION c TABLE '..' [SCHEMA '..']`, by the database's own names."""

    connection: str
    table: str
    schema: str = ""


@dataclass(frozen=True, slots=True)
class CreateTable:
    """`CREATE [EXTERNAL] TABLE [IF NOT EXISTS] d.t ...`.

    Without `columns` they are those of the files, or of the file `like`. `format` is a word in
    upper case, or empty. `places` has the positions of clauses by their keyword.
    """

    dataset: DatasetName
    if_not_exists: bool = False
    columns: tuple[ColumnDefinition, ...] = ()
    partitions: tuple[ColumnDefinition, ...] = ()
    like: str = ""
    location: str = ""
    format: str = ""
    delimiter: str = ""
    quote: str | None = None
    """What quotes text; empty where nothing does; None where that is not said."""
    comment: str = ""
    tags: tuple[TagAt, ...] = ()
    properties: Properties = field(default_factory=_none)
    over: TableOver | None = None
    at: Position | None = field(default=None, compare=False, repr=False)
    places: Mapping[str, Position] = field(
        default_factory=dict[str, Position], compare=False, repr=False
    )


@dataclass(frozen=True, slots=True)
class CreateTableAs:
    """`CREATE TABLE [IF NOT EXISTS] d.t [COMMENT ..] [LOCATION ..] [TBLPROPERTIES(..)] AS <text>`.

    The text is SQL of the engine, as it was written, and begins at `text_position`.
    """

    dataset: DatasetName
    text: str
    text_position: Position = field(compare=False)
    if_not_exists: bool = False
    location: str = ""
    comment: str = ""
    properties: Properties = field(default_factory=_none)
    at: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Insert:
    """`INSERT INTO [TABLE] d.t <text>`; the text is SQL of the engine."""

    dataset: DatasetName
    text: str
    text_position: Position = field(compare=False)
    at: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class DropDataset:
    """`DROP TABLE|VIEW [IF EXISTS] d.t [INCLUDING|EXCLUDING PERMISSIONS]`."""

    dataset: DatasetName
    if_exists: bool = False
    permissions: bool = False
    view: bool = False
    at: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class TagDataset:
    """`ALTER TABLE d.t ADD|DROP ATTRIBUTE ns.k`, or `... COLUMN ATTRIBUTE col[.field] ns.k`."""

    dataset: DatasetName
    tag: TagName
    add: bool
    path: FieldPath = ()
    at: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Autotag:
    """`ALTER TABLE d.t EXECUTE AUTOTAG`, `EXECUTE AUTOTAG [d.t]`; None: every table."""

    dataset: DatasetName | None
    at: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Rename:
    """`ALTER TABLE|VIEW d.t RENAME TO d.t2`."""

    dataset: DatasetName
    to: DatasetName
    at: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class SetProperties:
    """`ALTER TABLE|VIEW d.t SET TBLPROPERTIES(..)`: those named change, the others stay."""

    dataset: DatasetName
    properties: Properties
    at: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class SetReading:
    """`ALTER TABLE d.t SET SERDEPROPERTIES(..)`: how text is cut; None: as it is.

    `quote` is empty where nothing quotes.
    """

    dataset: DatasetName
    delimiter: str | None = None
    quote: str | None = None
    at: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class SetLocation:
    """`ALTER TABLE d.t SET LOCATION '..'`."""

    dataset: DatasetName
    location: str
    at: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class AlterPartitions:
    """`ALTER TABLE d.t RECOVER PARTITIONS`, or `ADD|DROP PARTITION ...`: `verb` is upper case."""

    dataset: DatasetName
    verb: str
    at: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ViewColumn:
    """A column of a view as its author names it; `type`, if said, is only held against its own."""

    name: str
    type: pa.DataType | None = None
    exact: bool = False
    comment: str = ""
    tags: tuple[TagAt, ...] = ()
    at: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class CreateView:
    """`CREATE [EXTERNAL] VIEW [IF NOT EXISTS] d.v [(cols)] [COMMENT '..'] AS <text>`.

    The text is SQL of the engine, as it was written, and begins at `text_position`.
    """

    dataset: DatasetName
    text: str
    text_position: Position = field(compare=False)
    if_not_exists: bool = False
    columns: tuple[ViewColumn, ...] = ()
    comment: str = ""
    at: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class AlterView:
    """`ALTER VIEW d.v AS <text>`."""

    dataset: DatasetName
    text: str
    text_position: Position = field(compare=False)
    at: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class CreateCrawler:
    """`CREATE CRAWLER c SOURCE '<uri>'`."""

    crawler: str
    source: str
    at: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class DropCrawler:
    """`DROP CRAWLER [IF EXISTS] c`."""

    crawler: str
    if_exists: bool = False
    at: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class DefineConnection:
    """`CREATE|ALTER|DROP DATACONNECTION c ...`: `verb` is upper case; properties may be secret."""

    connection: str
    verb: str
    lenient: bool = False
    properties: Properties = field(default_factory=_none, repr=False)
    at: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ReplaceColumns:
    """`ALTER TABLE d.t REPLACE COLUMNS (..)`: those named, of the files as they are now."""

    dataset: DatasetName
    columns: tuple[ColumnDefinition, ...]
    at: Position | None = field(default=None, compare=False, repr=False)


Definition = (
    CreateDatabase
    | DropDatabase
    | TagDatabase
    | SetDatabaseProperties
    | LoadDefinitions
    | CreateTable
    | CreateTableAs
    | Insert
    | DropDataset
    | TagDataset
    | Autotag
    | Rename
    | SetProperties
    | SetReading
    | SetLocation
    | ReplaceColumns
    | AlterPartitions
    | CreateView
    | AlterView
    | CreateCrawler
    | DropCrawler
    | DefineConnection
)
