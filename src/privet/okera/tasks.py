"""Tasks that run: a stream each, found by a handle that only its own connection can use.

A handle ends with its task, with the connection that started it, or when nothing was fetched by it
for a while. Whoever comes with one that is none of theirs hears the same as for one that never was.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator

import pyarrow as pa

from privet.model.batches import BatchStream
from privet.model.errors import Busy
from privet.okera.errors import HandleInvalid

_PER_CONNECTION = 16
_IDLE_SECONDS = 600.0

Handle = tuple[int, int]


class Task:
    """Rows on their way to a client, in parts of bounded size.

    Attributes:
        format: the `TRecordFormat` that was asked for.
        returned: rows handed out so far.
        done: whether nothing is left.
    """

    def __init__(self, stream: BatchStream, record_format: int, rows_at_once: int) -> None:
        self.schema: pa.Schema = stream.schema
        self.format = record_format
        self.returned = 0
        self.done = False
        self.lock = threading.Lock()
        self._stream = stream
        self._batches: Iterator[pa.RecordBatch] = stream.begin()
        self._rows_at_once = rows_at_once
        self._left: pa.RecordBatch | None = None
        self._advance()

    def next_part(self, bytes_at_once: int) -> pa.RecordBatch:
        """The next rows, about so many bytes of them; empty when nothing is left."""
        batch = self._left
        if batch is None:
            self.done = True
            return pa.RecordBatch.from_pylist([], schema=self.schema)
        fitting = batch.num_rows * bytes_at_once // max(batch.nbytes, 1)
        rows = max(1, min(batch.num_rows, fitting, self._rows_at_once))
        if rows < batch.num_rows:
            self._left = batch.slice(rows)
        else:
            self._advance()
        self.done = self._left is None
        self.returned += rows
        return batch.slice(0, rows)

    def _advance(self) -> None:
        batches = (batch for batch in self._batches if batch.num_rows)
        self._left = next(batches, None)

    def close(self) -> None:
        """End what feeds it; a no-op when it has ended."""
        self._stream.close()


class Tasks:
    """The tasks of one connection."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._running: dict[Handle, tuple[Task, float]] = {}
        self._lock = threading.Lock()

    def check_room(self) -> None:
        """Refuse one more than a connection may run.

        Raises:
            Busy: there is no room.
        """
        self.expire()
        with self._lock:
            if len(self._running) >= _PER_CONNECTION:
                raise Busy("too many tasks run on this connection", hint="close one of them")

    def enter(self, task: Task) -> Handle:
        """A handle for a task."""
        handle = (_number(), _number())
        with self._lock:
            self._running[handle] = task, self._clock()
        return handle

    def get(self, handle: Handle) -> Task:
        """The task of a handle.

        Raises:
            HandleInvalid: there is none, or it ended.
        """
        self.expire()
        with self._lock:
            found = self._running.get(handle)
            if found is None:
                raise HandleInvalid("no such task", hint="it has ended; plan and run it again")
            self._running[handle] = found[0], self._clock()
        return found[0]

    def end(self, handle: Handle) -> None:
        """End a task; nothing to do if there is none."""
        with self._lock:
            found = self._running.pop(handle, None)
        if found is not None:
            found[0].close()

    def expire(self) -> None:
        """End those by which nothing was fetched for long."""
        latest = self._clock() - _IDLE_SECONDS
        with self._lock:
            idle = [handle for handle, (_, used) in self._running.items() if used < latest]
        for handle in idle:
            self.end(handle)

    def close(self) -> None:
        """End all of them."""
        for handle in tuple(self._running):
            self.end(handle)


def _number() -> int:
    return int.from_bytes(secrets.token_bytes(8), "big", signed=True)
