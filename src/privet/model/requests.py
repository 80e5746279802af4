"""What is asked for."""

from __future__ import annotations

from dataclasses import dataclass

from privet.model.errors import InvalidRequest
from privet.model.expressions import Expr
from privet.model.names import DatasetName
from privet.model.parameters import Parameters

LONGEST_STATEMENT = 128 * 1024
"""UTF-8 bytes."""


@dataclass(frozen=True, slots=True)
class ScanRequest:
    """Read a dataset: some of its visible columns (None: all), at most `limit` rows (None: all).

    `where` holds conditions on visible columns, as their cells are seen; rows that fail one are
    left out.

    Raises:
        InvalidRequest: the limit is negative, or no column is asked for.
    """

    dataset: DatasetName
    columns: tuple[str, ...] | None = None
    limit: int | None = None
    where: tuple[Expr, ...] = ()

    def __post_init__(self) -> None:
        _check_limit(self.limit)
        if self.columns is not None and not self.columns:
            raise InvalidRequest("no column is asked for", hint="name some, or leave columns out")


@dataclass(frozen=True, slots=True)
class QueryRequest:
    """Run a SELECT: the rows of its answer from `offset` on, at most `limit` (None: all).

    Names without a database are looked for in `database`.

    Raises:
        InvalidRequest: the statement is empty or too long, or a number is negative.
    """

    text: str
    parameters: Parameters | None = None
    database: str | None = None
    limit: int | None = None
    offset: int = 0

    def __post_init__(self) -> None:
        _check_limit(self.limit)
        if self.offset < 0:
            raise InvalidRequest(f"`{self.offset}` is not an offset", hint="use 0 or more")
        try:
            size = len(self.text.encode())
        except UnicodeEncodeError as error:
            raise InvalidRequest("the statement is not text") from error
        if not self.text.strip():
            raise InvalidRequest("the statement is empty", hint="such as SELECT 1")
        if size > LONGEST_STATEMENT or "\0" in self.text:
            raise InvalidRequest(
                "the statement is too long or holds a NUL character",
                hint=f"{LONGEST_STATEMENT // 1024} KB at most",
            )


def _check_limit(limit: int | None) -> None:
    if limit is not None and limit < 0:
        raise InvalidRequest(f"`{limit}` is not a row limit", hint="use 0 or more, or leave it out")
