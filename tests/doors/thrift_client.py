"""A client of the okera door that reads every byte itself, by the description of the protocol.

Messages are those of the IDL; sockets, SASL and columns are done here by hand, one value after
another, so that nothing that the server encodes by whole buffers is taken for granted.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import socket
import ssl
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
from thriftpy2.protocol import TCyBinaryProtocol
from thriftpy2.thrift import TApplicationException
from thriftpy2.transport.memory import TCyMemoryBuffer

from privet.okera.idl import METHODS, T

SECONDS = 60.0
IDS = T.TTypeId
FIXED = {
    IDS.TINYINT: ("<b", pa.int8()),
    IDS.SMALLINT: ("<h", pa.int16()),
    IDS.INT: ("<i", pa.int32()),
    IDS.BIGINT: ("<q", pa.int64()),
    IDS.FLOAT: ("<f", pa.float32()),
    IDS.DOUBLE: ("<d", pa.float64()),
    IDS.BOOLEAN: ("<?", pa.bool_()),
    IDS.DATE: ("<i", pa.date32()),
}
EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - as naive as what is compared with it


class SaslRefused(Exception):
    """The status of the refusal, and its text."""


@dataclass
class Wire:
    """A connection and everything that was received on it."""

    connection: socket.socket
    framed: bool = True
    received: bytearray = field(default_factory=bytearray)

    def take(self, count: int) -> bytes:
        """The next bytes; EOFError at the end of the connection."""
        parts = bytearray()
        while len(parts) < count:
            part = self.connection.recv(count - len(parts))
            if not part:
                raise EOFError
            parts += part
        self.received += parts
        return bytes(parts)

    def read(self, count: int) -> bytes:
        """As a transport of the library."""
        return self.take(count)

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.connection.sendall(data)

    def call(self, name: str, **arguments: Any) -> Any:
        """Call a method; its result, or what it raised."""
        self.send_call(name, **arguments)
        return self.result(name)

    def send_call(self, name: str, **arguments: Any) -> None:
        """Call a method and do not wait."""
        data = message(name, **arguments)
        self.send(struct.pack("!I", len(data)) + data if self.framed else data)

    def result(self, name: str) -> Any:
        """What a call answered."""
        if self.framed:
            (length,) = struct.unpack("!I", self.take(4))
            data = self.take(length)
        else:
            data = Unframed(self).message()
        protocol = TCyBinaryProtocol(TCyMemoryBuffer(data))
        _, kind, _ = protocol.read_message_begin()
        if kind == 3:
            failed = TApplicationException()
            protocol.read_struct(failed)
            raise failed
        result = METHODS[name].result()
        protocol.read_struct(result)
        if getattr(result, "ex", None) is not None:
            raise result.ex
        return getattr(result, "success", None)


class Unframed:
    """Reads one message whose length is not told."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._data = b""

    def message(self) -> bytes:
        """Its bytes."""
        self._take(4)
        self._text()
        self._take(4)
        self._struct()
        return self._data

    def _take(self, count: int) -> bytes:
        taken = self._wire.take(count)
        self._data += taken
        return taken

    def _text(self) -> None:
        self._take(struct.unpack("!i", self._take(4))[0])

    def _struct(self) -> None:
        while kind := self._take(1)[0]:
            self._take(2)
            self._value(kind)

    def _value(self, kind: int) -> None:
        match kind:
            case 11:
                self._text()
            case 12:
                self._struct()
            case 14 | 15:
                (inner,) = self._take(1)
                for _ in range(struct.unpack("!i", self._take(4))[0]):
                    self._value(inner)
            case _:
                self._take({2: 1, 3: 1, 4: 8, 6: 2, 8: 4, 10: 8}[kind])


def message(name: str, **arguments: Any) -> bytes:
    """A call as bytes."""
    sink = TCyMemoryBuffer()
    protocol = TCyBinaryProtocol(sink)
    protocol.write_message_begin(name, 1, 0)
    protocol.write_struct(METHODS[name].arguments(**arguments))
    return sink.getvalue()


@contextmanager
def opened(address: str, ca: Path | None = None, seconds: float = SECONDS) -> Iterator[Wire]:
    """A connection on which nothing was said yet; with TLS, if there is a CA to believe."""
    host, _, port = address.rpartition(":")
    raw = socket.create_connection((host, int(port)), timeout=seconds)
    if ca is None:
        with raw:
            yield Wire(raw)
        return
    context = ssl.create_default_context(cafile=str(ca))
    with context.wrap_socket(raw, server_hostname=host) as secured:
        yield Wire(secured)


