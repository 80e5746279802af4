"""The EnforcedPlan: a decision compiled to columns, hints and `apply(batch) -> batch`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from privet.enforcement.evaluate import passing_rows
from privet.enforcement.hints import (
    Seen,
    Spared,
    as_arrow,
    conjunction,
    narrowed,
    raw_conditions,
    says_all,
    source_condition,
)
from privet.enforcement.partial import project
from privet.enforcement.rebuild import rebuild, withhold
from privet.enforcement.values import Mask
from privet.model.datasets import CanonicalType, Column, Dataset, plain_type
from privet.model.decisions import CellOption, ColumnDecision, Decision, TransformUse, Verdict
from privet.model.errors import NotFound
from privet.model.expressions import Call, Expr
from privet.model.names import FieldPath
from privet.model.requests import ScanRequest
from privet.model.transforms import get_spec, is_text, steps
from privet.policy import columns_of
from privet.privacy import Circumstances, Derive, Kernel, KeyScope, bind

PARTLY = {b"privet.withheld": b"partly"}
"""Field metadata of a column of which some cells are withheld or differ in treatment."""
_SEAL = object()


@dataclass(frozen=True, slots=True)
class _Option:
    """A way to show cells: the kernels that they go through in turn, where a filter holds.

    With `fields` only these are left of them before.
    """

    kernels: tuple[Kernel, ...]
    filters: frozenset[int]
    fields: frozenset[FieldPath] | None = None

    def cells(self, column: pa.Array) -> pa.Array:
        for kernel in self.kernels:
            column = kernel(column)
        return column


@dataclass(frozen=True, slots=True)
class _Output:
    """A column as it leaves; cells for which one of the filters is not true are withheld."""

    column: Column
    options: tuple[_Option, ...]
    cell_filters: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class _Asked:
    """Beyond columns: conditions on cells as seen, what these say of raw cells, a limit."""

    where: Expr | None
    tested: tuple[_Output, ...]
    raw: tuple[Expr, ...]
    limit: int | None


class EnforcedPlan:
    """What one principal may read of one dataset, ready to run.

    Only `enforce` makes one, and `privet.scan` runs nothing else. `apply` may be called from
    several threads at once.

    Attributes:
        dataset: what is read.
        reads: the columns that the source has to deliver, in the dataset's order.
        condition: rows that fail it need not be read: it holds for all that are visible, and is
            plain (see `hints`). None if it would say nothing.
        hint: the same as Arrow has it, over the source's own column names.
        spared: the same in two, for sources that can fail at a row.
        schema: of what leaves.
        limit: of rows that leave, or None.
    """

    def __init__(
        self,
        seal: object,
        decision: Decision,
        outputs: tuple[_Output, ...],
        asked: _Asked,
    ) -> None:
        if seal is not _SEAL or decision.dataset is None:
            raise TypeError("an EnforcedPlan is made by `privet.enforcement.enforce` only")
        self.dataset: Dataset = decision.dataset
        self.limit = asked.limit
        self._outputs = outputs
        self._asked = asked
        self._filters = filters = decision.filters
        self._restrictions = decision.restrictions
        every = (*outputs, *asked.tested)
        needed = {o.column.name for o in every}.union(
            *(columns_of(f) for f in filters if f),
            *map(columns_of, self._restrictions),
            *(columns_of(f) for o in every for f in o.cell_filters),
        )
        self.reads = tuple(c for c in self.dataset.columns if c.name in needed)
        self.condition: Expr | None = narrowed(
            source_condition(filters, self.dataset),
            (*asked.raw, *self._restrictions),
            self.dataset,
        )
        self.hint: pc.Expression | None = as_arrow(self.condition, self.dataset)
        self.spared = self._spared()
        verdicts = {c.column.name: c.verdict for c in decision.columns}
        self.schema = pa.schema(
            [
                pa.field(
                    o.column.name,
                    plain_type(o.column.type),
                    metadata=PARTLY if verdicts[o.column.name] is Verdict.PARTLY else None,
                )
                for o in outputs
            ]
        )

    def _spared(self) -> Spared:
        every = (*self._outputs, *self._asked.tested)
        shown = [o for o in every if _is_shown(o, self._filters)]
        own = source_condition(self._filters, self.dataset)
        return Spared(
            narrowed(own, self._restrictions, self.dataset),
            narrowed(None, self._asked.raw, self.dataset),
            says_all(self._filters, self._restrictions, self.dataset)
            and all(o in shown for o in self._asked.tested),
            frozenset(o.column.name for o in shown if not any(p.kernels for p in o.options)),
        )

    def apply(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The visible rows of a raw batch, transformed and rebuilt; may be empty.

        Args:
            batch: has the columns of `reads`, under their catalog names, of plain types or
                dictionaries of these.
        """
        columns = dict(zip(batch.schema.names, batch.columns, strict=True))
        masks, visible = self._visible(columns, batch.num_rows)
        keep = None if visible.all() else pa.array(np.flatnonzero(visible))
        kept = masks if keep is None else [m[visible] for m in masks]
        if self._asked.where:
            keep, kept = self._passing(columns, keep, kept)
        arrays = [self._cells(o, columns, keep, kept) for o in self._outputs]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def visible_rows(self, batch: pa.RecordBatch) -> Mask:
        """Which rows of a raw batch are visible, whatever else was asked for.

        Args:
            batch: as for `apply`.
        """
        columns = dict(zip(batch.schema.names, batch.columns, strict=True))
        return self._visible(columns, batch.num_rows)[1]

    def _visible(self, columns: Mapping[str, pa.Array], rows: int) -> tuple[list[Mask], Mask]:
        """The rows that each filter passes, and those that one passes and no restriction stops."""
        masks = [passing_rows(f, columns, rows) for f in self._filters]
        visible = masks[0] if len(masks) == 1 else np.logical_or.reduce(masks)
        for restriction in self._restrictions:
            visible = visible & passing_rows(restriction, columns, rows)
        return masks, visible

    def _passing(
        self, columns: Mapping[str, pa.Array], keep: pa.Array | None, masks: list[Mask]
    ) -> tuple[pa.Array, list[Mask]]:
        """Of the visible rows, those whose cells, as they are seen, meet what was asked for."""
        rows = len(masks[0]) if masks else 0
        cells = {o.column.name: self._cells(o, columns, keep, masks) for o in self._asked.tested}
        passing = passing_rows(self._asked.where, cells, rows)
        positions = np.arange(rows) if keep is None else np.asarray(keep)
        return pa.array(positions[passing]), [m[passing] for m in masks]

    def _cells(
        self,
        output: _Output,
        columns: Mapping[str, pa.Array],
        keep: pa.Array | None,
        masks: list[Mask],
    ) -> pa.Array:
        column = columns[output.column.name]
        if _is_uniform(output, masks, self._filters):
            # A kernel builds anew what it makes of a column, and rows out of view are no part.
            kept = column if keep is None else column.take(keep)
            return output.options[0].cells(kept)
        raw = rebuild(column, keep)
        for cell_filter in output.cell_filters:
            holds = passing_rows(cell_filter, columns, len(columns[output.column.name]))
            raw = withhold(raw, holds if keep is None else holds[np.asarray(keep)])
        first = output.options[0]
        if first.fields is None and _covers(first, masks, self._filters):
            return first.cells(raw)
        open_cells = np.ones(len(raw), np.bool_)
        parts: list[pa.Array] = []
        for in_part, options in groupby(output.options, lambda o: o.fields is not None):
            if in_part:
                some = list(options)
                seen = _fields_seen(some, masks, open_cells)
                # They differ in their fields only.
                kind = plain_type(output.column.type)
                parts.append(some[0].cells(project(raw, kind, seen)))
                open_cells &= ~np.logical_or.reduce([_holds(o, masks) for o in some])
                continue
            for option in options:
                holds = _holds(option, masks) & open_cells
                open_cells &= ~holds
                parts.append(option.cells(withhold(raw, holds)))
        return parts[0] if len(parts) == 1 else rebuild(pc.coalesce(*parts), None)

    @property
    def overflowed(self) -> Mapping[str, int]:
        """Cells that took a token's overflow form so far, by column."""
        return {
            o.column.name: count
            for o in (*self._outputs, *self._asked.tested)
            if (count := sum(k.overflowed for p in o.options for k in p.kernels))
        }


