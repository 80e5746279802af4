"""Worlds: a dataset, its rows, grants that meet on it, and somebody who asks.

Everything is drawn from one `Random`, so a case is its seed. Hypothesis hands in a `Random` of its
own and shrinks what it gave.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pyarrow as pa
from cells import cells_of
from filters import Filters
from hypothesis import strategies as st
from law import World
from pools import NOW, TYPES, column_of

from privet.model.datasets import (
    CanonicalType,
    Column,
    Dataset,
    FieldTag,
    Format,
    Source,
    TokenDomain,
)
from privet.model.expressions import (
    Call,
    ColumnSlot,
    Expr,
    HasTag,
    Literal,
    Not,
    TagAnd,
    TagExpr,
    TagNot,
    TagOr,
)
from privet.model.names import DatasetName, TagName
from privet.model.permissions import Permission, Scope, ScopeKind, TransformClause
from privet.model.principals import Principal

NAME = DatasetName("medical", "costs")
TAGS = tuple(map(TagName.parse, ("phi.mrn", "pii.email", "phi.zip", "pii.age", "security.key")))
ROLES = ("analyst_role", "steward_role", "auditor_role", "public_role")
GROUPS = ("g1", "g2", "user:ada", "user:demo_user2")
TOKENS = (
    *("tokenize",) * 5,
    *("tokenize_no_ref",) * 3,
    *("nfp_ref_tokenize", "nfp_noref_tokenize", "sha2"),
)
TOKENIZED = ("i", "j", "k", "mrn", "mrn", "t", "u", "v", "digits")
PLAIN = ("mask", "mask", "zero", "null")


def world_of(seed: object) -> World:
    """The case of a seed."""
    return draw(Random(f"{seed}"))


def worlds() -> st.SearchStrategy[World]:
    """Cases that shrink."""
    return st.builds(draw, st.randoms(use_true_random=False))


def draw(random: Random) -> World:
    """A case."""
    names = _names(random)
    # Few tags: so that those of columns, of HAVING and of transforms are often the same.
    tags = random.sample(TAGS[:4], random.choice((2, 2, 3, 4)))
    dataset = _dataset(random, names, tags)
    rows = random.choice((0, 1, 2, 4, 8, 12))
    table = pa.table({name: column_of(random, name, rows) for name in names})
    pool = _filters(random, table)
    count = random.choice((1, 2, 2, 3, 3, 4, 5))
    grants = tuple(_grant(random, pool, tags, number) for number in range(count))
    reader = _reader(random)
    roles = {role: _members(random, reader) for role in ROLES[:3]}
    # At a whole second, grants begin and end at the very moment.
    now = random.choice((NOW, NOW.replace(microsecond=0)))
    return World(reader, dataset, table, grants, roles, now)


def _names(random: Random) -> list[str]:
    """Columns in any order: mostly with some that may have tokens, often with floats."""
    names = random.sample(list(TYPES), random.choice((2, 3, 4, 5)))
    wanted = random.sample(TOKENIZED, random.choice((0, 1, 2, 2)))
    if random.random() < 0.3:
        wanted += random.sample(("f", "f", "g"), random.choice((1, 2)))
    found = list(dict.fromkeys((*names, *wanted)))
    return random.sample(found, len(found))


def _dataset(random: Random, names: Sequence[str], some: Sequence[TagName]) -> Dataset:
    tags, database_tags = _tags(random, some, 0.15), _tags(random, some, 0.1)
    columns = tuple(
        Column(
            name,
            TYPES[name],
            name.upper(),
            reviewed=random.random() > 0.07,
            field_tags=_field_tags(random, name, some),
        )
        for name in names
    )
    domains = {
        str(tag): TokenDomain(str(tag), _canonical(random), random.choice((1, 1, 2)))
        for tag in TAGS
        if random.random() < 0.6
    }
    identity = random.choice(("dataset-1", "dataset-2"))
    return Dataset(
        identity,
        NAME,
        Source("file:///lake/costs", Format.CSV),
        columns,
        tags,
        database_tags,
        domains,
    )


def _canonical(random: Random) -> CanonicalType:
    return random.choice((CanonicalType.TEXT, CanonicalType.TEXT, CanonicalType.INT64))


def _field_tags(random: Random, name: str, some: Sequence[TagName]) -> tuple[FieldTag, ...]:
    own = tuple(FieldTag((name,), tag) for tag in sorted(_tags(random, some, 0.65)))
    nested = (FieldTag((name, "inside"), random.choice(TAGS)),)
    return (*own, *nested) if random.random() < 0.1 else own


def _tags(random: Random, some: Sequence[TagName], likely: float) -> frozenset[TagName]:
    if random.random() > likely:
        return frozenset()
    return frozenset(random.sample(list(some), random.choice((1, 1, 2))))


def _filters(random: Random, table: pa.Table) -> list[Expr | None]:
    """Few filters for many grants, so that equal ones, opposites and different ones meet."""
    cells = {name: cells_of(table.column(name)) for name in table.column_names}
    filters = Filters(random, {n: [c for c in held if c is not None] for n, held in cells.items()})
    drawn: list[Expr] = [filters.draw() for _ in range(random.choice((1, 2, 2, 3)))]
    opposite = [Not(drawn[0])] if random.random() < 0.4 else []
    return [*drawn, *drawn, *opposite, None]


def _grant(
    random: Random, pool: Sequence[Expr | None], tags: Sequence[TagName], number: int
) -> Permission:
    return Permission(
        scope=_scope(random),
        role=random.choice((*ROLES, *ROLES[:2])),
        having=None if random.random() < 0.4 else _tag_expression(random, tags, 2),
        transforms=tuple(
            _clause(random, tags) for _ in range(random.choice((0, 0, 1, 1, 1, 2, 3)))
        ),
        where=random.choice(pool),
        properties=_properties(random),
        id=f"p{number}",
    )


def _scope(random: Random) -> Scope:
    return random.choice(
        (
            *(Scope(ScopeKind.CATALOG),) * 9,
            *(Scope(ScopeKind.DATABASE, NAME.database),) * 9,
            *(Scope(ScopeKind.TABLE, *NAME),) * 9,
            Scope(ScopeKind.DATABASE, "elsewhere"),
            Scope(ScopeKind.TABLE, NAME.database, "other"),
            Scope(ScopeKind.TABLE, "elsewhere", NAME.name),
        )
    )


def _tag_expression(random: Random, tags: Sequence[TagName], depth: int) -> TagExpr:
    if depth == 0 or random.random() < 0.4:
        return HasTag(random.choice(tags) if random.random() < 0.9 else random.choice(TAGS))
    parts = tuple(_tag_expression(random, tags, depth - 1) for _ in range(2))
    return random.choice(
        (*(TagNot(parts[0]),) * 3, TagAnd(parts), TagOr(parts), TagOr((parts[0], TagNot(parts[0]))))
    )


def _clause(random: Random, tags: Sequence[TagName]) -> TransformClause:
    wide = random.random() < 0.3
    matched = _tag_expression(random, tags, 2) if wide else HasTag(random.choice(tags))
    return TransformClause(matched, _call(random), excepted=random.random() < 0.35)


def _call(random: Random) -> Call:
    name = random.choice((*TOKENS, *PLAIN, *PLAIN))
    bounds = random.choice(((), (), (1,), (2, 3), (0, 0), (40,))) if name == "mask" else ()
    return Call(name, (ColumnSlot(), *map(Literal, bounds)))


def _properties(random: Random) -> dict[str, str]:
    if random.random() < 0.8:
        return {}
    second = int(NOW.timestamp())
    return random.choice(
        (
            {"enabled": "true", "name": "a grant"},
            {"enabled": "false"},
            {"start_datetime": str(second - random.choice((0, 60)))},
            {"start_datetime": str(second + random.choice((1, 60)))},
            {"end_datetime": str(second + random.choice((1, 60)))},
            {"end_datetime": str(second - random.choice((0, 60)))},
            {"start_datetime": str(second - 9), "end_datetime": str(second + 9)},
        )
    )


def _members(random: Random, reader: Principal) -> frozenset[tuple[str, str]]:
    """Who holds a role; groups of the same name of another issuer are other groups."""
    groups = random.sample(GROUPS, random.choice((0, 1, 2)))
    others = frozenset((random.choice(("privet", "idp")), group) for group in groups)
    if random.random() < 0.3:
        return others
    return others | {(reader.issuer, random.choice(sorted(reader.effective_groups)))}


def _reader(random: Random) -> Principal:
    return Principal(
        random.choice(("ada", "demo_user2")),
        frozenset(g for g in ("g1", "g2", "g3") if random.random() < 0.6),
        issuer=random.choice(("privet", "privet", "privet", "idp")),
        admin=random.random() < 0.02,
    )
