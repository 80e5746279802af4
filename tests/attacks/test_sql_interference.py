"""Changing only what is hidden changes nothing of a query: rows, sizes, bytes, headers, EXPLAIN."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.flight as fl
import pytest

from attacks.sql_doors import ALL_SQL_DOORS
from doors.servers import TrialServer, bearer
from doors.steward import Reader, Steward
from flight.raw import Speaker
from privet.flight import flight_sql_pb2 as pb
from privet.model.names import DatasetName
from query.platforms import Person, Place, make_master, open_place, settled

VISIBLE = 70_000
GRANT = "GRANT SELECT ON TABLE {} HAVING ATTRIBUTE NOT IN (security.hidden) WHERE hide = 0"
TAGS = {"secret": ["security.hidden"], "worth": ["security.hidden"]}
VARIANTS: dict[str, tuple[int, int]] = {
    "nothing is hidden": (1, 0),
    "every other row": (2, 0),
    "other values": (2, 7),
    "four of five rows": (5, 3),
}
"""One row of so many is visible; and what hidden cells are made of."""
STATEMENTS = (
    "SELECT * FROM {}",
    "SELECT id FROM {} WHERE id % 3 = 1",
    "SELECT id, town FROM {} WHERE town = 'town3'",
    "SELECT * FROM {} WHERE id BETWEEN 32760 AND 32780",
    "SELECT id FROM {} LIMIT 40001",
    "SELECT id, town FROM {} LIMIT 3",
    "SELECT id, town FROM {} WHERE id > 20 LIMIT 33",
    "SELECT id FROM {} LIMIT 10 OFFSET 32765",
    "SELECT count(*), sum(id), min(id), max(id) FROM {}",
    "SELECT count(*) FROM {} WHERE hide != 0",
    "SELECT count(*) FROM {} WHERE town = 'HIDDEN'",
    "SELECT town, count(*) AS n FROM {} GROUP BY town ORDER BY town",
    "SELECT id FROM {} ORDER BY id DESC",
    "SELECT id, row_number() OVER (ORDER BY id) AS r FROM {}",
    "SELECT a.id FROM {} a JOIN {} b ON a.id = b.id + 1 ORDER BY a.id",
    "SELECT id FROM {} a WHERE EXISTS (SELECT 1 FROM {} b WHERE b.id = a.id * 2) ORDER BY id",
    "SELECT min(town), max(town), count(DISTINCT town) FROM {}",
    "SELECT column_name, min, max, count FROM (SUMMARIZE SELECT * FROM {})",
    "SELECT approx_count_distinct(id), quantile_cont(id, 0.5) FROM {}",
    "SELECT list(id ORDER BY id)[1:5] FROM {}",
    "SELECT id FROM {} WHERE CASE WHEN town = 'HIDDEN' THEN error('x') ELSE true END",
    "SELECT sum(CASE WHEN id < 0 THEN 1 // 0 ELSE 1 END) FROM {}",
    "SELECT CAST(town AS INT) FROM {}",
    "SELECT secret FROM {}",
    "SELECT id FROM {} WHERE worth > 3",
    "SELECT secrets FROM {}",
    "SELECT hash(t) FROM {} t ORDER BY 1",
    "SELECT to_json(t) AS j FROM {} t WHERE id < 50000",
    "EXPLAIN SELECT id FROM {} WHERE town = 'town1' AND id > 5",
    "EXPLAIN SELECT secret FROM {}",
    "DESCRIBE SELECT * FROM {}",
    "WITH RECURSIVE r(n) AS (SELECT count(*) % 7 FROM {} UNION SELECT n-1 FROM r WHERE n>0) FROM r",
    "SELECT * FROM {} TABLESAMPLE 100%",
    "PIVOT {} ON town IN ('town0', 'HIDDEN') USING count(*) GROUP BY hide",
)


def variant(every: int, salt: int) -> pa.Table:
    """The same visible rows; hidden ones between them, and hidden columns, as told."""
    number = np.arange(VISIBLE * every)
    hidden = number % every > 0
    ids = np.where(hidden, -1 - number * (salt + 1), number // every)
    towns = np.where(hidden, "HIDDEN" + "x" * salt, np.char.add("town", (ids % 7).astype(str)))
    return pa.table(
        {
            "id": ids,
            "town": pa.array(towns.astype(object), pa.string()),
            "secret": pa.array([f"s{salt}"] * len(number)),
            "worth": number * (salt + 3),
            "hide": hidden.astype(np.int64),
        }
    )


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[tuple[Place, Person]]]:
    """A platform for each variant, with one master key; what is hidden is so by several means."""
    folder = tmp_path_factory.mktemp("interference")
    master = make_master(folder / "master.key")
    with ExitStack() as stack:
        opened: list[tuple[Place, Person]] = []
        for number, told in enumerate(VARIANTS.values()):
            place = stack.enter_context(open_place(folder / str(number), master=master))
            opened.append((place, MEANS[number](place, variant(*told))))
        yield opened


def _by_grant(place: Place, rows: pa.Table) -> Person:
    place.dataset(rows, "twin.t", TAGS, row_group_size=9_000)
    return place.person(GRANT.format("twin.t"), user="ada")


def _by_safeguards(place: Place, rows: pa.Table) -> Person:
    place.dataset(rows, "twin.t", TAGS, row_group_size=9_000)
    reader = place.person("GRANT SELECT ON DATABASE twin", user="ada")
    place.safeguard("DENY SELECT ON CATALOG HAVING ATTRIBUTE security.hidden", reader.role)
    place.safeguard("RESTRICT SELECT ON TABLE twin.t WHERE hide = 0", reader.role)
    return reader


def _by_view(place: Place, rows: pa.Table) -> Person:
    place.dataset(rows, "raw.t", TAGS, row_group_size=9_000)
    place.platform.catalog.databases.create("twin", by="root")
    place.grant(GRANT.format("raw.t"), place.role(place.admin))
    text = "SELECT * FROM raw.t"
    place.services.views.create(place.admin.caller, DatasetName("twin", "t"), text)
    return place.person("GRANT SELECT ON TABLE twin.t", user="ada")


MEANS = (_by_grant, _by_grant, _by_safeguards, _by_view)
"""How the same is hidden in each variant: by what is granted, by what is taken, by a view."""


@pytest.mark.parametrize("statement", STATEMENTS)
def test_nothing_tells(places: list[tuple[Place, Person]], statement: str) -> None:
    """Of any variant from another: cells, names and types, the sizes of batches, errors, places."""
    sql = statement.replace("{}", "twin.t")
    (place, ada), *others = places
    first = place.ask(ada, sql)
    described = place.describe(ada, sql)
    assert first.code in {"", "statement_failed", "unknown_name"}
    for other, reader in others:
        got, first = settled(partial(other.ask, reader, sql), partial(place.ask, ada, sql))
        assert got.like(first), (got.error, first.error)
        assert other.describe(reader, sql).told() == described.told()


@pytest.fixture(scope="module")
def twins(steward: Steward) -> list[tuple[str, Reader]]:
    """The variants on a server, under names of one length."""
    steward.ensure_tag("security.hidden")
    made: list[tuple[str, Reader]] = []
    for told in VARIANTS.values():
        dataset = steward.dataset(variant(*told), suffix="parquet", tags=TAGS, row_group_size=9_000)
        made.append((dataset, steward.reader(GRANT.format(dataset))))
    return made


@pytest.mark.service
@pytest.mark.parametrize("form", ["arrow", "csv"])
def test_nothing_tells_over_http(
    server: TrialServer, twins: list[tuple[str, Reader]], form: str
) -> None:
    """Status, headers and body, byte for byte, but for names, dates and audit ids."""
    for statement in (*STATEMENTS[4:7], *STATEMENTS[::3]):
        seen: set[tuple[object, ...]] = set()
        for dataset, reader in twins:
            body = {"statement": statement.replace("{}", dataset)}
            with server.http(reader.token) as http:
                got = http.post("/v1/sql", json=body, params={"format": form})
            headers = {k: v for k, v in got.headers.items() if k not in {"date", "content-length"}}
            content = got.content if got.is_success else _scrubbed(got.json(), dataset)
            seen.add((got.status_code, str(headers), content.replace(dataset.encode(), b"-")))
        assert len(seen) == 1, statement


def _scrubbed(problem: dict[str, object], dataset: str) -> bytes:
    problem.pop("audit_id")
    place = problem.pop("position", None)
    return repr((sorted(problem.items()), place and "somewhere")).encode()


@pytest.mark.service
def test_nothing_tells_over_flight(server: TrialServer, twins: list[tuple[str, Reader]]) -> None:
    """The information, the schema, and each batch as it is cut."""
    for statement in (*STATEMENTS[4:7], *STATEMENTS[:16:3]):
        seen: set[tuple[object, ...]] = set()
        for dataset, reader in twins:
            command = pb.CommandStatementQuery(query=statement.replace("{}", dataset))
            with server.flight() as client:
                info = Speaker(server, client, reader.token).info(command)
                batches = client.do_get(info.endpoints[0].ticket, bearer(reader.token))
                told = [_batch(chunk) for chunk in batches]
            tickets = len(info.endpoints[0].ticket.ticket) // 64
            seen.add((info.schema.serialize().to_pybytes(), tickets, *told))
        assert len(seen) == 1, statement


def _batch(chunk: fl.FlightStreamChunk) -> tuple[object, ...]:
    beside = None if chunk.app_metadata is None else chunk.app_metadata.to_pybytes()
    return chunk.data.serialize().to_pybytes(), beside


@pytest.mark.service
def test_errors_are_equal_at_every_door(
    server: TrialServer, twins: list[tuple[str, Reader]]
) -> None:
    """What fails, fails in the same words wherever something is hidden."""
    for statement in ("SELECT CAST(town AS INT) FROM {}", "SELECT secret FROM {}", "SELECT 1 +"):
        for door, ask in ALL_SQL_DOORS.items():
            told = set()
            for dataset, reader in twins:
                answer = ask(server, reader.token, statement.replace("{}", dataset))
                assert answer.table is None, door
                told.add((answer.code, answer.message.replace(dataset, "-")))
            assert len(told) == 1, (door, told)
