"""The okera door: rows as messages by one core, and the calls by which a client looks around.

The calls go over loopback to a server in this same process, so that client and server take turns;
a client elsewhere waits less. What is decided and recorded is all counted.
"""

from __future__ import annotations

import socket
import struct
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Self

import numpy as np
import pyarrow as pa
from thriftpy2.protocol import TCyBinaryProtocol
from thriftpy2.thrift import TMessageType
from thriftpy2.transport import TSocket
from thriftpy2.transport.buffered import TCyBufferedTransport

from benchmarks.measure import Figure
from privet.identity import Identity
from privet.model.principals import Credentials, NamedUser, Principal
from privet.okera import House, OkeraDoor
from privet.okera.columns import dense, in_wire_types
from privet.okera.idl import METHODS, T
from privet.okera.wire.messages import Head, reply
from privet.server.dev import dev_settings
from privet.server.wiring import services
from privet.service import Caller, Services

ROWS, ROUNDS = 20_000, 50
DATABASES, DATASETS, TURNS = 20, 10, 60
ADMIN, READER = "admin", "reader"
_ENOUGH_ROWS, _RPC_MS, _CHECK_MS = 500_000, 5, 40


def run() -> Iterator[Figure]:
    """Measure."""
    yield _encoding()
    with tempfile.TemporaryDirectory() as folder, _serving(Path(folder)) as port:
        yield from _calls(port)


def _encoding() -> Figure:
    """From a batch of ten mixed columns to the bytes of an answer, in processor time."""
    batch = _mixed(ROWS)
    head, method = Head("Fetch", TMessageType.CALL, 1, 0), METHODS["Fetch"]
    size = 0
    start = time.process_time()
    for _ in range(ROUNDS):
        result = method.result()
        result.success = T.TFetchResult(
            done=False,
            task_progress=0.0,
            num_records=batch.num_rows,
            record_format=T.TRecordFormat.ColumnarNumPy,
            columnar_records=T.TColumnarRecords(cols=dense(in_wire_types(batch))),
        )
        size += len(reply(head, result))
    seconds = time.process_time() - start
    rate = ROWS * ROUNDS / seconds
    note = f"{size / seconds / 2**20:.0f} MB/s"
    name = "rows of 10 mixed columns encoded by a core"
    return Figure(name, rate, "rows/s", _ENOUGH_ROWS, at_least=True, note=note)


def _mixed(rows: int) -> pa.RecordBatch:
    chance = np.random.default_rng(5)
    numbers = chance.integers(-(2**31), 2**31, rows)
    texts = pa.array([f"text {n % 1000}" for n in range(rows)])
    missing = pa.array(chance.random(rows) < 0.1)
    amounts = pa.array([Decimal(int(n)).scaleb(-2) for n in numbers], pa.decimal128(18, 2))
    columns: dict[str, pa.Array] = {
        "id": pa.array(numbers),
        "small": pa.array(numbers % 100, pa.int16()),
        "flag": pa.array(numbers % 2 == 0),
        "ratio": pa.array(chance.random(rows)),
        "single": pa.array(chance.random(rows).astype(np.float32)),
        "name": texts,
        "note": pa.compute.if_else(missing, pa.scalar(None, pa.string()), texts),
        "day": pa.array((numbers % 20_000).astype(np.int32), pa.int32()).cast(pa.date32()),
        "moment": pa.array(numbers * 1000, pa.timestamp("us")),
        "amount": amounts,
    }
    return pa.RecordBatch.from_pydict(columns)


class _Naming(Identity):
    """Takes a name for whoever bears it: there are no tokens in this measurement."""

    def __init__(self, usual: Identity) -> None:
        self.__dict__.update(usual.__dict__)

    def authenticate(self, credentials: Credentials) -> Principal:
        if not isinstance(credentials, NamedUser):
            return super().authenticate(credentials)
        user = credentials.user or ADMIN
        return Principal(user, frozenset({user}), admin=user == ADMIN)


@contextmanager
def _serving(folder: Path) -> Generator[int]:
    settings = dev_settings(folder / "state", query_workers=1)
    with services(settings, (), _Naming) as offered:
        _define(offered)
        offered.queries.warm_up()
        house = House(offered, tls=None, clear=True, compatibility=True, public_host="")
        door = OkeraDoor(house, host="127.0.0.1", port=0)
        thread = threading.Thread(target=door.serve, daemon=True)
        thread.start()
        try:
            yield door.port
        finally:
            door.shutdown()
            thread.join(timeout=10)


