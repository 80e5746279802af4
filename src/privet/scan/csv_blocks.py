"""The bytes of a text file, cut into blocks that begin and end with whole records.

A newline ends a record only outside quotes. Where every quote of a block plainly opens or closes a
field, counting them tells inside from outside; elsewhere only a full parse can, and is asked for.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from privet.connector import Connectors
from privet.model.errors import SourceInvalid, SourceUnavailable
from privet.scan.delimiters import StandIn, byte_for
from privet.scan.files import RECRAWL, PlannedFile, opening
from privet.scan.unpacking import Stream, Unpacked

BLOCK_BYTES = 4 * 1024 * 1024
LONGEST_RECORD = 64 * 1024 * 1024
FIRST_BYTES = 256 * 1024
"""At least so much is looked at for the header and the kind of line ends."""


class IrregularQuotes(Exception):
    """Quotes in places where only a full parse can tell what they mean."""


@dataclass(frozen=True, slots=True)
class Block:
    """Whole records, in two parts so that joining them can be left to the thread that parses."""

    tail: bytes
    body: memoryview

    def __len__(self) -> int:
        return len(self.tail) + len(self.body)

    def join(self) -> bytes:
        """The records."""
        return b"".join((self.tail, self.body))


class Blocks:
    """One file, decompressed and in UTF-8, without its byte order mark."""

    def __init__(
        self, connectors: Connectors, file: PlannedFile, options: Mapping[str, Any]
    ) -> None:
        with opening():
            stream = connectors.open_stream(file.info.uri)
        self._stream: Stream = stream
        if options.get("compression"):
            self._stream = Unpacked(stream, options["compression"], file.info.size)
        self._quote = str(options.get("quote") or "").encode()
        delimiter = str(options.get("delimiter") or ",")
        self._delimiter = byte_for(delimiter).encode()
        self._stand_in = None if delimiter.isascii() else StandIn(delimiter)
        self._escaped = bool(options.get("escape"))
        self._quotes = _Quotes(self._quote, self._delimiter + b"\r\n")
        encoding = str(options.get("encoding") or "utf-8")
        plain = codecs.lookup(encoding).name in ("utf-8", "ascii")
        self._decoder = None if plain else codecs.getincrementaldecoder(encoding)()
        self._ended = False
        self._tail = self._read()
        while len(self._tail) < FIRST_BYTES and (more := self._read()):
            self._tail += more
        self._tail = self._tail.removeprefix(codecs.BOM_UTF8)
        lone_returns = b"\n" not in self._tail and b"\r" in self._tail
        self._newline = b"\r" if lone_returns else b"\n"

    def peek(self) -> bytes:
        """The beginning of what is left."""
        return self._tail

    def skip(self, size: int) -> None:
        """Drop bytes that were peeked at."""
        self._tail = self._tail[size:]

    def next(self) -> Block | None:
        """The next whole records, or None at the end of the file.

        Raises:
            IrregularQuotes: it cannot be told where they end; `rest` still has them.
            SourceInvalid: a record is longer than can be read, or the last one has no end.
        """
        if self._escaped:
            raise IrregularQuotes
        while True:
            more = self._read()
            if not more:
                return self._last()
            cut = self._last_record_end(more)
            if cut:
                block = Block(self._tail, memoryview(more)[:cut])
                self._tail = more[cut:]
                return block
            self._tail += more
            if len(self._tail) > LONGEST_RECORD:
                raise SourceInvalid(
                    "a record of this dataset is longer than can be read",
                    hint="a data steward can look for a quote that is never closed",
                )

    def rest(self) -> io.BufferedReader:
        """Everything from here on, for a reader that cuts by itself.

        Reading it raises SourceInvalid where the file ends within quotes: that reader would take
        all the records since then for one cell.
        """
        return io.BufferedReader(_Rest(self._take))

    def _take(self, size: int) -> bytes:
        if not self._tail:
            self._tail = self._read()
        taken, self._tail = self._tail[:size], self._tail[size:]
        if self._quote and not self._escaped:
            self._quotes.follow(taken)
            if not taken and self._quotes.open:
                raise _no_end()
        return taken

    def _last(self) -> Block | None:
        data = self._tail
        if self._quote and self._irregular(data):
            raise IrregularQuotes
        if self._quote and data.count(self._quote) % 2:
            raise _no_end()
        self._tail = b""
        return Block(data, memoryview(b"")) if data else None

    def _read(self) -> bytes:
        while not self._ended:
            try:
                raw = self._stream.read(BLOCK_BYTES)
                self._ended = not raw
                if self._decoder is not None:
                    raw = self._decoder.decode(raw, final=self._ended).encode()
                if self._stand_in is not None:
                    raw = self._stand_in.put(raw, final=self._ended)
                if raw:
                    return raw
            except UnicodeError as error:
                raise SourceInvalid(
                    "a file of this dataset is not in its registered encoding", hint=RECRAWL
                ) from error
            except OSError as error:
                raise SourceUnavailable(
                    "a file of this dataset could not be read to its end",
                    hint="try again; if it stays so, tell a data steward",
                ) from error
        return b""

    def _last_record_end(self, more: bytes) -> int:
        """Where, in what was just read, the last record ends that does; 0 if none."""
        quote = self._quote
        if not quote or (quote not in more and quote not in self._tail):
            return more.rfind(self._newline) + 1
        data = self._tail + more
        if self._irregular(data):
            self._tail = data
            raise IrregularQuotes
        quotes = np.flatnonzero(np.frombuffer(data, np.uint8) == quote[0])
        end = len(data)
        while (end := data.rfind(self._newline, len(self._tail), end)) >= 0:
            if np.searchsorted(quotes, end) % 2 == 0:
                return end + 1 - len(self._tail)
        return 0

    def _irregular(self, data: bytes) -> bool:
        """Whether some quote is not plainly an opening or a closing one.

        Counted from the start of a record, every odd quote must stand at the start of a field or
        right after a quote (a doubled one), and every even quote at the end of a field or right
        before a quote. Then, and only then, every even number of quotes is outside of them.
        """
        if self._quote not in data:
            return False
        raw = np.frombuffer(data, np.uint8)
        quotes = np.flatnonzero(raw == self._quote[0])
        opening, closing = quotes[::2], quotes[1::2]
        before = raw[opening[opening > 0] - 1]
        after = raw[closing[closing + 1 < len(raw)] + 1]
        inside = np.ones(256, np.bool_)
        inside[list(self._quote + self._delimiter + b"\r\n")] = False
        return bool(inside[before].any() or inside[after].any())


def _no_end() -> SourceInvalid:
    return SourceInvalid(
        "the last record of a CSV file of this dataset has no end",
        hint="a data steward can look for a quote that is never closed",
    )


class _Quotes:
    """Follows, quote by quote, whether bytes from the start of a record are within quotes."""

    def __init__(self, quote: bytes, ends: bytes) -> None:
        self.open = False
        self._quote = quote
        self._ends = ends
        self._before = b"\n"
        self._closed = False  # by the very last byte

    def follow(self, data: bytes) -> None:
        """Go on to the end of `data`."""
        closed = -1 if self._closed else -2
        at = data.find(self._quote)
        while at >= 0:
            if self.open:
                self.open, closed = False, at
            else:
                # After a closing one it is doubled, inside an unquoted field a character.
                before = data[at - 1 : at] if at else self._before
                self.open = closed == at - 1 or before in self._ends
            at = data.find(self._quote, at + 1)
        if data:
            self._before = data[-1:]
            self._closed = closed == len(data) - 1


class _Rest(io.RawIOBase):
    def __init__(self, take: Callable[[int], bytes]) -> None:
        self._take = take

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._take(len(buffer))
        buffer[: len(data)] = data
        return len(data)
