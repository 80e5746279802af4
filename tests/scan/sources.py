"""Files in a folder, scanned under a plan: what came, how it ended, and with which error."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from enforcement.plans import column, dataset, plan
from privet.connector import Connectors
from privet.enforcement import EnforcedPlan
from privet.model.datasets import Column, Dataset, Format
from privet.model.errors import PrivetError
from privet.scan import BufferBudget, Engine, GovernedStream, Progress, run

TEXT = pa.string()


@dataclass
class Ending:
    """How often and how a scan ended."""

    heard: list[Progress] = field(default_factory=list[Progress])

    @property
    def only(self) -> Progress:
        """The one end there must be."""
        (progress,) = self.heard
        return progress


@contextmanager
def engine_over(folder: Path, **budget: int) -> Iterator[Engine]:
    """Threads and budget that may read one folder."""
    engine = Engine(Connectors([folder]), BufferBudget(**budget))
    try:
        yield engine
    finally:
        engine.close()


def csv_of(folder: Path, *columns: Column, **options: Any) -> Dataset:
    """The CSV files of a folder."""
    given = {"delimiter": ",", "quote": '"', "header": True, "encoding": "utf-8"} | options
    return dataset(*columns, uri=f"file://{folder.resolve()}", options=given)


def parquet_of(folder: Path, *columns: Column) -> Dataset:
    """The Parquet files of a folder."""
    return dataset(*columns, uri=f"file://{folder.resolve()}", kind=Format.PARQUET)


def texts(*names: str) -> tuple[Column, ...]:
    """Columns of text."""
    return tuple(column(name, TEXT) for name in names)


def started(
    governed: EnforcedPlan, engine: Engine, ending: Ending | None = None, **options: Any
) -> GovernedStream:
    """A stream that nobody has read from yet."""
    heard = (ending or Ending()).heard
    check = options.get("check", lambda: None)
    return run(governed, engine, heard.append, check=check)


def scan(engine: Engine, data: Dataset, *grants: str, **request: Any) -> pa.Table:
    """Everything that a scan gives; it must end once, as completed."""
    governed = plan(data, *grants, **request)
    ending = Ending()
    with started(governed, engine, ending) as stream:
        table = pa.Table.from_batches(list(stream), governed.schema)
    assert ending.only.outcome == "completed"
    assert ending.only.rows_returned == table.num_rows
    return table


def failure(engine: Engine, data: Dataset, *grants: str, **request: Any) -> PrivetError:
    """The error of a scan that must fail; it must be recorded once, under its code."""
    ending = Ending()
    stream = started(plan(data, *grants, **request), engine, ending)
    with pytest.raises(PrivetError) as failed, stream:
        deque(stream, maxlen=0)
    assert (ending.only.outcome, ending.only.error) == ("failed", failed.value.code)
    return failed.value


def tell_nothing(error: PrivetError, folder: Path, *values: str) -> None:
    """The error is of use and holds neither a path nor a cell value."""
    assert error.hint
    for text in (error.message, error.hint):
        assert str(folder) not in text
        assert folder.name not in text
        for value in values:
            assert value not in text


def rows_of(table: pa.Table) -> list[tuple[Any, ...]]:
    """Rows as tuples."""
    return list(zip(*(c.to_pylist() for c in table.columns), strict=True))
