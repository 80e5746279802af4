"""The client against a real server: what an analyst gets, and how it is refused."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest

import privet
from privet.client import Client, Rest, Unreachable
from privet.model.errors import (
    Forbidden,
    InvalidRequest,
    NotFound,
    ParseFailed,
    PrivetError,
    Unauthenticated,
)

pytestmark = pytest.mark.service
NAME = "health.costs"
ROWS = 200_000
HIDDEN = "phone"


@pytest.fixture
def client(governed: Any) -> Iterator[Client]:
    """The analyst's connection."""
    where = governed.server.addresses
    with privet.connect(where.rest, governed.analyst, ca=where.ca) as connection:
        yield connection


def test_a_scan_gives_what_the_analyst_may_see(client: Client, governed: Any) -> None:
    """No hidden column, no filtered row; the schema is known before anything is read."""
    scan = client.scan(NAME)
    names = scan.schema.names
    assert HIDDEN not in names
    assert "mrn" in names
    table = scan.to_arrow()
    assert table.schema.names == names
    assert table.num_rows == ROWS - governed.opted_out
    assert 1 not in table.column("opted_out").to_pylist()


def test_every_form_has_the_same_rows(client: Client) -> None:
    """Arrow, batches, a reader, pandas and Polars agree."""
    table = client.scan(NAME, limit=5000).to_arrow()
    assert pa.Table.from_batches(list(client.scan(NAME, limit=5000))).equals(table)
    assert client.scan(NAME, limit=5000).to_reader().read_all().equals(table)
    frame = client.scan(NAME, limit=5000).to_pandas()
    assert pa.Table.from_pandas(frame, schema=table.schema).equals(table)
    assert client.scan(NAME, limit=5000).to_polars().shape == table.shape


def test_a_frame_can_be_changed(client: Client) -> None:
    """Its memory is its own, also when there is only one batch."""
    frame = client.scan(NAME, limit=10).to_pandas()
    frame.loc[3, "bmi"] = 1.0
    frame.loc[3, "mrn"] = "x"
    assert frame.loc[3, "bmi"] == 1.0


def test_columns_come_in_the_order_asked_for(client: Client) -> None:
    """Names are folded as everywhere; no rows are rows too."""
    scan = client.scan(NAME, columns=["AGE", "mrn"], limit=0)
    assert scan.schema.names == ["age", "mrn"]
    assert scan.to_arrow().num_rows == 0


@pytest.mark.parametrize(
    ("ask", "kind"),
    [
        (lambda c: c.scan("health.absent"), NotFound),
        (lambda c: c.scan(NAME, columns=[HIDDEN]), NotFound),
        (lambda c: c.scan(NAME, columns=["no column"]), InvalidRequest),
        (lambda c: c.explain(NAME, user="admin"), Forbidden),
        (lambda c: c.execute("GRANT\nSELECTT"), ParseFailed),
    ],
)
def test_refusals_are_the_models_errors(client: Client, ask: Any, kind: type[PrivetError]) -> None:
    """The class, the sentence and a hint come through."""
    with pytest.raises(kind) as refused:
        ask(client)
    assert type(refused.value) is kind
    assert refused.value.hint
    assert "grpc" not in refused.value.message.lower()


def test_a_position_comes_through(client: Client) -> None:
    """It points into the statement."""
    with pytest.raises(ParseFailed) as refused:
        client.execute("GRANT\nSELECTT ON")
    assert refused.value.position is not None
    assert refused.value.position.line == 2


def test_the_other_calls(client: Client, governed: Any) -> None:
    """Who I am, what there is, why I see it, and statements."""
    assert client.whoami()["user"] == "ada"
    assert [d["name"] for d in client.databases()] == ["health"]
    (dataset,) = client.datasets("health")
    assert HIDDEN not in [c["name"] for c in dataset["columns"]]
    assert client.explain(NAME)["allowed"]
    where = governed.server.addresses
    with privet.connect(where.flight, governed.server.admin_token, ca=where.ca) as admin:
        shown = admin.execute("SHOW DATABASES")
        assert ("health",) in [row[:1] for row in shown.rows]
        assert admin.explain(NAME, user="ada", groups=[])["allowed"] is False
        assert admin.explain(NAME, user="ada", groups=["analysts"])["allowed"] is True


