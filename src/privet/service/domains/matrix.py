"""Which columns have tokens in common, as far as somebody may know of them."""

from __future__ import annotations

from dataclasses import dataclass

from privet.model.datasets import Column, Dataset
from privet.model.names import DatasetName
from privet.service.datasets import Datasets, DatasetView
from privet.service.platform import Caller, Platform


@dataclass(frozen=True, slots=True)
class JoinColumn:
    """A column whose tokens are those of a domain, and the tags that bring it there."""

    dataset: DatasetName
    column: str
    type: str
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JoinGroup:
    """Columns that join with each other on tokens of one domain and version."""

    domain: str
    version: int
    columns: tuple[JoinColumn, ...]


class Joins:
    """The join matrix: one group of columns for each domain."""

    def __init__(self, platform: Platform, datasets: Datasets) -> None:
        self._platform = platform
        self._datasets = datasets

    def matrix(self, caller: Caller, domain: str | None = None) -> tuple[JoinGroup, ...]:
        """The groups by domain, of columns that the caller sees, or alters, or may see all of."""
        groups: dict[tuple[str, int], list[JoinColumn]] = {}
        for view in self._datasets.list(caller):
            for column in _known(view):
                for key, joined in _domains_of(view.dataset, column).items():
                    groups.setdefault(key, []).append(joined)
        return tuple(
            JoinGroup(name, version, tuple(columns))
            for (name, version), columns in sorted(groups.items())
            if domain in (None, name)
        )


def columns_in(dataset: Dataset, domain: str) -> tuple[Column, ...]:
    """The columns of a dataset whose tokens are those of a domain."""
    return tuple(
        column
        for column in dataset.columns
        if any(name == domain for name, _ in _domains_of(dataset, column))
    )


def _known(view: DatasetView) -> tuple[Column, ...]:
    if view.full:
        return view.dataset.columns
    return tuple(decided.column for decided in view.decision.visible)


def _domains_of(dataset: Dataset, column: Column) -> dict[tuple[str, int], JoinColumn]:
    found: dict[tuple[str, int], list[str]] = {}
    for tag in sorted(map(str, dataset.outer_tags(column))):
        if tag in dataset.domains:
            domain = dataset.domains[tag]
            found.setdefault((domain.name, domain.version), []).append(tag)
    kind = str(column.type)
    return {
        key: JoinColumn(dataset.name, column.name, kind, tuple(tags)) for key, tags in found.items()
    }
