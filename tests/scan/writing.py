"""Tables as files of every format, by the libraries that made the formats."""

from __future__ import annotations

import bz2
import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

Write = Callable[[pa.Table, Path], None]


def write_json(table: pa.Table, path: Path) -> None:
    """An object a line."""
    lines = (json.dumps(row, default=str) for row in table.to_pylist())
    path.write_text("\n".join(lines) + "\n")


def _packed(pack: Callable[[bytes], bytes], write: Write) -> Write:
    def written(table: pa.Table, path: Path) -> None:
        write(table, path)
        path.write_bytes(pack(path.read_bytes()))

    return written


def _zstd(data: bytes) -> bytes:
    return pa.Codec("zstd").compress(data).to_pybytes()


WRITERS: dict[str, Write] = {
    "parquet": pq.write_table,
    "json": write_json,
    "json.gz": _packed(gzip.compress, write_json),
    "json.bz2": _packed(bz2.compress, write_json),
    "json.zst": _packed(_zstd, write_json),
}
"""How a table is written, by the endings of files. All of these keep nested columns."""
STORED_AS = {"parquet": "PARQUET", "json": "JSON"}
"""What a format is called in statements."""
