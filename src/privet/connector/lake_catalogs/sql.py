"""SQL catalogs: the table `iceberg_tables` of a PostgreSQL database or of a file of SQLite.

It is read and never made: the library's own class would create it.
"""

from __future__ import annotations

import socket
import sqlite3
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from os import dup
from pathlib import Path
from typing import Any, LiteralString, Protocol
from urllib.parse import quote

from privet.connector.databases.dialing import session
from privet.connector.lake_catalogs.base import (
    LONGEST_ADDRESS,
    LONGEST_NAME,
    MOST_TABLES,
    SECONDS,
    CatalogEndpoint,
    CatalogName,
    lies,
    name_of,
    slow,
)
from privet.model.errors import NotFound, SourceInvalid, SourceUnavailable

_TABLE = "iceberg_tables"
_STEPS = 10_000
_LONGEST_VALUE = 1 << 20


class _Asked(Protocol):
    """Gives the rows of a statement, whose parameters are `%s`."""

    def __call__(self, text: LiteralString, *parameters: Any) -> Iterator[tuple[Any, ...]]: ...


class SqlTables:
    """The tables of a SQL catalog."""

    def __init__(self, endpoint: CatalogEndpoint, ca: Path | None, file: Path | None) -> None:
        """Nothing is opened yet.

        Args:
            endpoint: where, and who.
            ca: PEM file of the authorities that PostgreSQL's certificate is checked against.
            file: of SQLite; None for PostgreSQL.
        """
        self._endpoint = endpoint
        self._ca = ca
        self._file = file

    def check(self) -> None:
        """Look whether there is such a catalog.

        Raises:
            As `names`.
        """
        with self._asking() as ask:
            next(ask("SELECT table_name FROM {table} LIMIT 1"), None)

    def names(self) -> tuple[CatalogName, ...]:
        """The tables of the catalog, by name.

        Raises:
            InvalidRequest: the database cannot be dialled here.
            SourceUnavailable: it is away, denies access, or takes too long.
            SourceInvalid: it is no catalog, or has too many tables.
        """
        with self._asking() as ask:
            rows = ask(
                "SELECT table_namespace, table_name FROM {table} WHERE catalog_name = %s"
                " ORDER BY table_namespace, table_name LIMIT %s",
                self._endpoint.catalog,
                MOST_TABLES + 1,
            )
            found: list[CatalogName] = []
            for namespace, table in rows:
                _check_length(LONGEST_NAME, namespace, table)
                found.append(name_of(str(namespace).split("."), table))
                if len(found) > MOST_TABLES:
                    raise lies(f"more than {MOST_TABLES} tables")
        return tuple(found)

    def metadata_of(self, name: CatalogName) -> str:
        """The address of the current metadata of a table.

        Raises:
            NotFound: the catalog has no such table.
            As `names`.
        """
        with self._asking() as ask:
            rows = ask(
                "SELECT metadata_location FROM {table} WHERE catalog_name = %s"
                " AND table_namespace = %s AND table_name = %s LIMIT 2",
                self._endpoint.catalog,
                name.dotted,
                name.table,
            )
            found = next(rows, None)
            if found is None:
                raise NotFound("the catalog has no such table", hint="it may have been renamed")
            if next(rows, None) is not None:
                raise lies("two tables of one name")
        (location,) = found
        _check_length(LONGEST_ADDRESS, location)
        return str(location)

    @contextmanager
    def _asking(self) -> Generator[_Asked]:
        if self._file is not None:
            with _sqlite(self._file) as ask:
                yield ask
            return
        server = replace(self._endpoint.server, driver="postgresql")
        with session(server, self._ca, SECONDS) as opened, _no_longer(opened):
            yield _PostgresAsker(opened, self._endpoint.schema or "public")


class _PostgresAsker:
    """Asks a session; a row is in memory at a time."""

    def __init__(self, opened: Any, schema: str) -> None:
        self._opened = opened
        self._schema = schema

    def __call__(self, text: LiteralString, *parameters: Any) -> Iterator[tuple[Any, ...]]:
        from psycopg import sql

        table = sql.Identifier(self._schema, _TABLE)
        with self._opened.cursor() as cursor:
            yield from cursor.stream(sql.SQL(text).format(table=table), parameters)


@contextmanager
def _no_longer(opened: Any) -> Generator[None]:
    """Break a session off after the longest time, whatever its server sends until then."""
    import psycopg

    late = threading.Event()

    def end() -> None:
        late.set()
        with socket.socket(fileno=dup(opened.fileno())) as broken:
            broken.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(SECONDS, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    except psycopg.Error as error:
        if late.is_set():
            raise slow() from error
        raise
    finally:
        timer.cancel()


@contextmanager
def _sqlite(file: Path) -> Generator[_Asked]:
    ends = time.monotonic() + SECONDS
    try:
        connection = sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True, timeout=SECONDS)
        with closing(connection):
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_VALUE)
            connection.set_progress_handler(lambda: time.monotonic() > ends, _STEPS)
            # What the file itself defines is not run: a view could compute for ever.
            connection.execute("PRAGMA trusted_schema = OFF")
            kind = connection.execute("SELECT type FROM sqlite_schema WHERE name = ?", (_TABLE,))
            if kind.fetchone() != ("table",):
                raise _no_catalog()

            def ask(text: LiteralString, *parameters: Any) -> Iterator[tuple[Any, ...]]:
                written = text.replace("{table}", _TABLE).replace("%s", "?")
                yield from connection.execute(written, parameters)

            yield ask
    except sqlite3.Error as error:
        # Its words may hold what is in the file.
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            raise slow() from None
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(
            error, sqlite3.OperationalError
        ):
            raise _no_catalog() from None
        raise SourceUnavailable(
            "the file of the catalog cannot be read", hint="check its path and its permissions"
        ) from None


def _check_length(most: int, *texts: object) -> None:
    if any(not isinstance(text, str) or len(text) > most for text in texts):
        raise lies("what is no name or address")


def _no_catalog() -> SourceInvalid:
    return SourceInvalid(
        f"there is no SQL catalog: no table `{_TABLE}`", hint="check the database and its schema"
    )
