"""Batch sizes depend on the rows that leave, and on nothing that was hidden."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
