"""What a reader learns by which rows a database is asked for, where it can fail at one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from query.platforms import Person, Place
from services.connected import connected_place
from services.postgres import SourceServer, source_server

pytestmark = pytest.mark.service
ODD, EVEN = 3, 4
"""Two rows out of view; the first holds what its type cannot say."""


@pytest.fixture(scope="module")
def source() -> Iterator[SourceServer]:
    with source_server() as server:
        server.run(
            "CREATE TABLE visits (id int PRIMARY KEY, ward text, seen date, dose numeric, n int)"
        )
        server.run(
            "INSERT INTO visits VALUES (1, 'A', '2024-01-01', 1, 1), (2, 'A', '2024-01-02', 2, 1),"
            " (3, 'B', 'infinity', 'NaN', 0), (4, 'B', '2024-01-04', 4, 1)"
        )
        server.run("CREATE TABLE tagged AS TABLE visits")
        server.run("CREATE VIEW computed AS SELECT id, ward, 10 / n AS q FROM visits")
        yield server


@pytest.fixture(scope="module")
def place(source: SourceServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("unsayable")
    with connected_place(folder, source, "clinic") as place:
        visits = "d.visits (id int, ward string, seen date, dose bigint)"
        for text in (
            "CREATE DATABASE d",
            f"CREATE TABLE {visits} OVER DATACONNECTION clinic TABLE 'visits'",
            "CREATE TABLE d.computed OVER DATACONNECTION clinic TABLE 'computed'",
            "CREATE TABLE d.tagged (id int, seen date) OVER DATACONNECTION clinic TABLE 'tagged'",
            "CREATE ATTRIBUTE t.seen",
            "ALTER TABLE d.tagged ADD COLUMN ATTRIBUTE seen t.seen",
        ):
            place.services.statements.execute(place.admin.caller, text)
        yield place


def told(place: Place, reader: Person, column: str, row: int, table: str = "visits") -> object:
    """All that a query for one row tells."""
    got = place.ask(reader, f"SELECT {column} FROM d.{table} WHERE id = {row}")
    return got.told(), got.sent()


PLAIN, OTHER = "ward = 'A'", "upper(ward) = 'A'"


@pytest.mark.parametrize("filtered", [PLAIN, OTHER])
@pytest.mark.parametrize("column", ["seen", "dose"])
def test_rows_out_of_view_read_alike(place: Place, filtered: str, column: str) -> None:
    """Whether the server is told the filter or not."""
    reader = place.person(f"GRANT SELECT ON TABLE d.visits WHERE {filtered}")
    assert told(place, reader, column, ODD) == told(place, reader, column, EVEN)
    assert told(place, reader, "ward", ODD) == told(place, reader, "ward", EVEN)


def test_rows_in_view_can_still_be_read(place: Place) -> None:
    """A row that cannot be said spoils no answer of who may not see it, if the server can tell."""
    reader = place.person(f"GRANT SELECT ON TABLE d.visits WHERE {PLAIN}")
    assert place.ask(reader, "SELECT dose FROM d.visits WHERE id = 2").rows == [(2,)]
    everything = place.person("GRANT SELECT ON TABLE d.visits")
    assert place.ask(everything, "SELECT dose FROM d.visits WHERE id = 2").rows == [(2,)]
    assert place.ask(everything, f"SELECT dose FROM d.visits WHERE id = {ODD}").code == (
        "source_invalid"
    )


@pytest.mark.parametrize("columns", ["id", "id, seen"])
def test_cells_out_of_view_read_alike(place: Place, columns: str) -> None:
    """A cell that is masked, or read for a filter of others only, in a row that is in view."""
    clause = "TRANSFORM t.seen WITH null()"
    if columns == "id":
        clause = "HAVING ATTRIBUTE NOT IN (t.seen) WHERE seen IS NOT NULL"
    reader = place.person(f"GRANT SELECT ON TABLE d.tagged {clause}")
    codes = {
        place.ask(reader, f"SELECT {columns} FROM d.tagged WHERE id = {row}").code
        for row in (ODD, EVEN)
    }
    assert len(codes) == 1


@pytest.mark.parametrize("filtered", [PLAIN, OTHER])
def test_rows_that_a_view_computes_read_alike(place: Place, filtered: str) -> None:
    """Its server may compute a row for the reader before it looks whether they may see it."""
    reader = place.person(f"GRANT SELECT ON TABLE d.computed WHERE {filtered}")
    for column in ("q", "id"):
        assert told(place, reader, column, ODD, "computed") == told(
            place, reader, column, EVEN, "computed"
        )
    asked = (
        place.ask(reader, f"SELECT id FROM d.computed WHERE id = {row} AND q = 10").told()
        for row in (ODD, EVEN)
    )
    assert next(asked) == next(asked)
