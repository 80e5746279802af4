"""Values as the documents and bytes that the tables keep, without loss."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import pyarrow as pa

from privet.model.crawling.crawls import FoundDataset
from privet.model.datasets import Column, Evidence, FieldTag, Format, Source, TagOrigin
from privet.model.names import FieldPath, TagName
from privet.model.tokens import Profile

Document = dict[str, Any]


def dump_types(types: Sequence[pa.DataType]) -> bytes:
    """Arrow types in order, as an IPC schema: nested, zoned, decimal, dictionary, all of them."""
    fields = [pa.field(str(position), kind) for position, kind in enumerate(types)]
    return pa.schema(fields).serialize().to_pybytes()


@lru_cache(maxsize=4096)
def load_types(content: bytes) -> tuple[pa.DataType, ...]:
    """The reverse of `dump_types`."""
    return tuple(pa.ipc.read_schema(pa.py_buffer(content)).types)


def load_text(text: str | None) -> Any:
    """A JSON document that came as text."""
    return None if text is None else json.loads(text)


def dump_path(path: FieldPath) -> str:
    """A field path as text that is equal iff the paths are."""
    return json.dumps(path, separators=(",", ":"))


def load_path(text: str) -> FieldPath:
    """The reverse of `dump_path`."""
    return tuple(json.loads(text))


def dump_evidence(evidence: Evidence | None) -> Document | None:
    """Evidence as a document."""
    if evidence is None:
        return None
    return {
        "rule": evidence.rule,
        "target": evidence.target,
        "sampled": evidence.sampled,
        "matched": evidence.matched,
        "detail": evidence.detail,
        "examples": list(evidence.examples),
    }


def load_evidence(document: Mapping[str, Any] | None) -> Evidence | None:
    """The reverse of `dump_evidence`."""
    if document is None:
        return None
    # Those from before examples were kept have none.
    known: dict[str, Any] = {**document, "examples": tuple(document.get("examples", ()))}
    return Evidence(**known)


def dump_found(found: FoundDataset) -> Document:
    """A found dataset, without who owns its path: that is looked up whenever it is read."""
    return {
        "name": found.name,
        "uri": found.source.uri,
        "format": found.source.format.value,
        "options": dict(found.source.options),
        "partitions": list(found.source.partitions),
        "types": b64encode(dump_types([c.type for c in found.columns])).decode(),
        "columns": [_dump_column(column) for column in found.columns],
        "files": found.files,
        "bytes": found.bytes,
        "problem": found.problem,
        "notes": list(found.notes),
        "profiles": {n: [p.sampled, p.small] for n, p in found.profiles.items()},
        "description": found.description,
        "last_file": found.last_file,
    }


def load_found(document: Mapping[str, Any]) -> FoundDataset:
    """The reverse of `dump_found`."""
    types = load_types(b64decode(document["types"]))
    source = Source(
        document["uri"],
        Format(document["format"]),
        document["options"],
        tuple(document["partitions"]),
    )
    return FoundDataset(
        name=document["name"],
        source=source,
        columns=tuple(
            _load_column(column, kind)
            for column, kind in zip(document["columns"], types, strict=True)
        ),
        files=document["files"],
        bytes=document["bytes"],
        problem=document["problem"],
        notes=tuple(document["notes"]),
        # Crawls of earlier versions have none.
        profiles={n: Profile(*p) for n, p in document.get("profiles", {}).items()},
        description=document.get("description", ""),
        last_file=document.get("last_file", ""),
    )


def _dump_column(column: Column) -> Document:
    return {
        "name": column.name,
        "source_name": column.source_name,
        "comment": column.comment,
        "reviewed": column.reviewed,
        "partition": column.partition,
        "tags": [
            {
                "path": list(tag.path),
                "tag": list(tag.tag),
                "origin": tag.origin.value,
                "evidence": dump_evidence(tag.evidence),
            }
            for tag in column.field_tags
        ],
    }


def _load_column(document: Mapping[str, Any], kind: pa.DataType) -> Column:
    tags = tuple(
        FieldTag(
            tuple(tag["path"]),
            TagName(*tag["tag"]),
            TagOrigin(tag["origin"]),
            load_evidence(tag["evidence"]),
        )
        for tag in document["tags"]
    )
    return Column(
        name=document["name"],
        type=kind,
        source_name=document["source_name"],
        comment=document["comment"],
        reviewed=document["reviewed"],
        partition=document["partition"],
        field_tags=tags,
    )
