"""Two servers on one database: what one is told counts at the other's next request."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator

import pyarrow as pa
import pyarrow.flight as fl
import pytest

from doors.servers import TrialServer, bearer
from doors.steward import Reader, Steward, unique
from privet.model.errors import NotFound, PrivetError, Unauthenticated

pytestmark = pytest.mark.service
BIG = 3_000_000
OWN = ("serve.lock", "urls.json", "admin.token")


@pytest.fixture
def replicas(
    fresh_server: Callable[..., TrialServer],
) -> Iterator[tuple[TrialServer, TrialServer]]:
    """The second shares the first's database, keys and lake, but not its directory."""
    one = fresh_server("replicas")
    other = TrialServer(one.home.with_name("other"))
    other.home.mkdir(mode=0o700)
    for shared in one.home.iterdir():
        if shared.name not in OWN:
            (other.home / shared.name).symlink_to(shared)
    other.start()
    yield one, other
    other.kill()


def columns(server: TrialServer, reader: Reader, dataset: str) -> list[str] | type[PrivetError]:
    """What a reader gets there: names of columns, or the class of a refusal."""
    path = f"/v1/datasets/{dataset.replace('.', '/')}"
    try:
        return [c["name"] for c in server.rest(reader.token).get(path)["columns"]]
    except PrivetError as error:
        return type(error)


def test_a_change_counts_at_the_other(replicas: tuple[TrialServer, TrialServer]) -> None:
    """Grants, tags, roles, reviews and datasets, at the very next request."""
    one, other = replicas
    steward = Steward(one)
    steward.ensure_tag("life.hidden")
    dataset = steward.dataset(pa.table({"id": [1], "note": ["a"]}))
    path = f"/v1/datasets/{dataset.replace('.', '/')}"
    reader = steward.reader()
    assert columns(other, reader, dataset) is NotFound
    grant = f"GRANT SELECT ON TABLE {dataset} HAVING ATTRIBUTE NOT IN (life.hidden)"
    steward.sql(f"{grant} TO ROLE {reader.role}")
    assert columns(other, reader, dataset) == ["id", "note"]
    steward.rest.put(f"{path}/tags/life.hidden", path="note")
    assert columns(other, reader, dataset) == ["id"]
    steward.rest.delete(f"{path}/tags/life.hidden", path="note")
    assert columns(other, reader, dataset) == ["id", "note"]
    revision = steward.rest.get(path)["revision"]
    unreviewed = [{"name": "note", "reviewed": False}]
    body = {"revision": revision, "columns": unreviewed}
    steward.rest._call("PATCH", f"{path}/columns", body=body)
    assert columns(other, reader, dataset) == ["id"]
    steward.rest.delete(f"/v1/roles/{reader.role}/groups/{reader.group}")
    assert columns(other, reader, dataset) is NotFound
    steward.rest.put(f"/v1/roles/{reader.role}/groups/{reader.group}")
    assert columns(other, reader, dataset) == ["id"]
    steward.rest.delete(path)
    assert columns(other, reader, dataset) is NotFound


def test_a_revocation_counts_at_the_other(replicas: tuple[TrialServer, TrialServer]) -> None:
    """For requests, for tickets made before, and for what runs there; others go on."""
    one, other = replicas
    steward = Steward(one)
    table = pa.table({"id": pa.array(range(BIG)), "text": pa.array(["some text"] * BIG)})
    dataset = steward.dataset(table, suffix="parquet", row_group_size=100_000)
    stays = steward.reader(f"GRANT SELECT ON TABLE {dataset}")
    leaver = unique("leaver")
    leaves = Reader(leaver, stays.group, stays.role, one.token(leaver, stays.group))
    assert columns(other, leaves, dataset) == ["id", "text"]
    with other.flight() as client:
        descriptor = fl.FlightDescriptor.for_path(*dataset.split("."))
        info = client.get_flight_info(descriptor, bearer(leaves.token))
        stream = client.do_get(info.endpoints[0].ticket, bearer(leaves.token))
        stream.read_chunk()
        steward.rest.post(f"/v1/users/{leaves.user}/revoke")
        assert columns(other, leaves, dataset) is Unauthenticated
        with pytest.raises(fl.FlightUnauthenticatedError):
            client.do_get(info.endpoints[0].ticket, bearer(leaves.token)).read_all()
        time.sleep(1.1)
        with pytest.raises(fl.FlightUnauthenticatedError, match="revoked"):
            stream.read_all()
    assert columns(other, stays, dataset) == ["id", "text"]
    time.sleep(1)
    again = Reader(leaver, stays.group, stays.role, one.token(leaver, stays.group))
    assert columns(other, again, dataset) == ["id", "text"]
    shutil.rmtree(steward.folder(dataset))


def test_what_runs_is_listed_where_it_runs(replicas: tuple[TrialServer, TrialServer]) -> None:
    """A replica neither lists nor ends what another reads; the text is that for unknown ids."""
    one, other = replicas
    steward = Steward(one)
    table = pa.table({"id": pa.array(range(BIG))})
    dataset = steward.dataset(table, suffix="parquet", row_group_size=100_000)
    with other.flight() as client:
        token = other.admin_token
        info = client.get_flight_info(
            fl.FlightDescriptor.for_path(*dataset.split(".")), bearer(token)
        )
        stream = client.do_get(info.endpoints[0].ticket, bearer(token))
        stream.read_chunk()
        (run,) = other.rest().items("/v1/scans")
        assert one.rest().items("/v1/scans") == []
        with pytest.raises(NotFound):
            one.rest().delete(f"/v1/scans/{run['id']}")
        other.rest().delete(f"/v1/scans/{run['id']}")
        with pytest.raises(fl.FlightError, match="called this scan off"):
            stream.read_all()
