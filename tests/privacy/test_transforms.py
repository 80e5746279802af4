"""The contract of every kernel, and tokens against a literal reference."""

import hmac
import pickle
import random
import unicodedata
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import numpy as np
import pyarrow as pa
import pytest
import token_reference as reference
from hypothesis import given, settings
from hypothesis import strategies as st
from token_reference import derive, frame

from privet.model.datasets import CanonicalType
from privet.model.errors import InvalidRequest, TypeMismatch, UnknownName
from privet.model.expressions import Call, ColumnSlot, Literal
from privet.privacy import Kernel, KeyScope, bind
from privet.privacy.tokens.aes import BlockCipher
from privet.privacy.tokens.integers import in_int32, walk

TEXT_KINDS = (pa.string(), pa.large_string(), pa.string_view())
KEYED = ("tokenize", "tokenize_no_ref", "nfp_ref_tokenize", "nfp_noref_tokenize", "sha2")
TEXT = KeyScope("phi.mrn", 1, CanonicalType.TEXT, dataset_id="d1")
INTEGER = KeyScope("phi.mrn", 1, CanonicalType.INT64, dataset_id="d1")
TWEAK = frame(b"phi.mrn") + frame(b"1")


def kernel(
    name: str,
    kind: pa.DataType = TEXT_KINDS[0],
    scope: KeyScope | None = TEXT,
    arguments: Sequence[int] = (),
) -> Kernel:
    return bind(Call(name, (ColumnSlot(), *map(Literal, arguments))), kind, scope, derive)


def text_array(values: Sequence[bytes | None], kind: pa.DataType = TEXT_KINDS[0]) -> pa.Array:
    """A text column of any bytes, with rubbish under its NULLs."""
    rubbish = b"under null"
    filled = [rubbish if v is None else v for v in values]
    offsets = np.cumsum([0, *map(len, filled)]).astype(np.int64)
    valid = np.packbits(np.array([v is not None for v in values], bool), bitorder="little")
    buffers = [pa.py_buffer(valid), pa.py_buffer(offsets), pa.py_buffer(b"".join(filled))]
    return pa.Array.from_buffers(pa.large_string(), len(values), buffers).cast(kind)


def raw(column: pa.Array) -> list[bytes | None]:
    """The cells as bytes, valid UTF-8 or not."""
    if column.type == pa.string_view():
        column = column.cast(pa.large_string())
    return column.cast(pa.large_binary()).to_pylist()


def labels(scope: KeyScope) -> tuple[str, ...]:
    named = ("dataset", scope.dataset_id) if scope.dataset_id else ()
    return (*named, *(("principal", *scope.principal) if scope.principal else ()))


def key(family: str, scope: KeyScope = TEXT) -> bytes:
    return derive("token", family, scope.domain, str(scope.version), *labels(scope))


words = st.one_of(
    st.text("0123456789", max_size=24),
    st.text("0123456789abzAZ -./@+(),'", max_size=40),
    st.from_regex(r"[A-Z]{3}[0-9]{8}", fullmatch=True),
    st.from_regex(r"[a-z]{1,9}\.[a-z]{2,9}@[a-z]{4,9}\.(com|org)", fullmatch=True),
    st.text(max_size=12),
    st.integers(-(2**66), 2**66).map(str),
    st.sampled_from(["", "0", "-0", "00", "+1", "-", str(2**63 - 1), str(-(2**63)), str(2**63)]),
).map(str.encode)
cells = st.lists(st.none() | words | st.binary(max_size=70), max_size=30)


@st.composite
def text_columns(draw: st.DrawFn) -> tuple[pa.Array, list[bytes | None], pa.DataType]:
    """A text column (its type, sliced, dictionary-encoded or not) and its cells."""
    values, kind = draw(cells), draw(st.sampled_from(TEXT_KINDS))
    column = text_array(values, kind)
    start = draw(st.integers(0, len(values)))
    stop = draw(st.integers(start, len(values)))
    column, values = column.slice(start, stop - start), values[start:stop]
    if draw(st.booleans()) and kind != pa.string_view():
        column = column.dictionary_encode()
    return column, values, kind


