"""Statements that say of a dataset what it is: to a reader, what a scan would show of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import pyarrow as pa

from privet.connector import data_files
from privet.model.datasets import Column
from privet.model.errors import Forbidden, InvalidRequest
from privet.model.requests import ScanRequest
from privet.policy import shows, type_sql
from privet.service.datasets import Datasets, DatasetView
from privet.service.definitions import create_sql
from privet.service.definitions.tables import check_kind
from privet.service.platform import Caller, Platform
from privet.service.scans import Scans
from privet.service.statements.results import Handler, Row, StatementResult, table


class DescribingStatements:
    """DESCRIBE, SHOW CREATE and SHOW PARTITIONS."""

    def __init__(self, platform: Platform, datasets: Datasets, scans: Scans) -> None:
        self._platform = platform
        self._datasets = datasets
        self._scans = scans

    def handlers(self) -> Mapping[type, Handler]:
        """By the type of the statement."""
        return {
            shows.Describe: self._describe,
            shows.ShowCreate: self._show_create,
            shows.ShowPartitions: self._show_partitions,
        }

    def _describe(self, caller: Caller, statement: shows.Describe) -> StatementResult:
        view = self._datasets.get(caller, statement.dataset)
        if statement.formatted:
            return table("item", "name", "value", rows=_formatted(view))
        rows = [(c.name, type_sql(c.type), c.comment, _tags(c)) for c in _columns(view)]
        return table("name", "type", "comment", "attributes", rows=rows)

    def _show_create(self, caller: Caller, statement: shows.ShowCreate) -> StatementResult:
        view = self._datasets.get(caller, statement.dataset)
        if not view.full:
            raise Forbidden(
                f"this needs VIEW_COMPLETE_METADATA on TABLE {statement.dataset}",
                hint="DESCRIBE shows what you see of it",
            )
        check_kind(view.dataset, view=statement.view)
        return table("statement", rows=[(create_sql(view.dataset),)])

    def _show_partitions(self, caller: Caller, statement: shows.ShowPartitions) -> StatementResult:
        view = self._datasets.get(caller, statement.dataset)
        folders = [c for c in _columns(view) if c.partition]
        if not folders:
            raise InvalidRequest(
                f"`{statement.dataset}` is not partitioned",
                hint="partitions are folders named column=value at the location of a table",
            )
        if view.full:
            return self._folders(view, folders)
        return self._scanned(caller, statement, [c.name for c in folders])

    def _folders(self, view: DatasetView, folders: list[Column]) -> StatementResult:
        files, sizes = Counter[Row](), Counter[Row]()
        for file in data_files(self._platform.connectors, view.dataset.source):
            values = tuple("" if value is None else value for _, value in file.partitions)
            files[values] += 1
            sizes[values] += file.info.size
        rows = ((*v, str(files[v]), str(sizes[v])) for v in sorted(files))
        return table(*(c.name for c in folders), "files", "bytes", rows=rows)

    def _scanned(
        self, caller: Caller, statement: shows.ShowPartitions, names: list[str]
    ) -> StatementResult:
        """The partitions of the rows that the reader sees, as the reader sees their values."""
        request = ScanRequest(statement.dataset, columns=tuple(names))
        seen: set[Row] = set()
        with self._scans.open(caller, request) as stream:
            for batch in stream:
                distinct = pa.Table.from_batches([batch]).group_by(names).aggregate([])
                columns = [distinct.column(name).to_pylist() for name in names]
                seen |= {
                    tuple("" if v is None else str(v) for v in row)
                    for row in zip(*columns, strict=True)
                }
        return table(*names, rows=sorted(seen))


def _columns(view: DatasetView) -> tuple[Column, ...]:
    if view.full:
        return view.dataset.columns
    return tuple(decided.column for decided in view.decision.visible)


def _tags(column: Column) -> str:
    return " ".join(sorted(map(str, column.tags | column.inner_tags)))


def _formatted(view: DatasetView) -> Iterator[Row]:
    dataset = view.dataset
    for column in _columns(view):
        yield "column", column.name, type_sql(column.type)
    for column in _columns(view):
        for tag in sorted(column.field_tags, key=lambda t: (t.path, t.tag)):
            yield "column attribute", ".".join(tag.path), str(tag.tag)
    for tag in sorted(dataset.tags):
        yield "table attribute", dataset.name.name, str(tag)
    yield "table", "comment", dataset.description
    yield "table", "kind", "table" if dataset.view is None else "view"
    if view.full:
        yield from _whole(view)


def _whole(view: DatasetView) -> Iterator[Row]:
    """What is for those who administer it: a path, or the text of a view, may tell a lot."""
    dataset = view.dataset
    yield "table", "owner", dataset.owner
    yield "table", "created at", dataset.created_at.isoformat() if dataset.created_at else ""
    if dataset.view is not None:
        yield "view", "text", dataset.view.text
    else:
        yield "storage", "format", dataset.source.format.value
        yield "storage", "location", dataset.source.uri
        yield "storage", "partitions", ", ".join(dataset.source.partitions)
    for column in dataset.columns:
        if not column.reviewed:
            yield "unreviewed column", column.name, str(column.type)
    for name, value in sorted(dataset.properties.items()):
        yield "property", name, value
