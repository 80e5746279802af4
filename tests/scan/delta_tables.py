"""Tables of Delta Lake for tests, as writers leave them, and changed by hand."""

from __future__ import annotations

import base64
import json
import string
import struct
import uuid
import zlib
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyroaring import BitMap64

from enforcement.plans import column, dataset
from privet.model.datasets import Column, Dataset, Format
from scan.sources import engine_over, scan

SECRET = "hidden-cell-4711"
COLUMNS = (column("id", pa.int64()), column("word", pa.string()))


def delta_of(folder: Path, *columns: Column, **options: Any) -> Dataset:
    """A table of a folder."""
    uri = f"file://{folder.resolve()}"
    return dataset(*(columns or COLUMNS), uri=uri, kind=Format.DELTA, options=options)


def words(*ids: int) -> pa.Table:
    """Rows of `COLUMNS`."""
    return pa.table({"id": pa.array(ids, pa.int64()), "word": [f"w{i}" for i in ids]})


def ids(folder: Path, **options: Any) -> list[int]:
    """The rows that a scan gives, by `id`."""
    with engine_over(folder) as engine:
        return sorted(scan(engine, delta_of(folder, **options))["id"].to_pylist())


def z85(data: bytes) -> str:
    """ASCII of five characters for four bytes, as Delta writes identifiers."""
    small, large = string.ascii_lowercase, string.ascii_uppercase
    alphabet = f"{string.digits}{small}{large}.-:+=^!/*?&<>()[]{{}}@%$#"
    rfc = f"{string.digits}{large}{small}!#$%&()*+-;<=>?@^_`{{|}}~"
    return base64.b85encode(data).decode().translate(str.maketrans(rfc, alphabet))


def delete_by_vector(folder: Path, *places: int) -> Path:
    """Delete rows of a table's only file, as writers that keep deletion vectors do."""
    log = folder / "_delta_log"
    actions = [json.loads(line) for line in (log / f"{0:020}.json").read_text().splitlines()]
    for action in actions:
        if "protocol" in action:
            action["protocol"] = {
                "minReaderVersion": 3,
                "minWriterVersion": 7,
                "readerFeatures": ["deletionVectors"],
                "writerFeatures": ["deletionVectors"],
            }
    (log / f"{0:020}.json").write_text("\n".join(map(json.dumps, actions)))
    (added,) = (a["add"] for a in actions if "add" in a)
    bitmap = struct.pack("<i", 1681511377) + BitMap64(places).serialize()
    name = uuid.uuid4()
    target = folder / f"deletion_vector_{name}.bin"
    target.write_bytes(
        b"\x01" + struct.pack(">i", len(bitmap)) + bitmap + struct.pack(">I", zlib.crc32(bitmap))
    )
    vector = {
        "storageType": "u",
        "pathOrInlineDv": z85(name.bytes),
        "offset": 1,
        "sizeInBytes": len(bitmap),
        "cardinality": len(places),
    }
    removed = {"path": added["path"], "deletionTimestamp": 1, "dataChange": True}
    commit = [{"remove": removed}, {"add": {**added, "deletionVector": vector}}]
    (log / f"{1:020}.json").write_text("\n".join(map(json.dumps, commit)))
    return target


def rewrite(folder: Path, change: Any, version: int = 0) -> None:
    """Change the actions of a commit."""
    log = folder / "_delta_log" / f"{version:020}.json"
    actions = [json.loads(line) for line in log.read_text().splitlines()]
    for action in actions:
        change(action)
    log.write_text("\n".join(map(json.dumps, actions)))
