"""Filters over fields inside columns, at every door: rows by what nobody sees, and no more."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from doors.doors import SQL_DOORS, Wanted, every_answer
from doors.servers import TrialServer
from doors.steward import Steward, write
from enforcement.plans import column, decision
from enforcement.plans import dataset as dataset_of
from privet.enforcement import passing_rows
from privet.enforcement.rewriting import Foreign, get_engine, list_engines
from privet.model.errors import NotExpressible
from privet.policy import parse_filter

pytestmark = pytest.mark.service
SECRET = "AT-SECRET"
PLACE = pa.struct([("Country", pa.string()), ("Zip", pa.string())])
PARTS = pa.list_(pa.struct([("Code", pa.string()), ("size", pa.int64())]))


def assets(field: str = "Country", **others: Any) -> pa.Table:
    """Rows whose struct is there, is NULL, or has NULL in it; and lists of none and several."""
    countries = (SECRET, "DE", None)
    places = [*({field: c, "Zip": f"{SECRET}{c}"} for c in countries), None, {field: SECRET}]
    kind = pa.struct([(field, pa.string()), ("Zip", pa.string())])
    parts = [
        [{"Code": SECRET, "size": 1}, {"Code": "b", "size": 2}],
        [{"Code": "b", "size": 3}],
        [],
        None,
        [None, {"Code": "c", "size": None}],
    ]
    columns = {
        "id": pa.array([1, 2, 3, 4, 5]),
        "place": pa.array(places, kind),
        "parts": pa.array(parts, PARTS),
    }
    return pa.table(columns | others)


CASES = [
    (f"place.country = '{SECRET}'", [1, 5]),
    (f"place.COUNTRY != '{SECRET}'", [2]),
    ("place.country IS NULL", [3, 4]),
    ("place IS NULL", [4]),
    (f"parts.code = '{SECRET}' AND parts.size = 1", [1]),
    (f"parts.code = '{SECRET}' AND parts.size = 2", []),
    ("parts.code = 'b'", [1, 2]),
    ("parts.code IS NULL", [3, 4, 5]),
    ("cast(place.country AS BIGINT) = 1 OR TRUE", [3, 4]),
    ("6 / (parts.size - 2) > 1", [2]),
    (f"parts.code = 'b' AND place.country = '{SECRET}'", [1]),
]


@pytest.fixture(scope="module")
def dataset(steward: Steward) -> str:
    """Everybody's."""
    return steward.dataset(assets(), suffix="parquet")


@pytest.mark.parametrize(("condition", "expected"), CASES, ids=[c for c, _ in CASES])
def test_rows_by_a_field_that_nobody_sees(
    server: TrialServer, steward: Steward, dataset: str, condition: str, expected: list[int]
) -> None:
    """Every door gives the same rows and not a byte of the field; what fails hides its row."""
    reader = steward.reader(f"GRANT SELECT(id) ON TABLE {dataset} WHERE {condition}")
    for door, answer in every_answer(server, reader.token, Wanted(dataset)).items():
        if answer.table is None:
            assert not expected, (door, answer)
            continue
        assert answer.table.column_names == ["id"], door
        assert answer.table.column("id").to_pylist() == expected, door
        assert not any(SECRET.encode() in part for part in answer.received), door


@pytest.mark.parametrize("door", sorted(SQL_DOORS))
def test_asking_for_the_field_reads_as_asking_for_nothing(
    server: TrialServer, steward: Steward, dataset: str, door: str
) -> None:
    """A filter over it gives no way to it: text of refusal and code are those of a made-up name."""
    where = f"place.country = '{SECRET}'"
    reader = steward.reader(f"GRANT SELECT(id) ON TABLE {dataset} WHERE {where}")
    ask = SQL_DOORS[door]
    for text in (
        "SELECT {}.country FROM {{}}",
        "SELECT id FROM {{}} WHERE {}.country = 'x'",
        "SELECT {{}}.{} FROM {{}}",
    ):
        told = [
            ask(server, reader.token, text.format(name).replace("{}", dataset))
            for name in ("place", "plaze")
        ]
        assert all(each.table is None for each in told)
        assert len({each.code for each in told}) == 1