def test_a_scan_is_read_once(client: Client) -> None:
    """A second reading, and one after closing, are refused."""
    scan = client.scan(NAME, limit=1)
    scan.to_arrow()
    with pytest.raises(InvalidRequest, match="already"):
        scan.to_arrow()
    with client.scan(NAME) as unread:
        pass
    with pytest.raises(InvalidRequest, match="already"):
        list(unread)


def scan_ends(governed: Any) -> list[dict[str, Any]]:
    """The end events of scans, newest first."""
    with Rest(governed.server.addresses.rest, governed.server.admin_token) as rest:
        return rest.items("/v1/audit", action="scan.end", user="ada", limit=1000)


def wait_for_end(governed: Any, known: int) -> dict[str, Any]:
    """The end event that comes after `known` ones."""
    deadline = time.monotonic() + 10
    while len(ends := scan_ends(governed)) == known:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return ends[0]


def test_leaving_early_stops_the_server(client: Client, governed: Any) -> None:
    """Its audit says that not everything was returned."""
    known = len(scan_ends(governed))
    with client.scan(NAME) as scan:
        next(iter(scan))
    assert wait_for_end(governed, known)["rows_returned"] < ROWS - governed.opted_out


def test_another_thread_can_cancel(client: Client) -> None:
    """Whoever reads gets fewer rows or an error, and does not wait for ever."""
    scan = client.scan(NAME)
    timer = threading.Timer(0.01, scan.cancel)
    timer.start()
    try:
        rows = sum(batch.num_rows for batch in scan)
    except PrivetError:
        rows = 0
    timer.join()
    assert rows <= ROWS
    with pytest.raises(InvalidRequest):
        list(scan)


def test_user_and_password_serve_instead_of_a_token(governed: Any) -> None:
    """At either address; a wrong password is refused alike."""
    where = governed.server.addresses
    for url in (where.rest, where.flight):
        with privet.connect(url, user="ada", password="correct horse", ca=where.ca) as client:
            assert client.scan(NAME, limit=1).to_arrow().num_rows == 1
        with pytest.raises(Unauthenticated):
            privet.connect(url, user="ada", password="wrong", ca=where.ca)


def test_a_certificate_that_is_not_trusted_is_refused(
    governed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the server's CA nothing is sent, unless verification is off on this machine."""
    monkeypatch.delenv("PRIVET_CA", raising=False)
    where = governed.server.addresses
    with privet.connect(where.flight, governed.analyst) as client, pytest.raises(Unreachable):
        client.scan(NAME)
    with privet.connect(where.flight, governed.analyst, verify=False) as client:
        assert client.scan(NAME, limit=1).to_arrow().num_rows == 1


def test_a_forged_token_is_refused_by_both_doors(governed: Any) -> None:
    """As unauthenticated."""
    where = governed.server.addresses
    token = governed.analyst[:-4] + "AAAA"
    with privet.connect(where.flight, token, ca=where.ca) as client, pytest.raises(Unauthenticated):
        client.scan(NAME)
    with Rest(where.rest, token) as rest, pytest.raises(Unauthenticated):
        rest.get("/v1/whoami")


def test_a_closed_connection_says_so(governed: Any) -> None:
    """It does not fail in the library below."""
    where = governed.server.addresses
    client = privet.connect(where.flight, governed.analyst, ca=where.ca)
    client.close()
    client.close()
    with pytest.raises(InvalidRequest, match="closed"):
        client.whoami()


def test_a_download_is_refused_before_its_first_byte(governed: Any) -> None:
    """A refusal is an error, not a file."""
    with (
        Rest(governed.server.addresses.rest, governed.analyst) as rest,
        pytest.raises(NotFound),
        rest.download("/v1/datasets/health/absent/scan", format="csv"),
    ):
        raise AssertionError
