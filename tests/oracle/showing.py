"""How a cell is shown: the transforms, their order of protectiveness, and the keys of tokens.

What a mask, a zero and NULL are is written out here from docs/reference/transforms.md. Tokens are
proved elsewhere, against vectors; here the kernel is called for one cell at a time.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import time
from decimal import Decimal

import pyarrow as pa
import pyarrow.types as pat
from cells import Cell, Day, Moment, Opaque, cells_of, identity, to_array
from kinds import kind_of_type

from privet.model.datasets import CanonicalType, Column, Dataset
from privet.model.expressions import Call, ColumnSlot, HasTag, TagAnd, TagExpr, TagNot, TagOr
from privet.model.names import TagName
from privet.model.permissions import TransformClause
from privet.privacy import Derive, Kernel, KeyScope, bind

Scope = tuple[str, int, CanonicalType, str, tuple[str, str] | None]
SHARED = frozenset({"tokenize", "nfp_ref_tokenize"})
PER_TABLE = frozenset({"tokenize_no_ref", "nfp_noref_tokenize"})
KEYED = SHARED | PER_TABLE | {"sha2"}
_RANKS = {"sha2": 3, "mask": 4, "zero": 5, "null": 6}


@dataclass(frozen=True)
class Way:
    """One way to show a column: in clear if `call` is None.

    `domain` is that of a keyed transform; `admitted` if the dataset is in it, so that equal values
    can have equal tokens beyond the dataset.
    """

    call: Call | None
    domain: str = ""
    admitted: bool = False
    fields: frozenset[tuple[str, ...]] = frozenset()
    """All that is shown of it, if there are any; each by its path within the column."""

    def protectiveness(self) -> tuple[float, str, str]:
        """Rule 7: clear, some fields, shared tokens, the dataset's own, digests, mask, zero, NULL.

        A nested transform is as protective as the most protective of its parts.
        """
        if self.call is None:
            return (0.5 if self.fields else 0), "", ""
        return max(map(self._rank, steps_of(self.call))), printed(self.call), self.domain

    @property
    def keyed(self) -> bool:
        """Whether it makes tokens or digests."""
        return self.call is not None and any(c.function in KEYED for c in steps_of(self.call))

    def _rank(self, step: Call) -> int:
        if step.function in SHARED:
            return 1 if self.admitted else 2
        return 2 if step.function in PER_TABLE else _RANKS[step.function]


CLEAR = Way(None)


def steps_of(call: Call) -> list[Call]:
    """The transforms of a nested one, innermost first, each as if it stood alone."""
    inner, *extra = call.arguments
    alone = Call(call.function, (ColumnSlot(), *extra))
    return [*steps_of(inner), alone] if isinstance(inner, Call) else [alone]


def printed(call: Call) -> str:
    """A transform as a statement writes it; a lone `__COLUMN__` goes without saying."""
    inner, *extra = call.arguments
    words = [str(a.value) for a in extra]
    if isinstance(inner, Call):
        words = [printed(inner), *words]
    elif words:
        words = ["__COLUMN__", *words]
    return f"{call.function}({', '.join(words)})"


def way_of(clause: TransformClause, held: frozenset[TagName], dataset: Dataset) -> Way:
    """How a clause shows a column that bears these tags.

    The token domain is named by the first tag, by name, that the clause asks for and the column
    bears; where it asks for none, by the first that the column bears.
    """
    plain = Way(clause.call)
    if not plain.keyed:
        return plain
    domain = str(min(set(asked_for(clause.tags)) & held or held, default=""))
    return Way(clause.call, domain, domain in dataset.domains)


def asked_for(tags: TagExpr, wanted: bool = True) -> list[TagName]:
    """The tags that a tag expression asks for, rather than asks to be absent."""
    match tags:
        case HasTag(tag):
            return [tag] if wanted else []
        case TagNot(part):
            return asked_for(part, not wanted)
        case TagAnd(parts) | TagOr(parts):
            return [tag for part in parts for tag in asked_for(part, wanted)]
    raise AssertionError(tags)


def fits(way: Way, column: Column, dataset: Dataset) -> bool:
    """Whether a transform can be applied to a column; all parts of a nested one have to fit."""
    steps = [] if way.call is None else steps_of(way.call)
    return all(_fits(step.function, way.domain, column, dataset) for step in steps)


def _fits(name: str, domain: str, column: Column, dataset: Dataset) -> bool:
    kind = kind_of_type(column.type)
    single = kind != "other" or pat.is_binary(column.type) or pat.is_time(column.type)
    found = dataset.domains.get(domain) if name in KEYED else None
    if found is not None and found.canonical is CanonicalType.TEXT and kind == "integer":
        return False
    return name == "null" or (single and not (name in KEYED and kind == "boolean"))


def leaves_as(kind: pa.DataType) -> pa.DataType:
    """The type in which a column leaves: text in its plain encoding, all else as it is."""
    return pa.string() if kind_of_type(kind) == "text" else kind


def left_of(kind: pa.DataType, fields: frozenset[tuple[str, ...]]) -> pa.DataType:
    """The type of a column of which only some fields are shown."""
    if () in fields:
        return kind
    if pat.is_list(kind):
        return pa.list_(left_of(kind.value_type, fields))
    return pa.struct(
        [
            (f.name, left_of(f.type, within(fields, f.name)))
            for f in map(kind.field, range(kind.num_fields))
            if within(fields, f.name)
        ]
    )


def within(fields: frozenset[tuple[str, ...]], name: str) -> frozenset[tuple[str, ...]]:
    """The paths that go on from a field, from there."""
    return frozenset(path[1:] for path in fields if path and path[0] == name.lower())


def in_part(value: object, kind: pa.DataType, fields: frozenset[tuple[str, ...]]) -> object:
    """A value with some fields, as the type has it that is left; NULL for all others."""
    if () in fields or value is None:
        return value
    if isinstance(value, list):
        return [in_part(item, kind.value_type, fields) for item in value]
    if not fields:
        return None
    return {
        f.name: in_part(value[f.name], f.type, within(fields, f.name))
        if within(fields, f.name)
        else None
        for f in map(kind.field, range(kind.num_fields))
    }


@dataclass(frozen=True)
class Place:
    """Where a cell is: its column, its dataset, and whose own its tokens are, if anybody's."""

    column: Column
    dataset: Dataset
    reader: tuple[str, str] | None = None


