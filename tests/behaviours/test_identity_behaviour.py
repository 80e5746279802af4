"""What must hold of identity on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Engine

from privet.identity import AdminRule, Identity, SigningKeys
from privet.model.errors import Conflict, Unauthenticated
from privet.model.principals import BearerToken, Password

_SECRET = "correct horse"


@pytest.fixture
def servers(open_store: Callable[[], Engine], tmp_path: Path) -> list[Identity]:
    """Two servers over one store and one file of signing keys."""
    keys = SigningKeys.create(tmp_path / "signing.json")
    return [
        Identity(
            open_store(),
            keys,
            admins=AdminRule(),
            token_lifetime=timedelta(minutes=15),
            hasher=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1),
        )
        for _ in range(2)
    ]


def test_a_user_made_here_logs_in_there(servers: list[Identity]) -> None:
    """Names of any script keep their bytes and their order."""
    for user in ("zoë", "Ada", "ada", "東京"):
        servers[0].create_user(user, _SECRET, ["g", "é"])
    assert servers[1].authenticate(Password("zoë", _SECRET)).groups == {"g", "é"}
    assert [user.user for user in servers[1].list_users()] == ["Ada", "ada", "zoë", "東京"]
    with pytest.raises(Conflict, match="exists"):
        servers[1].create_user("zoë", _SECRET, [])
    servers[1].drop_user("zoë")
    with pytest.raises(Unauthenticated):
        servers[0].authenticate(Password("zoë", _SECRET))


def test_a_revocation_here_holds_there(servers: list[Identity]) -> None:
    """At the next request, and for that user alone."""
    tokens = {user: BearerToken(servers[0].issue_token(user, [])) for user in ("ada", "bob")}
    servers[0].revoke_before("ada", datetime.now(UTC))
    with pytest.raises(Unauthenticated, match="revoked"):
        servers[1].authenticate(tokens["ada"])
    assert servers[1].authenticate(tokens["bob"]).user == "bob"


def test_the_latest_of_many_revocations_counts(servers: list[Identity]) -> None:
    """In whatever order they arrive, from whichever server."""
    start = datetime.now(UTC) - timedelta(hours=1)
    latest = datetime.now(UTC) + timedelta(hours=1)
    moments = [start + timedelta(seconds=n) for n in range(10)]
    moments.insert(4, latest)
    threads = [
        threading.Thread(target=servers[n % 2].revoke_before, args=("ada", moment))
        for n, moment in enumerate(moments)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with pytest.raises(Unauthenticated, match="revoked"):
        servers[0].authenticate(BearerToken(servers[0].issue_token("ada", [])))
