"""The EnforcedPlan: a decision compiled to columns, hints and `apply(batch) -> batch`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from privet.enforcement.evaluate import passing_rows
from privet.enforcement.hints import (
    Seen,
    conjunction,
    narrowed,
    raw_conditions,
    source_hint,
)
from privet.enforcement.rebuild import rebuild, withhold
from privet.enforcement.values import Mask
from privet.model.datasets import CanonicalType, Column, Dataset, plain_type
from privet.model.decisions import CellOption, ColumnDecision, Decision, TransformUse, Verdict
from privet.model.errors import NotFound
from privet.model.expressions import Expr
from privet.model.requests import ScanRequest
from privet.model.transforms import get_spec, is_text
from privet.policy import columns_of
from privet.privacy import Derive, Kernel, KeyScope, bind

PARTLY = {b"privet.withheld": b"partly"}
"""Field metadata of a column of which some cells are withheld or differ in treatment."""
_SEAL = object()


@dataclass(frozen=True, slots=True)
class _Option:
    kernel: Kernel | None
    filters: frozenset[int]


@dataclass(frozen=True, slots=True)
class _Output:
    column: Column
    options: tuple[_Option, ...]


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
        hint: rows outside it need not be read; a superset of what is visible, or None.
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
        needed = {o.column.name for o in (*outputs, *asked.tested)}.union(
            *(columns_of(f) for f in filters if f)
        )
        self.reads = tuple(c for c in self.dataset.columns if c.name in needed)
        self.hint: pc.Expression | None = narrowed(
            source_hint(filters, self.dataset), asked.raw, self.dataset
        )
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

    def apply(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The visible rows of a raw batch, transformed and rebuilt; may be empty.

        Args:
            batch: has the columns of `reads`, under their catalog names, of plain types or
                dictionaries of these.
        """
        columns = dict(zip(batch.schema.names, batch.columns, strict=True))
        rows = batch.num_rows
        masks = [passing_rows(f, columns, rows) for f in self._filters]
        visible = masks[0] if len(masks) == 1 else np.logical_or.reduce(masks)
        keep = None if visible.all() else pa.array(np.flatnonzero(visible))
        kept = masks if keep is None else [m[visible] for m in masks]
        if self._asked.where:
            keep, kept = self._passing(columns, keep, kept)
        arrays = [self._cells(o, columns[o.column.name], keep, kept) for o in self._outputs]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def _passing(
        self, columns: Mapping[str, pa.Array], keep: pa.Array | None, masks: list[Mask]
    ) -> tuple[pa.Array, list[Mask]]:
        """Of the visible rows, those whose cells, as they are seen, meet what was asked for."""
        rows = len(masks[0]) if masks else 0
        cells = {
            o.column.name: self._cells(o, columns[o.column.name], keep, masks)
            for o in self._asked.tested
        }
        passing = passing_rows(self._asked.where, cells, rows)
        positions = np.arange(rows) if keep is None else np.asarray(keep)
        return pa.array(positions[passing]), [m[passing] for m in masks]

    def _cells(
        self, output: _Output, column: pa.Array, keep: pa.Array | None, masks: list[Mask]
    ) -> pa.Array:
        raw = rebuild(column, keep)
        first = output.options[0]
        if len(first.filters) == len(masks) or any(self._filters[i] is None for i in first.filters):
            return first.kernel(raw) if first.kernel else raw
        open_cells = np.ones(len(raw), np.bool_)
        parts: list[pa.Array] = []
        for option in output.options:
            holds = np.logical_or.reduce([masks[i] for i in sorted(option.filters)]) & open_cells
            open_cells &= ~holds
            part = withhold(raw, holds)
            parts.append(option.kernel(part) if option.kernel else part)
        return parts[0] if len(parts) == 1 else rebuild(pc.coalesce(*parts), None)

    @property
    def overflowed(self) -> Mapping[str, int]:
        """Cells that took a token's overflow form so far, by column."""
        return {
            o.column.name: count
            for o in (*self._outputs, *self._asked.tested)
            if (count := sum(p.kernel.overflowed for p in o.options if p.kernel))
        }


def enforce(decision: Decision, request: ScanRequest, derive: Derive) -> EnforcedPlan:
    """Compile an allowed decision and a request.

    Args:
        decision: of the policy for the principal who asks.
        request: columns and limit.
        derive: gives token keys by their labels; keys stay inside the kernels.

    Raises:
        NotFound: the decision shows nothing, or a requested column is not visible.
    """
    decision.require()
    assert decision.dataset is not None
    named = request.columns
    outputs = tuple(_output(c, decision, derive) for c in _choose(decision, named))
    where = conjunction(request.where)
    tested: tuple[_Output, ...] = ()
    if where is not None:
        on = _choose(decision, tuple(sorted(columns_of(where))))
        tested = tuple(_output(c, decision, derive) for c in on)
    seen = {o.column.name: _seen(o) for o in tested}
    asked = _Asked(where, tested, raw_conditions(request.where, seen), request.limit)
    return EnforcedPlan(_SEAL, decision, outputs, asked)


def _output(chosen: ColumnDecision, decision: Decision, derive: Derive) -> _Output:
    options = (
        _Option(_kernel(option, chosen, decision, derive), option.filters)
        for option in chosen.options
    )
    return _Output(chosen.column, tuple(options))


def _seen(output: _Output) -> Seen | None:
    """How its cells are seen, where all that are not withheld are seen in one way.

    A withheld cell is NULL, and meets no condition.
    """
    kernels = [o.kernel for o in output.options]
    alike = len(kernels) == 1 or all(k is None for k in kernels)
    return Seen(kernels[0]) if alike else None


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


def _kernel(
    option: CellOption, chosen: ColumnDecision, decision: Decision, derive: Derive
) -> Kernel | None:
    if option.transform is None:
        return None
    kind = plain_type(chosen.column.type)
    scope = _key_scope(option.transform, kind, decision)
    return bind(option.transform.call, kind, scope, derive)


def _key_scope(use: TransformUse, kind: pa.DataType, decision: Decision) -> KeyScope | None:
    spec = get_spec(use.call.function)
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
