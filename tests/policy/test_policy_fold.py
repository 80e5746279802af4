"""Folding a filter changes no row: checked against the engine, row by row."""

import pytest
from hypothesis import given, settings
from policy_cases import NOW, READER, ROWS, column, dataset, typed_filters

from privet.enforcement.evaluate import passing_rows
from privet.model.expressions import Expr, Literal
from privet.model.principals import Principal
from privet.policy import (
    ALWAYS,
    NEVER,
    Kind,
    check_filter,
    column_kinds,
    filter_sql,
    fold_filter,
    parse_filter,
)
from privet.policy.binding import children, rebuild, walk
from privet.policy.settling import Reader, asked_of, settle

TABLE = dataset(*(column(f.name, f.type) for f in ROWS.schema))
KINDS = column_kinds(TABLE)
COLUMNS = {name: ROWS[name].combine_chunks() for name in ROWS.column_names}


def folded_for(expr: Expr, principal: Principal = READER) -> Expr:
    """The filter as it is for one reader, reduced."""
    reader = Reader(principal, frozenset(), NOW)
    return fold_filter(settle(expr, {call: reader.answer(call) for call in asked_of(expr)}), KINDS)


def bound(expr: Expr) -> Expr:
    """The filter with `user()` and `now()` replaced and nothing else."""
    match getattr(expr, "function", ""):
        case "user":
            return Literal(READER.user)
        case "now":
            return Literal(NOW)
        case _:
            return rebuild(expr, [bound(part) for part in children(expr)])


@given(typed_filters())
@settings(deadline=None, max_examples=150)
def test_folding_changes_no_row(expr: Expr) -> None:
    """The reduced filter lets the same rows through as the written one does in the engine."""
    check_filter(expr, KINDS)
    folded = folded_for(expr)
    expected = passing_rows(bound(expr), COLUMNS, ROWS.num_rows).tolist()
    assert passing_rows(folded, COLUMNS, ROWS.num_rows).tolist() == expected
    if folded is ALWAYS:
        assert all(expected)
    if folded is NEVER:
        assert not any(expected)
    assert not asked_of(folded)
    assert parse_filter(filter_sql(folded)) == folded


@given(typed_filters())
@settings(deadline=None, max_examples=100)
def test_folding_is_stable_and_well_typed(expr: Expr) -> None:
    """What is reduced still type-checks, and reducing it again changes nothing."""
    folded = folded_for(expr)
    check_filter(folded, KINDS)
    assert filter_sql(folded_for(folded, Principal("other"))) == filter_sql(folded)


@given(typed_filters())
@settings(deadline=None, max_examples=50)
def test_rebuilding_from_its_parts(expr: Expr) -> None:
    """An expression is its form over its parts."""
    assert rebuild(expr, children(expr)) == expr
    assert next(iter(walk(expr))) is expr


