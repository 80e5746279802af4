"""Small files and small requests that ask for much memory, many threads or much time."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from doors.servers import TrialServer
from enforcement.plans import column, plan
from privet.enforcement import EnforcedPlan
from privet.model.datasets import Column
from privet.scan import Engine, parquet_rows, parquet_source, recut, stream
from privet.scan.files import planned_files
from privet.scan.parquet_source import parquet_pieces
from scan.sources import Ending, engine_over, parquet_of, started

LONG = "x" * 2_000
ROWS = 3_000
BOUND = 100_000
STEP = 16
MOST = 1.1 * BOUND + STEP * len(LONG)
PEAK = """
import sys
sys.path[:0] = {path!r}
import pyarrow as pa
from pathlib import Path
from enforcement.plans import column, plan
from scan.sources import engine_over, parquet_of, started

folder = Path({folder!r})
with engine_over(folder) as engine:
    data = parquet_of(folder, column("id", pa.int64()), column("note", pa.string()))
    for filter_ in ("id >= 0", "id + 0 >= 0 AND note != 'y'"):
        governed = plan(data, "GRANT SELECT ON TABLE db.t WHERE " + filter_, limit=1)
        with started(governed, engine) as stream:
            assert sum(batch.num_rows for batch in stream) == 1
print(pa.default_memory_pool().max_memory())
"""


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Everything that bounds what is decoded at once, made small."""
    for module in (parquet_rows, parquet_source):
        monkeypatch.setattr(module, "BYTES", BOUND)
    monkeypatch.setattr(parquet_source, "STEP", STEP)
    monkeypatch.setattr(parquet_source, "LARGEST_PIECE", 4 * BOUND)
    monkeypatch.setattr(stream, "_LEAST_AHEAD", BOUND)
    with engine_over(tmp_path, workers=2) as engine:
        yield engine


def notes(kind: str) -> tuple[pa.Array, dict[str, Any]]:
    """Texts that a file stores in next to nothing, and how it is written to do so."""
    same = pa.array([LONG] * ROWS)
    if kind == "one text":
        return same, {}
    if kind == "few texts":
        return pa.array([f"{LONG}{n % 5}" for n in range(ROWS)]), {}
    if kind == "short ones first":
        return pa.array(["s"] * (ROWS // 2) + [LONG] * (ROWS // 2)), {}
    if kind == "many short ones, one long":
        words = [f"word {n}" for n in range(ROWS // 2)]
        return pa.array(words + [LONG] * (ROWS // 2)), {}
    if kind == "common prefixes":
        return same, {"column_encoding": {"note": "DELTA_BYTE_ARRAY"}, "use_dictionary": False}
    return same.cast(pa.binary()), {}


KINDS = (
    *("one text", "few texts", "short ones first", "many short ones, one long"),
    *("common prefixes", "bytes"),
)


def scanned(folder: Path, note: pa.Array, options: dict[str, Any], **more: Any) -> EnforcedPlan:
    """The plan of a whole scan of a file with such notes."""
    table = pa.table({"id": range(ROWS), "note": note})
    pq.write_table(table, folder / "part.parquet", **options)
    kind = note.type.value_type if pa.types.is_list(note.type) else note.type
    assert (folder / "part.parquet").stat().st_size < 100_000, kind
    columns: tuple[Column, ...] = (column("id", pa.int64()), column("note", note.type))
    return plan(parquet_of(folder, *columns), **more)


def raw_sizes(governed: EnforcedPlan, engine: Engine) -> list[int]:
    """Bytes of each raw batch when it is decoded."""
    found: list[int] = []
    for file in planned_files(governed, engine.connectors):
        for piece in parquet_pieces(file, governed, engine.connectors):
            for batch in piece.load():
                note = batch["note"]
                if pa.types.is_dictionary(note.type):
                    note = note.dictionary_decode()
                found.append(note.nbytes)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_texts_that_recur_are_decoded_a_part_at_a_time(
    tmp_path: Path, engine: Engine, kind: str
) -> None:
    """No batch becomes more than what may be decoded at once, and every row is read."""
    note, options = notes(kind)
    governed = scanned(tmp_path, note, options)
    assert max(raw_sizes(governed, engine)) <= MOST
    with started(governed, engine) as running:
        table = pa.Table.from_batches(list(running))
    assert table["note"].combine_chunks().equals(note)


def test_nested_texts_that_recur(tmp_path: Path, engine: Engine) -> None:
    """The same inside lists and structs."""
    lists = pa.array([[LONG, "a"]] * ROWS, pa.list_(pa.string()))
    structs = pa.array([{"inner": [{"word": LONG}]}] * ROWS)
    for note in (lists, structs):
        governed = scanned(tmp_path, note, {})
        assert max(raw_sizes(governed, engine)) <= MOST


def test_numbers_that_recur(tmp_path: Path, engine: Engine) -> None:
    """A run of equal numbers is stored as two, and counted as all of them."""
    rows = 200_000
    pq.write_table(pa.table({"note": pa.repeat(7, rows)}), tmp_path / "part.parquet")
    assert (tmp_path / "part.parquet").stat().st_size < 2_000
    sizes = raw_sizes(plan(parquet_of(tmp_path, column("note", pa.int64()))), engine)
    assert max(sizes) <= BOUND
    assert sum(sizes) >= 8 * rows


def test_a_limit_reads_no_more_than_it_needs(
    tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a piece becomes beyond what it said it is, is worked on when the reader asks."""
    monkeypatch.setattr(stream, "recut", lambda found: recut.recut(found, size=BOUND))
    ending = Ending()
    governed = scanned(tmp_path, *notes("one text"), limit=1)
    with started(governed, engine, ending) as running:
        assert sum(batch.num_rows for batch in running) == 1
    assert ending.only.rows_read < ROWS / 4


def test_memory_stays_flat(tmp_path: Path) -> None:
    """600 MB of text in a file of 90 KB, of which one row is asked for."""
    texts = pa.array(["x" * 20_000]).take(pa.array([0] * 30_000))
    pq.write_table(
        pa.table({"id": range(30_000), "note": texts}), tmp_path / "a.parquet", compression="zstd"
    )
    assert (tmp_path / "a.parquet").stat().st_size < 200_000
    tests = str(Path(__file__).parents[1])
    program = PEAK.format(path=[tests], folder=str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 400_000_000


@pytest.mark.service
def test_names_that_are_none_are_refused_before_a_password_is_looked_at(
    server: TrialServer,
) -> None:
    """No user has a name of more than 256 characters, so none is kept, counted or recorded."""
    with server.http() as http:
        for size, status in ((256, 401), (257, 422), (900_000, 422)):
            body = {"user": "x" * size, "password": "wrong password"}
            assert http.post("/v1/login", json=body).status_code == status
