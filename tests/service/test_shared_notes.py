"""What clients share by key."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from privet.model.errors import Forbidden, InvalidRequest, ResourcesExceeded
from query.platforms import Place, open_place


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with open_place(tmp_path_factory.mktemp("notes")) as place:
        yield place


def test_an_administrator_writes_them_and_others_read_what_a_client_shows(place: Place) -> None:
    """Keys of other beginnings are unknown to others; nobody else writes any, and that is told."""
    notes, reader = place.services.notes, place.person().caller
    admin = place.admin.caller
    for key, value in (("other", "yes"), ("feature.ui.new", "true"), ("other", "no")):
        notes.put_shared(admin, key, value)
    assert notes.list_shared(admin) == (("feature.ui.new", "true"), ("other", "no"))
    assert notes.list_shared(reader) == (("feature.ui.new", "true"),)
    with pytest.raises(Forbidden):
        notes.put_shared(reader, "feature.ui.new", "false")
    with pytest.raises(Forbidden):
        notes.put_shared(reader, "feature.ui.new", None)
    assert notes.find(admin, "other") is None
    notes.put_shared(admin, "other", None)
    assert notes.list_shared(admin) == (("feature.ui.new", "true"),)
    with pytest.raises(InvalidRequest):
        notes.put_shared(admin, "", "x")
    with pytest.raises(ResourcesExceeded):
        notes.put_shared(admin, "large", "x" * 70_000)
