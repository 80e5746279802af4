"""Governed scans through Flight and TLS: large, small, many at once, and one that is given up.

A server of its own in a second process; everything a client waits for is counted, authentication,
decision and the durable audit included.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median, quantiles

import pandas as pd
import psutil

import privet
from benchmarks.data import ensure
from benchmarks.measure import Figure, interleave, ratio, serially
from privet.client import Client
from privet.client.rest import Rest
from privet.demo.devserver import DevServer
from privet.demo.generate import generate, write_csv

CACHE = Path.home() / ".cache" / "privet-bench"
ROUNDS, SMALL_ROUNDS, CLIENTS = 5, 300, 8
LARGE, SMALL = "medical_charges.large", "medical_charges.small"
POLICY = (
    "GRANT SELECT ON DATABASE medical_charges HAVING ATTRIBUTE NOT IN (phi.phone_number) "
    "TRANSFORM phi.mrn WITH tokenize() WHERE opted_out != 1 TO ROLE healthcare_analyst_role"
)


def run() -> Iterator[Figure]:
    """Measure."""
    files = ensure(CACHE)
    with (
        tempfile.TemporaryDirectory(dir=CACHE) as folder,
        DevServer(Path(folder) / "state") as server,
        Rest(server.addresses.rest, server.admin_token) as rest,
    ):
        lake = Path(folder) / "state" / "lake"
        token = govern(rest, lake, files.csv, lambda small: write_csv(generate(), small))
        with privet.connect(server.addresses.flight, token=token, ca=server.addresses.ca) as client:
            yield from _large(client, files.csv)
            yield _small(client)
        yield _memory(server, token)
        yield _cancelled(server, rest, token)


def govern(rest: Rest, lake: Path, large: Path, write: Callable[[Path], object]) -> str:
    """Register a large and a small dataset under the policy of the acceptance flow.

    Args:
        rest: an administrator's.
        lake: an empty folder that the server may read.
        large: a file of the large dataset.
        write: writes the small one, of the same format.

    Returns:
        The token of somebody under that policy.
    """
    for name in ("large", "small"):
        (lake / name).mkdir()
    os.link(large, lake / "large" / large.name)
    write(lake / "small" / large.name)
    rest.post("/v1/tags", {"tag": "phi.mrn"})
    rule = {"name": "mrn", "tag": "phi.mrn", "pattern": "mrn", "targets": ["column_name"]}
    rest.post("/v1/rules", rule)
    rest.put("/v1/roles/healthcare_analyst_role/groups/general_analyst_group")
    rest.post("/v1/databases", {"name": "medical_charges"})
    rest.post("/v1/permissions", {"sql": POLICY})
    rest.post("/v1/crawls", {"name": "lake", "source": str(lake)})
    while rest.get("/v1/crawls/lake")["status"] == "running":
        time.sleep(0.1)
    for name in ("large", "small"):
        rest.post("/v1/crawls/lake/register", {"dataset": name, "database": "medical_charges"})
    asked = {"user": "demo_user2", "groups": ["general_analyst_group"]}
    return rest.post("/v1/tokens", asked)["token"]


def _large(client: Client, file: Path) -> Iterator[Figure]:
    def ours() -> int:
        return len(client.scan(LARGE, progress=False).to_pandas())

    def theirs() -> int:
        frame = pd.read_csv(file).drop(columns=["phone"])
        return len(frame[frame.opted_out != 1])

    assert ours() == theirs()
    seconds = interleave(
        {
            "ours": ours,
            "theirs": theirs,
            "serial": serially(theirs),
            "bare": lambda: pd.read_csv(file),
        },
        ROUNDS,
    )
    spent = f"{median(seconds['ours']):.2f} s against {median(seconds['theirs']):.2f} s"
    share = ratio(seconds["ours"], seconds["theirs"])
    yield Figure("CSV into pandas / the same work locally", share, bound=0.95, note=spent)
    share = ratio(seconds["ours"], seconds["serial"])
    yield Figure("  / the same with pandas on one thread", share)
    yield Figure("  / a bare read_csv", ratio(seconds["ours"], seconds["bare"]))


def _small(client: Client) -> Figure:
    times: list[float] = []
    for turn in range(SMALL_ROUNDS + 20):
        start = time.perf_counter()
        rows = client.scan(SMALL, progress=False).to_arrow().num_rows
        if turn >= 20:
            times.append((time.perf_counter() - start) * 1e3)
    cuts = quantiles(times, n=100)
    note = f"{rows} rows; p90 {cuts[89]:.1f}, p99 {cuts[98]:.1f}"
    return Figure("1,338 rows on an open connection, p50", median(times), "ms", 10, note=note)


def _memory(server: DevServer, token: str) -> Figure:
    """The peak of the server while eight clients read, one of them stalled after a batch."""
    process = server_process(server)
    peak = 0
    done = threading.Event()

    def read(stalled: bool) -> int:
        with (
            privet.connect(server.addresses.flight, token=token, ca=server.addresses.ca) as client,
            client.scan(LARGE, progress=False) as scan,
        ):
            rows = 0
            for batch in scan:
                rows += batch.num_rows
                if stalled:
                    done.wait()
                    return rows
            return rows

    with ThreadPoolExecutor(CLIENTS) as pool:
        stalled = pool.submit(read, True)
        working = [pool.submit(read, False) for _ in range(CLIENTS - 1)]
        while not all(w.done() for w in working):
            peak = max(peak, process.memory_info().rss)
            time.sleep(0.05)
        done.set()
        stalled.result()
        assert all(w.result() > 0 for w in working)
    note = f"{CLIENTS} clients, one stalled"
    return Figure("resident memory of the server, peak", peak / 2**20, "MB", 800, note=note)


def server_process(server: DevServer) -> psutil.Process:
    """The process that listens at the server's Flight port."""
    port = server.addresses.flight_port
    for connection in psutil.net_connections("tcp"):
        if connection.laddr and connection.laddr.port == port and connection.status == "LISTEN":
            return psutil.Process(connection.pid)
    raise RuntimeError("the server does not listen")


def _cancelled(server: DevServer, rest: Rest, token: str) -> Figure:
    """From giving up a scan until its end is on record, and the processor is idle after it."""
    process = server_process(server)
    with privet.connect(server.addresses.flight, token=token, ca=server.addresses.ca) as client:
        scan = client.scan(LARGE, progress=False)
        next(iter(scan))
        start = time.perf_counter()
        scan.cancel()
        while True:
            events = rest.items("/v1/audit", action="scan.end", limit=1)
            if events and events[0]["outcome"] == "cancelled" and events[0]["object"] == LARGE:
                break
            time.sleep(0.02)
        seconds = time.perf_counter() - start
    time.sleep(0.5)
    before = sum(process.cpu_times()[:2])
    time.sleep(1)
    after = f"{sum(process.cpu_times()[:2]) - before:.2f} s of processor in the next second"
    return Figure("a cancelled scan has ended after", seconds, "s", 1, note=after)


if __name__ == "__main__":
    for figure in run():
        print(figure)
