"""What is said in words, of filters and whole permissions; and that it is never ambiguous."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from policy_cases import grant, permissions

from privet.model.expressions import (
    And,
    Arithmetic,
    ArithmeticOp,
    Call,
    Case,
    ColumnRef,
    Compare,
    CompareOp,
    Expr,
    In,
    IsNull,
    Like,
    Literal,
    Negate,
    Not,
    Or,
)
from privet.model.permissions import Permission
from privet.model.transforms import SPECS
from privet.policy import filter_english, filter_sql, parse_filter, to_english, to_sql


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("opted_out != 1", "opted_out is not 1"),
        ("a >= 1 AND (b < 2 OR NOT c = 3)",
         "a is at least 1 and (b is less than 2 or not (c is 3))"),
        ("user() = doctor", "the reader is doctor"),
        ("region = user_attribute('region')", "region is the reader's 'region'"),
        ("has_roles('a', 'b,c') OR x", "the reader holds all roles of ('a', 'b,c') or x"),
        ("a IN (1, 2) AND b NOT IN ('x')", "a is one of (1, 2) and b is none of ('x')"),
        ("in_set(a, 'x,y')", "a is in the list 'x,y'"),
        ("sets_intersect(a, user_attribute('k'))",
         "the lists a and the reader's 'k' have something in common"),
        ("columns_with_attribute('pii.age') < 5", "the column tagged 'pii.age' is less than 5"),
        ("table_attribute('a.b') IS NULL", "'true' if the dataset is tagged 'a.b' is missing"),
        ("a IS NOT NULL AND b LIKE 'M%'", "a is not missing and b begins with 'M'"),
        ("a LIKE '%x%' OR a LIKE '%x'", "a contains 'x' or a ends with 'x'"),
        ("a LIKE 'x' OR a LIKE 'x_%'", "a matches the pattern 'x' or a matches the pattern 'x_%'"),
        ("at < now() AND d > DATE '2024-01-31'",
         "at is less than the present time and d is more than the day 2024-01-31"),
        ("(a + b) * 2 = -c", "(a plus b) times 2 is minus (c)"),
        ("lower(a) = 'x' AND cast(b AS bigint) = 1",
         "the lower case of (a) is 'x' and (b as a whole number) is 1"),
        ("CASE WHEN a = 1 THEN b ELSE FALSE END", "(if a is 1 then b, otherwise false)"),
        ("`is` = 1", "`is` is 1"),
    ],
)  # fmt: skip
def test_filters_have_words(written: str, words: str) -> None:
    """Each form of an expression is said as people say it; parentheses tell what binds."""
    assert filter_english(parse_filter(written)) == f"only rows where {words}"


def _atoms() -> Iterator[Expr]:
    names = ("a", "is", "missing", "x_1")
    yield from map(ColumnRef, names)
    moment = datetime(2024, 1, 31, tzinfo=UTC)
    values = (None, True, 1, -1, Decimal("1.0"), "a", "1", "true", "a' or 'b", moment)
    yield from map(Literal, (*values, date(2024, 1, 31)))
    yield Call("user", ())
    yield Call("now", ())
    yield Call("user_attribute", (Literal("a"),))


def _over(parts: Iterable[Expr]) -> Iterator[Expr]:
    """Every form over these parts."""
    held = list(parts)
    for part in held:
        yield from (Not(part), IsNull(part), Negate(part), Not(IsNull(part)), In(part, (part,)))
        yield from (Like(part, p) for p in ("x", "%x", "x%", "%x%", "%x_%", "%", "%%"))
        yield from (Call(f, (part,)) for f in ("lower", "upper", "length", "year", "abs"))
        yield from (Call("cast", (part, Literal(t))) for t in ("bigint", "varchar"))
    for one, other in itertools.product(held, held):
        yield from (Compare(op, one, other) for op in CompareOp)
        yield from (Arithmetic(op, one, other) for op in ArithmeticOp)
        yield from (And((one, other)), Or((one, other)), In(one, (other, one)))
        yield from (Call("concat", (one, other)), Call("in_set", (one, other)))
        yield from (Case(((one, other),), one), Not(In(one, (other,))), And((one, other, one)))


def test_different_filters_are_said_differently() -> None:
    """Of some 100,000 small ones no two have the same words, however they nest."""
    atoms = list(_atoms())
    small = list(_over(atoms))
    deeper = list(_over([*atoms[:2], *small[7::211]]))
    said: dict[str, str] = {}
    for expr in (*atoms, *small, *deeper):
        written = filter_sql(expr)
        assert said.setdefault(filter_english(expr), written) == written
    assert len(said) > 20_000


@given(st.lists(permissions, min_size=2, max_size=6))
@settings(deadline=None, max_examples=100)
def test_different_permissions_are_said_differently(found: list[Permission]) -> None:
    """Two that mean something else never read the same; names and descriptions mean nothing."""
    said: dict[str, str] = {}
    for permission in found:
        told = {k: v for k, v in permission.properties.items() if k not in {"name", "description"}}
        if told.get("enabled") == "true":
            del told["enabled"]
        meant = to_sql(replace(permission, properties=told))
        assert said.setdefault(to_english(permission), meant) == meant


def test_transforms_are_told_apart() -> None:
    """Each is said in words of its own, and with what it is told."""
    assert len({spec.says for spec in SPECS}) == len(SPECS)
    sentence = to_english(grant("TRANSFORM a.b WITH mask(1, 2) TRANSFORM c.d WITH mask()"))
    assert "with a:b masked (1, 2)" in sentence
    assert "with c:d masked" in sentence
    keyed = to_english(grant("TRANSFORM a.b WITH tokenize(signed_user(true))"))
    assert "tokenized (for each user)" in keyed


def test_what_its_author_accepted_is_said() -> None:
    """Properties that change what is shown, or whether it may be stored, are in the sentence."""
    properties = "'reveals_filter'='accepted', 'small_domain'='allow'"
    sentence = to_english(
        grant(f"GRANT SELECT ON CATALOG WHERE a = 1 TO ROLE r POLICYPROPERTIES({properties})")
    )
    assert "accepting that cells tell about the filter" in sentence
    assert "few values to hide among" in sentence
