"""The frozen vectors on every way by which cells leave: scans, SQL, views, copies, each door."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.types as pat
import pytest

from doors.doors import SQL_DOORS, Wanted, every_answer
from doors.servers import TrialServer
from doors.steward import Steward
from privet.model.datasets import Dataset, parse_type
from privet.model.expressions import Call, ColumnSlot, Literal
from privet.model.names import DatasetName
from privet.model.transforms import get_spec, is_text
from privet.policy import transform_sql
from query.platforms import Person, Place, open_place

FOLDER = Path(__file__).parents[2] / "docs" / "reference" / "transforms"
TAG = "phi.mrn"
COPIED = {"tokenize", "nfp_ref_tokenize", "sha2", "mask", "phi_zip3"}
Vectors = Mapping[str, tuple[pa.Array, pa.Array]]
"""What goes in and what comes out, by a name for the column."""


def vectors() -> Iterator[tuple[str, str, Vectors]]:
    """Transforms as in a policy, the canonical type of their domain, and columns of each type.

    Without those whose key needs an id of a dataset or a person, that depend on the day, or whose
    type no file has: there are no Parquet files of timestamps in seconds.
    """
    for path in sorted(FOLDER.glob("*.json")):
        found: dict[tuple[str, str], dict[str, tuple[pa.Array, pa.Array]]] = {}
        for case in json.loads(path.read_text())["cases"]:
            if case.get("domain", TAG) != TAG or case.get("version", 1) != 1:
                continue
            if case.keys() & {"dataset_id", "principal", "today"} or case["type"] == "timestamp[s]":
                continue
            call = Call(path.stem, (ColumnSlot(), *map(Literal, case.get("arguments", ()))))
            key = (transform_sql(call), case.get("canonical", "text"))
            columns = found.setdefault(key, {})
            given, wanted = column(case, "input"), column(case, "output")
            columns[f"c{len(columns)}"] = (given, wanted)
        for (call, canonical), columns in found.items():
            yield call, canonical, columns


def column(case: Mapping[str, Any], side: str) -> pa.Array:
    kind, values = parse_type(case["type"]), case[side]
    if all(value is None for value in values):
        return pa.nulls(len(values), kind)
    return pa.array(values).cast(kind)


def table_of(columns: Vectors, side: int) -> pa.Table:
    """All columns, filled up with NULL, which stays NULL."""
    rows = max(len(pair[side]) for pair in columns.values())
    return pa.table(
        {
            name: pa.concat_arrays([pair[side], pa.nulls(rows - len(pair[side]), pair[side].type)])
            for name, pair in columns.items()
        }
    )


def write_master(path: Path) -> Path:
    """The master key of the vectors, as a server wants it kept."""
    path.touch(0o600)
    path.write_text(bytes(range(32)).hex())
    return path


CASES = [pytest.param(*case, id=f"{case[0]}-{case[1]}") for case in vectors()]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Place]]:
    """A platform for each kind of domain, under the master key of the vectors."""
    folder = tmp_path_factory.mktemp("paths")
    key = write_master(folder / "master.key")
    roots = [folder / kind / "lake" / "copies" for kind in ("text", "int64")]
    with (
        open_place(folder / "text", master=key, copy_roots=[str(roots[0])]) as text,
        open_place(folder / "int64", master=key, copy_roots=[str(roots[1])]) as int64,
    ):
        for place, seed in ((text, pa.table({"x": ["a"]})), (int64, pa.table({"x": [1]}))):
            place.platform.catalog.databases.create("made", by="root")
            place.dataset(seed, "made.seed", {"x": [TAG]})
        yield {"text": text, "int64": int64}


def admitted(place: Place, name: object) -> str:
    """A view or a copy, let into the domain by a steward who accepts who writes to it."""
    full = DatasetName.parse(str(name))
    for domain in place.platform.catalog.domains.list():
        place.services.domains.admit(place.admin.caller, domain.name, full, accept_writers=True)
    return str(full)


def same(one: pa.Table, other: pa.Table) -> bool:
    """Equal, NaN like NaN."""
    if one.column_names != other.column_names:
        return False
    for a, b in zip(one.columns, other.columns, strict=True):
        if pat.is_floating(b.type):
            if str(a.to_pylist()) != str(b.to_pylist()):
                return False
        elif not a.cast(b.type).combine_chunks().equals(b.combine_chunks()):
            return False
    return True


@pytest.mark.parametrize(("call", "canonical", "columns"), CASES)
def test_in_this_process(
    places: Mapping[str, Place], call: str, canonical: str, columns: Vectors
) -> None:
    """By a scan, by SQL with and without work to do, over a view, and over a copy."""
    place = places[canonical]
    given, wanted = table_of(columns, 0), table_of(columns, 1)
    dataset = place.dataset(given, tags={name: [TAG] for name in columns})
    clause = f"TRANSFORM {TAG} WITH {call}"
    reader = place.person(f"GRANT SELECT ON TABLE {dataset.name} {clause}")
    assert same(place.scan(reader, str(dataset.name)), wanted)
    for sql in (f"SELECT * FROM {dataset.name}", f"SELECT * FROM {dataset.name} WHERE 1 + 1 = 2"):
        got = place.ask(reader, f"{sql} LIMIT 1000")
        assert got.table is not None, got.error
        assert same(got.table, wanted)
    for name in _derived(place, dataset, call):
        place.grant(f"GRANT SELECT ON TABLE {name} {clause}", reader.role)
        if get_spec(call.partition("(")[0]).keyed:
            admitted(place, name)
        assert same(place.scan(reader, str(name)), wanted), name


def _derived(place: Place, dataset: Dataset, call: str) -> Iterator[DatasetName]:
    author = place.person(
        f"GRANT SELECT ON TABLE {dataset.name}",
        "GRANT ALL ON DATABASE made",
    )
    view = DatasetName("made", place.unique("view"))
    place.services.views.create(author.caller, view, f"SELECT * FROM {dataset.name}")
    yield view
    if call.partition("(")[0] in COPIED:
        yield _copied(place, author, dataset)


def _copied(place: Place, author: Person, dataset: Dataset) -> DatasetName:
    copy = DatasetName("made", place.unique("copy"))
    text = f"CREATE TABLE {copy} AS SELECT * FROM {dataset.name}"
    place.services.statements.execute(author.caller, text)
    return copy


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Steward]:
    """A server under the master key of the vectors."""
    home = tmp_path_factory.mktemp("doors") / "server"
    home.mkdir(mode=0o700)
    write_master(home / "master.key")
    running = TrialServer(home)
    running.start()
    yield Steward(running)
    assert running.terminate() == 0


TEXTS = [
    pytest.param(call, {n: pair for n, pair in columns.items() if is_text(pair[0].type)}, id=call)
    for call, canonical, columns in vectors()
    if canonical == "text" and any(is_text(pair[0].type) for pair in columns.values())
]


@pytest.mark.service
@pytest.mark.parametrize(("call", "columns"), TEXTS)
def test_at_every_door(served: Steward, call: str, columns: Vectors) -> None:
    """The same text leaves by each: scans and statements."""
    # A line of CSV with nothing in it is no row.
    rows = pa.array(range(table_of(columns, 0).num_rows))
    given, wanted = (table_of(columns, side).append_column("row", rows) for side in (0, 1))
    served.ensure_tag(TAG)
    dataset = served.dataset(given, suffix="parquet", tags={name: [TAG] for name in columns})
    reader = served.reader(f"GRANT SELECT ON TABLE {dataset} TRANSFORM {TAG} WITH {call}")
    server, token = served.server, reader.token
    answers = {
        **every_answer(server, token, Wanted(dataset)),
        **{
            f"sql by {door}": ask(server, token, f"SELECT * FROM {dataset}", None, given.schema)
            for door, ask in SQL_DOORS.items()
        },
    }
    for door, answer in answers.items():
        assert answer.table is not None, (door, answer.code, answer.message)
        assert texts(answer.table, door) == texts(wanted, door), door


def texts(table: pa.Table, door: str) -> list[list[Any]]:
    """By column; CSV has no NULL that is not the empty text."""
    columns = [column.to_pylist() for column in table.columns]
    if "csv" not in door:
        return columns
    return [[None if cell == "" else cell for cell in cells] for cells in columns]


@pytest.mark.service
def test_own_functions_at_every_door(served: Steward) -> None:
    """A statement may use the functions at each, and finds none of the tokens by them."""
    raw = [f"MRN-{10_000_000 + n}" for n in range(20)]
    served.ensure_tag(TAG)
    dataset = served.dataset(pa.table({"n": raw}), suffix="parquet", tags={"n": [TAG]})
    clause = f"TRANSFORM {TAG} WITH tokenize()"
    reader = served.reader(f"GRANT SELECT ON TABLE {dataset} {clause}")
    calls = (
        "tokenize({})",
        "tokenize({}, signed_user(false))",
        "fp_ref_tokenize({}, signed_user(true))",
    )
    forms = [call.format(f"'{value}'") for value in raw for call in calls]
    found = f"SELECT count(*) AS found FROM {dataset} WHERE n IN ({', '.join(forms)})"
    shown = f"SELECT mask(n, 4) AS masked, tokenize('{raw[0]}') AS own FROM {dataset} LIMIT 1"
    owns: set[str] = set()
    for door, ask in SQL_DOORS.items():
        answer = ask(served.server, reader.token, found)
        assert answer.table is not None, (door, answer.code, answer.message)
        assert [int(n) for n in answer.table["found"].to_pylist()] == [0], door
        answer = ask(served.server, reader.token, shown)
        assert answer.table is not None, (door, answer.code, answer.message)
        ((masked, own),) = zip(*(c.to_pylist() for c in answer.table.columns), strict=True)
        assert masked.endswith("-XXXXXXXX"), door
        owns.add(own)
    assert len(owns) == 1
    assert not owns & set(raw)
