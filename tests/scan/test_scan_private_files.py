"""Files of the server's own: for its user alone, whole or not there."""

from __future__ import annotations

import stat
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from privet.model.errors import SourceUnavailable
from privet.scan import write_private

TABLE = pa.table({"a": ["x", "y"]})


def test_only_the_owner_reads_them(tmp_path: Path) -> None:
    """Neither the file nor its folder is open to others, whatever is usual there."""
    written = write_private(TABLE, tmp_path / "new", "map.parquet")
    assert pq.read_table(written).equals(TABLE)
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    assert stat.S_IMODE(written.parent.stat().st_mode) == 0o700
    assert list(written.parent.iterdir()) == [written]


@pytest.mark.parametrize("name", ["map.parquet", "no/such/folder/map.parquet"])
def test_what_cannot_be_written(tmp_path: Path, name: str) -> None:
    """It is said with what to do, and leaves nothing half there."""
    (tmp_path / "taken").write_text("a file")
    folder = tmp_path / ("taken" if name == "map.parquet" else "fine")
    with pytest.raises(SourceUnavailable) as caught:
        write_private(TABLE, folder, name)
    assert caught.value.hint
    assert (tmp_path / "taken").read_text() == "a file"
    assert not folder.is_dir() or not list(folder.iterdir())
