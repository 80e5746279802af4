"""Statements: what each is, what is refused, where, and with what advice."""

import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from policy_cases import ACCEPTANCE, grant

from privet.model.errors import InvalidRequest, ParseFailed, Position, PrivetError, UnknownName
from privet.model.names import DatasetName, TagName
from privet.model.permissions import Scope, ScopeKind
from privet.policy import (
    CreateRole,
    CreateTag,
    DropRole,
    DropTag,
    Grant,
    GrantRole,
    Places,
    Revoke,
    RevokeRole,
    Statement,
    parse,
    parse_filter,
    parse_tags,
    parse_transform,
)
from privet.policy.language.definitions import CreateDatabase, DropDatabase
from privet.policy.language.shows import (
    Describe,
    ShowDatabases,
    ShowGrantRole,
    ShowRoles,
    ShowTables,
    ShowTags,
)


@pytest.mark.parametrize(
    ("text", "statement"),
    [
        ("CREATE ATTRIBUTE phi.MRN", CreateTag(TagName("phi", "mrn"))),
        ("create tag if not exists phi.mrn;", CreateTag(TagName("phi", "mrn"), True)),
        ("DROP ATTRIBUTE IF EXISTS phi.mrn", DropTag(TagName("phi", "mrn"), True)),
        ("CREATE ROLE IF NOT EXISTS r", CreateRole("r", True)),
        ("DROP ROLE r", DropRole("r")),
        ("GRANT ROLE r TO GROUP g", GrantRole("r", "g")),
        (
            "GRANT ROLE okera_public_role TO GROUP 'Data ''X'''",
            GrantRole("public_role", "Data 'X'"),
        ),
        ("REVOKE ROLE r FROM GROUP `a-b c`", RevokeRole("r", "a-b c")),
        ("CREATE DATABASE Medical_Charges", CreateDatabase("medical_charges")),
        ("DROP DATABASE IF EXISTS d", DropDatabase("d", True)),
        ("SHOW DATABASES", ShowDatabases()),
        ("SHOW TABLES IN d", ShowTables("d")),
        ("SHOW ROLES", ShowRoles()),
        ("SHOW TAGS ;", ShowTags()),
        ("SHOW ATTRIBUTES", ShowTags()),
        ("SHOW GRANT ROLE r", ShowGrantRole("r")),
        ("DESCRIBE d.`T`", Describe(DatasetName("d", "t"))),
    ],
)
def test_other_statements(text: str, statement: Statement) -> None:
    """Each definition and listing has its value; names are folded, keywords have no case."""
    assert parse(text) == statement


def test_grant_clauses() -> None:
    """All clauses of a grant arrive; clauses that are not written are absent."""
    permission = grant(
        "GRANT SELECT ON TABLE D.T HAVING ATTRIBUTE a.b TRANSFORM c.d WITH mask(1,2) "
        "EXCEPT TRANSFORM NOT IN (e.f) WITH null() WHERE x TO R "
        "POLICYPROPERTIES('Name'='n','start_datetime'='1','end_datetime'='2')"
    )
    assert permission.scope == Scope(ScopeKind.TABLE, "d", "t")
    assert [c.excepted for c in permission.transforms] == [False, True]
    assert permission.properties == {"name": "n", "start_datetime": "1", "end_datetime": "2"}
    plain = grant("GRANT SELECT ON CATALOG TO role `role`")
    assert (plain.having, plain.transforms, plain.where, plain.role) == (None, (), None, "role")


def test_revoke_is_of_the_content() -> None:
    """REVOKE has the clauses of GRANT and no properties."""
    text = ACCEPTANCE.replace("GRANT", "REVOKE").replace("TO ROLE", "FROM ROLE")
    statement = parse(text)
    assert isinstance(statement, Revoke)
    assert statement.permission == grant(ACCEPTANCE)
    with pytest.raises(ParseFailed):
        parse(f"{text} POLICYPROPERTIES('name'='n')")


def test_places_of_names() -> None:
    """The statement remembers where scope and role stand, over several lines."""
    statement = parse("GRANT SELECT\nON DATABASE d\n  TO ROLE r")
    assert isinstance(statement, Grant)
    assert statement.places == Places(Position(2, 13, 25), Position(3, 11, 37))