def transformed(way: Way, place: Place, cell: Cell, keyed: Keyed) -> Cell:
    """A cell as a transform shows it: of a nested one, the innermost comes first."""
    assert way.call is not None
    for step in steps_of(way.call):
        cell = None if cell is None else _step(step, way.domain, place, cell, keyed)
    return cell


def _step(call: Call, tag: str, place: Place, cell: Cell, keyed: Keyed) -> Cell:
    if call.function == "null":
        return None
    if call.function == "zero":
        return zero(cell)
    if call.function == "mask":
        bounds = [a.value for a in call.arguments[1:]]
        return masked(cell, *bounds) if isinstance(cell, str) else zero(cell)
    kind, dataset = leaves_as(place.column.type), place.dataset
    domain = dataset.domains.get(tag)
    guess = CanonicalType.TEXT if kind == pa.string() else CanonicalType.INT64
    scope = (
        tag,
        domain.version if domain else 1,
        domain.canonical if domain else guess,
        dataset.id if domain is None or call.function in PER_TABLE else "",
        place.reader,
    )
    return keyed(call, kind, scope, cell)


def masked(text: str, start: int = 0, length: int | None = None) -> str:
    """Letters, numbers and marks as X, from `start`, at most `length` code points of them."""
    stop = len(text) if length is None else start + length
    return "".join(
        "X" if start <= place < stop and unicodedata.category(sign)[0] in "LNM" else sign
        for place, sign in enumerate(text)
    )


def zero(cell: Cell) -> Cell:
    """The empty text, 0, false, the epoch."""
    if isinstance(cell, Opaque):
        return Opaque("b''" if cell.said.startswith("b") else repr(time(0)))
    if isinstance(cell, Decimal):
        return Decimal((0, (0,), cell.as_tuple().exponent))
    zeroes = {bool: False, int: 0, float: 0.0, str: "", Day: Day(0), Moment: Moment(0)}
    return zeroes[type(cell)]


class Keyed:
    """Tokens and digests of single cells, each made once."""

    def __init__(self, derive: Derive) -> None:
        self._derive = derive
        self._kernels: dict[object, Kernel] = {}
        self._cells: dict[object, Cell] = {}

    def __call__(self, call: Call, kind: pa.DataType, scope: Scope, cell: Cell) -> Cell:
        """The cell's token."""
        key = (call.function, str(kind), scope)
        whole = (*key, identity(cell))
        if whole not in self._cells:
            if key not in self._kernels:
                self._kernels[key] = bind(call, kind, KeyScope(*scope), self._derive)
            made = self._kernels[key](to_array([cell], kind))
            self._cells[whole] = cells_of(made)[0]
        return self._cells[whole]
