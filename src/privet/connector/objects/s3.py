"""Objects of S3 and whatever speaks its protocol."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow as pa
from pyarrow import fs

from privet.connector.base import (
    Enter,
    ObjectInfo,
    OnError,
    check_suffixes,
    everything,
    shown,
    source_errors,
)
from privet.connector.objects.addresses import are_parts, is_endpoint, split, within
from privet.connector.objects.credentials import (
    CredentialSource,
    Find,
    Keys,
    fixed,
    from_anywhere,
    from_environment,
    from_file,
    from_instance,
)
from privet.connector.objects.listing import Listing, Page, Reach
from privet.connector.objects.opening import open_object, stream_object
from privet.model.errors import ConfigurationInvalid, InvalidRequest, NotFound

SCHEME = "s3"
_PREFIX = "s3://"
ANY_BUCKET = "*"
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ALIASES = ("-s3alias", "--ol-s3", ".mrap")
"""Ends of names that stand for a bucket with another name."""
_CONNECT_SECONDS = 5.0
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Location:
    """How a bucket (`*`: any bucket that no other location names) is reached.

    `endpoint` is `http(s)://host:port`; empty means AWS in `region`. `prefix` narrows the location
    to the keys at or below it. `ca` is the path of a PEM file of certificates to trust. A request
    is given up after `timeout` seconds without an answer, and tried three times in all.

    `credentials` says where keys come from. Without it: keys that are given here; else none at an
    `endpoint`, since keys of the machine are not meant for somebody's; else, on AWS, what the
    machine has. `variables` is put before the names of variables; `file` and `profile` are those
    of a shared credentials file.

    Raises:
        ConfigurationInvalid: half a pair of keys, credentials that say two things, or an endpoint,
            bucket or prefix that is none.
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
    credentials: CredentialSource | None = None
    variables: str = ""
    file: Path | None = None
    profile: str = "default"
    timeout: float = 30.0

    def __post_init__(self) -> None:
        if bool(self.access_key) != bool(self.secret_key) or (
            self.session_token and not self.access_key
        ):
            raise ConfigurationInvalid(
                f"the S3 location of bucket `{self.bucket}` has only half of its keys",
                hint="give access_key and secret_key, or neither",
            )
        self._check_source()
        if self.bucket != ANY_BUCKET and not _BUCKET.fullmatch(self.bucket):
            raise ConfigurationInvalid(f"`{self.bucket}` is not the name of an S3 bucket")
        if self.endpoint and not is_endpoint(self.endpoint):
            raise ConfigurationInvalid(
                f"`{shown(self.endpoint)}` is not an S3 endpoint",
                hint="write it as https://host:port, without a path or credentials",
            )
        if self.prefix and not are_parts(self.prefix.split("/")):
            raise ConfigurationInvalid(f"`{self.prefix}` is not the prefix of S3 keys")

    def _check_source(self) -> None:
        source = self.source
        if (source is CredentialSource.KEYS) != bool(self.access_key):
            raise ConfigurationInvalid(
                f"the S3 location of bucket `{self.bucket}` has keys and takes others, or has none",
                hint="access_key and secret_key go with credentials = 'keys' alone",
            )
        if (source is CredentialSource.FILE) != (self.file is not None):
            raise ConfigurationInvalid(
                f"the S3 location of bucket `{self.bucket}` does not fit its credentials_file",
                hint="credentials_file goes with credentials = 'file', and is needed there",
            )

    @property
    def source(self) -> CredentialSource:
        """Where its credentials come from."""
        if self.credentials is not None:
            return self.credentials
        if self.access_key:
            return CredentialSource.KEYS
        return CredentialSource.ANONYMOUS if self.endpoint else CredentialSource.DEFAULT

    def covers(self, bucket: str, key: str) -> bool:
        """Whether this is a way to reach the key."""
        return self.bucket in {bucket, ANY_BUCKET} and within(self.prefix, key)


