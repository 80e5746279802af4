"""What a steward says about columns: at registration, afterwards, and when the source drifts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import pyarrow as pa
import pyarrow.types as pat

from privet.model.crawling.crawls import FoundDataset
from privet.model.datasets import Column, Dataset, FieldTag, Format, Source, plain_type
from privet.model.errors import InvalidRequest
from privet.model.names import TagName
from privet.model.sources import FIELD_IDS, TABLE_ID, CatalogPlace, are_same


@dataclass(frozen=True, slots=True)
class ColumnEdit:
    """What to change about a column; None leaves it as it is.

    `tags` are those on the column itself; those on fields inside it stay.
    """

    type: pa.DataType | None = None
    comment: str | None = None
    tags: tuple[TagName, ...] | None = None
    reviewed: bool | None = None


def edit_columns(
    what: object, columns: tuple[Column, ...], edits: Mapping[str, ColumnEdit]
) -> tuple[Column, ...]:
    """The columns with the edits made, by the columns' names.

    Raises:
        InvalidRequest: an edit of a column that `what` does not have.
    """
    unknown = set(edits) - {c.name for c in columns}
    if unknown:
        raise InvalidRequest(f"`{what}` has no column `{min(unknown)}`")
    return tuple(_edit(c, edits[c.name]) if c.name in edits else c for c in columns)


def _edit(column: Column, edit: ColumnEdit) -> Column:
    tags = column.field_tags
    if edit.tags is not None:
        known = {t.tag: t for t in tags if len(t.path) == 1}
        nested = tuple(t for t in tags if len(t.path) > 1)
        # A tag that stays keeps the evidence it came with.
        tags = (*(known.get(t) or FieldTag((column.name,), t) for t in edit.tags), *nested)
    return replace(
        column,
        type=edit.type or column.type,
        comment=column.comment if edit.comment is None else edit.comment,
        reviewed=column.reviewed if edit.reviewed is None else edit.reviewed,
        field_tags=tags,
    )


# ---- drift: what was reviewed, and what a crawl finds there


class DriftKind(StrEnum):
    """How a source differs from what was reviewed."""

    ADDED = "added"
    """A column that nobody has reviewed; it is hidden."""
    NESTED = "nested"
    """Fields appeared inside a reviewed column; they are left out."""
    MISSING = "missing"
    RETYPED = "retyped"
    REPLACED = "replaced"
    """The name is of another column now, as the source numbers them."""
    SOURCE = "source"
    """The files are read in another way: their format, dialect, partitions or width."""


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference; `column` is empty where it is of the source as a whole."""

    kind: DriftKind
    column: str
    was: str
    now: str

    @property
    def closes(self) -> bool:
        """Whether scans may end with an error until it is reviewed."""
        return self.kind not in {DriftKind.ADDED, DriftKind.NESTED}


_READ_BY = ("delimiter", "quote", "header", "encoding", "compression")
_Key = tuple[str, bool]


def drift_of(dataset: Dataset, found: FoundDataset | None) -> tuple[Drift, ...]:
    """How a dataset differs from what was found at its path; None: nothing but what it says.

    A column that was renamed is one that is missing and one that was added.
    """
    added = (
        Drift(DriftKind.ADDED, c.name, "", str(c.type)) for c in dataset.columns if not c.reviewed
    )
    if found is None:
        return tuple(added)
    there = {_key(c): c for c in found.columns}
    known = (c for c in dataset.columns if c.reviewed)
    changed = (_drift_of_column(c, there.get(_key(c)), dataset, found) for c in known)
    return (*_drift_of_source(dataset, found), *filter(None, changed), *added)


def _drift_of_source(dataset: Dataset, found: FoundDataset) -> Iterable[Drift]:
    for what, was, now in _readings(dataset.source, found.source):
        if was != now:
            yield Drift(DriftKind.SOURCE, "", f"{what} {was}", f"{what} {now}")
    if _shifted(dataset, found):
        was, now = _width(dataset.columns), _width(found.columns)
        yield Drift(DriftKind.SOURCE, "", f"{was} columns", f"{now} columns")


