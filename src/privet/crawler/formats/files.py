"""Looks at one file: which format it is in, and what it holds."""

from __future__ import annotations

from privet.connector import Connector
from privet.crawler.formats.json_files import look_at_json, looks_like_json, settle_json
from privet.crawler.formats.opened_files import SUFFIXES, look_at_opened, opened_format
from privet.crawler.heads import Head, read_head
from privet.crawler.parquet_files import ENCRYPTED_MAGIC, MAGIC, look_at_parquet
from privet.crawler.sample import SAMPLE_BYTES
from privet.crawler.shapes import KNOWN, Given, Shape
from privet.crawler.text_files import join_text, look_at_text, settle
from privet.model.datasets import Format
from privet.model.errors import SourceInvalid
from privet.scan import PACKED
from privet.scan.formats import OPENERS

_MORE_BYTES = 1 << 16
"""Of each text after the first: enough to see whether it is alike."""
_START = 8
"""Bytes that tell a format that is no text."""
_PARQUET_SUFFIXES = frozenset({".parquet", ".parq", ".pq"})
_JSON_SUFFIXES = frozenset({".json", ".jsonl", ".ndjson"})
_TEXT_SUFFIXES = frozenset({"", ".csv", ".tsv", ".tab", ".txt", ".psv", ".dat", *_JSON_SUFFIXES})
_BY_SUFFIX = {
    **dict.fromkeys(_PARQUET_SUFFIXES, Format.PARQUET),
    **dict.fromkeys(_JSON_SUFFIXES, Format.JSON),
    **SUFFIXES,
}
_NAMES = {Format.PARQUET: "Parquet", **{form: name for form, (name, _) in OPENERS.items()}}
_SETTLE = {Format.CSV: settle, Format.JSON: settle_json}


def format_by_suffix(suffix: str) -> Format:
    """The likely format, for what could not be looked into."""
    return _BY_SUFFIX.get(_unpacked(suffix), Format.CSV)


def settled(shape: Shape) -> Shape:
    """The shape of all files that were looked into, with no column left without a type."""
    return _SETTLE.get(shape.format, lambda shape: shape)(shape)


def look_at_file(
    connector: Connector, uri: str, suffix: str, like: Shape | None, given: Given
) -> Shape:
    """The shape of a file, or of it and those before it, whose shape it is to be `like`.

    Raises:
        SourceInvalid: it cannot be registered; the message says why.
        NotFound, SourceUnavailable, InvalidRequest: it cannot be opened or read.
    """
    named = _BY_SUFFIX.get(suffix)
    is_text = named in {None, Format.JSON}
    limit = _START if not is_text else SAMPLE_BYTES if like is None else _MORE_BYTES
    head = read_head(connector, uri, limit)
    found = _binary_format(connector, uri, head)
    _check_format(found, named if not is_text else None, like)
    if found is Format.PARQUET:
        return look_at_parquet(connector, uri, like)
    if found is not None:
        return look_at_opened(connector, uri, found, like)
    return _look_at_text(head, uri, _unpacked(suffix), like, given)


def _binary_format(connector: Connector, uri: str, head: Head) -> Format | None:
    """The format of a file that is no text, by its content."""
    if head.data.startswith(ENCRYPTED_MAGIC):
        raise SourceInvalid("is encrypted Parquet, which cannot be read")
    if head.compression is not None:
        return None
    if head.data.startswith(MAGIC):
        return Format.PARQUET
    return opened_format(connector, uri, head.data)


def _check_format(found: Format | None, named: Format | None, like: Shape | None) -> None:
    """Refuse what is not what its name says, or not what the first file is."""
    if named is not None and found is not named:
        raise SourceInvalid(f"is not a {_NAMES[named]} file")
    first = None if like is None or like.format not in _NAMES else like.format
    if first is not None and found is not first:
        raise SourceInvalid(f"is not a {_NAMES[first]} file")
    if like is not None and found is not None and found is not first:
        raise SourceInvalid(f"is {_NAMES[found]}, unlike the first file")


def _look_at_text(head: Head, uri: str, suffix: str, like: Shape | None, given: Given) -> Shape:
    if suffix not in _TEXT_SUFFIXES:
        raise SourceInvalid(
            f"`{suffix}` files cannot be registered", hint=f"{KNOWN} can be registered"
        )
    if _is_json(head, suffix, like):
        return look_at_json(head, uri, like)
    shape = look_at_text(head, uri, like, given)
    return shape if like is None else join_text(like, shape)


def _is_json(head: Head, suffix: str, like: Shape | None) -> bool:
    """Whether a text is JSON lines: by its content, and as the first file was."""
    if like is not None:
        return like.format is Format.JSON
    return suffix in _JSON_SUFFIXES or looks_like_json(head)


def _unpacked(suffix: str) -> str:
    """The ending of a file's name without that of a compression."""
    packed = next((ending for ending in PACKED if suffix.endswith(ending)), "")
    return suffix.removesuffix(packed)
