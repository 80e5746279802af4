"""A real PostgreSQL as somebody's database: a reader with a password, tables, and its log."""

from __future__ import annotations

import shutil
import socket
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from behaviours.conftest import PostgresServer

DATABASE = "shop"
READER = "reader"
PASSWORD = "pass-word-of-the-reader"


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class SourceServer:
    """The server, and what its owner does there."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.server = PostgresServer(folder, port)
        self.server.execute(f"CREATE USER {READER} PASSWORD '{PASSWORD}'")
        self.server.execute(f"CREATE DATABASE {DATABASE}")
        self.run(f"ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO {READER}")

    def run(self, statement: str) -> list[tuple[Any, ...]]:
        """As its owner; gives the rows of an answer."""
        told = f"host={self.folder} port={self.port} user=privet dbname={DATABASE}"
        with psycopg.connect(told, autocommit=True) as connection:
            done = connection.execute(statement.encode())
            return done.fetchall() if done.description else []

    def setting(self, name: str, value: str) -> None:
        """A setting of the server, from now on."""
        self.run(f"ALTER SYSTEM SET {name} = {value}")
        self.run("SELECT pg_reload_conf()")

    @property
    def log(self) -> str:
        """What it has logged."""
        return (self.folder / "log").read_text()

    def ours(self) -> list[str]:
        """What the reader's sessions run now."""
        rows = self.run(
            f"SELECT query FROM pg_stat_activity WHERE usename = '{READER}' AND state = 'active'"
        )
        return [query for (query,) in rows]


@contextmanager
def source_server() -> Generator[SourceServer]:
    """A server of its own, gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="privet-pg-", dir="/tmp"))
    try:
        source = SourceServer(folder, free_port())
        yield source
        source.server.stop()
    finally:
        shutil.rmtree(folder)
