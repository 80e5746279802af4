"""Shapes as documents, so that a dataset to which files were only added is not read again."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import pyarrow as pa

from privet.crawler.shapes import Field, Shape
from privet.model.datasets import Format

_OWN = frozenset({"format", "fields"})


def dump_shape(shape: Shape) -> dict[str, Any]:
    """A shape as JSON can keep it; types as an IPC schema, without loss."""
    types = pa.schema([pa.field(str(at), each.kind) for at, each in enumerate(shape.fields)])
    return {
        "format": shape.format.value,
        "types": b64encode(types.serialize().to_pybytes()).decode(),
        "fields": [[each.name, each.comment] for each in shape.fields],
        **{f.name: _plain(getattr(shape, f.name)) for f in fields(Shape) if f.name not in _OWN},
    }


def load_shape(document: Mapping[str, Any]) -> Shape:
    """The reverse of `dump_shape`."""
    types = pa.ipc.read_schema(pa.py_buffer(b64decode(document["types"]))).types
    named = zip(document["fields"], types, strict=True)
    rest = {f.name: document[f.name] for f in fields(Shape) if f.name in document.keys() - _OWN}
    rest["notes"] = tuple(rest.get("notes", ()))
    return Shape(
        format=Format(document["format"]),
        fields=tuple(Field(name, kind, comment) for (name, comment), kind in named),
        **rest,
    )


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value
