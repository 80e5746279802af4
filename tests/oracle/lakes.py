"""Lakes at random: one or two tables, and views over them and over one another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from random import Random

import generate
import pyarrow as pa
from drawing import NAMES, ROLES, TAGS, Draw
from lake import Lake, Part, Statement, view_dataset
from pools import NOW, TYPES, column_of

from privet.model.datasets import Column, Dataset, FieldTag
from privet.model.names import DatasetName, TagName
from privet.model.permissions import AccessLevel, Effect, Permission, Scope, ScopeKind
from privet.model.principals import Principal

_PEOPLE = (("privet", "ada"), ("privet", "demo_user2"), ("privet", "eve"), ("idp", "ada"))
_VIEWS = (
    *(DatasetName("shown", "one"), DatasetName("shown", "two"), DatasetName("shown", "three")),
    *(DatasetName("home_ada", "view"), DatasetName("shown", "costs_ada")),
    DatasetName("home_demo_user2", "view"),
)
_RENAMED = (("i", "k"), ("t", "mrn", "digits"), ("x", "y"))
_OPAQUE = {"raw", "many", "clock"}


def lake_of(seed: object) -> Lake:
    """The case of a seed."""
    return draw(Random(f"lake {seed}"))


def draw(random: Random) -> Lake:
    """A case."""
    tags = random.sample(TAGS[:4], random.choice((2, 2, 3)))
    tables = _tables(random, tags)
    datasets = {name: dataset for name, (dataset, _) in tables.items()}
    people = {who: _person(random, who) for who in _PEOPLE}
    views: dict[DatasetName, Statement] = {}
    for number, name in enumerate(random.sample(_VIEWS, random.choice((1, 2, 2, 3)))):
        deep = [n for n in views if random.random() < 0.7]
        bases = [n for n in (deep or [*datasets]) if _selectable(datasets[n])]
        views[name] = _statement(random, bases, datasets)
        dataset = view_dataset(f"view-{number}", name, views[name], datasets)
        datasets[name] = _with_own_tags(random, dataset, tags)
    asked = random.choice([*views, [*views][-1], [*views][-1]])
    first, data = random.choice([*tables.values()])
    reader = generate.reader_of(random, first, data)
    roles = {role: _members(random, reader, people) for role in ROLES[:3]}
    permissions = [
        p
        for name, dataset in datasets.items()
        for p in _permissions(random, dataset, tables.get(name), tags)
    ]
    permissions += _lent(random, views, people, roles)
    permissions += _guarded(random, permissions, [*people.values()], roles)
    now = random.choice((NOW, NOW.replace(microsecond=0)))
    return Lake(
        reader,
        asked,
        datasets,
        {name: table for name, (_, table) in tables.items()},
        views,
        tuple(replace(p, id=f"{p.id}.{n}") for n, p in enumerate(permissions)),
        roles,
        people,
        now,
    )


def _tables(random: Random, tags: list[TagName]) -> Mapping[DatasetName, tuple[Dataset, pa.Table]]:
    found: dict[DatasetName, tuple[Dataset, pa.Table]] = {}
    for number, name in enumerate(random.sample(NAMES[:4], random.choice((1, 1, 2)))):
        names = [n for n in generate.names_of(random) if n not in _OPAQUE] or ["i", "t"]
        dataset = replace(generate.dataset_of(random, names, tags), id=f"table-{number}", name=name)
        rows = random.choice((0, 2, 4, 6))
        table = pa.table({n: column_of(random, n, rows) for n in names})
        found[name] = (dataset, table)
    return found


def _selectable(dataset: Dataset) -> bool:
    return any(c.name in TYPES for c in dataset.columns)


def _statement(
    random: Random, bases: list[DatasetName], datasets: Mapping[DatasetName, Dataset]
) -> Statement:
    """Some columns of one dataset, or of two that have these columns alike."""
    first = random.choice(bases)
    columns = [c.name for c in datasets[first].columns]
    chosen = random.sample(columns, random.randint(1, min(3, len(columns))))
    parts = [Part(first, tuple(chosen), _tested(random, columns))]
    for other in bases:
        held = [c.name for c in datasets[other].columns]
        if other != first and {*chosen} <= {*held} and random.random() < 0.8:
            parts.append(Part(other, tuple(chosen), _tested(random, held)))
    return Statement(random.choice(_PEOPLE), _names(random, chosen), tuple(parts))


def _tested(random: Random, columns: list[str]) -> str:
    return random.choice(columns) if random.random() < 0.3 else ""


def _names(random: Random, chosen: list[str]) -> tuple[str, ...]:
    """Sometimes a column of the same type is called otherwise."""
    names: list[str] = []
    for name in chosen:
        alike = next((group for group in _RENAMED if name in group), (name,))
        free = (
            [n for n in alike if n not in names and n not in chosen]
            if random.random() < 0.2
            else []
        )
        names.append(random.choice(free) if free else name)
    return tuple(names)


def _with_own_tags(random: Random, dataset: Dataset, tags: list[TagName]) -> Dataset:
    """A view may have tags of its own, and be without some of what it is made of."""
    columns = tuple(_own(random, column, tags) for column in dataset.columns)
    view = dataset.view
    assert view is not None
    if random.random() < 0.15:
        released = {random.choice(columns).name: frozenset(random.sample(tags, 1))}
        source = replace(dataset.source, options=replace(view, released=released).to_options())
        dataset = replace(dataset, source=source)
    own = frozenset(random.sample(tags, 1)) if random.random() < 0.1 else frozenset()
    return replace(dataset, columns=columns, tags=own)


def _own(random: Random, column: Column, tags: list[TagName]) -> Column:
    if random.random() < 0.85:
        return column
    return replace(column, field_tags=(FieldTag((column.name,), random.choice(tags)),))


def _person(random: Random, who: tuple[str, str]) -> Principal:
    issuer, user = who
    groups, others = (
        frozenset(g for g in pool if random.random() < 0.3)
        for pool in (("g1", "g2", "g5"), ("g3", "g4", "g5"))
    )
    admin = random.random() < 0.3
    return Principal(user, groups, issuer, admin=admin, other_groups=others)


def _members(
    random: Random, reader: Principal, people: Mapping[tuple[str, str], Principal]
) -> frozenset[tuple[str, str]]:
    """Who holds a role: one or two of those who read or lend."""
    some = random.sample([reader, reader, *people.values()], random.choice((1, 2, 2, 3)))
    return frozenset((who.issuer, random.choice(sorted(who.all_groups))) for who in some)


def _permissions(
    random: Random,
    dataset: Dataset,
    table: tuple[Dataset, pa.Table] | None,
    tags: list[TagName],
) -> list[Permission]:
    names = [c.name for c in dataset.columns]
    data = table[1] if table else pa.table({n: column_of(random, n, 4) for n in names})
    drawn = Draw(random, dataset.name, names, tags, generate.filters_of(random, dataset, data))
    grants = [drawn.grant("p") for _ in range(random.choice((0, 1, 1, 2)))]
    guards = [drawn.safeguard("s") for _ in range(random.choice((0, 0, 1, 1, 2, 2)))]
    # Such as bind everybody tell nothing of views.
    guards = [replace(g, role=random.choice(ROLES[:3])) for g in guards]
    return [*grants, *guards]


def _lent(
    random: Random,
    views: Mapping[DatasetName, Statement],
    people: Mapping[tuple[str, str], Principal],
    roles: Mapping[str, frozenset[tuple[str, str]]],
) -> list[Permission]:
    """Mostly whoever makes a view may read what it needs, and somebody may read the view."""
    found: list[Permission] = []
    for name, view in views.items():
        who = people[view.definer]
        own = _roles_of(who, roles)
        for part in view.parts:
            if random.random() < 0.85:
                on = _on(random, part.base, who.user)
                role = random.choice(own) if own and random.random() < 0.8 else "public_role"
                found.append(Permission(on, role, level=AccessLevel.SELECT, id="lent"))
        if random.random() < 0.85:
            on = Scope(ScopeKind.TABLE, name.database, name.name)
            found.append(
                Permission(
                    on, random.choice((*ROLES, "public_role")), level=AccessLevel.SELECT, id="read"
                )
            )
    return found


def _on(random: Random, name: DatasetName, user: str) -> Scope:
    """A table; by the name of a user, if it has that."""
    parts = [part.replace(user, "${user}") for part in name]
    if tuple(parts) != tuple(name) and random.random() < 0.6:
        return Scope(ScopeKind.TABLE, *parts)
    return Scope(ScopeKind.TABLE, name.database, name.name)


def _guarded(
    random: Random,
    permissions: list[Permission],
    people: list[Principal],
    roles: Mapping[str, frozenset[tuple[str, str]]],
) -> list[Permission]:
    """Some safeguards that bind one of those who lend, too."""
    guards = [p for p in permissions if p.effect is not Effect.GRANT]
    own = _roles_of(random.choice(people), roles)
    if not guards or not own or random.random() < 0.5:
        return []
    return [replace(random.choice(guards), role=random.choice(own))]


def _roles_of(who: Principal, roles: Mapping[str, frozenset[tuple[str, str]]]) -> list[str]:
    held = {(who.issuer, group) for group in who.all_groups}
    return [role for role, members in roles.items() if members & held]
