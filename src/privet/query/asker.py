"""One statement in its sandbox: the server's side of the conversation.

Nothing that comes back is trusted: names, numbers, types and batches are checked.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from privet.model.batches import BatchStream
from privet.model.errors import Cancelled, Position, PrivetError, ResourcesExceeded
from privet.model.names import DatasetName, FieldPath, fold
from privet.model.requests import QueryRequest
from privet.query.answers import read_answer
from privet.query.feeding import Feeding, Open, Read
from privet.query.processes import Process, wait_readable
from privet.sandbox import faults
from privet.sandbox.wire import Closed, Own, pack_bytes, pack_schema, unpack_schema

Gone = Callable[[], bool]
"""Whether the client is no longer there; asked about ten times a second."""
_LARGEST_PART = 512 * 1024 * 1024
_MOST_DATASETS = 64


@dataclass(frozen=True, slots=True)
class Asked:
    """What a statement turned out to be.

    Attributes:
        datasets: that it names, and where first.
        explained: whether it is an EXPLAIN.
        parameters: `1`, `2`, ... or names.
    """

    datasets: Mapping[DatasetName, Position | None]
    explained: bool
    parameters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """How a plan reads one dataset."""

    dataset: DatasetName
    columns: tuple[str, ...]
    conditions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Traced:
    """Where the columns of an answer come from.

    Attributes:
        schema: of the answer.
        rests: the columns of datasets that each rests on.
        refers: those of them that a column is, as they are, by the columns that are one; with the
            way to a field inside it, if the column is only that.
        plain: what the columns are called in the one dataset whose rows the answer has, as they
            are; None if it is made otherwise.
    """

    schema: pa.Schema
    rests: Mapping[str, frozenset[tuple[DatasetName, str]]]
    refers: Mapping[str, tuple[DatasetName, str, FieldPath]]
    plain: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Explained:
    """What a plan reads, in the order of the statement's names."""

    readings: tuple[Reading, ...]


