"""The connectors of a server, by scheme."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import fs

from privet.connector.base import (
    Enter,
    ObjectInfo,
    OnError,
    check_characters,
    everything,
    shown,
)
from privet.connector.local import SCHEME as FILE
from privet.connector.local import LocalConnector
from privet.connector.mirrors import MirroredBuckets
from privet.connector.objects.arrow import ArrowObjects
from privet.connector.objects.azure import SCHEME as AZURE
from privet.connector.objects.azure import AzureConnector, AzureLocation
from privet.connector.objects.gcs import SCHEME as GCS
from privet.connector.objects.gcs import GcsConnector, GcsLocation
from privet.connector.objects.s3 import SCHEME as S3
from privet.connector.objects.s3 import S3Connector, S3Location
from privet.model.errors import InvalidRequest


class Connectors:
    """Gives each address to the connector of its scheme; itself a `Connector`.

    A plain absolute path is a local one. `mirrors` has the folders that stand for buckets of S3.
    Safe to use from several threads.
    """

    def __init__(
        self,
        local_roots: Sequence[Path] = (),
        s3: Sequence[S3Location] = (),
        mirrors: Mapping[str, Path] | None = None,
        azure: Sequence[AzureLocation] = (),
        gcs: Sequence[GcsLocation] = (),
    ) -> None:
        self._mirrors = MirroredBuckets(mirrors or {})
        self._by_scheme: dict[str, LocalConnector | S3Connector | ArrowObjects] = {
            FILE: LocalConnector(local_roots),
            S3: S3Connector(s3),
            AZURE: AzureConnector(azure),
            GCS: GcsConnector(gcs),
        }

    def connector_for(
        self, uri: str
    ) -> LocalConnector | S3Connector | ArrowObjects | MirroredBuckets:
        """The connector that opens `uri`.

        Raises:
            InvalidRequest: there is none for its scheme.
        """
        check_characters(uri)
        if self._mirrors.holds(uri):
            return self._mirrors
        scheme, mark, _ = uri.partition("://")
        connector = self._by_scheme.get(scheme if mark else FILE)
        if connector is None:
            raise InvalidRequest(
                f"`{shown(uri)}` has a scheme that no connector opens",
                hint="write s3://bucket/path, abfs://container/path, gs://bucket/path, or an"
                " absolute path of the server",
            )
        return connector

    def canonical(self, uri: str) -> str:
        """See `Connector.canonical`."""
        return self.connector_for(uri).canonical(uri)

    def walk(
        self, uri: str, *, on_error: OnError | None = None, enter: Enter = everything
    ) -> Iterator[ObjectInfo]:
        """See `Connector.walk`."""
        return self.connector_for(uri).walk(uri, on_error=on_error, enter=enter)

    def open_file(self, uri: str) -> pa.NativeFile:
        """See `Connector.open_file`."""
        return self.connector_for(uri).open_file(uri)

    def open_stream(self, uri: str) -> pa.NativeFile:
        """See `Connector.open_stream`."""
        return self.connector_for(uri).open_stream(uri)

    def writing(self, uri: str) -> tuple[fs.FileSystem, str]:
        """A file system that can write, and the path there; for `CopyRoots` alone."""
        return self.connector_for(uri).writing(uri)
