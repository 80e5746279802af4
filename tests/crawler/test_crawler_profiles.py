"""Profiles of sampled columns: how many cells have few values of their format to hide among."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from privet.connector import Connectors
from privet.crawler import crawl, small_values
from privet.model.tokens import Profile


@pytest.mark.parametrize(
    ("cells", "small"),
    [
        (pa.array(["MRN-00000001", "12345678", "abc-99", "0123456"]), 0),
        (pa.array(["12345", "ab", "", "f", "é" * 9, None]), 5),
        (pa.array([7, 99999, 1_000_000, -12_345_678, None], pa.int64()), 2),
        (pa.array([7, 1_000_000], pa.int32()), 1),
        (pa.array(["north", "north"]).dictionary_encode(), 0),
        (pa.array(["a", "b"]).dictionary_encode(), 2),
        (pa.array([1.5, 2.5]), 0),
        (pa.array([["a"]]), 0),
        (pa.array([], pa.string()), 0),
    ],
    ids=["wide", "narrow", "int64", "int32", "encoded", "narrow encoded", "float", "list", "none"],
)
def test_small_values(cells: pa.Array, small: int) -> None:
    """They are those that would take the overflow form as text; NULL is none."""
    assert small_values(pa.chunked_array([cells]), cells.type) == small
    assert small_values(pa.chunked_array([cells, cells.slice(0, 0)]), cells.type) == small


def test_a_crawl_says_so_of_each_column(tmp_path: Path) -> None:
    """Of text and integers, in files of each kind."""
    rows = {"sex": ["f", "m"] * 20, "mrn": [f"MRN-{n:06d}" for n in range(40)], "w": [0.5] * 40}
    (tmp_path / "p").mkdir()
    pq.write_table(pa.table(rows), tmp_path / "p" / "a.parquet")
    (tmp_path / "c").mkdir()
    lines = ["sex,mrn,w", *(f"f,MRN-{n:06d},0.5" for n in range(40))]
    (tmp_path / "c" / "a.csv").write_text("\n".join(lines) + "\n")
    for found in crawl(Connectors([tmp_path]), f"file://{tmp_path}", ()):
        assert found.profiles == {"sex": Profile(40, 40), "mrn": Profile(40, 0)}
        assert found.profiles["sex"].mostly_small
