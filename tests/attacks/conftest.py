"""Two platforms that must look alike, for all attacks by SQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from attacks.sql_worlds import SanitisedCopy, Worlds, open_worlds


@pytest.fixture(scope="session")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worlds]:
    """One has something to hide; tests leave both as they are."""
    with open_worlds(tmp_path_factory.mktemp("worlds")) as worlds:
        yield worlds


@pytest.fixture(scope="session")
def copy(worlds: Worlds) -> Iterator[SanitisedCopy]:
    """A plain database that holds what the analyst may see."""
    copy = worlds.hiding.copy()
    yield copy
    copy.close()
