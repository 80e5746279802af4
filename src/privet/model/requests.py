"""What is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any, Self

import pyarrow as pa

from privet.model.errors import InvalidRequest
from privet.model.expressions import Expr
from privet.model.names import DatasetName

LONGEST_STATEMENT = 128 * 1024
"""UTF-8 bytes."""
_LARGEST_ROW = 1024 * 1024


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
class Parameters:
    """One value for each parameter of a statement, as Arrow has them.

    Attributes:
        row: an Arrow IPC stream of one row. Columns are named `1`, `2`, ... for `?` and `$1`,
            or as the statement names them (`$age`).
    """

    row: bytes = field(repr=False)

    @classmethod
    def of(cls, values: object) -> Self:
        """From Python values: a sequence for `?`, a mapping for named parameters.

        Raises:
            InvalidRequest: a value that Arrow has no type for, or too much of it.
        """
        if isinstance(values, str | bytes) or not isinstance(values, Sequence | Mapping):
            raise InvalidRequest(
                "parameters are a list of values, or an object of values by name",
                hint='such as [40, "northwest"] or {"age": 40}',
            )
        named = (
            {str(name): value for name, value in values.items()}
            if isinstance(values, Mapping)
            else {str(number): value for number, value in enumerate(values, 1)}
        )
        try:
            arrays = [pa.array([value]) for value in named.values()]
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            raise InvalidRequest(
                "a parameter has a value of no type that SQL knows",
                hint="give text, numbers, booleans, dates, times, bytes, lists of these, or null",
            ) from error
        return cls.of_batch(pa.RecordBatch.from_arrays(arrays, names=list(named)))

    @classmethod
    def of_batch(cls, batch: pa.RecordBatch) -> Self:
        """From a row that a client sent; its columns are taken by position if they have no names.

        Raises:
            InvalidRequest: not exactly one row, or too large.
        """
        if batch.num_rows != 1:
            raise InvalidRequest("parameters are exactly one row", hint="run the rows one by one")
        names = [name or str(number) for number, name in enumerate(batch.schema.names, 1)]
        if len(set(names)) != len(names):
            raise InvalidRequest("a parameter is given twice")
        plain = batch.rename_columns(names).replace_schema_metadata(None)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, plain.schema) as writer:
            writer.write_batch(plain)
        row = sink.getvalue()
        if row.size > _LARGEST_ROW:
            raise InvalidRequest("the parameters are too large", hint="a megabyte at most")
        return cls(row.to_pybytes())

    def values(self) -> dict[str, Any]:
        """Python values by name or number; moments with a time zone are in UTC."""
        with pa.ipc.open_stream(self.row) as reader:
            row = reader.read_next_batch()
        return {f.name: _value(row.column(i)) for i, f in enumerate(row.schema)}


@dataclass(frozen=True, slots=True)
class QueryRequest:
    """Run a SELECT: the rows of its answer from `offset` on, at most `limit` (None: all).

    Names without a database are looked for in `database`. `original` is the statement as its author
    wrote it, where a door translated it from another dialect; the audit shows that one.

    Raises:
        InvalidRequest: the statement is empty or too long, or a number is negative.
    """

    text: str
    parameters: Parameters | None = None
    database: str | None = None
    limit: int | None = None
    offset: int = 0
    original: str | None = None

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


def smaller(limit: int | None, other: int | None) -> int | None:
    """The smaller of two row limits; None is no limit."""
    given = [each for each in (limit, other) if each is not None]
    return min(given) if given else None


def _check_limit(limit: int | None) -> None:
    if limit is not None and limit < 0:
        raise InvalidRequest(f"`{limit}` is not a row limit", hint="use 0 or more, or leave it out")


def _value(column: pa.Array) -> Any:
    kind = column.type
    if not pa.types.is_timestamp(kind) or kind.tz is None:
        return column[0].as_py()
    # Arrow looks up zones in files; UTC needs none.
    moment = column.cast(pa.timestamp("us", "UTC"), safe=False).cast(pa.timestamp("us"))[0].as_py()
    return None if moment is None else moment.replace(tzinfo=UTC)
