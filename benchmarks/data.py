"""The tables that benchmarks read: the demo's generator at 5,000,000 rows, as CSV and Parquet.

Charges keep all their digits, as computed amounts do, so that the CSV takes some 425 MB.
`python benchmarks/data.py DIR [--rows N]` makes them; `ensure` makes what a directory lacks. A
file is written under another name and then renamed, so one that exists is whole.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from privet.demo.generate import generate, write_csv

ROWS = 5_000_000
SEED = 5
_DECIMALS = 12
_ROW_GROUP = 1 << 17


@dataclass(frozen=True, slots=True)
class Files:
    """Where the two copies of one table lie, each alone in a folder, as a crawler likes it."""

    csv: Path
    parquet: Path


def ensure(directory: Path, *, rows: int = ROWS, seed: int = SEED) -> Files:
    """Return the files for `rows` and `seed` in `directory`, and make those that are missing."""
    stem = f"medical_costs_{rows}_{seed}"
    files = Files(
        directory / f"{stem}_csv" / "part-0.csv", directory / f"{stem}_parquet" / "part-0.parquet"
    )
    if files.csv.exists() and files.parquet.exists():
        return files
    table = generate(rows, seed, decimals=_DECIMALS)
    _write_whole(files.csv, lambda path: write_csv(table, path))
    _write_whole(files.parquet, lambda path: _write_parquet(table, path))
    return files


def _write_parquet(table: pa.Table, path: Path) -> None:
    pq.write_table(table, path, compression="zstd", row_group_size=_ROW_GROUP)


def _write_whole(path: Path, write: Callable[[Path], None]) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    # A leading dot keeps a half-written file out of every reader that skips hidden ones.
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--rows", type=int, default=ROWS)
    given = parser.parse_args()
    started = time.perf_counter()
    files = ensure(given.directory, rows=given.rows)
    seconds = time.perf_counter() - started
    for path in (files.csv, files.parquet):
        print(f"{path}  {path.stat().st_size / 1e6:.0f} MB")
    print(f"ready after {seconds:.1f} s")


if __name__ == "__main__":
    main()
