"""A PostgreSQL that stands in for the databases of the original's tests, with made-up tables."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg

from behaviours.conftest import PostgresServer
from privet.connector import Endpoint
from services.postgres import free_port

_AMAZON = "cyn8yfvyuugz.us-west-2.rds.amazonaws.com"
_HOSTS = (f"jdbcpsqltest.{_AMAZON}", f"cerebro-db-test-long-running.{_AMAZON}")
_USER, _PASSWORD = "cerebro", "cerebro1"
_SECRETS = {
    _USER: (
        "awssm://postgres-jdbcpsqltest-username",
        "awssm://mysql-username",
        "awsps:///mysql/username",
    ),
    _PASSWORD: (
        "awssm://postgres-jdbcpsqltest-password",
        "awssm://mysql-password",
        "awsps:///mysql/password",
    ),
}
_DATABASES = ("jdbc_test", "jdbc_demo")
_SCHEMAS = ("public", *(f"public--{n}" for n in range(1, 24)))
_TABLES = {
    "all_types": "id int, flag boolean, small smallint, big bigint, single real, double float8,"
    " price numeric(10, 2), name text, code varchar(20), letter char(10), day date,"
    " moment timestamp, zoned timestamptz, clock time, bytes bytea",
    "scan_key_test": "id bigint, name varchar(50)",
    "all_numeric_types": "smallint_col smallint, int_col int, bigint_col bigint, real_col real,"
    " double_col float8, decimal_col numeric(10, 2)",
    "filter_pushdown_test": "smallint_col smallint, int_col int, bigint_col bigint,"
    " string_col varchar(50)",
}
_NINE = " FROM generate_series(1, 9) g"
_ROWS = (
    "INSERT INTO public.filter_pushdown_test SELECT g, g, 2 * g, 'no ' || g" + _NINE,
    "INSERT INTO public.scan_key_test SELECT g, 'name ' || g FROM generate_series(1, 100) g",
    "INSERT INTO public.all_numeric_types SELECT g, g, g, g, g, g FROM generate_series(1, 5) g",
    "INSERT INTO public.all_types (id, flag, price, name) SELECT g, true, g, 'no ' || g" + _NINE,
)


@contextmanager
def standing_in() -> Generator[Callable[[Endpoint], Endpoint]]:
    """Runs the server; gives what leads the original's connections to it, whatever their kind."""
    folder = Path(tempfile.mkdtemp(prefix="privet-pg-", dir="/tmp"))
    port = free_port()
    try:
        server = PostgresServer(folder, port)
        server.execute(f"CREATE USER {_USER} PASSWORD '{_PASSWORD}'")
        for database in _DATABASES:
            server.execute(f"CREATE DATABASE {database}")
            _fill(f"host={folder} port={port} user=privet dbname={database}")

        def redirect(endpoint: Endpoint) -> Endpoint:
            if endpoint.host not in _HOSTS:
                return endpoint
            return replace(endpoint, driver="postgresql", host="127.0.0.1", port=port)

        yield redirect
        server.stop()
    finally:
        shutil.rmtree(folder)


def secrets(folder: Path) -> list[dict[str, Any]]:
    """The settings of what the original's tests call secrets, written below a folder."""
    folder.mkdir(parents=True)
    entries: list[dict[str, Any]] = []
    for value, references in _SECRETS.items():
        (folder / value).write_text(value)
        entries.extend(
            {"name": name, "hosts": list(_HOSTS), "file": str(folder / value)}
            for name in references
        )
    return entries


def _fill(told: str) -> None:
    with psycopg.connect(told, autocommit=True) as connection:

        def run(statement: str) -> None:
            connection.execute(statement.encode())

        for table, columns in _TABLES.items():
            run(f"CREATE TABLE public.{table} ({columns})")
        for statement in _ROWS:
            run(statement)
        for schema in _SCHEMAS[1:]:
            run(f'CREATE SCHEMA "{schema}"')
            for table in _TABLES:
                run(f'CREATE VIEW "{schema}".{table} AS SELECT * FROM public.{table}')
        for schema in _SCHEMAS:
            run(f'GRANT USAGE ON SCHEMA "{schema}" TO {_USER}')
            run(f'GRANT SELECT ON ALL TABLES IN SCHEMA "{schema}" TO {_USER}')
