"""Two servers that change one catalog: what each has kept is what a new one reads."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import hypothesis.strategies as st
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import Engine

from privet.catalog import Catalog
from privet.model.crawling.crawls import FoundDataset
from privet.model.datasets import Column, FieldTag, Format, Source, View
from privet.model.decisions import Facts
from privet.model.errors import PrivetError
from privet.model.expressions import HasTag
from privet.model.names import PUBLIC_ROLE, DatasetName, TagName
from privet.model.permissions import (
    CATALOG,
    Effect,
    Permission,
    Scope,
    ScopeKind,
    on_database,
    on_dataset,
    on_role,
)
from privet.model.principals import Principal
from privet.policy import from_json, to_json
from privet.store import migrate, open_engine

BY = "steward"
DATABASES, TABLES, VIEWS = ("a", "b"), ("t", "u"), ("v", "w")
NAMES = [DatasetName(d, n) for d in DATABASES for n in (*TABLES, *VIEWS)]
TAGS = [TagName("x", key) for key in "klm"]
ROLES, GROUPS = ("r", "s"), ("g", "h")
PRINCIPALS = (
    Principal("ada", frozenset({"g"})),
    Principal("bob", frozenset({"h"}), other_groups=frozenset({"g"})),
    Principal("eve"),
)
COLUMNS = (Column("id", pa.int64(), "ID"), Column("name", pa.string(), "NAME"))
SCOPES = [
    CATALOG,
    *map(on_database, DATABASES),
    *map(on_dataset, NAMES),
    on_role("r"),
    Scope(ScopeKind.TABLE, database="a", dataset="${user}"),
]


def _is_statement(permission: Permission) -> bool:
    try:
        return from_json(to_json(permission)) == permission
    except PrivetError:
        return False


either = st.sampled_from((0, 1))
names, tags, roles = st.sampled_from(NAMES), st.sampled_from(TAGS), st.sampled_from(ROLES)
paths = st.sampled_from([(), ("id",), ("name",)])
principals = st.sampled_from(PRINCIPALS)
permissions = st.builds(
    Permission,
    st.sampled_from(SCOPES),
    st.sampled_from((*ROLES, PUBLIC_ROLE)),
    st.sampled_from(Effect),
    having=st.none() | st.builds(HasTag, tags),
    properties=st.sampled_from(({}, {"enabled": "false"})),
).filter(_is_statement)
edited = st.lists(
    st.sampled_from(COLUMNS).flatmap(
        lambda c: st.lists(tags, unique=True, max_size=2).map(
            lambda of: replace(c, field_tags=tuple(FieldTag((c.name,), tag) for tag in of))
        )
    ),
    min_size=1,
    unique_by=lambda column: column.name,
)


class Following(RuleBasedStateMachine):
    """Changes by either server; one is compared at every step, the other now and then."""

    def __init__(self, engines: tuple[Engine, Engine]) -> None:
        super().__init__()
        self.engines = engines
        self.servers = [Catalog(engine, to_json, from_json) for engine in engines]
        self.paths = itertools.count()
        first = self.servers[0]
        first.ensure_builtin([(tag, "") for tag in TAGS[:1]])
        for tag in TAGS[1:]:
            first.tags.create(tag, by=BY)
        for role in ROLES:
            first.roles.create(role, by=BY)
        for database in DATABASES:
            first.databases.create(database, by=BY)
        first.roles.map_group("r", "g")
        first.permissions.add(Permission(CATALOG, "r"), by=BY)
        denial = Permission(CATALOG, PUBLIC_ROLE, Effect.DENY, having=HasTag(TAGS[0]))
        first.permissions.add(denial, by=BY)
        for table in ("t", "u"):
            self.register(0, DatasetName("a", table), list(COLUMNS))
        self.create_view(0, DatasetName("b", "v"), [DatasetName("a", "t")])

    def teardown(self) -> None:
        for engine in self.engines:
            engine.dispose()

    def change(self, who: int, change: Callable[[Catalog], Any]) -> None:
        """Try it; what the catalog refuses changes nothing."""
        with suppress(PrivetError):
            change(self.servers[who])

    # ---- datasets

    @rule(who=either, name=names, columns=edited)
    def register(self, who: int, name: DatasetName, columns: list[Column]) -> None:
        source = Source(f"s3://lake/{next(self.paths)}", Format.CSV)
        found = FoundDataset(name.name, source)
        self.change(who, lambda c: c.datasets.register(found, name, columns, by=BY))

    @rule(who=either, name=names, bases=st.lists(names, min_size=1, max_size=2))
    def create_view(self, who: int, name: DatasetName, bases: list[DatasetName]) -> None:
        view = _view(bases)
        self.change(who, lambda c: c.datasets.create_view(name, view, COLUMNS, by=BY))

    @rule(who=either, name=names, bases=st.lists(names, min_size=1, max_size=2))
    def alter_view(self, who: int, name: DatasetName, bases: list[DatasetName]) -> None:
        view = _view(bases)
        self.change(who, lambda c: c.datasets.alter_view(name, view, COLUMNS[:1], by=BY))

    @rule(who=either, name=names, to=names)
    def rename(self, who: int, name: DatasetName, to: DatasetName) -> None:
        self.change(who, lambda c: c.definitions.rename(name, to))

    @rule(who=either, name=names, forget=st.booleans())
    def drop(self, who: int, name: DatasetName, forget: bool) -> None:
        self.change(who, lambda c: c.definitions.drop_dataset(name, with_permissions=forget))

    @rule(who=either, name=names, columns=edited)
    def edit(self, who: int, name: DatasetName, columns: list[Column]) -> None:
        def edit(catalog: Catalog) -> None:
            revision = catalog.datasets.get(name).revision
            catalog.datasets.update_columns(name, columns, by=BY, expected_revision=revision)

        self.change(who, edit)

    @rule(who=either, name=names, value=st.sampled_from("pq"))
    def describe(self, who: int, name: DatasetName, value: str) -> None:
        self.change(who, lambda c: c.definitions.set_properties(name, {"key": value}))

    @rule(who=either, name=st.sampled_from(DATABASES), forget=st.booleans())
    def drop_and_create_database(self, who: int, name: str, forget: bool) -> None:
        options = {"cascade": True, "with_permissions": forget}
        self.change(who, lambda c: c.definitions.drop_database(name, **options))
        self.change(1 - who, lambda c: c.databases.create(name, by=BY))

    @rule(who=either, name=names, column=st.sampled_from(["id", "other"]))
    def find(self, who: int, name: DatasetName, column: str) -> None:
        """A crawl finds another column, and a steward accepts it."""

        def find(catalog: Catalog) -> None:
            dataset = catalog.datasets.get(name)
            if dataset.view is not None:
                return
            columns = (COLUMNS[0], Column(column, pa.string(), column.upper()))
            found = FoundDataset(name.name, dataset.source, columns)
            catalog.findings.note(found, crawl="c", by=BY)
            catalog.findings.accept(name, by=BY, expected_revision=None)

        self.change(who, find)

    # ---- tags

    @rule(who=either, name=names, path=paths, tag=tags)
    def tag(self, who: int, name: DatasetName, path: tuple[str, ...], tag: TagName) -> None:
        self.change(who, lambda c: c.datasets.assign_tag(name, path, tag, by=BY))

    @rule(who=either, name=names, path=paths, tag=tags)
    def untag(self, who: int, name: DatasetName, path: tuple[str, ...], tag: TagName) -> None:
        self.change(who, lambda c: c.datasets.unassign_tag(name, path, tag))

    @rule(who=either, name=names, column=st.sampled_from(["id", "name"]), tag=tags)
    def release(self, who: int, name: DatasetName, column: str, tag: TagName) -> None:
        self.change(who, lambda c: c.datasets.release_tag(name, column, tag))

    @rule(who=either, name=st.sampled_from(DATABASES), tag=tags)
    def tag_database(self, who: int, name: str, tag: TagName) -> None:
        self.change(who, lambda c: c.databases.assign_tag(name, tag, by=BY))

    @rule(who=either, name=st.sampled_from(DATABASES), tag=tags)
    def untag_database(self, who: int, name: str, tag: TagName) -> None:
        self.change(who, lambda c: c.databases.unassign_tag(name, tag))

    @rule(who=either, tag=tags)
    def drop_and_create_tag(self, who: int, tag: TagName) -> None:
        self.change(who, lambda c: c.tags.drop(tag))
        self.change(1 - who, lambda c: c.tags.create(tag, by=BY))

    @rule(who=either, tag=tags)
    def rotate(self, who: int, tag: TagName) -> None:
        self.change(who, lambda c: c.domains.rotate(str(tag)))

    @rule(who=either, tag=tags, name=names)
    def expel(self, who: int, tag: TagName, name: DatasetName) -> None:
        self.change(who, lambda c: c.domains.expel(str(tag), c.datasets.get(name)))

    @rule(who=either, tag=tags, name=names)
    def admit(self, who: int, tag: TagName, name: DatasetName) -> None:
        self.change(who, lambda c: c.domains.admit(str(tag), c.datasets.get(name)))

    # ---- permissions and roles

    @rule(who=either, permission=permissions)
    def grant(self, who: int, permission: Permission) -> None:
        self.change(who, lambda c: c.permissions.add(permission, by=BY))

    @rule(who=either, which=st.integers(0, 5))
    def revoke(self, who: int, which: int) -> None:
        found = self.servers[who].permissions.list()
        if which < len(found):
            self.change(who, lambda c: c.permissions.remove(found[which]))

    @rule(who=either, name=names, owner=principals)
    def own(self, who: int, name: DatasetName, owner: Principal) -> None:
        self.change(who, lambda c: c.permissions.own(on_dataset(name), owner))

    @rule(who=either, name=names)
    def disown(self, who: int, name: DatasetName) -> None:
        self.change(who, lambda c: c.permissions.disown(on_dataset(name)))

    @rule(who=either, role=roles, group=st.sampled_from((*GROUPS, "user:eve")))
    def give(self, who: int, role: str, group: str) -> None:
        self.change(who, lambda c: c.roles.map_group(role, group))

    @rule(who=either, role=roles, group=st.sampled_from((*GROUPS, "user:eve")))
    def take(self, who: int, role: str, group: str) -> None:
        self.change(who, lambda c: c.roles.unmap_group(role, group))

    @rule(who=either, role=roles)
    def drop_and_create_role(self, who: int, role: str) -> None:
        self.change(who, lambda c: c.roles.drop(role))
        self.change(1 - who, lambda c: c.roles.create(role, by=BY))

    # ---- what must hold

    @invariant()
    def the_first_follows(self) -> None:
        self._compare(self.servers[0], PRINCIPALS[0])

    @rule(who=either, principal=principals)
    def follows(self, who: int, principal: Principal) -> None:
        self._compare(self.servers[who], principal)

    @rule(who=either)
    def snapshots_follow(self, who: int) -> None:
        kept, fresh = self.servers[who].snapshot(), self._fresh(who).snapshot()
        assert kept == fresh

    def _compare(self, kept: Catalog, principal: Principal) -> None:
        fresh = self._fresh(0)
        assert _now(kept.list_facts(principal)) == _now(fresh.list_facts(principal))
        for name in NAMES:
            one, other = kept.facts(name, principal), fresh.facts(name, principal)
            assert (one.version, _now([one])) == (other.version, _now([other]))
        assert kept.rights(principal) == fresh.rights(principal)

    def _fresh(self, who: int) -> Catalog:
        return Catalog(self.engines[who], to_json, from_json)


def _view(bases: list[DatasetName]) -> View:
    rests = {c.name: frozenset((base, c.name) for base in bases) for c in COLUMNS}
    sees = dict.fromkeys(bases, ("id", "name"))
    return View("SELECT ...", None, ("privet", "ada"), sees, rests)


def _now(facts: Any) -> list[tuple[Facts, list[str]]]:
    """Without the versions at which they were read; permissions also by id."""
    return [(replace(f, version=0), [p.id for p in (*f.permissions, *f.safeguards)]) for f in facts]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.service)])
def new_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], str]:
    """Makes migrated databases of either kind."""
    if request.param == "postgres":
        return request.getfixturevalue("postgres").new_database
    folder, numbers = tmp_path_factory.mktemp("stores"), itertools.count()
    engine = open_engine(f"sqlite:///{folder}/migrated.db")
    migrate(engine)
    engine.dispose()

    def copy() -> str:
        file = folder / f"{next(numbers)}.db"
        shutil.copyfile(folder / "migrated.db", file)
        return f"sqlite:///{file}"

    return copy


def test_what_is_kept_is_what_is_stored(new_url: Callable[[], str]) -> None:
    """After any changes by either, lists, facts, rights and snapshots are as if newly read."""

    def start() -> Following:
        url = new_url()
        return Following((open_engine(url), open_engine(url)))

    few = settings(
        max_examples=12,
        stateful_step_count=30,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(start, settings=few)
