"""What is asked for."""

from __future__ import annotations

from dataclasses import dataclass

from privet.model.names import DatasetName


@dataclass(frozen=True, slots=True)
class ScanRequest:
    """Read a dataset: some of its visible columns (None: all), at most `limit` rows (None: all)."""

    dataset: DatasetName
    columns: tuple[str, ...] | None = None
    limit: int | None = None
