"""What one principal may read of one dataset, as a SELECT over the raw table elsewhere."""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp

from privet.enforcement.rewriting.cells import Cells
from privet.enforcement.rewriting.conditions import Conditions
from privet.enforcement.rewriting.engines import Engine
from privet.model.datasets import Column, Dataset, Format, plain_type
from privet.model.decisions import Decision
from privet.model.expressions import Literal

RESERVED = "privet_"
"""What names that are made up here begin with; no statement may have such names."""
_RAW = f"{RESERVED}raw"
_MOST_NODES = 50_000
_FILES = frozenset("avro binaryfile csv delta iceberg jdbc json orc parquet text".split())


def governed(decision: Decision, engine: Engine) -> exp.Select:
    """The visible columns and rows of a dataset, from the table of its name in the engine.

    Args:
        decision: of the policy, for the principal who asks.
        engine: what will run it. It is taken to hold the values that are read here.

    Raises:
        NotFound: the decision shows nothing.
        NotExpressible: something of it cannot be said with the same meaning; the text says what.
    """
    decision.require()
    dataset = decision.dataset
    assert dataset is not None
    _check(dataset, engine, [c.column for c in decision.visible])
    conditions = Conditions(
        engine,
        {c.name: plain_type(c.type) for c in dataset.columns},
        lambda name: _column(name, engine),
    )
    cells = Cells(engine, decision, conditions)
    condition = _rows(decision, conditions)
    if condition is not None and _size(condition) * len(decision.visible) > _MOST_NODES:
        raise engine.refusal(
            f"the row filter of `{dataset.name}`", "is too long to be written for every column"
        )
    shown = [
        _where(condition, cells.of(c, _column(c.column.name, engine))).as_(
            engine.identifier(c.column.name)
        )
        for c in decision.visible
    ]
    selected = exp.select(*shown, copy=False).from_(_table(dataset, engine), copy=False)
    return selected if condition is None else selected.where(condition, copy=False)


def _size(tree: exp.Expr) -> int:
    return sum(1 for _ in tree.walk())


def _where(condition: exp.Expr | None, cell: exp.Expr) -> exp.Expr:
    """A cell that is NULL in rows out of view.

    Engines compute what surrounds a subquery on rows that it leaves out, if they find that
    quicker; an error then tells of their cells.
    """
    return cell if condition is None else exp.Case().when(condition.copy(), cell)


def _check(dataset: Dataset, engine: Engine, visible: Iterable[Column]) -> None:
    if engine.reads_paths and dataset.name.database in _FILES:
        raise engine.refusal(f"`{dataset.name}`", "is the path of a file there")
    if dataset.source.format is Format.VIEW:
        raise engine.refusal(
            f"the view `{dataset.name}`", "is a statement that is run here, by its author's rights"
        )
    if renamed := [c.name for c in visible if not _is_there(c)]:
        raise engine.refusal(
            f"`{dataset.name}`", f"calls the column `{renamed[0]}` by another name than its source"
        )
    if not all(map(_is_there, dataset.columns)):
        # A filter may read it; its name is not for the reader.
        raise engine.refusal(f"`{dataset.name}`", "calls a column by another name than its source")


def _is_there(column: Column) -> bool:
    return column.source_name.lower() == column.name


def _column(name: str, engine: Engine) -> exp.Column:
    # With its table, so that no column around it can be meant where this table lacks it.
    return exp.Column(this=engine.identifier(name), table=engine.identifier(_RAW))


def _table(dataset: Dataset, engine: Engine) -> exp.Table:
    # With its database, so that no name in a WITH can be meant.
    return exp.Table(
        this=engine.identifier(dataset.name.name),
        db=engine.identifier(dataset.name.database),
        alias=exp.TableAlias(this=engine.identifier(_RAW)),
    )


def _rows(decision: Decision, conditions: Conditions) -> exp.Expr | None:
    """The condition of visible rows; None where all are."""
    filters = decision.filters
    if not filters:
        return conditions.of(Literal(value=False))
    parts: list[exp.Expr] = [conditions.of(r) for r in decision.restrictions]
    if all(f is not None for f in filters):
        parts.append(_any(conditions.of(f) for f in filters if f is not None))
    return exp.and_(*parts, copy=False) if parts else None


def _any(conditions: Iterable[exp.Expr]) -> exp.Expr:
    return exp.or_(*conditions, copy=False)
