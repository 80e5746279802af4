"""Ownership of paths, against its definition."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, delete, insert

from privet.catalog.documents import dump_types
from privet.catalog.paths import PathOwners
from privet.model.names import DatasetName
from privet.store import migrate, open_engine, writing
from privet.store.tables import databases, datasets

_AT = datetime(2026, 1, 2, tzinfo=UTC)
_URIS = st.builds(
    lambda scheme, parts: scheme + "/".join(parts),
    st.sampled_from(["s3://", "file:///", "s3://b/"]),
    st.lists(st.sampled_from(["a", "ab", "A", "_", "%", "a.csv"]), max_size=4),
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder: Path = tmp_path_factory.mktemp("paths")
    made = open_engine(f"sqlite:///{folder}/store.db")
    migrate(made)
    with writing(made) as connection:
        connection.execute(
            insert(databases).values(name="d", description="", created_by="", created_at=_AT)
        )
    yield made
    made.dispose()


def _store(connection: Connection, number: int, uri: str) -> None:
    row = {
        "id": str(number), "database": "d", "name": f"t{number}", "uri": uri, "format": "csv",
        "options": {}, "partitions": [], "types": dump_types([]), "description": "",
        "owner": "", "created_at": _AT, "revision": 1,
    }  # fmt: skip
    connection.execute(insert(datasets).values(row))


def _meet(one: str, other: str) -> bool:
    """Whether, by whole parts, one begins with the other."""
    first, second = one.rstrip("/").split("/"), other.rstrip("/").split("/")
    shorter = min(len(first), len(second))
    return first[:shorter] == second[:shorter]


@given(stored=st.lists(_URIS, unique=True, max_size=4), asked=_URIS)
def test_owners_are_those_whose_paths_meet(engine: Engine, stored: list[str], asked: str) -> None:
    """Whatever is stored, a path has an owner iff a stored path meets it, and it is one of them."""
    with writing(engine) as connection:
        connection.execute(delete(datasets))
        for number, uri in enumerate(stored):
            _store(connection, number, uri)
        owner = PathOwners(connection).find(asked)
    meeting = {DatasetName("d", f"t{n}") for n, uri in enumerate(stored) if _meet(uri, asked)}
    assert owner in meeting if meeting else owner is None
