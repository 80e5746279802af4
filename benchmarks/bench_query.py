"""Free SQL over governed data, against DuckDB reading the raw file with the same filter.

What DuckDB reads it reads without policy, tokens, audit or sandbox, on as many threads. Small
statements go through Flight SQL and TLS, with a client that nobody here wrote.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median, quantiles

import adbc_driver_flightsql.dbapi as flight_sql
import duckdb
import psutil
import pyarrow.parquet as pq
from adbc_driver_flightsql import DatabaseOptions

from benchmarks.bench_server import LARGE, SMALL, govern, server_process
from benchmarks.data import ensure
from benchmarks.measure import Figure, interleave, ratio
from privet.client.rest import Rest
from privet.demo.devserver import DevServer
from privet.demo.generate import generate
from privet.model.principals import BearerToken
from privet.model.requests import QueryRequest
from privet.sandbox import engine, gate
from privet.server.dev import dev_settings
from privet.server.wiring import services
from privet.service import Caller, Services

CACHE = Path.home() / ".cache" / "privet-bench"
ROUNDS, SMALL_ROUNDS, ASKERS = 5, 200, 16
GROUPED = "SELECT region, count(*), avg(charges), sum(age) FROM {} GROUP BY region"
STATEMENTS: tuple[tuple[str, str, float | None], ...] = (
    ("all rows, without the token", "SELECT * EXCLUDE (mrn) FROM {}", 1.5),
    ("all rows, a token for each", "SELECT * FROM {}", None),
    ("average of a column", "SELECT avg(charges) FROM {}", 2.5),
    ("groups by a text", GROUPED, 2.5),
    ("average where", "SELECT avg(charges) FROM {} WHERE age = 40", 2.5),
    ("ten largest", "SELECT id, charges FROM {} ORDER BY charges DESC LIMIT 10", None),
)
BUDGET = 3_000
"""MB that sixteen statements and the server may take together."""
_PLAIN = "(SELECT * EXCLUDE (phone) FROM '{}' WHERE opted_out != 1)"


def run() -> Iterator[Figure]:
    """Measure."""
    files = ensure(CACHE)
    yield _gate()
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        home = Path(folder) / "state"
        with DevServer(home) as server:
            with Rest(server.addresses.rest, server.admin_token) as rest:
                small = partial(pq.write_table, generate())
                token = govern(rest, home / "lake", files.parquet, small)
            yield from _small(server, token)
            yield _together(server, token)
        with _here(home, server.admin_token) as (offered, caller):
            yield from _large(offered, caller, files.parquet)


def _gate() -> Figure:
    connection = engine.open_engine()
    texts = [
        text.format(LARGE, LARGE)
        for text in (
            *(s[1] for s in STATEMENTS),
            f"WITH a AS ({GROUPED}) SELECT * FROM a JOIN {{}} b ON a.region = b.region",
        )
    ]
    times: list[float] = []
    for turn in range(60):
        for text in texts:
            start = time.perf_counter()
            gate.read(connection, text, None)
            if turn >= 10:
                times.append((time.perf_counter() - start) * 1e3)
    return Figure(
        "gate, p50", median(times), "ms", 2, note=f"p99 {quantiles(times, n=100)[98]:.2f}"
    )


def _connect(server: DevServer, token: str) -> flight_sql.Connection:
    options = {
        DatabaseOptions.AUTHORIZATION_HEADER.value: f"Bearer {token}",
        DatabaseOptions.TLS_ROOT_CERTS.value: Path(server.addresses.ca).read_text(),
    }
    return flight_sql.connect(server.addresses.flight, db_kwargs=options, autocommit=True)


def _small(server: DevServer, token: str) -> Iterator[Figure]:
    text = GROUPED.format(SMALL)
    with _connect(server, token) as connection, connection.cursor() as cursor:

        def ask() -> None:
            cursor.execute(text)
            cursor.fetch_arrow_table()

        times = _timed(ask, SMALL_ROUNDS)
    note = f"p90 {quantiles(times, n=100)[89]:.1f}; 1,338 rows, prepared by the driver each time"
    yield Figure(
        "a small SELECT through Flight SQL and TLS, p50", median(times), "ms", 25, note=note
    )


def _timed(ask: Callable[[], object], rounds: int) -> list[float]:
    times: list[float] = []
    for turn in range(rounds + 10):
        start = time.perf_counter()
        ask()
        if turn >= 10:
            times.append((time.perf_counter() - start) * 1e3)
        # As people ask: not all at once. The bound is for latency, not for throughput.
        time.sleep(0.03)
    return times


def _together(server: DevServer, token: str) -> Figure:
    """Memory of the server and all of its sandboxes while many ask at once."""
    process = server_process(server)
    peak = 0.0

    def ask() -> int:
        with _connect(server, token) as connection, connection.cursor() as cursor:
            cursor.execute(GROUPED.format(LARGE))
            return cursor.fetch_arrow_table().num_rows

    with ThreadPoolExecutor(ASKERS) as pool:
        asked = [pool.submit(ask) for _ in range(ASKERS)]
        while not all(a.done() for a in asked):
            peak = max(peak, _shared_out(process))
            time.sleep(0.1)
        assert all(a.result() == 4 for a in asked)
    note = f"{ASKERS} statements over 5,000,000 rows at once"
    return Figure("memory of server and sandboxes, peak", peak / 2**20, "MB", BUDGET, note=note)


def _shared_out(process: psutil.Process) -> float:
    total = 0
    for one in (process, *process.children(recursive=True)):
        try:
            total += one.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return total


@contextmanager
def _here(home: Path, admin_token: str) -> Iterator[tuple[Services, Caller]]:
    """The same state in this process, without doors."""
    with services(dev_settings(home)) as offered:
        admin = Caller(BearerToken(admin_token), "bench")
        groups = ["general_analyst_group"]
        token = offered.sessions.issue(admin, "demo_user2", groups, None).token
        yield offered, Caller(BearerToken(token), "bench")


def _large(offered: Services, caller: Caller, file: Path) -> Iterator[Figure]:
    raw = duckdb.connect()
    plain = _PLAIN.format(file)

    def ours(text: str) -> int:
        stream = offered.queries.open(caller, QueryRequest(text.format(LARGE)))
        return sum(batch.num_rows for batch in stream)

    def theirs(text: str) -> int:
        return sum(b.num_rows for b in raw.sql(text.format(plain)).to_arrow_reader(32_768))

    for label, text, bound in STATEMENTS:
        assert ours(text) == theirs(text)
        contenders = {"ours": lambda t=text: ours(t), "theirs": lambda t=text: theirs(t)}
        seconds = interleave(contenders, ROUNDS)
        spent = f"{median(seconds['ours']):.2f} s against {median(seconds['theirs']):.2f} s"
        share = ratio(seconds["ours"], seconds["theirs"])
        yield Figure(f"{label} / DuckDB on the raw file", share, bound=bound, note=spent)

    def first() -> None:
        with offered.queries.open(caller, QueryRequest(f"SELECT * FROM {LARGE}")) as stream:
            next(stream.begin())

    times = _timed(lambda: ours("SELECT * FROM {} WHERE id = 2500000"), 40)
    yield Figure("a row of 5,000,000 by a clustered column, p50", median(times), "ms", 30)
    yield Figure("first batch of all rows, p50", median(_timed(first, 20)), "ms", 150)


if __name__ == "__main__":
    for figure in run():
        print(figure)
