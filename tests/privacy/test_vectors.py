"""The frozen vectors: tokens made once are made again, by the kernels and by the reference."""

import hmac
import json
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import token_reference as reference
from token_reference import MASTER, derive, frame

from privet.keys import KeyRing
from privet.model.datasets import CanonicalType, parse_type
from privet.model.expressions import Call, ColumnSlot, Literal
from privet.model.transforms import SPECS, find_spec
from privet.privacy import Circumstances, KeyScope, bind

FOLDER = Path(__file__).parents[2] / "docs" / "reference" / "transforms"
FILES = {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}
CASES = [
    pytest.param(name, case, id=f"{name}-{i}-{case['type']}")
    for name, content in FILES.items()
    for i, case in enumerate(content["cases"])
]


class FixedKeys:
    def master(self) -> bytes:
        return MASTER


def column(case: dict[str, Any], side: str) -> pa.Array:
    kind, values = parse_type(case["type"]), case[side]
    if all(value is None for value in values):
        return pa.nulls(len(values), kind)
    return pa.array(values).cast(kind)


def scope_of(case: dict[str, Any]) -> KeyScope | None:
    if "domain" not in case:
        return None
    return KeyScope(
        case["domain"],
        case["version"],
        CanonicalType(case["canonical"]),
        case.get("dataset_id", ""),
        tuple(case["principal"]) if "principal" in case else None,
    )


def test_every_transform_has_vectors() -> None:
    """A file for each transform but those of chance, no file without one, one master key."""
    assert set(FILES) == {spec.name for spec in SPECS if not spec.random}
    assert {content["master_key"] for content in FILES.values()} == {MASTER.hex()}
    assert all(content["transform"] == name for name, content in FILES.items())


@pytest.mark.parametrize(("name", "case"), CASES)
def test_kernels(name: str, case: dict[str, Any]) -> None:
    """The kernel, under the real key ring, gives the frozen output, by each of its names."""
    spec = find_spec(name)
    assert spec is not None
    arguments = (ColumnSlot(), *map(Literal, case.get("arguments", ())))
    given, wanted = column(case, "input"), column(case, "output")
    for alias in (name, *spec.aliases):
        kernel = bind(
            Call(alias, arguments),
            given.type,
            scope_of(case),
            KeyRing(FixedKeys()).derive,
            Circumstances(bytes, date.fromisoformat(case.get("today", "1970-01-01"))),
        )
        assert kernel(given).equals(wanted)
        if kernel.reversible and not kernel.overflowed:
            assert kernel.invert(wanted).equals(given)


@pytest.mark.parametrize(
    ("name", "case"),
    [
        p
        for p in CASES
        if "domain" in p.values[1]
        and p.values[0] != "hash"
        and p.values[1]["type"] in {"string", "large_string", "int32", "int64"}
    ],
)
def test_reference(name: str, case: dict[str, Any]) -> None:
    """The reference, which shares nothing with the kernels, gives the frozen output too."""
    family = "sha2" if name == "sha2" else "nfp" if name.startswith("nfp") else "fp"
    labels = [case["domain"], str(case["version"])]
    labels += ["dataset", case["dataset_id"]] if "dataset_id" in case else []
    labels += ["principal", *case["principal"]] if "principal" in case else []
    key, overflow = (derive("token", f, *labels) for f in (family, f"{family}-overflow"))
    tweak = frame(case["domain"].encode()) + frame(str(case["version"]).encode())

    def token(value: str | int) -> str | int:
        if family == "sha2":
            digest = hmac.digest(key, str(value).encode(), "sha256")
            size = {"int32": 4, "int64": 8}.get(case["type"])
            return int.from_bytes(digest[:size], "big", signed=True) if size else digest.hex()
        if isinstance(value, int):
            return reference.tokenize_integer(key, tweak, value)
        if case["canonical"] == "int64":
            return reference.tokenize_decimal(key, overflow, tweak, value.encode())
        if family == "nfp":
            return reference.opaque(key, value.encode())
        return reference.tokenize_text(key, overflow, tweak, value.encode())

    assert case["output"] == [v if v is None else token(v) for v in case["input"]]
