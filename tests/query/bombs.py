"""Statements that would take all memory, all time or all disk, by what they do."""

from __future__ import annotations

from collections.abc import Mapping

LIMITED = frozenset({"resources_exceeded", "statement_failed", "invalid_request"})
"""How a bomb may end. Answers are not among them."""
BOMBS: Mapping[str, str] = {
    "a trillion numbers": "SELECT sum(range) FROM range(1000000000000)",
    "a trillion rows": "SELECT * FROM range(1000000000000) ORDER BY hash(range)",
    "a list of a trillion": "SELECT range(1000000000000)",
    "lists of lists": "SELECT [range(100000) for x in range(100000)]",
    "a cross join": "SELECT count(*) FROM range(1000000) a, range(1000000) b"
    " WHERE hash(a) = hash(b) + 1",
    "a cross join kept": "SELECT list(a.range * b.range) FROM range(100000) a, range(100000) b",
    "a self join": "SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b"
    " WHERE a.range % 3 = b.range % 5",
    "repeat": "SELECT repeat('x', 1000000000)",
    "repeat of repeat": "SELECT repeat(repeat('x', 100000), 100000)",
    "repeated repeats": "SELECT sum(length(repeat('x', 100000000 + range::INT))) FROM range(1000)",
    "lpad": "SELECT lpad('x', 2000000000, 'y')",
    "rpad of rows": "SELECT rpad('x', 100000000 + range::INT, 'y') FROM range(100)",
    "format": "SELECT format('{:>1000000000}', 'x')",
    "printf": "SELECT printf('%1000000000s', 'x')",
    "bar": "SELECT bar(1, 0, 1, 1000000000)",
    "replace": "SELECT replace(repeat('x', 10000000), 'x', repeat('y', 10000))",
    "translate": "SELECT array_to_string(range(100000000), 'x')",
    "regexp_replace": "SELECT regexp_replace(repeat('x', 10000000), 'x', repeat('y', 1000), 'g')",
    "concatenation": "SELECT string_agg(repeat('x', 100000)) FROM range(1000000)",
    "list_filter": "SELECT list_filter(range(10000000000), lambda x: x % 2 = 0)",
    "list_transform": "SELECT list_sum(list_transform(range(50000000), lambda x: sqrt(x)))",
    "list_reduce": "SELECT list_reduce(range(10000000), lambda a, b: a + b)",
    "nested lambdas": "SELECT list_transform(range(100000), lambda x: list_sum("
    "list_transform(range(100000), lambda y: x * y)))",
    "list_resize": "SELECT list_resize([1], 10000000000)",
    "flatten": "SELECT flatten([range(10000000) for x in range(100)])",
    "list_sort": "SELECT list_sort(list_transform(range(30000000), lambda x: hash(x)))",
    "unnest": "SELECT unnest(range(10000)), unnest(range(10000)) FROM range(100000) ORDER BY ALL",
    "a recursion": "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r)"
    " SELECT max(n) FROM r",
    "a doubling recursion": "WITH RECURSIVE r AS (SELECT 'x' AS s UNION ALL SELECT s || s FROM r)"
    " SELECT max(length(s)) FROM r",
    "a multiplying recursion": "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL"
    " SELECT n FROM r, range(10)) SELECT count(*) FROM r",
    "a recursion with a key": "WITH RECURSIVE r(k, n) USING KEY (k) AS (SELECT 1, 1 UNION"
    " SELECT k % 10, n + 1 FROM r) SELECT count(*) FROM r",
    "regular expressions": "SELECT count(*) FROM range(3000) WHERE"
    " regexp_matches(repeat('a', 300000), '(a?){500}(a*)*b')",
    "a large expression": "SELECT regexp_matches('a', '((a{1,100}){1,100}){1,100}')",
    "like": "SELECT count(*) FROM range(100000) WHERE repeat('a', 50000) LIKE"
    " '%a%a%a%a%a%a%a%a%a%a%b'",
    "levenshtein": "SELECT levenshtein(repeat('a', 300000), repeat('b', 300000))",
    "similarity": "SELECT jaro_similarity(repeat('ab', 200000), repeat('ba', 200000))",
    "factorial": "SELECT sum(factorial(30 + 0 * range::INT)) FROM range(1000000000)",
    "windows": "SELECT sum(range) OVER (ORDER BY hash(range) ROWS 1000000 PRECEDING)"
    " FROM range(100000000)",
    "a quantile": "SELECT quantile_cont(hash(range), [0.1, 0.5]) FROM range(1000000000)",
    "distinct": "SELECT count(DISTINCT hash(range)) FROM range(1000000000)",
    "groups": "SELECT hash(range), count(*) FROM range(1000000000) GROUP BY ALL",
    "groups of texts": "SELECT repeat(range::VARCHAR, 100), count(*) FROM range(100000000)"
    " GROUP BY ALL",
    "a histogram": "SELECT histogram(hash(range)) FROM range(100000000)",
    "a map": "SELECT map(range(100000000), range(100000000))",
    "json": "SELECT json_group_array(repeat('x', 1000)) FROM range(10000000)",
    "deep json": "SELECT json_extract(repeat('[', 10000000), '$')",
    "a series": "SELECT count(*) FROM generate_series(TIMESTAMP '1000-01-01',"
    " TIMESTAMP '9999-01-01', INTERVAL 1 MICROSECOND)",
    "a correlated count": "SELECT (SELECT count(*) FROM range(a.range * 1000000))"
    " FROM range(100000) a",
    "exists": "SELECT count(*) FROM range(1000000) a WHERE NOT EXISTS"
    " (SELECT 1 FROM range(1000000) b WHERE b.range * b.range = a.range + 0.5)",
    "tokens": "SELECT count(DISTINCT tokenize(range::VARCHAR || '-000000000'))"
    " FROM range(1000000000)",
    "masks": "SELECT sum(length(mask(repeat('x', 1000000)))) FROM range(100000)",
    "bits": "SELECT bit_count(repeat('1', 1000000000)::BIT)",
    "hexadecimal": "SELECT length(hex(repeat('x', 700000000)))",
    "a large number": "SELECT pow(10::BIGNUM, 10)::VARCHAR, repeat('9', 5000000)::BIGNUM * 1",
    "many columns wide": "SELECT max(COLUMNS(*)) FROM (SELECT unnest(range(10000000)) AS a, *"
    " FROM range(100) b, range(100) c)",
    "pivots": "PIVOT (SELECT range AS r, range % 7 AS k FROM range(1000000000)) ON k IN (1, 2, 3)"
    " USING count(*) GROUP BY r",
    "sampling": "SELECT count(*) FROM range(1000000000000) USING SAMPLE 1000000 ROWS",
    "asof": "SELECT count(*) FROM range(100000000) a ASOF JOIN range(100000000) b"
    " ON a.range >= b.range",
}
WHILE_PLANNING: Mapping[str, str] = {
    "list_filter": "SELECT list_filter(range(100000000), lambda x: x % 2 = 0)[1] AS a",
    "a list": "SELECT length(range(10000000000)) AS a",
    "repeat": "SELECT length(repeat(repeat('x', 100000), 100000)) AS a",
    "levenshtein": "SELECT levenshtein(repeat('a', 300000), repeat('b', 300000)) AS a",
    "regular expressions": "SELECT regexp_matches(repeat('a', 9000000), '(a?){900}(a*)*b') AS a",
    "condition": "SELECT 1 AS a FROM range(3) WHERE list_sum(range(1000000000)) > 1",
    "limit": "SELECT 1 AS a FROM range(3) LIMIT (list_sum(range(1000000000)))",
    "parameter of a table": "SELECT 1 AS a FROM range(list_sum(range(1000000000))::BIGINT)",
    "pivot": "PIVOT range(10) ON range IN (1, 2) USING count(*)",
    "cte": "WITH a AS (SELECT list_sum(range(1000000000)) AS a) SELECT a FROM a",
}
"""Statements whose constants are computed before anything runs."""
