"""Tables as files of the server's own, that no door gives and only its user reads."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from privet.model.errors import SourceUnavailable

_OWNER_ONLY = 0o600
_FOLDER = 0o700


def write_private(table: pa.Table, folder: Path, name: str) -> Path:
    """Write a table as Parquet, whole or not at all, and durable on return.

    Raises:
        SourceUnavailable: the folder cannot be made or written to.
    """
    target, partial = folder / name, folder / f".{secrets.token_hex(8)}"
    try:
        folder.mkdir(mode=_FOLDER, parents=True, exist_ok=True)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
        with os.fdopen(descriptor, "wb") as file:
            pq.write_table(table, file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise SourceUnavailable(
            f"a file could not be written: {error.strerror}",
            hint="its folder must be one that the server may write to, with space left",
        ) from error
    return target
