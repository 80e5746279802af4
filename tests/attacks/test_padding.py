"""Bytes of hidden rows in buffers: behind the last value, before the first, in spare bits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enforcement.plans import column, plan
from privet.enforcement.rebuild import rebuild
from privet.model.datasets import plain_type
from privet.scan import Engine, parquet_source, recut, stream
from scan.sources import engine_over, parquet_of, started

LEAVES: dict[pa.DataType, st.SearchStrategy[Any]] = {
    pa.bool_(): st.booleans(),
    pa.int8(): st.integers(-128, 127),
    pa.uint16(): st.integers(0, 2**16 - 1),
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.float32(): st.floats(width=32, allow_nan=False),
    pa.date32(): st.dates(date(1900, 1, 1), date(2100, 1, 1)),
    pa.timestamp("us"): st.integers(0, 2**50),
    pa.decimal32(5, 2): st.integers(-999, 999).map(Decimal),
    pa.decimal128(20, 0): st.integers(-(10**19), 10**19).map(Decimal),
    pa.decimal256(60, 0): st.integers(-(10**59), 10**59).map(Decimal),
    pa.binary(3): st.binary(min_size=3, max_size=3),
    pa.month_day_nano_interval(): st.tuples(*[st.integers(0, 99)] * 3),
    pa.string(): st.text(max_size=9),
    pa.binary(): st.binary(max_size=9),
    pa.null(): st.none(),
}


def typed(kind: pa.DataType, cells: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A type with cells of it, NULL among them or not."""
    return st.booleans().map(lambda holes: (kind, st.none() | cells if holes else cells))