@pytest.mark.parametrize(
    ("text", "offset", "advice"),
    [
        ("", 0, "expected ALTER, CREATE, DENY"),
        ("GRNT SELECT ON CATALOG TO r", 0, "did you mean `GRANT`?"),
        ("GRANT SELCT ON CATALOG TO r", 6, "did you mean `select`?"),
        ("GRANT SELECT ON DATABASE d HAVNG ATTRIBUTE a.b TO r", 27, "did you mean `HAVING`?"),
        ("GRANT SELECT ON DATABASE", 24, "expected a name"),
        ("GRANT SELECT ON CATALOG WHERE a = TO r", 37, ""),
        ("GRANT SELECT ON CATALOG WHERE a = 1", 35, "expected TO"),
        ("GRANT SELECT ON CATALOG WHERE a = b = c TO r", 36, ""),
        ("GRANT SELECT ON CATALOG WHERE a = 'b TO r", 34, "close it with '"),
        ("GRANT SELECT ON CATALOG WHERE `a = 1 TO r", 30, "close it with `"),
        ("GRANT SELECT ON CATALOG WHERE a IN () TO r", 36, "a column or a value"),
        ("GRANT SELECT ON CATALOG WHERE a = 1 TO r; DROP ROLE r", 42, "expected the end"),
        ("GRANT SELECT ON CATALOG WHERE a > 5 --1\n TO r", 36, "description"),
        ("GRANT SELECT ON CATALOG WHERE a > 5 /* x */ TO r", 36, "description"),
        ("GRANT SELECT ON CATALOG WHERE a LIKE 'x\\' TO r", 37, "double it"),
        ("GRANT SELECT ON CATALOG WHERE a = DATE '2024-02-30' TO r", 39, "DATE '2024-01-31'"),
        ("GRANT SELECT ON CATALOG WHERE a = 9223372036854775808 TO r", 34, "with a point"),
        (f"GRANT SELECT ON CATALOG WHERE a = {'9' * 5000} TO r", 34, "with a point"),
        ("GRANT SELECT ON CATALOG WHERE a = 1e39 TO r", 34, "round it"),
        ("GRANT SELECT ON CATALOG WHERE a = 1e999999999 TO r", 34, "round it"),
        ("GRANT SELECT ON CATALOG WHERE __COLUMN__ = 1 TO r", 30, "name the column"),
        (f"GRANT SELECT ON DATABASE {'d' * 129} TO r", 25, "at most 128"),
        ("GRANT SELECT ON DATABASE `home-${user}` TO r", 25, "letters"),
        ("GRANT SELECT ON TABLE `d.t` TO r", 28, "expected ."),
        ("GRANT ROLE r TO GROUP 'user:bob'", 22, ""),
        ("SHOW TABELS IN d", 5, "did you mean `TABLES`"),
    ],
)
def test_refusals_say_where_and_what(text: str, offset: int, advice: str) -> None:
    """A refusal points at the first character that does not fit and says what would."""
    with pytest.raises(ParseFailed) as caught:
        parse(text)
    assert caught.value.position is not None
    assert caught.value.position.offset == offset
    assert advice in caught.value.hint
    assert caught.value.message[0] in "abcdefghijklmnopqrstuvwxyz`_"


@pytest.mark.parametrize("before", ["", "-- who\n", "/* a; */ -- b\n\n  ", "--\n"])
@pytest.mark.parametrize("after", ["", ";", "; -- why", " -- it's\n", " /**/;/* ` */--"])
def test_comments_stand_around_a_statement(before: str, after: str) -> None:
    """They say nothing; a complaint still points into the text as it came."""
    text = "GRANT SELECT ON CATALOG WHERE a = '--' TO r"
    assert parse(f"{before}{text}{after}") == parse(text)
    with pytest.raises(ParseFailed) as caught:
        parse(f"{before}{text} --\n {text}{after}")
    assert caught.value.position is not None
    assert caught.value.position.offset == len(before) + len(text) + 5