def _holds(option: _Option, masks: list[Mask]) -> Mask:
    """The rows in which some filter of an option holds."""
    return np.logical_or.reduce([masks[i] for i in sorted(option.filters)])


def _fields_seen(
    options: Sequence[_Option], masks: list[Mask], open_cells: Mask
) -> dict[FieldPath, Mask]:
    """The rows in which each field is seen, by its path within the column."""
    seen: dict[FieldPath, Mask] = {}
    for option in options:
        holds = _holds(option, masks) & open_cells
        for path in option.fields or ():
            seen[path[1:]] = seen[path[1:]] | holds if path[1:] in seen else holds
    return seen


def _covers(option: _Option, masks: list[Mask], filters: Sequence[Expr | None]) -> bool:
    """Whether all visible cells are shown in this way."""
    return len(option.filters) == len(masks) or any(filters[i] is None for i in option.filters)


def _is_shown(output: _Output, filters: Sequence[Expr | None]) -> bool:
    """Whether no cell is withheld in a visible row."""
    shown = frozenset[int]().union(*(o.filters for o in output.options))
    whole = len(shown) == len(filters) or any(filters[i] is None for i in shown)
    return whole and not output.cell_filters and all(o.fields is None for o in output.options)


def _is_uniform(output: _Output, masks: list[Mask], filters: Sequence[Expr | None]) -> bool:
    """Whether all visible cells go through the same kernels, and none is withheld."""
    first = output.options[0]
    alike = bool(first.kernels) and first.fields is None
    return alike and not output.cell_filters and _covers(first, masks, filters)