class Asker:
    """A sandbox that nobody has used; for one statement.

    Attributes:
        process: the sandbox.
        deadline: of the monotonic clock, after which it is ended.
        waits_since: when a batch was handed out of which the client has not come back yet.
    """

    def __init__(self, process: Process, deadline: float, gone: Gone) -> None:
        self.process = process
        self.deadline = deadline
        self.waits_since: float | None = None
        self._gone = gone
        self._feeding: Feeding | None = None

    def read(self, request: QueryRequest, user: str | None = None) -> Asked:
        """Have a statement read.

        Args:
            request: the statement.
            user: who `current_user` is in it; NULL if nobody.

        Raises:
            ParseFailed, InvalidRequest, ResourcesExceeded: it is not one that is answered.
            Cancelled: the client left.
        """
        values = request.parameters
        told = self._ask(
            {
                "text": request.text,
                "user": user,
                "database": None
                if request.database is None
                else fold(request.database, "database name"),
                "parameters": None if values is None else pack_bytes(values.row),
            }
        )
        with self._believing():
            entries = told["datasets"]
            if len(entries) > _MOST_DATASETS:
                raise ResourcesExceeded(
                    "the statement names too many datasets", hint=f"{_MOST_DATASETS} at most"
                )
            return Asked(
                {_name(e["name"]): _position(e["position"]) for e in entries},
                told["explained"] is True,
                tuple(str(name) for name in told["parameters"]),
            )

    def describe(self, schemas: Mapping[DatasetName, pa.Schema], own: Own) -> pa.Schema:
        """The columns of the answer; nothing is read.

        Raises:
            UnknownName, TypeMismatch, InvalidRequest: the statement does not fit the datasets.
        """
        told = self._go("describe", schemas, own)
        with self._believing():
            return unpack_schema(told["schema"])

    def trace(self, schemas: Mapping[DatasetName, pa.Schema], own: Own) -> Traced:
        """What the columns of the answer rest on; nothing is read.

        Raises:
            As `describe`.
        """
        told = self._go("trace", schemas, own)
        names = tuple(schemas)
        with self._believing():
            schema = unpack_schema(told["schema"])
            rests = [[_column(pair, names, schemas) for pair in found] for found in told["rests"]]
            made_of = dict(zip(schema.names, map(frozenset, rests), strict=True))
            refers = {
                column: (*of, tuple(map(str, way[2:])))
                for column, way in zip(schema.names, told["refers"], strict=True)
                if way is not None and (of := _column(way[:2], names, schemas)) in made_of[column]
            }
            return Traced(schema, made_of, refers, _plain(told["plain"], schema, schemas))

    def explain(self, schemas: Mapping[DatasetName, pa.Schema], own: Own) -> Explained:
        """What would be read for a statement that begins with EXPLAIN; nothing is.

        Raises:
            As `describe`.
        """
        told = self._go("run", schemas, own)
        with self._believing():
            return Explained(tuple(_reading(entry, schemas) for entry in told["plan"]))

    def run(
        self,
        schemas: Mapping[DatasetName, pa.Schema],
        own: Own,
        open_: Open,
        columns: tuple[str, ...] | None = None,
    ) -> Answer:
        """Start the statement.

        Args:
            schemas: of what the principal sees of each dataset.
            own: what the privacy functions in it are keyed with.
            open_: starts a governed stream; called as often as the engine reads.
            columns: of the answer; the others are not computed.

        Raises:
            As `describe`, and what `open_` raises.
        """
        names = tuple(schemas)
        self._feeding = Feeding(self.process, schemas, names, open_)
        self._feeding.start()
        told = self._go("run", schemas, own, columns)
        with self._believing():
            schema = unpack_schema(told["schema"])
            if "scan" not in told:
                return Answer(schema, self._handed(self._computed(schema)))
            # No more than a scan: its stream is the answer, and the sandbox has done its work.
            read = self._feeding.checked(told["scan"])
            if schema.types != [schemas[read.dataset].field(c).type for c in read.columns]:
                raise self._why()
        self.process.kill()
        return Answer(schema, self._handed(_scanned(open_(read), read, schema)))

    def _go(
        self,
        what: str,
        schemas: Mapping[DatasetName, pa.Schema],
        own: Own,
        columns: tuple[str, ...] | None = None,
    ) -> dict[str, Any]:
        datasets = [{"name": list(n), "schema": pack_schema(s)} for n, s in schemas.items()]
        asked = {"do": what, "own": own.to_json(), "datasets": datasets}
        return self._ask(asked | ({} if columns is None else {"columns": list(columns)}))

    def _ask(self, message: dict[str, Any]) -> dict[str, Any]:
        try:
            self.process.control.send(message)
        except Closed as error:
            raise self._why() from error
        return self._hear()

    def _hear(self) -> dict[str, Any]:
        self.wait(self.process.control)
        try:
            told, _ = self.process.control.receive()
        except Closed as error:
            raise self._why() from error
        if "fault" in told:
            with self._believing():
                raise self._reason() or faults.from_json(told["fault"])
        return told

    @contextmanager
    def _believing(self) -> Generator[None]:
        """What was said has a meaning, or it is as if nothing had been said."""
        try:
            yield
        except (AttributeError, LookupError, TypeError, ValueError, Closed) as error:
            raise self._why() from error

    def wait(self, end: Any) -> None:
        """Until there is something to read.

        Raises:
            Cancelled: the client left.
            ResourcesExceeded: it takes too long.
        """
        try:
            while not wait_readable(end, self.deadline):
                if self._gone():
                    self.process.kill()
                    raise Cancelled("the client left")
                if reason := self._reason():
                    raise reason
        except TimeoutError as error:
            self.process.kill()
            raise _too_long() from error

    def _handed(self, batches: Generator[pa.RecordBatch]) -> Generator[pa.RecordBatch]:
        with closing(batches):
            for batch in batches:
                self.waits_since = time.monotonic()
                yield batch
                self.waits_since = None

    def _computed(self, schema: pa.Schema) -> Generator[pa.RecordBatch]:
        try:
            yield from read_answer(self.take, schema)
        except (Closed, pa.ArrowException, OSError, struct.error) as error:
            raise self.why() from error
        self.finish()

    def finish(self) -> None:
        """Hear how it ended, once its answer is read.

        Raises:
            PrivetError: not well.
        """
        told = self._hear()
        if "done" not in told or self._reason():
            raise self._why()

    def take(self, size: int) -> pa.Buffer:
        """`size` bytes of the answer."""
        if size > _LARGEST_PART:
            raise self._why()
        buffer = pa.allocate_buffer(size)
        view = memoryview(buffer)
        got = 0
        while got < size:
            self.wait(self.process.results)
            count = self.process.results.recv_into(view[got:], 0, socket.MSG_DONTWAIT)
            if not count:
                raise Closed
            got += count
        return buffer

    def why(self) -> PrivetError:
        """Why the answer broke off."""
        try:
            self.finish()
        except PrivetError as error:
            return error
        return self._why()

    def _reason(self) -> PrivetError | None:
        return self._feeding.failure if self._feeding else None

    def _why(self) -> PrivetError:
        """What to say of a sandbox that is gone."""
        return self._reason() or ResourcesExceeded(
            "the statement was ended because it took more than one may use",
            hint="memory, time or depth; ask for less at a time",
        )

    def close(self) -> None:
        """End it, and every stream that feeds it."""
        self.process.kill()
        if self._feeding is not None:
            self._feeding.close()


def _too_long() -> ResourcesExceeded:
    return ResourcesExceeded(
        "the statement took longer than one may", hint="read fewer rows, or aggregate earlier"
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """What a statement answers: a schema, and batches to iterate once."""

    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]


def _scanned(stream: BatchStream, read: Read, schema: pa.Schema) -> Generator[pa.RecordBatch]:
    try:
        for batch in stream:
            arrays = [batch.column(name) for name in read.columns]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)
    finally:
        stream.close()


def _name(parts: Any) -> DatasetName:
    database, name = parts
    return DatasetName(fold(str(database), "database name"), fold(str(name), "dataset name"))


def _column(
    pair: Any, names: tuple[DatasetName, ...], schemas: Mapping[DatasetName, pa.Schema]
) -> tuple[DatasetName, str]:
    number, column = pair
    if not 0 <= number < len(names):
        raise ValueError(number)
    return names[number], schemas[names[number]].field(str(column)).name


def _plain(
    told: Any, schema: pa.Schema, schemas: Mapping[DatasetName, pa.Schema]
) -> tuple[str, ...] | None:
    if told is None:
        return None
    (base,) = schemas.values()
    columns = tuple(base.field(str(column)).name for column in told)
    return columns if [base.field(c).type for c in columns] == schema.types else None


def _reading(entry: Any, schemas: Mapping[DatasetName, pa.Schema]) -> Reading:
    name = _name(entry["name"])
    columns = tuple(schemas[name].field(str(c)).name for c in entry["columns"])
    return Reading(name, columns, tuple(str(condition) for condition in entry["where"]))


def _position(parts: Any) -> Position | None:
    if not parts:
        return None
    line, column, offset = parts
    return Position(int(line), int(column), int(offset))
