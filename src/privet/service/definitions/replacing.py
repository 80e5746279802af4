"""Columns that a table has from now on, of the files as they are now."""

from __future__ import annotations

from dataclasses import replace

from privet.crawler import Given
from privet.model.datasets import Column, Dataset
from privet.model.errors import InvalidRequest
from privet.model.permissions import AccessLevel, on_dataset
from privet.model.sources import connection_of
from privet.policy import Need
from privet.policy import definitions as d
from privet.service.definitions.columns import Bound, bind, check_files
from privet.service.platform import Platform
from privet.service.proposals import look_at_files
from privet.service.rights import tag_needs


def replacing(wanted: d.ReplaceColumns, before: Dataset | None) -> tuple[Need, ...]:
    """The rights that it needs: to alter, to use tags, and to let tags go with their columns.

    Else a column left out, and named again, would come back without what protects it.
    """
    on, names = on_dataset(wanted.dataset), {column.name for column in wanted.columns}
    gone = (c for c in (before.columns if before else ()) if c.name not in names)
    lost = (tag for c in gone if not c.partition for tag in sorted(c.tags | c.inner_tags))
    needs = (
        need
        for level, tags in (
            (AccessLevel.ADD_ATTRIBUTE, (t.tag for c in wanted.columns for t in c.tags)),
            (AccessLevel.REMOVE_ATTRIBUTE, lost),
        )
        for tag in tags
        for need in tag_needs(level, tag, on)
    )
    return (Need(AccessLevel.ALTER, on), *dict.fromkeys(needs))


def replaced(platform: Platform, dataset: Dataset, wanted: d.ReplaceColumns) -> Bound:
    """The columns that are named, reviewed by whoever names them; the others are gone.

    A column that was there keeps its tags, and gets those that are written and proposed.

    Raises:
        InvalidRequest: the files lack one, or are no longer read as the table is; a copy has the
            columns of what it was made of.
    """
    if dataset.copy is not None:
        raise InvalidRequest(
            "a copy has the columns of what it was made of",
            hint="make another copy, and rename the two",
            position=wanted.at,
        )
    if connection_of(dataset.source):
        raise InvalidRequest(
            "a table of a connection has the columns that it has there",
            hint="drop it, and create it with the columns that it shall have",
            position=wanted.at,
        )
    options = dataset.source.options
    given = Given(
        options.get("delimiter"),
        options.get("quote"),
        options.get("header"),
        options.get("version"),
    )
    found = look_at_files(platform, dataset.source.uri, given)
    if found is None:
        raise InvalidRequest("there are no files at the location of this table", position=wanted.at)
    table = d.CreateTable(
        wanted.dataset,
        columns=wanted.columns,
        partitions=tuple(
            d.ColumnDefinition(c.name, c.type, exact=True, comment=c.comment)
            for c in dataset.columns
            if c.partition
        ),
        places={"LOCATION": wanted.at} if wanted.at else {},
    )
    check_files(table, found)
    if found.source.format is not dataset.source.format:
        raise InvalidRequest(
            f"the files are {found.source.format.upper()}, and were"
            f" {dataset.source.format.upper()} when the table was made",
            hint="drop the table, whose permissions stay, and create it anew",
            position=wanted.at,
        )
    bound = bind(table, found)
    known = {(c.source_name, c.partition): c for c in dataset.columns}
    columns = (_kept(c, known.get((c.source_name, c.partition))) for c in bound.columns)
    return replace(bound, columns=tuple(columns))


def _kept(column: Column, before: Column | None) -> Column:
    """The column with every tag that it had: naming it anew takes none away."""
    if before is None:
        return column
    new = {(t.path, t.tag) for t in column.field_tags}
    old = (replace(t, path=(column.name, *t.path[1:])) for t in before.field_tags)
    kept = tuple(t for t in old if (t.path, t.tag) not in new)
    return replace(
        column, comment=column.comment or before.comment, field_tags=(*column.field_tags, *kept)
    )
