"""Literals of SQL, by kind: cells that are seen, and values that trouble comparisons."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.types as pat

from twin.worlds import DAYS, FLOATS, MRNS, PRICES, TEXTS, TIMES, WHOLE

ODD_WHOLE = (*WHOLE[pa.int64()], *WHOLE[pa.uint64()], 128, -129, 2**31, 2**64, -(2**63) - 1)


def kind_of(kind: pa.DataType) -> str:
    """What can be done with a column."""
    for name, test in (
        ("int", pat.is_integer),
        ("float", pat.is_floating),
        ("dec", pat.is_decimal),
        ("text", pat.is_string),
        ("bool", pat.is_boolean),
        ("date", pat.is_date),
        ("time", pat.is_timestamp),
    ):
        if test(kind):
            return name
    return "other"


def literal(value: Any) -> str:
    """A value as SQL has it."""
    match value:
        case None:
            return "NULL"
        case bool():
            return str(value).upper()
        case int() | Decimal():
            return str(value)
        case float():
            return f"'{value}'::DOUBLE"
        case str():
            return "'" + value.replace("'", "''") + "'"
        case dt.datetime():
            zone = "TIMESTAMPTZ" if value.tzinfo else "TIMESTAMP"
            return f"{zone} '{value.isoformat(sep=' ')}'"
        case dt.date():
            return f"DATE '{value.isoformat()}'"
        case _:
            raise AssertionError(value)


def value_for(random: Random, kind: str, seen: list[Any]) -> Any:
    """A value that may stand beside a column: mostly one of its cells, sometimes an odd one."""
    known = [v for v in seen if v is not None]
    if known and random.random() < 0.75:
        return random.choice(known)
    odd: dict[str, tuple[Any, ...]] = {
        "int": ODD_WHOLE,
        "float": (*FLOATS, 1, 7),
        "dec": (*PRICES, 7, Decimal("1.500")),
        "text": (*TEXTS, *MRNS),
        "bool": (True, False),
        "date": DAYS,
        "time": TIMES,
    }
    return random.choice(odd[kind])
