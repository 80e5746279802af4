"""The system under test: facts to a decision, a decision to a plan, a plan to a batch."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace

import pyarrow as pa
from cells import cells_of, identity
from law import Answer
from world import World

from privet.enforcement import EnforcedPlan, enforce
from privet.model.datasets import plain_type
from privet.model.decisions import Decision, Facts
from privet.model.errors import NotFound
from privet.model.names import PUBLIC_ROLE
from privet.model.permissions import Effect
from privet.model.requests import ScanRequest
from privet.policy import decide


def derive(*labels: str, length: int = 32) -> bytes:
    """Keys of tests: a digest of framed labels."""
    framed = b"".join(len(x.encode()).to_bytes(4, "big") + x.encode() for x in labels)
    return hashlib.shake_256(b"oracle" + framed).digest(length)


def facts_of(world: World) -> Facts:
    """What the catalog hands over: the grants there are, and the safeguards that bind the reader.

    Which roles these go by is what the model says of groups.
    """
    reader = world.principal
    grants = tuple(p for p in world.permissions if p.effect is Effect.GRANT)
    bound = _roles(world, reader.all_groups)
    safeguards = tuple(
        p for p in world.permissions if p.effect is not Effect.GRANT and p.role in bound
    )
    held = _roles(world, reader.effective_groups)
    return Facts(1, world.dataset.name, world.dataset, held, grants, safeguards)


def _roles(world: World, groups: frozenset[str]) -> frozenset[str]:
    held = {(world.principal.issuer, group) for group in groups}
    return frozenset({PUBLIC_ROLE, *(r for r, members in world.roles.items() if members & held)})


def decision_of(world: World) -> Decision:
    """What the policy decides. That `whoami` is an attribute is known to who gives out tokens."""
    known = {**world.principal.attributes, "whoami": world.principal.user}
    reader = replace(world.principal, attributes=known)
    return decide(reader, facts_of(world), world.now)


def plan_of(world: World) -> EnforcedPlan | None:
    """What can be run, or None where the dataset is like an unknown name."""
    try:
        return enforce(decision_of(world), ScanRequest(world.dataset.name), derive)
    except NotFound:
        return None


def raw_batch(plan: EnforcedPlan, table: pa.Table) -> pa.RecordBatch:
    """The rows as a source delivers them: the columns that the plan reads, in plain types."""
    columns = [table.column(c.name).combine_chunks().cast(plain_type(c.type)) for c in plan.reads]
    schema = pa.schema([pa.field(c.name, plain_type(c.type)) for c in plan.reads])
    if not columns:
        return pa.table({"": pa.nulls(table.num_rows)}).select([]).to_batches()[0]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def answer(world: World) -> Answer | None:
    """The engine's answer, in the oracle's words."""
    plan = plan_of(world)
    return None if plan is None else applied(plan, raw_batch(plan, world.table))


def applied(plan: EnforcedPlan, *batches: pa.RecordBatch) -> Answer:
    """What becomes of raw batches, put together again."""
    leaving = [plan.apply(batch) for batch in batches]
    for batch in leaving:
        batch.validate(full=True)
        assert batch.schema.equals(plan.schema), "the batch has another schema than was announced"
    whole = pa.Table.from_batches(leaving, plan.schema)
    columns = tuple((f.name, f.type) for f in plan.schema)
    cells = [cells_of(column) for column in whole.columns]
    return Answer(columns, tuple(zip(*cells, strict=True)))


def difference(engine: Answer | None, oracle: Answer | None) -> str:
    """What the two disagree on, or nothing."""
    if engine is None or oracle is None:
        return "" if engine is oracle else f"hidden: engine {engine is None}, law {oracle is None}"
    if engine.columns != oracle.columns:
        return f"columns: engine {engine.columns}, law {oracle.columns}"
    ours, theirs = _identities(engine.rows), _identities(oracle.rows)
    if len(ours) != len(theirs):
        return f"rows: engine {engine.rows}, law {oracle.rows}"
    odd = [pair for pair in zip(ours, theirs, strict=True) if pair[0] != pair[1]]
    return f"cells: engine {odd[0][0]}, law {odd[0][1]}" if odd else ""


def _identities(rows: Iterable[tuple[object, ...]]) -> list[tuple[tuple[str, str], ...]]:
    return [tuple(map(identity, row)) for row in rows]
