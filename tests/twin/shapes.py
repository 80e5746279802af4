"""More shapes of generated SELECTs: WITH, windows, pivots, rows and lists as values."""

from __future__ import annotations

from twin.statements import Statements


def with_parts(s: Statements) -> str:
    """A part that is named, used once or twice, materialised or not."""
    over = s.over("a")
    names = s.some([c for c in over.columns if c.kind != "other"], 3)
    hint = s.random.choice(("", "", "MATERIALIZED ", "NOT MATERIALIZED "))
    called = s.random.choice(("p", "a", "b", s.database, '"p q"'))
    part = f"SELECT {', '.join(names)} FROM {s.name('a')}{s.where(over)}"
    after = s.over("a")
    after.columns = [c for c in after.columns if c.name in names]
    use = s.random.choice(
        (
            f"SELECT * FROM {called}{s.where(after)}",
            f"SELECT count(*) FROM {called} l JOIN {called} r ON l.{names[0]} = r.{names[0]}",
            f"SELECT {names[0]}, count(*) FROM {called} GROUP BY ALL",
            f"SELECT * FROM {called} UNION ALL SELECT * FROM {called}{s.where(after)}",
            f"SELECT count(*) FROM {called}, {s.name('b')}",
        )
    )
    return f"WITH {called} AS {hint}({part}) {use}"


def nested(s: Statements) -> str:
    """Queries within queries."""
    over = s.over("a")
    names = s.some(over.columns, 4)
    inner = f"SELECT {', '.join(names)} FROM {s.name('a')}{s.where(over, 0.6)}"
    for _ in range(s.random.randint(1, 3)):
        after = s.over("a")
        after.columns = [c for c in after.columns if c.name in names]
        inner = f"SELECT * FROM ({inner}){s.where(after, 0.5)}"
    return inner


def recursive(s: Statements) -> str:
    """A recursion that reads a table in its first part, or in every step."""
    over = s.over("a")
    if s.random.random() < 0.5:
        return (
            f"WITH RECURSIVE r AS (SELECT 1 AS n, count(*) AS c FROM {s.name('a')}{s.where(over)}"
            " UNION ALL SELECT n + 1, c FROM r WHERE n < 5) SELECT * FROM r"
        )
    b = s.over("b")
    return (
        f"WITH RECURSIVE r AS (SELECT 1 AS n, 0 AS c UNION ALL SELECT n + 1,"
        f" (SELECT count(*) FROM {s.name('b')}{s.where(b)}) FROM r WHERE n < 4) SELECT * FROM r"
    )


def windowed(s: Statements) -> str:
    """Window functions that do not depend on the order of equal rows."""
    table = s.table()
    over = s.over(table)
    keys = [c.name for c in over.columns if c.kind != "other"]
    order, part = s.random.choice(keys), s.random.choice(keys)
    column = s.random.choice(keys)
    call = s.random.choice(
        (
            f"rank() OVER (ORDER BY {order})",
            f"dense_rank() OVER (PARTITION BY {part} ORDER BY {order} DESC)",
            f"count({column}) OVER (PARTITION BY {part})",
            f"max({column}) OVER (PARTITION BY {part})",
            f"min({column}) OVER (ORDER BY {order} RANGE UNBOUNDED PRECEDING)",
            f"percent_rank() OVER (ORDER BY {order})",
            f"count(*) OVER (ORDER BY {order} GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW)",
        )
    )
    qualify = f" QUALIFY {call} IS NOT NULL" if over.chance(0.2) else ""
    if over.chance(0.2):
        qualify = f" QUALIFY rank() OVER (PARTITION BY {part} ORDER BY {order}) = 1"
    return f"SELECT {column}, {call} AS w FROM {s.name(table)}{s.where(over, 0.6)}{qualify}"


def pivoted(s: Statements) -> str:
    """PIVOT with its values, in both spellings."""
    over = s.over("a")
    column = over.column("int", "text", "bool")
    keys = [c.name for c in over.columns if c.kind in {"int", "text", "bool"}]
    if column is None or len(keys) < 2:
        return f"SELECT count(*) FROM {s.name('a')}"
    key = s.random.choice([k for k in keys if k != column.name])
    values = ", ".join(dict.fromkeys(over._said(column) for _ in range(3)))
    s.parameters.clear()
    if "$" in values or "NULL" in values:
        values = {"int": "1, 7", "text": "'abc', ''", "bool": "true, false"}[column.kind]
    source = s.random.choice((s.name("a"), f"(FROM {s.name('a')})"))
    if over.chance(0.5):
        return f"PIVOT {source} ON {column.name} IN ({values}) USING count(*) AS n GROUP BY {key}"
    return (
        f"SELECT * FROM (SELECT {key}, {column.name} FROM {s.name('a')}) PIVOT"
        f" (count(*) AS n FOR {column.name} IN ({values}) GROUP BY {key})"
    )


def unpivoted(s: Statements) -> str:
    """UNPIVOT of columns of one type."""
    over = s.over("a")
    column = s.random.choice(over.columns)
    alike = [c.name for c in over.columns if c.type == column.type]
    names = ", ".join(alike)
    if over.chance(0.5):
        return f"UNPIVOT (SELECT {names} FROM {s.name('a')}) ON {names} INTO NAME k_ VALUE v_"
    nulls = s.random.choice(("", "INCLUDE NULLS "))
    return f"SELECT k_, v_ FROM {s.name('a')} UNPIVOT {nulls}(v_ FOR k_ IN ({names}))"


