"""The log under use: what is recorded can be found, and many callers share commits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event

from privet.audit import AuditLog
from privet.audit.group_commit import GroupCommit
from privet.model.errors import AuditUnavailable, InvalidRequest
from privet.model.events import Event, Outcome
from privet.store import open_engine, writing


def scan(user: str = "ada", **fields: Any) -> Event:
    return Event(**({"action": "scan.start", "outcome": Outcome.ALLOWED, "user": user} | fields))


def in_threads(count: int, work: Callable[[int], None]) -> None:
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_what_is_recorded_is_there_for_everybody(log: AuditLog, engine: Engine) -> None:
    """When `record` returns, another connection reads the very same event."""
    written = log.record(
        Event(
            "scan.end", Outcome.COMPLETED, "ada", "privet", ("b", "a"), "flight", "db.t",
            "SELECT\n1", bypass=True, permissions=("p1", "p2"), facts_version=7, rows_read=10,
            rows_returned=0, bytes_returned=2**40, error="e", parent="x", detail={"n": [1, {}]},
        )
    )  # fmt: skip
    assert written.id
    assert written.at is not None
    assert abs(datetime.now(UTC) - written.at) < timedelta(minutes=1)
    other = open_engine(engine.url.render_as_string())
    assert AuditLog(other, clock=lambda: datetime.now(UTC)).list_events() == (written,)
    other.dispose()


def test_filters_narrow_and_pages_meet(engine: Engine) -> None:
    """Newest first; pages by `before` give each event once, also while new ones arrive."""
    start = datetime(2026, 3, 1, tzinfo=UTC)
    moments = iter(start + timedelta(seconds=n) for n in range(100))
    log = AuditLog(engine, clock=lambda: next(moments))
    made = [
        log.record(
            scan(f"user{n % 2}", object=f"db.t{n % 3}", outcome=list(Outcome)[n % 5]),
        )
        for n in range(30)
    ]
    newest = made[::-1]
    assert log.list_events() == tuple(newest)
    assert log.list_events(user="user1", object="db.t0") == tuple(
        e for e in newest if (e.user, e.object) == ("user1", "db.t0")
    )
    assert len(log.list_events(outcome=Outcome.FAILED, action="scan.start")) == 6
    assert log.list_events(action="scan") == ()
    since, until = start + timedelta(seconds=10), start + timedelta(seconds=12)
    assert log.list_events(since=since, until=until) == (made[11], made[10])
    paged: list[Event] = []
    while page := log.list_events(
        limit=7, before=paged[-1].id if paged else None, until=start + timedelta(seconds=30)
    ):
        paged += page
        log.record(scan("late"))
    assert paged == newest


def test_a_filter_finds_a_name_that_was_escaped(log: AuditLog) -> None:
    """Asking for the name as it was given finds the event."""
    event = log.record(scan("a\nb"))
    assert log.list_events(user="a\nb") == (event,)


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0}, {"limit": 1001}, {"limit": -1}, {"before": "x"}, {"before": ""},
        {"since": datetime(2026, 1, 1)}, {"until": datetime(2026, 1, 1)},  # noqa: DTZ001
    ],
)  # fmt: skip
def test_queries_that_cannot_be_meant(log: AuditLog, query: dict[str, Any]) -> None:
    """They are refused with what to do."""
    with pytest.raises(InvalidRequest) as caught:
        log.list_events(**query)
    assert caught.value.hint


def test_many_callers_share_commits(log: AuditLog, engine: Engine) -> None:
    """All of them are recorded, with far fewer transactions than events."""
    commits: list[None] = []
    event.listen(engine, "commit", lambda _: commits.append(None))

    def work(number: int) -> None:
        for _ in range(20):
            log.record(scan(f"user{number}"))

    in_threads(16, work)
    assert len(log.list_events(limit=1000)) == 320
    assert len(commits) < 200


def test_one_failure_reaches_every_waiting_caller_and_no_later_one(engine: Engine) -> None:
    """While the store is locked all wait; when it refuses, all are told; then it works again."""
    log = AuditLog(engine, clock=lambda: datetime.now(UTC))
    log.record(scan("before"))
    outcomes: list[str] = []

    def work(number: int) -> None:
        try:
            log.record(scan(f"user{number}"))
        except AuditUnavailable as error:
            outcomes.append(error.code)

    with writing(engine) as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER full BEFORE INSERT ON audit_events BEGIN SELECT RAISE(ABORT, 'x'); END"
        )
    in_threads(8, work)
    with writing(engine) as connection:
        connection.exec_driver_sql("DROP TRIGGER full")
    assert outcomes == ["audit_unavailable"] * 8
    log.record(scan("after"))
    assert [e.user for e in log.list_events()] == ["after", "before"]


def test_one_bad_event_does_not_take_others_with_it(log: AuditLog) -> None:
    """What cannot be written is refused before it joins a transaction."""
    refused: list[int] = []

    def work(number: int) -> None:
        try:
            log.record(scan(f"user{number}\ud800\x00", rows_read=-1 if number == 3 else 2**63 - 1))
        except AuditUnavailable:
            refused.append(number)

    in_threads(8, work)
    assert refused == [3]
    assert len(log.list_events()) == 7


def test_a_closed_log_takes_nothing_and_loses_nothing(log: AuditLog) -> None:
    """Whatever was taken before `close` is there after it; what comes later is refused."""
    recorded: list[Event] = []
    refused: list[AuditUnavailable] = []
    at_close: set[str] = set()

    def work(number: int) -> None:
        try:
            while True:
                recorded.append(log.record(scan(f"user{number}")))
        except AuditUnavailable as error:
            refused.append(error)

    def close_soon(number: int) -> None:
        if number == 0:
            time.sleep(0.05)
            log.close()
            at_close.update(e.id for e in log.list_events(limit=1000))
        else:
            work(number)

    in_threads(5, close_soon)
    assert len(refused) == 4
    assert {e.id for e in log.list_events(limit=1000)} == {e.id for e in recorded} == at_close
    log.close()


def test_waiting_ends(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that hangs refuses after a while; what nobody began to write is withdrawn."""
    monkeypatch.setattr("privet.audit.group_commit._LONGEST_WAIT_SECONDS", 0.05)
    log = AuditLog(engine, clock=lambda: datetime.now(UTC))
    with writing(engine):
        leader = threading.Thread(target=lambda: log.record(scan("leader")))
        leader.start()
        time.sleep(0.05)
        start = time.monotonic()
        with pytest.raises(AuditUnavailable):
            log.record(scan("follower"))
        assert time.monotonic() - start < 10
    leader.join()
    log.record(scan("later"))
    assert [e.user for e in log.list_events()] == ["later", "leader"]


def test_the_queue_is_bounded(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that is slower than its callers refuses instead of holding ever more of them."""
    monkeypatch.setattr("privet.audit.group_commit._MAX_WAITING", 2)
    log = AuditLog(engine, clock=lambda: datetime.now(UTC))
    overloaded: list[int] = []

    def work(number: int) -> None:
        try:
            log.record(scan(f"user{number}"))
        except AuditUnavailable as error:
            assert "overloaded" in error.message  # noqa: PT017 - the text tells the two apart
            overloaded.append(number)

    with writing(engine):
        threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
        for thread in threads:
            thread.start()
            time.sleep(0.02)
    for thread in threads:
        thread.join()
    assert overloaded == [3, 4, 5]


def test_something_unforeseen_fails_closed(engine: Engine) -> None:
    """An error that is not the store's refuses the callers and leaves the log usable."""
    commits = GroupCommit(engine)
    with pytest.raises(OverflowError):
        commits.write({"id": "1", "at": datetime.now(UTC), "facts_version": 2**70})
    log = AuditLog(engine, clock=lambda: datetime.now(UTC))
    log.record(scan())
    assert len(log.list_events()) == 1
