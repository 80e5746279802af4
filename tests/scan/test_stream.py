"""A governed stream: its limit, its budget, and the one end that each scan has."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from enforcement.plans import column, plan, where
from privet.enforcement import EnforcedPlan
from privet.model.errors import Cancelled, Revoked, SourceInvalid
from privet.scan import BufferBudget, Engine, parquet_source, recut, stream
from scan.sources import Ending, engine_over, parquet_of, started

ROWS, GROUP, BATCH = 2_000, 100, 70


@pytest.fixture
def governed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EnforcedPlan:
    """A dataset of many pieces, whole and in the clear."""
    monkeypatch.setattr(parquet_source, "PIECE_ROWS", GROUP)
    monkeypatch.setattr(stream, "recut", lambda found: recut.recut(found, BATCH))
    pq.write_table(pa.table({"id": range(ROWS)}), tmp_path / "p.parquet", row_group_size=GROUP)
    return plan(parquet_of(tmp_path, column("id", pa.int64())))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with engine_over(tmp_path, workers=2) as engine:
        yield engine


def limited(governed: EnforcedPlan, limit: int, filter_: str = "id >= 0") -> EnforcedPlan:
    return where(governed.dataset, filter_, limit=limit)


def test_a_whole_scan(governed: EnforcedPlan, engine: Engine) -> None:
    """Rows in order; read, returned and bytes are counted; it is completed once."""
    ending = Ending()
    with started(governed, engine, ending) as scan:
        assert scan.schema == governed.schema
        ids = [n for batch in scan for n in batch["id"].to_pylist()]
    assert ids == list(range(ROWS))
    progress = ending.only
    assert (progress.outcome, progress.error) == ("completed", "")
    assert progress.rows_read == progress.rows_returned == ROWS
    assert progress.bytes_returned >= ROWS * 8


@pytest.mark.parametrize("limit", [0, 1, BATCH - 1, BATCH, BATCH + 1, GROUP, ROWS, ROWS + 5])
def test_limits(governed: EnforcedPlan, engine: Engine, limit: int) -> None:
    """Exactly so many rows, the first ones, and what is beyond is hardly read."""
    ending = Ending()
    with started(limited(governed, limit), engine, ending) as scan:
        ids = [n for batch in scan for n in batch["id"].to_pylist()]
    assert ids == list(range(min(limit, ROWS)))
    assert ending.only.outcome == "completed"
    assert ending.only.rows_read <= limit + GROUP * 2 + BATCH


def test_limits_count_visible_rows(governed: EnforcedPlan, engine: Engine) -> None:
    """Hidden rows do not use the limit up."""
    with started(limited(governed, 5, "id % 400 = 0"), engine) as scan:
        ids = [n for batch in scan for n in batch["id"].to_pylist()]
    assert ids == [0, 400, 800, 1200, 1600]


def test_closed_early(governed: EnforcedPlan, engine: Engine) -> None:
    """The rows so far are on record, once, as a cancelled scan; closing again says nothing."""
    ending = Ending()
    with started(governed, engine, ending) as scan:
        batch = next(iter(scan))
    scan.close()
    assert ending.only.outcome == "cancelled"
    assert ending.only.rows_returned == batch.num_rows == BATCH


def test_never_read(governed: EnforcedPlan, engine: Engine) -> None:
    """A stream that is closed before its first batch read nothing and is cancelled."""
    ending = Ending()
    started(governed, engine, ending).close()
    assert ending.only.outcome == "cancelled"
    assert ending.only.rows_read == 0


def test_dropped(governed: EnforcedPlan, engine: Engine) -> None:
    """A client that vanishes leaves an end behind too."""
    ending = Ending()
    batches = started(governed, engine, ending).begin()
    next(batches)
    del batches
    deadline = time.monotonic() + 5
    while not ending.heard and time.monotonic() < deadline:
        gc.collect()
        time.sleep(0.01)
    assert ending.only.outcome == "cancelled"


def test_failed_in_the_middle(tmp_path: Path, governed: EnforcedPlan, engine: Engine) -> None:
    """The rows before the failure are counted, and the failure has its code."""
    (tmp_path / "q.parquet").write_bytes(b"PAR1 and then nothing that could be read")
    ending = Ending()
    with pytest.raises(SourceInvalid), started(governed, engine, ending) as scan:
        for _ in scan:
            pass
    progress = ending.only
    assert (progress.outcome, progress.error) == ("failed", "source_invalid")
    assert 0 < progress.rows_returned <= progress.rows_read <= ROWS


def test_revoked_while_it_runs(
    governed: EnforcedPlan, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check is asked as time passes; what it raises ends the scan, with rows so far."""
    monkeypatch.setattr(stream, "CHECK_SECONDS", 0.0)
    asked: list[int] = []

    def check() -> None:
        asked.append(1)
        if len(asked) == 4:
            raise Revoked("the token was revoked", hint="log in again")

    ending = Ending()
    with pytest.raises(Revoked), started(governed, engine, ending, check=check) as scan:
        for _ in scan:
            pass
    assert (ending.only.outcome, ending.only.error) == ("failed", "revoked")
    assert 0 < ending.only.rows_returned < ROWS


