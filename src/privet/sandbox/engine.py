"""One DuckDB, locked, for one statement."""

from __future__ import annotations

import duckdb

from privet.sandbox.gate import CATALOG
from privet.sandbox.walls import NotWalled
from privet.sandbox.wire import Limits

ROWS_PER_BATCH = 32_768
"""As governed streams are cut."""
_DEEPEST_EXPRESSION = 500
_SETTINGS = (
    "SET errors_as_json = true",
    "SET python_enable_replacements = false",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET allow_community_extensions = false",
    "SET enable_external_file_cache = false",
    "SET allow_persistent_secrets = false",
    f"SET max_expression_depth = {_DEEPEST_EXPRESSION}",
    "SET TimeZone = 'UTC'",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)
_KEPT_OPTIMIZERS = frozenset(
    {"unused_columns", "column_lifetime", "cte_inlining", "deliminator", "unnest_rewriter"}
)
"""What finds out which columns are needed. All others may fold what is another constant later."""
_PROBES = (
    "SELECT * FROM read_text('/proc/version')",
    "SELECT * FROM glob('/*')",
    "COPY (SELECT 1) TO '/copied.csv'",
    "ATTACH '/attached.db'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET memory_limit = '1TB'",
    "SET enable_external_access = true",
    "RESET lock_configuration",
)


def open_engine() -> duckdb.DuckDBPyConnection:
    """A database in memory that has no thread yet, so that a process may be forked with it."""
    connection = duckdb.connect(":memory:", config={"threads": 1, "async_threads": 0})
    run(connection, f"ATTACH ':memory:' AS {CATALOG}", f"USE {CATALOG}")
    return connection


def lock(
    engine: duckdb.DuckDBPyConnection, limits: Limits, spill: str
) -> duckdb.DuckDBPyConnection:
    """A connection to it with its threads, within limits, and with nothing that can be set.

    Args:
        engine: opened before this process was forked.
        limits: of memory, threads and spilled bytes.
        spill: a private directory, or empty for none: then what does not fit in memory fails.
    """
    # A connection of its own, or every statement would draw the same random numbers.
    connection = engine.cursor()
    if not limits.rewrites:
        found = connection.execute("SELECT name FROM duckdb_optimizers()").fetchall()
        disabled = sorted({name for (name,) in found} - _KEPT_OPTIMIZERS)
        run(connection, f"SET disabled_optimizers = '{','.join(disabled)}'")
    run(
        connection,
        f"USE {CATALOG}",
        f"SET memory_limit = '{limits.memory}B'",
        f"SET temp_directory = '{spill}'",
        f"SET max_temp_directory_size = '{limits.spill}B'",
        # The wheel's only cipher that writes; its random numbers are not of cryptographic quality.
        "SET force_mbedtls_unsafe = true",
        "SET temp_file_encryption = true",
        f"SET threads = {limits.threads}",
        *_SETTINGS,
    )
    return connection


def run(connection: duckdb.DuckDBPyConnection, *statements: str) -> None:
    """Run statements of ours."""
    for statement in statements:
        connection.execute(statement).fetchall()


def check(connection: duckdb.DuckDBPyConnection) -> None:
    """Try what a locked engine must refuse.

    Raises:
        NotWalled: it does not.
    """
    for probe in _PROBES:
        try:
            run(connection, probe)
        except duckdb.Error:
            continue
        raise NotWalled(f"the engine allows {probe.partition(' ')[0]}")
