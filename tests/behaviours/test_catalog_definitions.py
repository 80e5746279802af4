"""What statements of definition change, kept by either store."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
import pytest

from privet.catalog import Catalog, Described
from privet.model.crawling.crawls import FoundDataset
from privet.model.datasets import Column, Dataset, FieldTag, Format, Source
from privet.model.errors import Conflict, InvalidRequest, NotFound
from privet.model.names import DatasetName, TagName
from privet.model.permissions import Effect, Permission
from privet.policy import Grant, parse

NAME, OTHER = DatasetName("d", "t"), DatasetName("d", "u")
TAG = TagName("pii", "name")
COLUMNS = (Column("name", pa.string(), "name", field_tags=(FieldTag(("name",), TAG),)),)


def table(catalog: Catalog, name: DatasetName, described: Described | None = None) -> Dataset:
    """A new dataset."""
    found = FoundDataset(name.name, Source(f"s3://lake/{name}", Format.PARQUET), COLUMNS)
    return catalog.datasets.register(
        found, name, COLUMNS, by="steward", described=described or Described()
    )


def store(catalog: Catalog, *statements: str) -> list[Permission]:
    """Permissions, as their author wrote them."""
    parsed = [parse(text) for text in statements]
    return [catalog.permissions.add(p.permission, by="x") for p in parsed if isinstance(p, Grant)]


def objects(permissions: Iterable[Permission]) -> list[str]:
    """What they are on."""
    return sorted(str(p.scope) for p in permissions)


@pytest.fixture
def dataset(catalog: Catalog) -> Dataset:
    """A described dataset in a described database."""
    catalog.tags.create(TAG, by="steward")
    catalog.roles.create("r", by="steward")
    catalog.databases.create("d", by="steward", description="one", properties={"a": "b"})
    return table(catalog, NAME, Described("a table", frozenset({TAG}), {"k": "v"}))


def test_what_is_said_about_a_table_is_kept(catalog: Catalog, dataset: Dataset) -> None:
    """From the first moment on; properties that are not named stay."""
    assert (dataset.description, dataset.tags) == ("a table", {TAG})
    assert dict(dataset.properties) == {"k": "v"}
    changed = catalog.definitions.set_properties(NAME, {"k": "w", "l": ""})
    assert (dict(changed.properties), changed.revision) == ({"k": "w", "l": ""}, 2)
    assert catalog.datasets.get(NAME) == changed
    with pytest.raises(NotFound):
        catalog.definitions.set_properties(OTHER, {})


def test_properties_of_a_database(catalog: Catalog, dataset: Dataset) -> None:
    """One that none were given for has none."""
    changed = catalog.definitions.set_database_properties("d", {"c": "d"})
    assert dict(changed.properties) == {"a": "b", "c": "d"}
    assert catalog.databases.find("d") == changed
    assert dict(catalog.databases.create("e", by="steward").properties) == {}
    with pytest.raises(NotFound):
        catalog.definitions.set_database_properties("f", {})
    assert dataset.name.database == "d"


def test_what_is_on_a_dataset_goes_with_its_name(catalog: Catalog, dataset: Dataset) -> None:
    """Tags, reviews, and permissions with their tags; what was on the new name before counts on."""
    store(
        catalog,
        "GRANT SELECT ON TABLE d.t HAVING ATTRIBUTE pii.name TO r POLICYPROPERTIES('name'='n')",
        "DENY SELECT ON TABLE d.t HAVING ATTRIBUTE pii.name FROM ROLE r",
        "DENY SELECT ON TABLE d.u HAVING ATTRIBUTE pii.name FROM ROLE r",
        "GRANT SELECT ON DATABASE d TO r",
    )
    renamed = catalog.definitions.rename(NAME, OTHER)
    assert (renamed.id, renamed.columns, renamed.tags) == (dataset.id, COLUMNS, {TAG})
    kept = catalog.permissions.list(dataset=OTHER)
    assert sorted(p.effect for p in kept) == [Effect.DENY, Effect.GRANT]
    assert {p.properties.get("name") for p in kept} == {"n", None}
    assert catalog.permissions.list(dataset=NAME) == ()
    assert len(catalog.permissions.list(tag=TAG)) == 2
    with pytest.raises(Conflict, match="is used by"):
        catalog.tags.drop(TAG)
    with pytest.raises(NotFound):
        catalog.datasets.get(NAME)


def test_names_that_cannot_be_given(catalog: Catalog, dataset: Dataset) -> None:
    """Those in another database, and those that are taken."""
    table(catalog, OTHER)
    with pytest.raises(InvalidRequest, match="stays in its database"):
        catalog.definitions.rename(NAME, DatasetName("e", "t"))
    with pytest.raises(Conflict):
        catalog.definitions.rename(NAME, OTHER)
    with pytest.raises(NotFound):
        catalog.definitions.rename(DatasetName("d", "no"), DatasetName("d", "new"))
    assert catalog.datasets.get(NAME) == dataset


@pytest.mark.parametrize("with_permissions", [True, False])
def test_dropping_a_dataset(catalog: Catalog, dataset: Dataset, with_permissions: bool) -> None:
    """The permissions on it go if that is said, and those on others never do."""
    store(
        catalog,
        "GRANT SELECT ON TABLE d.t TO r",
        "DENY SELECT ON TABLE d.t HAVING ATTRIBUTE pii.name FROM ROLE r",
        "GRANT SELECT ON TABLE d.u TO r",
        "GRANT SELECT ON TABLE d.`t_${user}` TO r",
        "GRANT SELECT ON DATABASE d TO r",
    )
    catalog.definitions.drop_dataset(NAME, with_permissions=with_permissions)
    gone = [] if with_permissions else ["d.t", "d.t"]
    assert objects(catalog.permissions.list()) == sorted(["d", *gone, "d.t_${user}", "d.u"])
    with pytest.raises(NotFound):
        catalog.definitions.drop_dataset(dataset.name)
    assert table(catalog, NAME).tags == frozenset()


def test_dropping_a_database(catalog: Catalog, dataset: Dataset) -> None:
    """With all in it, if that is said; permissions elsewhere stay."""
    catalog.databases.create("e", by="steward")
    store(
        catalog,
        "GRANT SELECT ON TABLE d.gone TO r",
        "GRANT SELECT ON DATABASE d TO r",
        "GRANT SELECT ON DATABASE e TO r",
        "GRANT SELECT ON CATALOG TO r",
    )
    with pytest.raises(Conflict, match="not empty"):
        catalog.definitions.drop_database("d")
    assert catalog.definitions.drop_database("d", cascade=True) == (dataset.name,)
    assert len(catalog.permissions.list()) == 4
    catalog.databases.create("d", by="steward")
    assert catalog.definitions.drop_database("d", with_permissions=True) == ()
    assert objects(catalog.permissions.list()) == ["catalog", "e"]
    with pytest.raises(NotFound):
        catalog.definitions.drop_database("d", cascade=True)
