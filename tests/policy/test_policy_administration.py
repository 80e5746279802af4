"""Who may administer what: the law alone, over grants as values."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privet.model.names import DatasetName
from privet.model.permissions import (
    CATALOG,
    AccessLevel,
    Permission,
    Rights,
    Scope,
    ScopeKind,
    on_crawler,
    on_database,
    on_dataset,
    on_namespace,
    on_role,
    on_token_domain,
)
from privet.model.principals import Principal
from privet.policy import Grant, Need, Passing, judge, may, may_pass, parse, reach

NOW = datetime(2030, 1, 1, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
TABLE = on_dataset(DatasetName("d", "t"))
OBJECTS = (
    CATALOG,
    on_database("d"),
    on_database("e"),
    TABLE,
    on_dataset(DatasetName("e", "t")),
    on_role("r"),
    on_namespace("n"),
    on_crawler("c"),
    Scope(ScopeKind.URI, name="s3://b/a"),
    Scope(ScopeKind.URI, name="s3://b/a/x"),
    Scope(ScopeKind.URI, name="s3://b/ab"),
    on_token_domain("phi.mrn"),
)
LEVELS = tuple(AccessLevel)


def permission(statement: str) -> Permission:
    """The permission of a statement; without a role it is of role `mine`."""
    parsed = parse(statement if " TO ROLE " in statement else f"{statement} TO ROLE mine")
    assert isinstance(parsed, Grant)
    return replace(parsed.permission, id=statement)


def rights(*statements: str, user: str = "ann", admin: bool = False) -> Rights:
    """What somebody holds."""
    held = tuple(permission(s) for s in statements)
    return Rights(Principal(user, admin=admin), 1, frozenset({"mine"}), held)


def on(level: AccessLevel, scope: Scope, **options: str) -> Permission:
    """A plain grant as a value."""
    return Permission(scope, "mine", level=level, properties=options, id="p")


def holds(held: Permission, level: AccessLevel, scope: Scope) -> bool:
    """Whether that grant alone gives a right."""
    return bool(may(Rights(Principal("ann"), 1, frozenset(), (held,)), level, scope, NOW))


@pytest.mark.parametrize("scope", OBJECTS, ids=str)
@pytest.mark.parametrize("level", LEVELS)
def test_a_level_on_an_object_gives_that_level_there(level: AccessLevel, scope: Scope) -> None:
    """And ALL gives every level but the one to hand it on, and the one to undo tokens."""
    if level is not AccessLevel.ALL:
        assert holds(on(level, scope), level, scope)
    every = on(AccessLevel.ALL, scope)
    apart = {AccessLevel.MANAGE_GRANTS, AccessLevel.DETOKENIZE}
    assert holds(every, level, scope) is (level not in apart)
    handed = replace(every, grant_option=True)
    assert holds(handed, level, scope) is (level is not AccessLevel.DETOKENIZE)


@pytest.mark.parametrize("outer", OBJECTS, ids=str)
@pytest.mark.parametrize("inner", OBJECTS, ids=str)
def test_containment(outer: Scope, inner: Scope) -> None:
    """The catalog holds all, a database its tables, a path longer ones by whole parts."""
    held = outer == inner or outer is CATALOG
    held |= (outer, inner) in {
        (on_database("d"), TABLE),
        (on_database("e"), on_dataset(DatasetName("e", "t"))),
        (OBJECTS[8], OBJECTS[9]),
    }
    assert holds(on(AccessLevel.DROP, outer), AccessLevel.DROP, inner) is held


@given(st.sampled_from(LEVELS), st.sampled_from(OBJECTS), st.sampled_from(LEVELS))
def test_a_level_gives_no_other(held: AccessLevel, scope: Scope, wanted: AccessLevel) -> None:
    """But for ALL, for what comes with creating as owner, and for knowing that it is there."""
    if held in {wanted, AccessLevel.ALL} or wanted is AccessLevel.SHOW:
        return
    expected = (held, wanted) == (AccessLevel.CREATE_AS_OWNER, AccessLevel.CREATE)
    assert holds(on(held, scope), wanted, scope) is expected


def test_creating_as_owner_is_for_one_place() -> None:
    """Databases of one's own: not tables in those of others."""
    mine = on(AccessLevel.CREATE_AS_OWNER, CATALOG)
    assert holds(mine, AccessLevel.CREATE, CATALOG)
    assert not holds(mine, AccessLevel.CREATE, on_database("d"))


@pytest.mark.parametrize(
    "clause",
    ["HAVING ATTRIBUTE phi.a", "TRANSFORM phi.a WITH mask()", "WHERE a = 1"],
)
def test_grants_of_parts_give_no_right(clause: str) -> None:
    """Columns, rows, transforms: these are for reading."""
    held = rights(f"GRANT ALL ON DATABASE d {clause}", "GRANT SELECT(a) ON DATABASE d")
    assert not any(may(held, level, on_database("d"), NOW) for level in LEVELS)


