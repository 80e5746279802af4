"""How long one decision takes, by how much of the facts was seen before."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa

from benchmarks.measure import Figure
from privet.model.datasets import Column, Dataset, FieldTag, Format, Source
from privet.model.decisions import Facts
from privet.model.names import DatasetName, TagName
from privet.model.permissions import Permission
from privet.model.principals import Principal
from privet.policy import Grant, decide, parse

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NAME = DatasetName("medical_charges", "medical_costs")
READER = Principal("demo_user2", frozenset({"general_analyst_group"}))
PERMISSIONS, MATCHING, ROUNDS, BUDGET = 1_000, 20, 300, 200.0


def dataset() -> Dataset:
    """Twelve columns, two of them tagged."""
    tags = {"mrn": TagName("phi", "mrn"), "phone": TagName("phi", "phone_number")}
    names = (
        "id",
        "mrn",
        "phone",
        "age",
        "sex",
        "bmi",
        "children",
        "smoker",
        "region",
        "charges",
        "opted_out",
        "note",
    )
    kinds = {"age": pa.int64(), "opted_out": pa.int64(), "bmi": pa.float64()}
    columns = tuple(
        Column(
            n,
            kinds.get(n, pa.string()),
            n,
            field_tags=(FieldTag((n,), tags[n]),) if n in tags else (),
        )
        for n in names
    )
    return Dataset("d1", NAME, Source("file:///d", Format.CSV), columns)


def permissions() -> tuple[Permission, ...]:
    """A thousand of the reader's, of which twenty cover the dataset, some by `user()`."""
    found: list[Permission] = []
    for number in range(PERMISSIONS):
        matching = number % (PERMISSIONS // MATCHING) == 0
        scope = "DATABASE medical_charges" if matching else f"TABLE other_{number % 40}.t{number}"
        where = f"opted_out != {number % 7}" if number % 100 else f"user() != 'u{number}'"
        text = (
            f"GRANT SELECT ON {scope} HAVING ATTRIBUTE NOT IN (phi.phone_number) "
            f"TRANSFORM phi.mrn WITH tokenize() WHERE {where} TO ROLE role_{number % 5}"
        )
        statement = parse(text)
        assert isinstance(statement, Grant)
        found.append(replace(statement.permission, id=f"p{number}"))
    return tuple(found)


def measure(prepare: Callable[[], Facts]) -> float:
    """The median time of a decision over fresh results of `prepare`, in microseconds."""
    times: list[float] = []
    for _ in range(ROUNDS):
        facts = prepare()
        begin = time.perf_counter()
        decision = decide(READER, facts, NOW)
        times.append((time.perf_counter() - begin) * 1e6)
        assert len(decision.permissions) == MATCHING
    return statistics.median(times)


def run() -> Iterator[Figure]:
    """Measure."""
    table, granted = dataset(), permissions()
    facts = Facts(1, NAME, table, frozenset(f"role_{n}" for n in range(5)), granted)
    note = f"{PERMISSIONS:,} permissions, {MATCHING} cover the dataset, 12 columns"
    usual = measure(lambda: facts)
    yield Figure("facts as before, p50", usual, "us", BUDGET, note=note)
    cases: dict[str, Callable[[], Facts]] = {
        "a new list of the same permissions": lambda: replace(
            facts, permissions=tuple(iter(granted))
        ),
        "a new revision of the dataset": lambda: replace(
            facts, dataset=replace(table), permissions=tuple(iter(granted))
        ),
        "all facts new": lambda: replace(
            facts,
            dataset=replace(table),
            permissions=tuple(replace(p) for p in granted),
        ),
    }
    for name, prepare in cases.items():
        yield Figure(f"{name}, p50", measure(prepare), "us")
