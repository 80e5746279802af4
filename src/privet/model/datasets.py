"""Datasets, columns, copies, and the rules that propose tags."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

import pyarrow as pa
import pyarrow.types as pat

from privet.model.errors import InvalidRequest
from privet.model.names import DatasetName, FieldPath, TagName
from privet.model.sources import COPIED, Format, Source
from privet.model.tagging import Evidence

_DECIMAL = re.compile(r"decimal(?:128)?\((\d+), *(-?\d+)\)")
_ZONED = re.compile(r"timestamp\[(s|ms|us|ns), *tz=([A-Za-z0-9_+:/-]+)\]")


def parse_type(text: str) -> pa.DataType:
    """Read a scalar type as Arrow prints it: `int64`, `timestamp[us, tz=UTC]`.

    Other encodings of text and bytes are read as the plain ones, as which columns leave.

    Raises:
        InvalidRequest: not a scalar type that a column can be given.
    """
    spelled = text.strip().lower()
    try:
        if match := _DECIMAL.fullmatch(spelled):
            return pa.decimal128(int(match[1]), int(match[2]))
        if match := _ZONED.fullmatch(text.strip()):
            return pa.timestamp(match[1], tz=match[2])
        kind = pa.type_for_alias("bool" if spelled == "boolean" else spelled)
    except (ValueError, pa.ArrowException) as error:
        raise InvalidRequest(
            f"`{text[:64]}` is not a column type",
            hint="use an Arrow type such as string, int64, double, bool, date32, timestamp[us]",
        ) from error
    return plain_type(kind)


def plain_type(
    kind: pa.DataType, leaf: Callable[[pa.DataType], pa.DataType] = lambda kind: kind
) -> pa.DataType:
    """The type in which a column leaves: encodings and extensions undone, at every depth.

    Args:
        kind: any type.
        leaf: what is made of a type that holds no other and is plain already.
    """
    if isinstance(kind, pa.BaseExtensionType):
        return plain_type(kind.storage_type, leaf)
    if pat.is_dictionary(kind):
        return plain_type(kind.value_type, leaf)
    if pat.is_string_view(kind) or pat.is_large_string(kind):
        return pa.string()
    if pat.is_binary_view(kind) or pat.is_large_binary(kind):
        return pa.binary()
    if pat.is_struct(kind):
        fields = [kind.field(i) for i in range(kind.num_fields)]
        return pa.struct([pa.field(f.name, plain_type(f.type, leaf)) for f in fields])
    if pat.is_list(kind) or pat.is_large_list(kind) or pat.is_fixed_size_list(kind):
        return pa.list_(plain_type(kind.value_type, leaf))
    if pat.is_map(kind):
        return pa.map_(plain_type(kind.key_type, leaf), plain_type(kind.item_type, leaf))
    return leaf(kind)


class TagOrigin(StrEnum):
    """How a tag came to a field."""

    MANUAL = "manual"
    RULE = "rule"
    LINEAGE = "lineage"
    """It is on what a view's column is made of, or was on what a copy's column is made of."""


@dataclass(frozen=True, slots=True)
class FieldTag:
    """A tag on a field path, with how it came there."""

    path: FieldPath
    tag: TagName
    origin: TagOrigin = TagOrigin.MANUAL
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `name` is folded and unique in its dataset, `source_name` is the source's own.

    An unreviewed column is in nobody's view but a steward's.
    """

    name: str
    type: pa.DataType
    source_name: str
    comment: str = ""
    reviewed: bool = True
    partition: bool = False
    field_tags: tuple[FieldTag, ...] = ()

    @property
    def tags(self) -> frozenset[TagName]:
        """The column's own tags (those on the column itself, not on fields inside it)."""
        return frozenset(t.tag for t in self.field_tags if len(t.path) == 1)

    @property
    def inner_tags(self) -> frozenset[TagName]:
        """The tags on fields inside the column."""
        return frozenset(t.tag for t in self.field_tags if len(t.path) > 1)


