"""What looking into a dataset came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from privet.model.crawling.crawls import FoundDataset


@dataclass(frozen=True, slots=True)
class Remembered:
    """A dataset as a crawl found it, kept so that it need not be looked into again.

    `digest` stands for the rules and for how it was looked into; `shape` is the crawler's own.
    """

    digest: str
    found: FoundDataset
    shape: Mapping[str, Any] | None = None
