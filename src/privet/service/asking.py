"""One statement: its sandbox, its decisions on record, its governed streams, and its end."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Self

import pyarrow as pa

from privet.enforcement import enforce
from privet.model.batches import BatchStream
from privet.model.decisions import Decision
from privet.model.errors import CalledOff, Cancelled, PrivetError
from privet.model.events import Event, Outcome
from privet.model.names import DatasetName
from privet.model.principals import Principal
from privet.model.requests import QueryRequest, ScanRequest
from privet.query import Asked, Asker, Behind, Gone, Own, Read
from privet.scan import GovernedStream, Progress
from privet.service.access import now_and_then, still_allowed
from privet.service.deciding import Decided, decide_by_name
from privet.service.own_keys import own_of_query
from privet.service.platform import Platform
from privet.service.query_plans import EXPLAIN_SCHEMA, QueryExplained, explained
from privet.service.running import Run
from privet.service.view_runs import events_behind, start

_CHECK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Described:
    """The columns of an answer, and the parameters: `1`, `2`, ... or names."""

    schema: pa.Schema
    parameters: tuple[str, ...]


class Asking:
    """A statement from the moment it has a sandbox. Whoever makes one closes it.

    `decided` are the decisions about the datasets that it names, once it was read.
    """

    def __init__(
        self, platform: Platform, principal: Principal, request: QueryRequest, event: Event
    ) -> None:
        self._platform = platform
        self._principal = principal
        self._request = request
        self._event = event
        self._progress = Progress()
        self.decided: dict[DatasetName, Decided] = {}
        self._behind = Behind()
        self._stack = ExitStack()
        self._asker: Asker
        self._gone: Gone
        self._asked: Asked
        self._ended = False
        self._ending = threading.Lock()
        self._running = Run(event, (), self._progress)

    def read(self, gone: Gone) -> Asked:
        """Get a sandbox, and have the statement read there.

        Raises:
            ParseFailed, InvalidRequest, ResourcesExceeded: it is not one that is answered.
            Busy, Cancelled: no sandbox came free in time, or the client left.
        """
        owner = (self._principal.issuer, self._principal.user)
        self._gone = self._watch(gone)
        lease = self._platform.askers.lease(owner, self._gone)
        self._asker = self._stack.enter_context(lease)
        self._asked = self._asker.read(self._request, self._principal.user)
        return self._asked

    def decide(self, asked: Asked) -> None:
        """Decide about every dataset that it names, record, then refuse.

        Raises:
            NotFound: a dataset does not exist for this principal.
            AuditUnavailable: nothing is read.
        """
        self._asked = asked
        for name in asked.datasets:
            self.decided[name] = decide_by_name(self._platform, self._principal, name)
        self._record_start()
        for name, decided in self.decided.items():
            try:
                decided.decision.require(self._event.id)
            except PrivetError as error:
                error.position = asked.datasets[name]
                # The refusal itself is on record: nothing began that could end.
                self._ended = True
                raise

    def _record_start(self) -> None:
        """One event for each dataset, the first the parent of the others; one if there is none."""
        events = [self._of(name, d.decision) for name, d in self.decided.items()]
        self._event = self._platform.audit.record((events or [self._event])[0])
        for event in events[1:]:
            self._platform.audit.record(replace(event, parent=self._event.id))
        for decided in self.decided.values():
            for event in events_behind(self._event, decided):
                self._platform.audit.record(event)

    def _of(self, name: DatasetName, decision: Decision) -> Event:
        return replace(
            self._event,
            outcome=Outcome.ALLOWED if decision.allowed else Outcome.REFUSED,
            object=str(name),
            bypass=decision.bypass and decision.allowed,
            permissions=decision.permissions,
            facts_version=decision.version,
            detail={"decision": decision.digest},
        )

    def _watch(self, gone: Gone) -> Gone:
        """`gone`, and now and then whether the principal may still read."""
        check = now_and_then(still_allowed(self._platform, self._principal), _CHECK_SECONDS)

        def watch() -> bool:
            self._running.guarding(check)()
            return gone()

        return watch

    def describe(self) -> Described:
        """The columns of its answer; nothing is read."""
        if self._asked.explained:
            schema = EXPLAIN_SCHEMA
        else:
            schema = self._asker.describe(self.schemas(), self._own())
        return Described(schema, self._asked.parameters)

    def explain(self) -> QueryExplained:
        """What it would read; nothing is. It begins with EXPLAIN."""
        decisions = {name: decided.decision for name, decided in self.decided.items()}
        return explained(self._asker.explain(self.schemas(), self._own()), decisions)

    def answer(self) -> QueryStream:
        """Run it; the stream has it from now on."""
        self._running = Run(self._event, tuple(map(str, self.decided)), self._progress)
        self._platform.running.enter(self._running, self.call_off)
        if self._asked.explained:
            table = self.explain().to_table()
            return QueryStream(self, table.schema, table.to_batches(), self._request)
        answer = self._asker.run(self.schemas(), self._own(), self._open)
        return QueryStream(self, answer.schema, answer.batches, self._request)

    def schemas(self) -> Mapping[DatasetName, pa.Schema]:
        """What the principal sees of each dataset."""
        platform = self._platform
        known = (platform.derive, platform.circumstances)
        return {
            name: enforce(decided.decision, ScanRequest(name), *known).schema
            for name, decided in self.decided.items()
        }

    def _own(self) -> Own:
        return own_of_query(self._platform, self._principal)

    def _open(self, read: Read) -> GovernedStream:
        request = ScanRequest(read.dataset, read.columns, read.limit, read.where)
        decided = self.decided[read.dataset]
        plan = enforce(
            decided.decision, request, self._platform.derive, self._platform.circumstances
        )
        check = self._running.guarding(still_allowed(self._platform, self._principal))
        return start(
            self._platform, decided, plan, self._was_read, check=check, behind=self._behind
        )

    def _was_read(self, progress: Progress) -> None:
        self._progress.rows_read += progress.rows_read

    def check(self) -> None:
        """Look now and then, while an answer flows, whether it still may.

        Raises:
            Revoked: the principal may read no longer.
            Cancelled: the client left, or somebody called it off.
        """
        if self._gone():
            raise Cancelled("the client left")

    def call_off(self, reason: CalledOff) -> bool:
        """End it, whoever reads it; its end is on record then. False if it had ended."""
        if not self._end_once():
            return False
        self._running.reason = reason
        self._asker.process.kill()
        self._record_end(Outcome.CANCELLED)
        return True

    def returned(self, batch: pa.RecordBatch) -> None:
        """Count what leaves."""
        self._progress.rows_returned += batch.num_rows
        self._progress.bytes_returned += batch.nbytes

    @contextmanager
    def recorded(self) -> Generator[Self]:
        """Record how the body ended, if it ended badly, and close then."""
        try:
            yield self
        except GeneratorExit:
            self.end(Outcome.CANCELLED)
            raise
        except PrivetError as error:
            if self._running.reason is not None:
                self.close()
                raise self._running.reason from error
            self._broke_off(error)
            raise
        except BaseException as error:
            self.end(Outcome.FAILED, type(error).__name__)
            raise

    def _broke_off(self, error: PrivetError) -> None:
        if not self._event.id:
            self._refuse(error)
        if isinstance(error, Cancelled):
            self.end(Outcome.CANCELLED)
        else:
            error.audit_id = error.audit_id or self._event.id
            self.end(Outcome.FAILED, error.code)

    def _refuse(self, error: PrivetError) -> None:
        """Record a statement about which nothing was decided, for it never got there."""
        self.close()
        refused = replace(self._event, outcome=Outcome.REFUSED, error=error.code)
        error.audit_id = self._platform.audit.record(refused).id
        self._ended = True

    def end(self, outcome: Outcome, error: str = "") -> None:
        """Close, and record how it ended, once."""
        self.close()
        if self._end_once():
            self._record_end(outcome, error)

    def _end_once(self) -> bool:
        with self._ending:
            ended, self._ended = self._ended, True
            return not ended

    def _record_end(self, outcome: Outcome, error: str = "") -> None:
        self._platform.running.leave(self._running)
        self._platform.audit.record(
            replace(
                self._event,
                action="query.end",
                outcome=outcome,
                error=error,
                parent=self._event.id,
                rows_read=self._progress.rows_read,
                rows_returned=self._progress.rows_returned,
                bytes_returned=self._progress.bytes_returned,
                detail=self._running.killed,
            )
        )

    def close(self) -> None:
        """Give the sandbox back."""
        if hasattr(self, "_asker"):
            self._asker.close()
        self._stack.close()


class QueryStream(BatchStream):
    """Batches of an answer. How it ended is recorded once."""

    def __init__(
        self,
        asking: Asking,
        schema: pa.Schema,
        batches: Iterable[pa.RecordBatch],
        request: QueryRequest,
    ) -> None:
        super().__init__(schema)
        self._asking = asking
        self._wanted = cut(batches, request.offset, request.limit)

    def close(self) -> None:
        """End the query; a no-op when it has ended."""
        self._batches.close()
        self._asking.end(Outcome.CANCELLED)

    def _run(self) -> Generator[pa.RecordBatch]:
        with self._asking.recorded():
            for batch in self._wanted:
                self._asking.check()
                self._asking.returned(batch)
                yield batch
            self._asking.end(Outcome.COMPLETED)


def cut(
    batches: Iterable[pa.RecordBatch], offset: int, limit: int | None
) -> Iterator[pa.RecordBatch]:
    """The rows from `offset` on, at most `limit` of them."""
    left = limit
    if left == 0:
        return
    for batch in batches:
        skipped = min(offset, batch.num_rows)
        offset -= skipped
        part = batch.slice(skipped, left)
        if part.num_rows:
            yield part
        if left is not None:
            left -= part.num_rows
            if not left:
                return
