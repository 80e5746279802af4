"""Feeding a sandbox: it asks for streams, threads of ours write them, as fast as it takes them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.types as pat

from privet.model.batches import BatchStream
from privet.model.errors import Cancelled, InvalidRequest, PrivetError, ResourcesExceeded
from privet.model.expressions import ColumnRef, Compare, CompareOp, Expr, In, Literal
from privet.model.names import DatasetName
from privet.query.processes import Process
from privet.sandbox.wire import Closed

_OPERATORS = {
    "=": CompareOp.EQ,
    "!=": CompareOp.NE,
    "<": CompareOp.LT,
    "<=": CompareOp.LE,
    ">": CompareOp.GT,
    ">=": CompareOp.GE,
}


@dataclass(frozen=True, slots=True)
class Read:
    """What the engine asks of a dataset: some visible columns, of rows that meet conditions."""

    dataset: DatasetName
    columns: tuple[str, ...]
    where: tuple[Expr, ...]
    limit: int | None = None


_MOST_READS = 1_024
"""Each has a thread while it lasts."""
Open = Callable[[Read], BatchStream]


class Feeding:
    """Everything that is read for one statement.

    Attributes:
        failure: what went wrong with a source; the sandbox is ended then.
    """

    def __init__(
        self,
        process: Process,
        schemas: Mapping[DatasetName, pa.Schema],
        names: tuple[DatasetName, ...],
        open_: Open,
    ) -> None:
        self.failure: PrivetError | None = None
        self._process = process
        self._schemas = schemas
        self._names = names
        self._open = open_
        self._feeders: list[threading.Thread] = []
        self._ends: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._closed = False

    def start(self) -> None:
        """Begin to listen."""
        threading.Thread(target=self._listen, daemon=True, name="feeds").start()

    def _listen(self) -> None:
        feeds = self._process.feeds
        try:
            for _ in range(_MOST_READS):
                told, _ = feeds.receive()
                read = self.checked(told.get("read"))
                mine, theirs = socket.socketpair()
                with self._lock:
                    self._ends.add(mine)
                    if self._closed:
                        mine.close()
                feeder = threading.Thread(
                    target=self._feed, args=(read, mine), daemon=True, name="feed"
                )
                self._feeders.append(feeder)
                feeder.start()
                with theirs:
                    feeds.send({}, files=(theirs.fileno(),))
            self._fail(ResourcesExceeded("the statement reads its datasets too often"))
        except (Closed, OSError):
            # It has ended, or says what is no message: then it has nothing more to say.
            self._process.kill()
        except PrivetError as error:
            self._fail(error)

    def _feed(self, read: Read, end: socket.socket) -> None:
        try:
            stream = self._open(read)
            try:
                self._write(stream, read, end)
            finally:
                stream.close()
        except OSError:
            # The engine has enough, or is gone.
            return
        except Cancelled as error:
            if not self._closed:
                self._fail(error)
        except PrivetError as error:
            self._fail(error)
        finally:
            with self._lock:
                self._ends.discard(end)
            end.close()

    def _write(self, stream: BatchStream, read: Read, end: socket.socket) -> None:
        schema = pa.schema([stream.schema.field(c).remove_metadata() for c in read.columns])
        with end.makefile("wb", buffering=0) as out:
            # Only a whole stream gets its mark of an end: one that breaks off must not look whole.
            ipc = pa.ipc.new_stream(out, schema)
            for batch in stream:
                ipc.write_batch(batch.select(list(read.columns)).replace_schema_metadata(None))
            ipc.close()

    def _fail(self, error: PrivetError) -> None:
        with self._lock:
            self.failure = self.failure or error
        self._process.kill()

    def close(self) -> None:
        """Stop every stream, and wait until each is recorded."""
        with self._lock:
            self._closed = True
            ends = list(self._ends)
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        # The listener hears of the end of the sandbox, some milliseconds later.
        self._process.kill()
        for thread in self._feeders:
            thread.join()

    def checked(self, asked: Any) -> Read:
        """What a sandbox asks, believed only as far as it fits what it was told.

        Raises:
            InvalidRequest: it does not.
        """
        try:
            name = self._names[_whole(asked["dataset"])]
            schema = self._schemas[name]
            columns = tuple(schema.names[_whole(number)] for number in asked["columns"])
            where = tuple(_condition(schema, *parts) for parts in asked["where"])
            limit = asked.get("limit")
            limit = None if limit is None else _whole(limit)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise InvalidRequest("the statement asked for what it was not shown") from error
        return Read(name, columns, where, limit)


def _whole(number: Any) -> int:
    if type(number) is not int or number < 0:
        raise ValueError
    return number


def _condition(schema: pa.Schema, operator: str, column: str, value: Any) -> Expr:
    kind = schema.field(column).type
    values = value if operator == "in" else [value]
    listed = type(column) is str and type(values) is list and values
    if not listed or not all(_fits(kind, v) for v in values):
        raise ValueError
    if operator == "in":
        return In(ColumnRef(column), tuple(Literal(v) for v in values))
    return Compare(_OPERATORS[operator], ColumnRef(column), Literal(value))


def _fits(kind: pa.DataType, value: Any) -> bool:
    return (
        (pat.is_integer(kind) and type(value) is int and abs(value) < 2**63)
        or (pat.is_string(kind) and type(value) is str)
        or (pat.is_boolean(kind) and type(value) is bool)
    )
