"""Hostile statements that are made rather than written.

Every way to name what is hidden, in every place where a name can stand; and statements that are
large, deep or long.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

REFERENCES = (
    "phone",
    "v.phone",
    '"phone"',
    'v."PHONE"',
    "PhOnE",
    "COLUMNS('^phone$')",
    "COLUMNS(lambda c: c = 'phone')",
    "struct_extract(v, 'phone')",
    "v.note",
    "(SELECT phone)",
    "(SELECT w.phone FROM clinic.visits w WHERE w.id = v.id)",
)
"""Ways to say a hidden column of `clinic.visits v`."""
PLACES = (
    "SELECT {} FROM clinic.visits v",
    "SELECT {} IS NULL FROM clinic.visits v",
    "SELECT id FROM clinic.visits v WHERE {} = 'x'",
    "SELECT id FROM clinic.visits v WHERE {} IS NULL OR true",
    "SELECT id FROM clinic.visits v WHERE id = 1 AND {} > ''",
    "SELECT id FROM clinic.visits v WHERE {} IN (SELECT town FROM clinic.towns)",
    "SELECT id FROM clinic.visits v ORDER BY {}",
    "SELECT count(*) FROM clinic.visits v GROUP BY {}",
    "SELECT city FROM clinic.visits v GROUP BY city HAVING max({}) > 'a'",
    "SELECT city, max(id ORDER BY {}) FROM clinic.visits v GROUP BY city",
    "SELECT count(*) FILTER (WHERE {} = 'x') FROM clinic.visits v",
    "SELECT row_number() OVER (ORDER BY {}) FROM clinic.visits v",
    "SELECT count(*) OVER (PARTITION BY {}) FROM clinic.visits v",
    "SELECT sum(id) OVER (ORDER BY id ROWS {} PRECEDING) FROM clinic.visits v",
    "SELECT id FROM clinic.visits v QUALIFY max({}) OVER () = 'x'",
    "SELECT DISTINCT ON ({}) id FROM clinic.visits v",
    "SELECT CASE WHEN id = 1 THEN {} END FROM clinic.visits v",
    "SELECT CASE {} WHEN 'x' THEN 1 END FROM clinic.visits v",
    "SELECT list_transform([1], lambda x: {}) FROM clinic.visits v",
    "SELECT [{} for x in [1]] FROM clinic.visits v",
    "SELECT {{'a': {}}} FROM clinic.visits v",
    "SELECT [{}] FROM clinic.visits v",
    "SELECT map([1], [{}]) FROM clinic.visits v",
    "SELECT CAST({} AS INT) FROM clinic.visits v",
    "SELECT TRY_CAST({} AS DATE) FROM clinic.visits v",
    "SELECT {}::VARCHAR || 'x' FROM clinic.visits v",
    "SELECT concat('a', {}) FROM clinic.visits v",
    "SELECT tokenize({}) FROM clinic.visits v",
    "SELECT error({}) FROM clinic.visits v",
    "SELECT max(s) FROM (SELECT {} AS s FROM clinic.visits v)",
    "WITH a AS (SELECT {} AS s FROM clinic.visits v) SELECT s FROM a",
    "WITH a AS MATERIALIZED (SELECT {} AS s FROM clinic.visits v) SELECT count(s) FROM a",
    "SELECT id FROM clinic.visits v WHERE EXISTS (SELECT 1 FROM clinic.towns t WHERE t.town = {})",
    "SELECT t.town FROM clinic.visits v JOIN clinic.towns t ON t.town = {}",
    "SELECT t.town FROM clinic.towns t LEFT JOIN clinic.visits v ON {} = t.town",
    "SELECT x FROM clinic.visits v, LATERAL (SELECT {} AS x)",
    "SELECT x FROM clinic.visits v, unnest([{}]) u(x)",
    "SELECT city FROM clinic.towns t, clinic.visits v UNION ALL SELECT {} FROM clinic.visits v",
    "SELECT count(*) FROM clinic.visits v GROUP BY GROUPING SETS (({}), ())",
    "SELECT string_agg(DISTINCT {}, ',') FROM clinic.visits v",
    "EXPLAIN SELECT {} FROM clinic.visits v",
    "DESCRIBE SELECT {} FROM clinic.visits v",
    "SUMMARIZE SELECT {} FROM clinic.visits v",
    "WITH RECURSIVE r AS (SELECT {} AS s FROM clinic.visits v UNION SELECT s FROM r) FROM r",
)


def hidden_columns() -> Iterator[str]:
    """Every reference in every place."""
    for place, reference in itertools.product(PLACES, REFERENCES):
        yield place.format(reference)


def _nested(opening: str, middle: str, closing: str, depth: int) -> str:
    return opening * depth + middle + closing * depth


LARGE: Mapping[str, str] = {
    "parentheses": f"SELECT {_nested('(', '1', ')', 1_000)}",
    "more parentheses": f"SELECT {_nested('(', '1', ')', 50_000)}",
    "open parentheses": f"SELECT {'(' * 60_000}",
    "subqueries": _nested("SELECT * FROM (", "SELECT 1", ")", 1_000),
    "scalar subqueries": f"SELECT {_nested('(SELECT ', '1', ')', 1_000)}",
    "functions": f"SELECT {_nested('abs(', '1', ')', 2_000)}",
    "casts": f"SELECT 1{'::INT' * 10_000}",
    "lists": f"SELECT {_nested('[', '1', ']', 1_000)}",
    "structs": f"SELECT {_nested('{' + chr(39) + 'a' + chr(39) + ': ', '1', '}', 1_000)}",
    "types": f"SELECT NULL::{_nested('STRUCT(a ', 'INT', ')', 1_000)}",
    "array types": f"SELECT NULL::INT{'[]' * 10_000}",
    "case": f"SELECT {_nested('CASE WHEN true THEN ', '1', ' END', 1_000)}",
    "not": f"SELECT {'NOT ' * 20_000} true",
    "minus": f"SELECT {'- ' * 40_000} 1",
    "conjunction": "SELECT id FROM clinic.visits WHERE "
    + " AND ".join(f"id != {n}" for n in range(8_000)),
    "disjunction": "SELECT id FROM clinic.visits WHERE "
    + " OR ".join(f"id = {n}" for n in range(8_000)),
    "in list": "SELECT count(*) FROM clinic.visits WHERE id IN ("
    + ",".join(map(str, range(20_000)))
    + ")",
    "texts": "SELECT count(*) FROM clinic.visits WHERE city IN ("
    + ",".join(["$$town1$$"] * 9_000)
    + ")",
    "union": " UNION ALL ".join(["SELECT 1"] * 4_000),
    "union of a dataset": " UNION ALL ".join(["FROM clinic.visits"] * 2_000),
    "sum": f"SELECT {' + '.join(['1'] * 30_000)}",
    "concatenation": f"SELECT {' || '.join(['$$a$$'] * 10_000)}",
    "columns": f"SELECT {','.join(f'{n} AS c{n}' for n in range(8_000))}",
    "ctes": "WITH c0 AS (SELECT 1 AS a)"
    + "".join(f", c{n} AS (SELECT a FROM c{n - 1})" for n in range(1, 2_000))
    + " SELECT * FROM c1999",
    "doubling ctes": "WITH c0 AS (SELECT 1 AS a)"
    + "".join(f", c{n} AS (FROM c{n - 1} UNION ALL FROM c{n - 1})" for n in range(1, 60))
    + " SELECT count(*) FROM c59",
    "joins": "SELECT count(*) FROM (SELECT 1) t0"
    + "".join(f" JOIN (SELECT 1) t{n} ON true" for n in range(1, 500)),
    "datasets": "SELECT 1 FROM " + ", ".join(f"d{n}.t" for n in range(2_000)),
    "lambda": f"SELECT {_nested('list_transform([1], lambda x: ', 'x', ')', 500)}",
    "name": f"SELECT {'n' * 100_000} FROM clinic.visits",
    "dataset name": f"SELECT 1 FROM clinic.{'n' * 100_000}",
    "alias": f'SELECT 1 AS "{"é" * 60_000}"',
    "text": f"SELECT length('{'x' * 130_000}')",
    "too long": f"SELECT '{'x' * 256 * 1024}'",
    "comments": f"{'/**/' * 30_000} SELECT 1",
    "line comments": "--\n" * 40_000 + "SELECT 1",
    "nested comments": f"SELECT 1 {_nested('/*', '', '*/', 30_000)}",
    "semicolons": f"SELECT 1{';' * 100_000}",
    "statements": "SELECT 1;" * 10_000,
    "whitespace": f"SELECT{' ' * 130_000}1",
    "parameters": f"SELECT {', '.join(['?'] * 20_000)}",
    "order": f"SELECT id FROM clinic.visits ORDER BY {', '.join(['id'] * 10_000)}",
    "group": f"SELECT count(*) FROM clinic.visits GROUP BY {', '.join(['id'] * 10_000)}",
    "cube": f"SELECT count(*) FROM clinic.visits GROUP BY CUBE ({', '.join(['id'] * 40)})",
    "windows": "SELECT "
    + ", ".join(f"sum(id + {n}) OVER (ORDER BY id)" for n in range(500))
    + " FROM clinic.visits",
    "pivot": "PIVOT clinic.visits ON city IN ("
    + ", ".join(f"'v{n}'" for n in range(5_000))
    + ") USING count(*)",
    "similar": f"SELECT 'a' SIMILAR TO '{_nested('(', 'a', ')*', 900)}'",
    "grouping": f"SELECT 1 GROUP BY GROUPING SETS ({', '.join(['()'] * 20_000)})",
    "values": f"VALUES {', '.join(['(1)'] * 30_000)}",
    "wide values": f"VALUES ({', '.join(['1'] * 30_000)})",
    "dots": f"SELECT a{'.a' * 50_000} FROM clinic.visits",
    "slices": f"SELECT city{'[1:]' * 5_000} FROM clinic.visits",
    "methods": f"SELECT city{'.upper()' * 5_000} FROM clinic.visits",
    "quotes": f"SELECT '{chr(39) * 100_000}'",
    "numbers": f"SELECT {'9' * 100_000}",
    "decimals": f"SELECT 0.{'9' * 100_000}",
    "exponents": "SELECT 1e999999999, 1e-999999999",
    "explain": f"EXPLAIN SELECT {_nested('(', '1', ')', 1_000)}",
}
"""Statements that are large or deep, by what there is much of."""
