"""What rules propose for datasets, but for what was rejected at their paths."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from privet.classifier import BUILTIN_RULES
from privet.connector import TableShape
from privet.crawler import (
    Given,
    digest_of,
    look,
    look_at_table,
    look_in_catalog,
    propose_table_tags,
    propose_tags,
)
from privet.model.crawling.crawls import FoundDataset
from privet.model.datasets import Column, Dataset, FieldTag, Format, Rule
from privet.model.errors import PrivetError, SourceInvalid
from privet.model.names import FieldPath, TagName
from privet.model.sources import CatalogPlace, Source, TablePlace
from privet.scan import resolved
from privet.service.platform import Platform


def rules_of(platform: Platform) -> tuple[Rule, ...]:
    """The rules of stewards, and the built-in ones."""
    return (*platform.catalog.rules.list(), *BUILTIN_RULES)


def proposed_now(platform: Platform, dataset: Dataset) -> tuple[FieldTag, ...]:
    """Everything that rules propose for a dataset, looking at its cells.

    Raises:
        SourceInvalid: no cells could be looked at.
    """
    bare = tuple(replace(c, field_tags=()) for c in dataset.columns)
    rules = rules_of(platform)
    if dataset.source.format is Format.TABLE:
        columns, problem = propose_table_tags(platform.databases, dataset.source, bare, rules)
    else:
        columns, problem = _proposed_of_files(platform, dataset.source, bare, rules)
    if problem:
        raise SourceInvalid(problem, hint="try again once the files are as registered")
    kept = _without(columns, platform.catalog.proposals.rejected([dataset.source.uri]), dataset)
    return tuple(tag for column in kept for tag in column.field_tags)


def _proposed_of_files(
    platform: Platform, source: Source, columns: tuple[Column, ...], rules: Sequence[Rule]
) -> tuple[tuple[Column, ...], str]:
    try:
        asked = resolved(source, platform.catalogs)
    except PrivetError as error:
        return columns, f"no cells were looked at: {error.message}"
    return propose_tags(platform.connectors, asked, columns, rules)


def without_rejected(platform: Platform, found: Sequence[FoundDataset]) -> tuple[FoundDataset, ...]:
    """What was found, without tags that were rejected at its paths."""
    rejected = platform.catalog.proposals.rejected([each.source.uri for each in found])
    return tuple(
        replace(each, columns=_without(each.columns, rejected, each)) if rejected else each
        for each in found
    )


def look_at_files(platform: Platform, uri: str, given: Given) -> FoundDataset | None:
    """The dataset that lies at an address, with all that is proposed but what was rejected there.

    Raises:
        As `privet.crawler.look`.
    """
    found = look(platform.connectors, uri, rules_of(platform), given)
    return found if found is None else without_rejected(platform, [found])[0]


def look_at_connected(platform: Platform, place: TablePlace, shape: TableShape) -> FoundDataset:
    """The same of a table behind a connection."""
    found = look_at_table(platform.databases, place, shape, rules_of(platform))
    return without_rejected(platform, [found])[0]


def look_in_catalog_at(
    platform: Platform, place: CatalogPlace, version: str | None
) -> FoundDataset:
    """The same of a table that a catalog names; what is wrong stands in its `problem`."""
    found = look_in_catalog(
        platform.catalogs, platform.connectors, place, rules_of(platform), version
    )
    return without_rejected(platform, [found])[0]


def note_proposals(platform: Platform, found: Iterable[FoundDataset]) -> None:
    """Keep what a crawl proposes for the datasets that are registered at the paths it found."""
    digest = digest_of(rules_of(platform))
    there = {d.source.uri: d for d in platform.catalog.datasets.list()}
    for each in found:
        dataset = there.get(each.source.uri)
        if dataset is not None and not each.problem:
            proposed = tuple(tag for column in each.columns for tag in column.field_tags)
            waiting = unanswered(dataset, proposed)
            platform.catalog.proposals.note(dataset.id, waiting, digest)


def unanswered(dataset: Dataset, proposed: Iterable[FieldTag]) -> tuple[FieldTag, ...]:
    """Proposals for fields that the dataset has, and that do not bear the tag."""
    columns = {c.name: {(t.path, t.tag) for t in c.field_tags} for c in dataset.columns}
    return tuple(
        tag
        for tag in proposed
        if tag.path[0] in columns and (tag.path, tag.tag) not in columns[tag.path[0]]
    )


def _without(
    columns: Sequence[Column],
    rejected: Mapping[str, frozenset[tuple[FieldPath, TagName]]],
    of: Dataset | FoundDataset,
) -> tuple[Column, ...]:
    answered = rejected.get(of.source.uri, frozenset())
    return tuple(
        replace(
            column,
            field_tags=tuple(t for t in column.field_tags if (t.path, t.tag) not in answered),
        )
        for column in columns
    )
