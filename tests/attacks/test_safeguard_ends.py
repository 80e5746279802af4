"""Safeguards do not end by what is no right to end them."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pytest

from privet.model.names import TagName
from privet.policy import Grant, parse
from query.platforms import Place, open_place


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A platform."""
    with open_place(tmp_path_factory.mktemp("guards")) as place:
        yield place


def test_one_more_tag_does_not_end_a_safeguard(place: Place) -> None:
    """With two columns of the tag nobody knows which is meant; that is no column that is missing.

    `missing_columns = ignore` is for tables without one. ADD_ATTRIBUTE is no MANAGE_GRANTS.
    """
    rows = pa.table({"region": ["n", "s"], "other": ["n", "s"]})
    base = place.dataset(rows, tags={"region": ["geo.region"]}).name
    reader = place.person(f"GRANT SELECT ON TABLE {base}")
    statement = parse(
        "RESTRICT SELECT ON CATALOG WHERE columns_with_attribute('geo.region') = 'n' "
        f"FROM ROLE {reader.role} POLICYPROPERTIES('missing_columns'='ignore')"
    )
    assert isinstance(statement, Grant)
    place.services.permissions.grant(place.admin.caller, statement)
    assert place.scan(reader, str(base)).num_rows == 1
    place.platform.catalog.datasets.assign_tag(
        base, ("other",), TagName("geo", "region"), by="root"
    )
    got = place.ask(reader, f"SELECT * FROM {base}")
    assert got.error is not None or len(got.rows) <= 1


PLACE = pa.struct([("Zip", pa.int64()), ("n", pa.int64())])
WHAT_BECAME = {
    "two of that name": (
        pa.struct([("Zip", pa.int64()), ("zip", pa.int64())]),
        {"Zip": 2, "zip": 2},
    ),
    "no struct": (pa.string(), "2"),
    "a map": (pa.map_(pa.string(), pa.int64()), [("zip", 2)]),
}


@pytest.mark.parametrize("became", WHAT_BECAME)
def test_a_field_of_another_kind_does_not_end_a_safeguard(place: Place, became: str) -> None:
    """Where two fields are called so, or a column is no struct, none is missing that was meant."""
    database = place.unique("db")
    one = pa.table(
        {"id": [1, 2], "place": pa.array([{"Zip": 1, "n": 1}, {"Zip": 2, "n": 1}], PLACE)}
    )
    place.dataset(one, f"{database}.one")
    reader = place.person(f"GRANT SELECT ON DATABASE {database}")
    statement = parse(
        f"RESTRICT SELECT ON DATABASE {database} WHERE place.zip = 1 "
        f"FROM ROLE {reader.role} POLICYPROPERTIES('missing_columns'='ignore')"
    )
    assert isinstance(statement, Grant)
    place.services.permissions.grant(place.admin.caller, statement)
    assert place.scan(reader, f"{database}.one")["id"].to_pylist() == [1]
    kind, cell = WHAT_BECAME[became]
    other = pa.table({"id": [1], "place": pa.array([cell], kind)})
    name = place.dataset(other, f"{database}.two").name
    assert place.ask(reader, f"SELECT id FROM {name}").code == "not_found"
    lacking = pa.table({"id": [1], "place": pa.array([{"n": 1}], pa.struct([("n", pa.int64())]))})
    name = place.dataset(lacking, f"{database}.three").name
    assert place.ask(reader, f"SELECT id FROM {name}").rows == [(1,)]