@pytest.mark.parametrize(
    ("properties", "active"),
    [
        ("'enabled'='false'", False),
        (f"'end_datetime'='{SECONDS}'", False),
        (f"'end_datetime'='{SECONDS + 1}'", True),
        (f"'start_datetime'='{SECONDS + 1}'", False),
        (f"'start_datetime'='{SECONDS}'", True),
    ],
)
def test_windows(properties: str, active: bool) -> None:
    """A right counts from its start until before its end, while it is enabled."""
    held = rights(f"GRANT DROP ON DATABASE d TO ROLE mine POLICYPROPERTIES({properties})")
    assert bool(may(held, AccessLevel.DROP, on_database("d"), NOW)) is active


@pytest.mark.parametrize(
    ("user", "gives"), [("ann", True), ("bob", False), ("ann.b", False), ("ANN", False)]
)
def test_per_user(user: str, gives: bool) -> None:
    """`${user}` is exactly the user's name, and nothing for a name that would not fit."""
    held = rights("GRANT ALL ON DATABASE `home_${user}`", user=user)
    assert bool(may(held, AccessLevel.CREATE, on_database("home_ann"), NOW)) is gives


def test_per_user_paths() -> None:
    """Within one's own folder, not beside it."""
    held = rights("GRANT SELECT ON URI 's3://b/${user}'", user="ann")
    for path, gives in (("ann", True), ("ann/x", True), ("anna", False), ("bob", False)):
        scope = Scope(ScopeKind.URI, name=f"s3://b/{path}")
        assert bool(may(held, AccessLevel.SELECT, scope, NOW)) is gives, path


def passes(held: Rights, statement: str, *, revoked: bool = False) -> bool:
    """Whether a permission may be handed on."""
    return bool(may_pass(held, Passing(permission(statement), revoked), NOW))


@pytest.mark.parametrize(
    ("held", "wanted", "gives"),
    [
        ("SELECT ON DATABASE d", "SELECT ON TABLE d.t", True),
        ("SELECT ON DATABASE d", "SELECT ON DATABASE d WHERE a = 1", True),
        ("SELECT ON DATABASE d", "SELECT(a) ON DATABASE d", True),
        ("SELECT ON DATABASE d", "SELECT ON CATALOG", False),
        ("SELECT ON DATABASE d", "SELECT ON DATABASE e", False),
        ("SELECT ON DATABASE d", "ALL ON DATABASE d", False),
        ("SELECT ON DATABASE d", "ALTER ON DATABASE d", False),
        ("SELECT ON DATABASE d", "SELECT ON DATABASE `d_${user}`", False),
        ("SELECT ON DATABASE d", "SELECT ON TABLE d.`t_${user}`", True),
        ("SELECT ON DATABASE `d_${user}`", "SELECT ON DATABASE d_ann", True),
        ("SELECT ON DATABASE `d_${user}`", "SELECT ON DATABASE `d_${user}`", False),
        ("ALL ON DATABASE d", "ALTER ON TABLE d.t", True),
        ("ALL ON DATABASE d", "MANAGE_GRANTS ON DATABASE d", True),
        ("SELECT(a, b) ON TABLE d.t", "SELECT(a) ON TABLE d.t", True),
        ("SELECT(a, b) ON TABLE d.t", "SELECT(a, c) ON TABLE d.t", False),
        ("SELECT(a, b) ON TABLE d.t", "SELECT ON TABLE d.t", False),
        ("SELECT ON TABLE d.t WHERE a = 1", "SELECT ON TABLE d.t WHERE a = 1", True),
        ("SELECT ON TABLE d.t WHERE a = 1", "SELECT(b) ON TABLE d.t WHERE a = 1", True),
        ("SELECT ON TABLE d.t WHERE a = 1", "SELECT ON TABLE d.t", False),
        ("SELECT ON TABLE d.t WHERE a = 1", "SELECT ON TABLE d.t WHERE a = 1 OR b = 1", False),
        (
            "SELECT ON TABLE d.t HAVING ATTRIBUTE NOT IN (p.a)",
            "SELECT ON TABLE d.t HAVING ATTRIBUTE NOT IN (p.b)",
            False,
        ),
        (
            "SELECT ON TABLE d.t TRANSFORM p.a WITH mask()",
            "SELECT ON TABLE d.t TRANSFORM p.a WITH tokenize()",
            False,
        ),
    ],
)
def test_grant_options(held: str, wanted: str, gives: bool) -> None:
    """Whoever has it may hand on the same or less, never more than they see; not without it."""
    mine = rights(f"GRANT {held} TO ROLE mine WITH GRANT OPTION")
    assert passes(mine, f"GRANT {wanted}") is gives
    assert not passes(rights(f"GRANT {held}"), f"GRANT {wanted}")


