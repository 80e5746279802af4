"""CSV as pieces: cut at record boundaries, parsed in parallel, bound by header name.

Arrow's own streaming reader parses on one thread. So the bytes are cut here into blocks that begin
and end with whole records, and each block is parsed by Arrow as a file of its own. A newline ends
a record only outside quotes; where the quotes of a block are not plainly regular, the rest of the
file goes through Arrow's streaming reader instead.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.types as pat

from privet.connector import Connectors
from privet.enforcement import EnforcedPlan, plain_type
from privet.model.datasets import Column
from privet.model.errors import SchemaChanged, SourceInvalid, SourceUnavailable
from privet.scan.files import RECRAWL, PlannedFile, with_partitions
from privet.scan.pieces import Piece

BLOCK_BYTES = 4 * 1024 * 1024
LONGEST_RECORD = 64 * 1024 * 1024


class IrregularQuotes(Exception):
    """Quotes in places where only a full parse can tell what they mean."""


def csv_pieces(file: PlannedFile, plan: EnforcedPlan, connectors: Connectors) -> Iterator[Piece]:
    """The pieces of one CSV file.

    Raises:
        SchemaChanged: a registered column is no longer in the header.
        SourceInvalid: the content is not CSV as registered.
        SourceUnavailable: the file cannot be read to its end.
    """
    options = plan.dataset.source.options
    blocks = _Blocks(connectors, file, options)
    first = blocks.peek()
    if not first:
        return
    names, header_size = _header(first, plan, options)
    blocks.skip(header_size)
    parser = _Parser(names, plan, file, options)
    if options.get("escape"):
        yield from parser.stream(blocks.rest())
        return
    while block := blocks.next_records():
        if isinstance(block, IrregularQuotes):
            yield from parser.stream(blocks.rest())
            return
        yield Piece(3 * len(block), partial(parser.parse, block))


class _Blocks:
    """The bytes of a file, decompressed and in UTF-8, cut where records end."""

    def __init__(
        self, connectors: Connectors, file: PlannedFile, options: Mapping[str, Any]
    ) -> None:
        stream = connectors.open_stream(file.info.uri)
        if options.get("compression"):
            stream = pa.CompressedInputStream(stream, options["compression"])
        self._stream = stream
        self._quote = str(options.get("quote") or "")
        encoding = str(options.get("encoding") or "utf-8")
        plain = codecs.lookup(encoding).name in ("utf-8", "ascii")
        self._decoder = None if plain else codecs.getincrementaldecoder(encoding)()
        self._pending = b""
        self._ended = False
        self._newline = b"\n"

    def peek(self) -> bytes:
        """The beginning of the file, without its byte order mark."""
        self._fill(BLOCK_BYTES)
        self._pending = self._pending.removeprefix(codecs.BOM_UTF8)
        if b"\n" not in self._pending and b"\r" in self._pending:
            self._newline = b"\r"
        return self._pending

    def skip(self, size: int) -> None:
        """Drop bytes that were peeked at."""
        self._pending = self._pending[size:]

    def next_records(self) -> bytes | IrregularQuotes:
        """The next whole records, or nothing at the end of the file."""
        size = BLOCK_BYTES
        while True:
            self._fill(size)
            if self._ended:
                block, self._pending = self._pending, b""
                if self._quote and _irregular(block, self._quote.encode(), self._newline):
                    self._pending = block
                    return IrregularQuotes()
                return block
            cut = self._last_record_end(self._pending)
            if isinstance(cut, IrregularQuotes):
                return cut
            if cut:
                block, self._pending = self._pending[:cut], self._pending[cut:]
                return block
            size *= 2
            if size > LONGEST_RECORD:
                raise SourceInvalid(
                    "a CSV record of this dataset is longer than can be read",
                    hint="look for a quote that is never closed",
                )

    def rest(self) -> io.RawIOBase:
        """Everything from here on, for a reader that cuts by itself."""
        return io.BufferedReader(_Rest(self.take))  # type: ignore[return-value]

    def take(self, size: int) -> bytes:
        """The next bytes, at most `size`, whatever records they belong to."""
        if not self._pending:
            self._fill(max(size, BLOCK_BYTES))
        taken, self._pending = self._pending[:size], self._pending[size:]
        return taken

    def _fill(self, size: int) -> None:
        while len(self._pending) < size and not self._ended:
            try:
                raw = self._stream.read(size - len(self._pending))
                text = raw if self._decoder is None else self._decoder.decode(raw, final=not raw)
            except UnicodeDecodeError as error:
                raise SourceInvalid(
                    "a CSV file of this dataset is not in its registered encoding", hint=RECRAWL
                ) from error
            except OSError as error:
                raise SourceUnavailable(
                    "a file of this dataset could not be read to its end",
                    hint="try again; if it stays so, tell a data steward",
                ) from error
            self._ended = not raw
            self._pending += text if isinstance(text, bytes) else text.encode()

    def _last_record_end(self, data: bytes) -> int | IrregularQuotes:
        quote = self._quote.encode()
        if not quote or quote not in data:
            return data.rfind(self._newline) + 1
        if _irregular(data, quote, self._newline, unfinished=True):
            return IrregularQuotes()
        raw = np.frombuffer(data, np.uint8)
        quotes = np.flatnonzero(raw == quote[0])
        end = len(data)
        while (end := data.rfind(self._newline, 0, end)) >= 0:
            if np.searchsorted(quotes, end) % 2 == 0:
                return end + 1
        return 0


class _Rest(io.RawIOBase):
    def __init__(self, take: Callable[[int], bytes]) -> None:
        self._take = take

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._take(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _irregular(data: bytes, quote: bytes, newline: bytes, *, unfinished: bool = False) -> bool:
    """Whether some quote is not plainly an opening or a closing one.

    Counted from the start of a record, every odd quote must stand at the start of a field or right
    after a quote (a doubled one), and every even quote before a delimiter, a line end or a quote.
    """
    if quote not in data:
        return False
    raw = np.frombuffer(data, np.uint8)
    quotes = np.flatnonzero(raw == quote[0])
    if len(quotes) % 2 and not unfinished:
        return True
    before = raw[quotes[::2] - 1][quotes[::2] > 0]
    after_at = quotes[1::2] + 1
    after = raw[after_at[after_at < len(raw)]]
    plain = np.zeros(256, np.bool_)
    plain[list(quote + newline + b"\r")] = True
    word = np.zeros(256, np.bool_)
    # Delimiters are punctuation or control characters; letters, digits and blanks are content.
    word[[c for c in range(256) if c > 127 or chr(c).isalnum() or chr(c) == " "]] = True
    return bool((word[before] & ~plain[before]).any() or (word[after] & ~plain[after]).any())


def _header(first: bytes, plan: EnforcedPlan, options: Mapping[str, Any]) -> tuple[list[str], int]:
    """The source names of the file's columns in its own order, and the header's size in bytes."""
    text = first.decode("utf-8", errors="replace").splitlines(keepends=True)
    quote = options.get("quote") or None
    reader = csv.reader(
        text,
        delimiter=str(options.get("delimiter") or ","),
        quotechar=quote,
        quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
    )
    try:
        record = next(reader, [])
    except csv.Error as error:
        raise SourceInvalid("the first record of a CSV file cannot be read") from error
    if not options.get("header", True):
        return [f"c{i}" for i in range(1, len(record) + 1)], 0
    size = sum(len(line.encode()) for line in text[: reader.line_num])
    if len(set(record)) < len(record):
        raise SchemaChanged("a CSV header of this dataset names a column twice", hint=RECRAWL)
    missing = [c for c in plan.dataset.columns if not c.partition and c.source_name not in record]
    if missing:
        raise SchemaChanged(
            "a file of this dataset no longer has all its registered columns", hint=RECRAWL
        )
    return record, size


class _Parser:
    """Blocks of records to raw batches."""

    def __init__(
        self, names: list[str], plan: EnforcedPlan, file: PlannedFile, options: Mapping[str, Any]
    ) -> None:
        self._plan = plan
        self._file = file
        wanted = [c for c in plan.reads if not c.partition]
        # Something has to be parsed to count rows, even when only partitions are asked for.
        self._columns: list[Column] = (
            wanted or [c for c in plan.dataset.columns if not c.partition][:1]
        )
        known = {c.source_name for c in self._columns}
        if not known <= set(names):
            raise SchemaChanged(
                "a file of this dataset no longer has all its registered columns", hint=RECRAWL
            )
        self._names = names
        self._parse_options = pacsv.ParseOptions(
            delimiter=str(options.get("delimiter") or ","),
            quote_char=options.get("quote") or False,
            escape_char=options.get("escape") or False,
            newlines_in_values=True,
        )
        self._convert_options = pacsv.ConvertOptions(
            column_types={c.source_name: _csv_type(c.type) for c in self._columns},
            include_columns=[c.source_name for c in self._columns],
        )

    def parse(self, block: bytes) -> list[pa.RecordBatch]:
        """One block of whole records."""
        try:
            table = pacsv.read_csv(
                pa.BufferReader(block),
                read_options=pacsv.ReadOptions(
                    use_threads=False, block_size=len(block) + 1, column_names=self._names
                ),
                parse_options=self._parse_options,
                convert_options=self._convert_options,
            )
        except pa.ArrowInvalid as error:
            raise self._told(error) from None
        return [self._finish(batch) for batch in table.to_batches()]

    def stream(self, source: io.RawIOBase) -> Iterator[Piece]:
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
        except pa.ArrowInvalid as error:
            raise self._told(error) from None

    def _ready(self, batch: pa.RecordBatch) -> list[pa.RecordBatch]:
        return [self._finish(batch)]

    def _finish(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        renamed = pa.RecordBatch.from_arrays(
            [
                array if array.type == plain_type(c.type) else array.cast(plain_type(c.type))
                for array, c in zip(batch.columns, self._columns, strict=True)
            ],
            names=[c.name for c in self._columns],
        )
        return with_partitions(renamed, self._file, self._plan)

    def _told(self, error: pa.ArrowInvalid) -> SourceInvalid:
        """Arrow's message holds cell values; ours says only where to look."""
        text = str(error)
        for index, column in enumerate(self._columns):
            if f"In CSV column #{index}:" in text or f"In CSV column #{self._at(column)}:" in text:
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
        raise SourceInvalid("a CSV file cannot hold columns of a nested type")
    return plain_type(kind)
