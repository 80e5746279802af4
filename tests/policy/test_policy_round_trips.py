"""Every form of a permission says the same: SQL, JSON, and English that people can read."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from policy_cases import (
    ACCEPTANCE,
    calls,
    expressions,
    grant,
    permissions,
    tag_expressions,
)

from privet.model.errors import InvalidRequest, ParseFailed, PrivetError, UnknownName
from privet.model.expressions import Call, Expr, TagExpr
from privet.model.permissions import Permission
from privet.policy import (
    Grant,
    Revoke,
    filter_sql,
    from_json,
    parse,
    parse_filter,
    parse_tags,
    parse_transform,
    tags_sql,
    to_english,
    to_json,
    to_sql,
    transform_sql,
)


def test_acceptance_prints_as_written() -> None:
    """The statement of the acceptance flow is its own canonical form, in SQL and as JSON."""
    permission = grant(ACCEPTANCE)
    assert to_sql(permission) == ACCEPTANCE
    assert to_json(permission) == {
        "effect": "grant",
        "level": "select",
        "scope": {"kind": "database", "database": "medical_charges", "dataset": ""},
        "role": "healthcare_analyst_role",
        "having": "NOT IN (phi.phone_number)",
        "transforms": [{"tags": "phi.mrn", "transform": "tokenize()", "excepted": False}],
        "where": "opted_out != 1",
        "properties": {},
    }


def test_acceptance_in_english() -> None:
    """The acceptance policy reads as one sentence."""
    assert to_english(grant(ACCEPTANCE)) == (
        "People with healthcare_analyst_role can read every dataset in medical_charges, without "
        "columns tagged phi:phone_number, with phi:mrn tokenized, only rows where opted_out is not"
        " 1."
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "can read every dataset in the catalog."),
        ("HAVING ATTRIBUTE a.b AND (c.d OR NOT e.f)", "only columns tagged a:b and (c:d or not "),
        ("EXCEPT TRANSFORM a.b WITH mask()", ", also with a:b masked."),
        ("GRANT SELECT ON TABLE d.t TO public_role", "Everyone who is signed in can read d.t."),
        (
            "GRANT SELECT ON CATALOG TO r POLICYPROPERTIES('enabled'='FALSE','end_datetime'='60')",
            "until 1970-01-01 00:01:00 UTC, once enabled.",
        ),
    ],
)
def test_english(text: str, words: str) -> None:
    """Scopes, tag expressions, exceptions, the public role and the window have words."""
    assert words in to_english(grant(text))


@given(permissions)
@settings(deadline=None, max_examples=150)
def test_sql_and_json_round_trip(permission: Permission) -> None:
    """What is printed reads back as the same permission, and prints the same again."""
    text = to_sql(permission)
    statement = parse(text + " ;")
    assert statement == Grant(permission)
    assert isinstance(statement, Grant)
    assert to_sql(statement.permission) == text
    form = json.loads(json.dumps(to_json(permission)))
    assert to_sql(from_json(form)) == text
    assert to_english(permission).endswith(".")


@given(permissions)
@settings(deadline=None, max_examples=25)
def test_revoke_round_trips_without_properties(permission: Permission) -> None:
    """A REVOKE names the content only; properties and grant option do not belong to it."""
    bare = replace(permission, properties={}, grant_option=False)
    assert parse(to_sql(permission, "REVOKE")) == Revoke(bare)


@given(expressions)
@settings(deadline=None, max_examples=300)
def test_filters_round_trip(expr: Expr) -> None:
    """Canonical text is a fixed point, also for odd shapes that nobody writes."""
    text = filter_sql(expr)
    assert parse_filter(text) == expr
    assert filter_sql(parse_filter(text)) == text


@given(tag_expressions, calls)
@settings(deadline=None, max_examples=100)
def test_tags_and_transforms_round_trip(tags: TagExpr, call: Call) -> None:
    """The same holds for tag expressions and transform calls."""
    assert parse_tags(tags_sql(tags)) == tags
    assert parse_transform(transform_sql(call)) == call


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("a not in (1,2)", "a NOT IN (1, 2)"),
        ("a <> 1", "a != 1"),
        ("a between 1 and 2 and b", "(a >= 1 AND a <= 2) AND b"),
        ("a not between 1 and 2", "NOT (a >= 1 AND a <= 2)"),
        ("not a = 1 or b and c", "NOT a = 1 OR b AND c"),
        ("(a + b) * -c % 2 - (1 - 2)", "(a + b) * (-c) % 2 - (1 - 2)"),
        ("- 1 + -(1) = -1.5e2", "-1 + (-(1)) = -150.0"),
        ("a is not null and b not like 'x''%'", "a IS NOT NULL AND b NOT LIKE 'x''%'"),
        ("case when a then 1 end = 1", "CASE WHEN a THEN 1 ELSE NULL END = 1"),
        ("CAST(a AS Bigint) = 1", "cast(a AS bigint) = 1"),
        ("date = date '2024-01-31'", "date = DATE '2024-01-31'"),
        (
            "at < timestamp '2024-01-31T12:00:00.5'",
            "at < TIMESTAMP '2024-01-31 12:00:00.500000'",
        ),
        ("`Select` = 1 and `123` and `1e5`", "`select` = 1 AND `123` AND `1e5`"),
        ("((((a))))", "a"),
    ],
)
def test_canonical_filters(written: str, canonical: str) -> None:
    """Spelling, precedence and sugar come out one way."""
    assert filter_sql(parse_filter(written)) == canonical


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("PHI.Mrn", "phi.mrn"),
        ("a.b = true", "a.b"),
        ("a.b != false", "a.b"),
        ("a.b = false", "NOT IN (a.b)"),
        ("!a.b and not (c.d)", "NOT IN (a.b) AND NOT IN (c.d)"),
        ("in (a.b)", "a.b"),
        ("not in (a.b, c.d) or e.f and g.h", "NOT IN (a.b, c.d) OR e.f AND g.h"),
        ("a.b or c.d", "IN (a.b, c.d)"),
        ("!!a.b", "NOT NOT IN (a.b)"),
    ],
)
def test_canonical_tags(written: str, canonical: str) -> None:
    """All spellings of a tag expression come out one way."""
    assert tags_sql(parse_tags(written)) == canonical


def test_how_an_author_called_a_transform_is_kept() -> None:
    """It makes no other permission of it, and only the stored form has it."""
    written, plain = (grant(f"TRANSFORM t.a WITH {name}()") for name in ("FPT_ref", "tokenize"))
    assert replace(written, id=plain.id) == plain
    assert to_sql(written) == to_sql(plain)
    form = to_json(written)
    assert form["transforms"][0]["transform"] == "tokenize()"
    assert form["transforms"][0]["spelled"] == "fpt_ref"
    assert from_json(form).transforms[0].call.spelled == "fpt_ref"
    assert "spelled" not in to_json(plain)["transforms"][0]
    for other in ("mask", "sha3", ""):
        clause = form["transforms"][0] | {"spelled": other}
        with pytest.raises(InvalidRequest, match="spelled"):
            from_json({**form, "transforms": [clause]})


def test_aliases_become_the_name() -> None:
    """A transform's alias is stored as its name; a missing column slot is supplied."""
    assert transform_sql(parse_transform("FP_REF_tokenize(__column__)")) == "tokenize()"
    assert transform_sql(parse_transform("mask(1, 2)")) == "mask(__COLUMN__, 1, 2)"


