"""What somebody is told who makes a table that permissions on its database do not fit."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from query.platforms import Person, Place, open_place

SAID = "no column `opted_out`"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with open_place(tmp_path_factory.mktemp("fitting")) as place:
        yield place


def warnings(place: Place, person: Person, text: str) -> list[str]:
    """What a statement's author is told about filters."""
    answer = place.services.statements.execute(person.caller, text)
    return [w for w in answer.warnings if SAID in w]


def test_filters_that_do_not_fit_are_told_of(place: Place) -> None:
    """To who may read the permissions, and to nobody else."""
    folder = place.lake / "visits"
    folder.mkdir()
    pq.write_table(pa.table({"id": [1]}), folder / "part.parquet")
    database = place.dataset(pa.table({"opted_out": [1]})).name.database
    name, create = f"{database}.visits", f"CREATE TABLE {database}.visits LOCATION '{folder}'"
    for role in ("one", "other"):
        place.services.statements.execute(place.admin.caller, f"CREATE ROLE {role}")
    for text in (
        f"GRANT SELECT ON DATABASE {database} WHERE opted_out = 1 TO ROLE one",
        f"RESTRICT SELECT ON DATABASE {database} WHERE opted_out = 1 FROM ROLE other",
        f"GRANT SELECT ON TABLE {database}.t WHERE opted_out = 1 TO ROLE other",
    ):
        assert warnings(place, place.admin, text) == []
    assert warnings(place, place.admin, create) == [
        f"on `{name}` GRANT of role `one` grants nothing: {SAID}",
        f"on `{name}` RESTRICT of role `other` closes it: {SAID}",
    ]
    place.services.statements.execute(place.admin.caller, f"DROP TABLE {name}")
    maker = place.person(
        f"GRANT CREATE ON DATABASE {database}", f"GRANT SELECT ON URI 'file://{folder}'"
    )
    assert warnings(place, maker, create) == []
