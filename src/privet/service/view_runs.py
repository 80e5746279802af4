"""Governed streams of datasets and of views: a view is a statement that runs in a sandbox.

The sandbox of a view holds what its definer was granted, so it is never that of whoever reads the
view: what comes out of it is raw data, and goes through the view's own plan like a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

import pyarrow as pa

from privet.enforcement import EnforcedPlan, enforce
from privet.model.datasets import View
from privet.model.errors import (
    AuditUnavailable,
    Busy,
    Cancelled,
    PrivetError,
    ResourcesExceeded,
    Revoked,
    SchemaChanged,
    SourceInvalid,
)
from privet.model.events import Event, Outcome
from privet.model.requests import QueryRequest, ScanRequest
from privet.query import Read
from privet.scan import GovernedStream, Piece, Progress, run
from privet.service.access import now_and_then
from privet.service.deciding import Decided
from privet.service.platform import Platform

_TELLING = (AuditUnavailable, Busy, Cancelled, ResourcesExceeded, Revoked, SchemaChanged)
"""Errors that say nothing about what a view's statement met."""
OnClose = Callable[[Progress], None]


def events_behind(started: Event, decided: Decided) -> Iterator[Event]:
    """What is on record beside the reading of a view: each decision behind it, as a child."""
    for decision in decided.behind():
        yield replace(
            started,
            action="view.read",
            outcome=Outcome.ALLOWED,
            object=str(decision.name),
            bypass=False,
            permissions=decision.permissions,
            facts_version=decision.version,
            statement="",
            parent=started.id,
            detail={"decision": decision.digest},
        )


def start(
    platform: Platform,
    decided: Decided,
    plan: EnforcedPlan,
    on_close: OnClose,
    *,
    check: Callable[[], None],
    within: bool = False,
) -> GovernedStream:
    """Run a plan over files, or over the answer of a view's statement.

    Args:
        platform: of the server.
        decided: the decision that the plan was made from, and those behind it.
        plan: what may be read.
        on_close: hears once how it ended.
        check: called now and then; raises to end the stream.
        within: whether a statement waits for it.
    """
    view = plan.dataset.view
    source = None if view is None else _ViewRun(platform, decided, plan, view, check, within).pieces
    return run(plan, platform.engine, on_close, check=check, source=source)


@dataclass(frozen=True, slots=True)
class _ViewRun:
    platform: Platform
    decided: Decided
    plan: EnforcedPlan
    view: View
    check: Callable[[], None]
    within: bool

    def pieces(self) -> Iterator[Piece]:
        """The answer of the view's statement, batch by batch."""
        try:
            yield from self._pieces()
        except _TELLING:
            raise
        except PrivetError as error:
            # Its own words could speak of rows that only the definer may know.
            raise SourceInvalid(
                f"view `{self.plan.dataset.name}` cannot be computed",
                hint="tell whoever made it; they see why when they run its statement",
            ) from error

    def _pieces(self) -> Iterator[Piece]:
        view, reader = self.view, self.decided.decision.principal
        owner = (reader.issuer, reader.user)
        look = now_and_then(self.check)

        def gone() -> bool:
            look()
            return False

        with self.platform.askers.lease(owner, gone, within=self.within) as asker:
            try:
                asked = asker.read(QueryRequest(view.text, None, view.database))
                if set(asked.datasets) != set(self.decided.bases):
                    raise _changed()
                schemas = {
                    name: self._enforced(ScanRequest(name)).schema for name in asked.datasets
                }
                secret = self.platform.derive("own", *owner)
                answer = asker.run(schemas, secret, self._open)
                places = _places(answer.schema, self.plan)
                names = [column.name for column in self.plan.reads]
                for batch in answer.batches:
                    arrays = [batch.column(place) for place in places]
                    raw = pa.RecordBatch.from_arrays(arrays, names=names)
                    yield Piece(raw.nbytes, partial(_loaded, raw))
            finally:
                asker.close()

    def _open(self, read: Read) -> GovernedStream:
        request = ScanRequest(read.dataset, read.columns, read.limit, read.where)
        plan, base = self._enforced(request), self.decided.bases[read.dataset]
        return start(self.platform, base, plan, _unheard, check=self.check, within=True)

    def _enforced(self, request: ScanRequest) -> EnforcedPlan:
        decision = self.decided.bases[request.dataset].decision
        return enforce(decision, request, self.platform.derive)


def _loaded(batch: pa.RecordBatch) -> list[pa.RecordBatch]:
    return [batch]


def _unheard(_: Progress) -> None:
    """What is read for a view is no scan of its own; how the view ended is on record."""


def _places(schema: pa.Schema, plan: EnforcedPlan) -> list[int]:
    """Where the columns that a plan reads stand in the answer.

    Raises:
        SchemaChanged: they are not there, or of another type.
    """
    by_name: Mapping[str, int] = {name.lower(): i for i, name in enumerate(schema.names)}
    places: list[int] = []
    for column in plan.reads:
        place = by_name.get(column.name)
        if place is None or schema.field(place).type != column.type:
            raise _changed()
        places.append(place)
    return places


def _changed() -> SchemaChanged:
    return SchemaChanged(
        "what this view is made of is no longer as it was when it was written",
        hint="its owner can write it again with ALTER VIEW",
    )
