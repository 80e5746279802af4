"""A migrated store, a clock that the test moves, and identity over both."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Engine

from privet.identity import AdminRule, Identity, SigningKeys
from privet.store import migrate, open_engine


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **delta: float) -> None:
        self.now += timedelta(**delta)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "store.db"
    engine = open_engine(f"sqlite:///{path}")
    migrate(engine)
    engine.dispose()
    return path


@pytest.fixture
def engine(migrated: Path, tmp_path: Path) -> Iterator[Engine]:
    shutil.copy(migrated, tmp_path / "store.db")
    engine = open_engine(f"sqlite:///{tmp_path}/store.db")
    yield engine
    engine.dispose()


@pytest.fixture
def keys(tmp_path: Path, clock: Clock) -> SigningKeys:
    return SigningKeys.create(tmp_path / "signing.json", clock=clock)


@pytest.fixture
def hasher() -> PasswordHasher:
    """As cheap as argon2 can be: these tests are not about its cost."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture
def identity(engine: Engine, keys: SigningKeys, clock: Clock, hasher: PasswordHasher) -> Identity:
    return Identity(
        engine,
        keys,
        admins=AdminRule.parse(["root", "group:stewards"]),
        token_lifetime=timedelta(minutes=15),
        clock=clock,
        hasher=hasher,
    )
