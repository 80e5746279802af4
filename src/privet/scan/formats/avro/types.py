"""Schemas of Avro as types of Arrow, and what makes of a decoded value what Arrow takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pyarrow as pa

from privet.model.errors import SourceInvalid

Convert = Callable[[Any], Any]
Schema = Any
"""Parsed JSON."""

_PRIMITIVE: Mapping[str, pa.DataType] = {
    "null": pa.null(),
    "boolean": pa.bool_(),
    "int": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "bytes": pa.binary(),
    "string": pa.string(),
}
_LOGICAL: Mapping[tuple[str, str], pa.DataType] = {
    ("int", "date"): pa.date32(),
    ("int", "time-millis"): pa.time32("ms"),
    ("long", "time-micros"): pa.time64("us"),
    ("long", "timestamp-millis"): pa.timestamp("ms", "UTC"),
    ("long", "timestamp-micros"): pa.timestamp("us", "UTC"),
    ("long", "timestamp-nanos"): pa.timestamp("ns", "UTC"),
    ("long", "local-timestamp-millis"): pa.timestamp("ms"),
    ("long", "local-timestamp-micros"): pa.timestamp("us"),
    ("long", "local-timestamp-nanos"): pa.timestamp("ns"),
}
_PYTHON: Mapping[str, tuple[type, ...]] = {
    "boolean": (bool,),
    "int": (int,),
    "long": (int,),
    "float": (float, int),
    "double": (float, int),
    "bytes": (bytes, Decimal),
    "string": (str,),
    "array": (list,),
    "map": (dict,),
}
_NARROW, _WIDE = 38, 76
_DEPTH = 32


@dataclass(frozen=True, slots=True)
class Bound:
    """A type, how values of it are converted (None: as they are), and the schema to decode it by.

    That schema has no logical types but decimals: days and moments stay the numbers that they are.
    """

    kind: pa.DataType
    convert: Convert | None
    schema: Schema
    empty: bool = False
    """Whether a value takes no byte: any number of them would fit into a few."""


@dataclass(slots=True)
class _Names:
    """What has a name: known after it was read; `within` are those being read."""

    known: dict[str, Bound] = field(default_factory=dict[str, Bound])
    within: set[str] = field(default_factory=set[str])


def fields_of(schema: Schema) -> tuple[Mapping[str, Bound], Schema]:
    """The columns of a schema of records, and the schema to decode these by.

    Raises:
        SourceInvalid: it is none, or has types that columns cannot be.
    """
    try:
        if not isinstance(schema, dict) or schema.get("type") not in {"record", "error"}:
            raise _unsupported("holds no records")
        names = _Names()
        whole = _record(schema, names, "", 0)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise _unsupported("has no schema that can be read") from error
    if whole.empty:
        raise _unsupported("has records that hold nothing")
    found = {f["name"]: f["bound"] for f in whole.schema["fields"]}
    return found, _without_bound(whole.schema)


def _unsupported(how: str) -> SourceInvalid:
    return SourceInvalid(f"an Avro file {how}", hint="have it written with another schema")


def _without_bound(schema: Schema) -> Schema:
    fields = [{k: v for k, v in f.items() if k != "bound"} for f in schema["fields"]]
    return {**schema, "fields": fields}


def _bind(schema: Schema, names: _Names, space: str, depth: int) -> Bound:
    if depth > _DEPTH:
        raise _unsupported("has types nested too deeply")
    if isinstance(schema, str):
        return _named_or_primitive(schema, names, space)
    if isinstance(schema, list):
        return _union(schema, names, space, depth)
    kind = schema["type"]
    if isinstance(kind, (dict, list)):
        return _bind(kind, names, space, depth)
    match kind:
        case "record" | "error":
            return _struct(schema, names, space, depth)
        case "enum":
            return _enum(schema, names, space)
        case "fixed":
            return _fixed(schema, names, space)
        case "array":
            return _array(schema, names, space, depth)
        case "map":
            return _map(schema, names, space, depth)
        case _:
            return _annotated(schema, names, space)


def _named_or_primitive(name: str, names: _Names, space: str) -> Bound:
    if name in _PRIMITIVE:
        return Bound(_PRIMITIVE[name], None, name, empty=name == "null")
    full = name if "." in name or not space else f"{space}.{name}"
    if full not in names.known and name in names.known:
        full = name
    if full in names.within:
        raise _unsupported("has a type within itself")
    bound = names.known[full]
    return Bound(bound.kind, bound.convert, full, bound.empty)


def _full_name(schema: Schema, space: str) -> tuple[str, str]:
    """The full name of what has one, and the namespace inside it."""
    name = schema["name"]
    if not isinstance(name, str):
        raise TypeError
    if "." in name:
        return name, name.rpartition(".")[0]
    own = schema.get("namespace", space) or ""
    return (f"{own}.{name}" if own else name), own


def _record(schema: Schema, names: _Names, space: str, depth: int) -> Bound:
    """A record; its schema's fields keep what they were bound to."""
    full, inner = _full_name(schema, space)
    names.within.add(full)
    fields: list[dict[str, Any]] = []
    for each in schema["fields"]:
        bound = _bind(each["type"], names, inner, depth + 1)
        fields.append({"name": each["name"], "type": bound.schema, "bound": bound})
    names.within.discard(full)
    kind = pa.struct([(f["name"], f["bound"].kind) for f in fields])
    converts = [(f["name"], f["bound"].convert) for f in fields]

    def convert(value: dict[str, Any]) -> dict[str, Any]:
        return {n: value[n] if c is None else _some(c, value[n]) for n, c in converts}

    changed = any(c for _, c in converts)
    empty = all(f["bound"].empty for f in fields)
    bound = Bound(
        kind,
        convert if changed else None,
        {"type": "record", "name": full, "fields": fields},
        empty,
    )
    names.known[full] = bound
    return bound


