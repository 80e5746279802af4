"""A file of secrets: for its owner only, replaced whole or not at all."""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from privet.model.errors import KeyUnavailable

_WIDER_THAN_OWNER = 0o077
_MAX_BYTES = 1 << 20

Stamp = tuple[int, ...]
"""Equal as long as the file is the same one, unchanged, with the same mode."""


class KeyFile:
    """Reads and writes one file. Its directory must allow new files beside it."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)

    def stamp(self) -> Stamp:
        """What to compare in order to see a change.

        Raises:
            KeyUnavailable: the file is gone.
        """
        try:
            return _stamp(self.path.stat())
        except OSError as error:
            raise self._unreadable(error) from error

    def read(self) -> tuple[bytes, Stamp]:
        """The content and the stamp that belongs to it.

        Raises:
            KeyUnavailable: unreadable, not a regular file of usual size, or open to others.
        """
        try:
            # O_NONBLOCK: a pipe in the file's place must be refused, not waited for.
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            with os.fdopen(descriptor, "rb") as file:
                status = os.fstat(descriptor)
                self._check(status)
                return file.read(), _stamp(status)
        except OSError as error:
            raise self._unreadable(error) from error

    def write(self, text: str, *, replace: bool) -> bool:
        """Write beside the file, sync, then give it the name in one step.

        Returns:
            False if the file exists and is not to be replaced.

        Raises:
            KeyUnavailable: the directory or the disk does not allow it.
        """
        try:
            descriptor, name = tempfile.mkstemp(
                prefix=f".{self.path.name}.", dir=self.path.parent, text=True
            )
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
                _give_name(Path(name), self.path, replace=replace)
            finally:
                Path(name).unlink(missing_ok=True)
            _sync_directory(self.path.parent)
        except FileExistsError:
            return False
        except OSError as error:
            raise self._unwritable(error) from error
        return True

    @contextmanager
    def exclusive(self) -> Generator[None]:
        """One writer at a time, over all processes on this machine.

        Raises:
            KeyUnavailable: the lock beside the file cannot be made.
        """
        lock = self.path.with_name(f".{self.path.name}.lock")
        try:
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._unwritable(error) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _check(self, status: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode) or status.st_size > _MAX_BYTES:
            raise KeyUnavailable(f"signing keys `{self.path}` are not a regular file of usual size")
        if status.st_mode & _WIDER_THAN_OWNER:
            raise KeyUnavailable(
                f"signing keys `{self.path}` can be read by others than their owner",
                hint=f"chmod 600 {self.path}, and rotate the keys if others may have read them",
            )

    def _unreadable(self, error: OSError) -> KeyUnavailable:
        return KeyUnavailable(
            f"signing keys `{self.path}` cannot be read: {error.strerror}",
            hint="check the setting signing_keys_file and who may read the file",
        )

    def _unwritable(self, error: OSError) -> KeyUnavailable:
        return KeyUnavailable(
            f"signing keys `{self.path}` cannot be written: {error.strerror}",
            hint="check that the directory exists, may be written and has room",
        )


def _give_name(source: Path, path: Path, *, replace: bool) -> None:
    if replace:
        source.replace(path)
    else:
        path.hardlink_to(source)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _stamp(status: os.stat_result) -> Stamp:
    return (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size, status.st_mode)