def test_checked_also_where_no_row_is_visible(
    governed: EnforcedPlan, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scan that reads and reads without a visible row ends by its deadline as well."""
    monkeypatch.setattr(stream, "CHECK_SECONDS", 0.0)

    def check() -> None:
        raise Revoked("the scan took longer than this server allows", hint="read less")

    ending = Ending()
    hidden = where(governed.dataset, "id + 0 < 0")
    with pytest.raises(Revoked), started(hidden, engine, ending, check=check) as scan:
        for _ in scan:
            pass
    assert ending.only.outcome == "failed"
    assert ending.only.rows_read < ROWS


def test_called_off(governed: EnforcedPlan, engine: Engine) -> None:
    """When the engine closes, stalled scans are on record at once and give nothing more."""
    ending = Ending()
    scan = started(governed, engine, ending)
    next(iter(scan))
    engine.close()
    assert ending.only.outcome == "cancelled"
    with pytest.raises(Cancelled):
        for _ in scan:
            pass
    assert len(ending.heard) == 1
    late = Ending()
    with pytest.raises(Cancelled), started(governed, engine, late) as other:
        next(iter(other))
    assert late.only.outcome == "cancelled"


def test_a_failing_record_of_the_end_is_heard(governed: EnforcedPlan, engine: Engine) -> None:
    """If the end cannot be recorded, the reader gets the error, and not a complete answer."""

    def refuse(_: object) -> None:
        raise Revoked("no room for the record", hint="wait")

    scan = stream.run(governed, engine, refuse, check=lambda: None)
    with pytest.raises(Revoked):
        for _ in scan:
            pass


class Watched(BufferBudget):
    """A budget that remembers the most that was ever lent, beyond each scan's first piece."""

    def __init__(self, total: int, workers: int) -> None:
        super().__init__(total, workers)
        self.limit = total
        self.most_beyond = 0
        self.most_ahead = 0
        self._watch = threading.Lock()
        self._beyond = 0

    def borrow(self, size: int, held: int) -> bool:
        lent = super().borrow(size, held)
        with self._watch:
            if lent and held:
                self.most_ahead = max(self.most_ahead, held + 1)
                self.most_beyond = max(self.most_beyond, self._lent)
        return lent


def test_the_budget_is_kept(governed: EnforcedPlan, engine: Engine) -> None:
    """Pieces ahead of the reader fit the budget and the number of threads, and all come back."""
    budget = Watched(total=3 * GROUP * 9, workers=4)
    busy = Engine(engine.connectors, budget)
    scans = [started(governed, busy) for _ in range(6)]
    threads = [threading.Thread(target=lambda s=s: sum(b.num_rows for b in s)) for s in scans]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(s.progress.rows_returned == ROWS for s in scans)
    assert budget.most_beyond <= budget.limit
    assert budget.most_ahead <= 5
    assert (budget._lent, budget._scans) == (0, 0)
    busy.close()


def test_what_is_lent_comes_back_however_a_scan_ends(
    governed: EnforcedPlan, engine: Engine
) -> None:
    """However a scan ends: closed early, unread, or by its limit."""
    budget = engine.budget
    scan = started(governed, engine)
    next(iter(scan))
    scan.close()
    started(governed, engine).close()
    with started(limited(governed, 1), engine) as short:
        list(short)
    assert (budget._lent, budget._scans) == (0, 0)


def test_stalled_readers_block_nobody(governed: EnforcedPlan, engine: Engine) -> None:
    """With a budget that one scan alone uses up, others still read to their end."""
    tight = Engine(engine.connectors, BufferBudget(total=1, workers=2))
    stalled = [started(governed, tight) for _ in range(4)]
    for scan in stalled:
        next(iter(scan))
    began = time.monotonic()
    with started(governed, tight) as scan:
        assert sum(b.num_rows for b in scan) == ROWS
    assert time.monotonic() - began < 30
    for scan in stalled:
        scan.close()
    tight.close()
    assert (tight.budget._lent, tight.budget._scans) == (0, 0)