def deeper(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Lists, structs and maps of what there is; Arrow cannot cast slices of structs of nothing."""
    inner = leaves.filter(lambda t: not pa.types.is_null(t[0]))
    lists = inner.map(lambda t: (pa.list_(t[0]), st.none() | st.lists(t[1], max_size=3)))
    structs = st.tuples(inner, inner).map(
        lambda two: (
            pa.struct([("a", two[0][0]), ("b", two[1][0])]),
            st.none() | st.fixed_dictionaries({"a": two[0][1], "b": two[1][1]}),
        )
    )
    entry = inner.map(
        lambda t: (
            pa.map_(pa.string(), t[0]),
            st.none() | st.lists(st.tuples(st.text(max_size=3), t[1]), max_size=3),
        )
    )
    return lists | structs | entry


TYPES = st.recursive(
    st.sampled_from(list(LEAVES.items())).flatmap(lambda item: typed(*item)), deeper, max_leaves=3
)


def widened(kind: pa.DataType) -> pa.DataType:
    """A type whose plain form is `kind` and whose casts to it share what they can."""
    if pa.types.is_string(kind):
        return pa.large_string()
    if pa.types.is_binary(kind):
        return pa.large_binary()
    if pa.types.is_list(kind):
        return pa.large_list(widened(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([(f.name, widened(f.type)) for f in kind])
    if pa.types.is_map(kind):
        return pa.map_(pa.string(), widened(kind.item_type))
    return kind


def seen_as(kind: pa.DataType) -> pa.DataType:
    """Views."""
    return {pa.string(): pa.string_view(), pa.binary(): pa.binary_view()}.get(kind, kind)


Sharing = Callable[[list[Any], pa.DataType, slice], pa.Array]


def cut(values: list[Any], kind: pa.DataType, part: slice) -> pa.Array:
    return pa.array(values, kind)[part]


def cut_and_cast(values: list[Any], kind: pa.DataType, part: slice) -> pa.Array:
    """Fresh offsets over the values of the whole."""
    return pa.array(values, widened(kind))[part].cast(kind)


def cut_of_views(values: list[Any], kind: pa.DataType, part: slice) -> pa.Array:
    return pa.array(values, seen_as(kind))[part].cast(kind)


def cut_of_dictionary(values: list[Any], kind: pa.DataType, part: slice) -> pa.Array:
    if not (pa.types.is_string(kind) or pa.types.is_binary(kind) or pa.types.is_int64(kind)):
        return cut(values, kind, part)
    return pa.array(values, kind).dictionary_encode()[part]


def cut_of_elements(values: list[Any], kind: pa.DataType, part: slice) -> pa.Array:
    """What lists between others hold."""
    start, stop, _ = part.indices(len(values))
    lists = pa.array([values[:start], values[start:stop], values[stop:]], pa.list_(kind))
    return lists[1:2].flatten()


WAYS: tuple[Sharing, ...] = (cut, cut_and_cast, cut_of_views, cut_of_dictionary, cut_of_elements)


def buffers_of(array: pa.Array) -> list[bytes | None]:
    return [None if b is None else b.to_pybytes() for b in array.buffers()]


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_buffers_are_those_of_the_rows_alone(data: st.DataObject) -> None:
    """Byte for byte what a column would have that never had other rows, of any type, cut anyhow."""
    kind, cells = data.draw(TYPES)
    whole = data.draw(st.lists(cells, max_size=20))
    part = slice(*sorted(data.draw(st.tuples(*[st.integers(0, len(whole))] * 2))))
    way = data.draw(st.sampled_from(WAYS))
    rebuilt = rebuild(way(whole, kind, part), None)
    alone = rebuild(pa.array(whole[part], kind), None)
    rebuilt.validate(full=True)
    assert rebuilt.type == plain_type(rebuilt.type)
    assert rebuilt.equals(alone)
    assert rebuilt.offset == 0
    assert buffers_of(rebuilt) == buffers_of(alone)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_kept_rows_are_all_that_is_kept(data: st.DataObject) -> None:
    """The same for rows that a filter chose."""
    kind, cells = data.draw(TYPES)
    whole = data.draw(st.lists(cells, min_size=1, max_size=20))
    keep = sorted(data.draw(st.sets(st.integers(0, len(whole) - 1))))
    rebuilt = rebuild(pa.array(whole, kind), pa.array(keep, pa.int64()))
    alone = rebuild(pa.array([whole[row] for row in keep], kind), None)
    assert rebuilt.equals(alone)
    assert buffers_of(rebuilt) == buffers_of(alone)


def test_a_column_alone_has_no_spare_room() -> None:
    """So that being like one means something: sizes are exact, spare bits are zero."""
    for size in range(1, 18):
        bits = rebuild(pa.array([True] * (size + 30))[:size], None).buffers()[1]
        assert bits.to_pybytes() == ((1 << size) - 1).to_bytes((size + 7) // 8, "little")
        text = rebuild(pa.array(["ab"] * (size + 30))[:size], None)
        assert [b.size for b in text.buffers()[1:]] == [4 * (size + 1), 2 * size]
        numbers = rebuild(pa.array([7] * (size + 30), pa.int16())[:size], None)
        assert numbers.buffers()[1].size == 2 * size


HIDDEN = "HIDDEN-NAME-OF-A-PATIENT-" * 4


PIECE = 70


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Pieces that leave as they are: none is put together with another."""
    monkeypatch.setattr(parquet_source, "PIECE_ROWS", PIECE)
    monkeypatch.setattr(stream, "recut", lambda found: recut.recut(found, PIECE // 2))
    with engine_over(tmp_path) as engine:
        yield engine


@pytest.mark.parametrize(
    "kind", [pa.large_string(), pa.large_binary(), pa.string(), pa.string_view()], ids=str
)
@pytest.mark.parametrize("shown", [slice(0, 70), slice(70, 140), slice(70, 139), slice(140, 210)])
def test_a_piece_that_is_all_visible_says_nothing_of_the_next(
    tmp_path: Path, engine: Engine, kind: pa.DataType, shown: slice
) -> None:
    """One row group is cut into pieces that share their buffers; each leaves alone."""
    names: list[Any] = [HIDDEN] * 210
    names[shown] = [f"v{n}" for n in range(210)][shown]
    if pa.types.is_large_binary(kind):
        names = [name.encode() for name in names]
    table = pa.table({"id": range(210), "name": pa.array(names, kind)})
    pq.write_table(table, tmp_path / "part.parquet", use_dictionary=False)
    data = parquet_of(tmp_path, column("id", pa.int64()), column("name", kind))
    grant = f"GRANT SELECT ON TABLE db.t WHERE id + 0 >= {shown.start} AND id < {shown.stop}"
    governed = plan(data, grant, columns=("name",))
    with started(governed, engine) as running:
        batches = list(running)
    sent = b"".join(batch.serialize().to_pybytes() for batch in batches)
    held = b"".join(b.to_pybytes() for batch in batches for b in batch["name"].buffers() if b)
    assert sum(batch.num_rows for batch in batches) == shown.stop - shown.start
    for part in (HIDDEN[:4], "PATIENT"):
        assert part.encode() not in sent
        assert part.encode() not in held


def test_spare_bits_of_a_column_of_flags_are_zero(tmp_path: Path, engine: Engine) -> None:
    """A byte has room for eight rows: seven of them may be somebody else's."""
    table = pa.table({"id": range(PIECE + 2), "flag": [False] * PIECE + [True] * 2})
    pq.write_table(table, tmp_path / "part.parquet")
    data = parquet_of(tmp_path, column("id", pa.int64()), column("flag", pa.bool_()))
    governed = plan(data, "GRANT SELECT ON TABLE db.t WHERE id < 70", columns=("flag",))
    with started(governed, engine) as running:
        held = [batch["flag"].buffers()[1].to_pybytes() for batch in running]
    assert not any(map(any, held))