class S3Connector:
    """Reads what its locations cover; the most specific location is used."""

    def __init__(self, locations: Sequence[S3Location]) -> None:
        by_rank = sorted(locations, key=lambda each: (each.bucket == ANY_BUCKET, -len(each.prefix)))
        self._stores = [_Store(location) for location in by_rank]

    def canonical(self, uri: str) -> str:
        """`s3://bucket/key/parts` without a trailing slash.

        Raises:
            InvalidRequest: malformed, or not covered by a location.
        """
        check_suffixes(uri)
        bucket, key = bucket_and_key(uri)
        self._store(bucket, key)
        return f"{_PREFIX}{bucket}/{key}" if key else _PREFIX + bucket

    def walk(
        self,
        uri: str,
        *,
        on_error: OnError | None = None,  # noqa: ARG002 - all folders are listed at once
        enter: Enter = everything,
    ) -> Iterator[ObjectInfo]:
        """See `Connector.walk`."""
        bucket, key = bucket_and_key(uri)
        listing = self._store(bucket, key).listing(uri)
        if key and (single := listing.find(bucket, key)) is not None:
            yield single
            return
        prefix = f"{key}/" if key else ""
        pages = (
            listing.pages(bucket, prefix)
            if enter is everything
            else _wanted(listing, bucket, prefix, enter)
        )
        there = not key
        for page in pages:
            there = there or page.keys > 0
            yield from page.objects
        if not there:
            raise NotFound(
                f"`{shown(uri)}` does not exist", hint="check the path for typing errors"
            )

    def open_file(self, uri: str) -> pa.NativeFile:
        """See `Connector.open_file`."""
        return open_object(*self._reach(uri), uri)

    def open_stream(self, uri: str) -> pa.NativeFile:
        """See `Connector.open_stream`."""
        return stream_object(*self._reach(uri), uri)

    def writing(self, uri: str) -> tuple[fs.FileSystem, str]:
        """A file system that can write, and the path there.

        Raises:
            InvalidRequest: outside the locations.
        """
        return self._reach(uri)

    def _reach(self, uri: str) -> tuple[fs.S3FileSystem, str]:
        bucket, key = bucket_and_key(uri)
        found = self._store(bucket, key).filesystem(uri)
        return found, f"{bucket}/{key}" if key else bucket

    def _store(self, bucket: str, key: str) -> _Store:
        for store in self._stores:
            if store.location.covers(bucket, key):
                return store
        raise InvalidRequest(
            f"`{_PREFIX}{bucket}/{shown(key)}` is outside the S3 locations that sources may lie in",
            hint="the setting s3 names them",
        )


class _Store:
    """What is open to one location, for the keys of now: a machine's change under way."""

    def __init__(self, location: S3Location) -> None:
        self.location = location
        self._find: Find | None = None
        self._filesystem: tuple[Keys | None, fs.S3FileSystem] | None = None
        self._listing: tuple[Keys | None, Listing] | None = None
        self._lock = threading.Lock()

    def filesystem(self, uri: str) -> fs.S3FileSystem:
        """What reads and writes objects."""
        with self._lock, source_errors(uri):
            keys = self._keys()
            if self._filesystem is None or self._filesystem[0] != keys:
                self._filesystem = keys, _connect(self.location, keys)
            return self._filesystem[1]

    def listing(self, uri: str) -> Listing:
        """What lists objects."""
        with self._lock, source_errors(uri):
            keys = self._keys()
            if self._listing is None or self._listing[0] != keys:
                self._listing = keys, Listing(_reach(self.location), keys)
            return self._listing[1]

    def _keys(self) -> Keys | None:
        if self._find is None:
            self._find = _finder(self.location)
        return self._find()


def _finder(location: S3Location) -> Find:
    match location.source:
        case CredentialSource.KEYS:
            assert location.access_key is not None
            assert location.secret_key is not None
            return fixed(Keys(location.access_key, location.secret_key, location.session_token))
        case CredentialSource.ENVIRONMENT:
            return from_environment(location.variables)
        case CredentialSource.FILE:
            assert location.file is not None
            return from_file(location.file, location.profile)
        case CredentialSource.INSTANCE:
            return from_instance()
        case CredentialSource.DEFAULT:
            return from_anywhere()
        case CredentialSource.ANONYMOUS:
            return fixed(None)


def _wanted(listing: Listing, bucket: str, prefix: str, enter: Enter) -> Iterator[Page]:
    """The pages of the folders that are wanted.

    Where all on a level are, all below is listed at once: that is a request for a thousand objects
    instead of one for each folder.
    """
    pending = [prefix]
    while pending:
        inside = pending.pop()
        pages = list(listing.pages(bucket, inside, by_folder=True))
        folders = [folder for page in pages for folder in page.folders]
        chosen = [folder for folder in folders if enter(folder)]
        if folders and len(chosen) == len(folders):
            yield from listing.pages(bucket, inside)
            continue
        yield from pages
        pending += [f"{bucket_and_key(folder)[1]}/" for folder in reversed(chosen)]


def _reach(location: S3Location) -> Reach:
    return Reach(
        location.endpoint,
        location.region,
        location.path_style,
        location.ca,
        min(_CONNECT_SECONDS, location.timeout),
        location.timeout,
        _ATTEMPTS,
    )


def _connect(location: S3Location, keys: Keys | None) -> fs.S3FileSystem:
    endpoint = urlsplit(location.endpoint)
    return fs.S3FileSystem(
        access_key=keys and keys.access_key,
        secret_key=keys and keys.secret_key,
        session_token=keys and keys.session_token,
        anonymous=keys is None,
        region=location.region,
        scheme=endpoint.scheme or "https",
        endpoint_override=endpoint.netloc or None,
        force_virtual_addressing=not location.path_style,
        tls_ca_file_path=location.ca or None,
        connect_timeout=min(_CONNECT_SECONDS, location.timeout),
        request_timeout=location.timeout,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=_ATTEMPTS),
    )


def bucket_and_key(uri: str) -> tuple[str, str]:
    """Split an address into its bucket and key.

    Raises:
        InvalidRequest: malformed, or it holds credentials.
    """
    bucket, key = split(uri, _PREFIX, _BUCKET)
    if bucket.endswith(_ALIASES):
        raise InvalidRequest(
            f"`{shown(bucket)}` is another name of a bucket",
            hint="name the bucket itself, so that each object has one path",
        )
    return bucket, key
