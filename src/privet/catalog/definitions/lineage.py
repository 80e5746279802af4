"""Tags that columns have because of what they are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any

from privet.model.datasets import COPIED, Column, Dataset, FieldTag, TagOrigin
from privet.model.names import DatasetName, TagName

PART = "*"
"""Stands in the path of a tag that some of what a column is made of has."""


class LineageRule(StrEnum):
    """Which tags of what a view is made of are those of its columns."""

    WHOLE = "whole"
    """All of everything that a column rests on. So it is in every server."""
    PLAIN = "plain"
    """Those on columns that a column stands for as they are. What is computed has none, and of
    tables and databases none go on: as the original has it, for its own tests alone."""


def tags_of_parts(
    parts: Iterable[tuple[DatasetName, str]], datasets: Mapping[DatasetName, Dataset | None]
) -> dict[TagName, bool]:
    """The tags of what a column rests on, each with whether all of it has the tag.

    Args:
        parts: columns, by dataset and name; what is not there has no tags.
        datasets: by name, with their own tags of lineage.
    """
    there = [
        (base, column)
        for name, of in parts
        for base in (datasets[name],)
        if base is not None
        for column in base.columns
        if column.name == of
    ]
    every = frozenset[TagName]().union(*(base.effective_tags(c) for base, c in there))
    outer = [base.outer_tags(c) for base, c in there]
    whole = outer[0].intersection(*outer[1:]) if outer else frozenset[TagName]()
    return {tag: tag in whole for tag in every}


def inheriting(column: Column, tags: Mapping[TagName, bool]) -> Column:
    """A column with tags of lineage.

    Tags that all of it has are the column's. A tag of some part protects all of it, and says
    nothing in favour of the others: as with tags of fields inside a column.
    """
    inherited = (
        FieldTag((column.name,) if whole else (column.name, PART), tag, TagOrigin.LINEAGE)
        for tag, whole in sorted(tags.items())
        if tag not in column.tags
    )
    return replace(column, field_tags=(*column.field_tags, *inherited))


def as_copied(dataset: Dataset) -> Dataset:
    """A copy with the tags that its rows came with; any other dataset as it is."""
    copy = dataset.copy
    if copy is None:
        return dataset
    columns = (inheriting(c, copy.tags.get(c.source_name, {})) for c in dataset.columns)
    return replace(dataset, columns=tuple(columns))


def released(dataset: Dataset, column: str, tag: TagName) -> dict[str, Any]:
    """The options of a view or copy whose column no longer inherits a tag."""
    if dataset.view is not None:
        off = dict(dataset.view.released)
        off[column] = off.get(column, frozenset()) | {tag}
        return replace(dataset.view, released=off).to_options()
    assert dataset.copy is not None
    source = next(c.source_name for c in dataset.columns if c.name == column)
    return {**dataset.source.options, COPIED: dataset.copy.without(source, tag).to_option()}
