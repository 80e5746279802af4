"""What is asked for."""

from __future__ import annotations

from dataclasses import dataclass

from privet.model.errors import InvalidRequest
from privet.model.names import DatasetName


@dataclass(frozen=True, slots=True)
class ScanRequest:
    """Read a dataset: some of its visible columns (None: all), at most `limit` rows (None: all).

    Raises:
        InvalidRequest: the limit is negative, or no column is asked for.
    """

    dataset: DatasetName
    columns: tuple[str, ...] | None = None
    limit: int | None = None

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 0:
            raise InvalidRequest(
                f"`{self.limit}` is not a row limit", hint="use 0 or more, or leave it out"
            )
        if self.columns is not None and not self.columns:
            raise InvalidRequest("no column is asked for", hint="name some, or leave columns out")
