"""Worlds that look the same to a reader: other values where nothing is seen, fewer or more rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pyarrow as pa
import pyarrow.types as pat
from cells import Cell, identity
from law import rows_seen
from pools import column_of
from showing import Keyed
from world import World

Seen = tuple[Cell, ...] | None
_ROUNDS = 4


def twin_of(world: World, random: Random, keyed: Keyed) -> World:
    """A world of which the law shows the same: what it does not show is drawn anew.

    Rows are independent of each other, so that each can be exchanged for another of which the same
    is seen; of rows that nobody sees there may be any number.
    """
    table = world.table
    for _ in range(_ROUNDS):
        table = _redrawn(replace(world, table=table), random, keyed)
    hidden = [row is None for row in rows_seen(replace(world, table=table), keyed)]
    order = [
        place
        for place, unseen in enumerate(hidden)
        for _ in range(random.choice((0, 1, 3)) if unseen else 1)
    ]
    return replace(world, table=taken(table, [order] * table.num_columns))


def _redrawn(world: World, random: Random, keyed: Keyed) -> pa.Table:
    table, rows = world.table, world.table.num_rows
    other = pa.table({name: column_of(random, name, rows) for name in table.column_names})
    both = pa.concat_tables([table, other])
    often = random.choice((0.3, 0.7, 1.0))
    drawn = [
        [place + rows * (random.random() < often) for place in range(rows)]
        for _ in range(table.num_columns)
    ]
    before = rows_seen(world, keyed)
    after = rows_seen(replace(world, table=taken(both, drawn)), keyed)
    kept = [
        [new if same(after[place], before[place]) else place for place, new in enumerate(column)]
        for column in drawn
    ]
    return taken(both, kept)


def same(one: Seen, other: Seen) -> bool:
    """Whether two rows are the same to a reader."""
    if one is None or other is None:
        return one is other
    return list(map(identity, one)) == list(map(identity, other))


def taken(table: pa.Table, places: Sequence[Sequence[int]]) -> pa.Table:
    """A table of cells from `places` of the columns, for each column its own."""
    columns = [
        _take(column.combine_chunks(), pa.array(chosen, pa.int64()))
        for column, chosen in zip(table.columns, places, strict=True)
    ]
    return pa.table(columns, schema=table.schema)


def _take(column: pa.Array, places: pa.Array) -> pa.Array:
    if pat.is_string_view(column.type):
        # Arrow has no kernel for these.
        return column.cast(pa.string()).take(places).cast(column.type)
    return column.take(places)