def enforce(
    decision: Decision,
    request: ScanRequest,
    derive: Derive,
    circumstances: Circumstances | None = None,
) -> EnforcedPlan:
    """Compile an allowed decision and a request.

    Args:
        decision: of the policy for the principal who asks.
        request: columns and limit.
        derive: gives token keys by their labels; keys stay inside the kernels.
        circumstances: chance and the day, for transforms that need them.

    Raises:
        InvalidRequest: a transform needs circumstances, and there are none.
        NotFound: the decision shows nothing, or a requested column is not visible.
    """
    decision.require()
    assert decision.dataset is not None
    named = request.columns
    made = _Making(decision, derive, circumstances)
    outputs = tuple(_output(c, made) for c in _choose(decision, named))
    where = conjunction(request.where)
    tested: tuple[_Output, ...] = ()
    if where is not None:
        on = _choose(decision, tuple(sorted(columns_of(where))))
        tested = tuple(_output(c, made) for c in on)
    seen = {o.column.name: _seen(o) for o in tested}
    asked = _Asked(where, tested, raw_conditions(request.where, seen), request.limit)
    return EnforcedPlan(_SEAL, decision, outputs, asked)


@dataclass(frozen=True, slots=True)
class _Making:
    """What kernels are made from, besides the transforms."""

    decision: Decision
    derive: Derive
    circumstances: Circumstances | None


def _output(chosen: ColumnDecision, making: _Making) -> _Output:
    options = (
        _Option(_kernels(option, chosen, making), option.filters, option.fields)
        for option in chosen.options
    )
    return _Output(chosen.column, tuple(options), chosen.cell_filters)


def _seen(output: _Output) -> Seen | None:
    """How its cells are seen, where all that are not withheld are seen in one way.

    A withheld cell is NULL, and meets no condition.
    """
    if any(o.fields is not None for o in output.options):
        return None
    match [o.kernels for o in output.options]:
        case [[kernel]]:
            return Seen(kernel)
        case ways if not any(ways):
            return Seen(None)
        case _:
            return None


def _choose(decision: Decision, names: tuple[str, ...] | None) -> list[ColumnDecision]:
    if names is None:
        return list(decision.visible)
    by_name = {c.column.name: c for c in decision.visible}
    for name in names:
        if name not in by_name:
            raise NotFound(
                f"column `{name}` does not exist in `{decision.name}`, or you have no access to it",
                hint=f"it has {', '.join(by_name)}",
            )
    return [by_name[name] for name in dict.fromkeys(names)]


def _kernels(option: CellOption, chosen: ColumnDecision, making: _Making) -> tuple[Kernel, ...]:
    """What the grant says, then what safeguards add; what was done already is not done again."""
    own = option.transform
    uses = (*([own] if own else []), *(use for use in chosen.safeguards if use != own))
    kind = plain_type(chosen.column.type)
    return tuple(
        bind(
            step,
            kind,
            _key_scope(use, step, kind, making.decision),
            making.derive,
            making.circumstances,
        )
        for use in uses
        for step in steps(use.call)
    )


def _key_scope(
    use: TransformUse, step: Call, kind: pa.DataType, decision: Decision
) -> KeyScope | None:
    spec = get_spec(step.function)
    dataset = decision.dataset
    assert dataset is not None
    if not spec.keyed:
        return None
    principal = decision.principal
    reader = (principal.issuer, principal.user) if use.per_principal else None
    domain = dataset.domains.get(use.domain) if use.admitted else None
    if domain is None:
        canonical = CanonicalType.TEXT if is_text(kind) else CanonicalType.INT64
        return KeyScope(use.domain, 1, canonical, dataset_id=dataset.id, principal=reader)
    own = dataset.id if spec.per_table else ""
    return KeyScope(domain.name, domain.version, domain.canonical, dataset_id=own, principal=reader)
