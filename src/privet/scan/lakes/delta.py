"""Delta Lake: what its log says, read by `deltalake` from a copy of the log alone."""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from privet.connector import Connector
from privet.enforcement import EnforcedPlan
from privet.model.datasets import plain_type
from privet.model.errors import SourceInvalid
from privet.scan.files import RECRAWL, may_hold
from privet.scan.formats.opened import too_large
from privet.scan.lakes.base import not_read, within
from privet.scan.lakes.data_files import LakeFile, file_pieces
from privet.scan.lakes.delta_log import Vectors, copy_log
from privet.scan.lakes.delta_statistics import bounds_of
from privet.scan.lakes.delta_vectors import deleted_rows, path_in
from privet.scan.lakes.projection import Node
from privet.scan.lakes.vectors import MOST
from privet.scan.pieces import Piece

_READ = frozenset({"deletionVectors", "timestampNtz", "vacuumProtocolCheck", "appendOnly"})
"""Features of which a reader has to know that it reads them rightly."""


_BROKEN = (
    DeltaError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    RecursionError,
    pa.ArrowException,
)


class DeltaLake:
    """A Delta table as of one version."""

    field_ids = None
    """Tables whose columns have identifiers, by column mapping, are refused."""

    table_id = None

    def __init__(self, connectors: Connector, root: str, version: int | None) -> None:
        self._connectors = connectors
        self._root = root
        with tempfile.TemporaryDirectory(prefix="privet-delta-") as folder, _told():
            log = copy_log(connectors, root, Path(folder), version)
            table = DeltaTable(folder)
            _check_features(table)
            self.version = table.version()
            self.schema = _plain_schema(pa.schema(table.schema().to_arrow()))
            self._partitions = tuple(table.metadata().partition_columns)
            self._added: list[dict[str, Any]] = pa.table(table.get_add_actions()).to_pylist()
            self._vectors = log.vectors()
            _check_files(self._added, self._vectors)
        self._held = 0

    def pieces(self, names: Sequence[str], plan: EnforcedPlan | None) -> Iterator[Piece]:
        """See `LakeTable.pieces`."""
        nodes = [node_of(self.schema.field(name)) for name in names]
        for added in self._added:
            file = self._file(added)
            if plan is None or self._may_hold(file, added, plan):
                whole = self._without_deleted(file, added)
                yield from file_pieces(self._connectors, whole, nodes, lambda f: f.name, plan)

    def _file(self, added: Mapping[str, Any]) -> LakeFile:
        uri = within(self._connectors, self._root, f"{self._root}/{path_in(added['path'])}")
        values = added.get("partition") or {}
        constants = {
            name: _scalar(values.get(name), self.schema.field(name).type)
            for name in self._partitions
        }
        return LakeFile(uri, constants)

    def _without_deleted(self, file: LakeFile, added: Mapping[str, Any]) -> LakeFile:
        vector = self._vectors[added["path"]]
        if vector is None:
            return file
        deleted = deleted_rows(self._connectors, self._root, vector)
        self._held += len(deleted)
        if self._held > MOST:
            raise too_large("the list of deleted rows")
        return replace(file, deleted=deleted)

    def _may_hold(self, file: LakeFile, added: Mapping[str, Any], plan: EnforcedPlan) -> bool:
        """Whether a file may hold rows that a plan shows, by its partition and statistics."""
        if plan.hint is None:
            return True
        known = [c for c in plan.dataset.columns if c.source_name in self.schema.names]
        partitions = {
            c.name: file.constants[c.source_name] for c in known if c.source_name in file.constants
        }
        bounds = {
            c.name: found
            for c in known
            if c.source_name not in file.constants
            and (found := bounds_of(added, c.source_name, plain_type(c.type))) is not None
        }
        return may_hold(partitions, plan.dataset, plan.hint, bounds)


def node_of(field: pa.Field) -> Node:
    """A field by its name."""
    kind = field.type
    if pa.types.is_struct(kind):
        inside = tuple(node_of(f) for f in kind)
    elif pa.types.is_map(kind):
        inside = (node_of(kind.key_field), node_of(kind.item_field))
    elif pa.types.is_list(kind):
        inside = (node_of(kind.value_field),)
    else:
        inside = ()
    return Node(field.name, kind, field.name, inside)


def _check_files(added: Sequence[Mapping[str, Any]], vectors: Vectors) -> None:
    """See that library and vectors speak of the same files, each by one path."""
    names = [a["path"] for a in added]
    if len(names) != len(vectors) or set(names) != set(vectors):
        raise not_read("Delta", "files of which it is not known which rows are deleted")
    if len({path_in(name) for name in names}) != len(names):
        raise not_read("Delta", "a file by two paths")


def _plain_schema(schema: pa.Schema) -> pa.Schema:
    return pa.schema([(f.name, plain_type(f.type)) for f in schema])


def _scalar(value: Any, kind: pa.DataType) -> pa.Scalar:
    return pa.scalar(value, kind) if value is not None else pa.scalar(None, kind)


def _check_features(table: DeltaTable) -> None:
    """Refuse what would be read wrongly."""
    protocol = table.protocol()
    unknown = set(protocol.reader_features or ()) - _READ
    if unknown:
        raise not_read("Delta", f"the feature `{min(unknown)}`")
    mapping = table.metadata().configuration.get("delta.columnMapping.mode", "none")
    if mapping != "none":
        raise not_read("Delta", "columns under other names than those of its files")


@contextmanager
def _told() -> Generator[None]:
    """The library's errors as ours, without its words, which name paths and may hold values."""
    try:
        yield
    except _BROKEN as error:
        raise _unreadable() from error
    except BaseException as error:
        # What the library did not foresee comes as this, which is no Exception.
        if type(error).__name__ != "PanicException":
            raise
        raise _unreadable() from error


def _unreadable() -> SourceInvalid:
    return SourceInvalid("the log of a Delta table of this dataset cannot be read", hint=RECRAWL)
