"""Tokens over the life of a dataset: equal where a domain says so, and nowhere else."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.flight as fl
import pytest

from doors.servers import TrialServer, bearer
from doors.steward import Reader, Steward

pytestmark = pytest.mark.service
TAG = "life.number"
NUMBERS = ["10000001", "10000002", "10000001"]
TABLE = pa.table({"number": NUMBERS, "id": [1, 2, 3]})


def tokens(server: TrialServer, reader: Reader, dataset: str) -> list[str]:
    """What a reader gets in the place of the numbers."""
    with server.flight() as client:
        descriptor = fl.FlightDescriptor.for_path(*dataset.split("."))
        info = client.get_flight_info(descriptor, bearer(reader.token))
        table = client.do_get(info.endpoints[0].ticket, bearer(reader.token)).read_all()
    return table.column("number").to_pylist()


def recreated(steward: Steward, dataset: str, *, tagged: bool) -> None:
    """Drop a dataset and register its folder again, under the same name."""
    database, name = dataset.split(".")
    steward.rest.delete(f"/v1/datasets/{database}/{name}")
    columns = [{"name": "number", "tags": [TAG] if tagged else []}]
    steward.register(steward.crawl(steward.folder(dataset)), database, columns=columns)


def tag_afterwards(steward: Steward, dataset: str) -> None:
    """Put the tag on a dataset that was registered without it."""
    path = f"/v1/datasets/{dataset.replace('.', '/')}/tags/{TAG}"
    steward.rest.put(f"{path}?path=number")


@pytest.fixture
def reader(steward: Steward) -> Reader:
    """Somebody who gets tokens everywhere."""
    steward.ensure_tag(TAG)
    return steward.reader(f"GRANT SELECT ON CATALOG TRANSFORM {TAG} WITH tokenize()")


def check(found: list[str]) -> None:
    """Tokens look like the numbers, are none of them, and are equal where these are."""
    assert all(len(token) == 8 and token.isdigit() for token in found)
    assert not set(found) & set(NUMBERS)
    assert found[0] == found[2] != found[1]


def test_admitted_datasets_share_tokens(
    server: TrialServer, steward: Steward, reader: Reader
) -> None:
    """Two datasets that were reviewed with the tag join on it; so does one that is made again."""
    one, two = (steward.dataset(TABLE, suffix="parquet", tags={"number": [TAG]}) for _ in range(2))
    before = tokens(server, reader, one)
    check(before)
    assert tokens(server, reader, two) == before
    recreated(steward, one, tagged=True)
    assert tokens(server, reader, one) == before


def test_datasets_that_were_not_admitted_share_nothing(
    server: TrialServer, steward: Steward, reader: Reader
) -> None:
    """A tag that came later makes tokens of the dataset's own, and others when it is made again."""
    admitted = steward.dataset(TABLE, suffix="parquet", tags={"number": [TAG]})
    late = steward.dataset(TABLE, suffix="parquet", tags={"number": []})
    tag_afterwards(steward, late)
    shared, own = tokens(server, reader, admitted), tokens(server, reader, late)
    check(own)
    assert not set(own) & set(shared)
    recreated(steward, late, tagged=False)
    tag_afterwards(steward, late)
    again = tokens(server, reader, late)
    check(again)
    assert not set(again) & set(own)


def test_tokens_per_table_die_with_the_table(server: TrialServer, steward: Steward) -> None:
    """`tokenize_no_ref` joins with nothing, not even with what had its name before."""
    steward.ensure_tag(TAG)
    reader = steward.reader(f"GRANT SELECT ON CATALOG TRANSFORM {TAG} WITH tokenize_no_ref()")
    dataset = steward.dataset(TABLE, suffix="parquet", tags={"number": [TAG]})
    before = tokens(server, reader, dataset)
    recreated(steward, dataset, tagged=True)
    after = tokens(server, reader, dataset)
    assert before[0] == before[2]
    assert after[0] == after[2]
    assert not set(after) & set(before)
