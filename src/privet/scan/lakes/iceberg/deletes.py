"""Which rows of data files an Iceberg table no longer has, from files that list their places."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyiceberg.manifest import DataFile, FileFormat
from pyiceberg.table.puffin import PuffinBlobMetadata, PuffinFile

from privet.connector import Connector, address_of
from privet.model.errors import SourceInvalid
from privet.scan.files import RECRAWL, opening
from privet.scan.formats.binding import told
from privet.scan.formats.opened import too_large
from privet.scan.lakes.base import not_read, within
from privet.scan.lakes.data_files import Positions
from privet.scan.lakes.iceberg.files import LARGEST
from privet.scan.lakes.vectors import FRAME, MOST, framed

_VECTOR = "deletion-vector-v1"


class Deletes:
    """The files of deleted places of a table, each read once."""

    def __init__(self, connector: Connector, root: str) -> None:
        self._connector = connector
        self._root = root
        self._known: dict[str, dict[str, Positions]] = {}
        self._held = 0

    def of(self, file: DataFile, path: str) -> Positions:
        """The places in a data file that a file of deletes lists.

        Args:
            file: of deletes.
            path: of the data file, as the table spells it.
        """
        uri = within(self._connector, self._root, address_of(file.file_path))
        if uri not in self._known:
            found = self._read(file, uri)
            self._held += sum(map(len, found.values()))
            if self._held > MOST:
                raise too_large("the list of deleted rows")
            self._known[uri] = found
        return self._known[uri].get(path, np.array([], np.int64))

    def _read(self, file: DataFile, uri: str) -> dict[str, Positions]:
        with told("Iceberg"):
            with opening():
                native = self._connector.open_file(uri)
            if file.file_format is FileFormat.PARQUET:
                return _of_parquet(native)
            if file.file_format is FileFormat.PUFFIN:
                return _of_puffin(native)
        raise not_read("Iceberg", "deleted rows in files that are neither Parquet nor Puffin")


def _of_parquet(native: pa.NativeFile) -> dict[str, Positions]:
    found: dict[str, list[Positions]] = {}
    rows = 0
    reader = pq.ParquetFile(native, read_dictionary=["file_path"], pre_buffer=False)
    for batch in reader.iter_batches(columns=["file_path", "pos"]):
        rows += batch.num_rows
        if rows > MOST:
            raise too_large("the list of deleted rows")
        paths, places = batch.column("file_path"), batch.column("pos")
        for path in pc.unique(paths).to_pylist():
            chosen = places.filter(pc.equal(paths.cast(pa.string()), path))
            found.setdefault(path, []).append(np.asarray(chosen, np.int64))
    return {path: np.concatenate(parts) for path, parts in found.items()}


def _of_puffin(native: pa.NativeFile) -> dict[str, Positions]:
    if native.size() > LARGEST:
        raise too_large("the list of deleted rows")
    try:
        return _vectors(native.read())
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise SourceInvalid(
            "deleted rows of an Iceberg table of this dataset cannot be read", hint=RECRAWL
        ) from error


def _vectors(content: bytes) -> dict[str, Positions]:
    found: dict[str, Positions] = {}
    held = 0
    # The footer alone is the library's: it would unpack and decode vectors without bounds.
    for blob in PuffinFile(content).footer.blobs:
        path, places = blob.properties["referenced-data-file"], _vector(content, blob)
        held += len(places)
        if held > MOST:
            raise too_large("the list of deleted rows")
        if path in found:
            raise ValueError(path)
        found[path] = places
    return found


def _vector(content: bytes, blob: PuffinBlobMetadata) -> Positions:
    """The places of one vector in a file of Puffin."""
    if blob.type != _VECTOR or blob.compression_codec is not None:
        raise not_read("Iceberg", "deleted rows in vectors of another form")
    if blob.offset < 0 or blob.length < FRAME:
        raise ValueError(blob.offset)
    data = content[blob.offset : blob.offset + blob.length]
    return framed(data, blob.length - FRAME, int(blob.properties["cardinality"]))
