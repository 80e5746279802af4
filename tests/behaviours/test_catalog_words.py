"""What must hold of databases, tags, rules and roles on every database."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from privet.catalog import Catalog, Role, Tag
from privet.model.datasets import Rule, RuleTarget
from privet.model.errors import Conflict, InvalidRequest, NotFound, UnknownName
from privet.model.expressions import HasTag, TagNot
from privet.model.names import PUBLIC_ROLE, TagName
from privet.model.permissions import Permission, Scope, ScopeKind
from privet.model.principals import Principal

MRN = TagName("phi", "mrn")
PHONE = TagName("phi", "phone_number")
RULE = Rule("mrn", MRN, "mrn", frozenset({RuleTarget.COLUMN_NAME}), 0.75, 12, "luhn", False, "why")


def test_every_change_grows_the_version(catalog: Catalog) -> None:
    """Each committed change counts the version up; a refused one and a read do not."""
    steps: list[Callable[[], object]] = [
        lambda: catalog.databases.create("d", by="ada"),
        lambda: catalog.tags.create(MRN, by="ada"),
        lambda: catalog.databases.assign_tag("d", MRN, by="ada"),
        lambda: catalog.rules.create(RULE, by="ada"),
        lambda: catalog.roles.create("r", by="ada"),
        lambda: catalog.roles.map_group("r", "g"),
        lambda: catalog.permissions.add(Permission(Scope(ScopeKind.CATALOG), "r"), by="ada"),
        lambda: catalog.roles.drop("r"),
    ]
    for step in steps:
        before = catalog.version()
        step()
        assert catalog.version() == before + 1
    before = catalog.version()
    for step in steps[:4]:
        if step is not steps[2]:
            with pytest.raises(Conflict):
                step()
    catalog.databases.list()
    assert catalog.version() == before


def test_databases_come_and_go(catalog: Catalog) -> None:
    """A database is found with what it was made with, once, and an empty one can be dropped."""
    made = catalog.databases.create("medical", by="ada", description="for \x00 all")
    assert (made.description, made.created_by) == ("for \ufffd all", "ada")
    assert catalog.databases.find("medical") == made
    assert catalog.databases.list() == (made,)
    with pytest.raises(Conflict, match="already exists"):
        catalog.databases.create("medical", by="ada")
    catalog.databases.drop("medical")
    assert catalog.databases.find("medical") is None
    with pytest.raises(NotFound, match="does not exist, or you have no access to it"):
        catalog.databases.drop("medical")


def test_database_tags(catalog: Catalog) -> None:
    """A tag is on a database once, only if it exists, and goes with either of the two."""
    catalog.databases.create("d", by="ada")
    with pytest.raises(UnknownName):
        catalog.databases.assign_tag("d", MRN, by="ada")
    catalog.tags.create(MRN, by="ada")
    for _ in range(2):
        catalog.databases.assign_tag("d", MRN, by="ada")
    catalog.databases.assign_tag("d", PHONE, by="ada")
    assert catalog.databases.list()[0].tags == {MRN, PHONE}
    catalog.databases.unassign_tag("d", PHONE)
    with pytest.raises(NotFound):
        catalog.databases.unassign_tag("d", PHONE)
    catalog.tags.drop(MRN)
    assert catalog.databases.list()[0].tags == frozenset()
    with pytest.raises(NotFound):
        catalog.databases.assign_tag("other", PHONE, by="ada")
    catalog.databases.assign_tag("d", PHONE, by="ada")
    catalog.databases.drop("d")
    assert catalog.databases.create("d", by="ada").tags == frozenset()


def test_tags_come_and_go(catalog: Catalog) -> None:
    """Tags are listed in order, made once, and built-in ones stay."""
    catalog.tags.create(MRN, by="ada", description="medical record number")
    assert catalog.tags.list() == (
        Tag(MRN, "medical record number"),
        Tag(PHONE, "a phone number", builtin=True),
    )
    with pytest.raises(Conflict, match=r"`phi\.mrn` already exists"):
        catalog.tags.create(MRN, by="ada")
    with pytest.raises(Conflict, match="built in"):
        catalog.tags.drop(PHONE)
    catalog.tags.drop(MRN)
    with pytest.raises(NotFound):
        catalog.tags.drop(MRN)


def test_a_used_tag_cannot_be_dropped(catalog: Catalog) -> None:
    """The refusal names the permissions and rules; without them the tag goes."""
    catalog.tags.create(MRN, by="ada")
    catalog.roles.create("r", by="ada")
    wanted = Permission(Scope(ScopeKind.CATALOG), "r", having=TagNot(HasTag(MRN)))
    stored = catalog.permissions.add(wanted, by="ada")
    catalog.rules.create(RULE, by="ada")
    with pytest.raises(Conflict, match=f"permission `{stored.id}` of role `r`, rule `mrn`"):
        catalog.tags.drop(MRN)
    catalog.permissions.remove(wanted)
    with pytest.raises(Conflict, match="used by rule `mrn`"):
        catalog.tags.drop(MRN)
    catalog.rules.drop("mrn")
    catalog.tags.drop(MRN)
    assert MRN not in {tag.name for tag in catalog.tags.list()}


def test_the_library_is_ensured_at_every_start(catalog: Catalog) -> None:
    """Ensuring adds what is missing, adopts a steward's tag or role of the name, changes once."""
    catalog.tags.create(MRN, by="ada")
    catalog.roles.create("analyst", by="ada")
    library = [(MRN, "from the library"), (PHONE, "a phone number")]
    catalog.ensure_builtin(library, ["analyst", "officer"])
    version = catalog.version()
    catalog.ensure_builtin(library, ["analyst", "officer"])
    assert catalog.version() == version
    assert catalog.tags.list()[0] == Tag(MRN, "from the library", builtin=True)
    assert [role.name for role in catalog.roles.list() if role.builtin] == [
        "analyst",
        "officer",
        PUBLIC_ROLE,
    ]


