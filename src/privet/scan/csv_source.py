"""CSV as pieces: cut at record boundaries, parsed in parallel, bound by header name.

Arrow's own streaming reader parses on one thread. So the bytes are cut here into blocks that begin
and end with whole records, and each block is parsed by Arrow as a file of its own. A newline ends
a record only outside quotes; where the quotes of a block are not plainly regular, the rest of the
file goes through Arrow's streaming reader instead.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.types as pat

from privet.connector import Connectors
from privet.enforcement import EnforcedPlan
from privet.model.datasets import Column, plain_type
from privet.model.errors import SchemaChanged, SourceInvalid
from privet.scan.csv_blocks import BLOCK_BYTES, Block, Blocks, IrregularQuotes
from privet.scan.delimiters import as_written, byte_for, name_as_written
from privet.scan.files import RECRAWL, PlannedFile, bound, with_partitions
from privet.scan.pieces import Piece


def csv_pieces(file: PlannedFile, plan: EnforcedPlan, connectors: Connectors) -> Iterator[Piece]:
    """The pieces of one CSV file.

    Raises:
        SchemaChanged: a registered column is no longer in the header.
        SourceInvalid: the content is not CSV as registered.
        SourceUnavailable: the file cannot be read to its end.
    """
    options = plan.dataset.source.options
    blocks = Blocks(connectors, file, options)
    first = blocks.peek()
    if not first:
        return
    names, header_size = _header(first, plan, options)
    blocks.skip(header_size)
    parser = _Parser(names, plan, file, options)
    try:
        while block := blocks.next():
            yield Piece(3 * len(block), partial(parser.parse, block))
    except IrregularQuotes:
        yield from parser.stream(blocks.rest())


def _header(first: bytes, plan: EnforcedPlan, options: Mapping[str, Any]) -> tuple[list[str], int]:
    """The source names of the file's columns in its own order, and the header's size in bytes."""
    sizes: list[int] = []
    lines = io.StringIO(first.decode(errors="surrogateescape"), newline="")
    quote = options.get("quote") or None
    delimiter = str(options.get("delimiter") or ",")
    reader = csv.reader(
        _counted(lines, sizes),
        delimiter=byte_for(delimiter),
        quotechar=quote,
        quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
    )
    try:
        record = [name_as_written(name, delimiter) for name in next(reader, [])]
    except csv.Error as error:
        raise SourceInvalid("the first record of a CSV file cannot be read") from error
    if not options.get("header", True):
        if len(record) != sum(not c.partition for c in plan.dataset.columns):
            raise SchemaChanged(
                "a file of this dataset has more or fewer columns than it was registered with",
                hint=RECRAWL,
            )
        return [f"c{i}" for i in range(1, len(record) + 1)], 0
    if len(set(record)) < len(record):
        raise SchemaChanged("a CSV header of this dataset names a column twice", hint=RECRAWL)
    missing = [c for c in bound(plan) if c.source_name not in record]
    if missing:
        raise SchemaChanged(
            "a file of this dataset no longer has all its registered columns", hint=RECRAWL
        )
    return record, sum(sizes)


def _counted(lines: Iterable[str], sizes: list[int]) -> Iterator[str]:
    for line in lines:
        sizes.append(len(line.encode(errors="surrogateescape")))
        yield line


class _Parser:
    """Blocks of records to raw batches."""

    def __init__(
        self, names: list[str], plan: EnforcedPlan, file: PlannedFile, options: Mapping[str, Any]
    ) -> None:
        self._plan = plan
        self._file = file
        wanted = [c for c in plan.reads if not c.partition]
        # Something has to be parsed to count rows, even when only partitions are asked for.
        self._columns: list[Column] = wanted or bound(plan)[:1]
        known = {c.source_name for c in self._columns}
        if not known <= set(names):
            raise SchemaChanged(
                "a file of this dataset no longer has all its registered columns", hint=RECRAWL
            )
        self._names = names
        self._delimiter = str(options.get("delimiter") or ",")
        self._parse_options = pacsv.ParseOptions(
            delimiter=byte_for(self._delimiter),
            quote_char=options.get("quote") or False,
            escape_char=options.get("escape") or False,
            newlines_in_values=True,
        )
        self._convert_options = pacsv.ConvertOptions(
            column_types={c.source_name: _csv_type(c.type) for c in self._columns},
            include_columns=[c.source_name for c in self._columns],
        )
        # What is ASCII as a whole is UTF-8 in every cell: nothing to check one by one.
        self._convert_ascii = pacsv.ConvertOptions(
            column_types=self._convert_options.column_types,
            include_columns=self._convert_options.include_columns,
            check_utf8=False,
        )

    def parse(self, block: Block) -> list[pa.RecordBatch]:
        """One block of whole records."""
        data = block.join()
        try:
            table = pacsv.read_csv(
                pa.BufferReader(data),
                read_options=pacsv.ReadOptions(
                    use_threads=False, block_size=len(data) + 1, column_names=self._names
                ),
                parse_options=self._parse_options,
                convert_options=self._convert_ascii if data.isascii() else self._convert_options,
            )
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise self._told(error) from None
        return [self._finish(batch) for batch in table.to_batches()]

    def stream(self, source: io.BufferedReader) -> Iterator[Piece]:
        """The rest of a file, through Arrow's own reader."""
        try:
            reader = pacsv.open_csv(
                source,
                read_options=pacsv.ReadOptions(
                    use_threads=False, block_size=BLOCK_BYTES, column_names=self._names
                ),
                parse_options=self._parse_options,
                convert_options=self._convert_options,
            )
            for batch in reader:
                yield Piece(batch.nbytes, partial(self._ready, batch))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise self._told(error) from None

    def _ready(self, batch: pa.RecordBatch) -> list[pa.RecordBatch]:
        return [self._finish(batch)]

    def _finish(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        renamed = pa.RecordBatch.from_arrays(
            [
                array if array.type == plain_type(c.type) else array.cast(plain_type(c.type))
                for array, c in zip(self._cells(batch), self._columns, strict=True)
            ],
            names=[c.name for c in self._columns],
        )
        return with_partitions(renamed, self._file, self._plan)

    def _cells(self, batch: pa.RecordBatch) -> list[pa.Array]:
        return [as_written(array, self._delimiter) for array in batch.columns]

    def _told(self, error: pa.ArrowException) -> SourceInvalid:
        """Arrow's message holds cell values; ours says only where to look."""
        if isinstance(error, pa.ArrowNotImplementedError):
            return _no_csv_type()
        text = str(error)
        for index, column in enumerate(self._columns):
            if f"In CSV column #{index}:" in text or f"In CSV column #{self._at(column)}:" in text:
                # A filter may read a column that the reader does not see.
                if column.name not in self._plan.schema.names:
                    return SourceInvalid(
                        "a value of this dataset is not of its registered type", hint=RECRAWL
                    )
                return SourceInvalid(
                    f"a value of column `{column.name}` is no {column.type}", hint=RECRAWL
                )
        return SourceInvalid(
            "a record of this dataset does not have the registered number of columns",
            hint="a data steward can mend the file, or crawl the path again",
        )

    def _at(self, column: Column) -> int:
        return self._names.index(column.source_name)


def _csv_type(kind: pa.DataType) -> pa.DataType:
    """The type Arrow's CSV reader converts to; the rest is an exact cast."""
    if pat.is_nested(kind):
        raise _no_csv_type()
    return plain_type(kind)


def _no_csv_type() -> SourceInvalid:
    return SourceInvalid(
        "a column of this dataset has a type that CSV cannot hold",
        hint="a data steward can give the column another type",
    )
