"""A dataset with values that nobody may see, and a search for them in what doors send."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from doors.steward import Reader, Steward

ROWS = 3_000
PHONE, NOTE, RAW, CITY, COMMENT = "PLANTPHONE", "PLANTNOTE", "PLANTMRN", "PLANTCITY", "PLANTWORD"
AMOUNT = 0x5A17_C0DE_5A17_0000
"""Amounts of hidden rows lie above it."""
TEXTS = (PHONE, NOTE, RAW, CITY, COMMENT)
GRANT = (
    "GRANT SELECT ON TABLE {} HAVING ATTRIBUTE NOT IN (phi.phone_number, security.hidden)"
    " TRANSFORM phi.mrn WITH tokenize() WHERE opted_out != 1"
)
TAGS = {"phone": ["phi.phone_number"], "note": ["security.hidden"], "mrn": ["phi.mrn"]}


def planted(*, hidden_rows: bool = True, salt: str = "") -> pa.Table:
    """Every third row is hidden; every raw mrn, phone and note is.

    Args:
        hidden_rows: False leaves hidden rows out, which no reader may notice.
        salt: other hidden values, which no reader may notice either.
    """
    ids = [i for i in range(ROWS) if hidden_rows or i % 3]
    out = [i % 3 == 0 for i in ids]
    columns = {
        "id": ids,
        "mrn": [f"{RAW}{i:06d}" for i in ids],
        "phone": [f"{PHONE}{salt}-{i:06d}" for i in ids],
        "note": [None if i % 5 == 0 else f"{NOTE}{salt} {i}" for i in ids],
        "city": [
            f"{CITY}{salt}{i % 7}" if o else f"town{i % 4}" for i, o in zip(ids, out, strict=True)
        ],
        "amount": [
            AMOUNT + len(salt) + i if o else (None if i % 4 == 0 else i)
            for i, o in zip(ids, out, strict=True)
        ],
        "opted_out": [int(o) for o in out],
    }
    secret = {b"comment": COMMENT.encode()}
    schema = pa.schema(
        [
            pa.field("id", pa.int64()),
            pa.field("mrn", pa.string()),
            pa.field("phone", pa.string(), metadata=secret),
            pa.field("note", pa.string(), metadata=secret),
            pa.field("city", pa.string()),
            pa.field("amount", pa.int64()),
            pa.field("opted_out", pa.int64()),
        ],
        metadata={b"owner": COMMENT.encode()},
    )
    return pa.table(columns, schema=schema)


@dataclass(frozen=True)
class Planted:
    """A registered one, and somebody who may read it within the acceptance policy."""

    dataset: str
    reader: Reader


def register(steward: Steward, table: pa.Table, suffix: str) -> Planted:
    """Put it into a database of its own."""
    for tag in ("phi.mrn", "security.hidden"):
        steward.ensure_tag(tag)
    options = {"row_group_size": 700} if suffix == "parquet" else {}
    dataset = steward.dataset(table, suffix=suffix, tags=TAGS, **options)
    return Planted(dataset, steward.reader(GRANT.format(dataset)))


def found_in(parts: Iterable[bytes]) -> list[str]:
    """What was planted and stands in these bytes, as text or as a number in any byte order."""
    return [what for part in parts for what in _found(part)]


def _found(part: bytes) -> Iterator[str]:
    upper = part.upper()
    for text in TEXTS:
        for encoding in ("utf-8", "utf-16-le"):
            if text.encode(encoding) in upper:
                yield text
        if text.encode()[::-1] in upper or text.encode().hex().encode() in part.lower():
            yield f"{text} in disguise"
    stem = (AMOUNT >> 16).to_bytes(6, "little")
    if stem in part or stem[::-1] in part or str(AMOUNT)[:12].encode() in part:
        yield "an amount"


def inside_parquet(data: bytes) -> Iterator[bytes]:
    """What pages of a Parquet file hold once decompressed, dictionaries and footer included."""
    source = pq.ParquetFile(io.BytesIO(data))
    yield str(source.metadata.to_dict()).encode()
    yield repr(source.schema_arrow.metadata).encode()
    texts = [f.name for f in source.schema_arrow if pa.types.is_string(f.type)]
    for column in pq.read_table(io.BytesIO(data), read_dictionary=texts).columns:
        for chunk in column.chunks:
            if isinstance(chunk, pa.DictionaryArray):
                yield repr(chunk.dictionary.to_pylist()).encode()
            yield from (b.to_pybytes() for b in chunk.buffers() if b is not None)
