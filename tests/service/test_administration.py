"""Delegated administration through the real use cases: each act, with and without its rights."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pytest

from privet.model.errors import Forbidden, NotFound, PrivetError
from privet.model.events import Outcome
from privet.model.names import DatasetName
from privet.policy import to_sql
from privet.service import Caller
from query.platforms import Place, open_place
from service.administration import ACTS, ADMINISTRATORS, World, execute, holder, open_world

PAST = "POLICYPROPERTIES('end_datetime'='1000')"
OFF = "POLICYPROPERTIES('enabled'='false')"
REFUSED = (Forbidden, NotFound)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A platform; each test has a world of its own on it."""
    with open_place(tmp_path_factory.mktemp("administration") / "platform") as place:
        yield place


@pytest.fixture
def world(place: Place) -> World:
    """Things that nobody has a right on yet."""
    return open_world(place)


@pytest.mark.parametrize("name", ACTS)
def test_an_act_is_done_with_its_rights(world: World, name: str) -> None:
    """And is on record with the grants that gave them, if it is recorded at all."""
    act = ACTS[name]
    person = holder(world, *act.needs)
    act.do(world, person.caller)
    stored = world.place.platform.catalog.permissions.list(role=person.role)
    recorded = world.place.platform.audit.list_events(user=person.user)
    fired = {i for event in recorded for i in event.permissions}
    assert fired <= {p.id for p in stored}
    if name not in {"role history", "see a crawl", "explain others"}:
        assert fired == {p.id for p in stored}
        assert not any(event.bypass for event in recorded)


@pytest.mark.parametrize("name", ACTS)
def test_every_right_is_needed(world: World, name: str) -> None:
    """Without any one of them it is refused, on record, and nothing has happened."""
    act = ACTS[name]
    for missing in act.needs:
        person = holder(world, *(n for n in act.needs if n != missing))
        before = world.place.platform.catalog.version()
        with pytest.raises(REFUSED):
            act.do(world, person.caller)
        assert world.place.platform.catalog.version() == before, missing
        assert world.place.platform.audit.list_events(user=person.user, outcome=Outcome.REFUSED)


@pytest.mark.parametrize("name", ACTS)
def test_rights_that_are_not_active_are_none(world: World, name: str) -> None:
    """Expired, or switched off."""
    for also in (PAST, OFF):
        person = holder(world, *ACTS[name].needs, also=also)
        with pytest.raises(REFUSED):
            ACTS[name].do(world, person.caller)


@pytest.mark.parametrize("name", ACTS)
def test_all_on_the_catalog_is_enough(world: World, name: str) -> None:
    """With grant option, for what hands something on."""
    person = holder(world, "ALL ON CATALOG TO ROLE mine WITH GRANT OPTION")
    ACTS[name].do(world, person.caller)


@pytest.mark.parametrize("name", ACTS)
def test_administrators_pass_every_rule(world: World, name: str) -> None:
    """By no grant."""
    ACTS[name].do(world, world.place.admin.caller)


@pytest.mark.parametrize("name", ADMINISTRATORS)
def test_some_acts_are_for_administrators(world: World, name: str) -> None:
    """Whatever is granted."""
    person = holder(world, "ALL ON CATALOG TO ROLE mine WITH GRANT OPTION")
    with pytest.raises(REFUSED):
        ADMINISTRATORS[name](world, person.caller)


def said(world: World, caller: Caller, statement: str) -> tuple[str, str, str]:
    """How a statement is refused."""
    with pytest.raises(PrivetError) as refused:
        world.services.statements.execute(caller, statement)
    error = refused.value
    return error.code, error.message, error.hint


STATEMENTS = (
    "DROP DATABASE {d}",
    "DROP ROLE {r}",
    "GRANT ROLE {r} TO GROUP x",
    "REVOKE ROLE {r} FROM GROUP x",
    "GRANT SELECT ON DATABASE {d} TO ROLE {r}",
    "REVOKE SELECT ON DATABASE {d} FROM ROLE {r}",
    "RESTRICT SELECT ON DATABASE {d} WHERE a = 1 FROM ROLE {r}",
    "DESCRIBE {d}.t",
)


