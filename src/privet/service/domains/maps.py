"""Maps from the tokens of an earlier key version to those of today, written in the background.

A map holds no value, and whoever has one undoes what a rotation is for: it tells which old token is
which new one. So it leaves by no door. It lies in a folder of the server's own, each once, sorted,
without how often it occurs.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat
import structlog

from privet.catalog import Domain, TokenJob
from privet.model.datasets import Column, plain_type
from privet.model.errors import (
    AuditUnavailable,
    Cancelled,
    Conflict,
    InvalidRequest,
    NotFound,
    PrivetError,
    ResourcesExceeded,
    TypeMismatch,
)
from privet.model.events import Event, Outcome
from privet.model.expressions import Call, ColumnSlot
from privet.model.names import DatasetName
from privet.model.principals import Principal
from privet.privacy import Kernel, KeyScope, bind
from privet.scan import write_private
from privet.service.access import Act, administer, event_of, steward
from privet.service.domains.matrix import columns_in
from privet.service.domains.raw import read_columns, require_files
from privet.service.platform import Caller, Platform

_FORMS = ("tokenize", "nfp_ref_tokenize")
_MOST_PAIRS = 20_000_000
_MERGE_ROWS = 500_000
_SCHEMA = pa.schema([("form", pa.string()), ("old", pa.string()), ("new", pa.string())])
_log = structlog.get_logger("privet.tokens")
Check = Callable[[], None]


class TokenMaps:
    """For catalog administrators: a map is made of everything in a domain."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="retoken")
        self._closing = threading.Event()

    def close(self) -> None:
        """Stop jobs that run; they are recorded as failed."""
        self._closing.set()
        self._pool.shutdown()

    def start(self, caller: Caller, name: str, version: int | None = None) -> TokenJob:
        """Begin to write a map; it goes on in the background.

        Args:
            caller: a catalog administrator.
            name: of the domain.
            version: the one whose tokens the map is from; the one before by default.

        Raises:
            Forbidden: somebody else.
            NotFound: there is no such domain.
            Conflict: it was never rotated, or a map of it is being written.
            InvalidRequest: no such earlier version, or there is no folder for maps.
        """
        detail = {"from_version": version}
        with administer(self._platform, caller, Act("token.map", name, detail=detail)) as admin:
            if self._platform.token_maps is None:
                raise InvalidRequest("this server keeps no maps", hint="set token_maps_dir")
            domain = self._platform.catalog.domains.get(name)
            old = _earlier(domain, version)
            sources = tuple(self._sources(domain))
            job = self._platform.catalog.token_jobs.start(
                name, (old, domain.version), len(sources), by=admin.user
            )
            event = replace(
                event_of(admin, caller, "token.map_end", Outcome.COMPLETED), object=name
            )
            self._pool.submit(self._run, _Work(job, domain, sources, admin), event)
            return job

    def list(self, caller: Caller) -> tuple[TokenJob, ...]:
        """All jobs, the latest first."""
        steward(self._platform, caller, Act("token.map_list"))
        return self._platform.catalog.token_jobs.list()

    def get(self, caller: Caller, identifier: str) -> TokenJob:
        """One job, and how far it is.

        Raises:
            NotFound: there is none of that id.
        """
        steward(self._platform, caller, Act("token.map_describe", identifier[:64]))
        return self._platform.catalog.token_jobs.get(identifier)

    def _sources(self, domain: Domain) -> Iterator[tuple[DatasetName, tuple[Column, ...]]]:
        """The columns in a domain, by dataset; of views only what they read."""
        for name in domain.datasets:
            dataset = self._platform.catalog.datasets.find(name)
            if dataset is not None and dataset.view is None:
                require_files(dataset)
                if columns := columns_in(dataset, domain.name):
                    yield name, columns

    def _run(self, work: _Work, event: Event) -> None:
        detail: dict[str, object] = {"job": work.job.id}
        error, file = "", None
        try:
            pairs = self._collect(work)
            file = self._write(work.job, pairs)
            detail |= {"pairs": pairs.num_rows, "datasets": len(work.sources)}
        except PrivetError as failure:
            error = str(failure)
            event = replace(event, outcome=Outcome.FAILED, error=failure.code)
        except BaseException as failure:
            error = "the job failed unexpectedly"
            event = replace(event, outcome=Outcome.FAILED, error=type(failure).__name__)
            _log.exception("writing a token map failed unexpectedly", job=work.job.id)
            raise
        finally:
            event = replace(event, rows_read=work.progress.rows, detail=detail)
            self._end(work.job, event, file, error)

    def _end(self, job: TokenJob, event: Event, file: Path | None, error: str) -> None:
        """Say how it ended: on record first, for there is no map that is not."""
        try:
            self._platform.audit.record(event)
        except AuditUnavailable as failure:
            if file is not None:
                file.unlink(missing_ok=True)
            file, error = None, str(failure)
        self._platform.catalog.token_jobs.finish(
            job.id, file="" if file is None else str(file), error=error
        )

    def _collect(self, work: _Work) -> pa.Table:
        pairs = _Pairs()
        for name, columns in work.sources:
            for column in columns:
                for kernels in _kernels(work, column, self._platform):
                    self._add(work, name, column, kernels, pairs)
            work.progress.datasets += 1
            self._note(work, pairs)
        return pairs.merged()

    def _add(
        self, work: _Work, name: DatasetName, column: Column, kernels: _Kernels, pairs: _Pairs
    ) -> None:
        stream = read_columns(self._platform, work.asker, name, (column.name,), self._check)
        with stream:
            for batch in stream:
                work.progress.rows += batch.num_rows
                values = pc.unique(batch.column(0)).drop_null()
                if pairs.add(kernels.form, kernels.old(values), kernels.new(values)):
                    self._note(work, pairs)

    def _note(self, work: _Work, pairs: _Pairs) -> None:
        self._platform.catalog.token_jobs.progress(
            work.job.id,
            datasets_done=work.progress.datasets,
            rows_read=work.progress.rows,
            pairs=pairs.merged().num_rows,
        )

    def _check(self) -> None:
        if self._closing.is_set():
            raise Cancelled("the server is stopping", hint="ask for the map again")

    def _write(self, job: TokenJob, pairs: pa.Table) -> Path:
        folder = self._platform.token_maps
        assert folder is not None
        title = f"{job.domain}-v{job.from_version}-v{job.to_version}-{job.id}.parquet"
        ordered = pairs.sort_by([("form", "ascending"), ("old", "ascending")])
        return write_private(ordered, folder, title)


