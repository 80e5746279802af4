"""Transforms: values per second of one core, beside HMAC per value in the same run.

Rates count the CPU time of the calling thread, so that other work on the machine does not count
against them; ratios compare each round with the HMAC of that round.
"""

from __future__ import annotations

import hmac
import time
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from statistics import median

import numpy as np
import pyarrow as pa

from benchmarks.measure import Figure, ratio
from privet.enforcement import EnforcedPlan, enforce
from privet.keys import KeyRing
from privet.model.datasets import (
    CanonicalType,
    Column,
    Dataset,
    FieldTag,
    Format,
    Source,
    TokenDomain,
)
from privet.model.decisions import Facts
from privet.model.expressions import Call, ColumnSlot
from privet.model.names import DatasetName, TagName
from privet.model.principals import Principal
from privet.model.requests import ScanRequest
from privet.policy import Grant, decide, parse
from privet.privacy import Kernel, KeyScope, bind

ROWS = 1 << 18
BATCH = 1 << 16
ROUNDS = 7
TOKENIZE, OPAQUE = "tokenize, mrn", "nfp_ref_tokenize, mrn"
HMAC = "hmac per value, mrn"
AIMS = {TOKENIZE: 5.0, OPAQUE: 35.0}
"""How many times the rate of HMAC per value, on one core."""
MOST_MEMORY, MOST_IN_SCAN = 3.0, 1.10
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
        yield Figure(name, rate, UNIT, note=f"{times:.1f} x hmac")
    for name, aim in AIMS.items():
        times = ratio(seconds[HMAC], seconds[name])
        yield Figure(f"{name} / hmac per value", times, bound=aim, at_least=True)
    for name in AIMS:
        yield Figure(f"{name}, two threads", on_two_threads(*kernels[name]), UNIT, note="wall")
    yield from in_scans(data)
    yield from of_dictionaries(data["code of 50 values"])


def in_scans(data: Mapping[str, pa.Array]) -> Iterator[Figure]:
    """What a plan takes for a tokenized column beside the bare kernel, and what memory."""
    batch = pa.record_batch(
        {
            "mrn": data["mrn"].slice(0, BATCH),
            "name": data["e-mail of many formats"].slice(0, BATCH),
            "charges": pa.array(np.arange(BATCH, dtype=np.float64)),
            "age": pa.array(np.arange(BATCH, dtype=np.int64) % 90),
        }
    )
    alone = batch.select(["mrn"])
    for name in ("tokenize", "nfp_ref_tokenize"):
        plan, kernel = plan_of(name, alone.schema), make(name, pa.string())
        work: dict[str, Callable[[], object]] = {
            "kernel": lambda kernel=kernel: [kernel(alone.column(0)) for _ in range(4)],
            "plan": lambda plan=plan: [plan.apply(alone) for _ in range(4)],
        }
        seconds = cpu_seconds(work)
        share = ratio(seconds["plan"], seconds["kernel"])
        yield Figure(f"{name} in a scan / the bare kernel", share, bound=MOST_IN_SCAN)
        peak = peak_of(plan_of(name, batch.schema), batch) / batch.nbytes
        note = "at the most, with the answer"
        yield Figure(f"{name} in a scan, memory / batch", peak, bound=MOST_MEMORY, note=note)


def plan_of(name: str, schema: pa.Schema) -> EnforcedPlan:
    """The plan of somebody who sees all columns, `mrn` as tokens."""
    tag = TagName("phi", "mrn")
    columns = tuple(
        Column(f.name, f.type, f.name, field_tags=(FieldTag(("mrn",), tag),) * (f.name == "mrn"))
        for f in schema
    )
    domain, where = TokenDomain(str(tag), CanonicalType.TEXT), DatasetName("d", "t")
    source = Source("file:///t", Format.PARQUET)
    dataset = Dataset("bench", where, source, columns, domains={domain.name: domain})
    statement = parse(f"GRANT SELECT ON TABLE d.t TRANSFORM {tag} WITH {name}() TO ROLE r")
    assert isinstance(statement, Grant)
    facts = Facts(1, where, dataset, frozenset({"r"}), (statement.permission,))
    decision = decide(Principal("u", frozenset()), facts, datetime.now(UTC))
    return enforce(decision, ScanRequest(where), KeyRing(FixedKeys()).derive)


def peak_of(plan: EnforcedPlan, batch: pa.RecordBatch) -> int:
    """Bytes that were held at most while a batch was worked on, beside the batch."""
    plan.apply(batch)
    pool = pa.default_memory_pool()
    before = pool.bytes_allocated()
    tracemalloc.start()
    result = plan.apply(batch)
    peak = tracemalloc.get_traced_memory()[1] + max(pool.bytes_allocated() - before, 0)
    tracemalloc.stop()
    del result
    return peak


def of_dictionaries(column: pa.Array) -> Iterator[Figure]:
    """A dictionary of few values is transformed once a value."""
    encoded = column.dictionary_encode()
    for name in ("tokenize", "nfp_ref_tokenize", "sha2"):
        kernel = make(name, column.type)
        work: dict[str, Callable[[], object]] = {
            "plain": lambda kernel=kernel: kernel(column),
            "dictionary": lambda kernel=kernel: kernel(encoded),
        }
        seconds = cpu_seconds(work)
        share = ratio(seconds["dictionary"], seconds["plain"])
        yield Figure(f"{name}, a dictionary of 50 / plain", share, bound=1.0)


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
