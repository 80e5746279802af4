"""Batch sizes depend on the rows that leave, and on nothing that was hidden."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enforcement.plans import column, where
from privet.scan import csv_blocks, parquet_source, recut, stream
from scan.sources import csv_of, engine_over, parquet_of, started


def batches(sizes: Sequence[int]) -> Iterator[pa.RecordBatch]:
    """Consecutive numbers in batches of given sizes."""
    start = 0
    for size in sizes:
        yield pa.record_batch({"n": pa.array(range(start, start + size), pa.int64())})
        start += size


@given(st.lists(st.integers(0, 20), max_size=12), st.integers(1, 9))
@settings(deadline=None)
def test_rows_stay_and_sizes_are_fixed(sizes: list[int], rows: int) -> None:
    """All rows in order; every batch full but the last, and none empty."""
    out = list(recut.recut(batches(sizes), rows))
    assert [n for b in out for n in b["n"].to_pylist()] == list(range(sum(sizes)))
    full, rest = divmod(sum(sizes), rows)
    assert [b.num_rows for b in out] == [rows] * full + ([rest] if rest else [])


CELLS = st.fixed_dictionaries(
    {
        "word": st.none() | st.text(max_size=40),
        "flag": st.booleans(),
        "list": st.none() | st.lists(st.none() | st.text(max_size=9), max_size=5),
        "map": st.lists(st.tuples(st.text(max_size=3), st.integers(0, 9)), max_size=3),
        "inside": st.none() | st.fixed_dictionaries({"a": st.binary(max_size=30)}),
        "never": st.none(),
    }
)
SCHEMA = pa.schema(
    {
        "word": pa.string(),
        "flag": pa.bool_(),
        "list": pa.list_(pa.string()),
        "map": pa.map_(pa.string(), pa.int64()),
        "inside": pa.struct({"a": pa.binary()}),
        "never": pa.null(),
    }
)


@given(st.data())
@settings(deadline=None)
def test_long_rows_are_cut_by_what_they_are(data: st.DataObject) -> None:
    """Where a batch ends depends on its rows, not on how they came; only lone rows are larger."""
    rows = data.draw(st.lists(CELLS, max_size=15))
    size, most = data.draw(st.integers(1, 400)), data.draw(st.integers(1, 6))
    whole = pa.RecordBatch.from_pylist(rows, SCHEMA)
    places = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=5)))
    parts = [whole[a:b] for a, b in pairwise([0, *places, len(rows)])]
    cuts = [[b.num_rows for b in recut.recut(iter(p), most, size)] for p in (parts, [whole])]
    assert cuts[0] == cuts[1]
    out = list(recut.recut(iter(parts), most, size))
    assert [row for batch in out for row in batch.to_pylist()] == whole.to_pylist()
    for batch in out:
        assert 0 < batch.num_rows <= most
        # Maps of NULLs, and the offset that every list begins with, are not counted.
        assert batch.num_rows == 1 or pa.concat_batches([batch]).nbytes <= size + 50


def test_batches_leave_as_soon_as_they_are_full() -> None:
    """Nothing waits for rows that its batch does not need."""
    taken: list[int] = []

    def source() -> Iterator[pa.RecordBatch]:
        for batch in batches([3, 3, 3]):
            taken.append(batch.num_rows)
            yield batch

    cut = recut.recut(source(), 4)
    assert next(cut).num_rows == 4
    assert taken == [3, 3]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_hidden_rows_leave_no_trace_in_sizes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    """However many rows are hidden and wherever they stand, the same visible ones look alike."""
    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", 200)
    monkeypatch.setattr(csv_blocks, "FIRST_BYTES", 50)
    monkeypatch.setattr(parquet_source, "PIECE_ROWS", 64)
    monkeypatch.setattr(stream, "recut", lambda found: recut.recut(found, 50))
    visible = [(n, 0) for n in range(333)]
    mixtures = [
        visible,
        [row for row in visible for row in (row, (-1, 1))],
        [(-1, 1)] * 2000 + visible,
        visible[:100] + [(-1, 1)] * 777 + visible[100:] + [(-1, 1)] * 50,
    ]
    seen: list[list[tuple[int, bytes]]] = []
    for number, rows in enumerate(mixtures):
        folder = tmp_path / str(number)
        folder.mkdir()
        table = pa.table({"n": [r[0] for r in rows], "hidden": [r[1] for r in rows]})
        if suffix == "csv":
            lines = "".join(f"{n},{h}\n" for n, h in rows)
            (folder / "part.csv").write_text(f"n,hidden\n{lines}")
            data = csv_of(folder, column("n", pa.int64()), column("hidden", pa.int64()))
        else:
            pq.write_table(table, folder / "part.parquet", row_group_size=60)
            data = parquet_of(folder, column("n", pa.int64()), column("hidden", pa.int64()))
        with (
            engine_over(folder) as engine,
            started(where(data, "hidden != 1"), engine) as found,
        ):
            seen.append([(b.num_rows, b.serialize().to_pybytes()) for b in found])
    assert [size for size, _ in seen[0]] == [50] * 6 + [33]
    assert all(other == seen[0] for other in seen)
