"""Datasets with the tags that they inherit: from what a view reads, or what a copy was made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from privet.catalog.definitions.lineage import LineageRule, as_copied, inheriting, tags_of_parts
from privet.model.datasets import Column, Dataset, FieldTag, TagOrigin, View
from privet.model.names import DatasetName

Stored = Mapping[DatasetName, Dataset | None]
"""Datasets by name without the tags of lineage; None, or not there, if there is none."""


class Inheritance:
    """Gives the columns of views the tags of all that they rest on, but for those released.

    Each dataset is worked out once, however many views rest on it. What rests on itself has no tags
    from there; no such view can be read.
    """

    def __init__(self, stored: Stored, rule: LineageRule = LineageRule.WHOLE) -> None:
        self._stored = stored
        self._rule = rule
        self._known: dict[DatasetName, Dataset | None] = {}

    def of(self, name: DatasetName) -> Dataset | None:
        """The dataset of that name, with the tags of its lineage."""
        if name not in self._known:
            self._known[name] = None
            dataset = self._stored.get(name)
            self._known[name] = None if dataset is None else self._with_tags(dataset)
        return self._known[name]

    def _with_tags(self, dataset: Dataset) -> Dataset:
        view = dataset.view
        if view is None:
            return as_copied(dataset)
        bases = {name: self.of(name) for name in view.sees}
        columns = tuple(self._inheriting(column, view, bases) for column in dataset.columns)
        return replace(dataset, columns=columns)

    def _inheriting(self, column: Column, view: View, bases: Stored) -> Column:
        """A column with the tags of what it is made of, but for those released."""
        released = view.released.get(column.name, frozenset())
        if self._rule is LineageRule.PLAIN:
            fresh = (t for t in _tags_referred_to(column, view, bases) if t.tag not in released)
            return replace(column, field_tags=(*column.field_tags, *fresh))
        inherited = tags_of_parts(view.rests.get(column.name, ()), bases)
        return inheriting(column, {t: w for t, w in inherited.items() if t not in released})


def _tags_referred_to(column: Column, view: View, bases: Stored) -> Iterator[FieldTag]:
    """The tags of the one column or field that a column is, and of the fields inside it."""
    name, of, way = view.refers.get(column.name, (None, "", ()))
    base = bases.get(name) if name is not None else None
    own = {(t.path, t.tag) for t in column.field_tags}
    for tagged in (t for c in base.columns if c.name == of for t in c.field_tags) if base else ():
        inside = tagged.path[1:]
        path = (column.name, *inside[len(way) :])
        if inside[: len(way)] == way and (path, tagged.tag) not in own:
            own.add((path, tagged.tag))
            yield FieldTag(path, tagged.tag, TagOrigin.LINEAGE)


def rests_on(stored: Stored, name: DatasetName) -> frozenset[DatasetName]:
    """A dataset and all that it is made of, by name, whether it is there or not."""
    seen, waiting = {name}, [name]
    while waiting:
        dataset = stored.get(waiting.pop())
        view = None if dataset is None else dataset.view
        fresh = set(view.sees) - seen if view is not None else set[DatasetName]()
        seen |= fresh
        waiting += fresh
    return frozenset(seen)
