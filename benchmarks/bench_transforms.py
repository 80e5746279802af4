"""Transforms: values per second of one core, beside HMAC per value in the same run.

Rates count the CPU time of the calling thread, so that other work on the machine does not count
against them; ratios compare each round with the HMAC of that round.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from statistics import median

import numpy as np
import pyarrow as pa

from benchmarks.measure import Figure, ratio
from privet.keys import KeyRing
from privet.model.datasets import CanonicalType
from privet.model.expressions import Call, ColumnSlot
from privet.privacy import Kernel, KeyScope, bind

ROWS = 1 << 18
BATCH = 1 << 16
ROUNDS = 7
TOKENIZE, OPAQUE = "tokenize, mrn", "nfp_ref_tokenize, mrn"
HMAC = "hmac per value, mrn"
AIMS = {TOKENIZE: 3.0, OPAQUE: 20.0}
"""Million values per second and core."""
UNIT = "M/s"


class FixedKeys:
    """A master key for measuring."""

    def master(self) -> bytes:
        return bytes(range(32))


def run() -> Iterator[Figure]:
    """Measure rates on one core, ratios to HMAC, and two threads on two cores."""
    data = columns()
    kernels = {
        f"{name}, {label}": (make(name, column.type), column)
        for name in ("tokenize", "nfp_ref_tokenize", "sha2", "mask")
        for label, column in data.items()
    }
    values = [text.encode() for text in data["mrn"].to_pylist()]
    key = bytes(32)
    work: dict[str, Callable[[], object]] = {
        HMAC: lambda: [hmac.digest(key, value, "sha256") for value in values]
    }
    for name, (kernel, column) in kernels.items():
        work[name] = _batched(kernel, column)
    seconds = cpu_seconds(work)
    for name, taken in seconds.items():
        times = ratio(seconds[HMAC], taken)
        rate = ROWS / median(taken) / 1e6
        yield Figure(name, rate, UNIT, AIMS.get(name), at_least=True, note=f"{times:.1f} x hmac")
    for name in AIMS:
        yield Figure(f"{name}, two threads", on_two_threads(*kernels[name]), UNIT, note="wall")


def columns() -> Mapping[str, pa.Array]:
    """Columns of one length each: unique, slightly dirty, of two and of many formats."""
    choose = np.random.default_rng(1)
    numbers = choose.choice(10**8, ROWS, replace=False)
    mrn = [f"MRN{n:08}" for n in numbers.tolist()]
    phones = [
        f"({n % 1000:03}) 555-{n % 10000:04}" if n % 2 else f"+1 {n % 1000:03} 555 {n % 10000:04}"
        for n in numbers.tolist()
    ]
    return {
        "mrn": pa.array(mrn),
        "mrn with some odd and NULL": pa.array(
            [x if i % 1000 else (None if i % 2000 else "UNKNOWN?") for i, x in enumerate(mrn)]
        ),
        "phone of two formats": pa.array(phones),
        "e-mail of many formats": pa.array(
            [f"{_name(n)}.{_name(n // 7)}@example{n % 9}.org" for n in numbers.tolist()]
        ),
        "code of 50 values": pa.array([f"S{n % 50}" for n in numbers.tolist()]),
        "int64": pa.array(numbers),
    }


def make(name: str, kind: pa.DataType) -> Kernel:
    """The kernel of a transform without arguments."""
    canonical = CanonicalType.INT64 if pa.types.is_integer(kind) else CanonicalType.TEXT
    derive = KeyRing(FixedKeys()).derive
    return bind(Call(name, (ColumnSlot(),)), kind, KeyScope("phi.mrn", 1, canonical), derive)


def cpu_seconds(work: Mapping[str, Callable[[], object]]) -> dict[str, list[float]]:
    """CPU seconds of this thread, by contender and round; all take turns."""
    seconds: dict[str, list[float]] = {name: [] for name in work}
    for call in work.values():
        call()
    for _ in range(ROUNDS):
        for name, call in work.items():
            start = time.thread_time()
            call()
            seconds[name].append(time.thread_time() - start)
    return seconds


def on_two_threads(kernel: Kernel, column: pa.Array) -> float:
    """Million values per second of wall time, two threads on the batches of a column."""
    batches = _batches(column)
    taken: list[float] = []
    with ThreadPoolExecutor(2) as pool:
        for _ in range(ROUNDS):
            start = time.perf_counter()
            list(pool.map(kernel, batches))
            taken.append(time.perf_counter() - start)
    return len(column) / median(taken) / 1e6


def _batched(kernel: Kernel, column: pa.Array) -> Callable[[], object]:
    batches = _batches(column)
    return lambda: [kernel(batch) for batch in batches]


def _batches(column: pa.Array) -> list[pa.Array]:
    return [column.slice(at, BATCH) for at in range(0, len(column), BATCH)]


def _name(n: int) -> str:
    return "".join(chr(97 + n // 23**i % 23) for i in range(3 + n % 7))


def main() -> None:
    """Print what is measured."""
    for figure in run():
        bound = "" if figure.bound is None else f"aim {figure.bound:g}"
        print(f"{figure.name:45} {figure.value:9.2f} {figure.unit}  {bound:8} {figure.note}")


if __name__ == "__main__":
    main()
