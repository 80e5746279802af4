"""A hint spares work and never a row: whatever the filter shows, the hint lets through."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enforcement.plans import column, dataset, plan, where
from privet.enforcement import passing_rows
from privet.enforcement.hints import as_arrow, source_condition
from privet.model.expressions import (
    And,
    ColumnRef,
    Compare,
    CompareOp,
    Expr,
    In,
    IsNull,
    Literal,
    Not,
    Or,
)
from privet.policy import filter_sql

KINDS: dict[str, tuple[pa.DataType, st.SearchStrategy[Any]]] = {
    "i8": (pa.int8(), st.integers(-128, 127)),
    "i64": (pa.int64(), st.sampled_from([-(2**63), -1, 0, 1, 127, 128, 2**63 - 1])),
    "u8": (pa.uint8(), st.integers(0, 255)),
    "u64": (pa.uint64(), st.sampled_from([0, 1, 2**63 - 1, 2**63, 2**64 - 1])),
    "t": (pa.string(), st.sampled_from(["", "a", "B", "ä", "1", "01", "x" * 40])),
    "b": (pa.bool_(), st.booleans()),
    "f": (pa.float64(), st.sampled_from([0.0, -0.0, 1.5, float("nan"), float("inf")])),
    "d": (pa.date32(), st.dates(date(1, 1, 1), date(9999, 12, 31))),
    "s": (pa.large_string(), st.sampled_from(["", "a", "b"])),
}
PARTITIONS = ("i64", "t")
LITERALS = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([-(2**63), -129, -1, 0, 1, 127, 128, 255, 256, 2**63 - 1]),
    st.sampled_from(["", "a", "B", "ä", "1", "1.0", "x" * 40]),
)


def _fitting(name: str) -> st.SearchStrategy[Any]:
    if name == "b":
        return st.one_of(st.none(), st.booleans())
    if name in ("t", "s"):
        return LITERALS.filter(lambda v: not isinstance(v, bool))
    if name == "d":
        return st.one_of(st.none(), st.dates())
    return LITERALS.filter(lambda v: not isinstance(v, bool))


@st.composite
def leaves(draw: st.DrawFn) -> Expr:
    """A test of one column against literals, either way around."""
    name = draw(st.sampled_from(list(KINDS)))
    literals = _fitting(name)
    match draw(st.sampled_from(["compare", "mirrored", "in", "null"])):
        case "compare":
            op = draw(st.sampled_from(list(CompareOp)))
            return Compare(op, ColumnRef(name), Literal(draw(literals)))
        case "mirrored":
            op = draw(st.sampled_from(list(CompareOp)))
            return Compare(op, Literal(draw(literals)), ColumnRef(name))
        case "in":
            options = draw(st.lists(literals, min_size=1, max_size=3))
            return In(ColumnRef(name), tuple(map(Literal, options)))
        case _:
            return IsNull(ColumnRef(name))


FILTERS = st.recursive(
    leaves(),
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: And(tuple(parts))),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: Or(tuple(parts))),
    ),
    max_leaves=5,
)


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    """A few rows of every kind, NULLs among them."""
    rows = draw(st.integers(1, 6))
    cells = {
        name: pa.array(draw(st.lists(st.none() | values, min_size=rows, max_size=rows)), kind)
        for name, (kind, values) in KINDS.items()
    }
    return pa.table(cells)


DATA = dataset(*(column(name, kind) for name, (kind, _) in KINDS.items()))


@given(st.lists(FILTERS, min_size=1, max_size=2), tables())
@settings(deadline=None, max_examples=150)
def test_hints_let_every_visible_row_through(filters: list[Expr], table: pa.Table) -> None:
    """Arrow, filtering by the hint, leaves out no row that any of the filters shows."""
    hint = as_arrow(source_condition(tuple(filters), DATA), DATA)
    if hint is None:
        return
    columns = {name: table[name].combine_chunks() for name in table.column_names}
    numbered = table.append_column("row", pa.array(range(table.num_rows)))
    delivered = set(numbered.filter(hint)["row"].to_pylist())
    for one in filters:
        visible = passing_rows(one, columns, table.num_rows).nonzero()[0]
        assert set(visible.tolist()) <= delivered, filter_sql(one)


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        ("i64 = 5", "i64 == 5"),
        ("5 < i64", "i64 > 5"),
        ("i8 >= 3 AND f > 1", "i8 >= 3"),
        ("t IN ('a', 'b')", 't == "a"'),
        ("b = TRUE", "b == true"),
        ("i64 = 1 OR t = 'x'", "or"),
    ],
)
def test_what_hints_say(filter_: str, expected: str) -> None:
    """Plain comparisons are passed on; parts that engines see differently are dropped."""
    hint = where(DATA, filter_).hint
    assert hint is not None
    assert expected in str(hint)


@pytest.mark.parametrize(
    "filter_",
    [
        "f > 1",
        "NOT (i64 = 1 AND t = 'x')",
        "i64 = 1 OR f > 1",
        "t = 1",
        "i8 = 300",
        "d = DATE '2024-01-01'",
        "i64 + 1 = 2",
        "i64 = u64",
        "lower(t) = 'a'",
        "i64 IS NULL",
        "i64 IN (1, i8)",
        "CASE WHEN b THEN TRUE ELSE FALSE END",
        "s = 'a'",
    ],
)
def test_where_there_is_no_hint(filter_: str) -> None:
    """Whatever is not plain reads everything, and the exact filter decides."""
    assert where(DATA, filter_).hint is None


def test_whole_datasets_have_no_hint() -> None:
    """A permission without WHERE beside one with it widens the hint to everything."""
    assert plan(DATA).hint is None
    grants = ("GRANT SELECT ON TABLE db.t WHERE i64 = 1", "GRANT SELECT ON DATABASE db")
    assert plan(DATA, *grants).hint is None
    both = ("GRANT SELECT ON TABLE db.t WHERE i64 = 1", "GRANT SELECT ON TABLE db.t WHERE i8 = 2")
    assert "i8" in str(plan(DATA, *both).hint)


def test_hints_speak_the_sources_names() -> None:
    """The catalog folds names; statistics and partitions are under the source's own."""
    renamed = dataset(replace(column("k", pa.int64()), source_name="K ey"))
    assert "K ey" in str(where(renamed, "k = 1").hint)
