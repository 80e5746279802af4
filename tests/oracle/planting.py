"""Values that are recognised wherever they turn up: in cells, under NULLs, beside slices."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from random import Random

import pyarrow as pa
import pyarrow.types as pat
from cells import cells_of, identity
from law import rows_seen, visible
from pools import TYPES
from showing import Keyed
from twins import taken
from world import World

_TEXT = "PLANTED-5ecret-"
_NUMBER = 0x1F2E3D4C5B6A7988
_SMALL = 0x5B6A7988
_DAY = 1_234_567
_ATTEMPTS = 4


def _marker(kind: pa.DataType) -> pa.Array | None:
    """One cell of a type, of bytes that no other cell has; None where a type has too few."""
    if pat.is_boolean(kind) or (pat.is_integer(kind) and kind.bit_width < 32):
        return None
    if pat.is_list(kind):
        return pa.array([[_NUMBER, _NUMBER]], kind)
    if pat.is_decimal(kind):
        return pa.array([Decimal(9_876_543_211).scaleb(-kind.scale)], kind)
    if pat.is_floating(kind):
        wide = kind.bit_width == 64
        bits = struct.pack("<q", _NUMBER) if wide else struct.pack("<i", _SMALL >> 1)
        return pa.array(struct.unpack("<d" if wide else "<f", bits), kind)
    if pat.is_date32(kind):
        return pa.array([_DAY], pa.int32()).view(kind)
    if pat.is_date64(kind):
        return pa.array([_DAY * 86_400_000], pa.int64()).view(kind)
    if pat.is_timestamp(kind) or pat.is_time(kind):
        return pa.array([12_345_678_901], pa.int64()).view(kind)
    if pat.is_integer(kind):
        return pa.array([_NUMBER if kind.bit_width == 64 else _SMALL], kind)
    return pa.array([_TEXT], pa.string()).cast(kind)


MARKERS: Mapping[str, pa.Array] = {
    name: found for name, kind in TYPES.items() if (found := _marker(kind)) is not None
}


def pattern(name: str) -> bytes:
    """The bytes to look for where a column's marker may have leaked."""
    found = MARKERS[name]
    if pat.is_string_view(found.type):
        return _TEXT.encode()
    if pat.is_list(found.type):
        return struct.pack("<q", _NUMBER)
    return found.buffers()[-1].to_pybytes()


def planted(world: World, random: Random, keyed: Keyed) -> World:
    """The world with markers in many cells, none of which the law shows."""
    table, rows = world.table, world.table.num_rows
    names = [name for name in table.column_names if name in MARKERS]
    ends = {n: MARKERS.get(n, pa.nulls(1, TYPES[n])) for n in table.column_names}
    both = pa.concat_tables([table, pa.table(ends)])
    wanted = {(name, row) for name in names for row in range(rows) if random.random() < 0.7}
    for _ in range(_ATTEMPTS):
        chosen = [
            [rows if (name, row) in wanted else row for row in range(rows)]
            for name in table.column_names
        ]
        trial = replace(world, table=taken(both, chosen))
        shown = _markers_shown(trial, keyed)
        if not shown & wanted:
            return trial
        # Without these, rows may come into sight: look again.
        wanted -= shown
    return world


def _markers_shown(world: World, keyed: Keyed) -> set[tuple[str, int]]:
    """Where the law shows a marker, by column and row."""
    marks = {name: identity(cells_of(found)[0]) for name, found in MARKERS.items()}
    names = [column.name for column in visible(world)]
    return {
        (name, row)
        for row, cells in enumerate(rows_seen(world, keyed))
        for name, cell in zip(names, cells or (), strict=False)
        if identity(cell) == marks.get(name)
    }


def beneath(batch: pa.RecordBatch, random: Random) -> pa.RecordBatch:
    """The same rows, with markers under the NULLs and, if a slice, in rows before and behind it."""
    edges = random.choice((0, 1))
    columns = [
        _beneath(name, column, edges, random)
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
    ]
    whole = pa.RecordBatch.from_arrays(columns, names=batch.schema.names)
    return whole.slice(edges, batch.num_rows) if edges else whole


def _beneath(name: str, column: pa.Array, edges: int, random: Random) -> pa.Array:
    if name not in MARKERS:
        edge = pa.nulls(edges, column.type)
        return pa.concat_arrays([edge, column, edge])
    valid = column.is_valid().to_pylist()
    edge = [True] * edges
    known = [*edge, *valid, *edge]
    rows = [0] * edges, [n if v else 0 for n, v in enumerate(valid, 1)], [0] * edges
    places = pa.array([place for part in rows for place in part], pa.int64())
    filled = pa.concat_arrays([MARKERS[name].cast(column.type), column]).take(places)
    bitmap = pa.array(known, pa.bool_()).buffers()[1]
    if pat.is_string(column.type) and random.random() < 0.5:
        coded = filled.dictionary_encode()
        buffers = [bitmap, *coded.indices.buffers()[1:]]
        indices = pa.Array.from_buffers(coded.indices.type, len(filled), buffers)
        return pa.DictionaryArray.from_arrays(indices, coded.dictionary)
    if pat.is_list(filled.type):
        buffers, children = [bitmap, filled.buffers()[1]], [filled.values]
        return pa.Array.from_buffers(filled.type, len(filled), buffers, children=children)
    return pa.Array.from_buffers(filled.type, len(filled), [bitmap, *filled.buffers()[1:]])
