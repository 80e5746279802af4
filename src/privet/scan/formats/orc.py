"""ORC, decoded in a process of its own by `orc_reader`, which gets bytes of one file only."""

from __future__ import annotations

import json
import subprocess
import sys
import weakref
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import IO

import pyarrow as pa

from privet.model.errors import SourceInvalid
from privet.scan.files import RECRAWL
from privet.scan.formats.opened import rows_only
from privet.scan.formats.orc_reader import DONE, PLACE, READ, SENT, SIZE
from privet.scan.pieces import Piece

_SCRIPT = Path(__file__).with_name("orc_reader.py")
_LARGEST = 512 * 1024 * 1024


class OrcFile:
    """An ORC file of which the schema was read; its process ends with it."""

    def __init__(self, native: pa.NativeFile) -> None:
        self._native = native
        self._process = subprocess.Popen(  # noqa: S603 - our own script, without anybody's words
            [sys.executable, "-I", str(_SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
        )
        weakref.finalize(self, _end, self._process)
        self._write(SIZE.pack(native.size()))
        found = self._next()
        if found is None:
            raise _broken()
        self.schema: pa.Schema = found.schema

    def pieces(self, names: Sequence[str]) -> Iterator[Piece]:
        """See `Opened.pieces`; stripes are read one after the other. To be asked for once."""
        self._write(json.dumps(list(names)).encode() + b"\n")
        try:
            while (table := self._next()) is not None:
                yield Piece(table.nbytes, partial(_load, table, list(names)))
        finally:
            _end(self._process)

    def _next(self) -> pa.Table | None:
        """The next rows, after the bytes that are needed for them were given; None at the end."""
        while True:
            said = self._read(1)
            if said == READ:
                place, length = PLACE.unpack(self._read(PLACE.size))
                if place + length > self._native.size():
                    raise _broken()
                self._write(self._native.read_at(length, place))
            elif said == SENT:
                (size,) = SIZE.unpack(self._read(SIZE.size))
                if size > _LARGEST:
                    raise _broken()
                return _checked(self._read(size))
            elif said == DONE:
                return None
            else:
                raise _broken()

    def _read(self, size: int) -> bytes:
        stream = _open(self._process.stdout)
        data = stream.read(size)
        if len(data) < size:
            raise _broken()
        return data

    def _write(self, data: bytes) -> None:
        stream = _open(self._process.stdin)
        try:
            stream.write(data)
            stream.flush()
        except BrokenPipeError as error:
            raise _broken() from error


def _checked(data: bytes) -> pa.Table:
    """Rows that a process gave which may no longer do what it was written for."""
    with pa.ipc.open_stream(pa.BufferReader(data)) as reader:
        table = reader.read_all()
    table.validate(full=True)
    return table


def _load(table: pa.Table, names: list[str]) -> Iterator[pa.RecordBatch]:
    if not names:
        yield rows_only(table.num_rows)
        return
    yield from table.combine_chunks().to_batches()


def _open(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None
    return stream


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    for stream in (process.stdin, process.stdout):
        try:
            _open(stream).close()
        except BrokenPipeError:
            continue
    process.wait()


def _broken() -> SourceInvalid:
    return SourceInvalid("a file of this dataset is not readable as ORC", hint=RECRAWL)
