"""The types of SQL: their names for Arrow's, and what ODBC and JDBC ask about them."""

from __future__ import annotations

from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.types as pat

_NULLABLE = 1
_SEARCHABLE_BY_ANY = 3
_SEARCHABLE_BUT_LIKE = 2
_DATETIME = 9


class _Type(NamedTuple):
    """`code` is of ODBC and JDBC; `size` counts digits, bits (`radix` 2) or characters."""

    name: str
    code: int
    size: int | None = None
    radix: int | None = None
    unsigned: bool | None = None
    quote: str | None = None
    prefix: str = ""
    scales: tuple[int, int] | None = None
    parameters: tuple[str, ...] = ()
    moment: int | None = None


def _whole(name: str, code: int, digits: int, *, unsigned: bool = False) -> _Type:
    return _Type(name, code, digits, 10, unsigned, scales=(0, 0))


# By code, then by name, as the protocol wants them.
_TYPES = (
    _Type("BOOLEAN", -7, 1),
    _whole("TINYINT", -6, 3),
    _whole("UTINYINT", -6, 3, unsigned=True),
    _whole("BIGINT", -5, 19),
    _whole("UBIGINT", -5, 20, unsigned=True),
    _Type("BLOB", -3, quote="'", parameters=()),
    _Type("DECIMAL", 3, 38, 10, False, scales=(0, 38), parameters=("precision", "scale")),
    _whole("INTEGER", 4, 10),
    _whole("UINTEGER", 4, 10, unsigned=True),
    _whole("SMALLINT", 5, 5),
    _whole("USMALLINT", 5, 5, unsigned=True),
    _Type("FLOAT", 7, 24, 2, False),
    _Type("DOUBLE", 8, 53, 2, False),
    _Type("VARCHAR", 12, quote="'"),
    _Type("DATE", 91, 10, quote="'", prefix="DATE ", moment=1),
    _Type("TIME", 92, 15, quote="'", prefix="TIME ", moment=2),
    _Type("TIMESTAMP", 93, 26, quote="'", prefix="TIMESTAMP ", moment=3),
    _Type("TIMESTAMP WITH TIME ZONE", 93, 32, quote="'", prefix="TIMESTAMPTZ ", moment=5),
)

TYPE_INFO = pa.schema(
    [
        pa.field("type_name", pa.string(), nullable=False),
        pa.field("data_type", pa.int32(), nullable=False),
        pa.field("column_size", pa.int32()),
        pa.field("literal_prefix", pa.string()),
        pa.field("literal_suffix", pa.string()),
        pa.field("create_params", pa.list_(pa.field("item", pa.string(), nullable=False))),
        pa.field("nullable", pa.int32(), nullable=False),
        pa.field("case_sensitive", pa.bool_(), nullable=False),
        pa.field("searchable", pa.int32(), nullable=False),
        pa.field("unsigned_attribute", pa.bool_()),
        pa.field("fixed_prec_scale", pa.bool_(), nullable=False),
        pa.field("auto_increment", pa.bool_()),
        pa.field("local_type_name", pa.string()),
        pa.field("minimum_scale", pa.int32()),
        pa.field("maximum_scale", pa.int32()),
        pa.field("sql_data_type", pa.int32(), nullable=False),
        pa.field("datetime_subcode", pa.int32()),
        pa.field("num_prec_radix", pa.int32()),
        pa.field("interval_precision", pa.int32()),
    ]
)


def type_info(code: int | None) -> list[dict[str, Any]]:
    """The types, or those of one code."""
    return [_row(kind) for kind in _TYPES if code in (None, kind.code)]


def _row(kind: _Type) -> dict[str, Any]:
    text = kind.name == "VARCHAR"
    lowest, highest = kind.scales or (None, None)
    return {
        "type_name": kind.name,
        "data_type": kind.code,
        "column_size": kind.size,
        "literal_prefix": kind.quote and kind.prefix + kind.quote,
        "literal_suffix": kind.quote,
        "create_params": list(kind.parameters) or None,
        "nullable": _NULLABLE,
        "case_sensitive": text,
        "searchable": _SEARCHABLE_BY_ANY if text else _SEARCHABLE_BUT_LIKE,
        "unsigned_attribute": kind.unsigned,
        "fixed_prec_scale": False,
        "auto_increment": None if kind.unsigned is None else False,
        "local_type_name": kind.name,
        "minimum_scale": lowest,
        "maximum_scale": highest,
        "sql_data_type": kind.code if kind.moment is None else _DATETIME,
        "datetime_subcode": kind.moment,
        "num_prec_radix": kind.radix,
    }


_NAMES: dict[pa.DataType, str] = {
    pa.null(): '"NULL"',
    pa.bool_(): "BOOLEAN",
    pa.int8(): "TINYINT",
    pa.int16(): "SMALLINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.uint8(): "UTINYINT",
    pa.uint16(): "USMALLINT",
    pa.uint32(): "UINTEGER",
    pa.uint64(): "UBIGINT",
    pa.float16(): "FLOAT",
    pa.float32(): "FLOAT",
    pa.float64(): "DOUBLE",
    pa.string(): "VARCHAR",
    pa.date32(): "DATE",
    pa.date64(): "DATE",
}


def type_name(kind: pa.DataType) -> str:
    """What SQL calls a plain Arrow type."""
    if kind in _NAMES:
        return _NAMES[kind]
    if pat.is_timestamp(kind):
        return "TIMESTAMP WITH TIME ZONE" if kind.tz else "TIMESTAMP"
    if pat.is_decimal(kind):
        return f"DECIMAL({kind.precision},{kind.scale})"
    if pat.is_list(kind):
        return f"{type_name(kind.value_type)}[]"
    if pat.is_map(kind):
        return f"MAP({type_name(kind.key_type)}, {type_name(kind.item_type)})"
    if pat.is_struct(kind):
        fields = (kind.field(i) for i in range(kind.num_fields))
        return f"STRUCT({', '.join(f'{_quoted(f.name)} {type_name(f.type)}' for f in fields)})"
    if pat.is_time(kind):
        return "TIME"
    return "INTERVAL" if pat.is_duration(kind) else "BLOB"


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'
