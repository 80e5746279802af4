"""Iceberg: what its metadata says, read by `pyiceberg` with bytes that our connectors give."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pyarrow as pa
import pyarrow.types as pat
from pyiceberg.catalog.noop import NoopCatalog
from pyiceberg.exceptions import NoSuchTableError, ValidationError
from pyiceberg.manifest import DataFile, FileFormat, read_manifest_list
from pyiceberg.schema import Schema
from pyiceberg.table import StaticTable, Table
from pyiceberg.table.metadata import TableMetadataUtil
from pyiceberg.table.snapshots import Snapshot

from privet.connector import Connector, address_of
from privet.enforcement import EnforcedPlan
from privet.model.datasets import plain_type
from privet.model.errors import SourceInvalid
from privet.model.sources import FieldIds
from privet.scan.files import RECRAWL
from privet.scan.lakes.base import not_read, within
from privet.scan.lakes.data_files import LakeFile, file_pieces
from privet.scan.lakes.iceberg.deletes import Deletes
from privet.scan.lakes.iceberg.files import ConnectorFile, ConnectorIO, read_json
from privet.scan.lakes.iceberg.filters import as_iceberg
from privet.scan.lakes.iceberg.plan import PlannedData, planned
from privet.scan.lakes.iceberg.values import Tools, ValueDeletes
from privet.scan.lakes.projection import Node
from privet.scan.pieces import Piece

METADATA = "metadata"
_NUMBERED = re.compile(r"v?(\d+)(?:-[0-9a-f-]+)?(?:\.gz)?\.metadata\.json(?:\.gz)?")
_FIELD_ID = b"PARQUET:field_id"

_BROKEN = (
    ValueError, LookupError, TypeError, AttributeError, ArithmeticError, EOFError, OSError,
    NotImplementedError, NoSuchTableError, ValidationError, pa.ArrowException, RecursionError,
    AssertionError, MemoryError, SystemError, struct.error, zlib.error,
)  # fmt: skip
"""What the library ends with over metadata that are no metadata."""


class Iceberg:
    """An Iceberg table as of one snapshot."""

    def __init__(
        self, connector: Connector, root: str, version: int | None, metadata: str | None = None
    ) -> None:
        """Read its metadata.

        Args:
            connector: opens its files.
            root: the address of the table; no file of it lies elsewhere.
            version: the identifier of a snapshot; None for the newest.
            metadata: the address of the metadata that count; None for the newest by their name.

        Raises:
            SourceInvalid: they cannot be read, or hold what is not.
            NotFound, InvalidRequest, SourceUnavailable: they cannot be opened.
        """
        self._connector = connector
        self._root = root
        self._io = ConnectorIO(connector, root)
        with _told():
            self._table = _open(self._io, metadata or _newest(connector, root))
            self._snapshot = _snapshot(self._table, version)
            schema = self._read_schema = _schema(self._table, version)
            if any(getattr(f, "initial_default", None) is not None for f in schema.fields):
                raise not_read("Iceberg", "columns with values for files of before")
            self._fields: pa.Schema = schema.as_arrow()
            self.table_id: str | None = str(self._table.metadata.table_uuid)
        self.schema = pa.schema([(f.name, plain_type(f.type)) for f in self._fields])
        self.field_ids: FieldIds = _ids(_node(f) for f in self._fields)

    def pieces(self, names: Sequence[str], plan: EnforcedPlan | None) -> Iterator[Piece]:
        """See `LakeTable.pieces`."""
        if self._snapshot is None:
            return
        nodes = [_node(self._fields.field(name)) for name in names]
        metadata = self._table.metadata
        places = Deletes(self._connector, self._root)
        tools = Tools(_key_of, _node)
        values = ValueDeletes(self._connector, self._root, metadata, tools)
        with _told():
            files = list(self._planned(plan))
        for each in files:
            with _told():
                file = self._file(each, places, values)
            yield from file_pieces(self._connector, file, nodes, _key_of, None)

    def _planned(self, plan: EnforcedPlan | None) -> Iterator[PlannedData]:
        """The files that may hold rows that a plan shows, by partitions and statistics.

        What a plan's condition names of columns out of the reader's view, the policy names.
        """
        assert self._snapshot is not None
        condition = None if plan is None else as_iceberg(plan.condition, plan.dataset)
        # The list says which manifests there are. The library keeps them for the whole process by
        # their paths alone, and another table's list may say something else of this table's.
        manifests = list(read_manifest_list(self._io.new_input(self._snapshot.manifest_list)))
        # Names of columns are those of the schema that is read.
        metadata = self._table.metadata.model_copy(
            update={"current_schema_id": self._read_schema.schema_id}
        )
        return planned(metadata, self._io, manifests, condition)

    def _file(self, each: PlannedData, places: Deletes, values: ValueDeletes) -> LakeFile:
        _check_file(each.file)
        uri = within(self._connector, self._root, address_of(each.file.file_path))
        found = [places.of(file, each.file.file_path) for file in each.places]
        deleted = np.unique(np.concatenate(found)) if found else None
        return LakeFile(uri, {}, deleted, values.of(each.values))


def _check_file(file: DataFile) -> None:
    if file.file_format is not FileFormat.PARQUET:
        raise not_read("Iceberg", "data files that are not Parquet")
    if file.key_metadata:
        raise not_read("Iceberg", "encrypted data files")


def _key_of(field: pa.Field) -> int:
    found = (field.metadata or {}).get(_FIELD_ID)
    if found is None:
        raise not_read("Iceberg", "data files without identifiers of columns")
    return int(found)


def _node(field: pa.Field) -> Node:
    """A field by its identifier."""
    kind = field.type
    if pat.is_struct(kind):
        inside = tuple(_node(f) for f in kind)
    elif pat.is_map(kind):
        inside = (_node(kind.key_field), _node(kind.item_field))
    elif pat.is_list(kind) or pat.is_large_list(kind):
        inside = (_node(kind.value_field),)
    else:
        inside = ()
    return Node(field.name, plain_type(kind), _key_of(field), inside)


def _ids(nodes: Iterable[Node]) -> FieldIds:
    return {node.name: [node.key, _ids(node.inside)] for node in nodes}


def _newest(connector: Connector, root: str) -> str:
    """The address of the newest metadata, by the number in its name.

    Raises:
        SourceInvalid: there is none, or two have one number: only a catalog knows which counts.
    """
    folder = f"{root}/{METADATA}"
    found: dict[int, list[str]] = {}
    for info in connector.walk(folder):
        match = _NUMBERED.fullmatch(info.uri.removeprefix(f"{folder}/"))
        if match:
            found.setdefault(int(match[1]), []).append(info.uri)
    newest = found.get(max(found, default=-1), [])
    if len(newest) != 1:
        raise SourceInvalid(
            "it cannot be told which metadata of an Iceberg table of this dataset are the newest",
            hint="a folder of metadata with numbered names, and one newest, is needed",
        )
    return newest[0]


def location_in(connector: Connector, metadata: str) -> str:
    """See `privet.scan.lakes.table_root`."""
    with _told():
        text = read_json(ConnectorFile(connector, metadata))
        return TableMetadataUtil.parse_raw(text).location


def _open(io: ConnectorIO, location: str) -> Table:
    return StaticTable(
        identifier=("table",),
        metadata=TableMetadataUtil.parse_raw(read_json(io.new_input(location))),
        metadata_location=location,
        io=io,
        catalog=NoopCatalog("none"),
    )


def _snapshot(table: Table, version: int | None) -> Snapshot | None:
    found = table.current_snapshot() if version is None else table.snapshot_by_id(version)
    if found is None and version is not None:
        raise SourceInvalid(
            "an Iceberg table of this dataset does not have this snapshot",
            hint="snapshots go when they are expired",
        )
    return found


def _schema(table: Table, version: int | None) -> Schema:
    """The newest schema; of an older snapshot the one that it was written with."""
    if version is None:
        return table.schema()
    return table.scan(snapshot_id=version).projection()


@contextmanager
def _told() -> Generator[None]:
    """The library's errors as ours, without its words, which name paths and may hold values."""
    try:
        yield
    except _BROKEN as error:
        raise SourceInvalid(
            "the metadata of an Iceberg table of this dataset cannot be read, or hold what is not",
            hint=RECRAWL,
        ) from error
