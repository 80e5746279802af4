"""A real S3 server for tests: one per run, started by the first test that asks for it."""

from __future__ import annotations

import pytest

from privet.demo.objectstore import ObjectStore

_STORE = pytest.StashKey[ObjectStore]()


@pytest.fixture(scope="session")
def seaweed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> ObjectStore:
    """A running SeaweedFS with the identities `platform`, `reader` and `analyst`.

    Several rooms' `conftest.py` import this fixture, and share the one server through the stash.
    """
    stash = request.config.stash
    if _STORE not in stash:
        store = ObjectStore(tmp_path_factory.mktemp("seaweed"))
        request.config.add_cleanup(store.stop)
        store.start()
        stash[_STORE] = store
    return stash[_STORE]
