"""One scan or query: planned when made, read once, as batches or as a whole."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Self

import pyarrow as pa
from pyarrow import flight

from privet.client.flight_errors import translated
from privet.client.progress import Advance, counting
from privet.client.waiting import Line, patiently
from privet.model.errors import Cancelled, InvalidRequest, SchemaChanged

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl


class Scan:
    """A governed stream of one dataset: the columns and rows that the caller may see.

    Nothing is read until the first batch is asked for. It can be read once; whoever stops in the
    middle closes it, so that the server stops too. Safe to `cancel` from another thread.
    """

    kind: ClassVar[str] = "scan"

    def __init__(
        self, line: Line, info: flight.FlightInfo, name: str, progress: bool | None
    ) -> None:
        self._line = line
        self._info = info
        self._name = name
        self._progress = progress
        self._started = False
        self._cancelled = False
        self._reader: flight.FlightStreamReader | None = None

    @property
    def schema(self) -> pa.Schema:
        """The columns that will come, with their types."""
        return self._info.schema

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Read batch by batch.

        Raises:
            InvalidRequest: it was read already.
            PrivetError: the server refused, or the stream broke before its end.
        """
        if self._started:
            raise InvalidRequest(
                f"this {self.kind} was read already", hint=f"run the {self.kind} again"
            )
        self._started = True
        return self._read()

    def _read(self) -> Generator[pa.RecordBatch]:
        try:
            with translated(), counting(self._name, progress=self._progress) as advance:
                for endpoint in self._info.endpoints:
                    yield from self._stream(endpoint.ticket, advance)
        finally:
            self.cancel()

    def _stream(self, ticket: flight.Ticket, advance: Advance) -> Generator[pa.RecordBatch]:
        self._reader = reader = self._open(ticket)
        if not reader.schema.equals(self.schema):
            raise SchemaChanged(
                f"what you may see changed after this {self.kind} was planned: `{self._name}`",
                hint=f"run the {self.kind} again",
            )
        while (chunk := patiently(lambda: next(reader, None))) is not None:
            if self._cancelled:
                # Not a silent end, which would look like all rows.
                raise Cancelled(
                    f"this {self.kind} was cancelled", hint=f"run the {self.kind} again"
                )
            if chunk.data is not None:
                advance(chunk.data.num_rows)
                yield chunk.data
        self._reader = None

    def _open(self, ticket: flight.Ticket) -> flight.FlightStreamReader:
        """The server answers when it has the first rows; whoever gives up has it end before."""
        line = self._line
        try:
            return patiently(lambda: line.connection.do_get(ticket, line.streams), self._look)
        except KeyboardInterrupt:
            line.call_off(self._info)
            raise

    def _look(self) -> None:
        if self._cancelled:
            self._line.call_off(self._info)

    def to_reader(self) -> pa.RecordBatchReader:
        """The stream as Arrow's reader, for libraries that take one."""
        return pa.RecordBatchReader.from_batches(self.schema, iter(self))

    def to_arrow(self) -> pa.Table:
        """All rows as an Arrow table."""
        return pa.Table.from_batches(list(self), schema=self.schema)

    def to_pandas(self) -> pd.DataFrame:
        """All rows as a pandas frame, converted column by column.

        Raises:
            InvalidRequest: pandas is not installed.
        """
        _require("pandas")
        table = self.to_arrow()
        # Column by column, giving back the Arrow memory as it goes: one copy at a time.
        return table.to_pandas(self_destruct=True)

    def to_polars(self) -> pl.DataFrame:
        """All rows as a Polars frame.

        Raises:
            InvalidRequest: Polars is not installed.
        """
        polars = _require("polars")
        return polars.from_arrow(self.to_arrow())

    def cancel(self) -> None:
        """End it on both sides. Does nothing once it is read to its end."""
        self._cancelled = True
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.cancel()

    def close(self) -> None:
        """End it; it cannot be read afterwards."""
        self._started = True
        self.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Query(Scan):
    """The answer to a query, read as a scan is."""

    kind = "query"


def _require(package: str) -> Any:
    import importlib

    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        raise InvalidRequest(
            f"{package} is not installed", hint=f"pip install 'privet[{package}]'"
        ) from error
