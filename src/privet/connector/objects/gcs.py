"""Objects of Google Cloud Storage."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from pyarrow import fs

from privet.connector.base import shown
from privet.connector.objects.addresses import are_parts, is_endpoint
from privet.connector.objects.arrow import ANY, ArrowObjects
from privet.model.errors import ConfigurationInvalid

SCHEME = "gs"
_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")


@dataclass(frozen=True, slots=True, kw_only=True)
class GcsLocation:
    """How a bucket is reached (`*`: any that no other location names).

    `endpoint` is `http(s)://host:port`; empty means Google itself. Requests are made with the
    credentials that Google's own tools find on the machine, in the place of `service_account` if
    one is named, or `anonymous`ly; at an endpoint always anonymously. A request is tried again for
    `timeout` seconds.

    Raises:
        ConfigurationInvalid: an endpoint, bucket or prefix that is none.
    """

    container: str = ANY
    prefix: str = ""
    endpoint: str = ""
    anonymous: bool = False
    service_account: str = ""
    timeout: float = 30.0

    def __post_init__(self) -> None:
        if self.container != ANY and not _BUCKET.fullmatch(self.container):
            raise ConfigurationInvalid(f"`{shown(self.container)}` is not the name of a bucket")
        if self.prefix and not are_parts(self.prefix.split("/")):
            raise ConfigurationInvalid(f"`{shown(self.prefix)}` is not the prefix of objects")
        if self.endpoint and not is_endpoint(self.endpoint):
            raise ConfigurationInvalid(
                f"`{shown(self.endpoint)}` is not an endpoint of GCS",
                hint="write it as https://host:port, without a path or credentials",
            )

    def connect(self) -> fs.FileSystem:
        """What reads it."""
        endpoint = urlsplit(self.endpoint)
        return fs.GcsFileSystem(
            # Credentials of the machine are Google's, not meant for somebody's endpoint.
            anonymous=self.anonymous or bool(self.endpoint),
            target_service_account=self.service_account or None,
            scheme=endpoint.scheme or "https",
            endpoint_override=endpoint.netloc or None,
            retry_time_limit=timedelta(seconds=self.timeout),
        )


class GcsConnector(ArrowObjects):
    """Reads `gs://bucket/path`."""

    # Folders are only in the names of objects, and listed one by one they would be missed.
    _at_once = True

    def __init__(self, locations: Sequence[GcsLocation]) -> None:
        super().__init__(SCHEME, _BUCKET, locations)