def _readings(one: Source, other: Source) -> Iterable[tuple[str, object, object]]:
    yield "format", one.format.value, other.format.value
    yield "partitions", ", ".join(one.partitions), ", ".join(other.partitions)
    for option in _READ_BY:
        yield option, one.options.get(option), other.options.get(option)
    if TABLE_ID in one.options:
        yield "table", one.options[TABLE_ID], other.options.get(TABLE_ID)
    was, now = CatalogPlace.of(one), CatalogPlace.of(other)
    yield "table", was and was.title, now and now.title


def _drift_of_column(
    column: Column, there: Column | None, dataset: Dataset, found: FoundDataset
) -> Drift | None:
    if there is None:
        return Drift(DriftKind.MISSING, column.name, str(column.type), "")
    if _is_another(column, dataset, found):
        return Drift(DriftKind.REPLACED, column.name, str(column.type), str(there.type))
    if _still_fits(column, there, found.source.format):
        return None
    nested = holds(there.type, column.type)
    kind = DriftKind.NESTED if nested else DriftKind.RETYPED
    return Drift(kind, column.name, str(column.type), str(there.type))


def _is_another(column: Column, dataset: Dataset, found: FoundDataset) -> bool:
    now = found.source.options.get(FIELD_IDS)
    was = dataset.source.options.get(FIELD_IDS)
    return now is not None and not are_same(was, now, column.source_name)


def _still_fits(column: Column, there: Column, form: Format) -> bool:
    """Whether what is there reads as the type that was reviewed. Text reads as what it looks like.

    Stewards may have chosen the wider type; a column without values looks like text.
    """
    was, now = plain_type(column.type), plain_type(there.type)
    if form is Format.TABLE:
        # Everything reads as text, and what the server has as text may be a number without a scale.
        return was == now or pat.is_string(was) or (pat.is_string(now) and pat.is_primitive(was))
    if was == now or not (form in {Format.CSV, Format.JSON} or column.partition):
        return was == now
    return _reads_as(now, was)


def _reads_as(now: pa.DataType, was: pa.DataType) -> bool:
    """Whether text that looks like one type reads as another."""
    if pat.is_struct(now) and pat.is_struct(was):
        kinds = {f.name: f.type for f in now}
        # A field that no object of the sample has is NULL in all of them.
        return set(kinds) <= {f.name for f in was} and all(
            f.name not in kinds or _fits(kinds[f.name], f.type) for f in was
        )
    if pat.is_list(now) and pat.is_list(was):
        return _fits(now.value_type, was.value_type)
    if pat.is_map(now) and pat.is_map(was):
        return _fits(now.item_type, was.item_type)
    return (
        pat.is_string(was)
        or ((pat.is_floating(was) or pat.is_decimal(was)) and pat.is_integer(now))
        or (pat.is_timestamp(was) and pat.is_date32(now))
    )


def _fits(now: pa.DataType, was: pa.DataType) -> bool:
    return now == was or _reads_as(now, was)


def holds(found: pa.DataType, reviewed: pa.DataType) -> bool:
    """Whether a type has all that was reviewed, of the same types, and perhaps more fields."""
    return _holds(plain_type(found), plain_type(reviewed))


def _holds(found: pa.DataType, reviewed: pa.DataType) -> bool:
    if pat.is_list(found) and pat.is_list(reviewed):
        return _holds(found.value_type, reviewed.value_type)
    if pat.is_map(found) and pat.is_map(reviewed):
        same = found.key_type == reviewed.key_type
        return same and _holds(found.item_type, reviewed.item_type)
    if not (pat.is_struct(found) and pat.is_struct(reviewed)):
        return found == reviewed
    inside = {f.name: f.type for f in found}
    # Of two fields of one name nobody could say which was reviewed.
    return len(inside) == found.num_fields and all(
        f.name in inside and _holds(inside[f.name], f.type) for f in reviewed
    )


