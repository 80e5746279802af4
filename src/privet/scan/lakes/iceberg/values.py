"""Rows that an Iceberg table has deleted by their values: where columns equal those of a list.

NULL equals NULL here. A column that a data file does not have is NULL in all of its rows; one that
the table does not have any more still counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.manifest import DataFile, FileFormat
from pyiceberg.schema import Schema
from pyiceberg.table.metadata import TableMetadata

from privet.connector import Connector, address_of
from privet.scan.formats.opened import too_large
from privet.scan.lakes.base import not_read, within
from privet.scan.lakes.data_files import LakeFile, file_pieces
from privet.scan.lakes.projection import KeyOf, Node

MOST_BYTES, _MOST_ROWS = 256 << 20, 16 << 20
"""Bytes and rows of deleted values that are held for one scan."""
_MOST_LISTS = 10_000

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class DeletedValues:
    """Values whose rows are deleted.

    Attributes:
        nodes: the columns that are compared.
        known: of each column, the values that occur, each once.
        pairs: of each column after the first, the pairs that occur of a code of all before it, and
            the place of its own value, as one number each, ascending.
    """

    nodes: Sequence[Node]
    known: Sequence[pa.Array]
    pairs: Sequence[Codes]

    @classmethod
    def of(cls, nodes: Sequence[Node], columns: Sequence[pa.ChunkedArray]) -> DeletedValues:
        """From the columns of a list, in the order of the nodes."""
        known = [_distinct(column) for column in columns]
        pairs: list[Codes] = []
        codes = _places(columns[0], known[0])
        for column, values in zip(columns[1:], known[1:], strict=True):
            both = _pair(codes, _places(column, values), len(values))
            pairs.append(np.unique(both))
            codes = np.searchsorted(pairs[-1], both).astype(np.int64)
        return cls(nodes, known, pairs)

    def holds(self, columns: Sequence[pa.Array]) -> npt.NDArray[np.bool_]:
        """Of each row whether it is deleted; the columns are in the order of the nodes."""
        if not len(self.known[0]):
            return np.zeros(len(columns[0]), np.bool_)
        codes = _places(columns[0], self.known[0])
        for column, values, pairs in zip(columns[1:], self.known[1:], self.pairs, strict=True):
            other = _places(column, values)
            both = _pair(codes, other, len(values))
            at = np.minimum(np.searchsorted(pairs, both), len(pairs) - 1)
            there = (codes >= 0) & (other >= 0) & (pairs[at] == both)
            codes = np.where(there, at, -1).astype(np.int64)
        return codes >= 0


def _distinct(column: pa.ChunkedArray) -> pa.Array:
    """The values of a column, each once; ascending, with NULL at the end, where that finds them."""
    found = _whole(pc.unique(column))
    return found.take(pc.sort_indices(found)) if _is_searched(found.type) else found


def _places(column: pa.Array | pa.ChunkedArray, values: pa.Array) -> Codes:
    """Where each cell is among distinct values, NULL too; -1 if it is not."""
    cells = _whole(column)
    if not _is_searched(values.type):
        found = pc.index_in(cells, value_set=values, skip_nulls=False)
        return np.asarray(pc.fill_null(found, -1), np.int64)
    # A table of hashes would be made anew for each batch.
    known = values.slice(0, len(values) - values.null_count)
    places = np.full(len(cells), -1, np.int64)
    if len(known):
        at = pc.min_element_wise(
            pc.fill_null(pc.search_sorted(known, cells), 0), pa.scalar(len(known) - 1, pa.uint64())
        )
        same = pc.fill_null(pc.equal(known.take(at), cells), fill_value=False)
        places = np.where(np.asarray(same), np.asarray(at, np.int64), places)
    if values.null_count:
        places = np.where(np.asarray(cells.is_null()), len(known), places)
    return places


def _is_searched(kind: pa.DataType) -> bool:
    return not (pat.is_decimal(kind) or pat.is_fixed_size_binary(kind))


def _whole(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _pair(codes: Codes, others: Codes, count: int) -> Codes:
    # Both are below the most rows that are held: no product overflows.
    return codes * np.int64(count) + others


class ValueDeletes:
    """The files of deleted values of a table, each read once."""

    def __init__(
        self, connector: Connector, root: str, metadata: TableMetadata, tools: Tools
    ) -> None:
        self._connector = connector
        self._root = root
        self._metadata = metadata
        self._tools = tools
        self._read: dict[str, list[pa.ChunkedArray]] = {}
        self._rows = 0
        self._held = 0
        self._last: tuple[tuple[str, ...], list[DeletedValues]] = ((), [])

    def of(self, files: Sequence[DataFile]) -> list[DeletedValues]:
        """What files of deletes say together.

        Raises:
            SourceInvalid: they are broken, too large, or compare what is not compared here.
            SourceUnavailable: one cannot be read.
        """
        if len(files) > _MOST_LISTS:
            raise too_large("the list of deleted rows")
        asked = tuple(file.file_path for file in files)
        if self._last[0] != asked:
            # The files of a partition come one after the other, mostly with the same deletes.
            self._last = (asked, [self._together(group) for group in _by_columns(files).values()])
        return self._last[1]

    def _together(self, files: Sequence[DataFile]) -> DeletedValues:
        nodes = [self._node(number) for number in _columns_of(files[0])]
        parts = [self._columns(file, nodes) for file in files]
        columns = [
            pa.chunked_array(
                [chunk for part in parts for chunk in part[at].chunks], type=nodes[at].kind
            )
            for at in range(len(nodes))
        ]
        return DeletedValues.of(nodes, columns)

    def _columns(self, file: DataFile, nodes: Sequence[Node]) -> list[pa.ChunkedArray]:
        if file.file_format is not FileFormat.PARQUET or file.key_metadata:
            raise not_read("Iceberg", "deleted rows in files that are not Parquet, or encrypted")
        uri = within(self._connector, self._root, address_of(file.file_path))
        if uri not in self._read:
            self._read[uri] = self._load(uri, nodes)
        return self._read[uri]

    def _load(self, uri: str, nodes: Sequence[Node]) -> list[pa.ChunkedArray]:
        chunks: list[list[pa.Array]] = [[] for _ in nodes]
        for batch in self._batches(uri, nodes):
            self._rows += batch.num_rows
            self._held += batch.nbytes
            if self._rows > _MOST_ROWS or self._held > MOST_BYTES:
                raise too_large("the list of deleted rows")
            for at, column in enumerate(batch.columns):
                chunks[at].append(column)
        return [
            pa.chunked_array(parts, type=node.kind)
            for parts, node in zip(chunks, nodes, strict=True)
        ]

    def _batches(self, uri: str, nodes: Sequence[Node]) -> Iterator[pa.RecordBatch]:
        key_of = self._tools.key_of
        file = LakeFile(uri, required=True)
        for piece in file_pieces(self._connector, file, nodes, key_of, None):
            yield from piece.load()

    def _node(self, number: int) -> Node:
        """A column by its number, also one that the table does not have any more."""
        now = self._metadata.schema()
        older = sorted(self._metadata.schemas, key=lambda s: -s.schema_id)
        for schema in (now, *older):
            if (found := _field_of(schema, number)) is not None:
                node = self._tools.node_of(found)
                if node.inside or pat.is_floating(node.kind):
                    raise not_read("Iceberg", "rows that are deleted by floats or nested values")
                return node
        raise not_read("Iceberg", "rows that are deleted by columns that it never had")


@dataclass(frozen=True, slots=True)
class Tools:
    """How fields of Arrow are numbered, and become nodes."""

    key_of: KeyOf
    node_of: Callable[[pa.Field], Node]


def _field_of(schema: Schema, number: int) -> pa.Field | None:
    """A column of that number, as Arrow has it; not a field inside one."""
    for field in schema_to_pyarrow(schema):
        if int(field.metadata[b"PARQUET:field_id"]) == number:
            return field
    return None


def _by_columns(files: Sequence[DataFile]) -> Mapping[tuple[int, ...], list[DataFile]]:
    found: dict[tuple[int, ...], list[DataFile]] = {}
    for file in files:
        found.setdefault(_columns_of(file), []).append(file)
    return found


def _columns_of(file: DataFile) -> tuple[int, ...]:
    numbers = tuple(sorted(set(file.equality_ids or ())))
    if not numbers:
        raise not_read("Iceberg", "rows that are deleted by no columns")
    return numbers