def test_decimals_keep_their_kind() -> None:
    """A number with a point or an exponent stays a decimal, whatever its value."""
    for text in ("1e3", "1000.0", "10.00e2"):
        assert filter_sql(parse_filter(f"a = {text}")).startswith("a = 1000.0")


def test_moments_are_utc() -> None:
    """A timestamp in another zone prints as UTC."""
    moment = parse_filter("a = TIMESTAMP '2024-01-31 12:00:00'").right  # type: ignore[union-attr]
    assert moment.value == datetime(2024, 1, 31, 12, tzinfo=UTC)


GOOD = {"scope": {"kind": "catalog"}, "role": "r"}


@pytest.mark.parametrize(
    "form",
    [
        [],
        {"role": "r"},
        {**GOOD, "role": 1},
        {**GOOD, "colour": "red"},
        {**GOOD, "scope": {"kind": "planet"}},
        {**GOOD, "scope": {"kind": "catalog", "database": "d"}},
        {**GOOD, "scope": {"kind": "table", "database": "d"}},
        {**GOOD, "scope": {"kind": "catalog", "column": "c"}},
        {**GOOD, "effect": "deny"},
        {**GOOD, "level": "insert", "where": "a = 1"},
        {**GOOD, "level": "fly"},
        {**GOOD, "columns": "a"},
        {**GOOD, "columns": ["a b"]},
        {**GOOD, "grant_option": "yes"},
        {**GOOD, "scope": {"kind": "uri", "name": "nowhere"}},
        {**GOOD, "scope": {"kind": "role", "database": "d", "name": "r"}},
        {**GOOD, "scope": {"kind": "database", "database": "${other}"}},
        {**GOOD, "effect": "deny", "having": "a.b", "where": "c = 1"},
        {**GOOD, "transforms": "tokenize"},
        {**GOOD, "transforms": [{"tags": "a.b"}]},
        {**GOOD, "transforms": [{"tags": "a.b", "transform": "mask()", "excepted": "no"}]},
        {**GOOD, "properties": {"enabled": True}},
        {**GOOD, "properties": {"enabled": "perhaps"}},
        {**GOOD, "properties": {"name": "a\0b"}},
        {**GOOD, "where": 1},
        {**GOOD, "role": "r\u0435d"},
        {**GOOD, 1: 2},
    ],
)
def test_bad_json(form: object) -> None:
    """What is not exactly the form is refused, with a typed error."""
    with pytest.raises(InvalidRequest):
        from_json(form)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("part", "error"),
    [
        ({"where": "a = "}, ParseFailed),
        ({"where": "a = 1 TO ROLE admin"}, ParseFailed),
        ({"having": "a.b WHERE TRUE"}, ParseFailed),
        ({"transforms": [{"tags": "a.b", "transform": "shout()"}]}, UnknownName),
    ],
)
def test_texts_in_json_are_whole_expressions(
    part: dict[str, object], error: type[PrivetError]
) -> None:
    """A text inside the form cannot smuggle in another clause, and its errors have positions."""
    with pytest.raises(error) as caught:
        from_json({**GOOD, **part})
    assert caught.value.position is not None
