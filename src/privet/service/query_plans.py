"""What EXPLAIN says: datasets, columns and how they are seen; no file, no count, no estimate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from privet.model.decisions import CellOption, ColumnDecision, Decision, TransformUse, Verdict
from privet.model.names import DatasetName, paths_text
from privet.model.transforms import get_spec, steps
from privet.query import Explained

EXPLAIN_SCHEMA = pa.schema([pa.field("explain", pa.string())])


@dataclass(frozen=True, slots=True)
class DatasetRead:
    """How one dataset is read: each column with how its cells are seen, and the conditions."""

    dataset: DatasetName
    columns: tuple[tuple[str, str], ...]
    conditions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QueryExplained:
    """What a statement would read."""

    reads: tuple[DatasetRead, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "datasets": [
                {
                    "dataset": str(read.dataset),
                    "columns": [{"name": n, "seen": seen} for n, seen in read.columns],
                    "conditions": list(read.conditions),
                }
                for read in self.reads
            ]
        }

    def lines(self) -> list[str]:
        """As a person reads it."""
        if not self.reads:
            return ["reads no dataset"]
        said: list[str] = []
        for read in self.reads:
            said.append(f"reads {read.dataset}")
            said += [f"  column {name}: {seen}" for name, seen in read.columns]
            said += [f"  only rows where {condition}" for condition in read.conditions]
        return [*said, "the rest is computed in a sandbox, over what is read"]

    def to_table(self) -> pa.Table:
        """As an answer: one column of text."""
        return pa.table([pa.array(self.lines(), pa.string())], schema=EXPLAIN_SCHEMA)


def explained(plan: Explained, decisions: Mapping[DatasetName, Decision]) -> QueryExplained:
    """A plan, with how the decisions show what it reads."""
    reads: list[DatasetRead] = []
    for reading in plan.readings:
        decision = decisions[reading.dataset]
        by_name = {c.column.name: c for c in decision.visible}
        columns = tuple((name, _seen(by_name[name])) for name in reading.columns)
        reads.append(DatasetRead(reading.dataset, columns, reading.conditions))
    return QueryExplained(tuple(reads))


def _seen(column: ColumnDecision) -> str:
    ways = list(dict.fromkeys(_way(o, column.safeguards) for o in column.options))
    said = " or ".join(ways)
    return f"{said}, or withheld" if column.verdict is Verdict.PARTLY and len(ways) == 1 else said


def _way(option: CellOption, safeguards: tuple[TransformUse, ...]) -> str:
    own = option.transform
    uses = (*([own] if own else []), *(use for use in safeguards if use != own))
    deeds = [get_spec(step.function).says for use in uses for step in steps(use.call)]
    if option.fields is not None:
        deeds.insert(0, f"only its fields {paths_text(option.fields)}")
    return " and then ".join(deeds) or "as it is"
