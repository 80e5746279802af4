"""The files of a copy: written under hidden names, and shown when all of them are whole."""

from __future__ import annotations

import secrets
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

from privet.connector import CopyRoots
from privet.model.errors import InvalidRequest, PrivetError, SourceUnavailable, TypeMismatch

_GROUP_ROWS = 131_072
_PART_BYTES = 512 * 1024 * 1024


def storable(schema: pa.Schema) -> pa.Schema:
    """The columns as Parquet keeps them, such as moments in seconds as ones in milliseconds.

    Raises:
        InvalidRequest: it cannot keep one.
    """
    for column in schema:
        try:
            pq.write_table(pa.schema([column]).empty_table(), pa.BufferOutputStream())
        except (pa.ArrowException, NotImplementedError) as error:
            raise InvalidRequest(
                f"column `{column.name}` is {column.type}, which cannot be stored",
                hint="cast it, such as x::VARCHAR",
            ) from error
    sink = pa.BufferOutputStream()
    pq.write_table(schema.empty_table(), sink)
    return pq.read_schema(pa.BufferReader(sink.getvalue())).remove_metadata()


@dataclass(slots=True)
class Parts:
    """New files in the folder of a copy. Rows are counted as they are written."""

    roots: CopyRoots
    folder: str
    schema: pa.Schema
    rows: int = 0
    _run: str = field(default_factory=lambda: secrets.token_hex(8))
    _written: list[str] = field(default_factory=list[str])

    @classmethod
    @contextmanager
    def new(cls, roots: CopyRoots, folder: str, schema: pa.Schema) -> Generator[Self]:
        """Files that are gone again if the body fails."""
        parts = cls(roots, folder, schema)
        try:
            yield parts
        except BaseException:
            with suppress(PrivetError):
                parts._discard()
            raise

    def write(self, batches: Iterable[pa.RecordBatch]) -> None:
        """Write an answer; without a row there is a file too, for its columns.

        Raises:
            TypeMismatch: a value is none of its column.
            SourceUnavailable: it cannot be written.
        """
        waiting = self._groups(batches)
        table = next(waiting, None) or self.schema.empty_table()
        while table is not None:
            table = self._part(table, waiting)

    def _groups(self, batches: Iterable[pa.RecordBatch]) -> Generator[pa.Table]:
        held: list[pa.RecordBatch] = []
        for batch in batches:
            held.append(self._cast(batch))
            if sum(b.num_rows for b in held) >= _GROUP_ROWS:
                yield pa.Table.from_batches(held, self.schema)
                held = []
        if held:
            yield pa.Table.from_batches(held, self.schema)

    def _part(self, table: pa.Table, more: Generator[pa.Table]) -> pa.Table | None:
        name = f"_part-{self._run}-{len(self._written):05}.parquet"
        self._written.append(name)
        size = 0
        try:
            with (
                self.roots.create(self.folder, name) as sink,
                pq.ParquetWriter(sink, self.schema, compression="zstd") as writer,
            ):
                following: pa.Table | None = table
                while following is not None and size < _PART_BYTES:
                    writer.write_table(following, row_group_size=_GROUP_ROWS)
                    size += following.nbytes
                    self.rows += following.num_rows
                    following = next(more, None)
                return following
        except (OSError, pa.ArrowException) as error:
            raise SourceUnavailable(
                "the copy could not be written", hint="is there space, and the right to write?"
            ) from error

    def _cast(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        arrays: list[pa.Array] = []
        for array, wanted in zip(batch.columns, self.schema, strict=True):
            try:
                arrays.append(array if array.type == wanted.type else array.cast(wanted.type))
            except pa.ArrowException:
                # The library's own words could hold the value.
                raise TypeMismatch(
                    f"a value for column `{wanted.name}` is no {wanted.type}",
                    hint="cast the column in the statement",
                ) from None
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def publish(self) -> None:
        """Show the files to whoever reads the folder."""
        for name in self._written:
            self.roots.publish(self.folder, name, name.removeprefix("_"))

    def _discard(self) -> None:
        for name in self._written:
            self.roots.discard(self.folder, name)
            self.roots.discard(self.folder, name.removeprefix("_"))
