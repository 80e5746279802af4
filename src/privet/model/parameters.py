"""Values that a statement's parameters stand for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any, Self

import pyarrow as pa

from privet.model.errors import InvalidRequest

_LARGEST = 1024 * 1024


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
        if row.size > _LARGEST:
            raise InvalidRequest("the parameters are too large", hint="a megabyte at most")
        return cls(row.to_pybytes())

    def values(self) -> dict[str, Any]:
        """Python values by name or number; moments with a time zone are in UTC."""
        with pa.ipc.open_stream(self.row) as reader:
            row = reader.read_next_batch()
        return {f.name: _value(row.column(i)) for i, f in enumerate(row.schema)}


def _value(column: pa.Array) -> Any:
    kind = column.type
    if not pa.types.is_timestamp(kind) or kind.tz is None:
        return column[0].as_py()
    # Arrow looks up zones in files; UTC needs none.
    moment = column.cast(pa.timestamp("us", "UTC"), safe=False).cast(pa.timestamp("us"))[0].as_py()
    return None if moment is None else moment.replace(tzinfo=UTC)
