"""No byte that leaves holds a hidden value: responses, errors, listings, explanations, logs."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.flight as fl
import pytest

from doors.doors import BROKEN, DOORS, Run, Wanted, every_answer
from doors.planted import CITY, PHONE, Planted, found_in, inside_parquet, planted, register
from doors.servers import TrialServer, bearer
from doors.steward import Steward, write

pytestmark = pytest.mark.service


@pytest.fixture(scope="module", params=["csv", "parquet"])
def secret(request: pytest.FixtureRequest, steward: Steward) -> Planted:
    """Planted values in either format."""
    return register(steward, planted(), request.param)


def test_the_search_finds_what_was_planted(server: TrialServer, secret: Planted) -> None:
    """In what the admin gets it is everywhere: so a clean search means something."""
    for door, answer in every_answer(server, server.admin_token, Wanted(secret.dataset)).items():
        parts = list(answer.received)
        if door == "rest parquet":
            parts = list(inside_parquet(parts[0]))
        assert {PHONE, CITY} <= set(found_in(parts)), door


@pytest.mark.parametrize(
    ("columns", "limit"),
    [(None, None), (None, 1), (("amount", "city"), 1000), (("opted_out",), None), (None, 0)],
)
def test_rows_carry_nothing_hidden(
    server: TrialServer, secret: Planted, columns: tuple[str, ...] | None, limit: int | None
) -> None:
    """Not in cells, under NULLs, in dictionaries, statistics, metadata or cut-off batches."""
    wanted = Wanted(secret.dataset, columns, limit)
    for door, answer in every_answer(server, secret.reader.token, wanted).items():
        assert answer.table is not None, (door, answer)
        assert answer.table.num_rows == (2000 if limit is None else min(limit, 2000)), door
        parts = list(answer.received)
        if door == "rest parquet":
            parts += inside_parquet(parts[0])
        assert found_in(parts) == [], door


def test_arrays_are_rebuilt_not_sliced(server: TrialServer, secret: Planted) -> None:
    """No dictionaries, no views, no metadata, zero under every NULL."""
    answer = every_answer(server, secret.reader.token, Wanted(secret.dataset))["flight command"]
    assert answer.table is not None
    assert answer.table.schema.metadata is None
    for field, column in zip(answer.table.schema, answer.table.columns, strict=True):
        assert field.metadata is None
        assert field.type in (pa.int64(), pa.string())
        for chunk in column.chunks:
            values = pa.Array.from_buffers(chunk.type, len(chunk), [None, *chunk.buffers()[1:]])
            under = values.filter(chunk.is_null())
            assert set(under.to_pylist()) <= {0, ""}


PAGES = (
    "/v1/datasets",
    "/v1/datasets/{0}",
    "/v1/datasets/{0}/explain",
    "/v1/datasets/{0}/explain?user=admin",
    "/v1/datasets/{0}/scan?columns=phone",
    "/v1/datasets/{0}/scan?columns=note,id&format=parquet",
    "/v1/datasets/{0}/scan?limit=-1",
    "/v1/databases",
    "/v1/crawls",
    "/v1/permissions",
    "/v1/audit",
    "/v1/tags",
    "/openapi.json",
)


@pytest.mark.parametrize("page", PAGES)
def test_pages_carry_nothing_hidden(server: TrialServer, secret: Planted, page: str) -> None:
    """Neither values nor comments of hidden columns; nor the place where the data lies."""
    with server.http(secret.reader.token) as http:
        got = http.get(page.format(secret.dataset.replace(".", "/")))
    assert found_in([got.content, str(got.headers).encode()]) == []
    assert str(server.lake).encode() not in got.content


def test_a_hidden_column_is_named_nowhere(server: TrialServer, secret: Planted) -> None:
    """Not in the schema, the listings, one's own explanation, Flight's listing, or a hint."""
    path = f"/v1/datasets/{secret.dataset.replace('.', '/')}"
    with server.http(secret.reader.token) as http:
        texts = [http.get(page).text for page in (path, f"{path}/explain", "/v1/datasets")]
        texts.append(http.get(f"{path}/scan", params={"columns": "absent"}).text)
    with server.flight() as client:
        flights = client.list_flights(options=bearer(secret.reader.token))
        texts += [f"{info.schema} {info.descriptor.path}" for info in flights]
        descriptor = fl.FlightDescriptor.for_path(*secret.dataset.split("."))
        texts.append(str(client.get_flight_info(descriptor, bearer(secret.reader.token)).schema))
    for text in texts:
        assert "phone" not in text.lower()
        assert "note" not in text.lower()


def test_the_command_line_shows_nothing_hidden(command: Run, secret: Planted) -> None:
    """Its tables, its JSON and its explanations."""
    for arguments in (
        ("scan", secret.dataset, "--format", "table"),
        ("explain", secret.dataset),
        ("explain", secret.dataset, "--json"),
        ("dataset", "show", secret.dataset),
        ("db", "datasets"),
        ("scan", secret.dataset, "--columns", "phone"),
    ):
        done = command(*arguments, PRIVET_TOKEN=secret.reader.token)
        assert found_in([done.stdout_bytes, done.stderr_bytes]) == []


SPOILT = (
    ("csv", b"id,age\n1,30\n2,PLANTPHONE-000001\n"),
    ("csv", b"id,age\n1,30\n2,31,PLANTNOTE\n"),
    ("csv", b'id,age\n1,30\n2,"PLANTNOTE\n'),
    ("csv", b"id,age\n1,30\nPLANTMRN\xff,1\n"),
)


@pytest.mark.parametrize(("suffix", "content"), SPOILT)
def test_errors_of_a_source_hold_no_value(
    server: TrialServer, steward: Steward, suffix: str, content: bytes
) -> None:
    """A file that breaks after it was registered is a typed error at every door, without cells."""
    dataset = steward.dataset("id,age\n1,30\n2,31\n", suffix=suffix)
    (steward.folder(dataset) / f"part.{suffix}").write_bytes(content)
    reader = steward.reader(f"GRANT SELECT ON TABLE {dataset}")
    for door, answer in every_answer(server, reader.token, Wanted(dataset)).items():
        assert answer.code in {"source_invalid", "schema_changed", ""}, (door, answer)
        assert answer.table is None, door
        assert found_in([*answer.received, answer.message.encode()]) == []


def test_a_source_that_breaks_amid_a_scan_leaves_no_value_behind(
    server: TrialServer, steward: Steward
) -> None:
    """The stream ends with an error, not as if it were whole; the log names no cell."""
    rows = [f"{i},{i % 90},{'-' * 160}" for i in range(120_000)]
    dataset = steward.dataset("id,age,filling\n" + "\n".join(rows[:100]) + "\n")
    path = steward.folder(dataset) / "part.csv"
    path.write_text("id,age,filling\n" + "\n".join([*rows, "1,PLANTPHONE,-"]) + "\n")
    reader = steward.reader(f"GRANT SELECT ON TABLE {dataset}")
    for door in ("flight path", "rest csv", "rest json", "rest arrow", "cli", "okera"):
        answer = DOORS[door](server, reader.token, Wanted(dataset), None)
        assert answer.table is None, door
        assert answer.code in {BROKEN, "source_invalid"}, door
        assert found_in(answer.received) == [], door
    event = server.events(user=reader.user, action="scan.end")[0]
    assert (event["outcome"], event["error"]) == ("failed", "source_invalid")
    assert event["rows_returned"] > 0


def test_the_log_holds_no_value(server: TrialServer, steward: Steward, secret: Planted) -> None:
    """After all of this, and after files that no library can read."""
    name = secret.dataset.partition(".")[2]
    write(planted(), server.lake / f"{name}_broken" / "a.parquet")
    broken = server.lake / f"{name}_broken" / "b.parquet"
    broken.write_bytes(b"PAR1" + PHONE.encode() * 100 + b"PAR1")
    steward.crawl(broken.parent)
    assert found_in([server.log.read_bytes()]) == []
