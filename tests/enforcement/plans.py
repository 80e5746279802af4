"""Plans made the only way there is: facts, a decision, `enforce`; and what filters say of rows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from privet.enforcement import EnforcedPlan, enforce, passing_rows
from privet.model.datasets import Column, Dataset, FieldTag, Format, Source
from privet.model.decisions import Decision, Facts
from privet.model.expressions import Expr, IsNull, Not
from privet.model.names import DatasetName, TagName
from privet.model.principals import Principal
from privet.model.requests import ScanRequest
from privet.policy import Grant, decide, parse, parse_filter

NAME = DatasetName("db", "t")
NOW = datetime(2026, 3, 1, tzinfo=UTC)
ROLE = "analyst"


def derive(*labels: str, length: int = 32) -> bytes:
    """Keys of tests."""
    framed = b"".join(len(x.encode()).to_bytes(4, "big") + x.encode() for x in labels)
    return hashlib.shake_256(framed).digest(length)


def column(name: str, kind: pa.DataType, *tags: str, partition: bool = False) -> Column:
    """A reviewed column whose name is also the source's."""
    held = tuple(FieldTag((name,), TagName.parse(tag)) for tag in tags)
    return Column(name, kind, name, partition=partition, field_tags=held)


def dataset(
    *columns: Column,
    uri: str = "file:///lake/t",
    kind: Format = Format.CSV,
    options: Mapping[str, Any] | None = None,
) -> Dataset:
    """A dataset; its partitions are the columns that say so."""
    partitions = tuple(c.source_name for c in columns if c.partition)
    return Dataset("id-1", NAME, Source(uri, kind, options or {}, partitions), columns)


def decision(data: Dataset, *grants: str) -> Decision:
    """What an analyst gets by grants written without `TO ROLE`; an administrator without any."""
    if not grants:
        return decide(Principal("root", admin=True), Facts(1, NAME, data), NOW)
    permissions = tuple(_permission(f"{grant} TO ROLE {ROLE}") for grant in grants)
    facts = Facts(1, NAME, data, frozenset({ROLE}), permissions)
    return decide(Principal("ada"), facts, NOW)


def _permission(statement: str) -> Any:
    parsed = parse(statement)
    assert isinstance(parsed, Grant)
    return parsed.permission


def plan(
    data: Dataset,
    *grants: str,
    columns: tuple[str, ...] | None = None,
    limit: int | None = None,
) -> EnforcedPlan:
    """A plan by grants; whole and in the clear without any."""
    return enforce(decision(data, *grants), ScanRequest(NAME, columns, limit), derive)


def where(data: Dataset, filter_: str, **options: Any) -> EnforcedPlan:
    """A plan that shows the rows of one filter."""
    return plan(data, f"GRANT SELECT ON TABLE db.t WHERE {filter_}", **options)


def outcomes(filter_: str | Expr, columns: Mapping[str, pa.Array], rows: int) -> str:
    """Per row `T`, `F`, `N` for NULL, or `!` where a part failed.

    Told apart by asking for the filter, its negation and `IS NULL` of it: a row that fails is
    under none of them.
    """
    expr = parse_filter(filter_) if isinstance(filter_, str) else filter_
    said = [
        passing_rows(asked, columns, rows).tolist() for asked in (expr, Not(expr), IsNull(expr))
    ]
    letters: list[str] = []
    for answers in zip(*said, strict=True):
        assert sum(answers) <= 1, "a row is under more than one of TRUE, FALSE and NULL"
        letters.append("TFN"[answers.index(True)] if any(answers) else "!")
    return "".join(letters)
