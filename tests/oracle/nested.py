"""Worlds of nested columns: grants and safeguards whose filters read fields and items."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pyarrow as pa
from pools import NOW
from world import World

from privet.model.datasets import Column, Dataset, FieldTag, Format, Source
from privet.model.expressions import (
    And,
    Arithmetic,
    ArithmeticOp,
    Call,
    Case,
    ColumnRef,
    ColumnSlot,
    Compare,
    CompareOp,
    Expr,
    FieldRef,
    In,
    IsNull,
    Like,
    Literal,
    Not,
    Or,
)
from privet.model.names import DatasetName, TagName
from privet.model.permissions import Effect, Permission, TransformClause, on_dataset
from privet.model.principals import Principal
from privet.policy import parse_tags

NAME = DatasetName("lake", "assets")
TAG = TagName("pii", "name")
_MARK = pa.struct([("Text", pa.string()), ("n", pa.int32())])
TYPES = {
    "t": pa.string(),
    "i": pa.int64(),
    "place": pa.struct(
        [
            ("Country", pa.string()),
            ("size", pa.int64()),
            ("deep", pa.struct([("open", pa.bool_()), ("name", pa.string())])),
            # Nobody can tell which of the two is meant.
            pa.field("twice", pa.string()),
            pa.field("TWICE", pa.string()),
        ]
    ),
    "parts": pa.list_(
        pa.struct([("code", pa.string()), ("Size", pa.int64()), ("marks", pa.list_(_MARK))])
    ),
    "grid": pa.list_(pa.list_(_MARK)),
    "others": pa.list_(pa.struct([("code", pa.string()), ("f", pa.float64())])),
}
NULLED = TransformClause(parse_tags(f"IN ({TAG})"), Call("null", (ColumnSlot(),)))
TEXTS = ("a", "b", "7", "", "\u00e9")
NUMBERS = (0, 1, 7, -3)
OF_TEXT = (
    *("t", "place.country", "place.deep.name", "parts.code", "parts.marks.text", "grid.text"),
    "others.code",
)
OF_NUMBERS = ("i", "place.size", "parts.size", "parts.marks.n", "grid.n", "others.f")
OF_ANYTHING = (
    *OF_TEXT,
    *OF_NUMBERS,
    *("place", "parts", "place.deep", "parts.marks", "place.deep.open", "grid"),
)
ODD = ("place.nowhere", "place.twice", "parts.code.x", "gone.x", "t.x", "parts.marks.nothing")


def world_of(seed: object) -> World:
    """The case of a seed."""
    return draw(Random(f"nested {seed}"))


def draw(random: Random) -> World:
    """A case."""
    names = random.sample(list(TYPES), random.choice((3, 4, 5, 6)))
    columns = tuple(_column(random, name) for name in names)
    dataset = Dataset("dataset-1", NAME, Source("file:///lake/assets", Format.PARQUET), columns)
    rows = random.choice((0, 1, 3, 6))
    cells = {n: pa.array([_cell(random, TYPES[n]) for _ in range(rows)], TYPES[n]) for n in names}
    few = [_truth(random, random.choice((0, 1, 1, 2))) for _ in range(2)]
    grants = [_grant(random, f"p{n}", names, few) for n in range(random.choice((1, 2, 3)))]
    guards = [_guard(random, f"s{n}", few) for n in range(random.choice((0, 0, 1, 2)))]
    reader = Principal("ada", frozenset({"g1"}), issuer="privet")
    roles = {"analyst": frozenset({("privet", "g1")})}
    return World(reader, dataset, pa.table(cells), (*grants, *guards), roles, NOW)


def _column(random: Random, name: str) -> Column:
    path = random.choice(((name,), (name, "inside")))
    tags = (FieldTag(path, TAG),) if random.random() < 0.3 else ()
    return Column(name, TYPES[name], name.upper(), reviewed=random.random() > 0.05, field_tags=tags)


def _cell(random: Random, kind: pa.DataType) -> object:
    if random.random() < 0.2:
        return None
    if pa.types.is_struct(kind):
        fields = [kind.field(i) for i in range(kind.num_fields)]
        return {f.name: _cell(random, f.type) for f in fields}
    if pa.types.is_list(kind):
        return [_cell(random, kind.value_type) for _ in range(random.choice((0, 1, 2, 3)))]
    if pa.types.is_boolean(kind):
        return random.random() < 0.5
    if pa.types.is_floating(kind):
        return random.choice((*NUMBERS, float("nan")))
    return random.choice(TEXTS if pa.types.is_string(kind) else NUMBERS)


def _grant(random: Random, identity: str, names: list[str], few: list[Expr]) -> Permission:
    columns = random.sample(names, random.choice((0, 0, 1, 2)))
    if random.random() < 0.5:
        inside = [path for path in (*OF_ANYTHING, *ODD) if path.partition(".")[0] in names]
        columns += random.sample(inside, min(len(inside), random.choice((1, 2, 3))))
    having = random.choice((None, None, None, parse_tags(f"NOT IN ({TAG})")))
    return Permission(
        on_dataset(NAME),
        "analyst",
        having=having,
        where=random.choice((None, *few, *few, *few)),
        transforms=random.choice(((), (), (), (NULLED,))),
        columns=tuple(sorted({*columns})),
        id=identity,
    )


def _guard(random: Random, identity: str, few: list[Expr]) -> Permission:
    lenient = {"missing_columns": "ignore"} if random.random() < 0.4 else {}
    return Permission(
        on_dataset(NAME),
        "analyst",
        Effect.RESTRICT,
        having=random.choice((None, None, parse_tags(f"IN ({TAG})"))),
        where=random.choice((*few, _truth(random, 1))),
        properties=lenient,
        id=identity,
    )


def _ref(name: str) -> Expr:
    return FieldRef(tuple(name.split("."))) if "." in name else ColumnRef(name)


def _truth(random: Random, depth: int) -> Expr:
    if depth <= 0:
        return _test(random)
    two = _truth(random, depth - 1), _truth(random, depth - 1)
    forms: tuple[Callable[[], Expr], ...] = (
        lambda: And(two),
        lambda: And(two),
        lambda: Or(two),
        lambda: Or((two[0], random.choice((Literal(True), two[1])))),
        lambda: Not(two[0]),
        lambda: Case(((two[0], two[1]),), Literal(False)),
    )
    return random.choice(forms)()


def _test(random: Random) -> Expr:
    text, number = _ref(random.choice(OF_TEXT)), _ref(random.choice(OF_NUMBERS))
    literal, other = Literal(random.choice(TEXTS)), _ref(random.choice(OF_TEXT))
    op = random.choice(list(CompareOp))
    tests: tuple[Callable[[], Expr], ...] = (
        lambda: Compare(op, text, literal),
        lambda: Compare(op, number, Literal(random.choice(NUMBERS))),
        lambda: Compare(CompareOp.EQ, text, other),
        lambda: In(text, (literal, Literal("b"))),
        lambda: Not(In(text, (literal, Literal(None)))),
        lambda: Like(text, "%a%"),
        lambda: IsNull(_ref(random.choice(OF_ANYTHING))),
        lambda: Not(IsNull(_ref(random.choice(OF_ANYTHING)))),
        lambda: Compare(op, text, number),
        lambda: Compare(op, Arithmetic(ArithmeticOp.DIV, Literal(6), number), Literal(1)),
        lambda: Compare(op, Call("coalesce", (text, Literal("a"))), literal),
        lambda: _ref("place.deep.open"),
        lambda: IsNull(_ref(random.choice(ODD))),
        lambda: Compare(CompareOp.EQ, _ref(random.choice(OF_ANYTHING)), literal),
    )
    return random.choice(tests)()
