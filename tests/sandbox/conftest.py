"""A platform for tests that go through the whole of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from query.platforms import Place, open_place


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Tests leave it as it is."""
    with open_place(tmp_path_factory.mktemp("sandbox") / "platform") as place:
        yield place