def test_what_is_handed_on_ends_no_later() -> None:
    """Else a right of a day would become one for ever; taking away is for any time."""
    day = f"POLICYPROPERTIES('end_datetime'='{SECONDS + 86_400}')"
    for right in ("SELECT", "MANAGE_GRANTS"):
        option = "WITH GRANT OPTION" if right == "SELECT" else ""
        mine = rights(f"GRANT {right} ON DATABASE d TO ROLE mine {option} {day}")
        assert not passes(mine, "GRANT SELECT ON DATABASE d")
        assert passes(mine, f"GRANT SELECT ON DATABASE d TO ROLE other {day}")
        assert passes(mine, "GRANT SELECT ON DATABASE d", revoked=True)


def test_managing_grants_replaces_the_option() -> None:
    """For every level, and for safeguards, which no option is for."""
    managing = rights("GRANT MANAGE_GRANTS ON DATABASE d")
    option = rights("GRANT ALL ON DATABASE d TO ROLE mine WITH GRANT OPTION")
    reading = rights("GRANT SELECT ON DATABASE d TO ROLE mine WITH GRANT OPTION")
    deny = parse("DENY SELECT ON DATABASE d HAVING ATTRIBUTE p.a FROM ROLE other")
    assert isinstance(deny, Grant)
    for held, level, guards in (
        (managing, True, True),
        (option, True, True),
        (reading, False, False),
    ):
        assert passes(held, "GRANT ALL ON TABLE d.t") is level
        assert bool(may_pass(held, Passing(deny.permission), NOW)) is guards


@given(
    st.lists(
        st.tuples(st.sampled_from(LEVELS), st.sampled_from(OBJECTS), st.booleans()), max_size=5
    ),
    st.lists(st.tuples(st.sampled_from(LEVELS), st.sampled_from(OBJECTS)), min_size=1, max_size=3),
)
def test_all_needs_are_met_or_nothing(
    held: list[tuple[AccessLevel, Scope, bool]], needs: list[tuple[AccessLevel, Scope]]
) -> None:
    """A ruling names grants that exist, is for all needs, and another grant never takes it away."""
    grants = tuple(
        replace(on(level, scope), grant_option=option, id=str(i))
        for i, (level, scope, option) in enumerate(held)
    )
    mine = Rights(Principal("ann"), 1, frozenset(), grants)
    wanted = [Need(*need) for need in needs]
    ruling = judge(mine, wanted, NOW)
    each = [may(mine, need.level, need.scope, NOW) for need in wanted]
    assert ruling.allowed is all(each)
    assert {*ruling.permissions} <= {g.id for g in grants}
    assert ruling.allowed or ruling.unmet in wanted
    if ruling.allowed and grants:
        fewer = replace(mine, permissions=grants[:-1])
        assert judge(replace(fewer, permissions=grants), wanted, NOW).allowed


def test_administrators_need_nothing() -> None:
    """And nobody else has what is for them alone."""
    everything = rights("GRANT ALL ON CATALOG TO ROLE mine WITH GRANT OPTION")
    assert not judge(everything, (), NOW).allowed
    ruling = judge(rights(admin=True), (), NOW)
    assert (ruling.allowed, ruling.bypass, ruling.permissions) == (True, True, ())


def test_the_law_looks_at_the_moment_it_is_given() -> None:
    """One second later the right has ended."""
    held = rights(
        f"GRANT DROP ON DATABASE d TO ROLE mine POLICYPROPERTIES('end_datetime'='{SECONDS + 1}')"
    )
    need = [Need(AccessLevel.DROP, on_database("d"))]
    assert judge(held, need, NOW).allowed
    assert not judge(held, need, NOW + timedelta(seconds=1)).allowed


HELD = st.builds(
    Permission,
    st.sampled_from((*OBJECTS, on_dataset(DatasetName("d", "${user}")), on_database("${user}"))),
    st.just("mine"),
    level=st.sampled_from(LEVELS),
    columns=st.sampled_from(((), (), ("c",))),
    grant_option=st.booleans(),
    properties=st.sampled_from(({}, {}, {"enabled": "false"}, {"end_datetime": str(SECONDS)})),
    id=st.uuids().map(str),
)
NAMES = tuple(DatasetName(d, t) for d in ("d", "e", "f", "ann") for t in ("t", "u", "ann"))


@given(
    st.lists(HELD, max_size=5).map(tuple),
    st.sampled_from(LEVELS),
    st.sampled_from(("ann", "Ann B.")),
    st.booleans(),
)
def test_what_is_held_on_many_is_what_is_held_on_each(
    held: tuple[Permission, ...], level: AccessLevel, user: str, admin: bool
) -> None:
    """Of no dataset does a list of rights say anything else than the rule about that one."""
    owned = Rights(Principal(user, admin=admin), 1, frozenset({"mine"}), held)
    found = reach(owned, level, NOW)
    for name in NAMES:
        needed = judge(owned, [Need(level, on_dataset(name))], NOW)
        assert found.holds(name) == needed.allowed
    assert (found | reach(owned, AccessLevel.ALTER, NOW)).holds(NAMES[0]) == (
        found.holds(NAMES[0]) or reach(owned, AccessLevel.ALTER, NOW).holds(NAMES[0])
    )
