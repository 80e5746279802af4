"""The master key in a file that only its owner can read."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from privet.keys.base import MASTER_BYTES, read_key_text
from privet.model.errors import KeyUnavailable

_READ_LIMIT = 4096
_OTHERS = 0o077


class FileKeys:
    """Reads the key from a file of 32 raw bytes, 64 hexadecimal characters, or base64.

    The file is opened once and judged by what was opened, so that it cannot be exchanged between
    the look and the read.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)

    def __repr__(self) -> str:
        return f"FileKeys({str(self._path)!r})"

    @staticmethod
    def create(path: str | Path) -> FileKeys:
        """Write a new random key, readable by its owner only and durable on return.

        Raises:
            KeyUnavailable: something is there already, or it cannot be written.
        """
        path = Path(path)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError as error:
            raise KeyUnavailable(
                f"key file `{path}` exists already",
                hint="a new key makes every token made so far unreadable: move the old one first",
            ) from error
        except OSError as error:
            raise _unwritable(path, error) from error
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_hex(MASTER_BYTES).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
            _sync_folder(path.parent)
        except OSError as error:
            path.unlink(missing_ok=True)
            raise _unwritable(path, error) from error
        return FileKeys(path)

    def master(self) -> bytes:
        """The master key.

        Raises:
            KeyUnavailable: the file is missing, readable by others, or holds no key.
        """
        content = self._read()
        if len(content) != MASTER_BYTES:
            return read_key_text(content.decode("ascii", "replace"), f"key file `{self._path}`")
        if content.isascii() and content.decode().isprintable():
            # Half a key in hexadecimal has 32 characters too; random bytes never look like text.
            raise KeyUnavailable(
                f"key file `{self._path}` holds 32 characters of text, not a key of 32 bytes",
                hint="write 64 hexadecimal characters, or base64, of 32 random bytes",
            )
        return content

    def _read(self) -> bytes:
        try:
            # Non-blocking, so that a pipe in the file's place cannot hold up the start.
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise KeyUnavailable(
                f"key file `{self._path}` cannot be opened: {error.strerror}",
                hint="give the path of the key file, owned by the user that runs the server",
            ) from error
        try:
            self._check(os.fstat(descriptor))
            return os.read(descriptor, _READ_LIMIT)
        except OSError as error:
            raise KeyUnavailable(
                f"key file `{self._path}` cannot be read: {error.strerror}"
            ) from error
        finally:
            os.close(descriptor)

    def _check(self, status: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode):
            raise KeyUnavailable(f"key file `{self._path}` is not a regular file")
        if status.st_mode & _OTHERS:
            raise KeyUnavailable(
                f"key file `{self._path}` is open to others than its owner",
                hint=f"run chmod 600 {self._path}",
            )


def _sync_folder(folder: Path) -> None:
    """Make a new name in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unwritable(path: Path, error: OSError) -> KeyUnavailable:
    return KeyUnavailable(
        f"key file `{path}` cannot be written: {error.strerror}",
        hint="its folder must exist and be writable by the user that runs the server",
    )
