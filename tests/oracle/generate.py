"""Worlds: a dataset, its rows, grants that meet on it, and somebody who asks.

Everything is drawn from one `Random`, so a case is its seed. Hypothesis hands in a `Random` of its
own and shrinks what it gave.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random

import pyarrow as pa
from asked import roles_misplaced
from cells import cells_of
from drawing import NAMES, ROLES, TAGS, Draw
from filters import Filters
from hypothesis import strategies as st
from pools import NOW, TYPES, column_of, listed
from world import World

from privet.model.datasets import (
    CanonicalType,
    Column,
    Dataset,
    FieldTag,
    Format,
    Source,
    TokenDomain,
)
from privet.model.expressions import Expr, Not
from privet.model.names import TagName
from privet.model.principals import Principal

GROUPS = ("g1", "g2", "user:ada", "user:demo_user2")
USERS = ("ada", "ada", "demo_user2", "demo_user2", "Ada", "ada@example.com")
TOKENIZED = ("i", "j", "k", "mrn", "mrn", "t", "u", "v", "digits")


def world_of(seed: object) -> World:
    """The case of a seed."""
    return draw(Random(f"{seed}"))


def worlds() -> st.SearchStrategy[World]:
    """Cases that shrink."""
    return st.builds(draw, st.randoms(use_true_random=False))


def draw(random: Random) -> World:
    """A case."""
    names = names_of(random)
    # Few tags: so that those of columns, of HAVING and of transforms are often the same.
    tags = random.sample(TAGS[:4], random.choice((2, 2, 3, 4)))
    dataset = dataset_of(random, names, tags)
    rows = random.choice((0, 1, 2, 4, 8, 12))
    table = pa.table({name: column_of(random, name, rows) for name in names})
    drawn = Draw(random, dataset.name, names, tags, filters_of(random, dataset, table))
    grants = [drawn.grant(f"p{n}") for n in range(random.choice((1, 2, 3, 3, 4, 4, 5, 6)))]
    guards = [drawn.safeguard(f"s{n}") for n in range(random.choice((0, 0, 1, 1, 2, 2, 3, 4)))]
    reader = reader_of(random, dataset, table)
    roles = {role: _members(random, reader) for role in ROLES[:3]}
    # At a whole second, permissions begin and end at the very moment.
    now = random.choice((NOW, NOW.replace(microsecond=0)))
    return World(reader, dataset, table, (*grants, *guards), roles, now)


def names_of(random: Random) -> list[str]:
    """Columns in any order: mostly with some that may have tokens, often with floats."""
    names = random.sample(list(TYPES), random.choice((2, 3, 4, 5)))
    wanted = random.sample(TOKENIZED, random.choice((0, 1, 2, 2)))
    if random.random() < 0.3:
        wanted += random.sample(("f", "f", "g"), random.choice((1, 2)))
    found = list(dict.fromkeys((*names, *wanted)))
    return random.sample(found, len(found))


def dataset_of(random: Random, names: Sequence[str], some: Sequence[TagName]) -> Dataset:
    tags, database_tags = _tags(random, some, 0.15), _tags(random, some, 0.2)
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
        random.choice(NAMES) if random.random() < 0.2 else NAMES[0],
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
    nested = (FieldTag((name, "inside"), random.choice((*some, *some, *TAGS))),)
    return (*own, *nested) if random.random() < 0.2 else own


def _tags(random: Random, some: Sequence[TagName], likely: float) -> frozenset[TagName]:
    if random.random() > likely:
        return frozenset()
    return frozenset(random.sample(list(some), random.choice((1, 1, 2))))


def filters_of(random: Random, dataset: Dataset, table: pa.Table) -> list[Expr | None]:
    """Few filters for many permissions, so that equal ones, opposites and different ones meet."""
    cells = {name: cells_of(table.column(name)) for name in table.column_names}
    known = {n: [c for c in held if c is not None] for n, held in cells.items()}
    borne = [str(tag) for tag in sorted(dataset.tags | dataset.database_tags)]
    filters = Filters(random, known, _names_of(random, dataset), borne)
    drawn: list[Expr] = [filters.draw() for _ in range(random.choice((1, 2, 2, 3)))]
    turned = random.random() < 0.4 and not roles_misplaced(Not(drawn[0]))
    everything = [] if random.random() < 0.2 else [None]
    return [*drawn, *drawn, *([Not(drawn[0])] if turned else []), *everything]


def _names_of(random: Random, dataset: Dataset) -> dict[str, list[str]]:
    """By which tags a column can be asked for: mostly ones that no other bears."""
    borne = Counter(t.tag for c in dataset.columns for t in c.field_tags)
    unsure = random.random() < 0.1
    return {
        c.name: [str(t.tag) for t in c.field_tags if unsure or borne[t.tag] == 1]
        for c in dataset.columns
    }


def _members(random: Random, reader: Principal) -> frozenset[tuple[str, str]]:
    """Who holds a role; groups of the same name of another issuer are other groups."""
    groups = random.sample(GROUPS, random.choice((0, 1, 2)))
    others = frozenset((random.choice(("privet", "idp")), group) for group in groups)
    left_out = sorted(reader.other_groups - reader.groups)
    if left_out and random.random() < 0.4:
        return others | {(reader.issuer, random.choice(left_out))}
    if random.random() < 0.1:
        return others
    return others | {(reader.issuer, random.choice(sorted(reader.effective_groups)))}


def reader_of(random: Random, dataset: Dataset, table: pa.Table) -> Principal:
    groups = frozenset(g for g in ("g1", "g2", "g3") if random.random() < 0.6)
    others = frozenset(g for g in ("g2", "g3", "g4") if random.random() < 0.3)
    column = random.choice(table.columns)
    cells = [cell for cell in cells_of(column) if cell is not None]
    return Principal(
        random.choice(USERS if dataset.name == NAMES[0] else ("ada", "Ada", *USERS)),
        groups,
        issuer=random.choice(("privet", "privet", "privet", "idp")),
        admin=random.random() < 0.02,
        attributes={k: listed(random, cells) for k in ("team", "city") if random.random() < 0.7},
        other_groups=others,
    )
