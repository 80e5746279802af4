"""Files of this machine, below the folders that the settings allow."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
from pyarrow import fs

from privet.connector.base import (
    Enter,
    ObjectInfo,
    OnError,
    check_characters,
    check_suffixes,
    everything,
    shown,
    source_errors,
    walk_folders,
)
from privet.model.errors import ConfigurationInvalid, InvalidRequest

SCHEME = "file"
_PREFIX = "file://"
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without O_NONBLOCK, opening a named pipe would wait for somebody to write to it.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class LocalConnector:
    """Reads below `roots` and nowhere else; links are resolved once, in `canonical`.

    A link inside a folder that is walked is reported like a file and cannot be opened: it could
    lead into another dataset's folder, and may be turned to another place at any time.
    """

    def __init__(self, roots: Sequence[Path]) -> None:
        """Allow the folders `roots`.

        Raises:
            ConfigurationInvalid: a root is not an absolute path, or is `/`.
        """
        for root in roots:
            if not root.is_absolute() or root == Path("/"):
                raise ConfigurationInvalid(
                    f"`{root}` cannot be a root of local sources",
                    hint="name an absolute folder below which all data lies",
                )
        self._roots = tuple(os.path.realpath(root) for root in roots)

    def canonical(self, uri: str) -> str:
        """`file://` and the path with `..` and links resolved.

        Raises:
            InvalidRequest: malformed, or outside the roots.
        """
        check_characters(uri)
        check_suffixes(uri)
        path = os.path.realpath(_path_of(uri))
        self._root_of(path, uri)
        return _PREFIX + path

    def walk(
        self, uri: str, *, on_error: OnError | None = None, enter: Enter = everything
    ) -> Iterator[ObjectInfo]:
        """See `Connector.walk`."""
        path = _path_of(uri)
        self._root_of(path, uri)
        with source_errors(uri):
            found = os.lstat(path)
            resolved = os.path.realpath(path)
        if resolved != path:
            raise _link(uri)
        if stat.S_ISDIR(found.st_mode):
            yield from walk_folders(_PREFIX + path, _list_folder, on_error, enter)
        else:
            yield _info(path, found)

    def open_file(self, uri: str) -> pa.NativeFile:
        """See `Connector.open_file`."""
        path = _path_of(uri)
        root = self._root_of(path, uri)
        with source_errors(uri):
            descriptor = _open_below(root, path)
            try:
                _check_regular(uri, os.fstat(descriptor))
                # By descriptor, not by path: what was checked is what is read.
                return pa.OSFile(f"/dev/fd/{descriptor}", "r")
            finally:
                os.close(descriptor)

    def open_stream(self, uri: str) -> pa.NativeFile:
        """See `Connector.open_stream`."""
        return self.open_file(uri)

    def writing(self, uri: str) -> tuple[fs.FileSystem, str]:
        """A file system that can write, and the path there; not through a link.

        Raises:
            InvalidRequest: outside the roots, or behind a link.
        """
        path = _path_of(uri)
        self._root_of(path, uri)
        if os.path.realpath(path) != path:
            raise _link(uri)
        return fs.LocalFileSystem(), path

    def _root_of(self, path: str, uri: str) -> str:
        for root in self._roots:
            inside = path == root or path.startswith(f"{root}/")
            if inside and os.path.normpath(path) == path:
                return root
        raise InvalidRequest(
            f"`{shown(uri)}` is outside the folders that sources may lie in",
            hint="the setting local_roots names them",
        )


def _path_of(uri: str) -> str:
    check_characters(uri)
    path = uri.removeprefix(_PREFIX)
    if not path.startswith("/") or path.startswith("//"):
        raise InvalidRequest(
            f"`{shown(uri)}` is not the path of a local source",
            hint="write an absolute path such as /data/lake/folder or file:///data/lake/folder",
        )
    return path


def _open_below(root: str, path: str) -> int:
    """Open a file step by step from `root`, following no link on the way."""
    *folders, name = path[len(root) :].strip("/").split("/")
    descriptor = os.open(root, _FOLDER)
    try:
        for folder in folders:
            inner = os.open(folder, _FOLDER, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        return os.open(name or ".", _FILE, dir_fd=descriptor)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _link(_PREFIX + path) from error
        raise
    finally:
        os.close(descriptor)


def _link(uri: str) -> InvalidRequest:
    return InvalidRequest(
        f"`{shown(uri)}` is or passes through a symbolic link",
        hint="put the file itself there, or name the place that the link leads to",
    )


def _check_regular(uri: str, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise InvalidRequest(
            f"`{shown(uri)}` is not a regular file",
            hint="a source can read files, not folders, pipes or devices",
        )


def _list_folder(uri: str) -> Iterable[ObjectInfo | str]:
    path = uri.removeprefix(_PREFIX)
    with source_errors(uri), os.scandir(path) as listing:
        return [
            f"{uri}/{entry.name}"
            if entry.is_dir(follow_symlinks=False)
            else _info(entry.path, entry.stat(follow_symlinks=False))
            for entry in sorted(listing, key=lambda entry: entry.name)
        ]


def _info(path: str, found: os.stat_result) -> ObjectInfo:
    return ObjectInfo(
        uri=_PREFIX + path,
        size=found.st_size,
        modified=datetime.fromtimestamp(found.st_mtime, UTC),
        # A file can be given its old size and time, but not its old moment of change.
        etag=f"{found.st_ino:x}-{found.st_mtime_ns:x}-{found.st_ctime_ns:x}",
    )
