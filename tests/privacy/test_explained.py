"""The page on what transforms protect against: each of its examples is what the functions give."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import date
from itertools import count
from pathlib import Path

import pyarrow as pa
import pytest
from token_reference import derive

from privet.model.datasets import CanonicalType, parse_type
from privet.model.transforms import SPECS, specs_of, steps
from privet.policy import parse_transform
from privet.privacy import Circumstances, KeyScope, bind
from privet.service.domains.cells import read_cells, write_cells

PAGE = Path(__file__).parents[2] / "docs" / "transforms-explained.md"
_TABLE = re.compile(
    r"^\| (?P<type>[a-z0-9]+(?:[(\[].*?[)\]])?) \| (?P<call>\w+\(.*\)) \|\n\| --- \| --- \|\n"
    r"(?P<rows>(?:\|.*\|\n)+)",
    re.MULTILINE,
)
_SCOPE = KeyScope("example", 1, CanonicalType.TEXT, dataset_id="")
_OF_A_DATASET = KeyScope("example", 1, CanonicalType.TEXT, dataset_id="d1")
_TODAY = date(2026, 7, 1)


def examples() -> Iterator[tuple[str, str, list[tuple[str, str]]]]:
    """Type, transform, and rows of value and result."""
    for table in _TABLE.finditer(PAGE.read_text("utf-8")):
        rows = [line.strip("| ").split(" | ") for line in table["rows"].splitlines()]
        yield table["type"], table["call"], [(row[0].strip(), row[1].strip()) for row in rows]


def given(kind: str, written: str, values: list[str]) -> list[str]:
    """What a transform gives, as it stands on the page."""
    drawn = count()
    call = parse_transform(written)
    column: pa.Array = read_cells(values, parse_type(kind))
    for step, spec in zip(steps(call), specs_of(call), strict=True):
        scope = _OF_A_DATASET if spec.per_table else _SCOPE
        chance = Circumstances(
            lambda size: hashlib.shake_256(str(next(drawn)).encode()).digest(size), _TODAY
        )
        column = bind(step, column.type, scope, derive, chance)(column)
    return ["NULL" if cell is None else cell or "(empty)" for cell in write_cells(column)]


@pytest.mark.parametrize(("kind", "call", "rows"), [*examples()])
def test_examples(kind: str, call: str, rows: list[tuple[str, str]]) -> None:
    """Each row is what the function gives under the key of the vectors."""
    assert given(kind, call, [value for value, _ in rows]) == [made for _, made in rows]


def test_every_transform_has_one() -> None:
    """No transform without an example, and none without a line in the overview."""
    shown = {spec.name for _, call, _ in examples() for spec in specs_of(parse_transform(call))}
    assert shown == {spec.name for spec in SPECS}
    text = PAGE.read_text("utf-8")
    assert all(f"`{spec.name}`" in text for spec in SPECS)


def test_what_the_words_say() -> None:
    """Where the page points at equal or different rows, they are."""
    by_call = {call: [made for _, made in rows] for _, call, rows in reversed([*examples()])}
    assert by_call["tokenize()"][0] == by_call["tokenize()"][2] != by_call["tokenize()"][1]
    most = by_call["nfp_ref_tokenize()"]
    assert most.count(most[0]) == 3
    for call in ("fp_random()", "nfp_random()"):
        assert len(set(by_call[call])) == 2
    (joined,) = {*by_call["nfp_ref_tokenize(lower(__COLUMN__))"]}
    assert len(joined) == 32
