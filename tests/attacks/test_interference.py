"""Changing only what is hidden changes nothing that a reader can observe."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.flight as fl
import pytest

from doors.doors import DOORS, Wanted, every_answer
from doors.planted import Planted, planted, register
from doors.servers import TrialServer, bearer
from doors.steward import Steward

pytestmark = pytest.mark.service
VISIBLE = 70_000


@pytest.fixture(scope="module", params=["csv", "parquet"])
def twins(request: pytest.FixtureRequest, steward: Steward) -> tuple[Planted, Planted, Planted]:
    """The same to a reader: with hidden rows, without them, and with other hidden values."""
    tables = (planted(), planted(hidden_rows=False), planted(salt="OTHER" * 9))
    first, second, third = (register(steward, t, request.param) for t in tables)
    return first, second, third


@pytest.mark.parametrize("door", sorted(DOORS))
def test_answers_are_equal(server: TrialServer, twins: tuple[Planted, ...], door: str) -> None:
    """Byte for byte at every door; rows, order, tokens and the sizes of batches."""
    schema: pa.Schema | None = None
    answers = []
    for twin in twins:
        reference = DOORS["flight command"](server, twin.reader.token, Wanted(twin.dataset), None)
        assert reference.table is not None
        schema = reference.table.schema
        answers.append(DOORS[door](server, twin.reader.token, Wanted(twin.dataset), schema))
    first, *others = answers
    assert first.table is not None
    for other in others:
        assert other.table is not None
        assert other.table.equals(first.table)
        assert other.sizes == first.sizes
        if door.startswith(("rest", "cli")):
            assert other.received == first.received


@pytest.mark.parametrize("page", ["", "/explain", "/scan?columns=zzz", "/explain?user=admin"])
def test_descriptions_are_equal(server: TrialServer, twins: tuple[Planted, ...], page: str) -> None:
    """What a reader is told about it, but for names and audit ids."""
    texts = []
    for twin in twins:
        with server.http(twin.reader.token) as http:
            body = http.get(f"/v1/datasets/{twin.dataset.replace('.', '/')}{page}").json()
        body.pop("audit_id", None)
        text = str(body)
        for name in (twin.dataset, twin.reader.user, twin.reader.group, twin.reader.role):
            text = text.replace(name, "-")
        texts.append(text)
    assert len(set(texts)) == 1


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_batches_do_not_tell_how_many_rows_lie_between(
    server: TrialServer, steward: Steward, suffix: str
) -> None:
    """Whether a third, nine tenths or none of the rows are hidden: the same cuts, totals -1."""
    sizes = set()
    for every in (1, 3, 5):
        number = np.arange(VISIBLE * every)
        table = pa.table({"id": number // every, "hide": (number % every > 0).astype(np.int64)})
        dataset = steward.dataset(table, suffix=suffix)
        reader = steward.reader(f"GRANT SELECT ON TABLE {dataset} WHERE hide = 0")
        answer = DOORS["flight path"](server, reader.token, Wanted(dataset), None)
        assert answer.table is not None
        assert np.array_equal(answer.table.column("id"), np.arange(VISIBLE))
        sizes.add(answer.sizes)
    assert sizes == {(32_768, 32_768, VISIBLE - 2 * 32_768)}


def test_a_failing_filter_hides_the_row_and_nothing_else(
    server: TrialServer, steward: Steward
) -> None:
    """A cast, a division or an overflow that fails on a hidden row fails no query."""
    table = pa.table({"id": [1, 2, 3, 4], "text": ["10", "none", "0", "9223372036854775807"]})
    dataset = steward.dataset(table)
    for condition, expected in {
        "CAST(text AS BIGINT) > 5": [1, 4],
        "100 / CAST(text AS BIGINT) > 1": [1],
        "CAST(text AS BIGINT) + 1 > 5": [1],
    }.items():
        reader = steward.reader(f"GRANT SELECT ON TABLE {dataset} WHERE {condition}")
        for door, answer in every_answer(server, reader.token, Wanted(dataset, ("id",))).items():
            assert answer.table is not None, (door, condition, answer)
            assert answer.table.column("id").to_pylist() == expected, (door, condition)


def test_a_ticket_and_its_information_say_nothing_about_size(
    server: TrialServer, twins: tuple[Planted, ...]
) -> None:
    """One endpoint without places, totals -1, and tickets of one length."""
    lengths = set()
    for twin in twins:
        database, name = twin.dataset.split(".")
        with server.flight() as client:
            info = client.get_flight_info(
                fl.FlightDescriptor.for_path(database, name), bearer(twin.reader.token)
            )
        (endpoint,) = info.endpoints
        assert endpoint.locations == []
        assert (info.total_records, info.total_bytes) == (-1, -1)
        lengths.add(len(endpoint.ticket.ticket) // 64)
    assert len(lengths) == 1