def noticed(dataset: Dataset, found: FoundDataset) -> tuple[Column, ...]:
    """The columns and those that appeared, unreviewed, with the tags that were proposed for them.

    Nothing that was reviewed changes, and no tag goes. Columns that are bound by their position are
    left alone: where there is one more, none of them needs to mean what it did.
    """
    there = {_key(c): c for c in found.columns}
    columns = [c if c.reviewed else _seen_again(c, there.get(_key(c))) for c in dataset.columns]
    if _has_header(found.source) and _has_header(dataset.source):
        known, names = {_key(c) for c in columns}, {c.name for c in columns}
        for fresh in (c for c in found.columns if _key(c) not in known and not c.partition):
            columns.append(_fresh(fresh, names, reviewed=False))
            names.add(columns[-1].name)
    return tuple(columns)


def noticed_ids(dataset: Dataset, found: FoundDataset) -> Mapping[str, Any]:
    """The options of the source once a crawl has looked: columns that nobody reviewed are as found.

    What was reviewed keeps its number: another is for a steward to accept.
    """
    there, options = found.source.options.get(FIELD_IDS), dataset.source.options
    if there is None:
        return options
    reviewed = {c.source_name for c in dataset.columns if c.reviewed}
    kept = {n: ids for n, ids in options.get(FIELD_IDS, {}).items() if n in reviewed}
    fresh = {n: ids for n, ids in there.items() if n not in reviewed}
    return {**options, FIELD_IDS: fresh | kept}


def accepted(dataset: Dataset, found: FoundDataset | None) -> tuple[Column, ...]:
    """The columns once a steward has reviewed what was found: as it is there.

    A missing column goes, with its tags; another type, or fields inside, bring the tags proposed,
    and so does another place.
    """
    if found is None:
        return tuple(replace(c, reviewed=True) for c in dataset.columns)
    there = {_key(c): c for c in found.columns}
    form, shifted = found.source.format, _shifted(dataset, found)
    columns = [
        replace(column, reviewed=True)
        if not shifted
        and not _is_another(column, dataset, found)
        and _still_fits(column, there[_key(column)], form)
        else replace(_as_there(column, there[_key(column)]), reviewed=True)
        for column in dataset.columns
        if _key(column) in there
    ]
    known, names = {_key(c) for c in columns}, {c.name for c in columns}
    for fresh in (c for c in found.columns if _key(c) not in known):
        columns.append(_fresh(fresh, names, reviewed=True))
        names.add(columns[-1].name)
    return tuple(columns)


def _seen_again(column: Column, there: Column | None) -> Column:
    return column if there is None else _as_there(column, there)


def _as_there(column: Column, there: Column) -> Column:
    """The column with the type and the further tags of what was found."""
    known = {(t.path, t.tag) for t in column.field_tags}
    proposed = _renamed(there, column.name).field_tags
    further = (t for t in proposed if (t.path, t.tag) not in known)
    return replace(column, type=there.type, field_tags=(*column.field_tags, *further))


def _fresh(found: Column, names: set[str], *, reviewed: bool) -> Column:
    name, number = found.name, 1
    while name in names:
        number += 1
        name = f"{found.name[:120]}_{number}"
    return replace(_renamed(found, name), reviewed=reviewed)


def _renamed(column: Column, name: str) -> Column:
    tags = tuple(replace(t, path=(name, *t.path[1:])) for t in column.field_tags)
    return replace(column, name=name, field_tags=tags)


def _key(column: Column) -> _Key:
    """What columns are bound by."""
    return (column.source_name, column.partition)


def _shifted(dataset: Dataset, found: FoundDataset) -> bool:
    """Whether columns that are bound by their position may be others than they were."""
    same = _width(dataset.columns) == _width(found.columns)
    return not same and not _has_header(found.source)


def _width(columns: Iterable[Column]) -> int:
    return sum(not c.partition for c in columns)


def _has_header(source: Source) -> bool:
    return bool(source.options.get("header", True))
