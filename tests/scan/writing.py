"""Tables as files of every format, by the libraries that made the formats."""

from __future__ import annotations

import bz2
import gzip
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as pat
from deltalake import write_deltalake
from pyarrow import feather, orc
from pyiceberg.catalog.sql import SqlCatalog

Write = Callable[[pa.Table, Path], None]


def write_json(table: pa.Table, path: Path) -> None:
    """An object a line."""
    lines = (json.dumps(row, default=str) for row in table.to_pylist())
    path.write_text("\n".join(lines) + "\n")


_AVRO = {
    pa.int64(): "long",
    pa.int32(): "int",
    pa.string(): "string",
    pa.bool_(): "boolean",
    pa.float64(): "double",
    pa.binary(): "bytes",
    pa.date32(): {"type": "int", "logicalType": "date"},
    pa.timestamp("us", "UTC"): {"type": "long", "logicalType": "timestamp-micros"},
}


def avro_schema(kind: pa.DataType, name: str = "r") -> Any:
    """The schema of values of a type, each of which may be NULL."""
    if pat.is_struct(kind):
        fields = [{"name": f.name, "type": avro_schema(f.type, f"{name}_{f.name}")} for f in kind]
        return ["null", {"type": "record", "name": name, "fields": fields}]
    if pat.is_list(kind):
        return ["null", {"type": "array", "items": avro_schema(kind.value_type, f"{name}_item")}]
    if pat.is_decimal(kind):
        scales = {"precision": kind.precision, "scale": kind.scale}
        return ["null", {"type": "bytes", "logicalType": "decimal", **scales}]
    return ["null", _AVRO[kind]]


def write_avro(table: pa.Table, path: Path, codec: str = "deflate", **options: Any) -> None:
    """A container of Avro."""
    _, schema = avro_schema(pa.struct(list(table.schema)))
    with path.open("wb") as file:
        fastavro.writer(file, schema, table.to_pylist(), codec=codec, **options)


def write_arrow(table: pa.Table, path: Path) -> None:
    """A file of Arrow IPC."""
    with pa.ipc.new_file(path, table.schema) as writer:
        writer.write_table(table)


def write_stream(table: pa.Table, path: Path) -> None:
    """A stream of Arrow IPC, compressed."""
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(path, table.schema, options=options) as writer:
        writer.write_table(table)


def write_delta(table: pa.Table, path: Path) -> None:
    """A table of Delta Lake, in the folder of the path; half of it, and then the other half."""
    half = table.num_rows // 2
    for part in (table.slice(0, half), table.slice(half)):
        write_deltalake(path.parent, part, mode="append")


def write_iceberg(table: pa.Table, path: Path) -> None:
    """A table of Iceberg, in the folder of the path; half of it, and then the other half."""
    folder, half = path.parent, table.num_rows // 2
    # pyiceberg warns that nothing was there to be overwritten, and of closed files.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        catalog = SqlCatalog("c", uri=f"sqlite:///{folder}/_catalog.db", warehouse=str(folder))
        catalog.create_namespace_if_not_exists("n")
        made = catalog.create_table_if_not_exists("n.t", table.schema, f"file://{folder}")
        for part in (table.slice(0, half), table.slice(half)):
            made.append(part)
        catalog.engine.dispose()


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
    "avro": write_avro,
    "orc": orc.write_table,
    "arrow": write_arrow,
    "arrows": write_stream,
    "feather": feather.write_feather,
    "delta": write_delta,
    "iceberg": write_iceberg,
}
"""How a table is written, by the endings of files. All of these keep nested columns."""
STORED_AS = {
    "parquet": "PARQUET",
    "json": "JSON",
    "avro": "AVRO",
    "orc": "ORC",
    "arrow": "ARROW",
    "arrows": "ARROW",
    "feather": "ARROW",
    "delta": "DELTA",
    "iceberg": "ICEBERG",
}
"""What a format is called in statements."""
