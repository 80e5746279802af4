"""Grants on fields inside columns, at every door: nothing of the other fields leaves."""

from __future__ import annotations

import pyarrow as pa
import pytest

from doors.doors import SQL_DOORS, Wanted, every_answer
from doors.servers import TrialServer
from doors.steward import Reader, Steward, unique, write

pytestmark = pytest.mark.service
SECRET = "555-SECRET"
PLACE = pa.struct([("Country", pa.string()), ("zip", pa.string()), ("n", pa.int64())])
PARTS = pa.list_(pa.struct([("code", pa.string()), ("zip", pa.string())]))


def assets(salt: str = "") -> pa.Table:
    """Rows with structs and lists that are there, empty and NULL."""
    hidden = SECRET + salt
    places = [
        {"Country": "AT", "zip": hidden, "n": 1},
        None,
        {"Country": None, "zip": hidden, "n": len(salt)},
    ]
    parts = [[{"code": "a", "zip": hidden}, {"code": "b", "zip": hidden}], [], None]
    return pa.table(
        {
            "id": pa.array([1, 2, 3]),
            "place": pa.array(places, PLACE),
            "parts": pa.array(parts, PARTS),
        }
    )


def reader_of(steward: Steward, table: str, *more: str) -> Reader:
    """Of the id, and of one field of each other column."""
    grant = f"GRANT SELECT(id, place.country, parts.code) ON TABLE {table}"
    return steward.reader(grant, *more)


@pytest.fixture(scope="module")
def dataset(steward: Steward) -> str:
    """Everybody's."""
    return steward.dataset(assets(), suffix="parquet")


SHOWN = [
    {"id": 1, "place": {"Country": "AT"}, "parts": [{"code": "a"}, {"code": "b"}]},
    {"id": 2, "place": None, "parts": []},
    {"id": 3, "place": {"Country": None}, "parts": None},
]


def test_every_door_shows_the_fields_and_no_byte_of_the_others(
    server: TrialServer, steward: Steward, dataset: str
) -> None:
    """The types name the fields that are shown only."""
    reader = reader_of(steward, dataset)
    wanted = Wanted(dataset)
    for door, answer in every_answer(server, reader.token, wanted).items():
        assert not any(SECRET.encode() in part for part in answer.received), door
        assert not any(b"zip" in part for part in answer.received), door
        if answer.table is None:
            # A file of text has no cell for what is nested.
            continue
        assert answer.table.column_names == ["id", "place", "parts"], door
        if door in {"flight path", "flight command", "rest arrow"}:
            assert answer.table.schema.field("place").type == pa.struct([("Country", pa.string())])
            assert answer.table.to_pylist() == SHOWN, door


@pytest.mark.parametrize("door", sorted(SQL_DOORS))
def test_asking_for_another_field_reads_as_asking_for_none(
    server: TrialServer, steward: Steward, dataset: str, door: str
) -> None:
    """A hidden field is as one that there is not; a shown one can be asked for."""
    reader, ask = reader_of(steward, dataset), SQL_DOORS[door]
    for text in (
        f"SELECT place.{{}} FROM {dataset}",
        f"SELECT place['{{}}'] FROM {dataset}",
        f"SELECT struct_extract(place, '{{}}') FROM {dataset}",
        f"SELECT id FROM {dataset} WHERE parts[1].{{}} = 'x'",
        f"SELECT list_transform(parts, lambda p: p.{{}}) FROM {dataset}",
    ):
        told = [ask(server, reader.token, text.format(name)) for name in ("zip", "zap")]
        assert all(each.table is None for each in told), text
        assert len({each.code for each in told}) == 1, text
    shown = ask(server, reader.token, f"SELECT id, place.country AS c FROM {dataset} ORDER BY id")
    assert shown.table is not None
    assert shown.table.column("c").to_pylist() == ["AT", None, None]
    whole = ask(server, reader.token, f"SELECT CAST(place AS VARCHAR) AS p FROM {dataset}")
    assert not any(SECRET.encode() in part for part in whole.received)


@pytest.mark.parametrize("page", ["", "/explain"])
def test_no_page_names_another_field(
    server: TrialServer, steward: Steward, dataset: str, page: str
) -> None:
    """In the type of a column, its tags or its explanation."""
    reader = reader_of(steward, dataset)
    with server.http(reader.token) as http:
        answer = http.get(f"/v1/datasets/{dataset.replace('.', '/')}{page}")
    assert answer.status_code == 200
    assert "Country" in answer.text or "country" in answer.text
    assert "zip" not in answer.text


def test_what_is_in_hidden_fields_changes_no_answer(server: TrialServer, steward: Steward) -> None:
    """Two datasets that differ there only give the same bytes, but for names."""
    answers = []
    for salt in ("", "OTHER" * 9):
        table = steward.dataset(assets(salt), suffix="parquet")
        reader = reader_of(steward, table)
        found = every_answer(server, reader.token, Wanted(table))
        answers.append({door: (a.table, a.sizes, a.code) for door, a in found.items()})
    assert answers[0] == answers[1]


