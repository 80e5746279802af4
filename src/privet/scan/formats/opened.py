"""Files that say themselves what they hold, whichever format they are in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Protocol

import pyarrow as pa
import pyarrow.types as pat

from privet.connector import Connectors
from privet.enforcement import EnforcedPlan
from privet.model.datasets import Column, Format, plain_type
from privet.model.errors import SourceInvalid
from privet.scan.files import PlannedFile, opening
from privet.scan.formats.binding import check_schema, finish, told
from privet.scan.pieces import Piece

_DEPTH = 32


class Opened(Protocol):
    """A file of which the schema was read."""

    @property
    def schema(self) -> pa.Schema:
        """Of all columns, in the file's own types."""
        ...

    def pieces(self, names: Sequence[str]) -> Iterator[Piece]:
        """The rows in order, with the columns of these names, in this order.

        Raises:
            SourceInvalid, OSError, pa.ArrowException: it is not what it seemed to be.
        """
        ...


Open = Callable[[pa.NativeFile], Opened]


def _avro(native: pa.NativeFile) -> Opened:
    from privet.scan.formats.avro.source import AvroFile

    return AvroFile(native)


def _orc(native: pa.NativeFile) -> Opened:
    from privet.scan.formats.orc import OrcFile

    return OrcFile(native)


def _arrow(native: pa.NativeFile) -> Opened:
    from privet.scan.formats.arrow_ipc import ArrowFile

    return ArrowFile(native)


OPENERS: Mapping[Format, tuple[str, Open]] = {
    Format.AVRO: ("Avro", _avro),
    Format.ORC: ("ORC", _orc),
    Format.ARROW: ("Arrow IPC", _arrow),
}
"""What each format is called, and how a file of it is opened; its library is loaded by that."""


def opened_pieces(file: PlannedFile, plan: EnforcedPlan, connectors: Connectors) -> Iterator[Piece]:
    """The pieces of one file that says itself what it holds.

    Raises:
        SchemaChanged: a registered column is gone or has another type.
        SourceInvalid: the content is not of the registered format.
        SourceUnavailable: the file cannot be read to its end.
    """
    name, open_ = OPENERS[plan.dataset.source.format]
    columns = tuple(c for c in plan.reads if not c.partition)
    with opening():
        native = connectors.open_file(file.info.uri)
    with told(name):
        opened = open_(native)
        check_schema(opened.schema, plan)
        for piece in opened.pieces([c.source_name for c in columns]):
            load = partial(_load, name, piece, columns, file, plan)
            yield Piece(piece.size, load)


def _load(
    name: str, piece: Piece, columns: Sequence[Column], file: PlannedFile, plan: EnforcedPlan
) -> Iterator[pa.RecordBatch]:
    with told(name):
        for batch in piece.load():
            yield finish(batch, columns, file, plan)


def governable(kind: pa.DataType, depth: int = 0) -> bool:
    """Whether columns of a type can be governed: whether the plain one is one that leaves."""
    kind = plain_type(kind) if not depth else kind
    if depth > _DEPTH:
        return False
    if pat.is_struct(kind):
        names = [f.name for f in kind]
        distinct = 0 < len(names) == len(set(names))
        return distinct and all(governable(f.type, depth + 1) for f in kind)
    if pat.is_list(kind):
        return governable(kind.value_type, depth + 1)
    if pat.is_map(kind):
        return governable(kind.key_type, depth + 1) and governable(kind.item_type, depth + 1)
    return (
        (pat.is_primitive(kind) and not pat.is_interval(kind))
        or pat.is_decimal128(kind)
        or pat.is_decimal256(kind)
        or pat.is_string(kind)
        or pat.is_binary(kind)
        or pat.is_fixed_size_binary(kind)
        or pat.is_null(kind)
    )


def rows_only(rows: int) -> pa.RecordBatch:
    """Rows without a column."""
    return pa.RecordBatch.from_struct_array(pa.array([{}] * rows, pa.struct([])))


def too_large(what: str) -> SourceInvalid:
    """A part of a file that does not fit into memory."""
    return SourceInvalid(
        f"{what} of a file of this dataset is more than can be held",
        hint="a data steward can have it written in smaller parts",
    )