def _struct(schema: Schema, names: _Names, space: str, depth: int) -> Bound:
    bound = _record(schema, names, space, depth)
    return Bound(bound.kind, bound.convert, _without_bound(bound.schema), bound.empty)


def _enum(schema: Schema, names: _Names, space: str) -> Bound:
    full, _ = _full_name(schema, space)
    own = {"type": "enum", "name": full, "symbols": schema["symbols"]}
    bound = Bound(pa.string(), None, own)
    names.known[full] = bound
    return bound


def _fixed(schema: Schema, names: _Names, space: str) -> Bound:
    full, _ = _full_name(schema, space)
    size = schema["size"]
    if not isinstance(size, int) or size < 0:
        raise TypeError
    own = {"type": "fixed", "name": full, "size": size}
    kind = _decimal(schema)
    if kind is not None:
        own |= {k: schema[k] for k in ("logicalType", "precision", "scale") if k in schema}
    bound = Bound(kind or pa.binary(size), None, own, empty=size == 0)
    names.known[full] = bound
    return bound


def _array(schema: Schema, names: _Names, space: str, depth: int) -> Bound:
    item = _bind(schema["items"], names, space, depth + 1)
    if item.empty:
        raise _unsupported("has lists of items that hold nothing")
    own = {"type": "array", "items": item.schema}
    inner = item.convert
    if inner is None:
        return Bound(pa.list_(item.kind), None, own)
    return Bound(pa.list_(item.kind), lambda value: [_some(inner, v) for v in value], own)


def _map(schema: Schema, names: _Names, space: str, depth: int) -> Bound:
    item = _bind(schema["values"], names, space, depth + 1)
    own = {"type": "map", "values": item.schema}
    kind, inner = pa.map_(pa.string(), item.kind), item.convert
    if inner is None:
        return Bound(kind, lambda value: list(value.items()), own)
    return Bound(kind, lambda value: [(k, _some(inner, v)) for k, v in value.items()], own)


def _annotated(schema: Schema, names: _Names, space: str) -> Bound:
    name, logical = schema["type"], schema.get("logicalType")
    if name == "bytes" and (kind := _decimal(schema)) is not None:
        own = {k: schema[k] for k in ("type", "logicalType", "precision", "scale") if k in schema}
        return Bound(kind, None, own)
    kind = _LOGICAL.get((name, logical)) if isinstance(logical, str) else None
    if kind is not None:
        return Bound(kind, None, name)
    return _named_or_primitive(name, names, space)


def _decimal(schema: Schema) -> pa.DataType | None:
    """The type of a decimal, if it is one that can be; otherwise it is bytes."""
    precision, scale = schema.get("precision"), schema.get("scale", 0)
    if schema.get("logicalType") != "decimal" or not isinstance(precision, int):
        return None
    if not isinstance(scale, int) or not 0 <= scale <= precision or not 0 < precision <= _WIDE:
        return None
    wide = precision > _NARROW
    return pa.decimal256(precision, scale) if wide else pa.decimal128(precision, scale)


def _some(convert: Convert, value: Any) -> Any:
    return None if value is None else convert(value)


# ---- unions


def _union(schema: list[Schema], names: _Names, space: str, depth: int) -> Bound:
    branches = [_bind(each, names, space, depth + 1) for each in schema]
    own = [b.schema for b in branches]
    real = [(s, b) for s, b in zip(schema, branches, strict=True) if b.kind != pa.null()]
    if not real:
        return Bound(pa.null(), None, own)
    if len(real) == 1:
        (_, only), *_ = real
        return Bound(only.kind, _unnamed(only.convert), own)
    kinds = {b.kind for _, b in real}
    if kinds <= {pa.int32(), pa.int64()}:
        return Bound(pa.int64(), None, own)
    if kinds <= {pa.int32(), pa.float32(), pa.float64()}:
        return Bound(pa.float64(), float, own)
    return _wide(real, own)


def _unnamed(convert: Convert | None) -> Convert:
    """Of what has a name, the library gives the name too where it is in a union."""

    def unwrapped(value: Any) -> Any:
        inner = value[1] if isinstance(value, tuple) else value
        return inner if convert is None else _some(convert, inner)

    return unwrapped


def _wide(real: list[tuple[Schema, Bound]], own: Schema) -> Bound:
    """A union of unlike types: a struct of which one field has the value."""
    by_name: dict[str, str] = {}
    plain: list[tuple[tuple[type, ...], str]] = []
    fields: dict[str, Bound] = {}
    for _, bound in real:
        kind = bound.schema if isinstance(bound.schema, str) else bound.schema["type"]
        full = kind if kind not in _PYTHON else ""
        if not isinstance(bound.schema, str) and "name" in bound.schema:
            full = bound.schema["name"]
        name = full.rpartition(".")[2] if full else kind
        name = full.replace(".", "_") if name in fields else name
        if name in fields:
            raise _unsupported("has a union of types of one name")
        fields[name] = bound
        if full:
            by_name[full] = name
        else:
            plain.append((_PYTHON[kind], name))

    def convert(value: Any) -> dict[str, Any]:
        if isinstance(value, tuple):
            name, inner = by_name[value[0]], value[1]
        else:
            inner = value
            name = next(n for kinds, n in plain if type(value) in kinds)
        made = fields[name].convert
        return {name: inner if made is None else _some(made, inner)}

    return Bound(pa.struct([(n, b.kind) for n, b in fields.items()]), convert, own)