def test_fields_of_several_grants_meet_row_by_row(server: TrialServer, steward: Steward) -> None:
    """Each field is seen in the rows of the grants that show it, and NULL in the others."""
    table = steward.dataset(assets(), suffix="parquet")
    accepted = "POLICYPROPERTIES('reveals_filter'='accepted')"
    grants = (
        f"GRANT SELECT(place.country) ON TABLE {table}",
        f"GRANT SELECT(place.n) ON TABLE {table} WHERE place.n = 1",
    )
    reader = steward.reader(grants[0])
    steward.sql(f"{grants[1]} TO ROLE {reader.role} {accepted}")
    answer = every_answer(server, reader.token, Wanted(table))["flight path"]
    assert answer.table is not None
    assert answer.table.column("place").to_pylist() == [
        {"Country": "AT", "n": 1},
        None,
        {"Country": None, "n": None},
    ]
    steward.sql(
        f"GRANT SELECT(place) ON TABLE {table} WHERE id = 3 TO ROLE {reader.role} {accepted}"
    )
    answer = every_answer(server, reader.token, Wanted(table))["flight path"]
    assert answer.table is not None
    assert answer.table.column("place").to_pylist() == [
        {"Country": "AT", "zip": None, "n": 1},
        None,
        {"Country": None, "zip": SECRET, "n": 0},
    ]


def test_a_denied_field_takes_the_column(server: TrialServer, steward: Steward) -> None:
    """A tag inside a column counts for all of it where that protects."""
    table = steward.dataset(assets(), suffix="parquet")
    reader = reader_of(steward, table)
    steward.ensure_tag("phi.phone_number")
    with server.http(server.admin_token) as http:
        page = f"/v1/datasets/{table.replace('.', '/')}/tags/phi.phone_number"
        assert http.put(page, params={"path": "place.zip"}).status_code == 204
    deny = f"DENY SELECT ON TABLE {table} HAVING ATTRIBUTE phi.phone_number"
    steward.sql(f"{deny} FROM ROLE {reader.role}")
    for door, answer in every_answer(server, reader.token, Wanted(table)).items():
        if answer.table is not None:
            assert answer.table.column_names == ["id", "parts"], door


def test_a_view_shows_no_field_that_its_maker_does_not_see(
    server: TrialServer, steward: Steward
) -> None:
    """Not when it is made, and no longer once they lost it."""
    table = steward.dataset(assets(), suffix="parquet")
    database = table.partition(".")[0]
    create = f"GRANT CREATE ON DATABASE {database}"
    maker = steward.reader(f"GRANT SELECT(id, place) ON TABLE {table}", create)
    names = []
    for text in ("id, place.zip AS v", "id, place AS v"):
        names.append(f"{database}.{unique('by')}")
        view = f"CREATE VIEW {names[-1]} AS SELECT {text} FROM {table}"
        with server.http(maker.token) as http:
            made = http.post("/v1/sql", json={"statement": view})
        assert made.status_code < 400, made.text
    reader = steward.reader(*(f"GRANT SELECT ON TABLE {name}" for name in names))
    before = [every_answer(server, reader.token, Wanted(name)) for name in names]
    assert all(SECRET.encode() in b"".join(each["rest json"].received) for each in before)
    steward.sql(f"REVOKE SELECT(id, place) ON TABLE {table} FROM ROLE {maker.role}")
    steward.sql(f"GRANT SELECT(id, place.country) ON TABLE {table} TO ROLE {maker.role}")
    for name in names:
        for door, answer in every_answer(server, reader.token, Wanted(name)).items():
            assert not any(SECRET.encode() in part for part in answer.received), door
    view = f"CREATE VIEW {database}.{unique('by')} AS SELECT place.zip AS v FROM {table}"
    with server.http(maker.token) as http:
        refused = http.post("/v1/sql", json={"statement": view})
    assert refused.status_code >= 400


def test_a_field_renamed_at_the_source_is_not_shown(server: TrialServer, steward: Steward) -> None:
    """What has its place now was granted to nobody."""
    table = steward.dataset(assets(), suffix="parquet")
    reader = reader_of(steward, table)
    path = steward.folder(table) / "part.parquet"
    renamed = pa.struct([("zip", pa.string()), ("Country2", pa.string()), ("n", pa.int64())])
    rows = [{"zip": SECRET, "Country2": SECRET, "n": 1}] * 3
    write(assets().set_column(1, "place", pa.array(rows, renamed)), path)
    for door, answer in every_answer(server, reader.token, Wanted(table)).items():
        assert not any(SECRET.encode() in part for part in answer.received), door
