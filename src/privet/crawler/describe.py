"""Describes one dataset: from its first files to its columns with proposed tags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa

from privet.classifier import ColumnSample, classify
from privet.connector import Connector, shown
from privet.crawler.formats import format_by_suffix, look_at_file, look_at_lake, settled
from privet.crawler.groups import LOOKED_AT, Group, name_of
from privet.crawler.names import column_names
from privet.crawler.profiles import profiles_of
from privet.crawler.sample import sample_source
from privet.crawler.shapes import GUESS, Given, Shape
from privet.model.crawling.crawls import FoundDataset
from privet.model.datasets import Column, Format, Rule, Source
from privet.model.errors import (
    Cancelled,
    NotFound,
    PrivetError,
    SourceInvalid,
    SourceUnavailable,
)

_NOTES = 10
_MOST_UNREAD = 3


@dataclass(frozen=True, slots=True)
class Known:
    """What looking into the files of a dataset came to, before more were added."""

    shape: Shape
    found: FoundDataset


@dataclass(frozen=True, slots=True)
class Described:
    """A dataset, without notes about files that were not looked into; see `counted`.

    `shape` is what its files have in common, for more to join. `unread` are files that could not be
    reached. `lasting`: it would come out the same as long as the files are the same.
    """

    found: FoundDataset
    shape: Shape | None = None
    unread: tuple[tuple[str, PrivetError], ...] = ()
    lasting: bool = True


@dataclass(slots=True)
class _Look:
    """What looking into files came to so far."""

    shape: Shape | None = None
    unread: list[tuple[str, PrivetError]] = field(default_factory=list[tuple[str, PrivetError]])


def describe(  # noqa: PLR0913 - three of them are what is known beforehand
    connector: Connector,
    name: str,
    group: Group,
    rules: Sequence[Rule],
    *,
    failure: PrivetError | None = None,
    given: Given = GUESS,
    known: Known | None = None,
) -> Described:
    """Look into a group's files; `failure` is what the walk met in its folder.

    What is `given` about them is not guessed. With what is `known` of the others, only the new ones
    are opened. Raises nothing because of a source: what is wrong stands in `problem`.

    Raises:
        Cancelled: the connector said so.
    """
    source = Source(group.uri, _format_by_name(group))
    found = FoundDataset(name, source, files=group.files, bytes=group.bytes)
    look = _Look(known.shape if known else None)
    try:
        if failure is not None:
            raise failure
        connector.canonical(group.uri)
        _check_alike(group)
        shape = _look(connector, group, look, given, new_only=known is not None)
        columns = _columns(shape, group)
    except Cancelled:
        raise
    except PrivetError as error:
        # An address that is refused may hold what the catalog cannot store.
        shown_source = replace(source, uri=shown(group.uri))
        problem = replace(found, source=shown_source, problem=str(error))
        return Described(problem, None, tuple(look.unread), failure is None and _lasts(error))
    source = Source(group.uri, shape.format, shape.options, group.partitions)
    notes = (*shape.notes[:_NOTES], *_unread_notes(look.unread))
    found = replace(found, source=source, notes=notes, description=shape.comment)
    unread = tuple(look.unread)
    if (
        known is not None
        and _untagged(known.found.columns) == columns
        and (known.found.source == source)
    ):
        again = replace(found, columns=known.found.columns, profiles=known.found.profiles)
        return Described(again, look.shape, unread, not unread)
    table, trouble = sampled(connector, source, columns)
    if trouble is not None:
        notes = (*notes, no_cells(trouble))
    return Described(
        replace(
            found,
            columns=tagged(columns, table, rules),
            notes=notes,
            profiles=profiles_of(columns, table),
        ),
        look.shape,
        unread,
        not unread and (trouble is None or _lasts(trouble)),
    )


def counted(found: FoundDataset, group: Group) -> FoundDataset:
    """A dataset with notes on the files that were not looked into."""
    last = "" if group.last is None or group.lake is not None else group.last.uri
    return replace(found, notes=(*_counted(group), *found.notes), last_file=last)


def _lasts(error: PrivetError) -> bool:
    return not isinstance(error, SourceUnavailable | NotFound)


def _untagged(columns: tuple[Column, ...]) -> tuple[Column, ...]:
    return tuple(replace(column, field_tags=()) for column in columns)


def _unread_notes(unread: Sequence[tuple[str, PrivetError]]) -> tuple[str, ...]:
    notes = tuple(f"not looked into: {error.message}" for _, error in unread)
    return (*notes, "more files were not tried") if len(unread) >= _MOST_UNREAD else notes


def _check_alike(group: Group) -> None:
    if not group.files:
        raise SourceInvalid("is empty")
    if len(group.suffixes) > 1:
        names = " and ".join(f"`{shown(each)}`" for each in list(group.suffixes.values())[:2])
        raise SourceInvalid(
            f"mixes unlike files: {names}",
            hint="put files of different kinds into different folders",
        )
    if group.uneven:
        raise SourceInvalid(
            f"`{shown(group.uneven)}` lies in other partition folders than the first file",
            hint="all files of a dataset lie below the same k=v folders",
        )


def _look(
    connector: Connector, group: Group, look: _Look, given: Given, *, new_only: bool
) -> Shape:
    """The shape of all files that are looked into.

    A file that cannot be reached is passed over, unless there are several: then nobody waits for
    the others.
    """
    if group.lake is not None:
        look.shape = look_at_lake(connector, group.uri, group.lake, given.version)
        return look.shape
    ends = () if group.last is None else (group.last,)
    wanted = group.fresh if new_only else (*group.first, *group.fresh, *ends)
    for info in {info.uri: info for info in wanted}.values():
        try:
            look.shape = look_at_file(
                connector, info.uri, next(iter(group.suffixes)), look.shape, given
            )
        except (SourceUnavailable, NotFound) as error:
            look.unread.append((info.uri, error))
            if len(look.unread) >= _MOST_UNREAD:
                break
        except Cancelled:
            raise
        except PrivetError as error:
            if look.shape is None:
                raise
            where = shown(name_of(info.uri))
            raise SourceInvalid(f"`{where}`: {error.message}", hint=error.hint) from error
    if look.shape is None:
        raise look.unread[0][1]
    return settled(look.shape)


def _columns(shape: Shape, group: Group) -> tuple[Column, ...]:
    """The file's columns and then the partitions', with distinct names."""
    own = [field.name for field in shape.fields]
    both = sorted(set(own) & set(group.partitions))
    if both:
        raise SourceInvalid(
            f"`{both[0][:64]}` is both a column of the files and a partition folder"
        )
    if len(set(group.partitions)) < len(group.partitions):
        raise SourceInvalid("a partition folder lies in another one of the same name")
    names = column_names((*own, *group.partitions))
    columns = [
        Column(name, field.kind, field.name, field.comment)
        for name, field in zip(names, shape.fields, strict=False)
    ]
    for name, each in zip(names[len(own) :], group.partitions, strict=True):
        kind = pa.int64() if each in group.integers else pa.string()
        columns.append(Column(name, kind, each, partition=True))
    return tuple(columns)


def propose_tags(
    connector: Connector, source: Source, columns: tuple[Column, ...], rules: Sequence[Rule]
) -> tuple[tuple[Column, ...], str]:
    """The columns with proposed tags, and why no cells could be looked at, if so."""
    table, trouble = sampled(connector, source, columns)
    return tagged(columns, table, rules), "" if trouble is None else no_cells(trouble)


def no_cells(error: PrivetError) -> str:
    """What is said where tags are proposed without a look at cells."""
    return f"no cells were looked at: {error.message}"


def sampled(
    connector: Connector, source: Source, columns: tuple[Column, ...]
) -> tuple[pa.Table, PrivetError | None]:
    """The first rows; none where they cannot be read, and why.

    Raises:
        Cancelled: the crawl ends.
    """
    try:
        return sample_source(connector, source, columns), None
    except Cancelled:
        raise
    except PrivetError as error:
        none = pa.schema([(column.name, column.type) for column in columns]).empty_table()
        return none, error


def tagged(
    columns: tuple[Column, ...], table: pa.Table, rules: Sequence[Rule]
) -> tuple[Column, ...]:
    """The columns with the tags that rules propose; the table has a few cells of each, in order."""
    samples = [
        ColumnSample(c.name, c.comment, c.type, _array(table.column(at)), c.source_name)
        for at, c in enumerate(columns)
    ]
    tags = classify(samples, rules)
    return tuple(
        replace(c, field_tags=tuple(tag for tag in tags if tag.path[0] == c.name)) for c in columns
    )


def _array(column: pa.ChunkedArray) -> pa.Array:
    combined = column.combine_chunks()
    return combined if isinstance(combined, pa.Array) else combined.chunk(0)


def _counted(group: Group) -> tuple[str, ...]:
    notes = (
        f"{group.hidden} hidden file{'s' * (group.hidden > 1)} skipped" if group.hidden else "",
        f"{group.empty} empty file{'s' * (group.empty > 1)} skipped" if group.empty else "",
        f"looked into the first {LOOKED_AT} and the last of {group.files} files"
        if group.files > LOOKED_AT
        else "",
    )
    return tuple(note for note in notes if note)


def _format_by_name(group: Group) -> Format:
    """The likely format, for a dataset that could not be looked into."""
    return group.lake or format_by_suffix(next(iter(group.suffixes), ""))
