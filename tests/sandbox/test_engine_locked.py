"""The engine by itself, without the gate: nothing can be set, read, written or attached."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from privet.sandbox import engine
from privet.sandbox.sources import GovernedSource
from privet.sandbox.wire import Limits

LIMITS = Limits(memory=64 * 2**20, seconds=10, threads=2, spill=0)
OUTSIDE = (
    "SELECT * FROM read_text('{file}')",
    "SELECT * FROM read_csv('{file}')",
    "SELECT * FROM read_blob('{file}')",
    "SELECT * FROM read_json('{file}')",
    "SELECT * FROM read_parquet('{file}')",
    "SELECT * FROM '{file}'",
    "SELECT * FROM glob('{folder}/*')",
    "SELECT * FROM sniff_csv('{file}')",
    "SELECT * FROM parquet_metadata('{file}')",
    "COPY (SELECT 1) TO '{folder}/out.csv'",
    "COPY (SELECT 1) TO '{folder}/out.parquet' (FORMAT parquet)",
    "CREATE TABLE x AS SELECT 1; COPY x FROM '{file}'",
    "EXPORT DATABASE '{folder}/out'",
    "IMPORT DATABASE '{folder}'",
    "ATTACH '{folder}/a.db'",
    "ATTACH '{file}' AS f (READ_ONLY)",
    "INSTALL httpfs",
    "LOAD httpfs",
    "LOAD '{file}'",
    "SELECT * FROM 'https://127.0.0.1:1/x.csv'",
    "SELECT * FROM read_csv('s3://bucket/x.csv')",
    "CREATE PERSISTENT SECRET s (TYPE http, BEARER_TOKEN 'x')",
    "PRAGMA enable_profiling='json'; PRAGMA profiling_output='{folder}/p.json'; SELECT 1",
    "CALL enable_logging(storage='file', storage_path='{folder}/log')",
)


@pytest.fixture
def locked() -> Iterator[duckdb.DuckDBPyConnection]:
    """An engine as a statement has it, but for the walls of the system."""
    whole = engine.open_engine()
    connection = engine.lock(whole, LIMITS, "")
    yield connection
    connection.close()
    whole.close()


@pytest.mark.parametrize("statement", OUTSIDE)
def test_nothing_outside(locked: duckdb.DuckDBPyConnection, tmp_path: Path, statement: str) -> None:
    """Fails, and leaves no file."""
    file = tmp_path / "secret.csv"
    file.write_text("id\n1\n")
    with pytest.raises(duckdb.Error):
        locked.execute(statement.format(file=file, folder=tmp_path)).fetchall()
    assert [path.name for path in tmp_path.iterdir()] == ["secret.csv"]


def test_no_setting_can_be_set(locked: duckdb.DuckDBPyConnection) -> None:
    """Not one of more than a hundred, in any of three ways."""
    rows = locked.execute("SELECT name, value, input_type FROM duckdb_settings()").fetchall()
    assert len(rows) > 100
    changed: list[str] = []
    for name, value, _ in rows:
        for statement in (f"SET {name} = '{value}'", f"RESET {name}", f"SET GLOBAL {name} = '1'"):
            try:
                locked.execute(statement).fetchall()
            except duckdb.Error:
                continue
            changed.append(statement)
    # Where names are looked for can be chosen; there is only one place.
    assert {statement.split(" ")[1] for statement in changed} <= {"schema", "search_path"}


def test_variables_of_this_process_are_not_seen(locked: duckdb.DuckDBPyConnection) -> None:
    """Neither frames and tables of Python, nor another database."""
    secret = duckdb.connect(":memory:").sql("SELECT 'seen' AS a").to_arrow_table()
    assert secret.num_rows == 1
    for name in ("secret", "locked", "LIMITS", "self"):
        with pytest.raises(duckdb.Error):
            locked.execute(f"SELECT * FROM {name}").fetchall()


def test_limits_are_those_given(locked: duckdb.DuckDBPyConnection) -> None:
    """Memory, threads, no disk, encryption of what spills, one zone of time."""
    shown = dict(locked.execute("SELECT name, value FROM duckdb_settings()").fetchall())
    assert shown["memory_limit"] == "64.0 MiB"
    assert shown["threads"] == "2"
    assert shown["temp_directory"] == ""
    assert shown["temp_file_encryption"] == "true"
    assert shown["lock_configuration"] == "true"
    assert shown["enable_external_access"] == "false"
    assert shown["TimeZone"] == "UTC"


def test_a_probe_that_succeeds_is_noticed() -> None:
    """An engine that is not locked does not pass its own check."""
    from privet.sandbox.walls import NotWalled

    with duckdb.connect(":memory:") as connection, pytest.raises(NotWalled):
        engine.check(connection)


def test_an_engine_has_no_thread_before_its_process_is_forked() -> None:
    """Opening one starts none; locking one may."""
    before = threading.active_count(), len(list(Path("/proc/self/task").iterdir()))
    whole = engine.open_engine()
    after = threading.active_count(), len(list(Path("/proc/self/task").iterdir()))
    whole.close()
    assert after == before


def test_the_protocol_of_sources_is_the_one_that_is_known() -> None:
    """It is not public: a new version of the engine asks for a look at `sandbox.sources`."""
    from duckdb._sources import arrow, nodes

    assert duckdb.__version__.startswith("2.0.")
    assert issubclass(GovernedSource, arrow.ArrowScanSource)
    assert {"Binary", "Col", "In", "Lit", "Node"} <= set(dir(nodes))
    assert {"accepts", "stream", "schema_is_stable"} <= set(dir(arrow.ArrowScanSource))