@pytest.mark.parametrize("statement", STATEMENTS)
def test_hidden_and_absent_read_alike(world: World, statement: str) -> None:
    """For somebody without a right on it, who has rights elsewhere."""
    grants = ("ALL ON DATABASE {d}_empty", "CREATE ON CATALOG", "CREATE_ROLE_AS_OWNER ON CATALOG")
    caller = holder(world, *grants).caller
    hidden = said(world, caller, world.text(statement))
    absent = said(world, caller, statement.format(d="no_d", r="no_r"))
    names = world.names
    assert hidden == tuple(
        text.replace("no_d", names["d"]).replace("no_r", names["r"]) for text in absent
    )
    assert hidden[0] == "not_found"


# Statements about permissions say which of their names is unknown, to those who may write them.
NAMING = tuple(s for s in STATEMENTS if not s.startswith(("RESTRICT", "GRANT SELECT", "REVOKE")))


@pytest.mark.parametrize("statement", NAMING)
def test_what_is_absent_reads_as_the_catalog_says_it(world: World, statement: str) -> None:
    """To those with a right on all such objects nothing else is said."""
    text = statement.format(d="no_d", r="no_r")
    everything = holder(world, "ALL ON CATALOG TO ROLE mine WITH GRANT OPTION")
    assert said(world, everything.caller, text) == said(world, holder(world).caller, text)


def test_a_refusal_names_the_right(world: World) -> None:
    """To those who know the object."""
    reader = holder(world, "SELECT ON TABLE {d}.t", "SHOW ON ROLE {r}")
    for statement, right in (
        ("DROP DATABASE {d}", "DROP on DATABASE {d}"),
        ("GRANT ROLE {r} TO GROUP x", "MANAGE_GROUPS on ROLE {r}"),
        ("CREATE DATABASE x", "CREATE on CATALOG"),
        ("CREATE ATTRIBUTE {n}.z", "CREATE on ATTRIBUTE NAMESPACE {n}"),
    ):
        code, message, hint = said(world, reader.caller, world.text(statement))
        assert (code, message) == ("forbidden", f"this needs {world.text(right)}")
        assert hint


# ---- listings


def test_roles_are_listed_as_far_as_known(world: World) -> None:
    """Held ones with one's own groups, those with a right with all; nothing else."""
    person = holder(world, "MANAGE_GROUPS ON ROLE {r}")
    stranger = holder(world)
    mine = {role.name: role for role in world.services.roles.list(person.caller)}
    assert {*mine} == {person.role, world.names["r"], "public_role"}
    assert mine[world.names["r"]].groups == (("privet", world.names["g"]),)
    theirs = {role.name for role in world.services.roles.list(stranger.caller)}
    assert theirs == {stranger.role, "public_role"}


def test_permissions_are_listed_as_far_as_known(world: World) -> None:
    """One's own plain grants; those of managed roles and objects; never what names the hidden."""
    list_them = world.services.permissions.list
    plain, filtered = "SELECT ON TABLE {d}.t", "SELECT ON TABLE {d}.t WHERE b = 'x'"
    reader = holder(world, plain, "SELECT ON DATABASE {d} HAVING ATTRIBUTE {n}.k")
    assert [p.having for p in list_them(reader.caller)] == [None]
    assert list_them(holder(world, filtered).caller) == ()
    managing = holder(world, "MANAGE_GRANTS ON DATABASE {d}")
    names = {p.role for p in list_them(managing.caller, database=world.names["d"])}
    assert names >= {reader.role, world.names["r"]}
    of_role = holder(world, "MANAGE_PERMISSIONS ON ROLE {r}")
    assert len(list_them(of_role.caller, role=world.names["r"])) == 1
    assert list_them(reader.caller, role=world.names["r"]) == ()


