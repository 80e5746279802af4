"""The original's SQL: what it means here, and what is refused."""

from __future__ import annotations

from contextlib import suppress

import pytest

from privet.model.errors import InvalidRequest, ParseFailed, ResourcesExceeded
from privet.model.names import DatasetName
from privet.model.principals import Principal
from privet.model.requests import QueryRequest, ScanRequest
from privet.okera.dialect import understood

WHO = Principal("o'hara", attributes={"town": "x' OR 1=1 --"})


def written(text: str) -> str:
    """The engine's statement."""
    request = understood(text, WHO)
    assert isinstance(request, QueryRequest)
    assert request.original == text
    return request.text


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("select * from D.T", None),
        ("SELECT * FROM `d`.`t`;", None),
        ("select * from d.t limit 0", 0),
        ("select * from d.t -- all\n limit 7", 7),
    ],
)
def test_plain_selects_are_scans(text: str, limit: int | None) -> None:
    """Whole datasets, and the first rows of them."""
    assert understood(text, WHO) == ScanRequest(DatasetName("d", "t"), limit=limit)


@pytest.mark.parametrize(
    "text",
    [
        "select * from d.t where a = 1",
        "select distinct * from d.t",
        "select * from d.t limit 1 offset 2",
        "select *, a from d.t",
        "select t.* from d.t",
        "select * from d.t as x(a, b)",
        "select * from d.t tablesample (10 percent)",
        "select * from d.t order by a",
        "select * from d.t, d.u",
        "select * from c.d.t",
        "select * from t",
        "select * from (select * from d.t) x",
        "with t as (select 1) select * from d.t",
        "select 1",
    ],
)
def test_anything_more_is_a_query(text: str) -> None:
    """Nothing of a statement is left out for the sake of a scan."""
    assert written(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('select "phone" as x', "SELECT 'phone' AS \"x\""),
        ('select `a b` from d.t where c like "1%"',
         'SELECT "a b" FROM "d"."t" WHERE "c" LIKE \'1%\''),
        ("select 'it\\'s'", "SELECT 'it''s'"),
        ('select "it\'s"', "SELECT 'it''s'"),
        ("select user()", "SELECT 'o''hara' AS \"user\""),
        ("select 1 where user() = 'x'", "SELECT 1 WHERE 'o''hara' = 'x'"),
        ("select user_attribute('town') as t", "SELECT 'x'' OR 1=1 --' AS \"t\""),
        ("select user_attribute('none') as t", 'SELECT NULL AS "t"'),
        ("select nvl(a, b) as c from d.t", 'SELECT COALESCE("a", "b") AS "c" FROM "d"."t"'),
        ("select sha2(a, 256) as c from d.t", 'SELECT SHA2("a") AS "c" FROM "d"."t"'),
        ("select 1 from d.t where ts = fpt('2015-01-01', signed_user(false)) and a = fpt(1)",
         'SELECT 1 FROM "d"."t" WHERE CAST("ts" AS TEXT) = {} AND "a" = FPT(1)'.format(
             "FPT('2015-01-01', SIGNED_USER(FALSE))")),
        ("select 1 /* x */ as a -- y", 'SELECT 1 AS "a"'),
    ],
)  # fmt: skip
def test_what_differs_is_said_in_the_engines_words(text: str, expected: str) -> None:
    """Quotes, functions, the reader's own name and attributes; values stay values."""
    assert written(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "", ";", "select 1; select 2", "insert into d.t select 1", "drop table d.t", "show tables",
        "explain select 1", "describe d.t", "set x = 1", "attach 'x'", "copy d.t to 'x'",
        "create table x as select 1", "select user_attribute(a) from d.t", "pragma x",
        "select * from `d.x`.`t`", "select * from d.`t;`",
    ],
)  # fmt: skip
def test_only_one_select(text: str) -> None:
    """Everything else is refused, not passed on."""
    with pytest.raises(InvalidRequest):
        understood(text, WHO)


def test_mistakes_have_a_place() -> None:
    """Where the author wrote them, in a sentence of ours."""
    with pytest.raises(ParseFailed) as caught:
        understood("select a\nfrom where", WHO)
    assert caught.value.position is not None
    assert caught.value.position.line == 2
    assert "where" not in caught.value.message


@pytest.mark.parametrize(
    "text",
    [
        "select " + "(" * 20_000,
        "select " + "(" * 3_000 + "1" + ")" * 3_000,
        "select " + "-" * 2 + "\n" + "not " * 20_000 + "1",
        "select 1 where " + " or ".join(["a = 1"] * 10_000),
        "select '" + "x" * 200_000 + "'",
        "\0select 1",
        "select 'x",
        "select \ud800",
    ],
)
def test_hostile_texts_end_in_an_error_of_ours_or_a_query(text: str) -> None:
    """Deep, long and broken ones."""
    with suppress(InvalidRequest, ResourcesExceeded):
        understood(text, WHO)
