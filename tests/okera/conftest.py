"""The shared server, as notebooks see it."""

import pytest


@pytest.fixture(scope="session")
def analyst(governed: str) -> str:
    """The data scientist's token."""
    return governed
