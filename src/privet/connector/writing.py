"""The one place where anything is written to a lake: folders of copies, below roots set for that.

A file is written under a hidden name and gets its own when it is whole, so that readers of its
folder never meet half of one.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import fs

from privet.connector.base import shown, source_errors
from privet.connector.registry import Connectors
from privet.model.errors import ConfigurationInvalid, Conflict, InvalidRequest, PrivetError
from privet.model.names import DatasetName


class CopyRoots:
    """Folders for copies, below the roots that the settings name; nothing else is writable."""

    def __init__(self, connectors: Connectors, roots: Sequence[str]) -> None:
        """Allow writing below `roots`.

        Raises:
            ConfigurationInvalid: a root is not within what the sources' settings allow.
        """
        try:
            self._roots = tuple(connectors.canonical(root) for root in roots)
        except PrivetError as error:
            raise ConfigurationInvalid(
                f"copy_roots: {error.message}", hint="a root lies within local_roots or s3"
            ) from error
        self._connectors = connectors

    def place(self, name: DatasetName, wanted: str = "") -> str:
        """The address of a folder for a copy: the one that is wanted, else one of its own.

        Raises:
            InvalidRequest: there are no roots, or it lies below none.
        """
        if not self._roots:
            raise InvalidRequest(
                "this server has no place for copies", hint="set copy_roots in its settings"
            )
        if not wanted:
            folder = f"{name.name}-{secrets.token_hex(8)}"
            return f"{self._roots[0]}/{name.database}/{folder}"
        uri = self._connectors.canonical(wanted)
        if not any(uri.startswith(f"{root}/") for root in self._roots):
            raise InvalidRequest(
                f"`{shown(uri)}` is not within a folder for copies",
                hint="leave LOCATION out, or ask an administrator where copies may lie",
            )
        return uri

    def make(self, folder: str) -> None:
        """Make a folder, in which nothing lies yet.

        Raises:
            Conflict: something does.
            SourceUnavailable: it cannot be made.
        """
        filesystem, path = self._reach(folder)
        with source_errors(folder):
            below = fs.FileSelector(path, allow_not_found=True)
            taken = filesystem.get_file_info(path).is_file or filesystem.get_file_info(below)
            if not taken and isinstance(filesystem, fs.LocalFileSystem):
                _make_private(Path(path))
        if taken:
            raise Conflict(f"`{shown(folder)}` is not empty", hint="name another LOCATION")

    def create(self, folder: str, name: str) -> pa.NativeFile:
        """Begin a new file in a folder.

        Raises:
            SourceUnavailable: it cannot be written.
        """
        filesystem, path = self._reach(folder)
        with source_errors(folder):
            return filesystem.open_output_stream(f"{path}/{name}", compression=None)

    def publish(self, folder: str, hidden: str, name: str) -> None:
        """Give a file that is whole its own name."""
        filesystem, path = self._reach(folder)
        with source_errors(folder):
            filesystem.move(f"{path}/{hidden}", f"{path}/{name}")

    def discard(self, folder: str, name: str) -> None:
        """Remove a file, if it is there."""
        filesystem, path = self._reach(folder)
        with source_errors(folder):
            if filesystem.get_file_info(f"{path}/{name}").is_file:
                filesystem.delete_file(f"{path}/{name}")

    def remove(self, folder: str) -> None:
        """Remove a folder with all that is in it, if it is there."""
        filesystem, path = self._reach(folder)
        with source_errors(folder):
            below = fs.FileSelector(path, allow_not_found=True, recursive=True)
            for found in filesystem.get_file_info(below):
                if found.is_file:
                    filesystem.delete_file(found.path)
            if isinstance(filesystem, fs.LocalFileSystem) and Path(path).is_dir():
                filesystem.delete_dir(path)

    def _reach(self, folder: str) -> tuple[fs.FileSystem, str]:
        if not any(folder.startswith(f"{root}/") for root in self._roots):
            raise InvalidRequest(
                f"`{shown(folder)}` is not within a folder for copies",
                hint="the setting copy_roots names them",
            )
        return self._connectors.writing(folder)


def _make_private(path: Path) -> None:
    """Make a folder that only the server reads; one that is there stays as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=0o700, exist_ok=True)
