"""JSON values to Arrow, one by one: what Arrow's own reader of JSON cannot.

It says what a value is in a column of a type; Arrow's reader is faster where it says the same. A
column of text holds any value: text as it is, and everything else as it is written in JSON.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from json.encoder import encode_basestring
from typing import Any

import pyarrow as pa
import pyarrow.types as pat

Convert = Callable[[Any], Any]


class NoJson(Exception):
    """Text that is no JSON object."""


class Misfit(Exception):
    """A value that is none of its column's type, with the place of the column."""

    def __init__(self, place: int) -> None:
        super().__init__()
        self.place = place


class Number(str):
    """A number as it is written."""

    __slots__ = ()


class Twice(dict[str, Any]):
    """An object that has a name twice: nobody can say what it is meant to hold there."""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else Twice(found)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_float=Number, parse_int=Number, parse_constant=Number
)


def objects(text: str) -> Iterator[dict[str, Any]]:
    """The objects that follow each other in a text; their numbers are not yet numbers.

    Raises:
        NoJson: something else is between them, or it ends within one.
    """
    at, end = _blank(text, 0), len(text)
    while at < end:
        try:
            found, at = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            raise NoJson from error
        if not isinstance(found, dict):
            raise NoJson
        yield found
        at = _blank(text, at)


def _blank(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def as_text(value: Any) -> str:
    """A value as JSON writes it, without blanks; its numbers as they were written."""
    match value:
        case Number():
            return str(value)
        case str():
            return encode_basestring(value)
        case bool():
            return "true" if value else "false"
        case list():
            return f"[{','.join(map(as_text, value))}]"
        case dict():
            return (
                f"{{{','.join(f'{encode_basestring(k)}:{as_text(v)}' for k, v in value.items())}}}"
            )
        case _:
            return "null"


def read_objects(
    found: Sequence[Mapping[str, Any]], schema: Sequence[tuple[str, pa.DataType]]
) -> list[pa.Array]:
    """Columns of objects; what an object does not have is NULL.

    Args:
        found: from `objects`.
        schema: names in the objects, and plain types.

    Raises:
        Misfit: a value is none of its column's type.
    """
    return [_column(found, place, *wanted) for place, wanted in enumerate(schema)]


def _column(
    found: Sequence[Mapping[str, Any]], place: int, name: str, kind: pa.DataType
) -> pa.Array:
    convert = _converter(kind)
    try:
        return pa.array([_field(each, name, convert) for each in found], kind)
    except (
        pa.ArrowException, TypeError, ValueError, OverflowError, InvalidOperation, RecursionError
    ) as error:  # fmt: skip
        raise Misfit(place) from error


def _field(found: Mapping[str, Any], name: str, convert: Convert) -> Any:
    value = found.get(name)
    if isinstance(found, Twice):
        raise TypeError
    return None if value is None else convert(value)


def _converter(kind: pa.DataType) -> Convert:
    """What makes of a value that is not NULL what Arrow takes for one of a type.

    It raises TypeError or ValueError for what is none.
    """
    if pat.is_string(kind):
        return lambda value: as_text(value) if not _is_text(value) else value
    if pat.is_struct(kind):
        return _struct(kind)
    if pat.is_map(kind):
        return _map(kind)
    if pat.is_list(kind):
        item = _converter(kind.value_type)
        return lambda value: [None if v is None else item(v) for v in _of(value, list)]
    if pat.is_boolean(kind):
        return lambda value: _of(value, bool)
    return _scalar(kind)


def _scalar(kind: pa.DataType) -> Convert:
    if pat.is_integer(kind):
        return lambda value: int(_of(value, Number))
    if pat.is_floating(kind):
        return lambda value: float(_of(value, Number))
    if pat.is_decimal(kind):
        return lambda value: Decimal(_of(value, str))
    if pat.is_binary(kind):
        return lambda value: _of(value, str).encode() if _is_text(value) else _none(value)
    if pat.is_temporal(kind):
        return lambda value: (
            pa.scalar(value, pa.string()).cast(kind) if _is_text(value) else _none(value)
        )
    return _none


def _struct(kind: pa.DataType) -> Convert:
    fields = [(f.name, _converter(f.type)) for f in kind]

    def convert(value: Any) -> dict[str, Any]:
        found = _of(value, dict)
        return {name: _field(found, name, each) for name, each in fields}

    return convert


def _map(kind: pa.DataType) -> Convert:
    item = _converter(kind.item_type)
    key: Convert = (
        (lambda text: text) if pat.is_string(kind.key_type) else _converter(kind.key_type)
    )
    plain = pat.is_integer(kind.key_type) or pat.is_floating(kind.key_type)

    def convert(value: Any) -> list[tuple[Any, Any]]:
        found = _of(value, dict)
        if isinstance(found, Twice):
            raise TypeError
        return [
            (key(Number(k) if plain else k), None if v is None else item(v))
            for k, v in found.items()
        ]

    return convert


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and not isinstance(value, Number)


def _of(value: Any, kind: type) -> Any:
    return value if isinstance(value, kind) else _none(value)


def _none(value: Any) -> Any:
    raise TypeError(type(value))
