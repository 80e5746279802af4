"""What a table of PostgreSQL is made of, and in which types its columns are read.

Every value is read so that it means what it means there, or not at all: what Arrow has no type
for is the server's own text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.types as pat

from privet.model.datasets import plain_type

_PLAIN = {
    "bool": pa.bool_(),
    "int2": pa.int16(),
    "int4": pa.int32(),
    "int8": pa.int64(),
    "float4": pa.float32(),
    "float8": pa.float64(),
    "text": pa.string(),
    "varchar": pa.string(),
}
"""Those that arrive as they are, also in arrays."""
_GUARDED = {
    "bytea": pa.binary(),
    "date": pa.date32(),
    "time": pa.time64("us"),
    "timestamp": pa.timestamp("us"),
    "timestamptz": pa.timestamp("us", tz="UTC"),
}
_NUMERIC = re.compile(r"numeric\((\d+),(-?\d+)\)")
_MOST_DIGITS = 38


@dataclass(frozen=True, slots=True)
class ServerColumn:
    """A column of a table.

    Attributes:
        name: its own.
        base: the name of its type, or of what a domain is made of.
        spelled: the type as its server writes it, with its length or precision.
        element: of an array, the name of its elements' type.
        comment: what its server says of it.
    """

    name: str
    base: str
    spelled: str
    element: str = ""
    comment: str = ""

    @property
    def kind(self) -> pa.DataType:
        """The type in which it is read unless a steward says otherwise."""
        if self.element:
            return pa.list_(_PLAIN.get(self.element, pa.string()))
        if self.base in _PLAIN:
            return _PLAIN[self.base]
        if self.base in _GUARDED:
            return _GUARDED[self.base]
        if self.base == "oid":
            return pa.int64()
        return self._decimal() or pa.string()

    def _decimal(self) -> pa.DataType | None:
        match = _NUMERIC.fullmatch(self.spelled)
        if self.base != "numeric" or match is None:
            return None
        precision, scale = int(match[1]), int(match[2])
        fits = precision <= _MOST_DIGITS and 0 <= scale <= precision
        return pa.decimal128(precision, scale) if fits else None

    def reads_as(self, kind: pa.DataType) -> bool:
        """Whether it can be read as a type: its own, text, and numbers without a scale as others.

        A number that does not fit then ends the scan.
        """
        wanted = plain_type(kind)
        if wanted == self.kind or pat.is_string(wanted):
            return True
        return (self.base == "numeric" and self._decimal() is None) and (
            pat.is_decimal128(wanted) or pat.is_float64(wanted) or pat.is_int64(wanted)
        )

    def plain(self, kind: pa.DataType) -> bool:
        """Whether it arrives in that type without the server having to convert it."""
        return self.kind == plain_type(kind) and self.base in (*_PLAIN, *_GUARDED)


@dataclass(frozen=True, slots=True)
class TableShape:
    """What a table is made of.

    Attributes:
        columns: in its order.
        rows: about how many it has; -1 if that is unknown.
        comment: what its server says of it.
        computed: whether its rows are made as they are read: it is a view or a foreign table.
    """

    columns: tuple[ServerColumn, ...]
    rows: int = -1
    comment: str = ""
    computed: bool = False

    def find(self, name: str) -> ServerColumn | None:
        """The column of that name."""
        return next((c for c in self.columns if c.name == name), None)
