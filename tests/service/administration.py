"""Every act of administration, with the rights that it needs: what the matrix goes through."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from privet.catalog import Starter
from privet.model.crawling.crawls import CrawlStatus
from privet.model.datasets import CanonicalType, FieldTag, Rule, RuleTarget, TagOrigin
from privet.model.edits import ColumnEdit
from privet.model.names import DatasetName, TagName
from privet.policy import Grant, Revoke, parse
from privet.service import Caller, Services
from privet.service.crawls import Registration
from query.platforms import Person, Place

ROWS = pa.table({"a": [1, 2], "b": ["x", "y"]})


@dataclass(frozen=True)
class World:
    """Things of their own for one trial, which nobody but the administrator has rights on."""

    place: Place
    names: Mapping[str, str]

    @property
    def services(self) -> Services:
        """The use cases."""
        return self.place.services

    @property
    def dataset(self) -> DatasetName:
        """The dataset `d.t`."""
        return DatasetName(self.names["d"], "t")

    @property
    def found(self) -> Path:
        """A folder that was crawled and is registered nowhere."""
        return Path(self.names["path"])

    def tag(self, name: str = "k") -> TagName:
        """A tag of the namespace."""
        return TagName(self.names["n"], name)

    def text(self, statement: str) -> str:
        """A statement about these things."""
        return statement.format_map(self.names)


def open_world(place: Place) -> World:
    """A database, dataset, role, namespace, crawl and folder."""
    names = {key: place.unique(key) for key in ("d", "r", "n", "c", "free")}
    lake = place.lake / names["c"]
    (lake / "found").mkdir(parents=True)
    pq.write_table(ROWS, lake / "found" / "part.parquet")
    names |= {"path": str(lake / "found"), "g": f"group_of_{names['r']}"}
    tag = f"{names['n']}.k"
    place.dataset(ROWS, f"{names['d']}.t", {"a": [tag]})
    place.tags(f"{names['n']}.other", f"{names['n']}.unused")
    catalog = place.platform.catalog
    catalog.roles.create(names["r"], by="root")
    catalog.roles.map_group(names["r"], names["g"])
    catalog.databases.create(f"{names['d']}_empty", by="root")
    place.grant(f"GRANT SELECT ON DATABASE {names['d']}", names["r"])
    served = [TagName.parse(tag)]
    catalog.domains.create(f"{names['n']}_shared", CanonicalType.INT64, served)
    rule = Rule(f"rule_{names['n']}", TagName.parse(tag), "x", frozenset({RuleTarget.COLUMN_NAME}))
    catalog.rules.create(rule, by="root")
    crawl(place.services, place.admin.caller, names["c"], names["path"])
    return World(place, names)


def _cancelled(world: World, caller: Caller) -> object:
    """Cancel a crawl that some server runs."""
    crawls = world.services.queries._platform.catalog.crawls
    if crawls.get(world.names["c"]).status is not CrawlStatus.RUNNING:
        crawls.start(world.names["c"], f"file://{world.names['path']}", by=Starter("somebody"))
    return world.services.crawls.cancel(caller, world.names["c"])


def crawl(services: Services, caller: Caller, name: str, path: str) -> None:
    """Crawl and wait for the end, which the administrator sees."""
    services.crawls.start(caller, name, path)
    while services.queries._platform.catalog.crawls.get(name).status is CrawlStatus.RUNNING:
        time.sleep(0.01)


def execute(world: World, statement: str) -> None:
    """Carry out a statement as the administrator."""
    world.services.statements.execute(world.place.admin.caller, world.text(statement))


def holder(world: World, *grants: str, also: str = "") -> Person:
    """Somebody who holds these grants, written from the level on, and nothing else."""
    person = world.place.person()
    for grant in grants:
        what, _, options = world.text(grant).partition(" TO ROLE mine")
        execute(world, f"GRANT {what} TO ROLE {person.role}{options} {also}")
    return person


Do = Callable[[World, Caller], object]


@dataclass(frozen=True)
class Trial:
    """An act and the grants that it needs, all of them; names in braces are the world's."""

    do: Do
    needs: tuple[str, ...]


def _granted(world: World, caller: Caller, statement: str) -> object:
    parsed = parse(world.text(statement))
    assert isinstance(parsed, Grant)
    return world.services.permissions.grant(caller, parsed)


def _revoked(world: World, caller: Caller, statement: str) -> object:
    parsed = parse(world.text(statement))
    assert isinstance(parsed, Revoke)
    return world.services.permissions.revoke(caller, parsed)


