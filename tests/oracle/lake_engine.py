"""The system under test, through views: facts to decisions, and each to a plan and its batches."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import pyarrow as pa
from cells import Cell, to_array
from engine import applied, derive, raw_batch
from lake import Lake, Part, projected
from law import Answer

from privet.catalog.current.inherited import Inheritance
from privet.enforcement import enforce
from privet.model.datasets import Dataset
from privet.model.decisions import Facts
from privet.model.errors import NotFound
from privet.model.names import PUBLIC_ROLE, DatasetName
from privet.model.permissions import Effect
from privet.model.principals import Principal
from privet.model.requests import ScanRequest
from privet.service.deciding import Decided, Deciding, Sources


def answer(lake: Lake) -> Answer | None:
    """The engine's answer, in the oracle's words."""
    return _run(decided_of(lake), lake)


def decided_of(lake: Lake) -> Decided:
    """What is decided about the dataset that is asked for, and about what is behind it."""
    known = {**lake.reader.attributes, "whoami": lake.reader.user}
    reader = replace(lake.reader, attributes=known)
    datasets = stored(lake)

    def facts(
        names: Collection[DatasetName], people: Collection[Principal]
    ) -> dict[tuple[DatasetName, Principal], Facts]:
        return {(n, who): _facts(lake, datasets.get(n), n, who) for n in names for who in people}

    def definer(who: tuple[str, str]) -> Principal:
        return replace(lake.people[who], admin=False)

    deciding = Deciding(Sources(facts, definer), reader, lake.now)
    return deciding.on(_facts(lake, datasets.get(lake.asked), lake.asked, reader))


def stored(lake: Lake) -> Mapping[DatasetName, Dataset]:
    """The datasets as the catalog hands them out: views with their tags of lineage."""
    inheritance = Inheritance(lake.datasets)
    found = {name: inheritance.of(name) for name in lake.datasets}
    return {name: dataset for name, dataset in found.items() if dataset is not None}


def _facts(lake: Lake, dataset: Dataset | None, name: DatasetName, who: Principal) -> Facts:
    held, bound = (_roles(lake, who, groups) for groups in (who.effective_groups, who.all_groups))
    grants = tuple(p for p in lake.permissions if p.effect is Effect.GRANT and p.role in held)
    guards = tuple(p for p in lake.permissions if p.effect is not Effect.GRANT and p.role in bound)
    return Facts(1, name, dataset, held, grants, guards)


def _roles(lake: Lake, who: Principal, groups: frozenset[str]) -> frozenset[str]:
    held = {(who.issuer, group) for group in groups}
    return frozenset({PUBLIC_ROLE, *(r for r, members in lake.roles.items() if members & held)})


def _run(decided: Decided, lake: Lake) -> Answer | None:
    name = decided.decision.name
    try:
        plan = enforce(decided.decision, ScanRequest(name), derive)
    except NotFound:
        return None
    view = lake.views.get(name)
    table = lake.tables[name] if view is None else _computed(decided, lake, view.parts)
    return applied(plan, raw_batch(plan, table))


def _computed(decided: Decided, lake: Lake, parts: tuple[Part, ...]) -> pa.Table:
    rows: list[tuple[Cell, ...]] = []
    for part in parts:
        base = _run(decided.bases[part.base], lake)
        assert base is not None, "a view is open, and what it is made of is not"
        rows += projected(part, [n for n, _ in base.columns], base.rows)
    columns = lake.datasets[decided.decision.name].columns
    cells = zip(*rows, strict=True) if rows else [()] * len(columns)
    arrays = [to_array([*each], c.type) for each, c in zip(cells, columns, strict=True)]
    return pa.table(arrays, names=[c.name for c in columns])


def by_row(decided: Decided, lake: Lake) -> list[dict[str, Cell]]:
    """For each row of a table what is seen of it, by column: nothing, where it is hidden."""
    table = lake.tables[decided.decision.name]
    try:
        plan = enforce(decided.decision, ScanRequest(decided.decision.name), derive)
    except NotFound:
        return [{}] * table.num_rows
    batch = raw_batch(plan, table)
    seen: list[dict[str, Cell]] = []
    for place in range(batch.num_rows):
        found = applied(plan, batch.slice(place, 1))
        names = [name for name, _ in found.columns]
        seen.append(dict(zip(names, found.rows[0], strict=True)) if found.rows else {})
    return seen
