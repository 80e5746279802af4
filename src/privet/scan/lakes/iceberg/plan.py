"""Which data files of a snapshot have to be read, and which files of deletes are about each.

The library prunes manifests and files by partitions and statistics. Which deletes are about a data
file is worked out here: the library has no word for those by values.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from pyiceberg.expressions import AlwaysTrue, BooleanExpression
from pyiceberg.manifest import (
    DataFile,
    DataFileContent,
    ManifestContent,
    ManifestEntry,
    ManifestFile,
)
from pyiceberg.table import ManifestGroupPlanner
from pyiceberg.table.delete_file_index import DeleteFileIndex
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.transforms import VoidTransform
from pyiceberg.typedef import Record

from privet.scan.formats.opened import too_large
from privet.scan.lakes.iceberg.files import ConnectorIO

_MOST_FILES = 1 << 20
_FIRST = 0

Group = tuple[int, Record] | None
"""A partition of a spec; None is the whole table."""


@dataclass(frozen=True, slots=True)
class PlannedData:
    """A data file, and the files of deletes that are about it."""

    file: DataFile
    places: Sequence[DataFile]
    values: Sequence[DataFile]


def planned(
    metadata: TableMetadata,
    io: ConnectorIO,
    manifests: Sequence[ManifestFile],
    condition: BooleanExpression | None,
) -> Iterator[PlannedData]:
    """The data files that may hold rows for which a condition holds.

    Args:
        metadata: of the table; its current schema has the names that the condition has.
        io: opens manifests.
        manifests: of the snapshot.
        condition: over columns; None for all rows.

    Raises:
        ValueError, TypeError, KeyError: a manifest is broken.
        SourceInvalid: there are too many files.
    """
    data = [m for m in manifests if m.content == ManifestContent.DATA]
    deletes = [m for m in manifests if m.content == ManifestContent.DELETES]
    planner = ManifestGroupPlanner(metadata, io, condition or AlwaysTrue())
    entries = list(_bounded(planner.plan_manifest_entries(data)))
    if not entries:
        return
    # Of deletes nothing is left out: a row that they are about would come back.
    everything = ManifestGroupPlanner(metadata, io, options={"include_empty_files": "true"})
    index = _Deletes.of(metadata, _bounded(everything.plan_manifest_entries(deletes)))
    for entry in entries:
        if entry.data_file.content != DataFileContent.DATA:
            raise ValueError(entry.data_file.content)
        yield index.about(entry)


def _bounded(lists: Iterable[list[ManifestEntry]]) -> Iterator[ManifestEntry]:
    for count, entry in enumerate(chain.from_iterable(lists)):
        if count >= _MOST_FILES:
            raise too_large("the list of files")
        yield entry


@dataclass(slots=True)
class _ByValues:
    """Files of deletes by values, in the order of their sequence numbers."""

    numbers: list[int] = field(default_factory=list[int])
    files: list[DataFile] = field(default_factory=list[DataFile])

    def add(self, number: int, file: DataFile) -> None:
        at = bisect_left(self.numbers, number)
        self.numbers.insert(at, number)
        self.files.insert(at, file)

    def after(self, number: int) -> list[DataFile]:
        return self.files[bisect_right(self.numbers, number) :]


@dataclass(slots=True)
class _Deletes:
    """The files of deletes of a snapshot."""

    metadata: TableMetadata
    places: DeleteFileIndex = field(default_factory=DeleteFileIndex)
    values: dict[Group, _ByValues] = field(default_factory=dict[Group, _ByValues])

    @classmethod
    def of(cls, metadata: TableMetadata, entries: Iterable[ManifestEntry]) -> _Deletes:
        """From the entries of manifests of deletes."""
        found = cls(metadata)
        for entry in entries:
            file = entry.data_file
            if file.content == DataFileContent.POSITION_DELETES:
                found.places.add_delete_file(entry, partition_key=file.partition)
            elif file.content == DataFileContent.EQUALITY_DELETES:
                group = found._group(file)
                found.values.setdefault(group, _ByValues()).add(_number(entry), file)
            else:
                raise ValueError(file.content)
        return found

    def about(self, entry: ManifestEntry) -> PlannedData:
        """A data file with its deletes.

        Places count from the data file's own sequence number on; values only for files that were
        there before: what is written again stays.
        """
        file, number = entry.data_file, _number(entry)
        places = self.places.for_data_file(number, file, partition_key=file.partition)
        own, whole = self.values.get(_partition(file)), self.values.get(None)
        values = [
            *(own.after(number) if own else ()),
            *(whole.after(number) if whole else ()),
        ]
        return PlannedData(file, sorted(places, key=lambda f: f.file_path), values)

    def _group(self, file: DataFile) -> Group:
        """What deletes by values are about: a partition, or all if their spec makes none."""
        fields = self.metadata.specs()[file.spec_id or 0].fields
        whole = all(isinstance(each.transform, VoidTransform) for each in fields)
        return None if whole else _partition(file)


def _partition(file: DataFile) -> tuple[int, Record]:
    return (file.spec_id or 0, file.partition)


def _number(entry: ManifestEntry) -> int:
    return entry.sequence_number or _FIRST
