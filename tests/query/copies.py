"""A plain database that holds what somebody's scans show: the other side of every comparison."""

from __future__ import annotations

import threading
from typing import Any

import duckdb
import pyarrow as pa

SECONDS = 20


class SanitisedCopy:
    """Plain DuckDB over the physically sanitised tables, with nothing else within reach.

    Args:
        tables: by name.
        user: who asks, as SQL calls them.
    """

    def __init__(self, tables: dict[str, pa.Table], user: str = "") -> None:
        self._lock = threading.Lock()
        self._connection = duckdb.connect(":memory:", config={"threads": 2})
        run = self._connection.execute
        run("ATTACH ':memory:' AS privet")
        run("USE privet")
        for number, (name, table) in enumerate(tables.items()):
            self._connection.register(f"copied_{number}", table)
            database, _, dataset = name.partition(".")
            run(f'CREATE SCHEMA IF NOT EXISTS "{database}"')
            run(f'CREATE TABLE "{database}"."{dataset}" AS FROM copied_{number}')
            self._connection.unregister(f"copied_{number}")
        for word in ("user", "current_user", "session_user", "current_role"):
            run(f"CREATE MACRO \"{word}\"() AS '{user}'")
        for setting in (
            "enable_external_access = false",
            "python_enable_replacements = false",
            "TimeZone = 'UTC'",
            "memory_limit = '500MB'",
            "lock_configuration = true",
        ):
            run(f"SET {setting}")

    def ask(self, sql: str, parameters: Any = None) -> pa.Table:
        """The answer; raises what DuckDB raises, and interrupts what takes too long."""
        with self._lock:
            return self._ask(sql, parameters)

    def _ask(self, sql: str, parameters: Any) -> pa.Table:
        timer = threading.Timer(SECONDS, self._connection.interrupt)
        timer.start()
        try:
            return self._connection.sql(sql, params=parameters).to_arrow_table()
        finally:
            timer.cancel()

    def close(self) -> None:
        """End it."""
        self._connection.close()