def expected(name: str, canonical: CanonicalType, value: bytes) -> bytes:
    """One cell, by the reference."""
    if name == "sha2":
        return hmac.digest(key("sha2"), value, "sha256").hex().encode()
    family = "nfp" if name.startswith("nfp") else "fp"
    primary, overflow = key(family), key(f"{family}-overflow")
    if canonical is CanonicalType.INT64:
        return reference.tokenize_decimal(primary, overflow, TWEAK, value).encode()
    if family == "nfp":
        return reference.opaque(primary, value).encode()
    return reference.tokenize_text(primary, overflow, TWEAK, value).encode()


@settings(deadline=None, max_examples=150)
@given(text_columns(), st.sampled_from(KEYED), st.sampled_from(list(CanonicalType)))
def test_keyed_text(
    drawn: tuple[pa.Array, list[bytes | None], pa.DataType], name: str, canonical: CanonicalType
) -> None:
    """Same length and type, NULL where NULL was, each token as the reference says."""
    column, values, kind = drawn
    scope = KeyScope("phi.mrn", 1, canonical, dataset_id="d1")
    result = kernel(name, kind, scope)(column)
    result.validate(full=True)
    assert result.type == kind
    assert raw(result) == [v if v is None else expected(name, canonical, v) for v in values]


@settings(deadline=None, max_examples=60)
@given(text_columns(), st.sampled_from(list(CanonicalType)))
def test_tokenize_inverts(
    drawn: tuple[pa.Array, list[bytes | None], pa.DataType], canonical: CanonicalType
) -> None:
    """Tokens turn back into their values; overflow forms into NULL."""
    column, values, kind = drawn
    tokenize = kernel("tokenize", kind, KeyScope("d", 1, canonical))
    before = tokenize.overflowed
    tokens = tokenize(column)
    lost = tokenize.overflowed - before
    back = raw(tokenize.invert(tokens))
    assert [b for b in back if b is not None] == [
        v for v, b in zip(values, back, strict=True) if b is not None
    ]
    assert back.count(None) == lost + values.count(None)


