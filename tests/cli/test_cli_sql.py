"""`privet sql` against a real server: rows in every format, statements as before."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from doors.doors import Run
from privet.cli.exits import UsageMistake
from privet.cli.statements import read_parameters

DATASET = "medical_charges.medical_costs"


@pytest.mark.service
def test_rows_are_csv_for_programs(command: Run, governed: str) -> None:
    """Without hidden columns and rows."""
    statement = f"SELECT * EXCLUDE (id) FROM {DATASET}"
    done = command("sql", statement, PRIVET_TOKEN=governed)
    assert (done.exit_code, done.stderr) == (0, "")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert "phone" not in rows[0]
    assert {row["opted_out"] for row in rows} == {"0"}
    count = command("sql", f"SELECT count(*) AS n FROM {DATASET}", PRIVET_TOKEN=governed)
    assert count.stdout == f'"n"\n{len(rows)}\n'


@pytest.mark.service
def test_every_format_has_the_same_rows(command: Run, governed: str, tmp_path: Path) -> None:
    """To a file and to standard output, byte for byte."""
    statement = f"SELECT age, mrn FROM {DATASET} ORDER BY id"
    for form in ("csv", "json", "ndjson", "arrow", "parquet"):
        arguments = ("sql", statement, "--format", form, "--limit", "20")
        path = tmp_path / form
        done = command(*arguments, "-o", str(path), PRIVET_TOKEN=governed)
        assert done.exit_code == 0, done.output
        assert command(*arguments, PRIVET_TOKEN=governed).stdout_bytes == path.read_bytes()
    rows = pq.read_table(tmp_path / "parquet").to_pylist()
    assert len(rows) == 20
    assert pa.ipc.open_stream(tmp_path / "arrow").read_all().to_pylist() == rows
    assert json.loads((tmp_path / "json").read_text()) == rows
    assert [json.loads(line) for line in (tmp_path / "ndjson").read_text().splitlines()] == rows
    done = command("sql", statement, "--json", "--limit", "20", PRIVET_TOKEN=governed)
    assert json.loads(done.stdout) == rows


@pytest.mark.service
def test_a_table_shows_the_first_rows(command: Run, governed: str) -> None:
    """And says that there are more; with a limit it shows what was asked for."""
    statement = f"SELECT region, age FROM {DATASET}"
    done = command("sql", statement, "--format", "table", PRIVET_TOKEN=governed)
    assert done.exit_code == 0, done.output
    assert "northeast" in done.stdout
    assert "first 50 rows" in done.stderr
    done = command("sql", statement, "--format", "table", "--limit", "3", PRIVET_TOKEN=governed)
    assert (len(done.stdout.split("\n")), done.stderr) == (8, "")
    done = command("sql", f"{statement} WHERE false", "--format", "table")
    assert done.stdout == "no rows\n"


@pytest.mark.service
def test_a_table_shows_what_a_row_may_hold(command: Run, governed: str) -> None:
    """Columns of one name, lines, no value, large cells; control characters do not get through."""
    statement = (
        "SELECT * FROM (SELECT 1 AS a) x, (SELECT 'b, \x1b\n\"c\"' AS a) y,"
        " (SELECT NULL AS n, [1, NULL] AS l, repeat('z', 200000) AS z)"
    )
    done = command("sql", statement, "--format", "table", PRIVET_TOKEN=governed)
    assert done.exit_code == 0, done.output
    assert done.stdout.split()[0] == "a"
    assert 'b, \\x1b\\x0a"c"' in done.stdout
    assert "[1, null]" in done.stdout
    assert done.stdout.count("z") > 200_000


@pytest.mark.service
def test_a_plan_is_printed_line_by_line(command: Run, governed: str) -> None:
    """Not as a cell."""
    statement = f"EXPLAIN SELECT age FROM {DATASET} WHERE age > 40"
    done = command("sql", statement, "--format", "table", PRIVET_TOKEN=governed)
    assert done.exit_code == 0, done.output
    assert DATASET in done.stdout
    assert "\\x0a" not in done.stdout


@pytest.mark.service
@pytest.mark.parametrize(
    ("statement", "parameters", "row"),
    [
        ("SELECT ? + 1 AS a", ["41"], {"a": 42}),
        ("SELECT ? AS a", ["-1.5"], {"a": -1.5}),
        ("SELECT ? AS a, ? AS b", ["x y", '"1"'], {"a": "x y", "b": "1"}),
        ("SELECT $n AS a", ["n=x=y"], {"a": "x=y"}),
        ("SELECT $n + $m AS a", ["m=1", "n=2"], {"a": 3}),
        ("SELECT len($1) AS a", ["[1, 2]"], {"a": 2}),
        ("SELECT $1 IS NULL AS a", ["null"], {"a": True}),
    ],
)
def test_parameters_are_values(
    command: Run, governed: str, statement: str, parameters: list[str], row: dict[str, Any]
) -> None:
    """By place or by name."""
    options = [part for value in parameters for part in ("--parameter", value)]
    done = command("sql", statement, "--json", *options, PRIVET_TOKEN=governed)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == [row]


@pytest.mark.service
def test_a_database_stands_before_bare_names(command: Run, governed: str) -> None:
    """Where one is given."""
    asked = ("sql", "SELECT count(*) > 0 AS a FROM medical_costs", "--database", "medical_charges")
    assert command(*asked, PRIVET_TOKEN=governed).stdout == '"a"\ntrue\n'


@pytest.mark.service
def test_errors_point_into_the_query(command: Run, governed: str, tmp_path: Path) -> None:
    """The line, a caret, what to do; nothing on standard output and no file."""
    done = command("sql", "-", text="SELECT 'ü',\n  absent", PRIVET_TOKEN=governed)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.splitlines()[1:3] == ["    absent", "    ^"]
    path = tmp_path / "out.csv"
    done = command("sql", "SELECT phone FROM x.y", "-o", str(path), PRIVET_TOKEN=governed)
    assert (done.exit_code, list(tmp_path.iterdir())) == (4, [])


@pytest.mark.service
@pytest.mark.parametrize(
    "text",
    [
        "SELECT one.id FROM {} one JOIN {} two ON one.id = two.id WHERE two.hidden = 'x'",
        "SELECT one.id, two.hidden FROM {} one JOIN {} two ON one.id = two.id",
        "SELECT one.id FROM {} one JOIN {} two ON one.hidden = two.region",
        "SELECT one.id FROM {} one JOIN {} two USING (hidden)",
    ],
)
def test_a_hidden_column_in_a_join_is_named(command: Run, governed: str, text: str) -> None:
    """As one that there is not, with its place where the engine knows it."""
    told = []
    for name in ("phone", "nopes"):
        statement = text.replace("hidden", name).format(DATASET, DATASET)
        done = command("sql", statement, PRIVET_TOKEN=governed)
        assert f"column `{name}` does not exist, or you have no access to it" in done.stderr
        lines = done.stderr.splitlines()
        if "USING" not in text:
            (caret,) = [line.index("^") for line in lines if line.strip() == "^"]
            assert lines[1][caret:].startswith(("one.", "two."))
        told.append([line.replace(name, "") for line in lines if not line.startswith("audit")])
    assert told[0] == told[1]


@pytest.mark.service
def test_statements_answer_as_before(command: Run, governed: str, tmp_path: Path) -> None:
    """A sentence or a table, on a terminal and elsewhere; JSON when asked for."""
    plain = command("sql", "SHOW DATABASES")
    assert plain.exit_code == 0
    assert "medical_charges" in plain.stdout
    assert command("sql", "SHOW DATABASES", "--format", "table").stdout == plain.stdout
    told = json.loads(command("sql", "SHOW DATABASES", "--json").stdout)
    assert ["medical_charges"] in told["rows"]
    path = tmp_path / "out.json"
    done = command("sql", "SHOW DATABASES", "--format", "json", "-o", str(path))
    assert (done.exit_code, done.stdout) == (0, "")
    assert json.loads(path.read_text()) == told


@pytest.mark.service
@pytest.mark.parametrize(
    "beside",
    [
        ("--format", "csv"),
        ("--format", "parquet"),
        ("--limit", "1"),
        ("--database", "x"),
        ("--parameter", "1"),
    ],
)
def test_options_that_a_statement_would_not_heed_are_refused(
    command: Run, beside: tuple[str, str]
) -> None:
    """Before it is carried out."""
    done = command("sql", "CREATE ROLE never_made", *beside)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "this is no query" in done.stderr
    assert "never_made" not in command("role", "list").stdout


def test_json_and_another_format_contradict_each_other(command: Run) -> None:
    """Nothing is sent."""
    assert command("sql", "SELECT 1", "--json", "--format", "csv").exit_code == 2


@pytest.mark.parametrize(
    ("given", "values"),
    [
        (["1", "-1.5", "1e2", "true", "null"], [1, -1.5, 100.0, True, None]),
        (["007", "2024-02-29", "x", "", " x "], ["007", "2024-02-29", "x", "", " x "]),
        (['"1"', '"a=b"', '["a", 1]'], ["1", "a=b", ["a", 1]]),
        (
            ["NaN", "Infinity", "1e999", "{}", '{"a": 1}'],
            ["NaN", "Infinity", "1e999", "{}", '{"a": 1}'],
        ),
        (["a=1", "b_2=x=y", '_c="1"', "d="], {"a": 1, "b_2": "x=y", "_c": "1", "d": ""}),
        (["1=2", " a=1"], ["1=2", " a=1"]),
        (["[" * 100_000], ["[" * 100_000]),
    ],
)
def test_values_are_json_where_they_can_be(given: list[str], values: Any) -> None:
    """Anything else is text."""
    assert read_parameters(given) == values


@pytest.mark.parametrize("given", [["a=1", "2"], ["a=1", "a=2"]])
def test_names_are_for_all_or_for_none(given: list[str]) -> None:
    """And no name stands twice."""
    with pytest.raises(UsageMistake, match="name"):
        read_parameters(given)


@pytest.mark.service
def test_statements_come_with_comments_around_them(command: Run) -> None:
    """As scripts have them, in both languages."""
    for text in ("-- which\nSHOW DATABASES; -- all\n", "/* one */ SELECT 1 AS n -- 1\n"):
        done = command("sql", "-", text=text)
        assert done.exit_code == 0, done.output
