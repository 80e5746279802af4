"""Avro as pieces: blocks gathered, unpacked and decoded in parallel."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any

import fastavro
import pyarrow as pa

from privet.model.errors import SourceInvalid
from privet.scan.files import RECRAWL
from privet.scan.formats.avro.container import Block, Container, NoAvro, rewritten
from privet.scan.formats.avro.types import Bound, fields_of
from privet.scan.formats.opened import rows_only
from privet.scan.pieces import Piece

PIECE_BYTES = 4 * 1024 * 1024
STEP = 8192
_LONGEST_DOC = 1000
_TIMES = 4
"""How much more than it is stored in a block is taken to be."""
_BROKEN = (
    ValueError, EOFError, LookupError, TypeError, ArithmeticError, struct.error, StopIteration,
)  # fmt: skip


class AvroFile:
    """A container of Avro of which the schema was read."""

    def __init__(self, native: pa.NativeFile) -> None:
        try:
            self._container = Container(native)
        except NoAvro as error:
            raise _broken() from error
        self._fields, self._schema = fields_of(self._container.schema)
        said = self._container.schema
        comments = (_metadata(each) for each in said["fields"])
        self.schema = pa.schema(
            [
                pa.field(name, bound.kind, metadata=comment)
                for (name, bound), comment in zip(self._fields.items(), comments, strict=True)
            ],
            _metadata(said),
        )

    def pieces(self, names: Sequence[str]) -> Iterator[Piece]:
        """See `Opened.pieces`."""
        wanted = [(name, self._fields[name]) for name in names]
        held: list[Block] = []
        size = 0
        try:
            for block in self._container.blocks():
                held.append(block)
                size += block.length
                if size >= PIECE_BYTES:
                    yield Piece(_TIMES * size, partial(self._load, held, wanted))
                    held, size = [], 0
        except NoAvro as error:
            raise _broken() from error
        if held:
            yield Piece(_TIMES * size, partial(self._load, held, wanted))

    def _load(
        self, blocks: list[Block], wanted: list[tuple[str, Bound]]
    ) -> Iterator[pa.RecordBatch]:
        try:
            for block in blocks:
                data = self._container.unpack(block)
                stream = rewritten(self._schema, iter([(block.rows, data)]))
                yield from _batches(fastavro.reader(stream, return_named_type=True), wanted)
                if stream.read(1):
                    raise _broken()
        except NoAvro as error:
            raise _broken() from error
        except _BROKEN as error:
            raise _broken() from error


def _batches(reader: Any, wanted: list[tuple[str, Bound]]) -> Iterator[pa.RecordBatch]:
    records = iter(reader)
    while rows := list(islice(records, STEP)):
        if not wanted:
            yield rows_only(len(rows))
            continue
        arrays = [_array([row[name] for row in rows], bound) for name, bound in wanted]
        yield pa.RecordBatch.from_arrays(arrays, names=[name for name, _ in wanted])


def _array(values: list[Any], bound: Bound) -> pa.Array:
    convert = bound.convert
    if convert is not None:
        values = [None if v is None else convert(v) for v in values]
    return pa.array(values, bound.kind)


def _metadata(said: Any) -> dict[str, str] | None:
    """What a schema documents about a record or a field of it, as a comment."""
    doc = said.get("doc")
    return {"comment": doc[:_LONGEST_DOC]} if isinstance(doc, str) and doc else None


def _broken() -> SourceInvalid:
    return SourceInvalid("a file of this dataset is not readable as Avro", hint=RECRAWL)
