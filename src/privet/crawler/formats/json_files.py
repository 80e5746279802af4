"""Looks at files of JSON lines: types from a sample, wide enough for every value in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa
import pyarrow.types as pat

from privet.crawler.heads import Head, Text, decode
from privet.crawler.shapes import Field, Shape, check_names
from privet.model.datasets import Format
from privet.model.errors import SourceInvalid
from privet.scan.formats import NoJson, Number, Twice, objects

_EXACT = 2**53
"""Beyond it a double loses digits."""
_KEYS = 256
"""Names in an object that are more than fields: they are values themselves."""
_DEPTH = 16
_LONG = 64
"""Characters of a number that is looked at; a longer one is text."""
_HINT = "write one object a line, and no line break inside it"


def looks_like_json(head: Head) -> bool:
    """Whether a text begins with a line that is a JSON object."""
    first, *_ = head.data.removeprefix(b"\xef\xbb\xbf").lstrip().split(b"\n", 1)
    if not first.startswith(b"{"):
        return False
    try:
        return bool(list(objects(first.decode("utf-8", errors="replace"))))
    except NoJson:
        return False


def look_at_json(head: Head, uri: str, like: Shape | None = None) -> Shape:
    """The fields of the objects in the first lines; with `like`, those of both.

    Raises:
        SourceInvalid: it cannot be registered; the message says why.
    """
    text = decode(head, uri)
    found, rows = _Seen(), 0
    for row in rows_of(text):
        found.add(row)
        rows += 1
    if not rows:
        raise SourceInvalid("holds no objects", hint=_HINT)
    fields = tuple(Field(name, each.kind()) for name, each in found.fields.items())
    check_names([each.name for each in fields])
    options = {"encoding": text.encoding, "compression": head.compression}
    shape = Shape(Format.JSON, fields, options, (text.note,) if text.note else (), text.plain)
    if like is None and not fields:
        raise SourceInvalid("has no columns")
    return shape if like is None else _join(like, shape)


def rows_of(text: Text) -> Iterable[Mapping[str, Any]]:
    """The objects of whole lines.

    Raises:
        SourceInvalid: a line is something else, or an object has a name twice.
    """
    for number, line in enumerate(text.text.splitlines(), 1):
        try:
            found = list(objects(line))
        except NoJson as error:
            raise SourceInvalid(f"line {number} is no JSON object", hint=_HINT) from error
        for row in found:
            if isinstance(row, Twice):
                raise SourceInvalid(f"line {number} has a field twice")
            yield row


@dataclass(slots=True)
class _Seen:
    """What the values of one place were so far: kinds, fields of objects, items of lists."""

    kinds: set[str] = field(default_factory=set[str])
    fields: dict[str, _Seen] = field(default_factory=dict[str, "_Seen"])
    item: _Seen | None = None
    depth: int = 0

    def add(self, value: Any) -> None:
        match value:
            case None:
                return
            case bool():
                self.kinds.add("bool")
            case Number():
                self.kinds.add(_number(value))
            case dict() if self.depth < _DEPTH and not isinstance(value, Twice):
                self.kinds.add("object")
                self._add_fields(value)
            case list() if self.depth < _DEPTH:
                self.kinds.add("list")
                self.item = self.item or _Seen(depth=self.depth + 1)
                for each in value:
                    self.item.add(each)
            case _:
                self.kinds.add("text")

    def _add_fields(self, found: Mapping[str, Any]) -> None:
        for name, value in found.items():
            inner = self.fields.get(name)
            if inner is None:
                inner = self.fields[name] = _Seen(depth=self.depth + 1)
            inner.add(value)

    def kind(self) -> pa.DataType:
        """The narrowest type that holds all of it; text where nothing else does."""
        if not self.kinds:
            return pa.null()
        if self.kinds == {"bool"}:
            return pa.bool_()
        if self.kinds <= {"int", "exact"}:
            return pa.int64()
        if self.kinds <= {"exact", "float"}:
            return pa.float64()
        if self.kinds == {"list"} and self.item is not None:
            return pa.list_(self.item.kind())
        if self.kinds == {"object"} and self.fields:
            return self._object()
        return pa.string()

    def _object(self) -> pa.DataType:
        kinds = {name: each.kind() for name, each in self.fields.items()}
        if len(kinds) <= _KEYS and not any("\0" in name for name in kinds):
            return pa.struct(list(kinds.items()))
        together = pa.null()
        for kind in kinds.values():
            together = widen(together, kind)
        return pa.map_(pa.string(), together)


def _number(text: str) -> str:
    """`exact`: an integer that a double holds too; `int`: one of 64 bits; `float`; or `text`."""
    if len(text) > _LONG:
        return "text"
    if text.lstrip("-").isdigit():
        value = int(text)
        if abs(value) <= _EXACT:
            return "exact"
        return "int" if -(2**63) <= value < 2**63 else "text"
    return "float"


def widen(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    """The type for values that look different in two places; text where nothing else holds both."""
    if one == other or pat.is_null(other):
        return one
    if pat.is_null(one):
        return other
    if {one, other} == {pa.int64(), pa.float64()}:
        return pa.float64()
    if pat.is_list(one) and pat.is_list(other):
        return pa.list_(widen(one.value_type, other.value_type))
    if pat.is_map(one) and pat.is_map(other):
        return pa.map_(pa.string(), widen(one.item_type, other.item_type))
    if pat.is_struct(one) and pat.is_struct(other):
        return pa.struct(_side_by_side(dict(_inside(one)), dict(_inside(other))))
    return pa.string()


def _inside(kind: pa.StructType) -> Iterable[tuple[str, pa.DataType]]:
    return ((f.name, f.type) for f in kind)


def _side_by_side(
    one: Mapping[str, pa.DataType], other: Mapping[str, pa.DataType]
) -> list[tuple[str, pa.DataType]]:
    names = dict.fromkeys((*one, *other))
    return [(n, widen(one.get(n, pa.null()), other.get(n, pa.null()))) for n in names]


def _join(first: Shape, other: Shape) -> Shape:
    """What two files of a folder are together: what one lacks is NULL there."""
    if first.options["compression"] != other.options["compression"]:
        raise SourceInvalid("conflicting compression: some files of the folder are compressed")
    if first.options["encoding"] != other.options["encoding"] and not other.plain:
        if not first.plain:
            raise SourceInvalid(
                "conflicting encodings", hint="write all files of a folder in utf-8"
            )
        first = replace(first, options={**first.options, "encoding": other.options["encoding"]})
    both = _side_by_side(*({f.name: f.kind for f in each.fields} for each in (first, other)))
    fields = tuple(Field(name, kind) for name, kind in both)
    return replace(first, fields=fields, plain=first.plain and other.plain)


def settle_json(shape: Shape) -> Shape:
    """What had no value anywhere is text."""
    return replace(shape, fields=tuple(replace(f, kind=_settled(f.kind)) for f in shape.fields))


def _settled(kind: pa.DataType) -> pa.DataType:
    if pat.is_null(kind):
        return pa.string()
    if pat.is_list(kind):
        return pa.list_(_settled(kind.value_type))
    if pat.is_map(kind):
        return pa.map_(kind.key_type, _settled(kind.item_type))
    if pat.is_struct(kind):
        return pa.struct([(name, _settled(inner)) for name, inner in _inside(kind)])
    return kind
