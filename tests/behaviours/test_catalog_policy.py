"""What must hold of permissions and of facts on every database."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import timedelta

import pyarrow as pa
import pytest
from sqlalchemy import Engine, text, update

from privet.catalog import Catalog
from privet.model.crawling.crawls import FoundDataset
from privet.model.datasets import Column, Format, Source
from privet.model.errors import Conflict, NotFound, StoreUnavailable, UnknownName
from privet.model.expressions import (
    Call,
    ColumnRef,
    ColumnSlot,
    Compare,
    CompareOp,
    HasTag,
    Literal,
    TagAnd,
    TagNot,
    TagOr,
)
from privet.model.names import PUBLIC_ROLE, DatasetName, TagName
from privet.model.permissions import Effect, Permission, Scope, ScopeKind, TransformClause
from privet.model.principals import Principal
from privet.store import writing
from privet.store.tables import permissions

MRN = TagName("phi", "mrn")
PHONE = TagName("phi", "phone_number")
ADA = Principal("ada", frozenset({"analysts"}))
EVE = Principal("eve")
EVERYTHING = Scope(ScopeKind.CATALOG)
FULL = Permission(
    Scope(ScopeKind.TABLE, "medical", "costs"),
    "analyst",
    having=TagAnd((TagNot(HasTag(PHONE)), TagOr((HasTag(MRN), TagNot(HasTag(MRN)))))),
    transforms=(TransformClause(HasTag(MRN), Call("tokenize", (ColumnSlot(),))),),
    where=Compare(CompareOp.NE, ColumnRef("opted_out"), Literal(1)),
    properties={"name": "p", "enabled": "true"},
)


@pytest.fixture(autouse=True)
def words(catalog: Catalog) -> None:
    """Two roles and a tag; ada is an analyst."""
    catalog.tags.create(MRN, by="steward")
    catalog.databases.create("medical", by="steward")
    catalog.databases.create("other", by="steward")
    for role in ("analyst", "officer"):
        catalog.roles.create(role, by="steward")
    catalog.roles.map_group("analyst", "analysts")


def _register(catalog: Catalog, name: str) -> DatasetName:
    dataset = DatasetName.parse(name)
    found = FoundDataset(dataset.name, Source(f"s3://lake/{name}", Format.CSV))
    columns = (Column("id", pa.int64(), "ID"), Column("mrn", pa.string(), "MRN"))
    return catalog.datasets.register(found, dataset, columns, by="steward").name


def test_a_permission_comes_back_as_it_was(catalog: Catalog) -> None:
    """It keeps its content, and says who made it and when, under an id of its own."""
    stored = catalog.permissions.add(FULL, by="steward")
    assert (stored, stored.created_by) == (FULL, "steward")
    assert stored.created_at is not None
    assert stored.created_at.utcoffset() == timedelta(0)
    (listed,) = catalog.permissions.list()
    for found in (listed, catalog.permissions.get(stored.id)):
        assert found == stored
        assert (found.id, found.created_by) == (stored.id, "steward")
        assert found.created_at == stored.created_at


def test_equal_content_is_stored_once(catalog: Catalog) -> None:
    """The order of properties makes no other grant; any other difference does."""
    catalog.permissions.add(FULL, by="steward")
    again = dataclasses.replace(FULL, properties={"enabled": "true", "name": "p"}, id="x")
    with pytest.raises(Conflict, match="grant already exists"):
        catalog.permissions.add(again, by="other")
    catalog.permissions.add(dataclasses.replace(FULL, having=None), by="steward")
    assert len(catalog.permissions.list()) == 2


def test_other_properties_take_the_place_of_the_old(catalog: Catalog) -> None:
    """The same content is there once; REVOKE finds it whatever its properties are."""
    first = catalog.permissions.add(FULL, by="steward")
    later = dataclasses.replace(FULL, properties={"enabled": "false"}, grant_option=True)
    second = catalog.permissions.add(later, by="other")
    assert catalog.permissions.list() == (later,)
    assert second.id != first.id
    bare = dataclasses.replace(FULL, properties={})
    assert catalog.permissions.remove(bare).id == second.id


def test_how_a_transform_is_called_makes_no_other_permission(catalog: Catalog) -> None:
    """It is kept, and REVOKE finds the permission by any name of the function."""
    (clause,) = FULL.transforms
    called = dataclasses.replace(clause.call, spelled="fpt_ref", function="tokenize")
    plain = dataclasses.replace(called, spelled="")
    written, canonical = (
        dataclasses.replace(FULL, transforms=(dataclasses.replace(clause, call=c),))
        for c in (called, plain)
    )
    catalog.permissions.add(written, by="steward")
    (stored,) = catalog.permissions.list()
    assert stored.transforms[0].call.spelled == "fpt_ref"
    catalog.permissions.remove(canonical)
    assert catalog.permissions.list() == ()


def test_removal_by_content_and_by_id(catalog: Catalog) -> None:
    """Either way gives back what was stored; a second time there is nothing."""
    stored = catalog.permissions.add(FULL, by="steward")
    assert catalog.permissions.remove(FULL).id == stored.id
    with pytest.raises(NotFound):
        catalog.permissions.remove(FULL)
    again = catalog.permissions.add(FULL, by="steward")
    assert again.id != stored.id
    assert catalog.permissions.remove_by_id(again.id) == FULL
    for permission_id in (again.id, "' OR ''='"):
        with pytest.raises(NotFound):
            catalog.permissions.remove_by_id(permission_id)
        with pytest.raises(NotFound):
            catalog.permissions.get(permission_id)


def test_a_permission_needs_its_words(catalog: Catalog) -> None:
    """A role or tag that is gone by the time of storing is refused."""
    with pytest.raises(UnknownName, match="`nobody`"):
        catalog.permissions.add(Permission(EVERYTHING, "nobody"), by="steward")
    odd = TransformClause(HasTag(TagName("phi", "odd")), Call("null", (ColumnSlot(),)))
    with pytest.raises(UnknownName, match=r"`phi\.odd`"):
        catalog.permissions.add(Permission(EVERYTHING, "analyst", transforms=(odd,)), by="steward")
    assert catalog.permissions.list() == ()


def test_permissions_are_listed_by_role_object_and_tag(catalog: Catalog) -> None:
    """Each filter narrows, together they narrow further, and the oldest comes first."""
    scopes = {
        "all": EVERYTHING,
        "medical": Scope(ScopeKind.DATABASE, "medical"),
        "costs": Scope(ScopeKind.TABLE, "medical", "costs"),
        "other": Scope(ScopeKind.DATABASE, "other"),
    }
    stored = {
        name: catalog.permissions.add(
            Permission(scope, "officer" if name == "other" else "analyst"), by="steward"
        )
        for name, scope in scopes.items()
    }
    tagged = catalog.permissions.add(FULL, by="steward")
    listed = catalog.permissions.list
    assert listed() == (*stored.values(), tagged)
    assert listed(role="officer") == (stored["other"],)
    assert listed(database="medical") == (stored["medical"], stored["costs"], tagged)
    assert listed(dataset=DatasetName("medical", "costs")) == (stored["costs"], tagged)
    assert listed(tag=PHONE) == (tagged,)
    assert listed(tag=PHONE, role="officer") == ()


def test_permissions_outlive_what_they_are_on(catalog: Catalog) -> None:
    """Dropping a dataset and its database leaves the permissions in the list."""
    name = _register(catalog, "medical.costs")
    catalog.permissions.add(FULL, by="steward")
    catalog.datasets.drop(name)
    catalog.databases.drop("medical")
    assert catalog.permissions.list(database="medical") == (FULL,)
    assert catalog.facts(name, ADA).dataset is None


def test_an_unreadable_permission_closes_the_catalog(
    catalog: Catalog, open_store: Callable[[], Engine]
) -> None:
    """What this version cannot read is not skipped: it might take something away."""
    name = _register(catalog, "medical.costs")
    catalog.permissions.add(Permission(EVERYTHING, "analyst"), by="steward")
    with writing(open_store()) as connection:
        connection.execute(update(permissions).values(id="other", document={"is": "Deny"}))
    with pytest.raises(StoreUnavailable, match="`other` cannot be read"):
        catalog.facts(name, ADA)
    assert catalog.facts(name, EVE).permissions == ()


def test_facts_hold_what_may_cover_the_name(catalog: Catalog) -> None:
    """Permissions of the principal's roles on the dataset, its database and the catalog."""
    costs, claims = _register(catalog, "medical.costs"), _register(catalog, "other.costs")
    on = {
        "all": Permission(EVERYTHING, "analyst"),
        "public": Permission(EVERYTHING, PUBLIC_ROLE),
        "medical": Permission(Scope(ScopeKind.DATABASE, "medical"), "analyst"),
        "costs": FULL,
        "other": Permission(Scope(ScopeKind.TABLE, "other", "costs"), "analyst"),
        "officer": Permission(EVERYTHING, "officer"),
    }
    for permission in on.values():
        catalog.permissions.add(permission, by="steward")
    facts = catalog.facts(costs, ADA)
    assert facts.permissions == (on["all"], on["public"], on["medical"], on["costs"])
    assert (facts.version, facts.roles) == (catalog.version(), {"analyst", PUBLIC_ROLE})
    assert facts.dataset == catalog.datasets.get(costs)
    assert catalog.facts(costs, EVE).permissions == (on["public"],)
    assert catalog.list_facts(ADA) == (facts, catalog.facts(claims, ADA))
    assert catalog.list_facts(ADA)[1].permissions == (on["all"], on["public"], on["other"])
    absent = catalog.facts(DatasetName("other", "absent"), EVE)
    assert (absent.dataset, absent.permissions) == (None, (on["public"],))