@dataclass(frozen=True, slots=True)
class View:
    """What a view is made of.

    Attributes:
        text: one SELECT, as its author wrote it.
        database: where datasets named without one are.
        definer: issuer and user by whose grants it reads.
        sees: the datasets that it names, with the columns of each that its definer saw then. No
            others are in view when it is read: a `*`, or a join by name, stays what it was.
        rests: what each column rests on, by its name: pairs of a dataset and a column.
        refers: the one of these that a column is, as it is, by the columns that are one; with the
            way to a field inside it, if the column is only that.
        released: tags that a steward took off a column although what it is made of bears them.
    """

    text: str
    database: str | None
    definer: tuple[str, str]
    sees: Mapping[DatasetName, tuple[str, ...]]
    rests: Mapping[str, frozenset[tuple[DatasetName, str]]]
    released: Mapping[str, frozenset[TagName]] = field(
        default_factory=dict[str, frozenset[TagName]]
    )
    refers: Mapping[str, tuple[DatasetName, str, FieldPath]] = field(
        default_factory=dict[str, tuple[DatasetName, str, FieldPath]]
    )

    @property
    def reads(self) -> Mapping[DatasetName, frozenset[str]]:
        """The columns that it needs, by dataset."""
        pairs = frozenset[tuple[DatasetName, str]]().union(*self.rests.values())
        return {n: frozenset(column for of, column in pairs if of == n) for n in self.sees}

    def to_options(self) -> dict[str, Any]:
        """As the options of a source, which are kept as JSON."""
        return {
            "text": self.text,
            "database": self.database,
            "definer": list(self.definer),
            "sees": [[*name, list(columns)] for name, columns in self.sees.items()],
            "rests": {c: sorted([*d, name] for d, name in r) for c, r in self.rests.items()},
            "released": {c: sorted(map(str, tags)) for c, tags in self.released.items()},
            "refers": {c: [*of, name, *way] for c, (of, name, way) in self.refers.items()},
        }

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Self:
        """From the options of a source."""
        issuer, user = options["definer"]
        return cls(
            options["text"],
            options["database"],
            (issuer, user),
            {DatasetName(d, t): tuple(columns) for d, t, columns in options["sees"]},
            {
                column: frozenset((DatasetName(d, t), name) for d, t, name in rests)
                for column, rests in options["rests"].items()
            },
            {c: frozenset(map(TagName.parse, t)) for c, t in options["released"].items()},
            # Views of earlier versions say nothing of it.
            {
                c: (DatasetName(d, t), n, tuple(way))
                for c, (d, t, n, *way) in options.get("refers", {}).items()
            },
        )


