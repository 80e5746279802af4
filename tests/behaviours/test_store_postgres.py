"""What must hold of the store on PostgreSQL alone: it may go away and come back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from privet.model.errors import Conflict, StoreUnavailable
from privet.store import migrate, open_engine, reading, reading_once, writing

pytestmark = pytest.mark.service


@pytest.fixture
def engines(postgres: object) -> tuple[Engine, Engine]:
    url: str = postgres.new_database()  # type: ignore[attr-defined]
    return open_engine(url), open_engine(url)


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    """It is said in our words, without the password."""
    engine = open_engine(f"postgresql://privet:hidden@/privet?host={tmp_path}")
    for use in (reading, reading_once, writing):
        with pytest.raises(StoreUnavailable) as refused, use(engine):
            pass
        assert "hidden" not in str(refused.value)
    with pytest.raises(StoreUnavailable):
        migrate(engine)


def test_lost_connections_are_replaced(engines: tuple[Engine, Engine]) -> None:
    """After the server dropped every idle connection, the next use works; a used one is told."""
    engine, other = engines
    kill = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with reading(engine) as connection:
        connection.execute(text("SELECT 1"))
    with reading_once(other) as connection:
        assert connection.execute(kill).all() == [(True,)]
    with writing(engine) as connection:
        connection.execute(text("DELETE FROM users"))
    with pytest.raises(StoreUnavailable):
        _use_while(engine, lambda: _run(other, kill))
    with reading(engine) as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1
    engine.dispose()
    other.dispose()


def _run(engine: Engine, statement: object) -> None:
    with reading_once(engine) as connection:
        connection.execute(statement)  # type: ignore[call-overload]


def _use_while(engine: Engine, between: Callable[[], None]) -> None:
    with reading(engine) as connection:
        connection.execute(text("SELECT 1"))
        between()
        connection.execute(text("SELECT 1"))


def test_audit_events_cannot_be_truncated(engines: tuple[Engine, Engine]) -> None:
    """TRUNCATE fires no trigger for DELETE; it has one of its own."""
    engine, other = engines
    with pytest.raises(Conflict), writing(engine) as connection:
        connection.execute(text("TRUNCATE audit_events"))
    engine.dispose()
    other.dispose()
