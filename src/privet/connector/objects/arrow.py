"""Objects of stores that are listed and read through Arrow's file systems."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

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
    walk_folders,
)
from privet.connector.objects.addresses import split, within
from privet.connector.objects.opening import open_object, stream_object
from privet.model.errors import InvalidRequest, NotFound

ANY = "*"


class Location(Protocol):
    """How a container (`*`: any that no other location names) is reached, at or below a prefix."""

    @property
    def container(self) -> str:
        """Its name."""
        ...

    @property
    def prefix(self) -> str:
        """What keys begin with."""
        ...

    def connect(self) -> fs.FileSystem:
        """What reads it."""
        ...


class ArrowObjects:
    """Reads what its locations cover, and writes nothing; the most specific location is used."""

    _at_once = False
    """Whether all below an address is listed at once, and held while it is walked."""

    def __init__(
        self, scheme: str, containers: re.Pattern[str], locations: Sequence[Location]
    ) -> None:
        self._scheme = scheme
        self._prefix = f"{scheme}://"
        self._containers = containers
        self._locations = sorted(locations, key=_rank)
        self._open: dict[int, fs.FileSystem] = {}
        self._lock = threading.Lock()

    def canonical(self, uri: str) -> str:
        """The scheme, container and key, without a trailing slash.

        Raises:
            InvalidRequest: malformed, or not covered by a location.
        """
        check_suffixes(uri)
        container, key = split(uri, self._prefix, self._containers)
        self._location(container, key)
        return f"{self._prefix}{container}/{key}" if key else self._prefix + container

    def walk(
        self, uri: str, *, on_error: OnError | None = None, enter: Enter = everything
    ) -> Iterator[ObjectInfo]:
        """See `Connector.walk`."""
        filesystem, path = self._reach(uri)
        with source_errors(uri):
            found = filesystem.get_file_info(path)
        if found.type is fs.FileType.NotFound:
            raise NotFound(
                f"`{shown(uri)}` does not exist", hint="check the path for typing errors"
            )
        if found.type is fs.FileType.File:
            yield self._info(found)
            return
        if self._at_once:
            yield from self._listed(filesystem, path)
            return

        def list_folder(folder: str) -> Iterable[ObjectInfo | str]:
            selector = fs.FileSelector(folder.removeprefix(self._prefix))
            with source_errors(folder):
                entries = filesystem.get_file_info(selector)
            return [
                self._prefix + entry.path
                if entry.type is fs.FileType.Directory
                else self._info(entry)
                for entry in sorted(entries, key=lambda entry: entry.base_name)
            ]

        yield from walk_folders(self._prefix + path, list_folder, on_error, enter)

    def _listed(self, filesystem: fs.FileSystem, path: str) -> Iterator[ObjectInfo]:
        with source_errors(self._prefix + path):
            entries = filesystem.get_file_info(fs.FileSelector(path, recursive=True))
        for entry in sorted(entries, key=lambda entry: entry.path):
            if entry.type is fs.FileType.File:
                yield self._info(entry)

    def open_file(self, uri: str) -> pa.NativeFile:
        """See `Connector.open_file`."""
        return open_object(*self._reach(uri), uri)

    def open_stream(self, uri: str) -> pa.NativeFile:
        """See `Connector.open_stream`."""
        return stream_object(*self._reach(uri), uri)

    def writing(self, uri: str) -> tuple[fs.FileSystem, str]:
        """Refuse: nothing is written there.

        Raises:
            InvalidRequest: always.
        """
        raise InvalidRequest(
            f"`{shown(uri)}` is in a store that is only read",
            hint="put copies into local folders or S3",
        )

    def _reach(self, uri: str) -> tuple[fs.FileSystem, str]:
        container, key = split(uri, self._prefix, self._containers)
        location = self._location(container, key)
        with self._lock:
            found = self._open.get(id(location))
            if found is None:
                with source_errors(uri):
                    found = self._open[id(location)] = location.connect()
        return found, f"{container}/{key}" if key else container

    def _location(self, container: str, key: str) -> Location:
        for location in self._locations:
            if location.container in {container, ANY} and within(location.prefix, key):
                return location
        raise InvalidRequest(
            f"`{self._prefix}{container}/{shown(key)}` is outside the locations that sources may"
            " lie in",
            hint=f"the setting {_SETTINGS[self._scheme]} names them",
        )

    def _info(self, found: fs.FileInfo) -> ObjectInfo:
        return ObjectInfo(self._prefix + found.path, found.size or 0, found.mtime)


def _rank(location: Location) -> tuple[bool, int]:
    return location.container == ANY, -len(location.prefix)


_SETTINGS = {"abfs": "azure", "gs": "gcs"}
