"""A Parquet file of a table as pieces: its own columns, constants, and without deleted rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from privet.connector import Connector
from privet.enforcement import EnforcedPlan
from privet.model.errors import SourceInvalid
from privet.scan.files import RECRAWL, opening
from privet.scan.formats.binding import told
from privet.scan.formats.opened import rows_only
from privet.scan.lakes.projection import Key, KeyOf, Node, project
from privet.scan.lakes.vectors import check_rows
from privet.scan.parquet_source import OpenedParquet, RowPlace, pieces_of, row_groups
from privet.scan.pieces import Piece

Positions = npt.NDArray[np.int64]


class Values(Protocol):
    """Values of some columns whose rows are deleted."""

    @property
    def nodes(self) -> Sequence[Node]:
        """The columns."""
        ...

    def holds(self, columns: Sequence[pa.Array]) -> npt.NDArray[np.bool_]:
        """Of each row of these columns whether it is deleted."""
        ...


@dataclass(frozen=True, slots=True)
class LakeFile:
    """A data file.

    Attributes:
        uri: canonical.
        constants: columns that it does not hold, by name.
        deleted: the places of rows that are no longer the table's, ascending.
        values: what rows are no longer the table's that hold them.
        required: whether it has to hold every column that is read.
    """

    uri: str
    constants: Mapping[str, pa.Scalar] = field(default_factory=dict[str, pa.Scalar])
    deleted: Positions | None = None
    values: Sequence[Values] = ()
    required: bool = False


def file_pieces(
    connectors: Connector,
    file: LakeFile,
    nodes: Sequence[Node],
    key_of: KeyOf,
    plan: EnforcedPlan | None,
) -> Iterator[Piece]:
    """The rows of a data file, with these columns.

    Raises:
        SchemaChanged: a column is of a type that does not become the table's.
        SourceInvalid, SourceUnavailable: it is broken, cannot be read, or has not the rows deleted.
    """
    with told("Parquet"):
        with opening():
            native = connectors.open_file(file.uri)
        probe = pq.ParquetFile(native, pre_buffer=False)
        if file.deleted is not None:
            check_rows(file.deleted, probe.metadata.num_rows)
        there = {key_of(f): f for f in probe.schema_arrow}
        compared = [node for values in file.values for node in values.nodes]
        held = {
            node.key: there[node.key] for node in (*nodes, *compared) if _is_held(node, file, there)
        }
        if file.required and not held.keys() >= {node.key for node in nodes}:
            raise _lacks()
        finish = _Finish(file, nodes, held, key_of, probe.metadata)
        names = [f.name for f in held.values()]
        opened = OpenedParquet(native, probe.metadata, (), names, finish)
        same = all(f.name == key for key, f in there.items())
        if plan is not None and same:
            groups = row_groups(opened, plan)
        else:
            # Statistics go by names, and these may once have been another column's.
            groups = list(range(probe.metadata.num_row_groups))
    yield from pieces_of(opened, groups)


def _is_held(node: Node, file: LakeFile, there: Mapping[Key | None, pa.Field]) -> bool:
    return node.name not in file.constants and node.key in there


@dataclass(frozen=True, slots=True)
class _Finish:
    """A batch of a file as one of the table."""

    file: LakeFile
    nodes: Sequence[Node]
    held: Mapping[Key, pa.Field]
    key_of: KeyOf
    metadata: pq.FileMetaData

    def __call__(self, batch: pa.RecordBatch, place: RowPlace) -> pa.RecordBatch:
        kept = self._kept(batch, place)
        if not self.nodes:
            return rows_only(batch.num_rows if kept is None else int(kept.sum()))
        arrays = [self._column(batch, node) for node in self.nodes]
        made = pa.RecordBatch.from_arrays(arrays, names=[node.name for node in self.nodes])
        if kept is None or kept.all():
            return made
        return made.take(pa.array(np.flatnonzero(kept)))

    def _column(self, batch: pa.RecordBatch, node: Node) -> pa.Array:
        constant = self.file.constants.get(node.name)
        if constant is not None:
            return pa.repeat(constant, batch.num_rows)
        there = self.held.get(node.key)
        if there is None:
            return pa.nulls(batch.num_rows, node.kind)
        return project(batch.column(there.name), node, self.key_of)

    def _kept(self, batch: pa.RecordBatch, place: RowPlace) -> npt.NDArray[np.bool_] | None:
        """Which rows are still the table's; None for all."""
        kept: npt.NDArray[np.bool_] | None = None
        deleted = self.file.deleted
        if deleted is not None and len(deleted):
            positions = place.positions(self.metadata, batch.num_rows)
            kept = ~np.isin(positions, deleted, assume_unique=True)
        for values in self.file.values:
            gone = values.holds([self._column(batch, node) for node in values.nodes])
            kept = ~gone if kept is None else kept & ~gone
        return kept


def _lacks() -> SourceInvalid:
    return SourceInvalid(
        "a list of deleted rows of this dataset lacks a column that it is about", hint=RECRAWL
    )
