"""Listing S3, a page at a time: with each object's etag, which the reader's library leaves out."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from privet.connector.base import ObjectInfo, shown
from privet.connector.objects.credentials import Keys
from privet.model.errors import NotFound, SourceUnavailable

_PREFIX = "s3://"
_MISSING = frozenset({"NoSuchBucket", "NoSuchKey", "404", "NotFound"})
_DENIED = frozenset(
    {
        "AccessDenied",
        "403",
        "401",
        "Forbidden",
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "ExpiredToken",
        "InvalidToken",
        "RequestTimeTooSkewed",
        "AllAccessDisabled",
    }
)


@dataclass(frozen=True, slots=True)
class Reach:
    """How a store is reached; times in seconds, `attempts` at each request."""

    endpoint: str
    region: str
    path_style: bool
    ca: str
    connect_seconds: float
    request_seconds: float
    attempts: int


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a listing: objects, and the addresses of folders unless these are looked into.

    `keys` counts both, and markers of folders.
    """

    objects: list[ObjectInfo]
    folders: list[str]
    keys: int


class Listing:
    """Lists buckets with one set of keys. Safe to use from several threads."""

    def __init__(self, reach: Reach, keys: Keys | None) -> None:
        # Late: the library takes a while to load, and servers without S3 never need it.
        from botocore import UNSIGNED
        from botocore.config import Config
        from botocore.session import Session

        config = Config(
            connect_timeout=reach.connect_seconds,
            read_timeout=reach.request_seconds,
            retries={"total_max_attempts": reach.attempts, "mode": "standard"},
            s3={"addressing_style": "path" if reach.path_style else "virtual"},
            # A proxy that the environment names is not meant for somebody's endpoint.
            proxies={} if reach.endpoint else None,
            **({"signature_version": UNSIGNED} if keys is None else {}),
        )
        session = Session()
        # Neither profiles nor endpoints of the machine's own files change what settings say.
        session.set_config_variable("ignore_configured_endpoint_urls", True)
        parsers: Any = session.get_component("response_parser_factory")
        parsers.set_parser_defaults(timestamp_parser=_moment)
        given: dict[str, Any] = {"verify": reach.ca or None}
        if keys is not None:
            given["aws_access_key_id"] = keys.access_key
            given["aws_secret_access_key"] = keys.secret_key
            given["aws_session_token"] = keys.session_token
        self._client: Any = session.create_client(
            "s3",
            region_name=reach.region,
            endpoint_url=reach.endpoint or None,
            config=config,
            **given,
        )

    def find(self, bucket: str, key: str) -> ObjectInfo | None:
        """The object of exactly this key; None also where only a listing could tell."""
        from botocore.exceptions import ClientError

        uri = f"{_PREFIX}{bucket}/{key}"
        with told(uri):
            try:
                found = self._client.head_object(Bucket=bucket, Key=key)
            except ClientError:
                return None
        if found["ContentType"].startswith("application/x-directory"):
            return None
        return _info(uri, found["ContentLength"], found)

    def pages(self, bucket: str, prefix: str, *, by_folder: bool = False) -> Iterator[Page]:
        """The objects whose keys begin with `prefix`, in the order of the store.

        Raises:
            NotFound: there is no such bucket.
            SourceUnavailable: it refuses us, cannot be reached, or breaks.
        """
        uri = f"{_PREFIX}{bucket}/{prefix}".rstrip("/")
        wanted: dict[str, Any] = {"Bucket": bucket, "Prefix": prefix}
        if by_folder:
            wanted["Delimiter"] = "/"
        pages = iter(self._client.get_paginator("list_objects_v2").paginate(**wanted))
        while True:
            with told(uri):
                page = next(pages, None)
            if page is None:
                return
            yield _page(bucket, page)


def _moment(text: str) -> datetime:
    """A moment of a listing; the library's own way takes longer than all the rest of a page."""
    from botocore.utils import parse_timestamp

    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return parse_timestamp(text)


def _page(bucket: str, page: Mapping[str, Any]) -> Page:
    start = f"{_PREFIX}{bucket}/"
    return Page(
        # A key that ends with a slash is a marker of a folder, as consoles make them.
        [
            _info(start + found["Key"], found["Size"], found)
            for found in page.get("Contents", ())
            if not found["Key"].endswith("/")
        ],
        [start + found["Prefix"][:-1] for found in page.get("CommonPrefixes", ())],
        int(page.get("KeyCount", 0)),
    )


def _info(uri: str, size: int, found: Mapping[str, Any]) -> ObjectInfo:
    etag = str(found.get("ETag", "")).strip('"')
    return ObjectInfo(uri, size, found.get("LastModified"), etag)


@contextmanager
def told(uri: str) -> Generator[None]:
    """Tell the errors of the library as ours, without its words.

    Raises:
        NotFound: nothing is there.
        SourceUnavailable: refused, unreachable or broken.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    where = shown(uri)
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in _MISSING:
            raise NotFound(
                f"`{where}` does not exist", hint="check the path for typing errors"
            ) from error
        if code in _DENIED:
            raise SourceUnavailable(
                f"access was denied to `{where}`",
                hint="check the credentials of this location in the server's settings",
            ) from error
        raise SourceUnavailable(
            f"the source of `{where}` cannot be reached",
            hint="it answers with errors; look at the source, and try again",
        ) from error
    except (BotoCoreError, OSError) as error:
        raise SourceUnavailable(
            f"the source of `{where}` cannot be reached",
            hint="check its endpoint in the server's settings, and whether it runs",
        ) from error
