"""Types: Arrow's for those of the protocol.

The protocol has fewer types than Arrow. What it lacks is widened (unsigned numbers) or written as
text (times); what fits nowhere is refused when a statement is planned.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat

from privet.model.datasets import plain_type
from privet.okera.errors import Unsupported
from privet.okera.idl import T

_MOST_DIGITS = 38
_IDS = {
    pa.bool_(): T.TTypeId.BOOLEAN,
    pa.int8(): T.TTypeId.TINYINT,
    pa.int16(): T.TTypeId.SMALLINT,
    pa.int32(): T.TTypeId.INT,
    pa.int64(): T.TTypeId.BIGINT,
    pa.float32(): T.TTypeId.FLOAT,
    pa.float64(): T.TTypeId.DOUBLE,
    pa.string(): T.TTypeId.STRING,
    # The published client refuses BINARY, and has the bytes of texts as they are.
    pa.binary(): T.TTypeId.STRING,
    pa.date32(): T.TTypeId.DATE,
}
_WIDENED = {
    pa.uint8(): pa.int16(),
    pa.uint16(): pa.int32(),
    pa.uint32(): pa.int64(),
    pa.uint64(): pa.decimal128(20, 0),
    pa.float16(): pa.float32(),
    pa.date64(): pa.date32(),
    pa.null(): pa.string(),
}


def schema_of(schema: pa.Schema) -> Any:
    """A schema as the protocol's `TSchema`.

    Raises:
        Unsupported: a column of a type that the protocol cannot carry.
    """
    columns = [
        described for field in schema for described in _preorder(field.name, wire_type(field.type))
    ]
    nested = columns if has_nested(schema) else None
    return T.TSchema(cols=columns, is_count_star=False, nested_cols=nested)


def has_nested(schema: pa.Schema) -> bool:
    """Whether a column holds lists, maps or structs."""
    return any(pat.is_nested(field.type) for field in schema)


def in_wire_types(batch: pa.RecordBatch) -> list[pa.Array]:
    """The columns of a batch, each in a type that the protocol has."""
    return [_in_type(column, wire_type(column.type)) for column in batch.columns]


def _in_type(column: pa.Array, kind: pa.DataType) -> pa.Array:
    if column.type == kind:
        return column
    # Safe but for the hours that a date64 should not have.
    return pc.cast(column, kind, safe=not pat.is_date64(column.type))


def wire_type(kind: pa.DataType) -> pa.DataType:
    """The type in which a column travels.

    Raises:
        Unsupported: none.
    """
    return plain_type(kind, _wire_leaf)


def _wire_leaf(kind: pa.DataType) -> pa.DataType:
    if kind in _IDS or pat.is_timestamp(kind):
        return kind
    if kind in _WIDENED:
        return _WIDENED[kind]
    if pat.is_time(kind):
        return pa.string()
    if pat.is_fixed_size_binary(kind):
        return pa.binary()
    if pat.is_decimal(kind):
        digits, scale = max(kind.precision, kind.scale), kind.scale
        if scale >= 0 and digits <= _MOST_DIGITS:
            return pa.decimal128(digits, scale)
    raise Unsupported(
        f"this protocol has no type for `{kind}`", hint="cast the column, for instance to string"
    )


def _preorder(name: str, kind: pa.DataType) -> Iterator[Any]:
    """A column, and after it those within it, as the protocol lists them."""
    described, within = _described(kind)
    yield T.TColumnDesc(name=name, type=described)
    for inner_name, inner in within:
        yield from _preorder(inner_name, inner)


def _described(kind: pa.DataType) -> tuple[Any, list[tuple[str, pa.DataType]]]:
    ids = T.TTypeId
    if pat.is_struct(kind):
        fields = [kind.field(i) for i in range(kind.num_fields)]
        if not fields:
            raise Unsupported("this protocol has no type for a struct without fields")
        described = T.TColumnType(type_id=ids.RECORD, num_children=len(fields))
        return described, [(field.name, field.type) for field in fields]
    if pat.is_list(kind):
        return T.TColumnType(type_id=ids.ARRAY, num_children=1), [("item", kind.value_type)]
    if pat.is_map(kind):
        within = [("key", kind.key_type), ("value", kind.item_type)]
        return T.TColumnType(type_id=ids.MAP, num_children=2), within
    if pat.is_decimal(kind):
        return T.TColumnType(type_id=ids.DECIMAL, precision=kind.precision, scale=kind.scale), []
    if pat.is_timestamp(kind):
        return T.TColumnType(type_id=ids.TIMESTAMP_NANOS), []
    return T.TColumnType(type_id=_IDS[kind]), []
