"""Decisions by a snapshot of the catalog, about what is behind views too."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from functools import lru_cache, partial

from privet.catalog import HeldRoles, Snapshot
from privet.model.datasets import Dataset
from privet.model.decisions import Facts
from privet.model.names import DatasetName
from privet.model.principals import Principal
from privet.service.deciding import Decided, Deciding, Found, Sources, definer_of
from privet.service.effects.subjects import Subject
from privet.service.platform import Platform

_ROLE_SETS = 64


class Definers:
    """Whoever made views: each is looked for once."""

    def __init__(self, platform: Platform) -> None:
        self.find = lru_cache(maxsize=None)(partial(definer_of, platform))


class Lineages:
    """Which datasets are made of which, in a snapshot."""

    def __init__(self, datasets: Iterable[Dataset]) -> None:
        self._datasets = {dataset.name: dataset for dataset in datasets}
        self._views = {n: view for n, d in self._datasets.items() if (view := d.view) is not None}
        self._parents: dict[DatasetName, frozenset[DatasetName]] = {
            name: frozenset(view.sees) for name, view in self._views.items()
        }
        for name, dataset in self._datasets.items():
            if dataset.copy is not None:
                self._parents[name] = frozenset(dataset.copy.origins)

    def behind(self, name: DatasetName) -> frozenset[DatasetName]:
        """All that a dataset is made of, at every depth."""
        return _reached(name, self._parents)

    def definers(self, name: DatasetName) -> frozenset[tuple[str, str]]:
        """Whoever made a view, and those behind it."""
        names = self.behind(name) | {name}
        return frozenset(self._views[n].definer for n in names if n in self._views)

    def made_of(self, names: Iterable[DatasetName]) -> frozenset[DatasetName]:
        """The views and copies that are made of any of these, at every depth."""
        wanted = frozenset(names)
        return frozenset(n for n in self._parents if self.behind(n) & wanted)

    def columns_of(self, name: DatasetName, column: str) -> frozenset[tuple[DatasetName, str]]:
        """The columns of views that rest on a column, at every depth."""
        found, waiting = set[tuple[DatasetName, str]](), [(name, column)]
        while waiting:
            wanted = waiting.pop()
            resting = {
                (view_name, own)
                for view_name, view in self._views.items()
                for own, rests in view.rests.items()
                if wanted in rests
            } - found
            found |= resting
            waiting += resting
        return frozenset(found)

    def get(self, name: DatasetName) -> Dataset | None:
        """The dataset of a name, if there is one."""
        return self._datasets.get(name)


def _reached(
    name: DatasetName, parents: Mapping[DatasetName, frozenset[DatasetName]]
) -> frozenset[DatasetName]:
    found, waiting = set[DatasetName](), [name]
    while waiting:
        fresh = parents.get(waiting.pop(), frozenset()) - found
        found |= fresh
        waiting += fresh
    return frozenset(found)


class Beforehand:
    """Decides for subjects by a snapshot, which may be of a catalog that is not to be.

    Args:
        snapshot: what is the case.
        datasets: those that are decided on; with all that is behind them.
        lineages: of the snapshot.
        definers: of its views.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        datasets: Iterable[DatasetName],
        lineages: Lineages,
        definers: Definers,
    ) -> None:
        self._snapshot = snapshot
        self._definers = definers
        wanted = list(datasets)
        names = frozenset(wanted).union(*map(lineages.behind, wanted))
        self._datasets = tuple(d for d in snapshot.datasets if d.name in names)
        self._by_roles = lru_cache(_ROLE_SETS)(self._read)

    def roles_of(self, definer: tuple[str, str]) -> HeldRoles:
        """The roles of whoever made a view."""
        return self._snapshot.roles_of(self._definers.find(definer))

    def of(self, subject: Subject, now: datetime) -> SubjectDecisions:
        """What is decided for a subject."""
        return SubjectDecisions(self, subject, now)

    def facts(self, name: DatasetName, roles: HeldRoles) -> Facts:
        """The facts about a dataset for those who hold these roles; it may be gone."""
        version = self._snapshot.version.number
        return self._by_roles(roles).get(name) or Facts(version, name, None, roles.held)

    def sources(self, subject: Subject) -> Sources:
        """What deciding for a subject rests on."""

        def facts(name: DatasetName, principal: Principal) -> Facts:
            # A holder of a role alone has no name by which a group could be found.
            own = principal is subject.principal
            roles = subject.roles if own else self._snapshot.roles_of(principal)
            return self.facts(name, roles)

        def among(names: Collection[DatasetName], principals: Collection[Principal]) -> Found:
            return {(name, each): facts(name, each) for name in names for each in principals}

        return Sources(among, self._definers.find)

    def _read(self, roles: HeldRoles) -> dict[DatasetName, Facts]:
        found = self._snapshot.facts(roles, self._datasets)
        return {facts.name: facts for facts in found}


class SubjectDecisions:
    """Decisions for one subject, which share what is behind views."""

    def __init__(self, beforehand: Beforehand, subject: Subject, now: datetime) -> None:
        self._beforehand = beforehand
        self._roles = subject.roles
        self._deciding = Deciding(beforehand.sources(subject), subject.principal, now)

    def on(self, name: DatasetName) -> Decided:
        """What is decided on a dataset."""
        return self._deciding.on(self._beforehand.facts(name, self._roles))
