"""Facts from what was read: which permissions are on a dataset, and whose they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Self

from privet.catalog.roles import HeldRoles
from privet.model.datasets import Dataset
from privet.model.decisions import Facts
from privet.model.names import DatasetName
from privet.model.permissions import Effect, Permission, Scope, ScopeKind


class Covering:
    """Permissions by what they are on, to find those that cover a name without trying each."""

    def __init__(self, permissions: Iterable[Permission]) -> None:
        self._on: dict[tuple[str, ...], list[tuple[int, Permission]]] = {}
        for age, permission in enumerate(permissions):
            key = _place(permission.scope)
            if key is not None:
                self._on.setdefault(key, []).append((age, permission))

    def of(self, name: DatasetName) -> tuple[Permission, ...]:
        """Those that may cover a dataset, oldest first."""
        scopes = ((), name[:1], tuple(name))
        covering = chain.from_iterable(self._on.get(scope, ()) for scope in scopes)
        return tuple(permission for _, permission in sorted(covering, key=lambda pair: pair[0]))


@dataclass(frozen=True, slots=True)
class Reach:
    """The datasets that some permissions may cover."""

    everything: bool
    places: frozenset[tuple[str, ...]]

    @classmethod
    def of(cls, permissions: Iterable[Permission]) -> Self:
        """The reach of all of them."""
        found = (_place(permission.scope) for permission in permissions)
        places = frozenset(place for place in found if place is not None)
        return cls(() in places, places)

    def holds(self, name: DatasetName) -> bool:
        """Whether one of them may cover that dataset."""
        return self.everything or name[:1] in self.places or tuple(name) in self.places


def _place(scope: Scope) -> tuple[str, ...] | None:
    """Where a scope lies: the parts of a name, none for everything; None if it covers no data."""
    match scope.kind:
        case ScopeKind.DATABASE if not scope.per_user:
            return (scope.database,)
        case ScopeKind.TABLE if not scope.per_user:
            return (scope.database, scope.dataset)
        case kind if kind.holds_data:
            # Also those that mean another object for each reader; the policy tells.
            return ()
        case _:
            return None


def to_facts(
    version: int,
    name: DatasetName,
    dataset: Dataset | None,
    roles: HeldRoles,
    found: tuple[Permission, ...],
) -> Facts:
    """Facts for those who hold these roles, of permissions that may cover the dataset."""
    grants = tuple(p for p in found if p.effect is Effect.GRANT and p.role in roles.held)
    guards = tuple(p for p in found if p.effect is not Effect.GRANT and p.role in roles.bound)
    return Facts(version, name, dataset, roles.held, grants, guards)
