"""Text that is cut otherwise: cells come into other columns, under other grants."""

from __future__ import annotations

from pathlib import Path

import pytest

from privet.model.errors import PrivetError
from query.platforms import Person, Place, open_place

SECRET = "555"
CUT = "ALTER TABLE {} SET SERDEPROPERTIES('field.delim'='-')"


def table_of(place: Place) -> tuple[str, Path]:
    """Text without names of columns, whose second cells hold a dash and are tagged."""
    folder = place.lake / place.unique("text")
    folder.mkdir()
    (folder / "part.csv").write_text(f"Ann,{SECRET}-1234\nBob,{SECRET}-9876\n")
    database = place.unique("db")
    place.services.statements.execute(place.admin.caller, f"CREATE DATABASE {database}")
    place.tags("phi.phone_number")
    place.services.statements.execute(
        place.admin.caller,
        f"CREATE EXTERNAL TABLE {database}.t (name string, phone string ATTRIBUTE phi.phone_number)"
        f" ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION '{folder}'"
        " TBLPROPERTIES('skip.header.line.count'='0')",
    )
    return f"{database}.t", folder


def shown(place: Place, reader: Person, table: str) -> str:
    """Everything that somebody sees of it."""
    got = place.ask(reader, f"SELECT * FROM {table}")
    return got.code if got.table is None else str(got.table.to_pylist())


@pytest.mark.parametrize("more", [(), ("MANAGE_GRANTS",)], ids=["altering", "sharing"])
def test_a_right_to_the_address_moves_no_cell_into_view(tmp_path: Path, more: tuple[str]) -> None:
    """Of what a dataset covers, SELECT on a URI reads nothing; nor does it with ALTER."""
    with open_place(tmp_path / "p") as place:
        table, folder = table_of(place)
        grants = (
            f"GRANT SELECT ON TABLE {table} HAVING ATTRIBUTE NOT IN (phi.phone_number)",
            f"GRANT ALTER ON TABLE {table}",
            f"GRANT SELECT ON URI 'file://{folder}'",
            *(f"GRANT {level} ON TABLE {table}" for level in more),
        )
        reader = place.person(*grants)
        assert SECRET not in shown(place, reader, table)
        with pytest.raises(PrivetError) as caught:
            place.services.statements.execute(reader.caller, CUT.format(table))
        assert caught.value.code == "forbidden"
        assert SECRET not in shown(place, reader, table)
        place.services.statements.execute(place.admin.caller, CUT.format(table))
        assert SECRET in shown(place, reader, table)
