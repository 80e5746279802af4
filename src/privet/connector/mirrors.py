"""Buckets whose objects lie in folders of this machine: for sites without their object store."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
from pyarrow import fs

from privet.connector.base import Enter, ObjectInfo, OnError, everything
from privet.connector.local import LocalConnector
from privet.connector.objects.s3 import bucket_and_key
from privet.model.errors import ConfigurationInvalid, InvalidRequest, PrivetError

_PREFIX, _FILE = "s3://", "file://"


class MirroredBuckets:
    """Opens `s3://bucket/key` as the file `key` below the bucket's folder.

    Addresses stay those of the bucket, so that what is granted, registered and recorded reads as
    it would with the store itself.
    """

    def __init__(self, folders: Mapping[str, Path]) -> None:
        """Serve these buckets, by name.

        Raises:
            ConfigurationInvalid: a name is no bucket's, or a folder cannot be a root.
        """
        for bucket in folders:
            try:
                bucket_and_key(_PREFIX + bucket)
            except PrivetError as error:
                raise ConfigurationInvalid(f"`{bucket}` is not the name of a bucket") from error
        self._folders = {name: os.path.realpath(folder) for name, folder in folders.items()}
        self._local = LocalConnector(tuple(folders.values()))

    def holds(self, uri: str) -> bool:
        """Whether an address is in one of the buckets."""
        return uri.startswith(_PREFIX) and uri[len(_PREFIX) :].partition("/")[0] in self._folders

    def canonical(self, uri: str) -> str:
        """See `Connector.canonical`."""
        bucket, key = bucket_and_key(uri)
        return f"{_PREFIX}{bucket}/{key}" if key else _PREFIX + bucket

    def walk(
        self, uri: str, *, on_error: OnError | None = None, enter: Enter = everything
    ) -> Iterator[ObjectInfo]:
        """See `Connector.walk`."""
        bucket, _ = bucket_and_key(uri)

        def told(where: str, error: PrivetError) -> None:
            assert on_error is not None
            on_error(self._outside(bucket, where), self._reworded(bucket, error))

        def wanted(where: str) -> bool:
            return enter(self._outside(bucket, where))

        walked = self._local.walk(
            self._inside(uri), on_error=told if on_error else None, enter=wanted
        )
        with self._in_its_words(uri):
            for info in walked:
                yield replace(info, uri=self._outside(bucket, info.uri))

    def open_file(self, uri: str) -> pa.NativeFile:
        """See `Connector.open_file`."""
        with self._in_its_words(uri):
            return self._local.open_file(self._inside(uri))

    def open_stream(self, uri: str) -> pa.NativeFile:
        """See `Connector.open_stream`."""
        with self._in_its_words(uri):
            return self._local.open_stream(self._inside(uri))

    def writing(self, uri: str) -> tuple[fs.FileSystem, str]:
        """A file system that can write, and the path there."""
        return self._local.writing(self._inside(uri))

    @contextmanager
    def _in_its_words(self, uri: str) -> Generator[None]:
        """Errors tell of the bucket: where its folder is, is nobody's business."""
        try:
            yield
        except PrivetError as error:
            bucket, _ = bucket_and_key(uri)
            if bucket in self._folders:
                self._reworded(bucket, error)
            raise

    def _reworded(self, bucket: str, error: PrivetError) -> PrivetError:
        for inside in (_FILE + self._folders[bucket], self._folders[bucket]):
            error.message = error.message.replace(inside, _PREFIX + bucket)
        return error

    def _inside(self, uri: str) -> str:
        bucket, key = bucket_and_key(uri)
        if bucket not in self._folders:
            raise InvalidRequest(f"no folder stands for `{_PREFIX}{bucket}`")
        folder = self._folders[bucket]
        return _FILE + (f"{folder}/{key}" if key else folder)

    def _outside(self, bucket: str, inside: str) -> str:
        path = inside.removeprefix(_FILE).removeprefix(self._folders[bucket]).strip("/")
        return f"{_PREFIX}{bucket}/{path}" if path else _PREFIX + bucket