def test_names_with_wildcards_cover_only_themselves(catalog: Catalog) -> None:
    """The underscore that matches anything in a pattern matches itself in a name."""
    name = _register(catalog, "medical.co_ts")
    catalog.permissions.add(FULL, by="steward")
    assert catalog.facts(name, ADA).permissions == ()


def test_a_change_elsewhere_is_in_the_next_facts(make_catalog: Callable[[], Catalog]) -> None:
    """Two servers over one database: what one commits, the other's very next answer holds."""
    one, two = make_catalog(), make_catalog()
    name = _register(one, "medical.costs")
    assert two.facts(name, ADA).permissions == two.list_facts(ADA)[0].permissions == ()
    one.permissions.add(FULL, by="steward")
    assert two.facts(name, ADA).permissions == two.list_facts(ADA)[0].permissions == (FULL,)
    one.roles.unmap_group("analyst", "analysts")
    assert two.facts(name, ADA).permissions == two.list_facts(ADA)[0].permissions == ()
    one.datasets.assign_tag(name, ("mrn",), MRN, by="steward")
    dataset = two.facts(name, ADA).dataset
    assert dataset is not None
    assert dataset.columns[1].tags == {MRN}
    one.databases.assign_tag("medical", PHONE, by="steward")
    dataset = two.list_facts(ADA)[0].dataset
    assert dataset is not None
    assert dataset.effective_tags(dataset.columns[0]) == {PHONE}
    one.datasets.drop(name)
    assert two.facts(name, ADA).dataset is None
    assert two.list_facts(ADA) == ()


