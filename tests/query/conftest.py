"""A platform for all tests of queries that leave it as it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from query.platforms import Place, open_place


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """With small limits; what a test registers has names of its own."""
    with open_place(tmp_path_factory.mktemp("place") / "platform") as place:
        yield place
