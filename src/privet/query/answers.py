"""The answer of a sandbox as batches: plain ones, of the announced schema, and nothing besides."""

from __future__ import annotations

import struct
from collections.abc import Callable, Generator

import pyarrow as pa

from privet.enforcement.rebuild import rebuild
from privet.sandbox.wire import Closed

Take = Callable[[int], pa.Buffer]
"""Gives exactly so many bytes of the answer, or raises."""
_HEADER, _COMPRESSION = 2, 3
"""Fields of Arrow's `Message`, and of its `RecordBatch`."""


def read_answer(take: Take, schema: pa.Schema) -> Generator[pa.RecordBatch]:
    """The batches of an Arrow stream.

    Raises:
        Closed, pa.ArrowException, OSError: it is not a whole stream of such batches.
    """
    messages = pa.ipc.MessageReader.open_stream(pa.PythonFile(_Answering(take), mode="r"))
    first = _next(messages)
    if first is None or not pa.ipc.read_schema(first).equals(schema):
        raise Closed
    while message := _next(messages):
        # A sandbox sends plain batches. What is compressed could become any number of bytes.
        if message.type != "record batch" or _is_compressed(message.metadata):
            raise Closed
        batch = pa.ipc.read_record_batch(message, schema)
        batch.validate(full=True)
        # What lies beneath a NULL is the sandbox's memory, and its own.
        columns = [rebuild(column, None) for column in batch.columns]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _next(messages: pa.ipc.MessageReader) -> pa.ipc.Message | None:
    try:
        return messages.read_next_message()
    except StopIteration:
        return None


def _is_compressed(metadata: pa.Buffer) -> bool:
    """Whether a message's flatbuffer, which Arrow has checked, names a compression."""
    data = memoryview(metadata)
    (root,) = struct.unpack_from("<I", data)
    header = _field(data, root, _HEADER)
    (offset,) = struct.unpack_from("<I", data, header)
    return _field(data, header + offset, _COMPRESSION) != header + offset


def _field(data: memoryview, table: int, number: int) -> int:
    """Where a field of a table stands; at the table itself, if it has none."""
    (back,) = struct.unpack_from("<i", data, table)
    (size,) = struct.unpack_from("<H", data, table - back)
    at = 4 + 2 * number
    return table + (struct.unpack_from("<H", data, table - back + at)[0] if at < size else 0)


class _Answering:
    """The answer's bytes as a file."""

    closed = False

    def __init__(self, take: Take) -> None:
        self.read = take

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        """The process owns it."""