def test_a_grant_on_what_a_safeguard_hides_is_not_listed(world: World) -> None:
    """It would name what reads as absent."""
    reader = holder(world, "SELECT ON TABLE {d}.t")
    taken = "DENY SELECT ON TABLE {d}.t HAVING ATTRIBUTE {n}.k OR NOT {n}.k"
    execute(world, f"{taken} FROM ROLE {reader.role}")
    assert world.services.datasets.list(reader.caller) == ()
    assert world.services.permissions.list(reader.caller) == ()


def test_datasets_are_listed_for_those_with_a_right(world: World) -> None:
    """Without columns, unless they may see what it consists of."""
    datasets = world.services.datasets
    for grants, shown, full in (
        ((), None, False),
        (("DROP ON TABLE {d}.t",), 0, False),
        (("SHOW ON DATABASE {d}",), 0, False),
        (("ALTER ON TABLE {d}.t",), 0, True),
        (("VIEW_COMPLETE_METADATA ON CATALOG",), 0, True),
        (("CREATE ON DATABASE {d}",), None, False),
        (("SELECT(a) ON TABLE {d}.t",), 1, False),
    ):
        caller = holder(world, *grants).caller
        views = datasets.list(caller, world.names["d"])
        assert [len(v.decision.visible) for v in views] == ([] if shown is None else [shown])
        assert [v.full for v in views] == ([] if shown is None else [full])
        listed = world.names["d"] in {d.name for d in datasets.list_databases(caller)}
        assert listed is (shown is not None or "CREATE" in "".join(grants))


def test_a_crawl_names_no_dataset_that_its_reader_does_not_know(world: World) -> None:
    """Only that the path is taken."""
    ACTS["register"].do(world, world.place.admin.caller)
    crawler = holder(world, "SHOW ON CRAWLER {c}")
    (found,) = world.services.crawls.get(crawler.caller, world.names["c"]).found
    assert (found.registered_as, found.problem) == (None, "the path is registered already")
    knowing = holder(world, "SHOW ON CRAWLER {c}", "SHOW ON DATABASE {d}")
    (found,) = world.services.crawls.get(knowing.caller, world.names["c"]).found
    assert found.registered_as == DatasetName(world.names["d"], "made")


def test_the_audit_of_a_database(world: World) -> None:
    """What happened in it, by anybody; not what has its name by chance, nor other statements."""
    d = world.names["d"]
    services, admin = world.services, world.place.admin.caller
    execute(world, f"CREATE ROLE {d}")
    execute(world, "GRANT SELECT ON TABLE {d}.t TO ROLE {r} POLICYPROPERTIES('name'='x')")
    asked = world.place.ask(world.place.admin, f"SELECT * FROM {d}.t")
    assert asked.table is not None, asked.error
    auditor = holder(world, "VIEW_AUDIT ON DATABASE {d}")
    events = [e for e in services.audits.list(auditor.caller) if e.user != auditor.user]
    assert {e.object.partition(".")[0] for e in events} == {d}
    actions = {e.action for e in events}
    assert {"permission.create", "query.start"} <= actions
    assert not actions & {"role.create", "crawl.start", "session.login"}
    assert not any(e.statement for e in events if e.action.startswith("query."))
    assert services.audits.list(auditor.caller, user="root")
    assert len(services.audits.list(admin, user="root")) > len(events)


# ---- owners


OWNED = (
    ("create database", "CREATE_AS_OWNER ON CATALOG", "DATABASE {free}"),
    ("create role", "CREATE_ROLE_AS_OWNER ON CATALOG", "ROLE {free}"),
    ("crawl", "CREATE_CRAWLER_AS_OWNER ON CATALOG", "CRAWLER {c}_new"),
    ("register", "CREATE_AS_OWNER ON DATABASE {d}", "TABLE {d}.made"),
)


