"""How far a change of permissions reaches: datasets, what is made of them, and for whom."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

from privet.catalog import HeldRoles, Snapshot
from privet.model.names import DatasetName
from privet.model.permissions import AccessLevel, Permission, on_dataset
from privet.model.principals import Principal
from privet.policy import Named, may_cover
from privet.service.effects.beforehand import Lineages
from privet.service.platform import Platform
from privet.service.rights import Administrator


@dataclass(frozen=True, slots=True)
class Reach:
    """What may be seen otherwise after a change.

    Attributes:
        roles: that the changed permissions are of.
        direct: datasets that they are on.
        made: views and copies of these, as far as the asker may see everything about them.
        lineages: of all datasets.
        named: whether the asker may see everything about a dataset.
    """

    roles: frozenset[str]
    direct: tuple[DatasetName, ...]
    made: tuple[DatasetName, ...]
    lineages: Lineages
    named: Named

    @classmethod
    def of(
        cls,
        platform: Platform,
        asker: Principal,
        snapshot: Snapshot,
        changed: Sequence[Permission],
    ) -> Self:
        """Of some permissions."""
        lineages, named = Lineages(snapshot.datasets), seer(platform, asker)
        names = (dataset.name for dataset in snapshot.datasets)
        direct = tuple(n for n in names if any(may_cover(p, n) for p in changed))
        made = lineages.made_of(direct) - frozenset(direct)
        roles = frozenset(permission.role for permission in changed)
        return cls(roles, direct, tuple(sorted(filter(named, made))), lineages, named)

    @property
    def datasets(self) -> tuple[DatasetName, ...]:
        """All of them."""
        return (*self.direct, *self.made)

    def whoever_reads(
        self, roles_of: Callable[[tuple[str, str]], HeldRoles]
    ) -> tuple[DatasetName, ...]:
        """The views that change for every reader: somebody on the way has a changed role."""
        made = frozenset(self.lineages.made_of(self.direct))
        return tuple(
            name
            for name in self.datasets
            if name in made
            and any(self.roles & roles_of(each).bound for each in self.lineages.definers(name))
        )


def seer(platform: Platform, asker: Principal) -> Named:
    """Whether somebody may see everything about a dataset."""
    administrator = Administrator.of(platform, asker)

    def named(name: DatasetName) -> bool:
        return administrator.may(AccessLevel.VIEW_COMPLETE_METADATA, on_dataset(name))

    return named
