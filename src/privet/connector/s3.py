"""Objects of S3 and whatever speaks its protocol."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pyarrow as pa
from pyarrow import fs

from privet.connector.base import (
    ObjectInfo,
    OnError,
    check_characters,
    check_suffixes,
    shown,
    source_errors,
    walk_folders,
)
from privet.model.errors import ConfigurationInvalid, InvalidRequest, NotFound

SCHEME = "s3"
_PREFIX = "s3://"
ANY_BUCKET = "*"
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ALIASES = ("-s3alias", "--ol-s3", ".mrap")
"""Ends of names that stand for a bucket with another name."""
_KEY_BYTES = 1024
_CONNECT_SECONDS = 5.0
_REQUEST_SECONDS = 30.0
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Location:
    """How a bucket (`*`: any bucket that no other location names) is reached.

    `endpoint` is `http(s)://host:port`; empty means AWS in `region`. `prefix` narrows the location
    to the keys at or below it. `ca` is the path of a PEM file of certificates to trust.
    Requests are signed with the keys given here; without keys they are anonymous at an `endpoint`,
    and signed with the machine's own role on AWS.

    Raises:
        ConfigurationInvalid: half a pair of keys, or an endpoint, bucket or prefix that is none.
    """

    bucket: str = ANY_BUCKET
    endpoint: str = ""
    region: str = "us-east-1"
    access_key: str | None = field(default=None, repr=False)
    secret_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    path_style: bool = True
    ca: str = ""
    prefix: str = ""

    def __post_init__(self) -> None:
        if bool(self.access_key) != bool(self.secret_key) or (
            self.session_token and not self.access_key
        ):
            raise ConfigurationInvalid(
                f"the S3 location of bucket `{self.bucket}` has only half of its keys",
                hint="give access_key and secret_key, or neither",
            )
        if self.bucket != ANY_BUCKET and not _BUCKET.fullmatch(self.bucket):
            raise ConfigurationInvalid(f"`{self.bucket}` is not the name of an S3 bucket")
        if self.endpoint and not _is_endpoint(self.endpoint):
            raise ConfigurationInvalid(
                f"`{shown(self.endpoint)}` is not an S3 endpoint",
                hint="write it as https://host:port, without a path or credentials",
            )
        if self.prefix and not _are_parts(self.prefix.split("/")):
            raise ConfigurationInvalid(f"`{self.prefix}` is not the prefix of S3 keys")

    def covers(self, bucket: str, key: str) -> bool:
        """Whether this is a way to reach the key."""
        return self.bucket in {bucket, ANY_BUCKET} and (
            not self.prefix or key == self.prefix or key.startswith(f"{self.prefix}/")
        )


class S3Connector:
    """Reads what its locations cover; the most specific location is used."""

    def __init__(self, locations: Sequence[S3Location]) -> None:
        self._locations = sorted(
            locations, key=lambda each: (each.bucket == ANY_BUCKET, -len(each.prefix))
        )
        self._open: dict[int, fs.S3FileSystem] = {}
        self._lock = threading.Lock()

    def canonical(self, uri: str) -> str:
        """`s3://bucket/key/parts` without a trailing slash.

        Raises:
            InvalidRequest: malformed, or not covered by a location.
        """
        check_suffixes(uri)
        bucket, key = bucket_and_key(uri)
        self._location(bucket, key)
        return f"{_PREFIX}{bucket}/{key}" if key else _PREFIX + bucket

    def walk(self, uri: str, *, on_error: OnError | None = None) -> Iterator[ObjectInfo]:
        """See `Connector.walk`."""
        filesystem, path = self._reach(uri)
        with source_errors(uri):
            found = filesystem.get_file_info(path)
        if found.type is fs.FileType.NotFound:
            raise NotFound(
                f"`{shown(uri)}` does not exist", hint="check the path for typing errors"
            )
        if found.type is fs.FileType.File:
            yield _info(found)
            return

        def list_folder(folder: str) -> Iterable[ObjectInfo | str]:
            with source_errors(folder):
                entries = filesystem.get_file_info(fs.FileSelector(folder.removeprefix(_PREFIX)))
            return [
                _PREFIX + entry.path if entry.type is fs.FileType.Directory else _info(entry)
                for entry in sorted(entries, key=lambda entry: entry.base_name)
            ]

        yield from walk_folders(_PREFIX + path, list_folder, on_error)

    def open_file(self, uri: str) -> pa.NativeFile:
        """See `Connector.open_file`."""
        filesystem, path = self._reach(uri)
        with source_errors(uri):
            return filesystem.open_input_file(path)

    def open_stream(self, uri: str) -> pa.NativeFile:
        """See `Connector.open_stream`."""
        filesystem, path = self._reach(uri)
        with source_errors(uri):
            # Left to itself, pyarrow would decompress by the name's ending.
            return filesystem.open_input_stream(path, compression=None)

    def writing(self, uri: str) -> tuple[fs.FileSystem, str]:
        """A file system that can write, and the path there.

        Raises:
            InvalidRequest: outside the locations.
        """
        return self._reach(uri)

    def _reach(self, uri: str) -> tuple[fs.S3FileSystem, str]:
        bucket, key = bucket_and_key(uri)
        location = self._location(bucket, key)
        with self._lock:
            found = self._open.get(id(location))
            if found is None:
                with source_errors(uri):
                    found = self._open[id(location)] = _connect(location)
        return found, f"{bucket}/{key}" if key else bucket

    def _location(self, bucket: str, key: str) -> S3Location:
        for location in self._locations:
            if location.covers(bucket, key):
                return location
        raise InvalidRequest(
            f"`{_PREFIX}{bucket}/{shown(key)}` is outside the S3 locations that sources may lie in",
            hint="the setting s3 names them",
        )


def _connect(location: S3Location) -> fs.S3FileSystem:
    endpoint = urlsplit(location.endpoint)
    return fs.S3FileSystem(
        access_key=location.access_key,
        secret_key=location.secret_key,
        session_token=location.session_token,
        # Keys found in the environment are the machine's, not meant for somebody's endpoint.
        anonymous=not location.access_key and bool(location.endpoint),
        region=location.region,
        scheme=endpoint.scheme or "https",
        endpoint_override=endpoint.netloc or None,
        force_virtual_addressing=not location.path_style,
        tls_ca_file_path=location.ca or None,
        connect_timeout=_CONNECT_SECONDS,
        request_timeout=_REQUEST_SECONDS,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=_ATTEMPTS),
    )


def bucket_and_key(uri: str) -> tuple[str, str]:
    """Split an address into its bucket and key.

    Raises:
        InvalidRequest: malformed, or it holds credentials.
    """
    check_characters(uri)
    bucket, _, key = uri.removeprefix(_PREFIX).partition("/")
    key = key.removesuffix("/")
    if "@" in bucket or ("@" in uri and ":" in bucket):
        raise InvalidRequest(
            "an address of a source must not hold credentials",
            hint="write s3://bucket/path; keys belong in the server's settings",
        )
    if not uri.startswith(_PREFIX) or not _BUCKET.fullmatch(bucket):
        raise InvalidRequest(
            f"`{shown(uri)}` does not name an S3 bucket", hint="write it as s3://bucket/path"
        )
    if bucket.endswith(_ALIASES):
        raise InvalidRequest(
            f"`{shown(bucket)}` is another name of a bucket",
            hint="name the bucket itself, so that each object has one path",
        )
    if key and not _are_parts(key.split("/")):
        raise InvalidRequest(
            f"`{shown(uri)}` is not the path of an S3 source",
            hint="its parts must not be empty, `.` or `..`, nor the whole longer than 1024 bytes",
        )
    return bucket, key


def _are_parts(parts: list[str]) -> bool:
    length = sum(len(part.encode()) + 1 for part in parts) - 1
    return length <= _KEY_BYTES and not any(part in {"", ".", ".."} for part in parts)


def _is_endpoint(text: str) -> bool:
    try:
        split = urlsplit(text)
        port_is_valid = split.port is None or split.port > 0
    except ValueError:
        return False
    return (
        split.scheme in {"http", "https"}
        and bool(split.hostname)
        and port_is_valid
        and "@" not in split.netloc
        and split.path in {"", "/"}
        and not split.query
        and not split.fragment
    )


def _info(found: fs.FileInfo) -> ObjectInfo:
    return ObjectInfo(uri=_PREFIX + found.path, size=found.size or 0, modified=found.mtime)
