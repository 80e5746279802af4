"""What must hold of the store's files, settings and failures on SQLite."""

from __future__ import annotations

import sqlite3
import stat
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, select, text

from privet.model.errors import ConfigurationInvalid, Conflict, StoreUnavailable
from privet.store import migrate, open_engine, reading, writing
from privet.store.tables import catalog_version, users

_AT = datetime(2026, 1, 2, tzinfo=UTC)
_ROW = {
    "issuer": "privet", "user": "ada", "password_hash": "$argon2id$secret", "groups": [],
    "disabled": False, "created_at": _AT,
}  # fmt: skip


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = open_engine(f"sqlite:///{tmp_path}/store.db")
    migrate(made)
    yield made
    made.dispose()


def test_every_connection_is_durable_and_checks_references(engine: Engine) -> None:
    """WAL, a flush at every commit, foreign keys, and patience with other writers."""
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}
    with reading(engine) as first, reading(engine) as second:
        for connection in (first, second):
            for pragma, value in wanted.items():
                assert connection.execute(text(f"PRAGMA {pragma}")).scalar() == value


def test_the_files_are_private(engine: Engine, tmp_path: Path) -> None:
    """Nobody else may read the database or its journal: they hold password hashes."""
    with writing(engine) as connection:
        connection.execute(insert(users), _ROW)
        files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["store.db", "store.db-shm", "store.db-wal"]
    with reading(engine):
        assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


@pytest.mark.parametrize(
    "url",
    ["sqlite://", "sqlite:///:memory:", "sqlite:///file:x?uri=true", "mysql://h/d", "nonsense",
     "oracle+odd://u:hidden@h/d", ""],
)  # fmt: skip
def test_urls_that_cannot_hold_the_store(url: str) -> None:
    """They are refused when opened, and a password in one is not repeated."""
    with pytest.raises(ConfigurationInvalid) as refused:
        open_engine(url)
    assert "hidden" not in str(refused.value)
    assert "sqlite:///" in refused.value.hint


def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    """The error names the file."""
    with pytest.raises(StoreUnavailable, match=r"absent/store\.db"):
        open_engine(f"sqlite:///{tmp_path}/absent/store.db")


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    """It is left as it was."""
    path = tmp_path / "store.db"
    path.write_bytes(b"not a database at all" * 100)
    engine = open_engine(f"sqlite:///{path}")
    with pytest.raises(StoreUnavailable):
        migrate(engine)
    engine.dispose()
    assert path.read_bytes().startswith(b"not a database")


def _write_much(engine: Engine, pages: int) -> None:
    with writing(engine) as connection:
        # To SQLite, a disk is full when the file may not grow.
        connection.execute(text(f"PRAGMA max_page_count = {pages}"))
        long = _ROW | {"user": "bob", "password_hash": "x" * 1_000_000}
        connection.execute(insert(users), long)


def test_a_full_disk_is_said_and_loses_nothing(engine: Engine) -> None:
    """A write that does not fit is refused as a whole; what was there stays."""
    with writing(engine) as connection:
        connection.execute(insert(users), _ROW)
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
    with pytest.raises(StoreUnavailable):
        _write_much(engine, pages)
    with reading(engine) as connection:
        assert connection.execute(select(users.c.user)).scalars().all() == ["ada"]
        assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"


def test_a_writer_that_never_ends_is_given_up_on(engine: Engine, tmp_path: Path) -> None:
    """Another program that holds the lock makes the store unavailable, not the server hang."""
    holder = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        with reading(engine) as connection:
            assert connection.execute(select(catalog_version.c.version)).scalar() == 1
        with engine.connect() as connection:
            connection.execute(text("PRAGMA busy_timeout = 50"))
        with pytest.raises(StoreUnavailable), writing(engine):
            pass
    finally:
        holder.close()


def test_replacing_an_audit_event_is_refused(engine: Engine) -> None:
    """REPLACE deletes without asking the triggers for DELETE; it must not get that far."""
    columns = (
        "id, at, action, outcome, user, issuer, groups, door, object, statement, bypass,"
        " permissions, facts_version, error, parent, detail"
    )
    values = "'one', '2026-01-01', 'a', 'b', '', '', '[]', '', '', '', 0, '[]', 1, '', '', '{}'"
    with writing(engine) as connection:
        connection.execute(text(f"INSERT INTO audit_events ({columns}) VALUES ({values})"))
    for statement in (
        f"REPLACE INTO audit_events ({columns}) VALUES ({values})",
        f"REPLACE INTO audit_events (seq, {columns}) VALUES (1, {values.replace('one', 'two')})",
    ):
        with pytest.raises(Conflict), writing(engine) as connection:
            connection.execute(text(statement))


def test_errors_do_not_repeat_what_was_written(engine: Engine) -> None:
    """Neither the error nor its cause, which may end in a log, holds a value of the row."""
    with writing(engine) as connection:
        connection.execute(insert(users), _ROW)
    with pytest.raises(Conflict) as refused, writing(engine) as connection:
        connection.execute(insert(users), _ROW)
    assert "argon2id" not in "".join(traceback.format_exception(refused.value))