def log_in(wire: Wire, token: str, password: str = "cerebro", **other: str) -> None:
    """SASL DIGEST-MD5, as RFC 2831 has it; `other` replaces what is sent."""
    _say(wire, 1, b"DIGEST-MD5")
    status, challenge = _hear(wire)
    if status != 2:
        raise SaslRefused(status, challenge.decode())
    told = dict(part.split("=", 1) for part in challenge.decode().split(","))
    given = {
        "realm": told["realm"].strip('"'),
        "nonce": told["nonce"].strip('"'),
        "cnonce": "0123456789",
        "nc": "00000001",
        "digest-uri": "cerebro/anything",
        "username": token,
        **other,
    }
    proof = proof_of(given, password, "AUTHENTICATE:")
    quoted = ",".join(
        f'{name}="{value}"' for name, value in given.items() if name not in ("nc", "response")
    )
    response = f"qop=auth,{quoted},nc={given['nc']},response={other.get('response', proof)}"
    _say(wire, 2, response.encode())
    status, answer = _hear(wire)
    if status != 5:
        raise SaslRefused(status, answer.decode())
    assert answer.decode() == f"rspauth={proof_of(given, password, ':')}"


def proof_of(given: dict[str, str], password: str, method: str) -> str:
    """The digest of a response."""

    def digest(data: bytes) -> Any:
        return hashlib.md5(data, usedforsecurity=False)

    secret = digest(f"{given['username']}:{given['realm']}:{password}".encode()).digest()
    first = digest(secret + f":{given['nonce']}:{given['cnonce']}".encode()).hexdigest()
    second = digest(f"{method}{given['digest-uri']}".encode()).hexdigest()
    told = f"{first}:{given['nonce']}:{given['nc']}:{given['cnonce']}:auth:{second}"
    return digest(told.encode()).hexdigest()


def _say(wire: Wire, status: int, payload: bytes) -> None:
    wire.send(struct.pack("!BI", status, len(payload)) + payload)


def _hear(wire: Wire) -> tuple[int, bytes]:
    status, length = struct.unpack("!BI", wire.take(5))
    return status, wire.take(length)


@contextmanager
def logged_in(address: str, ca: Path, token: str) -> Iterator[Wire]:
    """A connection of somebody with a token."""
    with opened(address, ca) as wire:
        log_in(wire, token)
        yield wire


def planned(wire: Wire, sql: str) -> Any:
    """The plan of a statement."""
    params = T.TPlanRequestParams(
        client_version="1.0", request_type=T.TRequestType.Sql, sql_stmt=sql
    )
    return wire.call("PlanRequest", params=params)


def fetched(wire: Wire, plan: Any, limit: int | None = None) -> pa.Table:
    """Run the one task of a plan and read all its rows."""
    (task,) = plan.tasks
    columns = plan.schema.nested_cols or plan.schema.cols
    nested = any(column.type.num_children for column in columns)
    wanted = T.TRecordFormat.Columnar if nested else T.TRecordFormat.ColumnarNumPy
    params = T.TExecTaskParams(task=task.task, record_format=wanted, limit=limit)
    run = wire.call("ExecTask", params=params)
    fields = fields_of(run.schema)
    parts: list[pa.Table] = []
    done = False
    while not done:
        got = wire.call("Fetch", params=T.TFetchParams(handle=run.handle))
        assert got.record_format == wanted
        reader = Columns(got.columnar_records.cols, sparse=nested)
        arrays = [pa.array(reader.column(f, got.num_records), f.arrow) for f in fields]
        assert reader.all_read
        parts.append(pa.Table.from_arrays(arrays, names=[f.name for f in fields]))
        done = got.done
    wire.call("CloseTask", handle=run.handle)
    return pa.concat_tables(parts)


@dataclass(frozen=True)
class Field:
    """A column of a plan, with what is within it."""

    name: str
    described: Any
    within: tuple[Field, ...]
    arrow: pa.DataType


def fields_of(schema: Any) -> list[Field]:
    """The tree that a list of columns in pre-order stands for."""
    left = iter(schema.nested_cols or schema.cols)

    def read() -> Field:
        column = next(left)
        within = tuple(read() for _ in range(column.type.num_children or 0))
        return Field(column.name, column.type, within, _arrow(column.type, within))

    fields: list[Field] = []
    while True:
        try:
            fields.append(read())
        except StopIteration:
            return fields