@pytest.mark.parametrize(
    "text", ["-- only", "/* SHOW ROLES", "SHOW ROLES /* a", "SHOW -- a\nROLES"]
)
def test_comments_are_no_statement(text: str) -> None:
    """Nor do they stand within one, or without an end."""
    with pytest.raises(ParseFailed):
        parse(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("DENY SELECT ON CATALOG FROM ROLE r", "must specify an attribute expression"),
        ("RESTRICT SELECT ON CATALOG FROM ROLE r", "must specify what it takes away"),
        ("RESTRICT SELECT(a) ON TABLE d.t WHERE a = 1 FROM ROLE r", "by their tags"),
        ("RESTRICT INSERT ON CATALOG WHERE a = 1 FROM ROLE r", "on whole objects"),
        ("RESTRICT INSERT ON CATALOG FROM ROLE r", "is on reading data"),
        (
            "RESTRICT SELECT ON CATALOG EXCEPT TRANSFORM a.b WITH null() FROM ROLE r",
            "no EXCEPT TRANSFORM",
        ),
        ("GRANT INSERT(a) ON TABLE d.t TO r", "on whole objects"),
        ("GRANT SELECT ON URI 's3://b/k' WHERE a = 1 TO r", "no columns and rows"),
        ("GRANT ALL ON ROLE x HAVING ATTRIBUTE a.b TO r", "no columns and rows"),
        ("GRANT SELECT ON URI 's3://b/../k' TO r", "no URI"),
        ("GRANT SELECT ON URI '/etc' TO r", "no URI"),
        ("GRANT SELECT ON URI 'file:///a//b' TO r", "no URI"),
        ("GRANT SELECTS ON CATALOG TO r", "unknown access level"),
    ],
)
def test_clauses_that_mean_nothing_together(text: str, says: str) -> None:
    """Such a statement is refused, with its position."""
    with pytest.raises(InvalidRequest, match=says) as caught:
        parse(text)
    assert caught.value.position is not None


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("a IN (SELECT b FROM t)", 6),
        ("EXISTS (SELECT 1 FROM t)", 8),
        ("a = (SELECT max(b) FROM t)", 5),
    ],
)
def test_subqueries(text: str, offset: int) -> None:
    """A filter has no subqueries, and the refusal says so where the query begins."""
    with pytest.raises(ParseFailed, match="subquery") as caught:
        parse_filter(text)
    assert caught.value.position == Position(1, offset + 1, offset)


@pytest.mark.parametrize(
    ("text", "offset", "advice"),
    [
        ("a = lowr(b)", 4, "`lower`"),
        ("a = cast(b as strng)", 14, "bigint"),
        ("a = sleep(10)", 4, "one of lower"),
        ("cast_bigint(a) = 1", 0, "one of lower"),
    ],
)
def test_unknown_functions(text: str, offset: int, advice: str) -> None:
    """Functions outside the closed list are unknown, with near names."""
    with pytest.raises(UnknownName) as caught:
        parse_filter(text)
    assert caught.value.position == Position(1, offset + 1, offset)
    assert advice in caught.value.hint


def test_unknown_transforms_and_arguments() -> None:
    """Transforms are looked up and their arguments checked when a statement is read."""
    with pytest.raises(UnknownName) as unknown:
        parse_transform("tokenise()")
    assert "`tokenize`" in unknown.value.hint
    for text in ("tokenize(1)", "mask('x')", "mask(1, 2, 3)", "mask(1, __COLUMN__)"):
        with pytest.raises(InvalidRequest) as wrong:
            parse_transform(text)
        assert wrong.value.position == Position(1, 1, 0)


@pytest.mark.parametrize(
    ("pairs", "reason"),
    [
        ("'colour'='red'", "unknown property"),
        ("'enabeld'='true'", "unknown property"),
        ("'enabled'='yes'", "'true' or 'false'"),
        ("'start_datetime'='-1'", "Unix time"),
        ("'start_datetime'='1.5'", "Unix time"),
        ("'start_datetime'='\u0661'", "Unix time"),
        (f"'end_datetime'='{'9' * 5000}'", "Unix time"),
        ("'start_datetime'='2','end_datetime'='2'", "before"),
        ("'reveals_filter'='true'", "'accepted'"),
        ("'name'='a','NAME'='b'", "twice"),
    ],
)
def test_properties(pairs: str, reason: str) -> None:
    """Unknown properties and impossible values are refused with their position."""
    with pytest.raises(InvalidRequest, match=reason) as caught:
        parse(f"GRANT SELECT ON CATALOG TO r POLICYPROPERTIES({pairs})")
    assert caught.value.position is not None