def whole_rows(s: Statements) -> str:
    """Rows as values, and columns by pattern."""
    table = s.table()
    over = s.over(table)
    called = s.random.choice((table, "r"))
    said = s.random.choice(
        (
            f"{called}",
            f"to_json({called})",
            f"hash({called})",
            f"{called}::VARCHAR",
            f"count({called})",
            "struct_pack(*COLUMNS('.*'))",
            "COLUMNS('^[a-m]')",
            "COLUMNS(lambda c: c >= 'k')",
            "* EXCLUDE (" + over.columns[-1].name + ")" if len(over.columns) > 1 else "*",
            f"* REPLACE (1 AS {over.columns[0].name})",
            f"* RENAME ({over.columns[0].name} AS z)",
            "count(COLUMNS(*))",
            "max(COLUMNS(* EXCLUDE (" + over.columns[0].name + ")))"
            if len(over.columns) > 1
            else "*",
        )
    )
    return f"SELECT {said} FROM {s.name(table)} {called}{s.where(over)}"


def lists(s: Statements) -> str:
    """Lists, structs, maps and functions over them."""
    table = s.table()
    over = s.over(table)
    key = s.random.choice([c.name for c in over.columns if c.kind != "other"])
    values = f"list({key} ORDER BY {key})"
    said = s.random.choice(
        (
            values,
            f"list_transform({values}, lambda z: z IS NULL)",
            f"list_filter({values}, lambda z: z IS NOT NULL)",
            f"[z for z in {values} if z IS NOT NULL]",
            f"len({values})",
            f"list_distinct(list({key}))::VARCHAR[].list_sort()",
            f"list({{'k': {key}}} ORDER BY {key})",
            f"histogram({key})",
            f"unnest({values})",
            f"{values}[1:2]",
        )
    )
    return f"SELECT {said} AS l FROM {s.name(table)}{s.where(over)}"


def distinct_on(s: Statements) -> str:
    """The first row of each group, in a total order."""
    over = s.over("a")
    names = [c.name for c in over.columns if c.kind != "other"]
    first = s.random.choice(names)
    order = ", ".join([first, *(n for n in names if n != first)])
    read = f"FROM {s.name('a')}{s.where(over)}"
    return f"SELECT DISTINCT ON ({first}) {', '.join(names)} {read} ORDER BY {order}"


def described(s: Statements) -> str:
    """What a table or an answer is like."""
    table = s.table()
    over = s.over(table)
    summary = "SELECT column_name, column_type, min, max, count FROM"
    return s.random.choice(
        (
            f"DESCRIBE {s.database}.{table}",
            f"DESCRIBE SELECT {over.any_value()} AS e FROM {s.name(table)}",
            f"{summary} (SUMMARIZE SELECT {', '.join(s.some(over.columns))} FROM {s.name(table)})",
        )
    )


def odd_clauses(s: Statements) -> str:
    """Clauses that are seldom used."""
    table = s.table()
    over = s.over(table)
    name = s.name(table)
    (column,) = s.some(over.columns, 1)
    return s.random.choice(
        (
            f"FROM {name}{s.where(over)}",
            f"FROM {name} SELECT count(*){s.where(over)}",
            f"TABLE {s.database}.{table}",
            f"(SELECT * FROM {name}{s.where(over)})",
            f"SELECT * FROM {name} USING SAMPLE 100%",
            f"SELECT count(*) FROM {name} LIMIT 100%",
            f"VALUES ((SELECT count(*) FROM {name}{s.where(over)}))",
            f"SELECT * FROM range((SELECT count(*) FROM {name}{s.where(over)}))",
            f"SELECT * FROM {name} NATURAL JOIN {name}",
            f"SELECT count(*) FROM {name} POSITIONAL JOIN {name}",
            f"SELECT {over.any_value()} AS e FROM {name} GROUP BY ALL",
            f"SELECT * FROM {name}{s.where(over)} LIMIT (SELECT 2)",
            f"SELECT TRY_CAST({column}::VARCHAR AS INT) AS e FROM {name}",
            f"SELECT count(*) FROM {name} WHERE CAST({column}::VARCHAR AS INT) > 0",
        )
    )


def failing(s: Statements) -> str:
    """What has no value for some rows, alone or beside a condition that leaves them out."""
    table = s.table()
    over = s.over(table)
    text = over.column("text", "int") or over.columns[0]
    whole = over.column("int") or over.columns[0]
    part = s.random.choice(
        (
            f"CAST({text.name}::VARCHAR AS INT) > 0",
            f"CAST({text.name}::VARCHAR AS DATE) IS NOT NULL",
            f"{whole.name} * 9223372036854775807 > 0",
            f"{whole.name}::TINYINT > 0",
            f"CASE WHEN {over.simple()} THEN error('seen') ELSE true END",
            f"regexp_matches('a', {text.name}::VARCHAR || '[')",
            f"strptime({text.name}::VARCHAR, '%Y') IS NOT NULL",
            f"chr({whole.name}::INT) IS NOT NULL",
        )
    )
    read = f"FROM {s.name(table)}"
    return s.random.choice(
        (
            f"SELECT count(*) {read} WHERE {part}",
            f"SELECT count(*) {read} WHERE {over.simple()} AND {part}",
            f"SELECT count(*) {read} WHERE {part} AND {over.simple()}",
            f"SELECT {part} AS e {read}{s.where(over)}",
            f"SELECT {part} AS e {read}{s.where(over)} LIMIT 1",
            f"SELECT TRY({part}) AS e {read}{s.where(over)}",
            f"SELECT * {read} ORDER BY {part}",
        )
    )
