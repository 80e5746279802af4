"""Files that hold what no cell can be: a crawl says so of their dataset, and goes on."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from privet.classifier import BUILTIN_RULES, ColumnSample, classify
from privet.connector import Connectors
from privet.crawler import crawl
from privet.model.crawling.crawls import FoundDataset
from privet.model.datasets import Rule, RuleTarget
from privet.model.names import TagName

PHONES = [b"(555) 123-4567"] * 20
ANYTHING = Rule("any", TagName("a", "b"), "(?s).*", frozenset({RuleTarget.CELL_CONTENT}), 1.0, 1)


def text(*cells: bytes | None) -> pa.Array:
    """Text as a file can hold it, UTF-8 or not."""
    whole = pa.array(cells, pa.binary())
    return pa.Array.from_buffers(pa.string(), len(cells), whole.buffers())


def dates(*days: int | None) -> pa.Array:
    """Dates of any year."""
    return pa.array(days, pa.int32()).cast(pa.date32())


ODD: dict[str, pa.Array] = {
    "text": text(*PHONES, b"\xff\xfe", None, b"a\xc3"),
    "text alone": text(b"\xff"),
    "dates": dates(2**31 - 1, 0, None, -(2**31), -800_000),
    "lists": pa.ListArray.from_arrays([0, 2, 3], text(*PHONES[:2], b"\xff")),
    "structs": pa.StructArray.from_arrays(
        [text(b"\xff", *PHONES), dates(2**31 - 1, *[0] * 20)], ["contact", "day"]
    ),
    "maps": pa.MapArray.from_arrays([0, 1, 2], text(b"\xff", b"k"), dates(2**31 - 1, 7)),
    "dictionary": text(b"\xff", b"a", b"a").dictionary_encode(),
    "large": text(b"\xff", b"a").cast(pa.large_binary()).view(pa.large_string()),
    "nanoseconds": pa.array([2**63 - 1, -(2**63), 0]).cast(pa.timestamp("ns")),
    "far seconds": pa.array([2**62, -(2**62)]).cast(pa.timestamp("ms")),
    "times": pa.array([2**40, -5]).cast(pa.time64("us")),
    "wide": pa.array([Decimal(10) ** 66], pa.decimal256(76, 9)),
}


def found_at(folder: Path, *rules: Rule) -> dict[str, FoundDataset]:
    """What a crawl finds."""
    return {f.name: f for f in crawl(Connectors([folder]), str(folder), rules or BUILTIN_RULES)}


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize("rules", [BUILTIN_RULES, (ANYTHING,)], ids=["built in", "any"])
def test_one_odd_file_is_no_end_of_a_crawl(
    tmp_path: Path, kind: str, rules: tuple[Rule, ...]
) -> None:
    """Its dataset is found as well, and those beside it as ever."""
    for name in ("a", "z"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "f.csv").write_text("id,phone\n1,555-123-4567\n")
    (tmp_path / "odd").mkdir()
    pq.write_table(pa.table({"odd": ODD[kind]}), tmp_path / "odd" / "f.parquet")
    found = found_at(tmp_path, *rules)
    assert list(found) == ["a", "odd", "z"]
    assert [f.problem for f in found.values()] == ["", "", ""]
    assert [c.name for c in found["odd"].columns] == ["odd"]


def evidence(cells: pa.Array, rule: Rule | None = None) -> list[tuple[str, int, int]]:
    """Tags by content, with cells sampled and matched."""
    rules = [rule] if rule else [r for r in BUILTIN_RULES if RuleTarget.CELL_CONTENT in r.targets]
    found = classify([ColumnSample("x", "", cells.type, cells)], rules)
    seen: list[Any] = [(str(tag.tag), tag.evidence) for tag in found]
    return [(tag, e.sampled, e.matched) for tag, e in seen]


def test_cells_that_cannot_be_read_match_nothing() -> None:
    """They count among those that were sampled, so that a column of them is not taken for one."""
    assert evidence(text(*PHONES, b"\xff")) == [("phi.phone_number", 21, 20)]
    assert evidence(text(*PHONES, *[b"\xff"] * 30)) == []
    assert evidence(text(b"\xff"), ANYTHING) == []
    assert evidence(dates(2**31 - 1, 0), ANYTHING) == []
    assert evidence(dates(0, None), ANYTHING) == [("a.b", 1, 1)]