@pytest.mark.parametrize(
    "name",
    [
        "\u0430bc",
        "\uff44",
        "\u212aelvin",
        "lo\u017ft",
        "r\u00f6le",
        "a\u200bb",
        "`\u0430`",
        "a\u00a0b",
    ],
)
def test_look_alikes(name: str) -> None:
    """Letters that look like ASCII ones, and blanks that do not, are no identifiers."""
    for text in (f"GRANT SELECT ON DATABASE {name} TO r", f"GRANT SELECT ON CATALOG TO {name}"):
        with pytest.raises(ParseFailed) as caught:
            parse(text)
        assert caught.value.position is not None
    with pytest.raises(ParseFailed):
        parse_filter(f"{name} = 1")
    with pytest.raises(ParseFailed):
        parse_tags(f"{name}.k")


def test_look_alike_keywords() -> None:
    """The long s is not an s in a keyword either."""
    with pytest.raises(ParseFailed):
        parse("GRANT \u017fELECT ON CATALOG TO r")


@pytest.mark.parametrize(
    "expression",
    [
        "(" * 30_000 + "x" + ")" * 30_000,
        "(" * 60_000,
        "NOT " * 10_000 + "x",
        "-(" * 10_000,
        "- " * 20_000 + "x = 1",
        "1 + " * 10_000 + "x = 1",
        "lower(" * 8_000,
        "CASE WHEN " * 5_000,
        "x IN (" * 5_000,
        "'" * 60_001,
        "a = 'x" + "''" * 30_000,
        "a AND (" * 5_000,
        "((x BETWEEN 1 AND 2) BETWEEN 1 AND 2) BETWEEN 1 AND 2",
        "\0",
        "'\0'",
        "'\ud800'",
        "x" * 70_000,
        "'" + "\u20ac" * 30_000 + "' = a",
    ],
    ids=lambda e: e[:12].encode("ascii", "backslashreplace").decode(),
)
def test_hostile_expressions(expression: str) -> None:
    """Huge and deep input gets a typed error, soon; it never hangs or crashes."""
    begin = time.thread_time()
    for read, text in (
        (parse_filter, expression),
        (parse, f"GRANT SELECT ON CATALOG WHERE {expression} TO ROLE r"),
    ):
        with pytest.raises(ParseFailed):
            read(text)
    assert time.thread_time() - begin < 20


def test_wide_is_fine() -> None:
    """Long lists and long conjunctions are not deep, and what is allowed can be read back."""
    many = ", ".join(map(str, range(8_000)))
    assert len(parse_filter(f"a IN ({many})").options) == 8_000  # type: ignore[union-attr]
    assert len(parse_filter(" AND ".join(["a"] * 5_000)).parts) == 5_000  # type: ignore[union-attr]
    deepest = "NOT " * 99 + "x"
    parse_filter(deepest)
    with pytest.raises(ParseFailed, match="deeper than 100"):
        parse_filter(f"NOT {deepest}")


def test_canonical_text_must_fit() -> None:
    """BETWEEN prints its subject twice; what would then be too long to read is refused."""
    subject = "concat(" + ", ".join(["'xxxxxxxx'"] * 4_000) + ")"
    with pytest.raises(ParseFailed, match="written out"):
        parse(f"GRANT SELECT ON CATALOG WHERE {subject} BETWEEN 'a' AND 'b' TO r")


@given(
    st.text(max_size=60) | st.lists(st.sampled_from(ACCEPTANCE.split()), max_size=14).map(" ".join)
)
@settings(deadline=None, max_examples=200)
def test_any_text(text: str) -> None:
    """Whatever the text, there is a statement or a typed error, and nothing else."""
    for read in (parse, parse_filter, parse_tags, parse_transform):
        with suppress(PrivetError):
            read(text)


def test_names_of_transforms_in_back_quotes() -> None:
    """Mean the same as without them."""
    text = "GRANT SELECT ON TABLE d.t TRANSFORM a.b WITH {}() TO ROLE r"
    assert parse(text.format("`mask`")) == parse(text.format("mask"))
