"""An answer is the answer over all that may be read, or an error; never over a part of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa
import pytest

from privet.model.crawling.crawls import FoundDataset
from privet.model.datasets import Column, Format, Source
from privet.model.errors import AuditUnavailable, Revoked, SourceInvalid
from privet.model.names import DatasetName
from privet.model.requests import QueryRequest
from privet.service.asking import cut
from query.platforms import Got, Place

ROWS = 100_000
OPTIONS = {"delimiter": ",", "quote": '"', "header": True, "encoding": "utf-8"}
STATEMENTS = (
    "SELECT count(id), sum(age) FROM {}",
    "SELECT count(*) FROM {} WHERE age = 3",
    "SELECT max(id) FROM {} WHERE filling = 'absent'",
    "SELECT count(a.id) FROM {} a, (SELECT max(id) AS id FROM {}) b WHERE a.id < b.id",
    "SELECT id FROM {} ORDER BY age LIMIT 1",
)


@pytest.fixture(scope="module")
def broken(place: Place) -> str:
    """A CSV file of many blocks that breaks in the last one, after it was registered."""
    folder = place.lake / place.unique("csv")
    folder.mkdir()
    rows = [f"{i},{i % 90},{'-' * 100}" for i in range(ROWS)]
    (folder / "part.csv").write_text("\n".join(["id,age,filling", *rows, "none,1,-"]) + "\n")
    kinds = {"id": pa.int64(), "age": pa.int64(), "filling": pa.string()}
    columns = tuple(Column(name, kind, name) for name, kind in kinds.items())
    found = FoundDataset("c", Source(f"file://{folder}", Format.CSV, OPTIONS), columns)
    name = DatasetName(place.unique("db"), "c")
    place.platform.catalog.datasets.register(found, name, columns, by="root", new_database=True)
    return str(name)


@pytest.mark.parametrize("sql", STATEMENTS)
def test_a_source_that_breaks_breaks_the_statement(place: Place, broken: str, sql: str) -> None:
    """However often one asks: what was read before the break is no answer."""
    for _ in range(8):
        got = place.ask(place.admin, sql.replace("{}", broken))
        assert isinstance(got.error, SourceInvalid), got.rows


def test_a_right_that_ends_ends_the_statement(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A statement that reads for longer than its principal may gives no answer over a part."""
    name = place.unique("db")
    place.dataset(pa.table({"id": range(400_000)}), f"{name}.t", row_group_size=2_000)
    monkeypatch.setattr("privet.scan.stream.CHECK_SECONDS", 0.0)
    looked: list[int] = []

    def ends(*_: object) -> None:
        looked.append(1)
        if len(looked) > 5:
            raise Revoked("the token was revoked")

    monkeypatch.setattr(place.platform.identity, "check_still_valid", ends)
    outcomes: list[Got] = []
    for _ in range(8):
        looked.clear()
        outcomes.append(place.ask(place.admin, f"SELECT count(id) FROM {name}.t WHERE id % 7 = 3"))
    assert {type(got.error) for got in outcomes} == {Revoked}


@pytest.mark.parametrize("end", [{"limit": 0}, {"limit": 5}, {"limit": 5, "offset": 3}])
def test_no_row_beyond_those_wanted_is_computed(end: dict[str, int]) -> None:
    """Once the last one is there, nothing is asked of the sandbox any more."""
    asked: list[int] = []

    def counted(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            asked.append(batch.num_rows)
            yield batch

    start = end.get("offset", 0)
    batches = (pa.record_batch({"x": [i]}) for i in range(100))
    wanted = list(cut(counted(batches), start, end["limit"]))
    assert len(asked) == (end["limit"] and end["limit"] + start)
    assert [b["x"][0].as_py() for b in wanted] == list(range(start, start + end["limit"]))


def test_a_right_that_ends_ends_an_answer_that_flows(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that nobody has to wait for, and that reads no dataset."""
    monkeypatch.setattr("privet.service.asking._CHECK_SECONDS", 0.0)
    person = place.person()
    request = QueryRequest("SELECT * FROM range(10_000_000)")
    with place.services.queries.open(person.caller, request) as stream:
        assert next(iter(stream)).num_rows
        place.platform.identity.revoke_before(person.user, place.platform.clock())
        with pytest.raises(Revoked):
            list(stream)


def test_what_cannot_be_recorded_keeps_no_sandbox(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often somebody asks while the audit log fails, the sandboxes go on to others."""

    def full(_: object) -> None:
        raise AuditUnavailable("full")

    with monkeypatch.context() as failing:
        failing.setattr(place.platform.audit, "record", full)
        for sql in ("SELECT 1", "SELEC", "EXPLAIN SELECT 1"):
            assert place.ask(place.admin, sql).code == AuditUnavailable.code
        assert not place.platform.askers._running
    assert place.ask(place.admin, "SELECT 1").rows == [(1,)]


def test_no_dataset_is_taken_for_the_source_of_another(place: Place) -> None:
    """Whatever a dataset is called: a bare name in the default database is that dataset."""
    database = place.unique("db")
    place.dataset(pa.table({"id": range(7)}), f"{database}.t")
    for name in ("__privet_0", "__privet_1", "main", "select", "sqlite_master", "duckdb_tables"):
        place.dataset(pa.table({"id": range(3)}), f"{database}.{name}")
        got = place.ask(place.admin, f'SELECT count(*) FROM "{name}", t', None, database)
        assert got.rows == [(21,)], name
        got = place.ask(place.admin, f'SELECT count(*) FROM t, "{name}"', None, database)
        assert got.rows == [(21,)], name
