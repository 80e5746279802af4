"""Opens the database with the settings that durability and isolation rest on."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random

from privet.model.errors import ConfigurationInvalid, StoreUnavailable

MODE = "privet_mode"
"""Execution option of a connection: one of `WRITE`, `SINGLE`; without it, a snapshot is read."""
WRITE = "write"
SINGLE = "single"
_BUSY_SECONDS = 10
# Errors of a driver end in logs, and rows hold password hashes.
_ENGINE: dict[str, Any] = {"pool_size": 10, "hide_parameters": True}
_POSTGRES_OPTIONS = f"-c timezone=UTC -c lock_timeout={_BUSY_SECONDS * 1000}"


def open_engine(url: str) -> Engine:
    """Open the store at `sqlite:///path` or `postgresql://...` (spoken through psycopg).

    Raises:
        ConfigurationInvalid: not a URL of a database that the store knows.
        StoreUnavailable: the file of the database cannot be created.
    """
    try:
        parsed = make_url(url)
        match parsed.get_backend_name():
            case "sqlite":
                return _open_sqlite(parsed)
            case "postgresql":
                return _open_postgres(parsed)
            case other:
                raise ConfigurationInvalid(f"`{other}` databases cannot hold the store", hint=_URLS)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        # The URL may hold a password and is not repeated.
        raise ConfigurationInvalid("the URL of the store cannot be used", hint=_URLS) from error


_URLS = "use sqlite:///absolute/path or postgresql://user:password@host/database"


def _open_sqlite(url: URL) -> Engine:
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise ConfigurationInvalid("a SQLite store must be a plain file", hint=_URLS)
    _create_private(Path(url.database))
    engine = create_engine(
        url.set(drivername="sqlite+pysqlite"),
        connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},
        **_ENGINE,
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _create_private(path: Path) -> None:
    # SQLite gives its journal files the mode of the database: password hashes are for no one else.
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise StoreUnavailable(
            f"the store file `{path}` cannot be opened: {error.strerror}",
            hint="check that its folder exists and may be written",
        ) from error


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # The driver's own transactions would begin late and deferred; `_begin_sqlite` begins them.
    connection.isolation_level = None
    # The busy timeout does not cover the switch to WAL, where two openers may meet.
    for attempt in Retrying(
        retry=retry_if_exception_type(sqlite3.OperationalError),
        stop=stop_after_delay(_BUSY_SECONDS),
        wait=wait_random(0.005, 0.05),
        reraise=True,
    ):
        with attempt:
            connection.execute("PRAGMA journal_mode = WAL").fetchone()
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    mode: Any = connection.get_execution_options().get(MODE)
    if mode != SINGLE:
        # A transaction that reads first and writes later fails when another one wrote in between.
        connection.exec_driver_sql("BEGIN IMMEDIATE" if mode == WRITE else "BEGIN")


def _open_postgres(url: URL) -> Engine:
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        connect_args={"connect_timeout": _BUSY_SECONDS, "options": _POSTGRES_OPTIONS},
        **_ENGINE,
        pool_pre_ping=True,
    )
