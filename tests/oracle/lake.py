"""Datasets and views over them, who made them, and what the law says of reading one.

From docs/reference/views.md; shares nothing with `privet.service`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import law
import pyarrow as pa
from cells import Cell, to_array
from law import Answer
from showing import Keyed, leaves_as
from world import World, tags_of

from privet.model.datasets import Column, Dataset, FieldTag, Format, Source, TagOrigin, View
from privet.model.names import DatasetName, TagName
from privet.model.permissions import Permission
from privet.model.principals import Principal

Rest = tuple[DatasetName, str]


@dataclass(frozen=True)
class Part:
    """`SELECT <columns of base> FROM <base> [WHERE <tested> IS NOT NULL]`, in the view's order."""

    base: DatasetName
    columns: tuple[str, ...]
    tested: str = ""


@dataclass(frozen=True)
class Statement:
    """A view: the rows of its parts, one after the other (UNION ALL)."""

    definer: tuple[str, str]
    names: tuple[str, ...]
    parts: tuple[Part, ...]

    def rests(self) -> dict[str, frozenset[Rest]]:
        """What each column rests on: what it is, in each part, and what decides about rows."""
        tested = {(p.base, p.tested) for p in self.parts if p.tested}
        return {
            name: frozenset({*((p.base, p.columns[place]) for p in self.parts), *tested})
            for place, name in enumerate(self.names)
        }


@dataclass(frozen=True)
class Lake:
    """A question about one of many datasets: `asked`.

    `datasets` holds views too, without the tags that they have from what they are made of.
    `people` are those who made them.
    """

    reader: Principal
    asked: DatasetName
    datasets: Mapping[DatasetName, Dataset]
    tables: Mapping[DatasetName, pa.Table]
    views: Mapping[DatasetName, Statement]
    permissions: tuple[Permission, ...]
    roles: Mapping[str, frozenset[tuple[str, str]]]
    people: Mapping[tuple[str, str], Principal]
    now: datetime


def answer(lake: Lake, keyed: Keyed) -> Answer | None:
    """What the reader gets, or None if the dataset does not exist for them."""
    return seen_of(lake, lake.asked, (), keyed)


def seen_of(
    lake: Lake, name: DatasetName, lenders: tuple[Principal, ...], keyed: Keyed
) -> Answer | None:
    """What is seen of a dataset through the views of `lenders`, the outermost first."""
    world = world_at(lake, name, lenders)
    if name not in lake.views:
        return law.answer(world, keyed)
    if not law.visible(world):
        return None
    table = computed(lake, name, lenders, keyed)
    return None if table is None else law.answer(replace(world, table=table), keyed)


def computed(
    lake: Lake, name: DatasetName, lenders: tuple[Principal, ...], keyed: Keyed
) -> pa.Table | None:
    """The answer of a view's statement; None if its definer may not read what it needs."""
    view = lake.views[name]
    through = (*lenders, lake.people[view.definer])
    bases = {p.base: seen_of(lake, p.base, through, keyed) for p in view.parts}
    rows: list[tuple[Cell, ...]] = []
    for part in view.parts:
        base = bases[part.base]
        if base is None or not needed(view, part.base) <= {n for n, _ in base.columns}:
            return None
        rows += projected(part, [n for n, _ in base.columns], base.rows)
    columns = lake.datasets[name].columns
    cells = zip(*rows, strict=True) if rows else [()] * len(columns)
    arrays = [to_array([*each], c.type) for each, c in zip(cells, columns, strict=True)]
    return pa.table(arrays, names=[c.name for c in columns])


def needed(view: Statement, base: DatasetName) -> set[str]:
    """The columns of a dataset that a view rests on."""
    return {c for rests in view.rests().values() for of, c in rests if of == base}


def projected(
    part: Part, names: Sequence[str], rows: Iterable[tuple[Cell, ...]]
) -> Iterator[tuple[Cell, ...]]:
    """The rows of a part."""
    for row in rows:
        cells = dict(zip(names, row, strict=True))
        if not part.tested or cells[part.tested] is not None:
            yield tuple(cells[name] for name in part.columns)


def world_at(lake: Lake, name: DatasetName, lenders: tuple[Principal, ...]) -> World:
    """The question about one of the datasets, a view with the tags of what it is made of."""
    dataset = inheriting(lake, name)
    empty = pa.table({c.name: pa.nulls(0, leaves_as(c.type)) for c in dataset.columns})
    table = lake.tables.get(name, empty)
    return World(lake.reader, dataset, table, lake.permissions, lake.roles, lake.now, lenders)


# ---- tags by lineage


def inheriting(lake: Lake, name: DatasetName) -> Dataset:
    """A dataset; a view's columns with the tags of everything that they rest on.

    A tag that all of it has is on the column; one of some of it is like a tag on a field inside.
    """
    dataset = lake.datasets[name]
    if name not in lake.views:
        return dataset
    view = lake.views[name]
    released = dataset.view.released if dataset.view else {}
    columns = []
    for column in dataset.columns:
        rests = view.rests()[column.name]
        off = released.get(column.name, frozenset())
        columns.append(_tagged(column, list(_tags_of_rests(lake, rests)), off))
    return replace(dataset, columns=tuple(columns))


def _tags_of_rests(
    lake: Lake, rests: frozenset[Rest]
) -> Iterator[tuple[frozenset[TagName], frozenset[TagName]]]:
    for name, wanted in rests:
        base = inheriting(lake, name)
        (column,) = (c for c in base.columns if c.name == wanted)
        yield tags_of(column, base), tags_of(column, base, inside=False)


def _tagged(
    column: Column,
    rests: list[tuple[frozenset[TagName], frozenset[TagName]]],
    off: frozenset[TagName],
) -> Column:
    own = {t.tag for t in column.field_tags if t.path == (column.name,)}
    some = frozenset().union(*(every for every, _ in rests)) - own - off
    whole = frozenset.intersection(*(outer for _, outer in rests))
    tags = tuple(
        FieldTag(
            (column.name,) if tag in whole else (column.name, "inside"), tag, TagOrigin.LINEAGE
        )
        for tag in sorted(some)
    )
    return replace(column, field_tags=(*column.field_tags, *tags))


# ---- a view as a dataset


def view_dataset(
    identity: str, name: DatasetName, view: Statement, lake: Mapping[DatasetName, Dataset]
) -> Dataset:
    """The dataset that a statement is."""
    kinds = {n: {c.name: c.type for c in d.columns} for n, d in lake.items()}
    sees = {p.base: tuple(kinds[p.base]) for p in view.parts}
    first = view.parts[0]
    columns = tuple(
        Column(own, leaves_as(kinds[first.base][of]), own)
        for own, of in zip(view.names, first.columns, strict=True)
    )
    made = View("SELECT 1", None, view.definer, sees, view.rests())
    return Dataset(identity, name, Source("", Format.VIEW, made.to_options()), columns)
