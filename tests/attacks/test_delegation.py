"""Ways to more than was delegated: by granting to oneself, by names, by paths, by time."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from privet.model.errors import Conflict, Forbidden, InvalidRequest, NotFound, PrivetError
from privet.model.names import DatasetName, owner_role
from privet.service.crawls import Registration
from query.platforms import Person, Place, open_place
from service.administration import ACTS, ADMINISTRATORS, World, crawl, execute, holder, open_world

REFUSED = (Forbidden, NotFound)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A platform; each test has a world of its own on it."""
    with open_place(tmp_path_factory.mktemp("delegation") / "platform") as place:
        yield place


@pytest.fixture
def world(place: Place) -> World:
    """Things that nobody has a right on yet."""
    return open_world(place)


def tries(world: World, person: Person, *statements: str) -> None:
    """Every one of them is refused, and changes nothing."""
    before = world.place.platform.catalog.version()
    for statement in statements:
        text = world.text(statement.replace("MINE", person.role))
        with pytest.raises(REFUSED):
            world.services.statements.execute(person.caller, text)
    assert world.place.platform.catalog.version() == before


def test_granting_to_oneself(world: World) -> None:
    """Managing one's own role is not managing what it may be granted, and the other way round."""
    of_role = holder(world)
    execute(world, f"GRANT ALL ON ROLE {of_role.role} TO ROLE {of_role.role}")
    tries(
        world,
        of_role,
        "GRANT SELECT ON TABLE {d}.t TO ROLE MINE",
        "GRANT ALL ON CATALOG TO ROLE MINE",
        "GRANT MANAGE_GRANTS ON DATABASE {d} TO ROLE MINE",
        "GRANT MANAGE_GROUPS ON ROLE {r} TO ROLE MINE",
    )
    of_data = holder(world, "MANAGE_GRANTS ON DATABASE {d}", "ALL ON TABLE {d}.t")
    tries(
        world,
        of_data,
        "GRANT SELECT ON TABLE {d}.t TO ROLE MINE",
        "GRANT SELECT ON TABLE {d}.t TO ROLE public_role",
        "GRANT SELECT ON TABLE {d}.t TO ROLE {r}",
    )


def test_no_more_than_one_sees(world: World) -> None:
    """A part with grant option is for that part, whoever is to have it."""
    person = holder(world, "SELECT ON TABLE {d}.t WHERE b = 'x' TO ROLE mine WITH GRANT OPTION")
    execute(world, f"GRANT ALL ON ROLE {person.role} TO ROLE {person.role}")
    tries(
        world,
        person,
        "GRANT SELECT ON TABLE {d}.t TO ROLE MINE",
        "GRANT SELECT ON TABLE {d}.t WHERE b = 'x' OR b = 'y' TO ROLE MINE",
        "GRANT SELECT ON DATABASE {d} WHERE b = 'x' TO ROLE MINE",
        "GRANT ALL ON TABLE {d}.t WHERE b = 'x' TO ROLE MINE",
    )
    same = f"GRANT SELECT(a) ON TABLE {{d}}.t WHERE b = 'x' TO ROLE {person.role}"
    world.services.statements.execute(person.caller, world.text(same))


def test_chains_of_grant_options(world: World) -> None:
    """Each link hands on what it has itself; one without the option hands on nothing."""
    first = holder(
        world,
        "SELECT ON TABLE {d}.t TO ROLE mine WITH GRANT OPTION",
        "MANAGE_PERMISSIONS ON ROLE {r}",
    )
    second, third = holder(world), holder(world)
    for giver, taker in ((first, second), (second, third)):
        execute(world, f"GRANT MANAGE_PERMISSIONS ON ROLE {taker.role} TO ROLE {giver.role}")
    execute_as = world.services.statements.execute
    grant = world.text(f"GRANT SELECT(a) ON TABLE {{d}}.t TO ROLE {second.role}")
    execute_as(first.caller, f"{grant} WITH GRANT OPTION")
    tries(world, second, f"GRANT SELECT ON TABLE {{d}}.t TO ROLE {third.role}")
    execute_as(second.caller, world.text(f"GRANT SELECT(a) ON TABLE {{d}}.t TO ROLE {third.role}"))
    tries(world, third, f"GRANT SELECT(a) ON TABLE {{d}}.t TO ROLE {second.role}")
    execute(world, f"REVOKE SELECT(a) ON TABLE {{d}}.t FROM ROLE {second.role}")
    tries(world, second, f"GRANT SELECT(a) ON TABLE {{d}}.t TO ROLE {third.role} WITH GRANT OPTION")