def test_many_formats_at_once() -> None:
    """Formats that are common, rare, of one shape and outside meet in one column, in any order."""
    choose = random.Random(1)
    values: list[bytes | None] = []
    for i in range(3000):
        values.append(f"{choose.randrange(1000):03}-{choose.randrange(10**7):07}".encode())
        if i % 3 == 0:
            alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .@"
            values.append("".join(choose.choices(alphabet, k=9 + i % 4)).encode())
            values.append(choose.choice([None, b"", b"short", "Zoë Müller".encode(), b"\xff\xfe"]))
        if i % 500 == 0:
            values.append(bytes(choose.choices(b"0123456789abcdefghijklmXYZ", k=250 + i // 50)))
    choose.shuffle(values)
    tokenize = kernel("tokenize")
    column = text_array(values)
    tokens = tokenize(column)
    texts = [v.decode("utf-8", "replace") for v in values if v is not None]
    assert tokenize.overflowed == sum(reference.mask_of(text) is None for text in texts)
    got = raw(tokens)
    for i in choose.sample(range(len(values)), 400):
        value = values[i]
        wanted = None if value is None else expected("tokenize", CanonicalType.TEXT, value)
        assert got[i] == wanted
    back = raw(tokenize.invert(tokens))
    assert all(b in (None, v) for b, v in zip(back, values, strict=True))
    assert raw(tokenize(column.slice(1000, 1000))) == got[1000:2000]


def test_overflow_at_the_limits() -> None:
    """Exactly 1,000,000 values and exactly 256 positions are in; one less or more is out."""
    tokenize = kernel("tokenize")
    within = ["000000", "aaaaa", "AA00000", "1" * 256, "a-" * 256]
    outside = ["00000", "aaaa", "aaa0", "A0000", "1" * 257, "", "-", "a_bcdefg", "12345\uff16"]
    tokens = tokenize(pa.array(within + outside)).to_pylist()
    assert tokenize.overflowed == len(outside)
    for text, token in zip(within, tokens, strict=False):
        assert reference.mask_of(token) == reference.mask_of(text)
    assert all(len(t) == 32 for t in tokens[len(within) :])


def test_injective_over_a_format() -> None:
    """Every value of a format has a token of its own, within the format."""
    for texts in (
        [f"{a:02}-{b:04}" for a in range(100) for b in range(0, 10000, 7)],
        [f"{a}{b:02}{c}" for a in "AXZ" for b in range(100) for c in ("abc", "xyz", "aaa")],
    ):
        tokens = kernel("tokenize")(pa.array(texts)).to_pylist()
        assert len(set(tokens)) == len(texts)
        assert {reference.mask_of(t) for t in tokens} == {reference.mask_of(texts[0])}


edges = [0, 1, -1, 2**15, 2**31 - 1, -(2**31), 2**31, -(2**31) - 1, 2**63 - 1, -(2**63)]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.none() | st.integers(-(2**63), 2**63 - 1) | st.sampled_from(edges), max_size=20),
    st.sampled_from(KEYED),
)
def test_keyed_integers(values: list[int | None], name: str) -> None:
    """int64 columns: tokens as the reference says, invertible, int32 values within int32."""
    made = kernel(name, pa.int64(), INTEGER)
    column = pa.array([7, *values], pa.int64()).slice(1)
    result = made(column)
    assert result.type == pa.int64()
    for value, token in zip(values, result.to_pylist(), strict=True):
        if value is None or name == "sha2":
            assert (token is None) == (value is None)
            continue
        family = "nfp" if name.startswith("nfp") else "fp"
        assert token == reference.tokenize_integer(key(family), TWEAK, value)
    if made.reversible:
        assert made.invert(result).equals(column)


@pytest.mark.parametrize("name", ["tokenize", "nfp_ref_tokenize"])
def test_integer_widths_agree(name: str) -> None:
    """The same value has the same token in columns of int32, int64 and text; so joins work."""
    values = [*range(-500, 500), 2**31 - 1, -(2**31), None]
    narrow = kernel(name, pa.int32(), INTEGER)(pa.array(values, pa.int32()))
    wide = kernel(name, pa.int64(), INTEGER)(pa.array(values, pa.int64()))
    text = kernel(name, pa.string(), INTEGER)(pa.array(values).cast(pa.string()))
    assert narrow.type == pa.int32()
    assert narrow.cast(pa.int64()).equals(wide)
    assert text.equals(wide.cast(pa.string()))
    assert len(set(wide.to_pylist())) == len(values)


def test_walk_stays_outside() -> None:
    """Cycle walking gives a permutation of what is not excluded, and its inverse undoes it."""
    table = np.array(random.Random(3).sample(range(64), 64))
    inverse = np.argsort(table)
    rest = np.arange(20, 64)
    walked = walk(lambda x: table[x], rest, lambda x: x < 20)
    assert sorted(walked.tolist()) == rest.tolist()
    assert (walk(lambda x: inverse[x], walked, lambda x: x < 20) == rest).all()
    assert in_int32(np.array([-(2**31), 2**31 - 1])).all()
    assert not in_int32(np.array([-(2**31) - 1, 2**31])).any()


@pytest.mark.parametrize("name", KEYED)
def test_keys_separate(name: str) -> None:
    """Domain, version, dataset, principal and family each give other tokens."""
    scopes = [
        TEXT,
        KeyScope("phi.mrm", 1, CanonicalType.TEXT, "d1"),
        KeyScope("phi.mrn", 2, CanonicalType.TEXT, "d1"),
        KeyScope("phi.mrn", 1, CanonicalType.TEXT, "d2"),
        KeyScope("phi.mrn", 1, CanonicalType.TEXT, "d1", ("privet", "ann")),
        KeyScope("phi.mrn", 1, CanonicalType.TEXT, "d1", ("privet", "bob")),
        KeyScope("phi.mrn", 1, CanonicalType.TEXT, "d1", ("other", "ann")),
    ]
    column = pa.array(["MRN00000001"])
    tokens = [kernel(name, scope=scope)(column).to_pylist()[0] for scope in scopes]
    assert len(set(tokens)) == len(scopes)


def test_mask_text() -> None:
    """Letters, digits and marks become X by code point; the rest stays; ranges count them."""
    texts = ["Ab1-é", "日本 語!", "a\u0301b", "", "5€", "\ue000\U000e1234", "😀x", None]
    column = pa.array(texts)
    masked = kernel("mask", scope=None)(column).to_pylist()
    assert masked == ["XXX-X", "XX X!", "XXX", "", "X€", "XX", "😀X", None]
    ranged = kernel("mask", scope=None, arguments=(1, 2))(column).to_pylist()
    assert ranged == ["AXX-é", "日X 語!", "aXX", "", "5€", "\ue000X", "😀X", None]
    assert kernel("mask", scope=None, arguments=(3,))(pa.array(["abcdef"])).to_pylist() == [
        "abcXXX"
    ]
    assert kernel("mask", scope=None, arguments=(0, 0))(pa.array(["ab"])).to_pylist() == ["ab"]
    assert kernel("mask", scope=None, arguments=(10**30,))(pa.array(["ab"])).to_pylist() == ["ab"]


@settings(deadline=None, max_examples=150)
@given(text_columns(), st.sampled_from([(), (1,), (0, 3), (2, 4)]))
def test_mask_any_text(
    drawn: tuple[pa.Array, list[bytes | None], pa.DataType], arguments: tuple[int, ...]
) -> None:
    """As masking code point by code point; what is not UTF-8 becomes empty."""
    column, values, kind = drawn
    start = arguments[0] if arguments else 0
    stop = start + arguments[1] if len(arguments) > 1 else 10**9

    def mask(value: bytes) -> str:
        try:
            text = value.decode()
        except UnicodeDecodeError:
            return ""
        return "".join(
            "X"
            if start <= i < stop
            and (unicodedata.category(c)[0] in "LNM" or unicodedata.category(c) in ("Cn", "Co"))
            else c
            for i, c in enumerate(text)
        )

    result = kernel("mask", kind, None, arguments)(column)
    result.validate(full=True)
    assert result.type == kind
    assert result.to_pylist() == [v if v is None else mask(v) for v in values]


ZEROED = [pa.array([1, None, -3], t) for t in (pa.int8(), pa.int16(), pa.int32(), pa.int64())] + [
    pa.array([1, None, 3], pa.uint64()),
    pa.array([1.5, None, float("nan")], pa.float64()),
    pa.array([1.5, None, 2], pa.float16()),
    pa.array([1, None, 3], pa.decimal128(20, 4)),
    pa.array([1, None, 3], pa.decimal256(50, 4)),
    pa.array([True, None, True]),
    pa.array([9, None, 8], pa.date32()),
    pa.array([86400000, None, 0], pa.date64()),
    pa.array([9, None, 8], pa.timestamp("us", "Europe/Berlin")),
]


@pytest.mark.parametrize(("name", "column"), list(product(("mask", "zero"), ZEROED)), ids=str)
def test_zeroed_types(name: str, column: pa.Array) -> None:
    """Numbers 0, booleans false, dates the epoch, NULL stays NULL, also in slices."""
    result = kernel(name, column.type, None)(column.slice(1))
    result.validate(full=True)
    zero = pa.scalar(0).cast(pa.int64()).as_py()
    expected_cells = pa.array([None, False if pa.types.is_boolean(column.type) else zero])
    stored = column.type if pa.types.is_boolean(column.type) else None
    assert result.type == column.type
    assert result.null_count == 1
    if stored is None:
        bits = result.buffers()[1].to_pybytes()
        assert not any(bits)
    else:
        assert result.equals(expected_cells.cast(stored))


def test_zero_and_null_text() -> None:
    """`zero` of text is empty, `null` of anything is a typed NULL."""
    column = text_array([b"a", None, b"\xff"])
    assert kernel("zero", scope=None)(column).to_pylist() == ["", None, ""]
    kinds = [
        *TEXT_KINDS,
        pa.binary(),
        pa.list_(pa.string()),
        pa.struct([("a", pa.int32()), ("b", pa.list_(pa.string()))]),
        pa.map_(pa.string(), pa.int64()),
        pa.decimal128(9, 2),
        pa.time64("us"),
        pa.dictionary(pa.int32(), pa.string()),
    ]
    for kind in kinds:
        result = kernel("null", kind, None)(pa.nulls(3, kind))
        assert result.type == kind
        assert result.is_null().to_pylist() == [True] * 3


@pytest.mark.parametrize("name", [*KEYED, "mask", "zero", "null"])
def test_no_input_in_any_buffer(name: str) -> None:
    """No buffer of the output holds a value of the input, nor what lay under its NULLs."""
    values = [b"SECRETVALUE%06d" % i if i % 3 else None for i in range(1000)]
    values += [b"SECRET", "SECRETÉ".encode(), b"SECRET\xff"]
    for kind in TEXT_KINDS:
        column = text_array(values, kind)
        for result in (
            kernel(name, kind, TEXT)(column),
            kernel(name, kind, INTEGER)(column.slice(1, 900)),
        ):
            for buffer in result.buffers():
                content = buffer.to_pybytes() if buffer else b""
                assert b"SECRET" not in content
                assert b"under null" not in content
    column = pa.array([123456789, None, 5], pa.int64())
    hidden = pa.Array.from_buffers(
        pa.int64(), 3, [column.buffers()[0], pa.py_buffer(np.full(3, 0x5345435245545345))]
    )
    result = kernel(name, pa.int64(), INTEGER)(hidden)
    assert b"SECRET" not in result.buffers()[1].to_pybytes()
    assert result.null_count >= 1


@pytest.mark.parametrize("name", [*KEYED, "mask", "zero", "null"])
def test_nothing_in_nothing_out(name: str) -> None:
    """Zero rows and only NULLs are no special case, encoded by a dictionary or not."""
    for kind in (*TEXT_KINDS, pa.int32(), pa.int64()):
        made = kernel(name, kind, INTEGER)
        for size in (0, 3):
            result = made(pa.nulls(size, kind))
            assert result.equals(pa.nulls(size, kind))
        if kind in TEXT_KINDS[:2]:
            assert made(pa.array([], kind).dictionary_encode()).equals(pa.array([], kind))


def test_long_values() -> None:
    """Opaque tokens of values of many blocks, and beyond 64 KiB, are those of the reference."""
    choose = random.Random(2)
    values = [choose.randbytes(n) for n in (0, 11, 12, 13, 28, 29, 1000, 65536, 65537, 70001, 5)]
    assert raw(kernel("nfp_ref_tokenize")(text_array(values))) == [
        expected("nfp_ref_tokenize", CanonicalType.TEXT, v) for v in values
    ]


def test_refused_when_bound() -> None:
    """What cannot be is refused by type, with the error that says why."""
    with pytest.raises(UnknownName):
        kernel("rot13")
    for name, kind, scope in (
        ("tokenize", pa.int64(), TEXT),
        ("tokenize", pa.int16(), TEXT),
        ("mask_ccn", pa.int64(), None),
        ("phi_date", pa.string(), None),
        ("zero", pa.list_(pa.string()), None),
    ):
        with pytest.raises(TypeMismatch):
            kernel(name, kind, scope)
    for name in KEYED:
        with pytest.raises(InvalidRequest, match="token domain"):
            kernel(name, scope=None)
    for name in ("tokenize_no_ref", "nfp_noref_tokenize"):
        with pytest.raises(InvalidRequest, match="dataset"):
            kernel(name, scope=KeyScope("d", 1, CanonicalType.TEXT))
    for arguments in ((-1,), (0, -1)):
        with pytest.raises(InvalidRequest, match="wrong arguments"):
            kernel("mask", scope=None, arguments=arguments)
    with pytest.raises(TypeMismatch):
        kernel("tokenize")(pa.array([1]))
    for name in ("nfp_ref_tokenize", "sha2"):
        with pytest.raises(InvalidRequest, match="undone"):
            kernel(name).invert(pa.array(["a"]))


def test_kernels_and_ciphers_stay_here() -> None:
    """What holds a key can be neither pickled nor printed."""
    for thing in (kernel("tokenize"), kernel("sha2"), BlockCipher(bytes(16))):
        with pytest.raises(TypeError):
            pickle.dumps(thing)
        assert key("fp").hex() not in repr(thing)
        assert repr(key("sha2")) not in repr(thing)


@pytest.mark.parametrize("name", KEYED)
def test_threads(name: str) -> None:
    """One kernel serves several threads at once; counts are not lost."""
    made = kernel(name)
    column = pa.array([f"MRN{i:08}" if i % 5 else "odd" for i in range(20000)])
    wanted = made(column)
    before = made.overflowed
    with ThreadPoolExecutor(4) as pool:
        assert all(result.equals(wanted) for result in pool.map(made, [column] * 8))
    assert made.overflowed == before * 9
