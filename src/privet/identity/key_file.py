"""A file of secrets: for its owner only, replaced whole or not at all."""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from privet.identity.guarded_file import OTHERS_READ, Stamp, read_checked, stamp_of
from privet.model.errors import KeyUnavailable

_MAX_BYTES = 1 << 20


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
            return stamp_of(self.path.stat())
        except OSError as error:
            raise self._unreadable(error) from error

    def read(self) -> tuple[bytes, Stamp]:
        """The content and the stamp that belongs to it.

        Raises:
            KeyUnavailable: unreadable, not a regular file of usual size, or open to others.
        """
        try:
            return read_checked(self.path, self._check)
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
        if status.st_mode & OTHERS_READ:
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
