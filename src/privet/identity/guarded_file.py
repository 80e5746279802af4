"""Files that somebody may have put something else in the place of."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

OTHERS_READ = 0o077
OTHERS_WRITE = 0o022

Stamp = tuple[int, ...]
"""Equal as long as the file is the same one, unchanged, with the same mode."""


class Unsafe(ValueError):
    """A file that others could have written or read, or that is no usual file; says why."""


def stamp_of(status: os.stat_result) -> Stamp:
    """What to compare in order to see a change."""
    return (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size, status.st_mode)


def read_checked(path: Path, check: Callable[[os.stat_result], None]) -> tuple[bytes, Stamp]:
    """The content and the stamp that belongs to it; `check` raises before anything is read.

    Raises:
        OSError: the file cannot be read.
    """
    # O_NONBLOCK: a pipe in the file's place must be refused, not waited for.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        check(status)
        return file.read(), stamp_of(status)


def check_guarded(status: os.stat_result, *, forbidden: int, most: int) -> None:
    """Check that a file is the server's own, or root's, and not too large.

    Args:
        status: of the open file.
        forbidden: the bits of the mode that others must not have.
        most: the bytes it may have.

    Raises:
        Unsafe: it is not.
    """
    if not stat.S_ISREG(status.st_mode) or status.st_size > most:
        raise Unsafe(f"it is not a regular file of at most {most} bytes")
    if status.st_uid not in {0, os.geteuid()}:
        raise Unsafe("it belongs to somebody else")
    if status.st_mode & forbidden:
        raise Unsafe(f"others have rights to it that they must not have (mode & 0{forbidden:o})")
