"""Every dataset in memory; after a change, what it touched is read again and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Self

from sqlalchemy import Connection, or_, true

from privet.catalog.current.changes import Changes
from privet.catalog.current.inherited import Inheritance, rests_on
from privet.catalog.current.stored import among, read_stored
from privet.catalog.definitions.lineage import LineageRule
from privet.catalog.versions import Version
from privet.model.datasets import Dataset, Format
from privet.model.names import DatasetName
from privet.store.tables import datasets

_MOST_AT_ONCE = 2_000


@dataclass(slots=True)
class Image:
    """All datasets at one version. For one thread at a time; given up when `follow` fails.

    Attributes:
        version: that of everything in it.
        datasets: with the tags of lineage, by name, in the order of the names. One that did not
            change stays the same object.
        edits: grows when `datasets` changes.
    """

    version: Version
    datasets: dict[DatasetName, Dataset]
    edits: int = 0
    _stored: dict[DatasetName, Dataset] = field(default_factory=dict[DatasetName, Dataset])
    _views: dict[DatasetName, frozenset[DatasetName]] = field(
        default_factory=dict[DatasetName, frozenset[DatasetName]]
    )
    """What each view rests on."""
    _rule: LineageRule = LineageRule.WHOLE

    @classmethod
    def read(
        cls,
        connection: Connection,
        version: Version,
        known: Self | None = None,
        rule: LineageRule = LineageRule.WHOLE,
    ) -> Self:
        """Read everything, at the version that the connection's transaction sees: one query.

        What is equal to what is `known` already stays the same object.
        """
        image = cls(
            version, dict(known.datasets) if known else {}, known.edits if known else 0, _rule=rule
        )
        image._replace(image.datasets.keys(), read_stored(connection, true()))
        return image

    def follow(self, connection: Connection, version: Version, changes: Changes) -> bool:
        """Come to a later version by what changed: one query at most.

        Returns:
            Whether it did; otherwise so much changed that reading everything is as good.
        """
        if len(changes.datasets) > _MOST_AT_ONCE:
            return False
        touched = {*changes.datasets, *self._in(changes.databases)}
        if touched or changes.databases:
            in_databases = datasets.c.database.in_(sorted(changes.databases))
            found = read_stored(connection, or_(among(sorted(changes.datasets)), in_databases))
            self._replace(touched, found)
        self.version = version
        return True

    def _in(self, databases: frozenset[str]) -> Iterator[DatasetName]:
        # Seldom is a database tagged, and often are there many datasets.
        return (n for n in self._stored if n.database in databases) if databases else iter(())

    def _replace(self, gone: Iterable[DatasetName], found: Iterable[Dataset]) -> None:
        """Let datasets be these, and what rests on them be as it then is."""
        there = {dataset.name: dataset for dataset in found}
        touched = {*gone, *there}
        for name in touched - there.keys():
            self._stored.pop(name, None)
        self._stored |= there
        around = {view for view, behind in self._views.items() if not behind.isdisjoint(touched)}
        self._inherit(touched | around)
        self.edits += 1

    def _inherit(self, names: set[DatasetName]) -> None:
        inherited, added = Inheritance(self._stored, self._rule), False
        for name in names:
            self._views.pop(name, None)
            dataset, before = inherited.of(name), self.datasets.get(name)
            if dataset is None:
                self.datasets.pop(name, None)
            elif before != dataset:
                self.datasets[name] = dataset
                added = added or before is None
            if dataset is not None and dataset.source.format is Format.VIEW:
                self._views[name] = rests_on(self._stored, name)
        if added:
            self.datasets = dict(sorted(self.datasets.items(), key=itemgetter(0)))