def test_a_safeguard_takes_rows_by_a_field(server: TrialServer, steward: Steward) -> None:
    """Only where it is true: a struct that is NULL is no reason to show a row."""
    table = steward.dataset(assets(), suffix="parquet")
    reader = steward.reader(f"GRANT SELECT(id) ON TABLE {table}")
    restrict = f"RESTRICT SELECT ON TABLE {table} WHERE place.country != '{SECRET}'"
    steward.sql(f"{restrict} FROM ROLE {reader.role}")
    for door, answer in every_answer(server, reader.token, Wanted(table)).items():
        assert answer.table is not None, door
        assert answer.table.column("id").to_pylist() == [2], door


@pytest.mark.parametrize("condition", ["place.country IS NULL", f"place.country != '{SECRET}'"])
@pytest.mark.parametrize("crawled", [False, True], ids=["unseen", "crawled"])
def test_a_field_renamed_at_the_source_shows_no_row(
    server: TrialServer, steward: Steward, condition: str, crawled: bool
) -> None:
    """It is no NULL: until somebody reviewed what became of it, nothing is shown by it."""
    table = steward.dataset(assets(), suffix="parquet")
    reader = steward.reader(f"GRANT SELECT(id) ON TABLE {table} WHERE {condition}")
    path = steward.folder(table) / "part.parquet"
    write(assets("Land"), path)
    if crawled:
        steward.crawl(path.parent)
    for door, answer in every_answer(server, reader.token, Wanted(table)).items():
        rows = [] if answer.table is None else answer.table.column("id").to_pylist()
        assert rows == [], door
        assert not any(SECRET.encode() in part for part in answer.received), door


@pytest.mark.parametrize("engine", list_engines())
@pytest.mark.parametrize(
    "condition", ["place.country = 'DE'", "place.country IS NULL", "NOT parts.code IN ('b')"]
)
def test_no_other_engine_is_told_such_a_filter(engine: str, condition: str) -> None:
    """What it cannot be made to say in the same way is refused, not left out."""
    data = dataset_of(column("id", pa.int64()), column("place", PLACE), column("parts", PARTS))
    decided = decision(data, f"GRANT SELECT(id) ON DATABASE db WHERE {condition}")
    assert decided.allowed
    with pytest.raises(NotExpressible):
        Foreign("SELECT id FROM db.t", get_engine(engine), None).rewrite({data.name: decided})


def test_long_lists_cost_no_more_than_their_items() -> None:
    """A row is repeated for each of its items; its lists and its long texts are not, all at once.

    A hidden row could else end every scan of its dataset.
    """
    items = 20_000
    marks = pa.list_(pa.struct([("text", pa.string())]))
    part = [{"code": "a", "marks": [{"text": "y"}] * items}, *([{"code": "b" * 20}] * items)]
    columns = {
        "name": pa.array(["x" * (1 << 18), "b"]),
        "parts": pa.array(
            [part, []], pa.list_(pa.struct([("code", pa.string()), ("marks", marks)]))
        ),
    }
    before = pa.total_allocated_bytes()
    highest = pa.default_memory_pool().max_memory()
    for condition, passing in (
        ("parts.code = 'a'", [True, False]),
        ("parts.marks.text = 'y' AND parts.code = 'a' AND parts IS NOT NULL", [True, False]),
        ("parts.marks IS NULL AND parts.marks.text IS NULL", [True, True]),
        ("parts.code = name", [False, False]),
    ):
        assert passing_rows(parse_filter(condition), columns, 2).tolist() == passing, condition
    assert pa.default_memory_pool().max_memory() - max(before, highest) < 1 << 30
