"""Which conditions the reader takes over: those of which it and the engine agree, and no others."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest

from query.platforms import Person, Place

TAKEN: dict[str, list[str]] = {
    "i = 1": ["i = 1"],
    "1 = i": ["i = 1"],
    "NOT i = 1": ["i != 1"],
    "i = '1'": ["i = 1"],
    "i + 0 = 1": ["i = 1"],
    "i = 1 AND t = 'a'": ["i = 1", "t = 'a'"],
    "i BETWEEN 1 AND 5": ["i >= 1", "i <= 5"],
    "i IN (1, 2)": ["i IN (1, 2)"],
    "tiny = 1": ["tiny = 1"],
    "u > 5": ["u > 5"],
    "t > 'a'": ["t > 'a'"],
    "t = 'it''s'": ["t = 'it''s'"],
    "t LIKE 'abc'": ["t = 'abc'"],
    "x = true": ["x = TRUE"],
    "x > false": ["x > FALSE"],
    "token = 'abc'": ["token = 'abc'"],
    "token IN ('a', 'b')": ["token IN ('a', 'b')"],
    "masked = 'XXX'": ["masked = 'XXX'"],
    # A part of what is asked is taken over where the rest cannot be.
    "i = 1 AND f > 2": ["i = 1"],
    "i = 1 AND random() < 2": ["i = 1"],
    # Numbers that are no whole numbers of 64 bits, and what is compared as something else.
    "i = 1.5": [],
    "u = 18446744073709551615": [],
    "i = 9223372036854775808": [],
    "i = -9223372036854775808": [],
    "tiny = 1000": [],
    "u = -1": [],
    "i::VARCHAR = '1'": [],
    "i = j": [],
    "i = tiny": [],
    # Other kinds, on which engines differ.
    "f = 1": [],
    "p = 1": [],
    "d = DATE '2024-01-01'": [],
    "l IS NULL": [],
    "s.a = 1": [],
    # NULL, and what is not a conjunction.
    "i IS NULL": [],
    "i IN (1, NULL)": [],
    "i NOT IN (1, 2)": [],
    "i IS DISTINCT FROM 1": [],
    "i > 5 OR i < 2": [],
    "i = NULL": [],
    "CASE WHEN i = 1 THEN true END": [],
    # Text by other rules.
    "t COLLATE NOCASE = 'a'": [],
    "lower(t) = 'a'": [],
    "t LIKE 'a%'": [],
    "t ILIKE 'abc'": [],
    "t = chr(0)": [],
    # What has to be read first.
    "i = (SELECT 1)": [],
    "i IN (SELECT 1)": [],
}


@pytest.fixture(scope="module")
def reader(place: Place) -> Person:
    """Of two rows, with a token and a mask among their columns."""
    table = pa.table(
        {
            "i": pa.array([1, 2], pa.int64()),
            "j": pa.array([1, 2], pa.int64()),
            "tiny": pa.array([1, 2], pa.int8()),
            "u": pa.array([1, 2], pa.uint64()),
            "t": ["a", "b"],
            "x": [True, False],
            "f": [1.0, 2.0],
            "d": [dt.date(2024, 1, 1)] * 2,
            "p": pa.array([Decimal("1.00")] * 2, pa.decimal128(10, 2)),
            "token": ["abc", "abd"],
            "masked": ["abc", "abd"],
            "l": [[1], [2]],
            "s": [{"a": 1, "b": 2}] * 2,
        }
    )
    place.dataset(table, "taken.t", {"token": ["phi.mrn"], "masked": ["phi.zip"]})
    transforms = "TRANSFORM phi.mrn WITH tokenize() TRANSFORM phi.zip WITH mask()"
    return place.person(f"GRANT SELECT ON TABLE taken.t {transforms}")


@pytest.mark.parametrize("condition", TAKEN)
def test_taken_over(place: Place, reader: Person, condition: str) -> None:
    """As EXPLAIN says."""
    got = place.ask(reader, f"EXPLAIN SELECT i FROM taken.t WHERE {condition}")
    said = [line.partition("only rows where ") for (line,) in got.rows]
    assert [text for _, found, text in said if found] == TAKEN[condition]


def test_a_parameter_is_a_value(place: Place, reader: Person) -> None:
    """Of a prepared statement too."""
    got = place.ask(reader, "EXPLAIN SELECT i FROM taken.t WHERE i = $1 AND t = $2", [1, "a"])
    assert [line for (line,) in got.rows if "only rows" in line] == [
        "  only rows where i = 1",
        "  only rows where t = 'a'",
    ]


@pytest.mark.parametrize("read", ["s.a", "s", "struct_extract(s, 'b')", "s.a + s.b", "s.*"])
def test_fields_of_columns(place: Place, reader: Person, read: str) -> None:
    """Where only a field of a column is read, the plan says the column, and rows are right."""
    got = place.ask(reader, f"EXPLAIN SELECT {read} FROM taken.t")
    assert "  column s: as it is" in [line for (line,) in got.rows]
    assert place.ask(reader, f"SELECT {read} FROM taken.t").code == ""


def test_an_explanation_says_how_columns_are_seen(place: Place, reader: Person) -> None:
    """And neither files nor numbers of rows."""
    got = place.ask(reader, "EXPLAIN SELECT token, masked, count(*) FROM taken.t GROUP BY ALL")
    lines = [line for (line,) in got.rows]
    assert lines[:3] == [
        "reads taken.t",
        "  column token: tokenized",
        "  column masked: masked",
    ]
    assert not any(word in " ".join(lines) for word in ("parquet", "file", "2 rows", "~"))