@pytest.mark.parametrize(("name", "right", "owned"), OWNED)
def test_creators_as_owners_have_what_they_created(
    world: World, name: str, right: str, owned: str
) -> None:
    """ALL on it, by a role of theirs alone; with ALL on what is around it there is no need."""
    also = [n for n in ACTS[name].needs if "CREATE" not in n]
    person = holder(world, right, *also)
    ACTS[name].do(world, person.caller)
    role = f"_owner_{person.user}"
    stored = world.place.platform.catalog.permissions.list(role=role)
    assert [to_sql(p) for p in stored] == [f"GRANT ALL ON {world.text(owned)} TO ROLE {role}"]
    assert role in world.services.sessions.whoami(person.caller).roles
    stranger = world.place.person()
    assert role not in world.services.sessions.whoami(stranger.caller).roles


def test_no_owner_is_made_where_all_is_held(world: World) -> None:
    """As the original does."""
    person = holder(world, "ALL ON CATALOG")
    ACTS["create database"].do(world, person.caller)
    assert f"_owner_{person.user}" not in world.services.sessions.whoami(person.caller).roles


def test_what_an_owner_had_ends_with_it(world: World) -> None:
    """Whoever makes another one of that name does not share it with them."""
    first, second = (holder(world, "CREATE_AS_OWNER ON CATALOG") for _ in range(2))
    databases, name = world.services.databases, world.names["free"]
    databases.create(first.caller, name)
    databases.drop(first.caller, name)
    databases.create(second.caller, name)
    with pytest.raises(NotFound):
        databases.drop(first.caller, name)
    databases.drop(second.caller, name)


# ---- history


def test_the_history_of_a_role(world: World) -> None:
    """Who changed it, its groups and its permissions; only what was done, latest first."""
    name = world.names["free"]
    person = holder(world, "CREATE_ROLE_AS_OWNER ON CATALOG")
    roles = world.services.roles
    roles.create(person.caller, name)
    roles.map_group(person.caller, name, "g")
    execute(world, f"GRANT SELECT ON DATABASE {{d}} TO ROLE {name}")
    with pytest.raises(PrivetError):
        world.services.statements.execute(person.caller, f"GRANT SELECT ON CATALOG TO ROLE {name}")
    roles.unmap_group(person.caller, name, "g")
    events = roles.history(person.caller, name)
    assert [(e.action, e.user) for e in events] == [
        ("role.revoke", person.user),
        ("permission.create", "root"),
        ("role.grant", person.user),
        ("role.create", person.user),
    ]
    assert world.names["d"] in events[1].statement
    assert roles.history(person.caller, name, limit=1, before=events[0].id) == events[1:2]
    with pytest.raises(NotFound):
        roles.history(holder(world).caller, name)
    roles.drop(person.caller, name)
    assert roles.history(world.place.admin.caller, name)[0].action == "role.delete"
    with pytest.raises(NotFound):
        roles.history(world.place.admin.caller, world.place.unique("never"))


@pytest.mark.parametrize("drop", ["TABLE {}.t", "DATABASE {} CASCADE"])
def test_what_goes_with_an_object_is_in_the_history(world: World, drop: str) -> None:
    """Each permission that a DROP takes along is told of its role; a refused one tells nothing."""
    database, role = world.place.unique("gone"), world.place.unique("role")
    admin = world.place.admin.caller
    world.services.roles.create(admin, role)
    world.place.dataset(pa.table({"id": [1]}), f"{database}.t")
    run = world.services.statements.execute
    run(admin, f"GRANT SELECT ON TABLE {database}.t TO ROLE {role}")
    statement = f"DROP {drop.format(database)} INCLUDING PERMISSIONS"
    with pytest.raises(PrivetError):
        run(holder(world).caller, statement)
    assert world.services.roles.history(admin, role)[0].action == "permission.create"
    run(admin, statement)
    event = world.services.roles.history(admin, role)[0]
    assert (event.action, event.user) == ("permission.delete", "root")
    assert event.statement == f"REVOKE SELECT ON TABLE {database}.t FROM ROLE {role}"
    assert world.place.platform.catalog.permissions.list(role=role) == ()
