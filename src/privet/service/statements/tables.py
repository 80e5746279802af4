"""Statements about tables, and about what tables and views have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from privet.model.errors import InvalidRequest, NotFound
from privet.policy import definitions as d
from privet.service.datasets import Datasets
from privet.service.definitions import Tables
from privet.service.platform import Caller
from privet.service.statements.results import Handler, StatementResult, done, table
from privet.service.tags import Tags


class TableStatements:
    """Making, changing and dropping tables."""

    def __init__(self, tables: Tables, tags: Tags, datasets: Datasets) -> None:
        self._tables = tables
        self._tags = tags
        self._datasets = datasets

    def handlers(self) -> Mapping[type, Handler]:
        """By the type of the statement."""
        return {
            d.CreateTable: self._create,
            d.DropDataset: self._drop,
            d.TagDataset: self._tag,
            d.Autotag: self._autotag,
            d.Rename: self._rename,
            d.SetProperties: self._set_properties,
            d.SetReading: self._set_reading,
            d.SetLocation: self._set_location,
            d.ReplaceColumns: self._replace_columns,
            d.AlterPartitions: self._partitions,
        }

    def _create(self, caller: Caller, statement: d.CreateTable) -> StatementResult:
        made = self._tables.create(caller, statement)
        if made is None:
            return StatementResult("create", "nothing to do")
        return StatementResult("create", "done", warnings=made.notes)

    def _drop(self, caller: Caller, statement: d.DropDataset) -> StatementResult:
        return done(
            "drop",
            statement.if_exists,
            NotFound,
            lambda: self._tables.drop(
                caller,
                statement.dataset,
                view=statement.view,
                permissions=statement.permissions,
            ),
        )

    def _tag(self, caller: Caller, statement: d.TagDataset) -> StatementResult:
        change = self._tags.assign if statement.add else self._tags.unassign
        change(caller, statement.dataset, statement.path, statement.tag)
        return StatementResult("alter", "done")

    def _autotag(self, caller: Caller, statement: d.Autotag) -> StatementResult:
        if statement.dataset is None:
            tagged = self._tables.autotag_all(caller)
            return replace(
                table(
                    "dataset",
                    "column",
                    "attribute",
                    rows=[
                        (str(name), ".".join(t.path), str(t.tag))
                        for name, tags in tagged.tags.items()
                        for t in tags
                    ],
                ),
                warnings=tagged.notes,
            )
        fresh = self._tables.autotag(caller, statement.dataset)
        rows = [(".".join(t.path), str(t.tag)) for t in fresh]
        return table("column", "attribute", rows=rows)

    def _rename(self, caller: Caller, statement: d.Rename) -> StatementResult:
        self._tables.rename(caller, statement.dataset, statement.to)
        return StatementResult(
            "alter", "done", warnings=("views over the old name no longer read it",)
        )

    def _set_properties(self, caller: Caller, statement: d.SetProperties) -> StatementResult:
        self._tables.set_properties(caller, statement.dataset, statement.properties)
        return StatementResult("alter", "done")

    def _set_reading(self, caller: Caller, statement: d.SetReading) -> StatementResult:
        self._tables.set_reading(caller, statement)
        return StatementResult("alter", "done")

    def _set_location(self, caller: Caller, statement: d.SetLocation) -> StatementResult:
        self._datasets.get(caller, statement.dataset)
        raise InvalidRequest(
            "SET LOCATION is not supported: other files are another table, to be reviewed anew",
            hint="drop the table, whose permissions stay, and create it at the other location",
        )

    def _replace_columns(self, caller: Caller, statement: d.ReplaceColumns) -> StatementResult:
        made = self._tables.replace_columns(caller, statement)
        return StatementResult("alter", "done", warnings=made.notes)

    def _partitions(self, caller: Caller, statement: d.AlterPartitions) -> StatementResult:
        self._datasets.get(caller, statement.dataset)
        if statement.verb == "RECOVER":
            return StatementResult(
                "alter", "nothing to do: partitions are found in their folders at each scan"
            )
        raise InvalidRequest(
            f"{statement.verb} PARTITION is not supported: partitions are the folders named "
            "column=value that a scan finds at the table's location",
            hint="add or remove the folder itself",
        )
