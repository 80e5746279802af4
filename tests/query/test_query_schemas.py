"""What is described is what is answered: the same columns, under the same names and types."""

from __future__ import annotations

import pyarrow as pa
import pytest

from query.platforms import Person, Place

STATEMENTS = (
    "SELECT 1",
    "SELECT 1;",
    "SELECT 1; -- end",
    "SELECT 1; /* x */ ;",
    "; SELECT id FROM {} ;; -- ; end",
    "SELECT id FROM {}; -- é",
    "SELECT ';' AS a FROM {} -- ;",
    '/* ; */ SELECT $$;$$ AS ";" ;',
    'SELECT \'x\' AS "a b", 1 AS "a b"',
    "SELECT id, id FROM {}",
    "SELECT *, * FROM {}",
    "SELECT a.*, b.* FROM {} a JOIN {} b USING (id)",
    "SELECT NULL, [NULL], {{'a': NULL}}, map([1], [NULL])",
    "SELECT 'x'::ENUM('x', 'y'), ['x'::ENUM('x', 'y')], {{'e': 'x'::ENUM('x', 'y')}}",
    "SELECT 1::HUGEINT, 1::UHUGEINT, 1.5, 1.5::DECIMAL(38, 10), 1e0, sum(1)",
    "SELECT DATE '2024-01-31', TIME '12:00', TIMESTAMP '2024-01-31', TIMESTAMPTZ '2024-01-31'",
    "SELECT TIMESTAMP_S '2024-01-31', TIMESTAMP_MS '2024-01-31', TIMESTAMP_NS '2024-01-31'",
    "SELECT INTERVAL 1 MONTH, 'x'::BLOB, '101'::BIT, uuid() IS NULL, '{{}}'::JSON",
    "SELECT [1, 2]::INT[2], [[1]], {{'a': [1], 'b': {{'c': 1}}}}, map([1], ['x'])",
    "SELECT 12345678901234567890::BIGNUM, 1::VARIANT",
    "DESCRIBE {}",
    "SUMMARIZE {}",
    "EXPLAIN SELECT id FROM {} WHERE id = 1",
    "PIVOT {} ON name IN ('a', 'b') USING count(*) GROUP BY id",
    "UNPIVOT {} ON id, part INTO NAME k VALUE v",
    "FROM {} LIMIT 1",
    "SELECT count(*), max(name) FROM {}",
    'SELECT id AS "ID", name "select", part AS "ü" FROM {}',
    "VALUES (1, 'a'), (2, NULL)",
    "SELECT unnest([1, 2]) AS u, unnest({{'a': 1, 'b': 2}})",
    "SELECT COLUMNS('^(id|part)$') + 1 FROM {}",
    "SELECT 1 WHERE false",
    "SELECT * FROM {} WHERE false",
)


@pytest.fixture(scope="module")
def reader(place: Place) -> Person:
    """Sees three columns of a dataset that has four."""
    table = pa.table(
        {"id": [1, 2, 3], "name": ["a", "b", None], "part": [0.5, None, 1.5], "phone": ["p"] * 3}
    )
    place.dataset(table, "schemas.t", {"phone": ["phi.phone_number"]})
    return place.person(
        "GRANT SELECT ON TABLE schemas.t HAVING ATTRIBUTE NOT IN (phi.phone_number)"
    )


@pytest.mark.parametrize("statement", STATEMENTS)
def test_described_as_answered(place: Place, reader: Person, statement: str) -> None:
    """Clients compare the two, and take the answer for broken where they differ."""
    sql = statement.format("schemas.t", "schemas.t")
    described, answered = place.describe(reader, sql), place.ask(reader, sql)
    assert answered.table is not None, answered.error
    assert described.table is not None, described.error
    assert described.table.schema.equals(answered.table.schema)
    assert answered.table.schema.metadata is None


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT union_value(n := 2)",
        "SELECT phone FROM schemas.t",
        "SELECT name + 1 FROM schemas.t",
        "SELECT * FROM schemas.absent",
        "SELECT 1 UNION SELECT 1, 2",
        "SELECT id FROM schemas.t LIMIT 'x'",
    ],
)
def test_refused_as_described(place: Place, reader: Person, sql: str) -> None:
    """What cannot be planned is refused in the same words whether or not it would be run."""
    described, answered = place.describe(reader, sql), place.ask(reader, sql)
    assert answered.error is not None
    assert described.told() == answered.told()


def test_types_leave_plain(place: Place, reader: Person) -> None:
    """No dictionaries, no extensions, no columns without a type, at any depth."""
    got = place.ask(reader, STATEMENTS[12].format("")), place.ask(reader, STATEMENTS[13].format(""))
    for answer in got:
        assert answer.table is not None, answer.error
        text = str(answer.table.schema)
        assert "null" not in text.replace("not null", "")
        assert "dictionary" not in text
