"""Definitions over a real server, as somebody writes them on the command line."""

from __future__ import annotations

import pytest

from doors.doors import Run
from doors.servers import TrialServer
from doors.steward import unique

pytestmark = pytest.mark.service


def test_a_table_is_made_shown_dropped_and_made_again(server: TrialServer, command: Run) -> None:
    """What SHOW CREATE TABLE prints is a statement, with its lines and quotes."""
    database, folder = unique("defined"), server.lake / unique("people")
    folder.mkdir()
    (folder / "part.csv").write_text("Name|Born\nada|1815\nbob|1900\n")

    def sql(text: str) -> str:
        done = command("sql", text)
        assert done.exit_code == 0, done.output
        return done.stdout

    sql(f"CREATE DATABASE {database} COMMENT 'it''s new'")
    sql(
        f"CREATE TABLE {database}.people (name STRING COMMENT 'a \"name\"', born INT)"
        f" ROW FORMAT DELIMITED FIELDS TERMINATED BY '|' LOCATION '{folder}'"
    )
    assert "it's new" in sql(f"DESCRIBE DATABASE {database}")
    shown = sql(f"SHOW CREATE TABLE {database}.people")
    sql(f"DROP TABLE {database}.people")
    assert "done" in sql(shown)
    assert sql(f"SHOW CREATE TABLE {database}.people") == shown
    described = sql(f"DESCRIBE {database}.people")
    assert 'a "name"' in described
    assert "int" in described
    refused = command("sql", f"DESCRIBE {database}.peple")
    assert refused.exit_code != 0
    assert "does not exist" in refused.output
    sql(f"DROP DATABASE {database} CASCADE INCLUDING PERMISSIONS")
    assert database not in sql("SHOW DATABASES")
