"""Text that is cut otherwise than before, into the same columns."""

from __future__ import annotations

from dataclasses import replace

from privet.crawler import Given
from privet.model.datasets import Column, Dataset, Format, Source
from privet.model.errors import InvalidRequest
from privet.model.names import DatasetName
from privet.model.permissions import AccessLevel, Scope, on_dataset
from privet.policy import Need
from privet.policy import definitions as d
from privet.service.platform import Platform
from privet.service.proposals import look_at_files
from privet.service.rights import tag_needs


def moving(name: DatasetName, before: Dataset | None, path: Scope) -> tuple[Need, ...]:
    """The rights that it needs beside the one to alter: cells leave what protects them.

    Args:
        name: of the table.
        before: the table, if there is one.
        path: where its files are.
    """
    on = on_dataset(name)
    held = {tag for c in (before.columns if before else ()) for tag in c.tags | c.inner_tags}
    taken = (n for tag in sorted(held) for n in tag_needs(AccessLevel.REMOVE_ATTRIBUTE, tag, on))
    needs = Need(AccessLevel.SELECT, path), Need(AccessLevel.MANAGE_GRANTS, on)
    return (*needs, *dict.fromkeys(taken))


def cut_anew(
    platform: Platform, dataset: Dataset, wanted: d.SetReading
) -> tuple[Source, tuple[Column, ...]]:
    """How the files are read then, and the columns with the tags that rules propose besides.

    Raises:
        InvalidRequest: it is no table of text, or the files would have other columns.
        NotFound: they are not there any more.
    """
    options = dataset.source.options
    if dataset.source.format is not Format.CSV:
        raise InvalidRequest(
            "only tables of text are read by what delimits and quotes",
            hint="files of other formats say themselves how they are read",
            position=wanted.at,
        )
    given = Given(
        options["delimiter"] if wanted.delimiter is None else wanted.delimiter,
        options["quote"] if wanted.quote is None else wanted.quote,
        options["header"],
    )
    found = look_at_files(platform, dataset.source.uri, given)
    if found is None or found.problem or found.source.format is not Format.CSV:
        problem = found.problem if found else "there are none"
        raise InvalidRequest(
            f"the files cannot be read so: {problem or 'they are no text'}", position=wanted.at
        )
    there = {(c.source_name, c.partition): c for c in found.columns}
    if there.keys() != {(c.source_name, c.partition) for c in dataset.columns}:
        raise InvalidRequest(
            "the files would have other columns then",
            hint="drop the table, whose permissions stay, and create it anew",
            position=wanted.at,
        )
    columns = (_tagged(c, there[c.source_name, c.partition]) for c in dataset.columns)
    return found.source, tuple(columns)


def _tagged(column: Column, there: Column) -> Column:
    """A column with the tags that it has, and those that are proposed for what it holds then."""
    held = {(t.path, t.tag) for t in column.field_tags}
    proposed = (replace(t, path=(column.name, *t.path[1:])) for t in there.field_tags)
    fresh = tuple(t for t in proposed if len(t.path) == 1 and (t.path, t.tag) not in held)
    return replace(column, field_tags=(*column.field_tags, *fresh))