@dataclass(slots=True)
class _Progress:
    datasets: int = 0
    rows: int = 0


@dataclass(frozen=True, slots=True)
class _Work:
    """One job: what it reads, and on whose order."""

    job: TokenJob
    domain: Domain
    sources: tuple[tuple[DatasetName, tuple[Column, ...]], ...]
    asker: Principal
    progress: _Progress = field(default_factory=_Progress)


@dataclass(frozen=True, slots=True)
class _Kernels:
    form: str
    old: Kernel
    new: Kernel


class _Pairs:
    """Pairs of tokens, each once."""

    def __init__(self) -> None:
        self._parts: list[pa.Table] = [_SCHEMA.empty_table()]
        self._waiting = 0

    def add(self, form: str, old: pa.Array, new: pa.Array) -> bool:
        """Take pairs; says whether some were put together now."""
        forms = pa.repeat(pa.scalar(form, pa.string()), len(old))
        texts = [column.cast(pa.string()) for column in (old, new)]
        self._parts.append(pa.Table.from_arrays([forms, *texts], schema=_SCHEMA))
        self._waiting += len(old)
        if self._waiting < _MERGE_ROWS:
            return False
        self.merged()
        return True

    def merged(self) -> pa.Table:
        """All pairs so far.

        Raises:
            ResourcesExceeded: they are too many.
        """
        if len(self._parts) > 1:
            together = pa.concat_tables(self._parts)
            once = together.group_by(_SCHEMA.names).aggregate([]).select(_SCHEMA.names)
            self._parts, self._waiting = [once], 0
        if self._parts[0].num_rows > _MOST_PAIRS:
            raise ResourcesExceeded(
                f"the map would have more than {_MOST_PAIRS:,} pairs",
                hint="divide the domain: declare one for fewer tags",
            )
        return self._parts[0]


def _kernels(work: _Work, column: Column, platform: Platform) -> Iterator[_Kernels]:
    """For each form of tokens that the column can have, how it was and how it is."""
    job, domain, kind = work.job, work.domain, plain_type(column.type)
    if pat.is_binary(kind) or pat.is_large_binary(kind) or pat.is_fixed_size_binary(kind):
        # A map holds text, and such tokens are none.
        return
    for form in _FORMS:
        call = Call(form, (ColumnSlot(),))
        scopes = (
            KeyScope(domain.name, version, domain.canonical)
            for version in (job.from_version, job.to_version)
        )
        try:
            old, new = (bind(call, kind, scope, platform.derive) for scope in scopes)
        except TypeMismatch:
            # Such a column is hidden where it would be tokenized: it has no tokens.
            continue
        yield _Kernels(form, old, new)


def _earlier(domain: Domain, version: int | None) -> int:
    if domain.version == 1:
        raise Conflict(
            f"token domain `{domain.name}` was never rotated",
            hint="there are no earlier tokens to turn into new ones",
        )
    old = domain.version - 1 if version is None else version
    if not 1 <= old < domain.version:
        raise NotFound(
            f"token domain `{domain.name}` has no earlier key version {old}",
            hint=f"one of 1 to {domain.version - 1}",
        )
    return old