def _define(offered: Services) -> None:
    """Databases of tables with tags, and a reader of those columns that are not tagged."""
    admin = Caller(NamedUser(ADMIN), "bench")
    names = [(f"d{n}", f"t{m}") for n in range(DATABASES) for m in range(DATASETS)]
    statements = [
        "CREATE ATTRIBUTE b.pii",
        "CREATE ROLE b_role",
        f"GRANT ROLE b_role TO GROUP {READER}",
        *(f"CREATE DATABASE d{n}" for n in range(DATABASES)),
        *(
            f"CREATE TABLE {d}.{t} (a int, b string ATTRIBUTE b.pii, c double, e int)"
            for d, t in names
        ),
        *(
            f"GRANT SELECT ON DATABASE d{n} HAVING ATTRIBUTE NOT (b.pii) TO ROLE b_role"
            for n in range(DATABASES)
        ),
    ]
    for statement in statements:
        offered.statements.execute(admin, statement)


class _Wire:
    """A connection without tokens."""

    def __init__(self, port: int) -> None:
        connected = socket.create_connection(("127.0.0.1", port))
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 60, 0))
        self._transport = TCyBufferedTransport(TSocket(sock=connected))
        self._protocol = TCyBinaryProtocol(self._transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._transport.close()

    def call(self, name: str, params: Any) -> Any:
        """The answer of a call with one argument."""
        method = METHODS[name]
        arguments = method.arguments()
        (spec,) = arguments.thrift_spec.values()
        setattr(arguments, spec[1], params)
        self._protocol.write_message_begin(name, TMessageType.CALL, 0)
        self._protocol.write_struct(arguments)
        self._protocol.write_message_end()
        self._transport.flush()
        self._protocol.read_message_begin()
        result = method.result()
        self._protocol.read_struct(result)
        self._protocol.read_message_end()
        if result.ex is not None:
            raise result.ex
        return result.success


def _check(wire: _Wire) -> list[Callable[[], Any]]:
    """The eight calls by which the original's suite sees what somebody may read of a table."""
    who = {"requesting_user": READER}
    ddl = T.TExecDDLParams(ddl="DESCRIBE d3.t4", **who)
    formatted = T.TExecDDLParams(ddl="DESCRIBE FORMATTED d3.t4", **who)
    one = T.TGetDatasetsParams(dataset_names=["d3.t4"], with_schema=True, **who)
    plan = T.TPlanRequestParams(
        client_version="1.0",
        request_type=T.TRequestType.Sql,
        sql_stmt="SELECT * FROM d3.t4",
        **who,
    )
    return [
        lambda: wire.call("GetDatabases", T.TGetDatabasesParams(**who)),
        lambda: wire.call("GetTables", T.TGetTablesParams(database=["d3"], **who)),
        lambda: wire.call("GetDatasets", one),
        lambda: wire.call("GetDatasets", one),
        lambda: wire.call("GetDatasets", T.TGetDatasetsParams(databases=["d3"], **who)),
        lambda: wire.call("ExecuteDDL2", ddl),
        lambda: wire.call("ExecuteDDL2", formatted),
        lambda: wire.call("PlanRequest", plan),
    ]


def _calls(port: int) -> Iterator[Figure]:
    times: dict[int, list[float]] = {}
    whole: list[float] = []
    worked: list[float] = []
    with _Wire(port) as wire:
        calls = _check(wire)
        for turn in range(TURNS + 5):
            spent: list[float] = []
            before = time.process_time()
            for call in calls:
                start = time.perf_counter()
                call()
                spent.append((time.perf_counter() - start) * 1e3)
            if turn >= 5:
                whole.append(sum(spent))
                worked.append((time.process_time() - before) * 1e3)
                for number, each in enumerate(spent):
                    times.setdefault(number, []).append(each)
    medians = [median(times[number]) for number in range(len(calls))]
    note = f"{DATABASES * DATASETS} datasets; " + ", ".join(f"{each:.1f}" for each in medians)
    yield Figure(
        "a call about the catalog, p50 of the slowest", max(medians[:7]), "ms", _RPC_MS, note=note
    )
    note = (
        f"p90 {quantiles(whole, n=10)[8]:.1f}; {median(worked):.1f} ms of processor for both sides"
    )
    yield Figure(
        "the eight calls of an access check, p50", median(whole), "ms", _CHECK_MS, note=note
    )
