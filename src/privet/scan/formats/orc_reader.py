"""Reads one ORC file, in a process of its own: run as a script, it knows nothing of Privet.

Arrow's reader of ORC trusts what it reads: a file that was made for it can end the process. Here it
ends this one, which has no credential and opens no file: bytes come over its input, as asked for by
its output, and rows leave as streams of Arrow.
"""

from __future__ import annotations

import io
import json
import resource
import struct
import sys
from typing import Any

import pyarrow as pa
import pyarrow.dataset as pds

READ, SENT, DONE, FAILED = b"R", b"S", b"D", b"F"
"""What it writes: a place and a length to be given, a stream of rows, the end, or a failure."""
PLACE = struct.Struct("<QQ")
SIZE = struct.Struct("<Q")
STEP = 512
"""Rows decoded at once: a text that recurs is stored once, and becomes any amount of memory."""
_ROWS = 65_536
_BYTES = 16 * 1024 * 1024
_MEMORY = 4 * 1024 * 1024 * 1024
"""Addresses, most of which are libraries and stacks."""


class _Remote(io.RawIOBase):
    """The file, at the other end."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = base + offset
        return self._place

    def read(self, size: int | None = -1) -> bytes:
        left = max(0, self._size - self._place)
        wanted = left if size is None or size < 0 else min(size, left)
        write(sys.stdout.buffer, READ + PLACE.pack(self._place, wanted))
        data = sys.stdin.buffer.read(wanted)
        self._place += len(data)
        return data


def write(sink: Any, data: bytes) -> None:
    """Write all of it, now."""
    sink.write(data)
    sink.flush()


def send(batches: list[pa.RecordBatch], schema: pa.Schema) -> None:
    """Write rows as one stream of Arrow."""
    out = pa.BufferOutputStream()
    with pa.ipc.new_stream(out, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    data = out.getvalue().to_pybytes()
    write(sys.stdout.buffer, SENT + SIZE.pack(len(data)) + data)


def main() -> None:
    """Tell the schema, hear which columns are wanted, and give their rows."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    (size,) = SIZE.unpack(sys.stdin.buffer.read(SIZE.size))
    file = pa.PythonFile(_Remote(size), "r")
    fragment = pds.OrcFileFormat().make_fragment(file)
    schema = fragment.physical_schema.remove_metadata()
    send([], schema)
    names = json.loads(sys.stdin.buffer.readline())
    held: list[pa.RecordBatch] = []
    # Something has to be decoded to count rows.
    columns = names or schema.names[:1]
    wanted = pa.schema([schema.field(name) for name in columns])
    for batch in fragment.to_batches(
        columns=columns, batch_size=STEP, batch_readahead=0, use_threads=False
    ):
        held.append(batch)
        if len(held) * STEP >= _ROWS or sum(b.nbytes for b in held) >= _BYTES:
            send(held, wanted)
            held = []
    send(held, wanted)


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError, pa.ArrowException, MemoryError):
        write(sys.stdout.buffer, FAILED)
    else:
        write(sys.stdout.buffer, DONE)
