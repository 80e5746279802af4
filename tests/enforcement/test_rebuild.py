"""What leaves holds no byte of what is hidden: not under NULLs, in slices, nor in encodings."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from enforcement.planted import SECRET, all_bytes, text_under_nulls, under_nulls, unused_slots
from privet.enforcement.rebuild import rebuild, withhold
from privet.model.datasets import plain_type
from privet.model.errors import SourceInvalid

FIXED: list[pa.DataType] = [
    *(pa.bool_(), pa.int8(), pa.int16(), pa.int32(), pa.int64()),
    *(pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()),
    *(pa.float16(), pa.float32(), pa.float64(), pa.date32(), pa.date64()),
    *(pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns")),
    *(pa.timestamp(unit) for unit in ("s", "ms", "us", "ns")),
    pa.timestamp("us", tz="UTC"),
    *(pa.duration(unit) for unit in ("s", "ms", "us", "ns")),
    *(pa.decimal32(5, 2), pa.decimal64(12, 2), pa.decimal128(38, 4), pa.decimal256(60, 4)),
    pa.binary(5),
    pa.month_day_nano_interval(),
]
FLAGS = [True, None, False, None, True]
KEEP = pa.array([0, 1, 4])


def sample(kind: pa.DataType) -> pa.Array:
    """Five rows of which two are NULL."""
    if kind == pa.month_day_nano_interval():
        return pa.array([None if f is None else (1, 2, 3) for f in FLAGS], kind)
    if pa.types.is_fixed_size_binary(kind):
        return pa.array([None if f is None else b"12345" for f in FLAGS], kind)
    if pa.types.is_decimal(kind):
        return pa.array([None if f is None else Decimal(3) for f in FLAGS], kind)
    if pa.types.is_float16(kind):
        return pa.array([None if f is None else np.float16(3) for f in FLAGS], kind)
    if pa.types.is_boolean(kind):
        return pa.array(FLAGS)
    if pa.types.is_date64(kind):
        return pa.array([None if f is None else 86_400_000 for f in FLAGS], pa.int64()).cast(kind)
    return pa.array([None if f is None else 3 for f in FLAGS], kind)


def check(rebuilt: pa.Array, expected: pa.Array) -> None:
    """The values are those expected, nothing planted is left and unused slots hold zeroes."""
    rebuilt.validate(full=True)
    assert rebuilt.type == plain_type(expected.type)
    assert rebuilt.to_pylist() == expected.to_pylist()
    assert SECRET * 2 not in all_bytes(rebuilt)
    for slot in unused_slots(rebuilt):
        assert not any(slot), "a slot under a NULL is not zero"


@pytest.mark.parametrize("kind", FIXED, ids=str)
@pytest.mark.parametrize("keep", [KEEP, None], ids=["some rows", "all rows"])
def test_fixed_width_types_have_zeroes_under_null(kind: pa.DataType, keep: pa.Array | None) -> None:
    """Whatever the source left under its NULLs does not leave with them."""
    plain = sample(kind)
    planted = under_nulls(plain)
    assert planted.equals(plain)
    check(rebuild(planted, keep), plain if keep is None else plain.take(keep))


@pytest.mark.parametrize("kind", FIXED, ids=str)
def test_withheld_cells_of_fixed_width_are_zero(kind: pa.DataType) -> None:
    """A cell that is hidden in a row that is shown is NULL with zeroes beneath."""
    column = sample(kind).take(pa.array([0, 2, 4]))
    shown = withhold(rebuild(column, None), np.array([True, False, True]))
    check(shown, sample(kind).take(pa.array([0, 1, 4])))


@pytest.mark.parametrize("kind", [pa.string(), pa.binary(), pa.large_string(), pa.large_binary()])
@pytest.mark.parametrize("keep", [KEEP, None], ids=["some rows", "all rows"])
def test_text_under_null_does_not_leave(kind: pa.DataType, keep: pa.Array | None) -> None:
    """Bytes under a NULL are gone, not merely unreachable."""
    values = ["a", None, "bc", None, "def"]
    planted = text_under_nulls(values, kind)
    assert SECRET in all_bytes(planted)
    column = planted.cast(plain_type(kind))
    expected = pa.array([None if v is None else v.encode() for v in values], pa.binary()).cast(
        plain_type(kind)
    )
    check(rebuild(column, keep), expected if keep is None else expected.take(keep))


@pytest.mark.parametrize("kind", [pa.string(), pa.binary()])
def test_rows_that_were_filtered_out_do_not_leave(kind: pa.DataType) -> None:
    """Not in the buffers either, wherever in the batch they stood."""
    secret = SECRET.decode("latin-1") * 3
    values = [secret, "a", secret, None, "b", secret]
    column = pa.array(values, pa.string()).cast(kind)
    rebuilt = rebuild(column, pa.array([1, 3, 4]))
    assert secret.encode() not in all_bytes(rebuilt)
    assert len(rebuilt) == 3


@pytest.mark.parametrize("start", range(4))
def test_slices_carry_nothing_of_their_neighbours(start: int) -> None:
    """A slice that begins anywhere is rebuilt as if it were all there is."""
    values = ["x", None, "y", None, "z"]
    for column in (
        pa.array(values),
        under_nulls(pa.array([1, None, 2, None, 3])),
        under_nulls(pa.array(FLAGS)),
        pa.array([[v] for v in values]),
    ):
        piece = column.slice(start)
        keep = pa.array(np.arange(len(piece)))
        rebuilt = rebuild(piece, keep)
        assert rebuilt.to_pylist() == piece.to_pylist()
        assert rebuilt.offset == 0
        assert not any(any(slot) for slot in unused_slots(rebuilt))


@pytest.mark.parametrize(
    "whole",
    [
        pa.array(["secret", "a", "b", "secret"]),
        pa.array([b"secret", b"a", None, b"secret"]),
        pa.array([0x7E7E7E7E, 1, 2, 0x7E7E7E7E], pa.int32()),
        pa.array([0x7E7E7E7E, 1, None, 0x7E7E7E7E], pa.int32()),
        pa.array([["secret"], ["a"], None, ["secret"]]),
        pa.array([{"w": "secret"}, {"w": "a"}, {"w": "b"}, {"w": "secret"}]),
        pa.array(["secret", "a", "b", "secret"]).dictionary_encode(),
    ],
    ids=lambda column: f"{column.type}, {column.null_count} NULL",
)
@pytest.mark.parametrize("start", [0, 1])
def test_the_bytes_that_are_sent_hold_no_neighbour(whole: pa.Array, start: int) -> None:
    """Messages are padded with what stands behind a slice: there must be nothing."""
    part = whole.slice(1, 3).slice(start, 2 - start)
    rebuilt = rebuild(part, None)
    sent = pa.record_batch([rebuilt], names=["x"]).serialize().to_pybytes()
    assert b"secret" not in sent
    assert b"\x7e" * 4 not in sent
    assert b"secr" not in sent
    assert rebuilt.to_pylist() == part.to_pylist()


def test_a_column_that_is_whole_is_not_copied() -> None:
    """What a source made for one batch can leave as it is: the common case costs no pass."""
    for column in (pa.array([1, 2]), pa.array(["a", "b"]), pa.array([True, False])):
        rebuilt = rebuild(column, None)
        assert [b and b.address for b in rebuilt.buffers()] == [
            b and b.address for b in column.buffers()
        ]


def test_dictionaries_are_decoded_and_their_other_words_stay() -> None:
    """A dictionary page has the values of all rows; what leaves has those of the kept ones."""
    secret = "hidden-value"
    column = pa.array(["a", secret, None, "a"]).dictionary_encode()
    check_absent(rebuild(column, pa.array([0, 2, 3])), secret, ["a", None, "a"])


def check_absent(rebuilt: pa.Array, secret: str, expected: list[Any]) -> None:
    assert not pa.types.is_dictionary(rebuilt.type)
    assert rebuilt.to_pylist() == expected
    assert secret.encode() not in all_bytes(rebuilt)


def test_a_dictionary_may_hold_nulls_and_planted_indices() -> None:
    """NULL by index and NULL by value, with an index under NULL that names a hidden word."""
    indices = pa.array([0, 1, 2], pa.int32(), mask=np.array([False, True, False]))
    column = pa.DictionaryArray.from_arrays(indices, pa.array(["a", "hidden-value", None]))
    check_absent(rebuild(column, pa.array([0, 1, 2])), "hidden-value", ["a", None, None])


NESTED: list[tuple[pa.DataType, list[Any]]] = [
    (pa.list_(pa.int64()), [[1, None], None, [], [2], None]),
    (pa.list_(pa.string()), [["a", None], None, [], ["b"], None]),
    (
        pa.struct([("a", pa.int64()), ("b", pa.string())]),
        [{"a": 1, "b": None}, None, {"a": None, "b": "x"}, None, {"a": 2, "b": "y"}],
    ),
    (pa.map_(pa.string(), pa.int64()), [[("k", 1)], None, [], [("l", None)], None]),
    (pa.list_(pa.list_(pa.bool_())), [[[True], None], None, [[None]], [], [[]]]),
    (
        pa.list_(pa.struct([("x", pa.list_(pa.string()))])),
        [[{"x": ["p"]}, None], None, [{"x": None}], [], None],
    ),
    (
        pa.struct([("deep", pa.struct([("x", pa.int32())]))]),
        [{"deep": {"x": 1}}, {"deep": None}, None, {"deep": {"x": None}}, None],
    ),
    (
        pa.map_(pa.string(), pa.list_(pa.int8())),
        [[("k", [1, None])], None, [], [("l", None)], None],
    ),
]


@pytest.mark.parametrize(("kind", "values"), NESTED, ids=[str(k) for k, _ in NESTED])
@pytest.mark.parametrize("keep", [pa.array([1, 2, 4]), None], ids=["some rows", "all rows"])
def test_nested_types(kind: pa.DataType, values: list[Any], keep: pa.Array | None) -> None:
    """Kept rows come through, at every depth with zeroes under NULL and no foreign element."""
    column = pa.array(values, kind)
    check(rebuild(column, keep), column if keep is None else column.take(keep))


def test_children_of_null_parents_do_not_leave() -> None:
    """A struct, list or map that is NULL hides what its children hold."""
    secret = SECRET.decode("latin-1") * 4
    absent = pa.array([False, True])
    words = pa.array(["ok", secret])
    struct = pa.StructArray.from_arrays(
        [words, pa.array([1, 0x5A5A5A5A])], names=["w", "n"], mask=absent
    )
    offsets = pa.array([0, 1, 2], pa.int32())
    lists = pa.ListArray.from_arrays(offsets, words, mask=absent)
    maps = pa.MapArray.from_arrays(offsets, words, words, mask=absent)
    for column in (struct, lists, maps):
        assert secret.encode() in all_bytes(column)
        for keep in (None, pa.array([0, 1])):
            rebuilt = rebuild(column, keep)
            assert rebuilt.to_pylist() == column.to_pylist()
            assert secret.encode() not in all_bytes(rebuilt)
            assert b"\x5a\x5a\x5a\x5a" not in all_bytes(rebuilt)


def test_planted_bytes_under_nulls_inside_nested_types_do_not_leave() -> None:
    """What holds for a column holds for what is inside one."""
    numbers = under_nulls(pa.array([1, None, 3, None]))
    words = text_under_nulls(["a", None, "b", None], pa.string())
    struct = pa.StructArray.from_arrays([numbers, words], names=["n", "w"])
    lists = pa.ListArray.from_arrays(pa.array([0, 2, 4], pa.int32()), struct)
    for column, keep in ((struct, pa.array([0, 1, 3])), (lists, pa.array([1])), (lists, None)):
        rebuilt = rebuild(column, keep)
        check(rebuilt, column if keep is None else column.take(keep))


def test_views_and_large_types_become_plain() -> None:
    """Their plain type is announced, at every depth; extensions and metadata are gone."""
    kinds = {
        pa.string_view(): pa.string(),
        pa.large_string(): pa.string(),
        pa.binary_view(): pa.binary(),
        pa.large_binary(): pa.binary(),
        pa.dictionary(pa.int8(), pa.large_string()): pa.string(),
        pa.large_list(pa.string_view()): pa.list_(pa.string()),
        pa.list_(pa.int8(), 3): pa.list_(pa.int8()),
        pa.map_(pa.string(), pa.large_string()): pa.map_(pa.string(), pa.string()),
        pa.uuid(): pa.binary(16),
        pa.struct([pa.field("a", pa.large_string(), metadata={"k": "v"})]): pa.struct(
            [("a", pa.string())]
        ),
    }
    for kind, expected in kinds.items():
        plain = plain_type(kind)
        assert plain == expected
        assert plain_type(plain).equals(plain)
    described = plain_type(pa.struct([pa.field("a", pa.int8(), metadata={"k": "v"})]))
    assert described.field(0).metadata is None


@pytest.mark.parametrize(
    "column",
    [
        pa.array([[1, 2], None], pa.list_(pa.int8(), 2)),
        pa.UnionArray.from_dense(
            pa.array([0], pa.int8()), pa.array([0], pa.int32()), [pa.array([1])]
        ),
        pc.run_end_encode(pa.array([1, 1, 2])),
        pa.array([[1]], pa.large_list(pa.int8())),
    ],
    ids=lambda column: str(column.type),
)
def test_what_cannot_be_rebuilt_is_refused(column: pa.Array) -> None:
    """A type without a rule here does not leave as it is."""
    with pytest.raises(SourceInvalid):
        rebuild(column, None)


def test_empty_columns() -> None:
    """No rows are rebuilt to no rows, of every type."""
    for kind in (*FIXED, pa.string(), pa.binary(), pa.null(), *(k for k, _ in NESTED)):
        none = rebuild(pa.array([], kind), None)
        assert (len(none), none.type) == (0, kind)
        assert len(rebuild(sample(pa.int8()), pa.array([], pa.int64()))) == 0


def test_nulls_alone() -> None:
    """A column of NULLs only, of every type and of none."""
    for kind in (*FIXED, pa.string(), pa.binary(), *(k for k, _ in NESTED)):
        none = pa.array([None, None, None], kind)
        check(rebuild(none, pa.array([0, 2])), none[1:].take(pa.array([0, 1])))
    assert rebuild(pa.nulls(3), pa.array([0])).to_pylist() == [None]
