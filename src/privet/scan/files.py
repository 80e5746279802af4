"""The files that a plan has to read: pruned by partition, with partition values typed."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, reduce
from operator import and_

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pds
from pyarrow.fs import LocalFileSystem

from privet.connector import Connectors, ObjectInfo, Partitions
from privet.connector import data_files as listed_files
from privet.enforcement import EnforcedPlan
from privet.model.datasets import Column, Dataset
from privet.model.errors import InvalidRequest, NotFound, SchemaChanged, SourceUnavailable

_ASK_A_STEWARD = "try again; if it stays so, tell a data steward"
RECRAWL = "a data steward can crawl the path again and review what changed"


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """A file to read, and its partition columns' values by catalog name."""

    info: ObjectInfo
    partitions: Mapping[str, pa.Scalar]


def planned_files(plan: EnforcedPlan, connectors: Connectors) -> Iterator[PlannedFile]:
    """The files that may hold visible rows, in the source's order. Messages name no path.

    Partitions that cannot hold any are not even listed.

    Raises:
        SourceUnavailable: nothing is there any more, or it cannot be listed.
        SchemaChanged: folders are not those that were registered.
    """
    dataset = plan.dataset
    columns = {c.source_name: c for c in dataset.columns if c.partition}
    found = False

    def values(partitions: Partitions) -> dict[str, pa.Scalar]:
        return {columns[name].name: _typed(text, columns[name]) for name, text in partitions}

    @lru_cache(maxsize=64)
    def wanted(partitions: Partitions) -> bool:
        nonlocal found
        # What is passed over was there too: no dataset reads as vanished by who asks.
        found = True
        return may_hold(values(partitions), dataset, plan.hint)

    try:
        for file in listed_files(connectors, dataset.source, wanted):
            yield PlannedFile(file.info, values(file.partitions))
    except NotFound as error:
        raise _vanished() from error
    except (InvalidRequest, SourceUnavailable) as error:
        raise SourceUnavailable(
            "the files of this dataset cannot be listed", hint=_ASK_A_STEWARD
        ) from error
    except SchemaChanged as error:
        raise SchemaChanged(
            "the files of this dataset no longer lie in the folders it was registered with",
            hint=RECRAWL,
        ) from error
    if not found:
        raise _vanished()


@contextmanager
def opening() -> Generator[None]:
    """A connector's errors without the path that they name, which a reader may not know.

    Raises:
        SourceUnavailable: the file is gone, is no file any more, or refuses us.
    """
    try:
        yield
    except (NotFound, InvalidRequest, SourceUnavailable) as error:
        raise SourceUnavailable(
            "a file of this dataset cannot be opened", hint=_ASK_A_STEWARD
        ) from error


def _vanished() -> SourceUnavailable:
    return SourceUnavailable(
        "the source of this dataset has no data files any more",
        hint="a data steward can crawl the path again or drop the dataset",
    )


def _typed(text: str | None, column: Column) -> pa.Scalar:
    try:
        return pa.scalar(text, pa.string()).cast(column.type)
    except pa.ArrowInvalid as error:
        raise SchemaChanged("a partition folder has a name of another type") from error


def bound(plan: EnforcedPlan) -> list[Column]:
    """The columns that every file has to have: those that were reviewed, and those that are read.

    What nobody has reviewed may go as it came.
    """
    read = {c.name for c in plan.reads}
    columns = (c for c in plan.dataset.columns if c.reviewed or c.name in read)
    return [c for c in columns if not c.partition]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is known of a column of a file, where its cells are not NULL.

    Attributes:
        lowest: no cell is less; None if that is unknown.
        highest: no cell is more; None if that is unknown.
        nulls: whether there may be NULLs.
    """

    lowest: pa.Scalar | None
    highest: pa.Scalar | None
    nulls: bool = True

    def of(self, column: pc.Expression) -> pc.Expression | None:
        """The same as a condition; None if it says nothing."""
        parts = [
            *([] if self.lowest is None else [column >= self.lowest]),
            *([] if self.highest is None else [column <= self.highest]),
        ]
        if not parts:
            return None
        whole = reduce(and_, parts)
        return whole | column.is_null() if self.nulls else whole


def may_hold(
    partitions: Mapping[str, pa.Scalar],
    dataset: Dataset,
    hint: pc.Expression | None,
    bounds: Mapping[str, Bounds] | None = None,
) -> bool:
    """Whether files with these values may hold rows that a hint lets through; by catalog names."""
    if hint is None:
        return True
    sources = {c.name: pc.field(c.source_name) for c in dataset.columns}
    said = [sources[n] == v if v.is_valid else sources[n].is_null() for n, v in partitions.items()]
    said += [e for n, b in (bounds or {}).items() if (e := b.of(sources[n])) is not None]
    if not said:
        return True
    known = reduce(and_, said)
    schema = pa.schema([(c.source_name, c.type) for c in dataset.columns])
    # Arrow's own simplification of expressions decides; the fragment is never opened.
    kind, nowhere = pds.CsvFileFormat(), LocalFileSystem()
    fragment = kind.make_fragment("-", nowhere, partition_expression=known)
    listing = pds.FileSystemDataset([fragment], schema, kind, nowhere)
    return any(True for _ in listing.get_fragments(filter=hint))


def with_partitions(batch: pa.RecordBatch, file: PlannedFile, plan: EnforcedPlan) -> pa.RecordBatch:
    """A batch with its partition columns, in the order of the plan's reads."""
    arrays = [
        pa.repeat(file.partitions[c.name], batch.num_rows) if c.partition else batch.column(c.name)
        for c in plan.reads
    ]
    return pa.RecordBatch.from_arrays(arrays, names=[c.name for c in plan.reads])
