"""Addresses of objects: a container of a store, and a key in it."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from privet.connector.base import check_characters, shown
from privet.model.errors import InvalidRequest

KEY_BYTES = 1024


def split(uri: str, prefix: str, containers: re.Pattern[str]) -> tuple[str, str]:
    """Split an address into its container and key; `containers` are the names that one may have.

    Raises:
        InvalidRequest: malformed, or it holds credentials.
    """
    check_characters(uri)
    container, _, key = uri.removeprefix(prefix).partition("/")
    key = key.removesuffix("/")
    if "@" in container or ("@" in uri and ":" in container):
        raise InvalidRequest(
            "an address of a source must not hold credentials",
            hint=f"write {prefix}bucket/path; keys belong in the server's settings",
        )
    if not uri.startswith(prefix) or not containers.fullmatch(container):
        raise InvalidRequest(
            f"`{shown(uri)}` does not name {_WORDS[prefix]}",
            hint=f"write it as {prefix}bucket/path",
        )
    if key and not are_parts(key.split("/")):
        raise InvalidRequest(
            f"`{shown(uri)}` is not the path of {_SOURCES[prefix]}",
            hint="its parts must not be empty, `.` or `..`, nor the whole longer than 1024 bytes",
        )
    return container, key


_WORDS = {"s3://": "an S3 bucket", "gs://": "a GCS bucket", "abfs://": "an Azure container"}
_SOURCES = {"s3://": "an S3 source", "gs://": "a GCS source", "abfs://": "an Azure source"}


def are_parts(parts: list[str]) -> bool:
    """Whether these are the parts of a key that has one spelling."""
    length = sum(len(part.encode()) + 1 for part in parts) - 1
    return length <= KEY_BYTES and not any(part in {"", ".", ".."} for part in parts)


def within(prefix: str, key: str) -> bool:
    """Whether a key is at or below a prefix."""
    return not prefix or key == prefix or key.startswith(f"{prefix}/")


def is_endpoint(text: str, *, path: bool = False) -> bool:
    """Whether this is `http(s)://host:port`, and nothing after it unless it may have a `path`."""
    try:
        parts = urlsplit(text)
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError:
        return False
    return (
        parts.scheme in {"http", "https"}
        and bool(parts.hostname)
        and port_is_valid
        and "@" not in parts.netloc
        and (path or parts.path in {"", "/"})
        and not parts.query
        and not parts.fragment
    )
