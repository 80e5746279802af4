"""Objects of a file system of Arrow, opened for reading; errors without what they hold."""

from __future__ import annotations

import pyarrow as pa
from pyarrow import fs

from privet.connector.base import source_errors


def open_object(filesystem: fs.FileSystem, path: str, uri: str) -> pa.NativeFile:
    """An object, to be read from anywhere; `uri` is what errors call it."""
    with source_errors(uri):
        return filesystem.open_input_file(path)


def stream_object(filesystem: fs.FileSystem, path: str, uri: str) -> pa.NativeFile:
    """An object, to be read from its beginning; `uri` is what errors call it."""
    with source_errors(uri):
        # Left to itself, pyarrow would decompress by the name's ending.
        return filesystem.open_input_stream(path, compression=None)