def test_unchanged_facts_are_kept(catalog: Catalog) -> None:
    """At one version the same question gives the same object; a change makes a new one."""
    name = _register(catalog, "medical.costs")
    facts, listed = catalog.facts(name, ADA), catalog.list_facts(ADA)
    assert catalog.facts(name, Principal("bob", frozenset({"analysts"}))) is facts
    assert catalog.facts(name, ADA) is facts
    assert catalog.list_facts(ADA) is listed
    catalog.roles.create("new", by="steward")
    assert catalog.facts(name, ADA) is not facts


def test_a_restored_backup_is_not_mistaken_for_the_past(
    catalog: Catalog, open_store: Callable[[], Engine]
) -> None:
    """When the same version number comes again with other content, no cache answers for it."""
    name = _register(catalog, "medical.costs")
    before = catalog.version()
    stored = catalog.permissions.add(FULL, by="steward")
    assert catalog.facts(name, ADA).permissions == (FULL,)
    with writing(open_store()) as connection:
        connection.execute(text("DELETE FROM permission_tags"))
        connection.execute(text("DELETE FROM permissions"))
        connection.execute(
            text("UPDATE catalog_version SET version = :version, stamp = 'old'"),
            {"version": before},
        )
    catalog.roles.create("new", by="steward")
    assert catalog.version() == before + 1
    assert catalog.facts(name, ADA).permissions == ()
    with pytest.raises(NotFound):
        catalog.permissions.get(stored.id)


def test_the_groups_last_seen_are_remembered(make_catalog: Callable[[], Catalog]) -> None:
    """The newest groups count, per issuer; the same ones are written once a minute at most."""
    one, two = make_catalog(), make_catalog()
    at = one.databases.list()[0].created_at
    assert at is not None
    assert one.principals.last_groups("ada") is None
    one.principals.note(ADA, at)
    one.principals.note(ADA, at + timedelta(seconds=59))
    (seen,) = two.principals.list()
    assert (seen.user, seen.groups, seen.last_seen) == ("ada", {"analysts"}, at)
    one.principals.note(ADA, at + timedelta(minutes=1))
    assert two.principals.list()[0].last_seen == at + timedelta(minutes=1)
    one.principals.note(Principal("ada", frozenset({"b", "a"})), at + timedelta(hours=2))
    assert two.principals.last_groups("ada") == {"a", "b"}
    one.principals.note(ADA, at + timedelta(hours=2, seconds=1))
    assert two.principals.last_groups("ada") == {"analysts"}
    narrow = Principal("ada", frozenset({"a"}), other_groups=frozenset({"b"}))
    one.principals.note(narrow, at + timedelta(hours=2, seconds=2))
    found = two.principals.find("ada")
    assert found is not None
    assert (found.groups, found.other_groups) == ({"a"}, {"b"})
    assert two.principals.last_groups("ada", "https://id") is None
    version = two.version()
    one.principals.note(EVE, at)
    assert two.version() == version


