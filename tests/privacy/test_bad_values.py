"""Values that files should not have, or hardly ever have: no transform fails, and none leaks."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from test_every_transform import bytes_of, kernels, zero_under_null
from test_spaces import LABELS, numbers_of
from token_reference import derive, opaque

from privet.model.errors import TypeMismatch
from privet.model.expressions import Call, ColumnSlot
from privet.model.transforms import SPECS, TransformSpec
from privet.privacy import bind

BROKEN = {
    "not UTF-8": b"\xff\xfe secret 12345678",
    "cut off": "secret 12345678 é".encode()[:-1],
    "a lone surrogate": b"secret \xed\xa0\x80 12345678",
    "too long a form": b"secret \xc0\x80 12345678",
    "beyond Unicode": b"secret \xf5\x80\x80\x80 12345678",
    "NUL": b"secret\x0012345678",
}
LONG = {
    "letters": b"Secret" * (1 << 18),
    "digits": b"12345678" * (1 << 17),
    "others": "日本語".encode() * 120_000,
    "broken": b"\xff" * (1 << 20),
}


def text_of(cells: list[bytes], kind: pa.DataType) -> pa.Array:
    offsets = np.cumsum([0, *map(len, cells)]).astype(np.int64)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(cells))]
    wide = pa.Array.from_buffers(pa.large_string(), len(cells), buffers)
    return wide.view(pa.large_binary()).cast(pa.binary()).view(kind)


@pytest.mark.parametrize("cell", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("spec", [s for s in SPECS if s.fits(pa.string())], ids=lambda s: s.name)
def test_text_that_is_none(spec: TransformSpec, cell: bytes) -> None:
    """Nothing of it comes out, and its neighbours come out as ever."""
    good = [b"MRN-12345678", b"Ann Lee"]
    for kernel in kernels(spec, pa.string()):
        result = kernel(text_of([good[0], cell, good[1]], pa.string()))
        made = bytes_of(result)
        # NUL is a character as good as any.
        if spec.name not in {"lower", "upper", "truncate"} or cell != BROKEN["NUL"]:
            assert b"secret" not in (made[1] or b"").lower()
        if not spec.random:
            alone = bytes_of(kernel(pa.array([g.decode() for g in good])))
            assert [made[0], made[2]] == alone
        if not spec.keyed:
            (made[1] or b"").decode()


@pytest.mark.parametrize("cell", BROKEN.values(), ids=BROKEN)
def test_its_tokens(cell: bytes) -> None:
    """They are opaque ones of its bytes: stable, and different for different bytes."""
    spec = next(s for s in SPECS if s.name == "tokenize")
    (kernel,) = kernels(spec, pa.string())
    wanted = opaque(derive("token", "fp-overflow", "phi.mrn", "1", *LABELS[2:]), cell)
    assert bytes_of(kernel(text_of([cell], pa.string()))) == [wanted.encode()]
    assert kernel.overflowed == 1


@pytest.mark.parametrize("cell", LONG.values(), ids=LONG)
@pytest.mark.parametrize("spec", [s for s in SPECS if s.fits(pa.string())], ids=lambda s: s.name)
def test_text_of_a_megabyte(spec: TransformSpec, cell: bytes) -> None:
    """Is a value like another, beside short ones."""
    for kernel in kernels(spec, pa.string()):
        column = text_of([b"MRN-12345678", cell, b""], pa.string())
        result = kernel(column)
        result.validate(full=True)
        assert len(result) == 3
        made = bytes_of(result)[1]
        if spec.keyed or spec.name == "nfp_random":
            assert len(made) in {32, 64}
        if spec.name == "mask" and cell == LONG["digits"]:
            assert len(made) == len(cell)


MOST = 10**38 - 1


@pytest.mark.parametrize("scale", [0, 1, 19, 37, 38])
@pytest.mark.parametrize(
    "spec", [s for s in SPECS if s.fits(pa.decimal128(38, 0))], ids=lambda s: s.name
)
def test_decimals_of_full_precision(spec: TransformSpec, scale: int) -> None:
    """All digits count; nothing overflows, and nothing is lost in between."""
    kind = pa.decimal128(38, scale)
    unscaled = [MOST, -MOST, MOST - 1, 0, 1, -1]
    column = pa.array([Decimal(f"{value}e-{scale}") for value in unscaled], kind)
    for kernel in kernels(spec, kind):
        result = kernel(column)
        result.validate(full=True)
        assert all(abs(n or 0) < 10**38 for n in numbers_of(result))
        if spec.name in {"tokenize", "nfp_ref_tokenize"}:
            assert len(set(numbers_of(result))) == len(unscaled)
            assert not kernel.overflowed
        if kernel.reversible:
            assert kernel.invert(result).equals(column)


FAR = [
    *(
        (pa.timestamp(unit), ["0001-01-01", "1677-09-20", "9999-12-31"])
        for unit in ("us", "ms", "s")
    ),
    *((kind, ["0001-01-01", "1582-10-05", "9999-12-31"]) for kind in (pa.date32(), pa.date64())),
]


@pytest.mark.parametrize(("kind", "cells"), FAR)
def test_days_that_nanoseconds_do_not_reach(kind: pa.DataType, cells: list[str]) -> None:
    """Pandas has no such days; tokens of them are days of the same years 1 to 9999."""
    column = pa.array(cells).cast(kind)
    for spec in SPECS:
        if not spec.fits(kind):
            continue
        for kernel in kernels(spec, kind):
            result = kernel(column)
            assert len(result) == len(cells)
            zero_under_null(result)
            if spec.name in {"tokenize", "nfp_ref_tokenize"}:
                years = [value.year for value in result.to_pylist()]
                assert all(1 <= year <= 9999 for year in years)
            if kernel.reversible:
                assert kernel.invert(result).equals(column)
            if spec.name == "phi_date":
                assert [v.year for v in result.to_pylist()] == [int(c[:4]) for c in cells]


NESTED = [
    pa.list_(pa.string()),
    pa.large_list(pa.int64()),
    pa.list_(pa.string(), 3),
    pa.struct([("a", pa.string())]),
    pa.map_(pa.string(), pa.int32()),
    pa.list_(pa.struct([("a", pa.date32())])),
]


@pytest.mark.parametrize("kind", NESTED, ids=str)
def test_complex_types(kind: pa.DataType) -> None:
    """Nothing but NULL is made of them; all else is refused when it is bound."""
    for spec in SPECS:
        call = Call(spec.name, (ColumnSlot(),))
        if any(p.required for p in spec.parameters):
            continue
        if spec.name == "null":
            assert bind(call, kind, None, derive)(pa.nulls(2, kind)).equals(pa.nulls(2, kind))
        else:
            with pytest.raises(TypeMismatch, match="does not fit columns of type"):
                bind(call, kind, None, derive)