@pytest.mark.parametrize(
    ("written", "reduced"),
    [
        ("user() = 'demo_user2'", "TRUE"),
        ("user() = 'DEMO_USER2'", "FALSE"),
        ("lower(user()) LIKE 'demo\\_user_'", "TRUE"),
        ("user() = 'demo_user2' OR t = 'x'", "TRUE"),
        ("user() = 'other' OR t = 'x'", "t = 'x'"),
        ("user() = 'demo_user2' AND i / j > 1", "i / j > 1"),
        ("now() >= TIMESTAMP '2026-01-01 00:00:00' AND x", "x"),
        ("cast(now() AS date) = DATE '2026-01-01'", "TRUE"),
        ("NULL", "FALSE"),
        ("i = NULL", "FALSE"),
        ("NOT i = NULL", "FALSE"),
        ("i NOT IN (1, NULL)", "FALSE"),
        ("i IN (1, NULL)", "i IN (1, NULL)"),
        ("x AND NULL", "FALSE"),
        ("i + NULL IS NULL", "i + NULL IS NULL"),
        ("(i = NULL) IS NULL", "TRUE"),
        ("1 / 0 = 1 OR TRUE", "FALSE"),
        ("NOT (1 / 0 = 1)", "FALSE"),
        ("9223372036854775807 + 1 > 0 OR TRUE", "FALSE"),
        ("cast('2024-02-30' AS date) IS NULL", "FALSE"),
        ("'1.0' = 1 AND '01' = 1", "TRUE"),
        ("' 1' = 1 OR TRUE", "FALSE"),
        ("-7 % 2 = -1 AND 7 / 2 = 3.5", "TRUE"),
        ("0.1 + 0.2 = 0.3", "FALSE"),
        ("0.1 = cast('0.1' AS double)", "TRUE"),
        ("CASE WHEN x THEN 1 / 0 = 1 ELSE TRUE END", "CASE WHEN x THEN 1 / 0 = 1 ELSE TRUE END"),
        ("CASE WHEN FALSE THEN 1 / 0 = 1 ELSE x END", "x"),
        ("CASE WHEN NULL THEN FALSE WHEN TRUE THEN x ELSE y END", "x"),
        ("CASE WHEN 1 / 0 = 1 THEN TRUE ELSE TRUE END", "FALSE"),
        ("CASE WHEN user() = 'a' THEN 1 WHEN user() = 'demo_user2' THEN 2 END = 2", "TRUE"),
        ("lower('\u00c9') = '\u00e9'", "TRUE"),
        ("x > TRUE", "FALSE"),
        ("f > 9007199254740993 OR TRUE", "FALSE"),
        ("NOT (i = 'none')", "FALSE"),
        ("(f > 9007199254740993) IS NULL", "FALSE"),
        ("(CASE WHEN FALSE THEN i END = 'none') IS NULL", "FALSE"),
    ],
)
def test_reductions(written: str, reduced: str) -> None:
    """What the reference page lists as certain is reduced."""
    folded = folded_for(parse_filter(written))
    assert filter_sql(folded) == reduced


@pytest.mark.parametrize(
    "written",
    [
        "i / j > 1 OR TRUE",
        "f > i OR TRUE",
        "t = 1 OR TRUE",
        "cast(t AS bigint) = 1 OR TRUE",
        "i + 1 > 0 OR TRUE",
        "substr(t, 0) = 'x' OR TRUE",
        "day = at OR TRUE",
        "NOT (i / j > 1 AND FALSE)",
        "(i / j > 1) IS NOT NULL OR TRUE",
        "coalesce(i, 0.5) = 1 OR TRUE",
        "CASE WHEN TRUE THEN 0.1 ELSE 0.2 END = d",
        "x OR NOT x",
    ],
)
def test_nothing_uncertain_is_reduced(written: str) -> None:
    """A part that could fail for a row keeps the filter from being TRUE for all rows."""
    expr = parse_filter(written)
    assert folded_for(expr) not in (ALWAYS, NEVER)


@pytest.mark.parametrize(
    "written",
    [
        "i = 1 OR TRUE",
        "f > 30 OR TRUE",
        "d < i OR TRUE",
        "t LIKE 'a%' OR TRUE",
        "x IS NULL OR TRUE",
    ],
)
def test_parts_that_cannot_fail_do_not_stand_in_the_way(written: str) -> None:
    """Comparisons within a kind, LIKE and IS NULL have a value for every row."""
    assert folded_for(parse_filter(written)) is ALWAYS


def test_long_patterns_are_left_to_the_engine() -> None:
    """A constant LIKE of many wildcards costs the decision nothing."""
    text = f"'{'a' * 20_000}' LIKE '{'%a' * 15_000}b'"
    folded = folded_for(parse_filter(text))
    assert folded not in (ALWAYS, NEVER)


def test_kinds_of_columns() -> None:
    """The kinds are those of the reference page; what is none of them is `other`."""
    assert KINDS == {
        "i": Kind.INTEGER,
        "j": Kind.INTEGER,
        "f": Kind.FLOAT,
        "d": Kind.DECIMAL,
        "t": Kind.TEXT,
        "u": Kind.TEXT,
        "x": Kind.BOOLEAN,
        "y": Kind.BOOLEAN,
        "day": Kind.DATE,
        "at": Kind.TIMESTAMP,
    }
