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