def _edited(world: World, caller: Caller, **edit: Any) -> object:
    dataset = world.place.platform.catalog.datasets.get(world.dataset)
    edits = {"a": ColumnEdit(**edit)}
    return world.services.datasets.update_columns(caller, world.dataset, edits, dataset.revision)


def _registered(world: World, caller: Caller, **options: Any) -> object:
    database = world.names["free"] if options.get("new_database") else world.names["d"]
    wanted = Registration("found", DatasetName(database, "made"), **options)
    return world.services.crawls.register(caller, world.names["c"], wanted)


def _answered(answer: str) -> Do:
    def do(world: World, caller: Caller) -> object:
        catalog = world.place.platform.catalog
        proposed = [FieldTag(("b",), world.tag(), TagOrigin.RULE)]
        catalog.proposals.note(catalog.datasets.get(world.dataset).id, proposed, "")
        give = getattr(world.services.proposals, answer)
        return give(caller, world.dataset, ("b",), world.tag())

    return do


def _rule(world: World) -> Rule:
    name = f"new_{world.names['n']}"
    return Rule(name, world.tag(), "x", frozenset({RuleTarget.COLUMN_NAME}))


def _run(statement: str) -> Do:
    return lambda w, c: w.services.statements.execute(c, w.text(statement))


_ON_FOUND = ("SHOW ON CRAWLER {c}", "SELECT ON URI 'file://{path}'")
_MANAGING = "MANAGE_PERMISSIONS ON ROLE {r}"
ACTS: Mapping[str, Trial] = {
    "create database": Trial(
        lambda w, c: w.services.databases.create(c, w.names["free"]), ("CREATE ON CATALOG",)
    ),
    "drop database": Trial(
        lambda w, c: w.services.databases.drop(c, f"{w.names['d']}_empty"),
        ("DROP ON DATABASE {d}_empty",),
    ),
    "drop dataset": Trial(
        lambda w, c: w.services.tables.drop(c, w.dataset), ("DROP ON TABLE {d}.t",)
    ),
    "drop a database with all in it": Trial(
        _run("DROP DATABASE {d} CASCADE INCLUDING PERMISSIONS"),
        ("DROP ON CATALOG", "MANAGE_GRANTS ON CATALOG"),
    ),
    "tag a database": Trial(
        _run("ALTER DATABASE {d} ADD ATTRIBUTE {n}.k"),
        ("ADD_ATTRIBUTE ON DATABASE {d}", "ADD_ATTRIBUTE ON ATTRIBUTE NAMESPACE {n}"),
    ),
    "note properties of a database": Trial(
        _run("ALTER DATABASE {d} SET DBPROPERTIES('a'='b')"), ("ALTER ON DATABASE {d}",)
    ),
    "create a table": Trial(
        _run("CREATE TABLE {d}.made (b STRING ATTRIBUTE {n}.k) LOCATION '{path}'"),
        (
            "CREATE ON DATABASE {d}",
            "SELECT ON URI 'file://{path}'",
            "ADD_ATTRIBUTE ON ATTRIBUTE NAMESPACE {n}",
        ),
    ),
    "drop a table with its permissions": Trial(
        _run("DROP TABLE {d}.t INCLUDING PERMISSIONS"),
        ("DROP ON DATABASE {d}", "MANAGE_GRANTS ON DATABASE {d}"),
    ),
    "rename": Trial(
        _run("ALTER TABLE {d}.t RENAME TO {d}.u"),
        (
            "ALTER ON DATABASE {d}",
            "DROP ON DATABASE {d}",
            "MANAGE_GRANTS ON DATABASE {d}",
            "CREATE ON DATABASE {d}",
        ),
    ),
    "note properties": Trial(
        _run("ALTER TABLE {d}.t SET TBLPROPERTIES('a'='b')"), ("ALTER ON TABLE {d}.t",)
    ),
    "tag by rules": Trial(_run("ALTER TABLE {d}.t EXECUTE AUTOTAG"), ("ALTER ON TABLE {d}.t",)),
    "evaluate proposals": Trial(
        lambda w, c: w.services.proposals.evaluate(c, w.dataset), ("ALTER ON TABLE {d}.t",)
    ),
    "accept a proposal": Trial(
        _answered("accept"),
        ("ADD_ATTRIBUTE ON TABLE {d}.t", "ADD_ATTRIBUTE ON ATTRIBUTE NAMESPACE {n}"),
    ),
    "reject a proposal": Trial(
        _answered("reject"),
        ("ADD_ATTRIBUTE ON TABLE {d}.t", "ADD_ATTRIBUTE ON ATTRIBUTE NAMESPACE {n}"),
    ),
    "drop a crawl": Trial(_run("DROP CRAWLER {c}"), ("DROP ON CRAWLER {c}",)),
    "alter columns": Trial(lambda w, c: _edited(w, c, comment="x"), ("ALTER ON TABLE {d}.t",)),
    "add tags by altering": Trial(
        lambda w, c: _edited(w, c, tags=(w.tag(), w.tag("other"))),
        (
            "ALTER ON TABLE {d}.t",
            "ADD_ATTRIBUTE ON TABLE {d}.t",
            "ADD_ATTRIBUTE ON ATTRIBUTE NAMESPACE {n}",
        ),
    ),
    "remove tags by altering": Trial(
        lambda w, c: _edited(w, c, tags=()),
        (
            "ALTER ON TABLE {d}.t",
            "REMOVE_ATTRIBUTE ON TABLE {d}.t",
            "REMOVE_ATTRIBUTE ON ATTRIBUTE NAMESPACE {n}",
        ),
    ),
    "review": Trial(
        lambda w, c: w.services.datasets.review(c, w.dataset), ("ALTER ON TABLE {d}.t",)
    ),
    "create tag": Trial(
        lambda w, c: w.services.tags.create(c, w.tag("new")), ("CREATE ON ATTRIBUTE NAMESPACE {n}",)
    ),
    "drop tag": Trial(
        lambda w, c: w.services.tags.drop(c, w.tag("unused")), ("DROP ON ATTRIBUTE NAMESPACE {n}",)
    ),
    "assign tag": Trial(
        lambda w, c: w.services.tags.assign(c, w.dataset, ("b",), w.tag()),
        ("ADD_ATTRIBUTE ON TABLE {d}.t", "ADD_ATTRIBUTE ON ATTRIBUTE NAMESPACE {n}"),
    ),
    "unassign tag": Trial(
        lambda w, c: w.services.tags.unassign(c, w.dataset, ("a",), w.tag()),
        ("REMOVE_ATTRIBUTE ON TABLE {d}.t", "REMOVE_ATTRIBUTE ON ATTRIBUTE NAMESPACE {n}"),
    ),
    "create rule": Trial(
        lambda w, c: w.services.tags.create_rule(c, _rule(w)),
        ("ALTER ON ATTRIBUTE NAMESPACE {n}",),
    ),
    "drop rule": Trial(
        lambda w, c: w.services.tags.drop_rule(c, f"rule_{w.names['n']}"),
        ("ALTER ON ATTRIBUTE NAMESPACE {n}",),
    ),
    "create role": Trial(
        lambda w, c: w.services.roles.create(c, w.names["free"]),
        ("CREATE_ROLE_AS_OWNER ON CATALOG",),
    ),
    "drop role": Trial(lambda w, c: w.services.roles.drop(c, w.names["r"]), ("DROP ON ROLE {r}",)),
    "map group": Trial(
        lambda w, c: w.services.roles.map_group(c, w.names["r"], "g"),
        ("MANAGE_GROUPS ON ROLE {r}",),
    ),
    "unmap group": Trial(
        lambda w, c: w.services.roles.unmap_group(c, w.names["r"], w.names["g"]),
        ("MANAGE_GROUPS ON ROLE {r}",),
    ),
    "role history": Trial(
        lambda w, c: w.services.roles.history(c, w.names["r"]), ("SHOW ON ROLE {r}",)
    ),
    "grant by option": Trial(
        lambda w, c: _granted(w, c, "GRANT SELECT ON TABLE {d}.t TO ROLE {r}"),
        (_MANAGING, "SELECT ON DATABASE {d} TO ROLE mine WITH GRANT OPTION"),
    ),
    "grant by managing": Trial(
        lambda w, c: _granted(w, c, "GRANT ALTER ON TABLE {d}.t TO ROLE {r}"),
        (_MANAGING, "MANAGE_GRANTS ON TABLE {d}.t"),
    ),
    "revoke": Trial(
        lambda w, c: _revoked(w, c, "REVOKE SELECT ON DATABASE {d} FROM ROLE {r}"),
        (_MANAGING, "MANAGE_GRANTS ON DATABASE {d}"),
    ),
    "deny": Trial(
        lambda w, c: _granted(
            w, c, "DENY SELECT ON DATABASE {d} HAVING ATTRIBUTE {n}.k FROM ROLE {r}"
        ),
        (_MANAGING, "MANAGE_GRANTS ON DATABASE {d}"),
    ),
    "crawl": Trial(
        lambda w, c: crawl(w.services, c, f"{w.names['c']}_new", w.names["path"]),
        ("CREATE_CRAWLER_AS_OWNER ON CATALOG", "SELECT ON URI 'file://{path}'"),
    ),
    "crawl by files": Trial(
        lambda w, c: w.services.crawls.set_single_files(c, w.names["c"], True),
        ("ALTER ON CRAWLER {c}",),
    ),
    "forget what was found": Trial(
        lambda w, c: w.services.crawls.forget(c, w.names["c"], "found"),
        ("ALTER ON CRAWLER {c}",),
    ),
    "crawl again": Trial(
        lambda w, c: crawl(w.services, c, w.names["c"], w.names["path"]),
        ("ALTER ON CRAWLER {c}", "SELECT ON URI 'file://{path}'"),
    ),
    "schedule a crawl": Trial(
        lambda w, c: w.services.crawls.schedules.put(c, w.names["c"], "0 3 * * *"),
        ("ALTER ON CRAWLER {c}", "SELECT ON URI 'file://{path}'"),
    ),
    "cancel a crawl": Trial(_cancelled, ("ALTER ON CRAWLER {c}",)),
    "see a crawl": Trial(
        lambda w, c: w.services.crawls.get(c, w.names["c"]), ("SHOW ON CRAWLER {c}",)
    ),
    "register": Trial(_registered, (*_ON_FOUND, "CREATE ON DATABASE {d}")),
    "register into a new database": Trial(
        lambda w, c: _registered(w, c, new_database=True), (*_ON_FOUND, "CREATE ON CATALOG")
    ),
    "register with other tags": Trial(
        lambda w, c: _registered(w, c, columns={"b": ColumnEdit(tags=(w.tag(),))}),
        (
            *_ON_FOUND,
            "CREATE ON DATABASE {d}",
            "ADD_ATTRIBUTE ON ATTRIBUTE NAMESPACE {n}",
        ),
    ),
    "create a token domain": Trial(
        lambda w, c: w.services.domains.create(
            c, f"{w.names['n']}_new", CanonicalType.TEXT, [w.tag("other")]
        ),
        ("ALTER ON ATTRIBUTE NAMESPACE {n}",),
    ),
    "rotate a token domain": Trial(
        lambda w, c: w.services.domains.rotate(c, f"{w.names['n']}.k"),
        ("ALTER ON TOKEN DOMAIN {n}.k",),
    ),
    "retire a token domain": Trial(
        lambda w, c: w.services.domains.retire(c, f"{w.names['n']}_shared"),
        ("ALTER ON TOKEN DOMAIN {n}_shared",),
    ),
    "admit to a token domain": Trial(
        lambda w, c: w.services.domains.admit(c, f"{w.names['n']}_shared", w.dataset),
        ("ALTER ON TOKEN DOMAIN {n}_shared", "ALTER ON TABLE {d}.t"),
    ),
    "expel from a token domain": Trial(
        lambda w, c: w.services.domains.expel(c, f"{w.names['n']}.k", w.dataset),
        ("ALTER ON TOKEN DOMAIN {n}.k", "ALTER ON TABLE {d}.t"),
    ),
    "report on tokens": Trial(
        lambda w, c: w.services.token_risks.of_column(c, w.dataset, "a"),
        ("VIEW_COMPLETE_METADATA ON TABLE {d}.t",),
    ),
    "explain others": Trial(
        lambda w, c: w.services.explanations.explain(c, w.dataset, "root", ()),
        ("VIEW_COMPLETE_METADATA ON TABLE {d}.t",),
    ),
    "read the audit of others": Trial(
        lambda w, c: w.services.audits.list(c, user="root"), ("VIEW_AUDIT ON CATALOG",)
    ),
}


ADMINISTRATORS: Mapping[str, Do] = {
    "issue a token": lambda w, c: w.services.sessions.issue(c, "x", (), None),
    "create a user": lambda w, c: w.services.sessions.create_user(
        c, w.names["free"], "long enough password", ()
    ),
    "drop a user": lambda w, c: w.services.sessions.drop_user(c, "root"),
    "revoke tokens": lambda w, c: w.services.sessions.revoke(c, w.names["free"]),
    "list users": lambda w, c: w.services.sessions.list_users(c),
    "see attributes": lambda w, c: w.services.sessions.attributes_of(c, "root"),
    "write a token map": lambda w, c: w.services.token_maps.start(c, f"{w.names['n']}.k"),
    "see token maps": lambda w, c: w.services.token_maps.list(c),
    "turn keys": lambda w, c: w.services.sessions.rotate_signing_keys(c),
}
"""What no grant gives: whoever issues tokens is everybody."""
