"""Who is an admin, and what the setting may say."""

from __future__ import annotations

import pytest

from privet.identity import AdminRule
from privet.model.errors import ConfigurationInvalid


def test_users_and_groups_are_named_exactly() -> None:
    """A bare name is a user, never a group; nothing is folded."""
    rule = AdminRule.parse(["root", "user:ada:b", "group:stewards"])
    assert rule.matches("root", frozenset())
    assert rule.matches("ada:b", frozenset())
    assert rule.matches("bob", frozenset({"x", "stewards"}))
    for user, groups in (("Root", "x"), ("stewards", "root"), ("group:stewards", "user:ada:b")):
        assert not rule.matches(user, frozenset({groups}))


def test_nobody_is_admin_unless_named() -> None:
    """An empty setting names nobody."""
    assert not AdminRule.parse([]).matches("", frozenset())


@pytest.mark.parametrize(
    "entry", ["", "user:", "group:", ":ada", "users:ada", "role:x", "group:user:ada", " ada", "a\n"]
)
def test_an_entry_that_names_nobody_stops_the_start(entry: str) -> None:
    """A typing error must not silently name somebody else, or nobody."""
    with pytest.raises(ConfigurationInvalid, match="catalog_admins"):
        AdminRule.parse([entry])
