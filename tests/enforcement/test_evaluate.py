"""Row filters, row by row, against docs/reference/expressions.md."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enforcement.filter_cases import CASES, MAX, MIN, bln, day, f64, i64, ts, txt
from enforcement.plans import outcomes
from privet.enforcement import passing_rows
from privet.model.errors import TypeMismatch
from privet.model.expressions import (
    Arithmetic,
    ArithmeticOp,
    Call,
    ColumnRef,
    Compare,
    CompareOp,
    Literal,
)
from privet.policy import parse_filter


@pytest.mark.parametrize(("filter_", "columns", "expected"), CASES, ids=[c[0] for c in CASES])
def test_filters_mean_what_the_reference_says(
    filter_: str, columns: dict[str, pa.Array], expected: str
) -> None:
    """Every row of the reference page, with its boundary values, as one letter per row of data."""
    assert outcomes(filter_, columns, len(expected)) == expected


@pytest.mark.parametrize(("filter_", "columns", "expected"), CASES, ids=[c[0] for c in CASES])
def test_slices_and_empty_batches_mean_the_same(
    filter_: str, columns: dict[str, pa.Array], expected: str
) -> None:
    """A batch that is a slice of another says the same of its rows, down to one and none."""
    for start in range(len(expected) + 1):
        part = {name: array.slice(start) for name, array in columns.items()}
        assert outcomes(filter_, part, len(expected) - start) == expected[start:]


def test_no_filter_passes_all() -> None:
    """None is the filter of a permission without WHERE."""
    assert passing_rows(None, {}, 3).tolist() == [True] * 3


@pytest.mark.parametrize(
    ("filter_", "columns"),
    [
        ("x", {"x": i64(1)}),
        ("x = DATE '2024-01-01'", {"x": i64(1)}),
        ("b = 1", {"b": bln(True)}),
        ("t = DATE '2024-01-01'", {"t": txt("2024-01-01")}),
        ("t + 1 = 2", {"t": txt("1")}),
        ("-t = 1", {"t": txt("1")}),
        ("abs(t) = 1", {"t": txt("1")}),
        ("x LIKE '1%'", {"x": i64(1)}),
        ("lower(x) = '1'", {"x": i64(1)}),
        ("concat(t, x) = '1'", {"x": i64(1), "t": txt("1")}),
        ("year(t) = 1", {"t": txt("2024-01-01")}),
        ("o = 'x'", {"o": pa.array([b"x"])}),
        ("cast(f as varchar) = '1'", {"f": f64(1.0)}),
        ("cast(b as double) = 1", {"b": bln(True)}),
        ("cast(d as bigint) = 1", {"d": day(date(2024, 1, 1))}),
        ("cast(x as date) = DATE '2024-01-01'", {"x": i64(1)}),
        ("CASE WHEN b THEN 'x' ELSE 1 END = 'x'", {"b": bln(True)}),
        ("coalesce(t, 1) = '1'", {"t": txt("1")}),
        ("substr(t, x) = '1'", {"t": txt("1"), "x": i64(1)}),
        ("NOT x", {"x": i64(1)}),
        ("b AND x", {"x": i64(1), "b": bln(True)}),
    ],
)
def test_what_does_not_type_check_is_refused(filter_: str, columns: dict[str, pa.Array]) -> None:
    """The decision lets no such filter through; if one came, nothing would pass."""
    with pytest.raises(TypeMismatch):
        passing_rows(parse_filter(filter_), columns, 1)


@pytest.mark.parametrize(
    "expr",
    [
        Call("user", ()),
        Call("now", ()),
        Call("no_such_function", ()),
        Call("cast", (Literal(1), Literal("tinyint"))),
        Compare(CompareOp.EQ, Literal("ada"), Call("user", ())),
    ],
)
def test_what_was_not_bound_is_refused(expr: Any) -> None:
    """`user()` and `now()` are literals by now; whatever is unknown has no value."""
    with pytest.raises(TypeMismatch):
        passing_rows(expr, {}, 1)


@pytest.mark.parametrize("value", [Decimal(10) ** 40, 10**39, Decimal("NaN"), Decimal("1e-39")])
def test_literals_beyond_all_decimals_are_refused(value: Decimal | int) -> None:
    """More than 38 digits before or after the point fit no exact comparison."""
    with pytest.raises(TypeMismatch):
        passing_rows(Compare(CompareOp.EQ, ColumnRef("x"), Literal(value)), {"x": i64(1)}, 1)


@pytest.mark.parametrize("op", [op for op in ArithmeticOp if op is not ArithmeticOp.DIV])
def test_arithmetic_agrees_with_unlimited_integers(op: ArithmeticOp) -> None:
    """At and around the ends of the range: the exact result, or failed where there is none."""
    edge = [MIN, MIN + 1, -(2**62), -(2**31), -2, -1, 0, 1, 2, 3, 2**31, 2**32, 2**62, MAX - 1, MAX]
    pairs = [(a, b) for a in edge for b in edge]
    columns = {"a": i64(*(a for a, _ in pairs)), "b": i64(*(b for _, b in pairs))}
    want = [_exact(op, a, b) for a, b in pairs]
    columns["w"] = i64(*(0 if w is None else w for w in want))
    expr = Compare(CompareOp.EQ, Arithmetic(op, ColumnRef("a"), ColumnRef("b")), ColumnRef("w"))
    assert outcomes(expr, columns, len(pairs)) == "".join("!" if w is None else "T" for w in want)


@given(st.lists(st.decimals(allow_nan=False, allow_infinity=False, places=18), min_size=1))
@settings(deadline=None, max_examples=30)
def test_decimals_become_the_nearest_float(numbers: list[Decimal]) -> None:
    """As Python's exact conversion says; Arrow's own cast is sometimes one step off."""
    small = [n % 10**19 for n in numbers]
    columns = {"d": pa.array(small, pa.decimal128(38, 18)), "f": f64(*map(float, small))}
    assert outcomes("f = d AND f = cast(d as double)", columns, len(small)) == "T" * len(small)


def _exact(op: ArithmeticOp, a: int, b: int) -> int | None:
    match op:
        case ArithmeticOp.ADD:
            result = a + b
        case ArithmeticOp.SUB:
            result = a - b
        case ArithmeticOp.MUL:
            result = a * b
        case _:
            result = None if b == 0 else (abs(a) % abs(b)) * (-1 if a < 0 else 1)
    return result if result is not None and MIN <= result <= MAX else None


def test_literals_of_moments_are_utc() -> None:
    """An aware literal of another unit and a naive column are one moment."""
    moment = datetime(2024, 1, 31, 12, tzinfo=UTC)
    expr = Compare(CompareOp.EQ, ColumnRef("s"), Literal(moment))
    assert outcomes(expr, {"s": ts(int(moment.timestamp()), unit="s")}, 1) == "T"
