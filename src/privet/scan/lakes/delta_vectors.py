"""Which rows of a data file a Delta table has deleted, from the vector that its log names."""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from privet.connector import Connector
from privet.model.errors import SourceInvalid
from privet.scan.files import RECRAWL, opening
from privet.scan.formats.binding import told
from privet.scan.lakes.base import not_read, within
from privet.scan.lakes.data_files import Positions
from privet.scan.lakes.vectors import FRAME, check_size, framed, places

_Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
_B85 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
_TO_B85 = str.maketrans(_Z85, _B85)
_NAMED = re.compile(r"([A-Za-z0-9_-]*)(.{20})")
"""A folder, which may be none, and an identifier of 16 bytes."""
_FILE_VERSION = b"\x01"
_PADDED = 4


def path_in(path: str) -> str:
    """A data file's path below the table, decoded.

    Raises:
        SourceInvalid: it leads elsewhere, or is spelled as no writer does: as another file's.
        UnicodeDecodeError: it is no text.
    """
    decoded = unquote(path, errors="strict")
    if "://" in decoded or decoded.startswith("/"):
        raise not_read("Delta", "files of another table")
    if {"", ".", ".."} & set(decoded.split("/")):
        raise not_read("Delta", "files by other paths than their own")
    return decoded


def deleted_rows(connectors: Connector, root: str, vector: Mapping[str, Any]) -> Positions:
    """The places of the deleted rows of a file.

    Args:
        connectors: open the file that has them.
        root: the table's canonical address.
        vector: as the log describes it.

    Raises:
        SourceInvalid, SourceUnavailable: it is broken, gone, or lies elsewhere.
    """
    kind, text = vector.get("storageType"), vector.get("pathOrInlineDv")
    size, count = vector.get("sizeInBytes"), vector.get("cardinality")
    if not isinstance(size, int) or not isinstance(count, int) or not isinstance(text, str):
        raise _broken()
    check_size(size)
    if kind == "i":
        data = decoded(text)
        if not 0 <= len(data) - size < _PADDED:
            raise _broken()
        return places(data[:size], count)
    if kind != "u":
        raise not_read("Delta", "deleted rows in files of other places than its own")
    offset = vector.get("offset")
    start = 1 if offset is None else offset
    if not isinstance(start, int) or not 1 <= start < 1 << 62:
        raise _broken()
    return framed(_read(connectors, _file(connectors, root, text), start, size), size, count)


def _file(connectors: Connector, root: str, text: str) -> str:
    match = _NAMED.fullmatch(text)
    if match is None:
        raise _broken()
    name = f"deletion_vector_{uuid.UUID(bytes=decoded(match[2]))}.bin"
    folder = f"{root}/{match[1]}" if match[1] else root
    return within(connectors, root, f"{folder}/{name}")


def _read(connectors: Connector, uri: str, start: int, size: int) -> bytes:
    with told("a deletion vector"):
        with opening():
            native = connectors.open_file(uri)
        with native:
            if native.read(1) != _FILE_VERSION or start + size + FRAME > native.size():
                raise _broken()
            native.seek(start)
            return native.read(size + FRAME)


def decoded(text: str) -> bytes:
    """Bytes of text in Z85, four of five characters.

    Raises:
        SourceInvalid: it is none.
    """
    if len(text) % 5 or not set(text) <= set(_Z85):
        raise _broken()
    try:
        return base64.b85decode(text.translate(_TO_B85))
    except ValueError as error:
        raise _broken() from error


def _broken() -> SourceInvalid:
    return SourceInvalid("deleted rows of a table of this dataset cannot be read", hint=RECRAWL)
