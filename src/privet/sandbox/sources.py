"""Datasets as the engine sees them: it says which columns and conditions, the server reads.

Written against the source protocol of DuckDB 2.0's Python package (`duckdb._sources`), by which
an optimised plan hands each scan its columns and predicates. It is not public, so the version is
pinned, and a test fails when it changes.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable, Sequence
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.types as pat
from duckdb._sources.arrow import ArrowScanSource
from duckdb._sources.nodes import Binary, Col, In, Lit, Node

from privet.model.names import DatasetName
from privet.sandbox.wire import Channel, Closed, read_buffer

_OPERATORS = frozenset({"=", "!=", "<", "<=", ">", ">="})
_MOST_OPTIONS = 10_000
Condition = list[Any]
"""`[operator, column, value]` or `["in", column, [values]]`."""


Asked = tuple[int, list[int], list[Condition]]
"""A dataset's number, its columns' numbers, and conditions."""


class Reads:
    """Asks the server for governed streams.

    While `rehearsed` is a list, what would be asked is noted there, and nothing is read. While
    `whole`, no condition is taken over, so that a plan names every column that it looks at.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._lock = threading.Lock()
        self.rehearsed: list[Asked] | None = None
        self.whole = False

    def open(
        self, dataset: int, columns: Sequence[int], conditions: list[Condition]
    ) -> Iterable[pa.RecordBatch]:
        """Batches of these columns of the rows for which every condition is true."""
        if self.rehearsed is not None:
            self.rehearsed.append((dataset, list(columns), conditions))
            return ()
        asked = {"dataset": dataset, "columns": list(columns), "where": conditions}
        with self._lock:
            self._channel.send({"read": asked})
            _, files = self._channel.receive(files=1)
        if len(files) != 1:
            raise Closed
        return pa.ipc.open_stream(pa.PythonFile(_Incoming(files[0]), mode="r"))


class _Incoming:
    """A socket as a file that Arrow reads whole buffers from."""

    closed = False

    def __init__(self, descriptor: int) -> None:
        self._end = socket.socket(fileno=descriptor)

    def read(self, size: int) -> pa.Buffer:
        """`size` bytes, in memory of their own."""
        return read_buffer(self._end, size)

    def readable(self) -> bool:
        """As Arrow asks."""
        return True

    def close(self) -> None:
        """Tell the server that nothing more is wanted."""
        self._end.close()


class GovernedSource(ArrowScanSource):
    """One dataset. Planning asks for its schema and offers predicates; only running reads.

    `offered` holds the predicates that the server will apply, for EXPLAIN.
    """

    schema_is_stable = True

    def __init__(self, number: int, schema: pa.Schema, reads: Reads) -> None:
        super().__init__(None)
        self.number = number
        self._reads = reads
        self.schema = pa.schema([pa.field(f"{number}.{f.name}", f.type) for f in schema])
        self._types = dict(zip(self.schema.names, schema.types, strict=True))
        self.offered: list[str] = []

    def positions(self, names: Iterable[str | frozenset[str]]) -> list[int] | None:
        """The columns of some names, or all but some; None if there is no such column."""
        known = {c.partition(".")[2].lower(): i for i, c in enumerate(self.schema.names)}
        found: list[int] = []
        for name in names:
            wanted = (
                [name.lower()] if isinstance(name, str) else [c for c in known if c not in name]
            )
            if not known.keys() >= set(wanted):
                return None
            found += (known[c] for c in wanted)
        return found

    def __arrow_c_schema__(self) -> object:
        """The columns, named so that no other dataset has the same."""
        return self.schema.__arrow_c_schema__()

    def accepts(self, predicate: Node) -> bool:
        """Whether the server filters by it exactly as the engine would."""
        conditions = None if self._reads.whole else self._conditions(predicate)
        if conditions is None:
            return False
        self.offered += (said for c in conditions if (said := _sentence(c)) not in self.offered)
        return True

    def stream(self, columns: Sequence[int] | None, filters: Sequence[Node]) -> tuple[object, bool]:
        """A governed stream, of all columns where the engine names none."""
        conditions = [c for f in filters for c in self._conditions(f) or ()]
        chosen = range(len(self.schema)) if columns is None else columns
        read = self._reads.open(self.number, chosen, conditions)
        schema = pa.schema([self.schema.field(i) for i in chosen])
        batches = (pa.RecordBatch.from_arrays(b.columns, schema=schema) for b in read)
        renamed = pa.RecordBatchReader.from_batches(schema, batches)
        return renamed.__arrow_c_stream__(), columns is not None

    def _conditions(self, node: Node) -> list[Condition] | None:
        """A predicate as conditions that all hold; None where it cannot be said as such.

        Whole numbers, text and booleans only: of these the reader and the engine agree.
        """
        match node:
            case Binary(op="AND", left=left, right=right):
                parts = self._conditions(left), self._conditions(right)
                return None if parts[0] is None or parts[1] is None else parts[0] + parts[1]
            case Binary(op=op, left=Col(parts=(name,)), right=Lit(value=value)):
                fits = op in _OPERATORS and _fits(self._types[name], value)
                return [[op, name.partition(".")[2], value]] if fits else None
            case In(operand=Col(parts=(name,)), values=options):
                values = [o.value for o in options if isinstance(o, Lit)]
                kind = self._types[name]
                fits = len(values) == len(options) <= _MOST_OPTIONS
                if fits and all(_fits(kind, v) for v in values):
                    return [["in", name.partition(".")[2], values]]
                return None
            case _:
                return None


def _fits(kind: pa.DataType, value: object) -> bool:
    return (
        (pat.is_integer(kind) and type(value) is int and abs(value) < 2**63)
        or (pat.is_string(kind) and type(value) is str and "\0" not in value)
        or (pat.is_boolean(kind) and type(value) is bool)
    )


def _sentence(condition: Condition) -> str:
    """A condition as SQL has it."""
    operator, column, value = condition
    if operator == "in":
        return f"{column} IN ({', '.join(map(_literal, value))})"
    return f"{column} {operator} {_literal(value)}"


def _literal(value: Any) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value).upper()


def register(
    connection: duckdb.DuckDBPyConnection,
    name: DatasetName,
    source: GovernedSource,
    *,
    alone: bool,
) -> None:
    """Make a source known as `database.dataset`, and if `alone` as `dataset` too."""
    # With blanks, so that no dataset has this name.
    hidden = f"source {source.number} of privet"
    connection._register_arrow_source(hidden, source)  # noqa: SLF001 - see above
    columns = ", ".join(
        f"{_quoted(c)} AS {_quoted(c.partition('.')[2])}" for c in source.schema.names
    )
    names = [f"{_quoted(name.database)}.{_quoted(name.name)}"]
    if alone:
        names.append(f"main.{_quoted(name.name)}")
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {_quoted(name.database)}").fetchall()
    for view in names:
        # Both parts are folded identifiers, the columns are quoted.
        text = f"CREATE VIEW {view} AS SELECT {columns} FROM {_quoted(hidden)}"  # noqa: S608
        connection.execute(text).fetchall()


def _quoted(name: str) -> str:
    escaped = name.replace('"', '""')
    return f'"{escaped}"'
