"""The contract of every transform, on every type that it fits."""

from __future__ import annotations

import hashlib
from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.types as pat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from token_reference import derive

from privet.model.datasets import CanonicalType
from privet.model.errors import InvalidRequest, TypeMismatch
from privet.model.expressions import Call, ColumnSlot, Literal
from privet.model.transforms import SPECS, TransformSpec, find_spec, is_bytes, is_text
from privet.privacy import Circumstances, Kernel, KeyScope, bind

ARGUMENTS: dict[str, list[tuple[Any, ...]]] = {
    "mask": [(), (1,), (2, 3)],
    "round": [(), (2,), (-2,), (38,), (-38,)],
    "bucket": [(1,), (7,), (2**31,), (Decimal("0.5"),), (Decimal("2.25"),)],
    "truncate": [(0,), (3,), (-3,), (38,), ("year",), ("quarter",), ("week",), ("hour",)],
    "diff_privacy": [(), (10**12,), (Decimal("0.5"),)],
}
TYPES: list[pa.DataType] = [
    *(pa.string(), pa.large_string(), pa.string_view()),
    *(pa.binary(), pa.large_binary(), pa.binary_view(), pa.binary(2), pa.binary(8), pa.binary(300)),
    *(pa.int8(), pa.int16(), pa.int32(), pa.int64()),
    *(pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()),
    *(pa.float16(), pa.float32(), pa.float64(), pa.bool_()),
    *(pa.decimal128(1, 0), pa.decimal128(5, 2), pa.decimal128(6, 6), pa.decimal128(12, 2)),
    *(pa.decimal128(38, 0), pa.decimal128(38, 37), pa.decimal128(9, -3), pa.decimal256(76, 10)),
    *(pa.date32(), pa.date64(), pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns")),
    *(pa.timestamp(unit) for unit in ("s", "ms", "us", "ns")),
    *(pa.timestamp("us", tz="Europe/Vienna"), pa.duration("us")),
    *(pa.list_(pa.string()), pa.struct([("a", pa.int32())]), pa.map_(pa.string(), pa.int32())),
]
SCOPE = KeyScope("phi.mrn", 1, CanonicalType.INT64, dataset_id="d1")
TEXT_SCOPE = KeyScope("phi.mrn", 1, CanonicalType.TEXT, dataset_id="d1")
TODAY = date(2024, 7, 1)
_drawn = count()


def chance(size: int) -> bytes:
    """Bytes that look random and are not the same again."""
    return hashlib.shake_256(str(next(_drawn)).encode()).digest(size)


def kernels(spec: TransformSpec, kind: pa.DataType) -> list[Kernel]:
    found: list[Kernel] = []
    for arguments in ARGUMENTS.get(spec.name, [()]):
        call = Call(spec.name, (ColumnSlot(), *map(Literal, arguments)))
        if not spec.suits(kind, arguments):
            continue
        scope = TEXT_SCOPE if is_text(kind) else SCOPE
        found.append(bind(call, kind, scope, derive, Circumstances(chance, TODAY)))
    return found


def raw_cells(kind: pa.DataType) -> st.SearchStrategy[bytes]:
    """The bytes of one cell of a fixed-width type: any, and often those of the ends."""
    width = kind.bit_width // 8
    if pat.is_decimal(kind):
        most = 10**kind.precision - 1
        numbers = st.sampled_from([0, 1, -1, most, -most, most // 2]) | st.integers(-most, most)
        return numbers.map(lambda n: n.to_bytes(width, "little", signed=True))
    ends = [
        b"\0" * width,
        b"\xff" * width,
        b"\xff" * (width - 1) + b"\x7f",
        b"\0" * (width - 1) + b"\x80",
    ]
    small = st.integers(-(2**7), 2**7 - 1).map(lambda n: n.to_bytes(width, "little", signed=True))
    if pat.is_date64(kind):
        days = st.integers(-(10**11), 10**11) | st.integers(-800_000, 3_000_000)
        return days.map(lambda n: (n * 86_400_000).to_bytes(8, "little", signed=True))
    if pat.is_time(kind):
        most = 86_400 * {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[kind.unit] - 1
        return st.integers(0, most).map(lambda n: n.to_bytes(width, "little"))
    return st.sampled_from(ends) | small | st.binary(min_size=width, max_size=width)


@st.composite
def columns(draw: st.DrawFn, kind: pa.DataType) -> pa.Array:
    """A column of a type: with NULLs over rubbish, sliced, dictionary-encoded, or empty."""
    if pat.is_nested(kind):
        return pa.nulls(draw(st.integers(0, 5)), kind)
    size = draw(st.integers(0, 12))
    valid = draw(st.lists(st.booleans(), min_size=size, max_size=size))
    if pat.is_boolean(kind):
        cells = draw(st.lists(st.booleans(), min_size=size, max_size=size))
        column = pa.array(cells, pa.bool_(), mask=~np.array(valid, bool))
    elif is_text(kind) or is_bytes(kind):
        texts = st.text(max_size=12).map(str.encode) | st.from_regex(
            rb"[A-Z]{3}[0-9]{5}", fullmatch=True
        )
        codes = st.from_regex(rb" {0,2}[0-9]{5}(-?[0-9]{4})? ?", fullmatch=True)
        cell = texts | codes | st.binary(max_size=9) | st.just(b"1").map(lambda b: b * 300)
        values = draw(st.lists(cell, min_size=size, max_size=size))
        offsets = np.cumsum([0, *map(len, values)]).astype(np.int64)
        marks = np.packbits(np.array(valid, bool), bitorder="little")
        wide = pa.large_string() if is_text(kind) else pa.large_binary()
        buffers = [pa.py_buffer(marks), pa.py_buffer(offsets), pa.py_buffer(b"".join(values))]
        column = pa.Array.from_buffers(wide, size, buffers).cast(kind)
    else:
        values = draw(st.lists(raw_cells(kind), min_size=size, max_size=size))
        marks = np.packbits(np.array(valid, bool), bitorder="little")
        column = pa.Array.from_buffers(
            kind, size, [pa.py_buffer(marks), pa.py_buffer(b"".join(values))]
        )
    start = draw(st.integers(0, size))
    return column.slice(start, draw(st.integers(0, size - start)))


def addresses(column: pa.Array) -> set[int]:
    return {b.address for b in column.buffers() if b is not None and b.size}


CASES = [
    pytest.param(spec, kind, id=f"{spec.name}-{kind}")
    for spec in SPECS
    for kind in TYPES
    if spec.fits(kind)
]


@pytest.mark.parametrize(("spec", "kind"), CASES)
@settings(deadline=None, max_examples=12)
@given(data=st.data())
def test_contract(spec: TransformSpec, kind: pa.DataType, data: st.DataObject) -> None:
    """Same length and type, well formed; NULL stays; what is lost is counted; new buffers only."""
    column = data.draw(columns(kind))
    before = bytes_of(column)
    for kernel in kernels(spec, kind):
        result = kernel(column)
        result.validate(full=True)
        assert (result.type, len(result)) == (kind, len(column))
        assert bytes_of(column) == before
        assert not addresses(result) & addresses(column)
        lost = result.null_count - column.null_count
        assert lost >= 0
        if spec.name != "null":
            assert lost <= kernel.overflowed <= len(column) - column.null_count
        assert not (result.is_valid().to_numpy(False) & ~column.is_valid().to_numpy(False)).any()
        if not (spec.random or pat.is_nested(kind)):
            assert same(kernel(column), result)
            halves = [kernel(column.slice(0, 3)), kernel(column.slice(3))]
            assert same(pa.concat_arrays(halves), result)
        zero_under_null(result)


@pytest.mark.parametrize(("spec", "kind"), CASES)
@settings(deadline=None, max_examples=6)
@given(data=st.data())
def test_dictionaries(spec: TransformSpec, kind: pa.DataType, data: st.DataObject) -> None:
    """A dictionary comes out as plain values: those that the cells would have had."""
    if pat.is_nested(kind) or "view" in str(kind) or pat.is_float16(kind):
        return
    values = data.draw(columns(kind))
    rows = data.draw(st.lists(st.none() | st.integers(0, max(len(values) - 1, 0)), max_size=40))
    indices = pa.array(rows if len(values) else [None] * len(rows), pa.int32())
    column = pa.DictionaryArray.from_arrays(indices, values)
    plain = column.dictionary_decode()
    for kernel, other in zip(kernels(spec, kind), kernels(spec, kind), strict=True):
        result = kernel(column)
        assert (result.type, len(result)) == (kind, len(column))
        wanted = other(plain)
        if not spec.random:
            assert same(result, wanted)
        assert kernel.overflowed == other.overflowed
        zero_under_null(result)


@pytest.mark.parametrize(
    "kind", [k for k in TYPES if not (pat.is_nested(k) or pat.is_boolean(k))], ids=str
)
@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_tokens_are_one_to_one(kind: pa.DataType, data: st.DataObject) -> None:
    """Different values have different tokens, and tokens that can be are turned back."""
    column = data.draw(columns(kind))
    spec = find_spec("tokenize")
    assert spec is not None
    (kernel,) = kernels(spec, kind)
    tokens = kernel(column)
    if kernel.reversible:
        back = kernel.invert(tokens)
        again = zip(bytes_of(kernel(back)), bytes_of(tokens), bytes_of(back), strict=True)
        assert all(one == other for one, other, value in again if value is not None)
        assert back.null_count - tokens.null_count == kernel.lost
        if not kernel.overflowed and not pat.is_floating(kind) and kind != pa.timestamp("ns"):
            assert kernel.lost > 0 or bytes_of(back) == bytes_of(column)


@pytest.mark.parametrize(
    "kind",
    [pa.int8(), pa.uint16(), pa.decimal128(3, 1), pa.time32("s"), pa.float16()],
    ids=str,
)
def test_small_types_are_permuted(kind: pa.DataType) -> None:
    """Every value of a small type has a token of its own, and few their own value."""
    if pat.is_decimal(kind):
        values = pa.array([Decimal(n).scaleb(-1) for n in range(-999, 1000)], kind)
    elif pat.is_time(kind):
        values = pa.array(range(86_400), pa.int32()).view(kind)
    else:
        size = 2**kind.bit_width
        plain = np.arange(size).astype(f"u{kind.bit_width // 8}")
        values = pa.Array.from_buffers(kind, size, [None, pa.py_buffer(plain)])
        if pat.is_floating(kind):
            floats = plain.view(np.float16)
            values = values.filter(pa.array(~np.isnan(floats) & (plain != 0x8000)))
    spec = find_spec("tokenize")
    assert spec is not None
    (kernel,) = kernels(spec, kind)
    tokens = kernel(values)
    width = kind.bit_width // 8
    as_bytes = np.frombuffer(tokens.buffers()[1], f"V{width}")[: len(values)]
    before = np.frombuffer(values.buffers()[1], f"V{width}")[: len(values)]
    assert len(np.unique(as_bytes)) == len(values)
    assert (as_bytes == before).sum() < 12
    assert same(kernel.invert(tokens), values)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (pa.date32(), pa.date64()),
        (pa.uint32(), pa.uint64()),
        (pa.int32(), pa.int64()),
        (pa.timestamp("us"), pa.timestamp("us", tz="UTC")),
    ],
)
def test_joins_across_types(one: pa.DataType, other: pa.DataType) -> None:
    """Columns of these types have the same tokens for the same values."""
    values = pa.array([0, 1, 20_000], pa.int32() if one.bit_width == 32 else pa.int64())
    spec = find_spec("tokenize")
    assert spec is not None
    first = values.cast(one)
    (kernel,), (second,) = kernels(spec, one), kernels(spec, other)
    assert kernel(first).cast(other).equals(second(first.cast(other)))


@pytest.mark.parametrize("name", ["fp_random", "nfp_random", "diff_privacy"])
def test_chance_is_fresh(name: str) -> None:
    """Equal cells differ, and so do two queries; without chance there is no kernel."""
    spec, kind = find_spec(name), pa.int64()
    assert spec is not None
    arguments = (Literal(10**6),) if name == "diff_privacy" else ()
    call = Call(name, (ColumnSlot(), *arguments))

    def make() -> Kernel:
        return bind(call, kind, None, derive, Circumstances(chance, TODAY))

    column = pa.array([5] * 100)
    first, second = make()(column), make()(column)
    assert len(first.unique()) > 90
    assert sum(a == b for a, b in zip(first.to_pylist(), second.to_pylist(), strict=True)) < 10
    with pytest.raises(InvalidRequest):
        bind(call, kind, None, derive)


def test_complex_types_are_refused() -> None:
    """Of lists, structs and maps nothing can be made but NULL."""
    for kind in TYPES:
        if pat.is_nested(kind):
            assert [s.name for s in SPECS if s.fits(kind)] == ["null"]
            with pytest.raises(TypeMismatch):
                bind(Call("tokenize", (ColumnSlot(),)), kind, SCOPE, derive)


def same(one: pa.Array, other: pa.Array) -> bool:
    """Equal, NaN like NaN."""
    return one.type == other.type and bytes_of(one) == bytes_of(other)


def bytes_of(column: pa.Array) -> list[Any]:
    """What tells cells apart exactly."""
    if is_text(column.type) or is_bytes(column.type):
        wide = pa.large_string() if is_text(column.type) else pa.large_binary()
        return column.cast(wide).cast(pa.large_binary()).to_pylist()
    if pat.is_boolean(column.type) or pat.is_nested(column.type):
        return column.to_pylist()
    width = column.type.bit_width // 8
    data = column.buffers()[1]
    raw = data.to_pybytes() if data else b""
    start = column.offset * width
    cells = [raw[start + i * width : start + (i + 1) * width] for i in range(len(column))]
    return [c if v else None for c, v in zip(cells, column.is_valid().to_pylist(), strict=True)]


def zero_under_null(column: pa.Array) -> None:
    """Nothing lies under NULL."""
    kind = column.type
    if pat.is_nested(kind) or "view" in str(kind) or not column.null_count:
        return
    gone = column.is_null().to_numpy(False)
    if is_text(kind) or is_bytes(kind):
        offsets = np.frombuffer(column.buffers()[1], np.int64 if "large" in str(kind) else np.int32)
        assert not np.diff(offsets[: len(column) + 1])[gone].any()
    elif not pat.is_boolean(kind):
        width = kind.bit_width // 8
        data = np.frombuffer(column.buffers()[1], np.uint8)[: len(column) * width]
        assert not data.reshape(-1, width)[gone].any()