def _arrow(described: Any, within: tuple[Field, ...]) -> pa.DataType:
    match described.type_id:
        case IDS.STRING:
            return pa.string()
        case IDS.BINARY:
            return pa.binary()
        case IDS.TIMESTAMP_NANOS:
            return pa.timestamp("us")
        case IDS.DECIMAL:
            return pa.decimal128(described.precision, described.scale)
        case IDS.ARRAY:
            return pa.list_(within[0].arrow)
        case IDS.MAP:
            return pa.map_(within[0].arrow, within[1].arrow)
        case IDS.RECORD:
            return pa.struct([(f.name, f.arrow) for f in within])
        case other:
            return FIXED[other][1]


class Columns:
    """Reads the columns of one answer, value by value."""

    def __init__(self, columns: list[Any], *, sparse: bool) -> None:
        self._columns = iter(columns)
        self._sparse = sparse

    @property
    def all_read(self) -> bool:
        """Whether there is none left."""
        return next(self._columns, None) is None

    def column(self, field: Field, rows: int) -> list[Any]:
        """The values of a column, and of those within it."""
        kind = field.described.type_id
        if kind == IDS.RECORD:
            parts = [self.column(inner, rows) for inner in field.within]
            names = [inner.name for inner in field.within]
            return [dict(zip(names, row, strict=True)) for row in zip(*parts, strict=True)]
        column = next(self._columns)
        nulls = [byte == 1 for byte in column.is_null]
        assert len(nulls) == rows
        assert set(column.is_null) <= {0, 1}
        data = memoryview(column.data)
        if kind in (IDS.ARRAY, IDS.MAP):
            return self._many(field, nulls, data)
        if kind in (IDS.STRING, IDS.BINARY) and not self._sparse:
            return _dense_texts(field, nulls, data)
        values: list[Any] = []
        for null in nulls:
            wide = kind == IDS.DECIMAL and field.described.precision > 18
            if null and self._sparse and not wide:
                values.append(None)
                continue
            value, data = _value(field, data)
            values.append(None if null else value)
        assert not len(data)
        return values

    def _many(self, field: Field, nulls: list[bool], data: memoryview) -> list[Any]:
        lengths = iter(struct.unpack(f"<{len(data) // 4}i", data))
        counts = [None if null else next(lengths) for null in nulls]
        assert next(lengths, None) is None
        total = sum(count or 0 for count in counts)
        parts = [self.column(inner, total) for inner in field.within]
        items = parts[0] if len(parts) == 1 else list(zip(*parts, strict=True))
        values: list[Any] = []
        at = 0
        for count in counts:
            values.append(None if count is None else items[at : at + count])
            at += count or 0
        return values


def _dense_texts(field: Field, nulls: list[bool], data: memoryview) -> list[Any]:
    lengths, data = struct.unpack_from(f"<{len(nulls)}i", data), data[4 * len(nulls) :]
    values: list[Any] = []
    for null, length in zip(nulls, lengths, strict=True):
        held = b"" if null else bytes(data[:length])
        data = data if null else data[length:]
        values.append(None if null else _text(field, held))
    assert not len(data)
    return values


def _text(field: Field, held: bytes) -> Any:
    return held.decode() if field.described.type_id == IDS.STRING else held


def _value(field: Field, data: memoryview) -> tuple[Any, memoryview]:
    match field.described.type_id:
        case IDS.STRING | IDS.BINARY:
            (length,) = struct.unpack_from("<i", data)
            return _text(field, bytes(data[4 : 4 + length])), data[4 + length :]
        case IDS.TIMESTAMP_NANOS:
            millis, nanos = struct.unpack_from("<qi", data)
            seconds = dt.timedelta(seconds=millis // 1000, microseconds=nanos // 1000)
            assert millis % 1000 == nanos // 1_000_000
            return EPOCH + seconds, data[12:]
        case IDS.DECIMAL:
            digits = field.described.precision
            size = 4 if digits <= 9 else 8 if digits <= 18 else 16
            unscaled = int.from_bytes(data[:size], "little", signed=True)
            return Decimal(unscaled).scaleb(-field.described.scale), data[size:]
        case IDS.DATE:
            (days,) = struct.unpack_from("<i", data)
            return dt.date(1970, 1, 1) + dt.timedelta(days=days), data[4:]
        case other:
            form = FIXED[other][0]
            return struct.unpack_from(form, data)[0], data[struct.calcsize(form) :]
