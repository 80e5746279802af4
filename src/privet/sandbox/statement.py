"""One statement from its text to its last batch, inside the walls."""

from __future__ import annotations

import base64
import json
import re
import socket
from collections.abc import Iterator
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.types as pat
from duckdb._seam import arrow_schema

from privet.model.datasets import plain_type
from privet.model.errors import InvalidRequest, PrivetError, UnknownName
from privet.model.names import DatasetName
from privet.model.requests import Parameters
from privet.sandbox import engine, faults, gate
from privet.sandbox.functions import name_reader
from privet.sandbox.references import find_references
from privet.sandbox.sources import GovernedSource, Reads, register
from privet.sandbox.transforms import OwnKeys
from privet.sandbox.wire import Channel, Own, pack_schema, unpack_schema

_EXPLAIN = "EXPLAIN (FORMAT JSON) "
_READ = re.compile(r'"?(\d+)\.([a-z0-9_]+)')
_OF_SCANS = frozenset({"PROJECTION", "PYTHON_ARROW_SCAN", "STREAMING_LIMIT", "LIMIT"})


class Asking:
    """A conversation about one statement: read it, hear what its datasets are, then do it."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        keys: OwnKeys,
        control: Channel,
        feeds: Channel,
        results: socket.socket,
    ) -> None:
        self._connection = connection
        self._keys = keys
        self._control = control
        self._reads = Reads(feeds)
        self._results = results
        self._sources: dict[DatasetName, GovernedSource] = {}

    def converse(self) -> None:
        """Answer what the server asks, to the end; what fails is told it."""
        try:
            self._converse()
        except PrivetError as error:
            self._control.send({"fault": faults.to_json(error)})
        except (MemoryError, duckdb.OutOfMemoryException):
            self._control.send({"fault": faults.to_json(faults.out_of_memory())})

    def _converse(self) -> None:
        asked, _ = self._control.receive()
        database = asked["database"]
        name_reader(self._connection, asked["user"])
        statement = gate.read(self._connection, asked["text"], database)
        values = _values(asked["parameters"], statement.parameters)
        self._control.send(
            {
                "datasets": [
                    {"name": list(name), "position": place and list(place)}
                    for name, place in statement.datasets.items()
                ],
                "explained": statement.explained,
                "parameters": list(statement.parameters),
            }
        )
        told, _ = self._control.receive()
        self._register(told, database)
        if told["do"] == "describe" and values is None and statement.parameters:
            # What a parameter will be is not known: any value would do, and NULL fits every type.
            values = dict.fromkeys(statement.parameters)
        self._do(str(told["do"]), statement, values, told.get("columns"))

    def _register(self, told: dict[str, Any], database: str | None) -> None:
        self._keys.take(Own.from_json(told["own"]))
        for number, entry in enumerate(told["datasets"]):
            name = DatasetName(*entry["name"])
            source = GovernedSource(number, unpack_schema(entry["schema"]), self._reads)
            try:
                register(self._connection, name, source, alone=name.database == database)
            except duckdb.Error as error:
                raise InvalidRequest(
                    f"dataset `{name}` cannot be asked by SQL", hint="scan it instead"
                ) from error
            self._sources[name] = source

    def _do(
        self,
        what: str,
        statement: gate.Statement,
        values: dict[str, Any] | None,
        columns: list[str] | None,
    ) -> None:
        bound = _bound(values, statement.parameters)
        if statement.explained:
            plan = self._explain(statement.text, bound)
            self._control.send({"schema": pack_schema(pa.schema([])), "plan": plan})
            return
        self._reads.whole = what == "trace"
        relation = self._planned(statement.text, bound)
        try:
            if what == "trace":
                schema = _plain_schema(self._schema(relation))
                traced = {
                    "rests": self._trace(relation),
                    "refers": self._refers(statement, schema),
                    "plain": self._untouched(statement),
                }
                self._control.send({"schema": pack_schema(schema)} | traced)
                return
            if what == "describe":
                self._control.send({"schema": pack_schema(_plain_schema(self._schema(relation)))})
                return
            if columns is not None:
                relation = relation.select(*map(duckdb.ColumnExpression, columns))
            elif statement.plain is not None and self._is_scan(relation, statement, bound):
                return
            reader = relation.to_arrow_reader(engine.ROWS_PER_BATCH)
            self._answer(reader)
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            # While batches are read, the engine's errors come through Arrow's stream.
            raise faults.told(error, statement.text) from error

    def _planned(self, text: str, bound: Any) -> duckdb.DuckDBPyRelation:
        try:
            return self._connection.sql(text, params=bound)
        except duckdb.Error as error:
            self._tell_precisely(text, bound)
            raise faults.told(error, text) from error

    def _schema(self, relation: duckdb.DuckDBPyRelation) -> pa.Schema:
        """The columns of an answer, without computing it."""
        numbers = [str(number) for number, _ in enumerate(relation.columns)]
        kinds = arrow_schema(self._connection, numbers, relation.types).types
        # Two columns may have one name; a schema made from names would change one of them.
        fields = zip(relation.columns, kinds, strict=True)
        return pa.schema([pa.field(name, kind) for name, kind in fields])

    def _trace(self, relation: duckdb.DuckDBPyRelation) -> list[list[list[Any]]]:
        """What each column of an answer rests on, as pairs of a dataset's number and a column.

        It is what the engine still reads if nothing but that column is wanted: what the column is
        made of, and what decides which rows there are.
        """
        if len(set(map(str.lower, relation.columns))) < len(relation.columns):
            raise InvalidRequest("two columns have one name", hint="name them with AS")
        rests: list[list[list[Any]]] = []
        for name in relation.columns:
            alone = relation.select(duckdb.ColumnExpression(name))
            rows = self._connection.execute(_EXPLAIN + alone.sql_query()).fetchall()
            found = sorted(set(_scanned(json.loads(rows[0][1]))))
            rests.append([list(pair) for pair in found])
        return rests

    def _refers(self, statement: gate.Statement, schema: pa.Schema) -> list[list[Any] | None]:
        """The one column that each column of an answer is as it is, written as in `_trace`.

        After it comes the way to the field inside it that it is, if it is one.
        """
        columns = {
            name: [c.partition(".")[2] for c in source.schema.names]
            for name, source in self._sources.items()
        }
        found = find_references(statement.tree, statement.database, columns)
        if len(found) != len(schema):
            return [None] * len(schema)
        return [of and [self._sources[of[0]].number, of[1], *of[2]] for of in found]

    def _untouched(self, statement: gate.Statement) -> list[str] | None:
        """What the columns of an answer are called in the one dataset whose rows they are."""
        if statement.plain is None or len(self._sources) != 1:
            return None
        (source,) = self._sources.values()
        columns = source.positions(statement.plain.columns)
        if columns is None:
            return None
        return [source.schema.names[c].partition(".")[2] for c in columns]

    def _tell_precisely(self, text: str, bound: Any) -> None:
        """Plan again in the way in which the engine says where it failed."""
        try:
            self._connection.execute(_EXPLAIN + text, bound).fetchall()
        except duckdb.Error as error:
            raise faults.told(error, text, len(_EXPLAIN)) from error

    def _is_scan(
        self, relation: duckdb.DuckDBPyRelation, statement: gate.Statement, bound: Any
    ) -> bool:
        """Whether the statement is no more than one scan; then say which.

        So it is if nothing is left to do in the plan but to choose columns and stop at a limit:
        then every condition went to the scan, and a rehearsal shows which.
        """
        rows = self._connection.execute(_EXPLAIN + statement.text, bound).fetchall()
        if not set(_operators(json.loads(rows[0][1]))) <= _OF_SCANS:
            return False
        self._reads.rehearsed = []
        schema = relation.to_arrow_reader(engine.ROWS_PER_BATCH).read_all().schema
        asked, self._reads.rehearsed = self._reads.rehearsed, None
        if len(asked) != 1:
            return False
        ((number, _, conditions),) = asked
        (source,) = (s for s in self._sources.values() if s.number == number)
        assert statement.plain is not None
        columns = source.positions(statement.plain.columns)
        if columns is None or [source.schema.field(c).type for c in columns] != schema.types:
            return False
        limit = statement.plain.limit
        scan = {"dataset": number, "columns": columns, "where": conditions, "limit": limit}
        self._control.send({"schema": pack_schema(schema), "scan": scan})
        return True

    def _explain(self, text: str, bound: Any) -> list[dict[str, Any]]:
        try:
            rows = self._connection.execute(_EXPLAIN + text, bound).fetchall()
        except duckdb.Error as error:
            raise faults.told(error, text, len(_EXPLAIN)) from error
        columns: dict[int, list[str]] = {}
        for number, name in _scanned(json.loads(rows[0][1])):
            seen = columns.setdefault(number, [])
            if name not in seen:
                seen.append(name)
        return [
            {"name": list(name), "columns": columns.get(s.number, []), "where": s.offered}
            for name, s in self._sources.items()
            if s.number in columns
        ]

    def _answer(self, reader: pa.RecordBatchReader) -> None:
        schema = _plain_schema(reader.schema)
        self._control.send({"schema": pack_schema(schema)})
        rows = 0
        with (
            self._results.makefile("wb", buffering=0) as out,
            pa.ipc.new_stream(out, schema) as ipc,
        ):
            for batch in reader:
                rows += batch.num_rows
                ipc.write_batch(_plain_batch(batch, schema))
        self._control.send({"done": rows})


def _values(message: str | None, parameters: tuple[str, ...]) -> dict[str, Any] | None:
    """The values of the parameters; None where none were sent."""
    if message is None:
        return None
    values = Parameters(base64.b64decode(message)).values()
    if all(name.isdigit() for name in parameters) and values.keys().isdisjoint(parameters):
        # Clients that mean positions name columns as they like.
        values = dict(zip(parameters, values.values(), strict=False)) | dict.fromkeys(
            list(values)[len(parameters) :]
        )
    unknown = [name for name in values if name not in parameters]
    if unknown:
        raise UnknownName(
            f"the statement has no parameter `{unknown[0][:64]}`",
            hint=f"it has {', '.join(parameters)}" if parameters else "it has none",
        )
    missing = [name for name in parameters if name not in values]
    if missing:
        raise InvalidRequest(f"parameter `{missing[0][:64]}` has no value", hint="give every one")
    return values


def _bound(values: dict[str, Any] | None, parameters: tuple[str, ...]) -> Any:
    if not parameters:
        return None
    if values is None:
        raise InvalidRequest(
            f"parameter `{parameters[0][:64]}` has no value", hint="give every parameter one"
        )
    numbered = all(name.isdigit() for name in parameters)
    return [values[name] for name in parameters] if numbered else values


def _operators(plan: Any) -> Iterator[str]:
    for node in plan if isinstance(plan, list) else [plan]:
        yield node["name"]
        yield from _operators(node.get("children", []))


def _scanned(plan: Any) -> Iterator[tuple[int, str]]:
    """The columns that the scans of a plan read, by the number of their dataset."""
    for node in plan if isinstance(plan, list) else [plan]:
        if node.get("name") == "PYTHON_ARROW_SCAN":
            shown = node["extra_info"].get("Projections", [])
            for name in [shown] if isinstance(shown, str) else shown:
                # Of a column of rows only some fields may be read: `0.patient.name`.
                if found := _READ.match(name):
                    yield int(found[1]), found[2]
        yield from _scanned(node.get("children", []))


def _plain_schema(schema: pa.Schema) -> pa.Schema:
    return pa.schema([pa.field(f.name, plain_type(f.type, _answerable)) for f in schema])


def _answerable(kind: pa.DataType) -> pa.DataType:
    """A type as clients can read it.

    Raises:
        InvalidRequest: there is no such type.
    """
    if pat.is_union(kind):
        raise InvalidRequest("a UNION cannot be answered", hint="cast it, such as x::VARCHAR")
    # A column of no type is of no use, and some cannot read one.
    return pa.int32() if pat.is_null(kind) else kind


def _plain_batch(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    arrays = [
        a if a.type == f.type else a.cast(f.type)
        for a, f in zip(batch.columns, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
