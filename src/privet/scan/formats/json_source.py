"""JSON lines as pieces: an object a line, bound by the names of its fields, parsed in parallel."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pyarrow as pa
import pyarrow.json as pajson
import pyarrow.types as pat

from privet.connector import Connectors
from privet.enforcement import EnforcedPlan
from privet.model.datasets import Column, plain_type
from privet.model.errors import SourceInvalid
from privet.scan.csv_blocks import Block, Blocks
from privet.scan.files import RECRAWL, PlannedFile, with_partitions
from privet.scan.formats.json_rows import Misfit, NoJson, objects, read_objects
from privet.scan.pieces import Piece

_TIMES = 4
"""How much more than its text a block may be in Arrow and on the way there."""


def json_pieces(file: PlannedFile, plan: EnforcedPlan, connectors: Connectors) -> Iterator[Piece]:
    """The pieces of one file of JSON lines.

    Raises:
        SourceInvalid: the content is not JSON lines, or a line is longer than can be read.
        SourceUnavailable: the file cannot be read to its end.
    """
    options = plan.dataset.source.options
    blocks = Blocks(connectors, file, {**options, "quote": "", "escape": ""})
    parser = _Parser(plan, file)
    while block := blocks.next():
        yield Piece(_TIMES * len(block), partial(parser.parse, block))


class _Parser:
    """Blocks of lines to raw batches."""

    def __init__(self, plan: EnforcedPlan, file: PlannedFile) -> None:
        self._plan = plan
        self._file = file
        self._columns = tuple(c for c in plan.reads if not c.partition)
        self._wanted = [(c.source_name, plain_type(c.type)) for c in self._columns]
        self._options = pajson.ParseOptions(
            explicit_schema=pa.schema(self._wanted), unexpected_field_behavior="ignore"
        )
        # Once a block needed it, others are likely to.
        self._one_by_one = not all(_is_plain(kind) for _, kind in self._wanted)

    def parse(self, block: Block) -> list[pa.RecordBatch]:
        """One block of whole lines."""
        data = block.join()
        try:
            text = data.decode()
        except UnicodeError as error:
            raise _no_json() from error
        if not self._one_by_one:
            try:
                return self._together(data)
            except pa.ArrowException:
                batches = self._each(text)
                self._one_by_one = True
                return batches
        return self._each(text)

    def _together(self, data: bytes) -> list[pa.RecordBatch]:
        table = pajson.read_json(
            pa.BufferReader(data),
            read_options=pajson.ReadOptions(use_threads=False, block_size=len(data) + 1),
            parse_options=self._options,
        )
        return [self._finish(b.num_rows, b.columns) for b in table.to_batches()]

    def _each(self, text: str) -> list[pa.RecordBatch]:
        try:
            found = list(objects(text))
            return [self._finish(len(found), read_objects(found, self._wanted))]
        except NoJson as error:
            raise _no_json() from error
        except Misfit as misfit:
            raise self._told(self._columns[misfit.place]) from None

    def _finish(self, rows: int, arrays: list[pa.Array]) -> pa.RecordBatch:
        if not arrays:
            none = pa.RecordBatch.from_struct_array(pa.array([{}] * rows, pa.struct([])))
            return with_partitions(none, self._file, self._plan)
        batch = pa.RecordBatch.from_arrays(arrays, names=[c.name for c in self._columns])
        return with_partitions(batch, self._file, self._plan)

    def _told(self, column: Column) -> SourceInvalid:
        # A filter may read a column that the reader does not see.
        if column.name not in self._plan.schema.names:
            return SourceInvalid(
                "a value of this dataset is not of its registered type", hint=RECRAWL
            )
        return SourceInvalid(f"a value of column `{column.name}` is no {column.type}", hint=RECRAWL)


def _no_json() -> SourceInvalid:
    return SourceInvalid(
        "a file of this dataset is not JSON with an object a line",
        hint="a data steward can mend the file, or crawl the path again",
    )


def _is_plain(kind: pa.DataType) -> bool:
    """Whether Arrow's own reader reads a type, and as is said here."""
    if pat.is_struct(kind):
        return all(_is_plain(f.type) for f in kind)
    if pat.is_list(kind):
        return _is_plain(kind.value_type)
    return (
        pat.is_string(kind)
        or pat.is_integer(kind)
        or pat.is_boolean(kind)
        or kind in {pa.float32(), pa.float64()}
        or pat.is_decimal128(kind)
    )
