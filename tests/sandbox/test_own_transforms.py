"""The transforms as functions of user SQL: every form, every type, no key of a policy."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from datetime import date
from typing import Any

import duckdb
import pytest

from privet.model.transforms import SPECS
from privet.sandbox.engine import open_engine
from privet.sandbox.transforms import OwnKeys, add_transforms, preload
from privet.sandbox.wire import Own

OF_THE_ENGINE = {"null", "round", "lower", "upper", "hash"}
NAMES = [n for s in SPECS if s.name not in OF_THE_ENGINE for n in (s.name, *s.aliases)]
KEYED = [n for s in SPECS if s.keyed and s.name != "hash" for n in (s.name, *s.aliases)]
OWN = Own(b"s" * 32, b"t" * 32, b"u" * 32, today=date(2026, 7, 1))
VALUES = {
    "VARCHAR": "'MRN-12345678'",
    "BLOB": "'MRN-12345678'::BLOB",
    "TINYINT": "5::TINYINT",
    "SMALLINT": "1024::SMALLINT",
    "INTEGER": "12345678",
    "BIGINT": "123456789123456",
    "UTINYINT": "5::UTINYINT",
    "USMALLINT": "5::USMALLINT",
    "UINTEGER": "5::UINTEGER",
    "UBIGINT": "5::UBIGINT",
    "FLOAT": "12.345::FLOAT",
    "DOUBLE": "12.345::DOUBLE",
    "BOOLEAN": "true",
    "DATE": "DATE '2015-05-06'",
    "TIME": "TIME '10:11:12'",
    "TIMESTAMP": "TIMESTAMP '2015-05-06 10:00:00'",
    "TIMESTAMP_S": "'2015-05-06'::TIMESTAMP_S",
    "TIMESTAMP_MS": "'2015-05-06'::TIMESTAMP_MS",
    "TIMESTAMP_NS": "'2015-05-06'::TIMESTAMP_NS",
    "TIMESTAMP WITH TIME ZONE": "'2015-05-06 00:00:00Z'::TIMESTAMPTZ",
}


def engine(own: Own = OWN) -> duckdb.DuckDBPyConnection:
    connection, keys = open_engine(), OwnKeys()
    keys.take(own)
    add_transforms(connection, keys)
    return connection


@pytest.fixture(scope="module")
def sql() -> Iterator[duckdb.DuckDBPyConnection]:
    """One engine for all."""
    with engine() as connection:
        yield connection


def one(sql: duckdb.DuckDBPyConnection, expression: str) -> Any:
    ((value,),) = sql.execute(f"SELECT {expression}").fetchall()
    return value


@pytest.mark.parametrize("name", NAMES)
def test_every_name_on_every_type(sql: duckdb.DuckDBPyConnection, name: str) -> None:
    """Where it fits, it gives the same type, and NULL for NULL; else it is no such function."""
    spec = next(s for s in SPECS if name in (s.name, *s.aliases))
    extra = {"bucket": ", 7", "truncate": ", 1"}.get(spec.name, "")
    for kind, value in VALUES.items():
        more = ", 'month'" if extra == ", 1" and kind.startswith(("DATE", "TIMESTAMP")) else extra
        try:
            told = one(sql, f"typeof({name}({value}{more}))")
        except duckdb.BinderException:
            assert spec.name in {
                *("mask_ccn", "phi_age", "phi_date", "phi_dob", "phi_zip3"),
                *("truncate", "bucket", "diff_privacy"),
            }, kind
            continue
        # The engine casts narrow integers up where only wider ones fit.
        assert told == kind or (spec.name == "phi_zip3" and told == "BIGINT")
        assert one(sql, f"{name}(NULL::{kind}{more})") is None


@pytest.mark.parametrize("name", KEYED)
def test_forms_of_tokens(sql: duckdb.DuckDBPyConnection, name: str) -> None:
    """Shared without a second argument and with signed_user(false); signed by the reader else."""
    for value in ("'MRN-12345678'", "123456789", "1.5::DECIMAL(24,10)", "DATE '2015-05-06'"):
        plain = one(sql, f"{name}({value})")
        assert plain == one(sql, f"{name}({value}, signed_user(false))")
        signed = one(sql, f"{name}({value}, signed_user(true))")
        assert signed != plain
        assert one(sql, f"{name}({value}, signed_user(true))") == signed
    assert one(sql, f"{name}(true)") is None
    assert one(sql, f"{name}(false, signed_user(true))") is None
    mixed = sql.execute(
        f"SELECT {name}('MRN-12345678', signed_user(range % 2 = 0)) FROM range(4)"
    ).fetchall()
    assert mixed[0] == mixed[2] != mixed[1] == mixed[3]


def test_what_a_key_depends_on() -> None:
    """Another reader, writer or dataset, and tokens are others; the same, and they are the same."""

    def tokens(own: Own) -> list[Any]:
        calls = ("tokenize('MRN-12345678')", "tokenize_no_ref('MRN-12345678')")
        signed = ", signed_user(true))"
        with engine(own) as connection:
            forms = [*calls, *(call.replace(")", signed) for call in calls)]
            return [one(connection, form) for form in forms]

    before = tokens(OWN)
    assert tokens(OWN) == before
    assert len(set(before)) == 4
    for other, same in (
        (Own(b"x" * 32, OWN.shared), [True, True, False, False]),
        (Own(OWN.secret, b"x" * 32), [False, False, True, True]),
        (Own(OWN.secret, OWN.shared, place="another view"), [True, False, True, False]),
    ):
        assert [a == b for a, b in zip(tokens(other), before, strict=True)] == same


def test_chance() -> None:
    """Fresh for each row and statement, also of equal cells and of constants."""
    query = "SELECT fp_random('MRN-12345678'), nfp_random(7), fp_random(7, signed_user(true))"
    query += ", diff_privacy(100::BIGINT, 1000) FROM range(50)"
    with engine() as first, engine(Own(OWN.secret, OWN.shared, b"v" * 32)) as second:
        rows, others = first.execute(query).fetchall(), second.execute(query).fetchall()
    for column in range(3):
        assert len({row[column] for row in rows}) == 50
        assert not {row[column] for row in rows} & {row[column] for row in others}
    assert len({row[3] for row in rows}) > 40


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("mask('Ann Lee')", "XXX XXX"),
        ("mask('Ann Lee', 4)", "Ann XXX"),
        ("mask('Ann Lee', 0, 2)", "XXn Lee"),
        ("mask(17)", 0),
        ("mask_ccn('4539797705756008')", "XXXXXXXXXXXX6008"),
        ("truncate('abcdef', 2)", "ab"),
        ("truncate(1234, -2)", 1200),
        ("truncate(DATE '2015-05-06', 'year')", date(2015, 1, 1)),
        ("bucket(17, 5)", 15),
        ("bucket(1.7::DOUBLE, 0.5)", 1.5),
        ("phi_age(97)", 90),
        ("phi_date(DATE '2015-05-06')", date(2015, 1, 1)),
        ("phi_dob(DATE '1901-05-06')", date(1936, 1, 1)),
        ("phi_zip3('90210-1234')", "902"),
        ("phi_zip3('03601')", "000"),
        ("zero('x')", ""),
        ("lower(mask('Ann'))", "xxx"),
    ],
)
def test_plain_transforms(sql: duckdb.DuckDBPyConnection, expression: str, wanted: Any) -> None:
    """With their arguments, as in a policy."""
    assert one(sql, expression) == wanted


def test_arguments_from_row_to_row(sql: duckdb.DuckDBPyConnection) -> None:
    """They may differ, within reason; NULL makes NULL, and what cannot be is an error."""
    query = "SELECT mask('abcdef', range % 3), mask(NULL, range), mask('a', NULL) FROM range(5)"
    rows = sql.execute(query).fetchall()
    assert [row[0] for row in rows] == ["XXXXXX", "aXXXXX", "abXXXX", "XXXXXX", "aXXXXX"]
    assert {row[1:] for row in rows} == {(None, None)}
    assert sql.execute("SELECT mask(x, 1) FROM (SELECT 'a' AS x) WHERE false").fetchall() == []
    for bad in (
        "SELECT mask('abc', -1)",
        "SELECT truncate('abc', -1)",
        "SELECT truncate(DATE '2015-05-06', 'decade')",
        "SELECT bucket(7, 0)",
        "SELECT bucket(7, 'nan'::DOUBLE)",
        "SELECT bucket(7, 'inf'::DOUBLE)",
        "SELECT mask('abc', range) FROM range(1000)",
    ):
        with pytest.raises(duckdb.Error):
            sql.execute(bad).fetchall()


def test_many_rows_at_once(sql: duckdb.DuckDBPyConnection) -> None:
    """Chunks of any length come back whole, NULLs in their places."""
    query = (
        "SELECT range, tokenize(CASE WHEN range % 7 > 0 THEN 'MRN-' || (10000000 + range) END),"
        " tokenize('MRN-' || (10000000 + range)) FROM range(10000)"
    )
    for number, some, every in sql.execute(query).fetchall():
        assert some == (every if number % 7 else None)


def test_keys_stay_here() -> None:
    """They are not printed, and not pickled."""
    keys = OwnKeys()
    keys.take(OWN)
    for secret in ("s" * 32, "t" * 32, "u" * 32):
        assert secret not in repr(OWN)
        assert secret not in repr(keys)
    for thing in (keys, OWN):
        with pytest.raises(TypeError):
            pickle.dumps(thing)
    assert Own.from_json(OWN.to_json()) == OWN


def test_everything_is_loaded_before() -> None:
    """Each function of each type runs once when the template is made."""
    preload()
