"""Governed scans of 5 million rows, against pandas reading the same file without any token.

Both drop the phone and keep the rows that did not opt out; Privet also decides, filters exactly,
tokenizes a unique record number and rebuilds every buffer. Rounds alternate; ratios are paired.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import pandas as pd
import pyarrow as pa

from benchmarks.data import ensure
from benchmarks.measure import Figure, interleave, ratio, serially
from privet.connector import Connectors
from privet.crawler import crawl
from privet.enforcement import enforce
from privet.keys import KeyRing
from privet.model.datasets import CanonicalType, Dataset, FieldTag, TokenDomain
from privet.model.decisions import Facts
from privet.model.names import DatasetName, TagName
from privet.model.principals import Principal
from privet.model.requests import ScanRequest
from privet.policy import Grant, decide, parse
from privet.scan import Engine
from privet.scan import run as run_plan

ROUNDS = 5
CACHE = Path.home() / ".cache" / "privet-bench"
_NAME = DatasetName("medical_charges", "medical_costs")
_POLICY = (
    "GRANT SELECT ON DATABASE medical_charges HAVING ATTRIBUTE NOT IN (phi.phone_number) "
    "TRANSFORM phi.mrn WITH {function}() WHERE opted_out != 1 TO ROLE analyst"
)
_TAGS = {"mrn": TagName("phi", "mrn"), "phone": TagName("phi", "phone_number")}


class _FixedKey:
    def master(self) -> bytes:
        return bytes(range(32))


def dataset_of(file: Path, connectors: Connectors) -> Dataset:
    """The dataset that a crawl finds at a file, tagged and admitted to the domain of its mrn."""
    (found,) = crawl(connectors, f"file://{file.parent}", ())
    columns = tuple(
        c
        if c.name not in _TAGS
        else type(c)(
            c.name, c.type, c.source_name, field_tags=(FieldTag((c.name,), _TAGS[c.name]),)
        )
        for c in found.columns
    )
    domain = TokenDomain("phi.mrn", CanonicalType.TEXT)
    return Dataset("bench", _NAME, found.source, columns, domains={domain.name: domain})


def governed(dataset: Dataset, engine: Engine, function: str) -> Callable[[], int]:
    """A scan to Arrow, from the decision on."""
    statement = parse(_POLICY.format(function=function))
    assert isinstance(statement, Grant)
    principal = Principal("demo_user2", frozenset({"general_analyst_group"}))
    facts = Facts(1, _NAME, dataset, frozenset({"analyst"}), (statement.permission,))
    derive = KeyRing(_FixedKey()).derive

    def scan() -> int:
        decision = decide(principal, facts, datetime.now(UTC))
        plan = enforce(decision, ScanRequest(_NAME), derive)
        stream = run_plan(plan, engine, lambda _: None, check=lambda: None)
        return pa.Table.from_batches(list(stream), stream.schema).num_rows

    return scan


def local(read: Callable[[Path], pd.DataFrame], file: Path) -> Callable[[], int]:
    """What an analyst with the raw file would do."""

    def work() -> int:
        frame = read(file).drop(columns=["phone"])
        return len(frame[frame.opted_out != 1])

    return work


def run() -> Iterator[Figure]:
    """Measure."""
    files = ensure(CACHE)
    connectors = Connectors([CACHE])
    engine = Engine(connectors)
    try:
        for label, file, read, function, bound in (
            ("CSV, tokenize", files.csv, pd.read_csv, "tokenize", 0.75),
            ("Parquet, tokenize", files.parquet, pd.read_parquet, "tokenize", 0.50),
            ("Parquet, opaque token", files.parquet, pd.read_parquet, "nfp_ref_tokenize", 0.30),
        ):
            ours = governed(dataset_of(file, connectors), engine, function)
            theirs = local(read, file)
            assert ours() == theirs()
            contenders = {"ours": ours, "theirs": theirs, "serial": serially(theirs)}
            seconds = interleave(contenders, ROUNDS)
            spent = f"{median(seconds['ours']):.2f} s against {median(seconds['theirs']):.2f} s"
            share = ratio(seconds["ours"], seconds["theirs"])
            yield Figure(f"{label} / pandas without a token", share, bound=bound, note=spent)
            yield Figure("  / pandas on one thread", ratio(seconds["ours"], seconds["serial"]))
    finally:
        engine.close()
