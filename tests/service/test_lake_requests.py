"""Which files of Delta and Iceberg a scan asks an object store for, through a proxy that counts."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.transforms import IdentityTransform

from privet.demo.objectstore import LAKE, ObjectStore
from privet.model.errors import PrivetError
from query.platforms import Person, Place, open_place
from services.proxies import Proxy, proxied

pytestmark = pytest.mark.service
FILES = 12
WIDTH = 100


def rows(at: int) -> pa.Table:
    """The rows of a file: `n` and `secret` are other ones in each, and `word` begins otherwise."""
    here = range(at * WIDTH, (at + 1) * WIDTH)
    return pa.table(
        {
            "region": [f"r{at % 3}"] * WIDTH,
            "n": pa.array(here, pa.int64()),
            "word": [f"w{at:02}-{i}" for i in here],
            "secret": pa.array([7 * i for i in here], pa.int64()),
        }
    )


@pytest.fixture(scope="module")
def proxy(seaweed: ObjectStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """A store with the tables `delta` and `ice`, a file for each of a few ranges."""
    folder = tmp_path_factory.mktemp("tables")
    made = folder / "delta"
    for at in range(FILES):
        write_deltalake(made, rows(at), mode="append", partition_by=["region"])
    _upload(seaweed, made, "delta")
    where = seaweed.location(seaweed.platform)
    catalog = SqlCatalog(
        "c",
        uri="sqlite://",
        **{
            "s3.endpoint": seaweed.endpoint,
            "s3.access-key-id": str(where["access_key"]),
            "s3.secret-access-key": str(where["secret_key"]),
            "s3.region": "us-east-1",
        },
    )
    catalog.create_namespace("n")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = catalog.create_table("n.t", rows(0).schema, location=f"s3://{LAKE}/ice")
        with table.update_spec() as update:
            update.add_field("region", IdentityTransform())
        for at in range(FILES):
            table.append(rows(at))
    catalog.engine.dispose()
    with proxied(seaweed.endpoint) as proxy:
        yield proxy


def _upload(store: ObjectStore, folder: Path, name: str) -> None:
    files = store.filesystem(store.platform)
    for path in (p for p in folder.rglob("*") if p.is_file()):
        key = path.relative_to(folder).as_posix()
        with files.open_output_stream(f"{LAKE}/{name}/{key}") as out:
            out.write(path.read_bytes())


@pytest.fixture(scope="module")
def place(
    proxy: Proxy, seaweed: ObjectStore, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    location = {**seaweed.location(seaweed.reader), "endpoint": proxy.endpoint}
    with open_place(tmp_path_factory.mktemp("place"), s3=[location]) as place:
        statements = place.services.statements
        statements.execute(place.admin.caller, "CREATE DATABASE d")
        for name, form in (("delta", "DELTA"), ("ice", "ICEBERG")):
            statements.execute(
                place.admin.caller,
                f"CREATE TABLE d.{name} STORED AS {form} LOCATION 's3://{LAKE}/{name}'",
            )
        yield place


def asked(place: Place, proxy: Proxy, person: Person, statement: str) -> tuple[object, int]:
    """The answer to a statement, and how many data files were read from for it."""
    proxy.requests.clear()
    got = place.ask(person, statement)
    assert got.error is None, got.error
    return got.rows[0][0], len({k for k in proxy.reads() if k.endswith(".parquet")})


@pytest.mark.parametrize("name", ["delta", "ice"])
def test_only_files_that_policy_and_query_need(place: Place, proxy: Proxy, name: str) -> None:
    """By partitions and by statistics, of what is asked and of what the policy says."""
    everything = place.person(f"GRANT SELECT ON TABLE d.{name}")
    count = f"SELECT count(*) FROM d.{name}"
    assert asked(place, proxy, everything, count) == (FILES * WIDTH, FILES)
    for condition, found, files in (
        ("region = 'r1'", FILES // 3 * WIDTH, FILES // 3),
        ("n = 250", 1, 1),
        ("n >= 150 AND n < 250", WIDTH, 2),
        ("n IN (50, 1150)", 2, 2),
        ("word = 'w07-705'", 1, 1),
        ("region = 'r1' AND n = 250", 0, 0),
        ("n = -1", 0, 0),
    ):
        got = asked(place, proxy, everything, f"{count} WHERE {condition}")
        assert (condition, *got) == (condition, found, files)
    policy = place.person(f"GRANT SELECT(n) ON TABLE d.{name} WHERE secret < {7 * WIDTH}")
    assert asked(place, proxy, policy, count) == (WIDTH, 1)
    assert asked(place, proxy, policy, f"{count} WHERE n = 250") == (0, 0)


@pytest.mark.parametrize("name", ["delta", "ice"])
def test_statistics_of_hidden_columns_say_nothing(place: Place, proxy: Proxy, name: str) -> None:
    """A condition on one is refused before a file is asked for, whatever its files would hold."""
    reader = place.person(f"GRANT SELECT(n) ON TABLE d.{name}")
    told: set[tuple[str, int]] = set()
    for value in (0, 7 * 250, -1, 10**9):
        proxy.requests.clear()
        got = place.ask(reader, f"SELECT count(*) FROM d.{name} WHERE secret = {value}")
        assert isinstance(got.error, PrivetError)
        told.add((got.error.message, len([k for k in proxy.reads() if k.endswith(".parquet")])))
    assert len(told) == 1
    assert {files for _, files in told} == {0}


@pytest.mark.parametrize("name", ["delta", "ice"])
def test_statistics_of_masked_columns_say_nothing(place: Place, proxy: Proxy, name: str) -> None:
    """A condition on what stands for cells is about that; as many files are read for each value."""
    place.tags("t.hidden")
    statements = place.services.statements
    statements.execute(
        place.admin.caller, f"ALTER TABLE d.{name} ADD COLUMN ATTRIBUTE secret t.hidden"
    )
    reader = place.person(
        f"GRANT SELECT ON TABLE d.{name} TRANSFORM t.hidden WITH zero(__COLUMN__)"
    )
    count = f"SELECT count(*) FROM d.{name} WHERE secret ="
    answers = {asked(place, proxy, reader, f"{count} {value}") for value in (7 * 250, -1, 10**9)}
    assert answers == {(0, FILES)}
    assert asked(place, proxy, reader, f"{count} 0") == (FILES * WIDTH, FILES)


def test_statistics_that_cut_texts(tmp_path: Path) -> None:
    """Texts that a writer cut, so that longer ones are more than its bound, are still found."""
    made = tmp_path / "lake" / "t"
    long = "a" * 40 + "z"
    write_deltalake(made, pa.table({"word": ["a", long]}))
    log = made / "_delta_log" / f"{0:020}.json"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    for line in lines:
        if "add" in line:
            stats = json.loads(line["add"]["stats"])
            stats["maxValues"]["word"] = "a" * 32
            line["add"]["stats"] = json.dumps(stats)
    log.write_text("\n".join(map(json.dumps, lines)))
    assert DeltaTable(made).version() == 0
    with open_place(tmp_path / "place", lake=tmp_path / "lake") as place:
        statements = place.services.statements
        statements.execute(place.admin.caller, "CREATE DATABASE d")
        statements.execute(
            place.admin.caller, f"CREATE TABLE d.t STORED AS DELTA LOCATION 'file://{made}'"
        )
        reader = place.person(f"GRANT SELECT ON TABLE d.t WHERE word = '{long}'")
        assert place.scan(reader, "d.t").num_rows == 1