def test_outliving_ones_own_right(world: World) -> None:
    """What ends one day is not made to last by granting it to oneself again."""
    end = "POLICYPROPERTIES('end_datetime'='4000000000')"
    person = holder(world, f"MANAGE_GRANTS ON DATABASE {{d}} TO ROLE mine {end}")
    execute(world, f"GRANT ALL ON ROLE {person.role} TO ROLE {person.role}")
    tries(
        world,
        person,
        "GRANT MANAGE_GRANTS ON DATABASE {d} TO ROLE MINE",
        "GRANT SELECT ON DATABASE {d} TO ROLE MINE",
        "GRANT SELECT ON DATABASE {d} TO ROLE MINE POLICYPROPERTIES('end_datetime'='4000000001')",
    )


def test_getting_rid_of_a_safeguard(world: World) -> None:
    """Neither by dropping it, switching it off, leaving its role nor dropping that."""
    execute(world, "RESTRICT SELECT ON DATABASE {d} WHERE b = 'x' FROM ROLE {r}")
    person = holder(world, "ALL ON ROLE {r}", "ALL ON DATABASE {d}")
    tries(
        world,
        person,
        "DROP RESTRICT SELECT ON DATABASE {d} WHERE b = 'x' FROM ROLE {r}",
        "RESTRICT SELECT ON DATABASE {d} WHERE b = 'x' FROM ROLE {r}"
        " POLICYPROPERTIES('enabled'='false')",
        "REVOKE ROLE {r} FROM GROUP {g}",
        "DROP ROLE {r}",
    )
    execute(world, f"GRANT MANAGE_GRANTS ON DATABASE {{d}} TO ROLE {person.role}")
    world.services.statements.execute(person.caller, world.text("DROP ROLE {r}"))


def test_a_refusal_over_safeguards_names_none(world: World) -> None:
    """They may be on what the manager of a role knows nothing of."""
    execute(world, "RESTRICT SELECT ON DATABASE {d} WHERE b = 'x' FROM ROLE {r}")
    person = holder(world, "ALL ON ROLE {r}")
    with pytest.raises(Forbidden) as refused:
        world.services.statements.execute(person.caller, world.text("DROP ROLE {r}"))
    assert world.names["d"] not in str(refused.value)


@pytest.mark.parametrize("name", ["_owner_bob", "_OWNER_bob", "_owner__" + "0" * 64])
def test_roles_of_owners_are_made_by_nobody(world: World, name: str) -> None:
    """Whoever made the role of somebody else's property would manage it."""
    person = holder(world, "CREATE_ROLE_AS_OWNER ON CATALOG")
    for caller in (person.caller, world.place.admin.caller):
        with pytest.raises(InvalidRequest):
            world.services.statements.execute(caller, f"CREATE ROLE {name}")


@given(
    st.lists(
        st.tuples(st.text(min_size=1, max_size=6), st.sampled_from(["privet", "x"])), min_size=2
    )
)
def test_no_two_users_share_an_owners_role(users: list[tuple[str, str]]) -> None:
    """Whatever they are called, and by whom."""
    distinct = {*users}
    assert len({owner_role(user, issuer) for user, issuer in distinct}) == len(distinct)
    digest = owner_role("not an identifier", "privet").removeprefix("_owner_")
    assert owner_role(digest, "privet") != owner_role("not an identifier", "privet")


def test_an_owners_right_over_their_role_is_nobodys(world: World) -> None:
    """They cannot put others into it, nor more: only administrators."""
    person = holder(world, "CREATE_AS_OWNER ON CATALOG")
    world.services.databases.create(person.caller, world.names["free"])
    role = f"_owner_{person.user}"
    tries(
        world,
        person,
        f"GRANT ROLE {role} TO GROUP x",
        f"GRANT SELECT ON DATABASE {{d}} TO ROLE {role}",
        f"DROP ROLE {role}",
    )


def test_a_role_that_filters_ask_for_is_not_made_anew(world: World) -> None:
    """Its maker would manage who holds it, and so meet the filters."""
    execute(world, "GRANT SELECT ON TABLE {d}.t WHERE has_roles('{r}') TO ROLE public_role")
    with pytest.raises(Conflict):
        world.services.roles.drop(world.place.admin.caller, world.names["r"])
    execute(world, "REVOKE SELECT ON TABLE {d}.t WHERE has_roles('{r}') FROM ROLE public_role")
    world.services.roles.drop(world.place.admin.caller, world.names["r"])


def test_a_tag_of_another_namespace(world: World) -> None:
    """Each needs its own; a tag on a dataset needs both."""
    other = open_world(world.place)
    person = holder(world, "ALL ON ATTRIBUTE NAMESPACE {n}", "ALL ON TABLE {d}.t")
    tags = world.services.tags
    for refused in (
        lambda: tags.create(person.caller, other.tag("new")),
        lambda: tags.assign(person.caller, world.dataset, ("a",), other.tag()),
        lambda: tags.assign(person.caller, other.dataset, ("a",), world.tag()),
    ):
        with pytest.raises(REFUSED):
            refused()
    tags.assign(person.caller, world.dataset, ("b",), world.tag())


