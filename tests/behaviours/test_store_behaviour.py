"""What must hold of the store on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, insert, select, text, update

from privet.model.errors import Conflict, StoreUnavailable
from privet.store import migrate, open_engine, reading, reading_once, upsert, writing
from privet.store.tables import audit_events, catalog_version, metadata, revocations, users

Open = Callable[[], Engine]
_AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def _event(name: str, **others: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": name, "at": _AT, "action": "scan.start", "outcome": "allowed", "user": "ada",
        "issuer": "privet", "groups": ["analysts"], "door": "rest", "object": "a.b",
        "statement": "", "bypass": False, "permissions": [], "facts_version": 1, "error": "",
        "parent": "", "detail": {},
    }  # fmt: skip
    return row | others


def _user(name: str, at: datetime = _AT) -> dict[str, Any]:
    return {
        "issuer": "privet", "user": name, "password_hash": "x", "groups": [], "disabled": False,
        "created_at": at,
    }  # fmt: skip


def test_the_migrations_make_exactly_the_tables(open_store: Open) -> None:
    """A table or index that the code knows and no migration makes (or the reverse) is a bug."""
    with reading(open_store()) as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_several_processes_may_migrate_at_once(empty_url: str) -> None:
    """Replicas that start together all come up, and the database is migrated once."""
    code = "import sys; from privet.store import *; migrate(open_engine(sys.argv[1]))"
    command = [sys.executable, "-W", "error", "-c", code, empty_url]
    starting = [
        subprocess.Popen(command, stderr=subprocess.PIPE)
        for _ in range(2)
    ]  # fmt: skip
    errors = [process.communicate(timeout=60)[1].decode() for process in starting]
    assert [p.returncode for p in starting] == [0, 0], errors
    engine = open_engine(empty_url)
    threads = [threading.Thread(target=migrate, args=(engine,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with reading(engine) as connection:
        assert connection.execute(select(catalog_version.c.version)).all() == [(1,)]
    engine.dispose()


def test_a_database_of_a_later_version_is_refused(open_store: Open) -> None:
    """Old code must not run on new tables: it would overlook what they say."""
    engine = open_store()
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreUnavailable, match="another version"):
        migrate(engine)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_events SET outcome = 'refused'",
        "DELETE FROM audit_events",
        "DELETE FROM audit_events WHERE id = 'one'",
    ],
)
def test_audit_events_are_only_ever_added(open_store: Open, statement: str) -> None:
    """The database itself refuses to change what was recorded."""
    engine = open_store()
    with writing(engine) as connection:
        connection.execute(insert(audit_events), [_event("one"), _event("two")])
    with pytest.raises(Conflict), writing(engine) as connection:
        connection.execute(text(statement))
    with reading(engine) as connection:
        found = connection.execute(select(audit_events).order_by(audit_events.c.seq)).all()
    assert [(row.seq, row.id, row.outcome, row.at) for row in found] == [
        (1, "one", "allowed", _AT),
        (2, "two", "allowed", _AT),
    ]


def test_audit_text_keeps_what_a_database_can_keep(open_store: Open) -> None:
    """A statement with odd characters must not make its own record impossible."""
    engine = open_store()
    odd = _event("odd", statement="a\x00b\ud800c", detail={"text": "\x00\ud800"})
    with writing(engine) as connection:
        connection.execute(insert(audit_events), odd)
    with reading(engine) as connection:
        row = connection.execute(select(audit_events)).one()
    assert row.statement == "a\ufffdb\ufffdc"
    assert row.detail == {"text": "\x00\ud800"}


def test_names_compare_and_sort_as_bytes(open_store: Open) -> None:
    """Two names that a locale takes for equal or sorts otherwise stay two, in byte order."""
    engine = open_store()
    names = ["B", "a", "a_", "A", "_", "\u00e9", "e\u0301", "b"]
    with writing(engine) as connection:
        connection.execute(insert(users), [_user(name) for name in names])
    with reading(engine) as connection:
        found = connection.execute(select(users.c.user).order_by(users.c.user)).scalars().all()
    assert list(found) == sorted(names, key=str.encode)


def test_moments_come_back_in_utc(open_store: Open) -> None:
    """Whatever zone a moment was given in, it is the same moment and says UTC."""
    engine = open_store()
    elsewhere = _AT.astimezone(timezone(timedelta(hours=5, minutes=30)))
    with writing(engine) as connection:
        connection.execute(insert(users), _user("ada", elsewhere))
    with reading(engine) as connection:
        moment = connection.execute(select(users.c.created_at)).scalar_one()
        same = connection.execute(select(users.c.user).where(users.c.created_at == elsewhere))
        assert same.scalar_one() == "ada"
    assert (moment, moment.tzinfo) == (_AT, UTC)
    naive = _AT.replace(tzinfo=None)
    with pytest.raises(StoreUnavailable), writing(engine) as connection:
        connection.execute(insert(users), _user("bob", naive))


def _insert_and_fail(engine: Engine, fail: Callable[[Connection], object]) -> None:
    with writing(engine) as connection:
        connection.execute(insert(users), _user("ada"))
        fail(connection)


def test_a_failed_block_leaves_nothing(open_store: Open) -> None:
    """An error in the middle undoes the whole change; a broken constraint is a conflict."""
    engine = open_store()
    with pytest.raises(Conflict):
        _insert_and_fail(engine, lambda c: c.execute(insert(users), _user("ada")))
    with pytest.raises(ZeroDivisionError):
        _insert_and_fail(engine, lambda _: 1 / 0)
    with reading_once(engine) as connection:
        assert connection.execute(select(users)).all() == []


def test_a_reader_sees_one_moment(open_store: Open) -> None:
    """What another commits between two statements of a reader stays out of its sight."""
    engine, other = open_store(), open_store()
    with reading(engine) as connection:
        assert connection.execute(select(users)).all() == []
        with writing(other) as writer:
            writer.execute(insert(users), _user("ada"))
        assert connection.execute(select(users)).all() == []
    with reading_once(engine) as connection:
        assert len(connection.execute(select(users)).all()) == 1


def test_modes_do_not_leak_through_the_pool(open_store: Open) -> None:
    """A connection that was used for one statement or a snapshot is whole when used to write."""
    engine = open_store()
    for _ in range(3):
        with reading_once(engine) as connection:
            connection.execute(select(users)).all()
        with reading(engine) as connection:
            connection.execute(select(users)).all()
        with pytest.raises(ZeroDivisionError):
            _insert_and_fail(engine, lambda _: 1 / 0)
    with writing(engine) as connection:
        connection.execute(insert(users), _user("ada"))
        connection.execute(update(users).values(disabled=True))
    with reading(engine) as connection:
        assert connection.execute(select(users.c.disabled)).all() == [(True,)]


def test_upsert_writes_once_and_then_replaces(open_store: Open) -> None:
    """The same key again gives one row with the newer values."""
    engine = open_store()
    key = {"issuer": "privet", "user": "ada"}
    for hours in (0, 1):
        with writing(engine) as connection:
            later = _AT + timedelta(hours=hours)
            upsert(connection, revocations, {**key, "revoked_before": later})
    with reading(engine) as connection:
        rows = connection.execute(select(revocations.c.revoked_before)).scalars().all()
    assert list(rows) == [_AT + timedelta(hours=1)]


def test_a_database_that_was_not_migrated_is_unavailable(empty_url: str) -> None:
    """The driver's own words about a missing table reach nobody."""
    engine = open_engine(empty_url)
    with pytest.raises(StoreUnavailable), reading(engine) as connection:
        connection.execute(select(users)).all()
    engine.dispose()
