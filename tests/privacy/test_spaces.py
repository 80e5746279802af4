"""Tokens of every type, against a reference that was written from the specification alone."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.types as pat
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from space_reference import Keys, digest_of_bytes, digest_of_value, of_bytes, token
from test_every_transform import TYPES, raw_cells
from test_vectors import FILES, column, scope_of
from token_reference import derive

from privet.model.datasets import CanonicalType
from privet.model.expressions import Call, ColumnSlot
from privet.model.transforms import is_bytes, is_text
from privet.privacy import Kernel, KeyScope, bind

SCOPE = KeyScope("phi.mrn", 3, CanonicalType.INT64, dataset_id="d1")
LABELS = ("phi.mrn", "3", "dataset", "d1")
SPACES = [
    kind
    for kind in [*TYPES, *(pa.decimal128(p, 2) for p in (7, 9, 18, 19, 20, 36, 37))]
    if not (pat.is_nested(kind) or pat.is_boolean(kind) or is_text(kind) or is_bytes(kind))
    and not (pat.is_fixed_size_binary(kind) or kind in {pa.int32(), pa.int64()})
]
BYTES = [pa.binary(), pa.large_binary(), pa.binary(2), pa.binary(8), pa.binary(300)]


def kernel(name: str, kind: pa.DataType, scope: KeyScope = SCOPE) -> Kernel:
    return bind(Call(name, (ColumnSlot(),)), kind, scope, derive)


def is_unsigned(kind: pa.DataType) -> bool:
    return pat.is_unsigned_integer(kind) or pat.is_floating(kind)


def numbers_of(column: pa.Array) -> list[int | None]:
    """The integers that the bits of cells make."""
    kind = column.type
    width = kind.bit_width // 8
    data = column.buffers()[1].to_pybytes() if len(column) else b""
    at = column.offset
    cells = (data[(at + i) * width : (at + i + 1) * width] for i in range(len(column)))
    read = (int.from_bytes(c, "little", signed=not is_unsigned(kind)) for c in cells)
    return [n if ok else None for n, ok in zip(read, column.is_valid().to_pylist(), strict=True)]


def column_of(kind: pa.DataType, cells: list[bytes]) -> pa.Array:
    return pa.Array.from_buffers(kind, len(cells), [None, pa.py_buffer(b"".join(cells))])


@pytest.mark.parametrize("kind", SPACES, ids=str)
@settings(deadline=None, max_examples=15)
@given(data=st.data())
def test_tokens_of_spaces(kind: pa.DataType, data: st.DataObject) -> None:
    """Value by value what the page says, for both families."""
    cells = data.draw(st.lists(raw_cells(kind), max_size=6))
    values = column_of(kind, cells)
    for name, family in (("tokenize", "fp"), ("nfp_ref_tokenize", "nfp")):
        keys = Keys(family, LABELS)
        wanted = [token(str(kind), keys, v) for v in numbers_of(values) if v is not None]
        assert numbers_of(kernel(name, kind)(values)) == wanted


@pytest.mark.parametrize("kind", SPACES, ids=str)
@settings(deadline=None, max_examples=15)
@given(data=st.data())
def test_digests_of_spaces(kind: pa.DataType, data: st.DataObject) -> None:
    """A value of the type drawn by the digest, as the page says."""
    values = column_of(kind, data.draw(st.lists(raw_cells(kind), max_size=6)))
    for family in ("sha2", "hash"):
        wanted = [
            digest_of_value(family, LABELS, str(kind), v)
            for v in numbers_of(values)
            if v is not None
        ]
        assert numbers_of(kernel(family, kind)(values)) == wanted


@pytest.mark.parametrize("kind", BYTES, ids=str)
@settings(deadline=None, max_examples=15)
@given(data=st.data())
@example(data=None)
def test_bytes(kind: pa.DataType, data: st.DataObject | None) -> None:
    """Byte strings of every length, and those of one length."""
    fixed = pat.is_fixed_size_binary(kind)
    width = kind.byte_width if fixed else 0
    if data is None:
        sizes = [width] if fixed else [0, 2, 3, 4, 255, 256, 257, 300]
        cells = [bytes(i % 256 for i in range(size)) for size in sizes]
    else:
        cell = st.binary(min_size=width, max_size=width) if fixed else st.binary(max_size=20)
        cells = data.draw(st.lists(cell, max_size=6))
    values = pa.array(cells, kind)
    for name, family in (("tokenize", "fp"), ("nfp_ref_tokenize", "nfp")):
        keys = Keys(family, LABELS)
        wanted = [of_bytes(keys, cell, fixed=fixed, opaque=family == "nfp") for cell in cells]
        assert kernel(name, kind)(values).to_pylist() == wanted
    for family, most in (("sha2", 32), ("hash", 16)):
        whole = [digest_of_bytes(family, LABELS, cell) for cell in cells]
        cut = [(d[:width] if width <= most else None) if fixed else d for d in whole]
        assert kernel(family, kind)(values).to_pylist() == cut


_OF_TOKEN_REFERENCE = {"string", "large_string", "int32", "int64"}
OTHERS = [
    pytest.param(name, case, id=f"{name}-{i}-{case['type']}")
    for name, content in FILES.items()
    for i, case in enumerate(content["cases"])
    if "domain" in case and case["type"] not in _OF_TOKEN_REFERENCE
]


@pytest.mark.parametrize(("name", "case"), OTHERS)
def test_frozen_vectors(name: str, case: dict[str, Any]) -> None:
    """The frozen output is what the page says, so whoever implements it finds the same."""
    given, wanted = column(case, "input"), column(case, "output")
    kind, scope = given.type, scope_of(case)
    assert scope is not None
    labels = [scope.domain, str(scope.version)]
    labels += ["dataset", scope.dataset_id] if scope.dataset_id else []
    labels += ["principal", *scope.principal] if scope.principal else []
    family = name if name in {"sha2", "hash"} else "nfp" if name.startswith("nfp") else "fp"
    if is_bytes(kind) or pat.is_fixed_size_binary(kind):
        keys, fixed = Keys(family, tuple(labels)), pat.is_fixed_size_binary(kind)

        def of(cell: bytes) -> bytes | None:
            if family in {"sha2", "hash"}:
                return digest_of_bytes(family, labels, cell)
            return of_bytes(keys, cell, fixed=fixed, opaque=family == "nfp")

        assert wanted.to_pylist() == [None if c is None else of(c) for c in given.to_pylist()]
        return
    keys = Keys(family, tuple(labels))
    made = [
        None
        if value is None
        else digest_of_value(family, labels, str(kind), value)
        if family in {"sha2", "hash"}
        else token(str(kind), keys, value)
        for value in numbers_of(given)
    ]
    assert numbers_of(wanted) == made