@pytest.mark.parametrize("user", ["ann", "Ann", "ann.b", "${user}", "../ann", "ann/x", "a" * 129])
def test_names_of_users_in_scopes(world: World, user: str) -> None:
    """`${user}` gives exactly one's own, and nothing to a name that is no part of such a name."""
    role = world.names["r"]
    execute(world, "GRANT ALL ON DATABASE `{d}_${{user}}` TO ROLE {r}")
    world.place.platform.catalog.roles.map_group(role, f"user:{user}")
    person = world.place.person(user=user)
    catalog = world.place.platform.catalog.databases
    for owner in ("ann", "bob", ""):
        name = f"{world.names['d']}_{owner}"
        if catalog.find(name) is None:
            catalog.create(name, by="root")
        if owner == user:
            world.services.databases.drop(person.caller, name)
        else:
            with pytest.raises(REFUSED):
                world.services.databases.drop(person.caller, name)


def test_registering_another_path(world: World) -> None:
    """Neither what somebody else crawled, nor by a link, nor beside one's own folder."""
    lake, name = world.found.parent, world.names["c"]
    mine = lake.with_name(f"{lake.name}_mine")
    mine.mkdir()
    (mine / "link").symlink_to(world.found)
    right = f"SELECT ON URI 'file://{mine}'"
    person = holder(world, right, "CREATE_CRAWLER_AS_OWNER ON CATALOG", "CREATE ON DATABASE {d}")
    crawls = world.services.crawls
    for path in (world.found, mine / "link", mine / ".." / lake.name, lake.parent, f"{mine}x"):
        with pytest.raises(REFUSED):
            crawls.start(person.caller, f"{name}_x", str(path))
    wanted = Registration("found", DatasetName(world.names["d"], "stolen"))
    with pytest.raises(NotFound):
        crawls.register(person.caller, name, wanted)
    execute(world, f"GRANT SHOW ON CRAWLER {{c}} TO ROLE {person.role}")
    with pytest.raises(Forbidden):
        crawls.register(person.caller, name, wanted)


def test_taking_over_a_crawl(world: World) -> None:
    """Another's name is taken, and says so."""
    person = holder(world, "CREATE_CRAWLER_AS_OWNER ON CATALOG", "SELECT ON URI 'file://{path}'")
    with pytest.raises(Conflict):
        world.services.crawls.start(person.caller, world.names["c"], world.names["path"])
    with pytest.raises(NotFound):
        world.services.crawls.get(person.caller, world.names["c"])
    crawl(world.services, person.caller, f"{world.names['c']}_2", world.names["path"])


def test_guessing_names_by_hints(world: World) -> None:
    """A statement with a wrong name is not corrected to what its author may not know."""
    person = holder(world, "MANAGE_GRANTS ON DATABASE {d}_empty", "MANAGE_PERMISSIONS ON ROLE {r}")
    execute(world, "CREATE ROLE secret_{free}")
    near = world.text("secret_{free}x")
    with pytest.raises(PrivetError) as refused:
        world.services.statements.execute(
            person.caller,
            world.text("GRANT SELECT ON DATABASE {d}_empty WHERE has_roles('")
            + near
            + world.text("') TO ROLE {r}"),
        )
    assert world.text("secret_{free}`") not in str(refused.value)


def test_ids_of_permissions_tell_nothing(world: World) -> None:
    """One that exists is refused like one that does not."""
    (stored, *_) = world.place.platform.catalog.permissions.list(role=world.names["r"])
    person = holder(world, "CREATE ON CATALOG")
    said: list[str] = []
    for identifier in (stored.id, "nothing"):
        with pytest.raises(PrivetError) as refused:
            world.services.permissions.revoke_by_id(person.caller, identifier)
        said.append(str(refused.value).replace(identifier, "ID"))
    assert said[0] == said[1]
    events = world.services.audits.list(person.caller)
    assert not any(world.names["d"] in f"{e.object} {e.statement}" for e in events)


READING = (
    "SELECT ON TABLE {d}.t",
    "SELECT(a) ON DATABASE {d}",
    "SELECT ON DATABASE {d} WHERE a = 1",
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.sampled_from(sorted({*ACTS, *ADMINISTRATORS})),
    st.lists(st.sampled_from(READING), max_size=3),
)
def test_who_holds_no_right_changes_nothing(place: Place, name: str, grants: list[str]) -> None:
    """Whatever they may read: no act is done, the catalog stays, and they still read only that."""
    world = open_world(place)
    person = holder(world, *dict.fromkeys(grants))
    before = place.platform.catalog.version()
    do = ACTS[name].do if name in ACTS else ADMINISTRATORS[name]
    with pytest.raises(REFUSED):
        do(world, person.caller)
    assert place.platform.catalog.version() == before
    listed = world.services.datasets.list(person.caller)
    assert {v.dataset.name for v in listed} == ({world.dataset} if grants else set[DatasetName]())
    if grants:
        assert isinstance(place.scan(person, str(world.dataset)), pa.Table)