@dataclass(frozen=True, slots=True)
class Copy:
    """What a copy was made of, through views and other copies too.

    Attributes:
        origins: for each dataset, as what its columns stand in the copy unchanged and row for
            row; nothing if its rows were joined or computed with. By the names there.
        tags: of what its columns were made of, by their names in the files; with whether all of
            that had the tag.
        managed: whether its files are the copy's own, and go with it.
    """

    origins: Mapping[DatasetName, Mapping[str, str]]
    tags: Mapping[str, Mapping[TagName, bool]]
    managed: bool = True

    def beside(self, other: Copy) -> Copy:
        """Of the rows of both."""
        both = {
            name: dict(mine.items() & theirs.items())
            for name, mine in self.origins.items()
            if (theirs := other.origins.get(name)) is not None
        }
        columns = {*self.tags, *other.tags}
        tags = {c: {**self.tags.get(c, {}), **other.tags.get(c, {})} for c in columns}
        for column, of in tags.items():
            for tag in of:
                of[tag] = all(each.tags.get(column, {}).get(tag) for each in (self, other))
        return Copy({**self.origins, **other.origins, **both}, tags, self.managed)

    def renamed(self, old: DatasetName, new: DatasetName) -> Copy:
        """Of the same dataset under another name."""
        origins = {new if name == old else name: plain for name, plain in self.origins.items()}
        return replace(self, origins=origins)

    def without(self, column: str, tag: TagName) -> Copy:
        """Without a tag that somebody took off a column, by its name in the files."""
        kept = {t: whole for t, whole in self.tags.get(column, {}).items() if t != tag}
        return replace(self, tags={**self.tags, column: kept})

    def to_option(self) -> dict[str, Any]:
        """As an option of a source, which is kept as JSON."""
        origins = [[*name, dict(plain)] for name, plain in sorted(self.origins.items())]
        tags = {c: {str(tag): whole for tag, whole in of.items()} for c, of in self.tags.items()}
        return {"origins": origins, "tags": tags, "managed": self.managed}

    @classmethod
    def of(cls, option: Mapping[str, Any]) -> Self:
        """From the option of a source."""
        origins = {DatasetName(d, t): plain for d, t, plain in option["origins"]}
        tags = {
            column: {TagName.parse(tag): whole for tag, whole in of.items()}
            for column, of in option["tags"].items()
        }
        return cls(origins, tags, option["managed"])


@dataclass(frozen=True, slots=True)
class Dataset:
    """A governed table. `revision` grows with every edit; `id` dies with the dataset.

    `tags` and `database_tags` are those of the dataset and of its database. `domains` are the
    token domains that a steward admitted it to, by name, with each domain's canonical type
    (`text` or `int64`) and current key version.
    """

    id: str
    name: DatasetName
    source: Source
    columns: tuple[Column, ...]
    tags: frozenset[TagName] = frozenset()
    database_tags: frozenset[TagName] = frozenset()
    domains: Mapping[str, TokenDomain] = field(default_factory=dict[str, "TokenDomain"])
    description: str = ""
    owner: str = ""
    created_at: datetime | None = None
    revision: int = 1
    properties: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def view(self) -> View | None:
        """What it is made of, if it is a view."""
        return View.of(self.source.options) if self.source.format is Format.VIEW else None

    @property
    def copy(self) -> Copy | None:
        """What it was copied from, if it is a copy."""
        option = self.source.options.get(COPIED)
        return None if option is None else Copy.of(option)

    def effective_tags(self, column: Column) -> frozenset[TagName]:
        """Own tags of the column, its dataset's and its database's, and those inside the column."""
        return self.outer_tags(column) | column.inner_tags

    def outer_tags(self, column: Column) -> frozenset[TagName]:
        """The effective tags that every field inside the column bears."""
        return column.tags | self.tags | self.database_tags


class CanonicalType(StrEnum):
    """What the values of a token domain are, whatever the type of a column that holds them."""

    TEXT = "text"
    INT64 = "int64"


@dataclass(frozen=True, slots=True)
class TokenDomain:
    """A set of columns in which equal values have equal tokens."""

    name: str
    canonical: CanonicalType
    version: int = 1
    purpose: str = ""


class RuleTarget(StrEnum):
    """What a rule looks at."""

    COLUMN_NAME = "column_name"
    COLUMN_COMMENT = "column_comment"
    CELL_CONTENT = "cell_content"


@dataclass(frozen=True, slots=True)
class Rule:
    """Proposes a tag. Name and comment patterns are searched for; cell patterns match whole cells.

    `match_rate` (0-1) and `min_rows` apply to cell content: of at least `min_rows` non-empty
    sampled cells, at least that share must match. `check` names what else a cell must pass: a check
    digit (`card`), or, for built-in rules by name, what cells must look like (`like_phone`).
    """

    name: str
    tag: TagName
    pattern: str
    targets: frozenset[RuleTarget]
    match_rate: float = 0.8
    min_rows: int = 10
    check: str = ""
    builtin: bool = False
    description: str = ""