def test_rules_come_back_as_they_were(catalog: Catalog) -> None:
    """A rule keeps all it says, needs its tag, and has a name of its own."""
    with pytest.raises(UnknownName):
        catalog.rules.create(RULE, by="ada")
    catalog.tags.create(MRN, by="ada")
    catalog.rules.create(RULE, by="ada")
    assert catalog.rules.list() == (RULE,)
    with pytest.raises(Conflict):
        catalog.rules.create(RULE, by="ada")
    catalog.rules.drop("mrn")
    with pytest.raises(NotFound):
        catalog.rules.drop("mrn")


def test_roles_are_held_through_groups_of_an_issuer(catalog: Catalog) -> None:
    """The same group name of another issuer, or another case of it, holds nothing."""
    catalog.roles.create("analyst", by="ada")
    catalog.roles.create("officer", by="ada")
    for _ in range(2):
        catalog.roles.map_group("analyst", "Analysts")
    catalog.roles.map_group("officer", "user:eve")
    assert catalog.roles.list()[:2] == (
        Role("analyst", (("privet", "Analysts"),)),
        Role("officer", (("privet", "user:eve"),)),
    )
    held = {
        Principal("ada", frozenset({"Analysts", "others"})): {"analyst"},
        Principal("ada", frozenset({"analysts"})): set[str](),
        Principal("ada", frozenset({"Analysts"}), issuer="https://id"): set[str](),
        Principal("eve"): {"officer"},
        Principal("analyst"): set[str](),
    }
    for principal, roles in held.items():
        assert catalog.roles.of(principal) == {PUBLIC_ROLE, *roles}
    catalog.roles.unmap_group("analyst", "Analysts")
    with pytest.raises(NotFound):
        catalog.roles.unmap_group("analyst", "Analysts")
    assert catalog.roles.of(Principal("ada", frozenset({"Analysts"}))) == {PUBLIC_ROLE}


def test_a_dropped_role_takes_its_grants_with_it(catalog: Catalog) -> None:
    """A new role of the old name starts with no group and no permission."""
    catalog.roles.create("r", by="ada")
    catalog.roles.create("other", by="ada")
    catalog.roles.map_group("r", "g")
    catalog.permissions.add(Permission(Scope(ScopeKind.CATALOG), "r"), by="ada")
    kept = catalog.permissions.add(Permission(Scope(ScopeKind.CATALOG), "other"), by="ada")
    catalog.roles.drop("r")
    assert catalog.permissions.list() == (kept,)
    assert catalog.roles.create("r", by="ada") == Role("r")
    assert catalog.roles.of(Principal("ada", frozenset({"g"}))) == {PUBLIC_ROLE}


def test_refusals_about_roles(catalog: Catalog) -> None:
    """Unknown roles, doubled ones, the public one and bad group names are refused."""
    catalog.roles.create("r", by="ada")
    with pytest.raises(Conflict):
        catalog.roles.create("r", by="ada")
    with pytest.raises(NotFound):
        catalog.roles.map_group("nobody", "g")
    with pytest.raises(NotFound):
        catalog.roles.drop("nobody")
    with pytest.raises(Conflict, match="built in"):
        catalog.roles.drop(PUBLIC_ROLE)
    with pytest.raises(InvalidRequest, match="everybody"):
        catalog.roles.map_group(PUBLIC_ROLE, "g")
    with pytest.raises(InvalidRequest):
        catalog.roles.map_group("r", " g")
