"""Drift: where the files of a dataset are no longer what was reviewed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from privet.model.crawling.crawls import Crawl, FoundDataset
from privet.model.datasets import Dataset
from privet.model.edits import Drift, drift_of
from privet.policy import Reach
from privet.service.platform import Platform


def note_drift(
    platform: Platform, crawl: Crawl, found: Iterable[FoundDataset]
) -> tuple[Dataset, ...]:
    """Keep what a crawl found at the paths of datasets; gives those that drifted."""
    noted = (
        platform.catalog.findings.note(f, crawl=crawl.name, by=crawl.created_by) for f in found
    )
    return tuple(dataset for dataset in noted if dataset is not None)


def drift_in(platform: Platform, dataset: Dataset) -> tuple[Drift, ...]:
    """How a dataset differs from what the last crawl found there."""
    return drift_of(dataset, platform.catalog.findings.find(dataset))


def drift_by_found(
    platform: Platform, crawl: Crawl, among: Reach
) -> Mapping[str, tuple[Drift, ...]]:
    """The same of each registered dataset `among` some that a crawl found, by its name there."""
    drifted: dict[str, tuple[Drift, ...]] = {}
    for found in crawl.found:
        name = found.registered_as
        if name is None or found.problem or not among.holds(name):
            continue
        dataset = platform.catalog.datasets.find(name)
        if dataset is not None and dataset.source.uri == found.source.uri:
            drifted[found.name] = drift_of(dataset, found)
    return drifted