# ---- what would be, without storing it


def test_a_snapshot_has_the_facts_of_everybody(catalog: Catalog) -> None:
    """For any principal and dataset the very facts that are read for them alone."""
    names = [_register(catalog, "medical.costs"), _register(catalog, "other.costs")]
    catalog.permissions.add(FULL, by="steward")
    catalog.permissions.add(Permission(EVERYTHING, PUBLIC_ROLE), by="steward")
    denial = Permission(EVERYTHING, "officer", Effect.DENY, having=HasTag(MRN))
    catalog.permissions.add(denial, by="steward")
    catalog.roles.map_group("officer", "officers")
    snapshot = catalog.snapshot()
    bound = Principal("bob", other_groups=frozenset({"officers"}))
    for principal in (ADA, EVE, bound):
        roles = snapshot.roles_of(principal)
        found = {f.name: f for f in snapshot.facts(roles, snapshot.datasets)}
        for name in names:
            assert found[name] == catalog.facts(name, principal)


def test_what_would_be_stored(catalog: Catalog) -> None:
    """`added` and `removed` say what `add` and `remove` do, and do nothing."""
    _register(catalog, "medical.costs")
    later = dataclasses.replace(FULL, properties={"enabled": "false"})
    stored = catalog.permissions.add(FULL, by="steward")
    existing = catalog.permissions.list()
    with pytest.raises(Conflict, match="already exists"):
        catalog.permissions.added(existing, FULL)
    assert catalog.permissions.added(existing, later) == (later,)
    other = Permission(EVERYTHING, "officer")
    assert catalog.permissions.added(existing, other) == (stored, other)
    assert catalog.permissions.removed(existing, later) == ()
    with pytest.raises(NotFound):
        catalog.permissions.removed(existing, other)
    assert catalog.permissions.list() == existing


def test_rights_are_the_grants_of_the_roles_that_credentials_give(catalog: Catalog) -> None:
    """Whole ones and those to hand on; from the next request on; not by groups left out."""
    stored = [
        catalog.permissions.add(p, by="steward")
        for p in (
            Permission(Scope(ScopeKind.DATABASE, database="medical"), "analyst"),
            Permission(Scope(ScopeKind.CATALOG), "analyst", columns=("a",)),
            Permission(Scope(ScopeKind.CATALOG), "analyst", columns=("b",), grant_option=True),
        )
    ]
    catalog.roles.map_group("analyst", "g")
    nobody = Principal("ann", other_groups=frozenset({"g"}))
    assert catalog.rights(nobody).permissions == ()
    ann = Principal("ann", frozenset({"g"}))
    rights = catalog.rights(ann)
    assert [p.id for p in rights.permissions] == [stored[0].id, stored[2].id]
    assert (rights.principal, rights.version) == (ann, catalog.version())
    catalog.permissions.remove_by_id(stored[0].id)
    assert [p.id for p in catalog.rights(ann).permissions] == [stored[2].id]


def test_owners_have_what_they_own_until_it_is_gone(catalog: Catalog) -> None:
    """By a role of theirs alone; of a database also what is in it; other permissions stay."""
    ann, bob = Principal("ann"), Principal("bob@example.com")
    database = Scope(ScopeKind.DATABASE, database="medical")
    table = Scope(ScopeKind.TABLE, database="medical", dataset="costs")
    other = Scope(ScopeKind.ROLE, name="medical")
    kept = catalog.permissions.add(Permission(database, "analyst"), by="steward")
    owned = [catalog.permissions.own(s, ann) for s in (database, other)]
    owned.append(catalog.permissions.own(table, bob))
    assert {p.id for p in catalog.rights(ann).permissions} == {owned[0].id, owned[1].id}
    assert [p.id for p in catalog.rights(bob).permissions] == [owned[2].id]
    catalog.permissions.disown(database)
    assert {p.id for p in catalog.permissions.list()} == {kept.id, owned[1].id}
    again = catalog.permissions.own(other, bob)
    assert catalog.rights(ann).permissions == ()
    assert [p.id for p in catalog.rights(bob).permissions] == [again.id]
