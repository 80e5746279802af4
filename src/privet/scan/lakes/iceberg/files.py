"""The files of an Iceberg table for `pyiceberg`: below the table's address, and for reading."""

from __future__ import annotations

import zlib
from typing import Any

from pyiceberg.io import FileIO, InputFile, OutputFile

from privet.connector import Connector, address_of
from privet.model.errors import NotFound
from privet.scan.formats.avro.container import MAGIC as AVRO
from privet.scan.formats.avro.container import Container, NoAvro
from privet.scan.lakes.base import not_read, within

LARGEST = 256 * 1024 * 1024
_LARGEST_JSON = 64 * 1024 * 1024
_GZIP = b"\x1f\x8b"


class ConnectorFile(InputFile):
    """A file of metadata."""

    def __init__(self, connector: Connector, uri: str) -> None:
        super().__init__(uri)
        self._connector = connector

    def __len__(self) -> int:
        with self._connector.open_file(self.location) as native:
            return int(native.size())

    def exists(self) -> bool:
        """Whether it is there."""
        try:
            with self._connector.open_file(self.location):
                return True
        except NotFound:
            return False

    def open(self, seekable: bool = True) -> Any:
        """Open it, once it is known that none of it becomes more than fits."""
        del seekable
        native = self._connector.open_file(self.location)
        if native.size() > LARGEST:
            raise not_read("Iceberg", "metadata of more than 256 MiB")
        if native.read_at(len(AVRO), 0) == AVRO:
            try:
                container = Container(native)
                for block in container.blocks():
                    container.unpack(block)
            except NoAvro as error:
                raise ValueError from error
        native.seek(0)
        return native


def read_json(file: ConnectorFile) -> str:
    """The text of a file of metadata, unpacked if it is packed.

    Raises:
        SourceInvalid: it is more than fits.
        ValueError: it is broken.
    """
    with file.open() as native:
        content = native.read(_LARGEST_JSON + 1)
    if content.startswith(_GZIP):
        # Not by the library, which unpacks whatever it becomes.
        unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        try:
            content = unpacking.decompress(content, _LARGEST_JSON + 1)
        except zlib.error as error:
            raise ValueError from error
    if len(content) > _LARGEST_JSON:
        raise not_read("Iceberg", "a file of metadata of more than 64 MiB")
    return content.decode()


class ConnectorIO(FileIO):
    """Opens what lies below a table's address."""

    def __init__(self, connector: Connector, root: str) -> None:
        super().__init__()
        self._connector = connector
        self._root = root

    def new_input(self, location: str) -> ConnectorFile:
        """A file to read."""
        uri = within(self._connector, self._root, address_of(location))
        return ConnectorFile(self._connector, uri)

    def new_output(self, location: str) -> OutputFile:
        """Nothing is written."""
        raise PermissionError(location)

    def delete(self, location: str | InputFile | OutputFile) -> None:
        """Nothing is deleted."""
        raise PermissionError(str(location))
