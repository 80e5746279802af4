"""Governed streams of datasets and of views: a view is a statement that runs in a sandbox.

The sandbox of a view holds what its definer was granted, so it is never that of whoever reads the
view: what comes out of it is raw data, and goes through the view's own plan like a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
from privet.model.names import DatasetName
from privet.model.requests import QueryRequest, ScanRequest
from privet.query import Behind, Read
from privet.scan import GovernedStream, Piece, Progress, run
from privet.service.access import now_and_then
from privet.service.deciding import Decided
from privet.service.own_keys import own_of_view
from privet.service.platform import Platform

_TELLING = (AuditUnavailable, Busy, Cancelled, ResourcesExceeded, Revoked)
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
    behind: Behind | None = None,
) -> GovernedStream:
    """Run a plan over files, or over the answer of a view's statement.

    Args:
        platform: of the server.
        decided: the decision that the plan was made from, and those behind it.
        plan: what may be read.
        on_close: hears once how it ended.
        check: called now and then; raises to end the stream.
        behind: the views that the statement which waits for it reads; None if none does.
    """
    view = plan.dataset.view
    source = None if view is None else _ViewRun(platform, decided, plan, view, check, behind).pieces
    return run(plan, platform.engine, on_close, check=check, source=source)


@dataclass(frozen=True, slots=True)
class _ViewRun:
    platform: Platform
    decided: Decided
    plan: EnforcedPlan
    view: View
    check: Callable[[], None]
    behind: Behind | None

    def pieces(self) -> Iterator[Piece]:
        """The answer of the view's statement, batch by batch."""
        try:
            yield from self._pieces()
        except _TELLING:
            raise
        except SchemaChanged as error:
            # That of a table behind it names a column that the reader may not know of.
            raise _changed() from error
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

        askers, behind = self.platform.askers, self.behind
        lease = askers.lease_behind(behind, gone) if behind else askers.lease(owner, gone)
        with lease as asker:
            try:
                asked = asker.read(QueryRequest(view.text, None, view.database), reader.user)
                if set(asked.datasets) != set(self.decided.bases):
                    raise _changed()
                schemas = {name: self._in_view(name) for name in asked.datasets}
                needed = self.plan.reads
                # What is not read is not computed: it could fail for cells that are not shown.
                columns = tuple(column.source_name for column in needed)
                own = own_of_view(self.platform, view, self.plan.dataset.id, reader)
                answer = asker.run(schemas, own, self._open, columns)
                if answer.schema.types != [column.type for column in needed]:
                    raise _changed()
                names = [column.name for column in needed]
                for batch in answer.batches:
                    raw = pa.RecordBatch.from_arrays(batch.columns, names=names)
                    yield Piece(raw.nbytes, partial(_loaded, raw))
            finally:
                asker.close()

    def _open(self, read: Read) -> GovernedStream:
        request = ScanRequest(read.dataset, read.columns, read.limit, read.where)
        plan, base = self._enforced(request), self.decided.bases[read.dataset]
        behind = self.behind or Behind()
        return start(self.platform, base, plan, _unheard, check=self.check, behind=behind)

    def _in_view(self, name: DatasetName) -> pa.Schema:
        """What the definer may read of a dataset, of the columns that the view was made over."""
        schema = self._enforced(ScanRequest(name)).schema
        return pa.schema([schema.field(c) for c in self.view.sees[name] if c in schema.names])

    def _enforced(self, request: ScanRequest) -> EnforcedPlan:
        decision = self.decided.bases[request.dataset].decision
        return enforce(decision, request, self.platform.derive, self.platform.circumstances)


def _loaded(batch: pa.RecordBatch) -> list[pa.RecordBatch]:
    return [batch]


def _unheard(_: Progress) -> None:
    """What is read for a view is no scan of its own; how the view ended is on record."""


def _changed() -> SchemaChanged:
    return SchemaChanged(
        "what this view is made of is no longer as it was when it was written",
        hint="its owner can write it again with ALTER VIEW",
    )
