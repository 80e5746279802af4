"""Column types: their words in statements, and the Arrow types that they mean."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pyarrow as pa
import pyarrow.types as pat
from lark import Token

from privet.model.datasets import parse_type, plain_type
from privet.model.errors import InvalidRequest, ParseFailed
from privet.model.names import FieldPath, TagName
from privet.policy.functions import near
from privet.policy.language.definitions import TagAt
from privet.policy.language.expressions import read_text
from privet.policy.language.nodes import branches, part, tag, tokens
from privet.policy.language.syntax import Branch, position_of

_WORDS: Mapping[str, pa.DataType] = {
    "boolean": pa.bool_(),
    "tinyint": pa.int8(),
    "smallint": pa.int16(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "string": pa.string(),
    "binary": pa.binary(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
}
_ALIASES = {"integer": "int", "real": "float", "bool": "boolean"}
_OF_LENGTH = ("varchar", "char")
_SPELLED = {kind: word for word, kind in _WORDS.items()}
_DIGITS, _WIDE_DIGITS = 38, 76
_PLAIN_DECIMAL = (10, 0)
_DEEPEST = 16
_LONGEST_NAME = 128
_LONGEST_TEXT = 65_535


def read_type(tree: Branch, path: FieldPath) -> tuple[pa.DataType, bool, tuple[TagAt, ...]]:
    """The type of a column, whether it is meant to the letter, and the tags on fields inside it.

    Args:
        tree: of the type.
        path: of the column.

    Raises:
        ParseFailed: there is no such type, with the position.
    """
    kind, tags = _read(tree, path, 0)
    word = tokens(tree)[0].lower() if tree.data == "scalar_type" else ""
    loose = word in {"string", "timestamp", *_OF_LENGTH}
    return kind, not loose, tags


def type_sql(kind: pa.DataType, tags: Collection[tuple[FieldPath, TagName]] = ()) -> str:
    """A type as a statement has it; one that SQL has no word for stands in quotes.

    Args:
        kind: the type.
        tags: those on fields inside it, by their path from there.
    """
    kind = plain_type(kind)
    if pat.is_struct(kind):
        fields = (_field_sql(kind.field(i), tags) for i in range(kind.num_fields))
        return f"struct<{','.join(fields)}>"
    if pat.is_list(kind):
        return f"array<{type_sql(kind.value_type, tags)}>"
    if pat.is_map(kind):
        return f"map<{type_sql(kind.key_type)},{type_sql(kind.item_type)}>"
    if pat.is_decimal(kind) and 0 <= kind.scale <= kind.precision:
        return f"decimal({kind.precision},{kind.scale})"
    return _SPELLED.get(kind) or f"'{kind}'"


def _field_sql(field: pa.Field, tags: Collection[tuple[FieldPath, TagName]]) -> str:
    below = [(path[1:], tag) for path, tag in tags if path[:1] == (field.name.lower(),)]
    own = " ".join(str(tag) for path, tag in below if not path)
    written = f"`{field.name}`:{type_sql(field.type, [(p, t) for p, t in below if p])}"
    return f"{written} ATTRIBUTE {own}" if own else written


def _read(tree: Branch, path: FieldPath, depth: int) -> tuple[pa.DataType, tuple[TagAt, ...]]:
    if depth > _DEEPEST:
        raise ParseFailed(
            f"a type nests deeper than {_DEEPEST} levels",
            hint="keep what is deeper as text",
            position=position_of(tree),
        )
    match tree.data:
        case "scalar_type":
            return _scalar(tokens(tree)), ()
        case "quoted_type":
            return _quoted(tokens(tree)[0]), ()
        case "array_type":
            kind, tags = _read(branches(tree)[0], path, depth + 1)
            return pa.list_(kind), tags
        case "map_type":
            key, value = (_read(b, path, depth + 1) for b in branches(tree))
            if tagged := (*key[1], *value[1]):
                raise ParseFailed(
                    "fields inside a map cannot be tagged",
                    hint="tag the column instead",
                    position=tagged[0].at,
                )
            return pa.map_(key[0], value[0]), ()
        case _:
            return _struct(tree, path, depth)


def _struct(tree: Branch, path: FieldPath, depth: int) -> tuple[pa.DataType, tuple[TagAt, ...]]:
    fields: list[pa.Field] = []
    tags: list[TagAt] = []
    seen: set[str] = set()
    for item in branches(tree):
        name = field_name(tokens(item)[0])
        if name.lower() in seen:
            raise ParseFailed(
                f"two fields are called `{name[:64]}`", position=position_of(tokens(item)[0])
            )
        seen.add(name.lower())
        inside = (*path, name.lower())
        kind, below = _read(branches(item)[0], inside, depth + 1)
        if tagged := part(item, "tagged"):
            tags += [TagAt(tag(t), inside, position_of(t)) for t in branches(tagged)]
        tags += below
        fields.append(pa.field(name, kind))
    return pa.struct(fields), tuple(tags)


def field_name(token: Token) -> str:
    """The name of a field as the source has it: it is not folded, so it may be any in quotes.

    Raises:
        ParseFailed: fields cannot have it.
    """
    name = str(token[1:-1]) if token.type == "QUOTED" else str(token)
    if not name.strip() or not name.isprintable() or len(name) > _LONGEST_NAME:
        raise ParseFailed(
            "a field needs a printable name of at most 128 characters", position=position_of(token)
        )
    return name


def _quoted(token: Token) -> pa.DataType:
    try:
        return parse_type(read_text(token))
    except InvalidRequest as error:
        raise ParseFailed(error.message, hint=error.hint, position=position_of(token)) from None


def _scalar(written: list[Token]) -> pa.DataType:
    token, *numbers = written
    word = _ALIASES.get(token.lower(), token.lower())
    if word == "decimal":
        return _decimal(token, numbers)
    if word in _OF_LENGTH:
        _check_length(token, numbers)
        return pa.string()
    if word not in _WORDS:
        known = (*_WORDS, *_OF_LENGTH, "decimal", "struct", "array", "map")
        raise ParseFailed(
            f"unknown type `{str(token)[:64]}`",
            hint=near(word[:64], known) or f"one of {', '.join(known)}",
            position=position_of(token),
        )
    if numbers:
        raise ParseFailed(f"`{word}` takes no length", position=position_of(numbers[0]))
    return _WORDS[word]


def _check_length(token: Token, numbers: list[Token]) -> None:
    lengths = [_whole(number) for number in numbers]
    if len(lengths) > 1 or not all(1 <= length <= _LONGEST_TEXT for length in lengths):
        raise ParseFailed(
            f"`{token.lower()}` takes one length, from 1 to {_LONGEST_TEXT}",
            hint="write varchar(20)",
            position=position_of(token),
        )


def _decimal(token: Token, numbers: list[Token]) -> pa.DataType:
    precision, scale = (*map(_whole, numbers), *_PLAIN_DECIMAL[len(numbers) :])[:2]
    fits = 1 <= precision <= _WIDE_DIGITS and 0 <= scale <= precision
    if len(numbers) > len(_PLAIN_DECIMAL) or not fits:
        raise ParseFailed(
            f"`decimal` takes a number of digits, at most {_WIDE_DIGITS}, and how many of them "
            "come after the point",
            hint="write decimal(10,2)",
            position=position_of(token),
        )
    wide = precision > _DIGITS
    return pa.decimal256(precision, scale) if wide else pa.decimal128(precision, scale)


def _whole(token: Token) -> int:
    """A small whole number, or one that fits nowhere."""
    return int(token) if token.isdecimal() and len(token) <= len(str(_LONGEST_TEXT)) else -1
