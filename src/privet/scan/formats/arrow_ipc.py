"""Arrow IPC, as files and as streams: a record batch is read once it is known what it becomes.

Arrow believes what a message says of its sizes and offsets. So both are looked at before a body is
read, and what was read is checked before anybody looks at a cell: an offset that points elsewhere
would show what lies there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

import pyarrow as pa
import pyarrow.types as pat

from privet.model.errors import SourceInvalid
from privet.scan.files import RECRAWL
from privet.scan.formats.ipc_messages import (
    DICTIONARY,
    MAGIC,
    RECORDS,
    SCHEMA,
    Message,
    NoMessage,
    decoded_size,
    read_footer,
    read_message,
)
from privet.scan.formats.opened import rows_only, too_large
from privet.scan.pieces import Piece

LARGEST = 256 * 1024 * 1024
"""Bytes of a record batch, as stored and decoded."""
LARGEST_DICTIONARIES = 64 * 1024 * 1024
MOST_ROWS = 1 << 27
STEP = 65_536
_TIMES = 3
"""How much more than it is stored in a compressed batch is taken to be."""
_PAD = 8


class _Part(NamedTuple):
    """A message in its place."""

    message: Message
    place: int


class ArrowFile:
    """A file or stream of which the schema was read."""

    def __init__(self, native: pa.NativeFile) -> None:
        self._native = native
        self._size = native.size()
        self._is_file = native.read_at(len(MAGIC), 0) == MAGIC
        self._first, self._head = self._begun()
        with pa.ipc.open_stream(pa.BufferReader(self._head)) as reader:
            self.schema: pa.Schema = reader.schema

    def pieces(self, names: Sequence[str]) -> Iterator[Piece]:
        """See `Opened.pieces`; a record batch is one."""
        fields = [self.schema.names.index(name) for name in names]
        head = self._head
        for part in self._places() if self._is_file else self._following():
            message = part.message
            if message.length > LARGEST or message.rows > MOST_ROWS:
                raise too_large("a record batch")
            if message.kind == DICTIONARY:
                head += self._checked(part)
                if len(head) > LARGEST_DICTIONARIES:
                    raise too_large("the dictionaries")
            elif message.kind == RECORDS:
                size = message.length * (_TIMES if message.compressed else 1)
                yield Piece(size, partial(self._load, head, part, fields, list(names)))
            else:
                raise _broken("holds something else than record batches")

    def _begun(self) -> tuple[_Part | None, bytes]:
        """The message with the schema, and its bytes.

        Some writers of files leave that message out, since the footer has the schema too.
        """
        try:
            message = read_message(self._native, _PAD if self._is_file else 0, self._size)
        except NoMessage as error:
            if not self._is_file:
                raise _broken("breaks off") from error
            return None, self._of_footer()
        if message is None or message.kind != SCHEMA:
            raise _broken("has no schema")
        first = _Part(message, _PAD if self._is_file else 0)
        return first, self._bytes(first)

    def _of_footer(self) -> bytes:
        with pa.ipc.open_file(self._native) as reader:
            schema = reader.schema
        if any(_has_dictionary(kind) for kind in schema.types):
            # Which dictionary is whose would be a guess.
            raise _broken("has no message that says which dictionaries it uses")
        serialized: bytes = schema.serialize().to_pybytes()
        return serialized

    def _following(self) -> Iterator[_Part]:
        """The messages of a stream behind that with the schema."""
        part = self._first
        while part is not None:
            part = self._at(part.place + part.message.length)
            if part is not None:
                yield part

    def _places(self) -> Iterator[_Part]:
        """The messages of a file, dictionaries first, as its footer lists them."""
        try:
            dictionaries, batches = read_footer(self._native, self._size)
        except NoMessage as error:
            raise _broken("has no end") from error
        for place in (*dictionaries, *batches):
            part = self._at(place)
            if part is None:
                raise _broken("breaks off")
            yield part

    def _at(self, place: int) -> _Part | None:
        try:
            message = read_message(self._native, place, self._size)
        except NoMessage as error:
            raise _broken("breaks off") from error
        return None if message is None else _Part(message, place)

    def _bytes(self, part: _Part) -> bytes:
        found: bytes = self._native.read_at(part.message.length, part.place)
        return found

    def _checked(self, part: _Part) -> bytes:
        """A message that does not become more than fits."""
        data = self._bytes(part)
        try:
            size = decoded_size(part.message, data)
        except NoMessage as error:
            raise _broken("breaks off") from error
        if size > (LARGEST if part.message.kind == RECORDS else LARGEST_DICTIONARIES):
            raise too_large("a record batch")
        return data

    def _load(
        self, head: bytes, part: _Part, fields: list[int], names: list[str]
    ) -> Iterator[pa.RecordBatch]:
        data = head + self._checked(part)
        options = pa.ipc.IpcReadOptions(included_fields=fields or [0], use_threads=False)
        with pa.ipc.open_stream(pa.BufferReader(data), options=options) as reader:
            batch = reader.read_next_batch()
        try:
            batch.validate(full=True)
        except UnicodeDecodeError as error:
            # Arrow shows the bytes that are none.
            raise _broken("holds text that is none") from error
        for start in range(0, batch.num_rows, STEP):
            rows = batch.slice(start, STEP)
            yield rows.select(names) if names else rows_only(rows.num_rows)


def _has_dictionary(kind: pa.DataType) -> bool:
    inside = (kind.field(place).type for place in range(kind.num_fields))
    return pat.is_dictionary(kind) or any(map(_has_dictionary, inside))


def _broken(how: str) -> SourceInvalid:
    return SourceInvalid(f"a file of this dataset {how}, as Arrow IPC", hint=RECRAWL)
