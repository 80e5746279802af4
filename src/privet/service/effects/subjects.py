"""For whom decisions are compared: everybody who was seen, and each role by itself."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from privet.catalog import HeldRoles, Snapshot
from privet.model.errors import PrivetError, ResourcesExceeded
from privet.model.names import PUBLIC_ROLE, RESERVED_ROLE_PREFIX
from privet.model.principals import Principal
from privet.service.platform import Platform

SECONDS = 20.0
"""How long all that is worked out for one answer may take."""


class Deadline:
    """The end of the time for one answer."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._end = time.monotonic() + seconds

    @property
    def passed(self) -> bool:
        """Whether there is no time left."""
        return time.monotonic() >= self._end

    def check(self) -> None:
        """Go on, if there is time.

        Raises:
            ResourcesExceeded: there is none left.
        """
        if self.passed:
            raise ResourcesExceeded("working this out takes too long")


@dataclass(frozen=True, slots=True)
class Subject:
    """Somebody to decide for: a user who was seen, or a nameless holder of `role` alone."""

    principal: Principal
    roles: HeldRoles = field(compare=False)
    role: str = ""


@dataclass(frozen=True, slots=True)
class Subjects:
    """All of them; `unknown` are users about whom not enough could be found out."""

    known: tuple[Subject, ...]
    unknown: tuple[str, ...]


def find_subjects(platform: Platform, snapshot: Snapshot, deadline: Deadline) -> Subjects:
    """Users by name, with the groups they were last seen with; then roles by name.

    A role of an owner is one user's, and stands for nobody else.
    """
    known: list[Subject] = []
    unknown: list[str] = []
    for seen in platform.catalog.principals.list():
        try:
            deadline.check()
            principal = platform.identity.describe(
                seen.user, seen.groups, other_groups=seen.other_groups
            )
        except PrivetError:
            unknown.append(seen.user)
            continue
        if principal.issuer != seen.issuer:
            principal = Principal(
                seen.user, seen.groups, seen.issuer, other_groups=seen.other_groups
            )
        known.append(Subject(principal, snapshot.roles_of(principal)))
    roles = (role.name for role in platform.catalog.roles.list())
    known += _holders(name for name in roles if not name.startswith(RESERVED_ROLE_PREFIX))
    return Subjects(tuple(known), tuple(unknown))


def _holders(roles: Iterator[str]) -> Iterator[Subject]:
    """A holder of each role, of whom nothing else is known."""
    for role in roles:
        held = frozenset({role, PUBLIC_ROLE})
        yield Subject(Principal(""), HeldRoles(held, held), role)
