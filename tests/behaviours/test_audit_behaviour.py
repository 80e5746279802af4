"""What must hold of the audit log on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, delete, update

from privet.audit import AuditLog, Reach
from privet.model.errors import AuditUnavailable, Conflict, InvalidRequest
from privet.model.events import Event, Outcome
from privet.store import writing
from privet.store.tables import audit_events

Open = Callable[[], Engine]


def _log(engine: Engine) -> AuditLog:
    return AuditLog(engine, clock=lambda: datetime.now(UTC))


def _scan(user: str = "ada") -> Event:
    return Event(
        "scan.start", Outcome.ALLOWED, user, "privet", ("b", "a\x00"), "flight", "db.t", "s\ud800",
        bypass=True, permissions=("p",), facts_version=2**40, rows_read=2**60,
        detail={"nul": "\x00", "big": 2**70, "deep": [{"x": None}]},
    )  # fmt: skip


def test_another_server_reads_what_was_recorded(open_store: Open) -> None:
    """The same event, field by field, moment and text included."""
    written = _log(open_store()).record(_scan())
    assert _log(open_store()).list_events() == (written,)


def test_two_servers_record_at_once(open_store: Open) -> None:
    """Nothing is lost, and pages hold each event once, newest first."""
    logs = [_log(open_store()) for _ in range(2)]
    ids: list[str] = []

    def work(number: int) -> None:
        for _ in range(5):
            ids.append(logs[number % 2].record(_scan(f"user{number}")).id)  # noqa: PERF401 - threads share it

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    paged: list[str] = []
    while page := logs[0].list_events(limit=9, before=paged[-1] if paged else None):
        paged += [event.id for event in page]
    assert paged == sorted(ids, reverse=True)
    assert len(logs[1].list_events(user="user3", action="scan.start")) == 5


def test_the_record_cannot_be_changed(open_store: Open) -> None:
    """Neither changed nor deleted, by the server's own user."""
    engine = open_store()
    written = _log(engine).record(_scan())
    for statement in (update(audit_events).values(user="eve"), delete(audit_events)):
        with pytest.raises(Conflict), writing(engine) as connection:
            connection.execute(statement)
    assert _log(engine).list_events() == (written,)


def test_a_log_without_its_table_refuses(open_store: Open) -> None:
    """Whatever is wrong with the database, the caller is told not to go on."""
    engine = open_store()
    with writing(engine) as connection:
        connection.exec_driver_sql("DROP TABLE audit_events")
    with pytest.raises(AuditUnavailable, match="could not be written"):
        _log(engine).record(_scan())


def test_the_history_of_a_role_is_what_was_done_to_it(open_store: Open) -> None:
    """Not what was refused or failed, not other roles, whatever else the details hold."""
    log = _log(open_store())

    def act(action: str, role: str, outcome: Outcome | None, **detail: str) -> str:
        event = Event(action, Outcome.ALLOWED, "ada", detail={"role": role, **detail})
        asked = log.record(event)
        if outcome is not None:
            log.record(replace(event, outcome=outcome, parent=asked.id, detail={}))
        return asked.id

    made = act("role.create", "r", Outcome.COMPLETED)
    act("role.delete", "r", Outcome.FAILED)
    act("permission.create", "r", None)
    mapped = act("role.grant", "r", Outcome.COMPLETED, group="\x00g")
    act("role.grant", "other", Outcome.COMPLETED, group="r")
    act("scan.start", "r", Outcome.COMPLETED)
    assert [event.id for event in log.role_history("r")] == [mapped, made]
    assert [event.id for event in log.role_history("r", limit=1, before=mapped)] == [made]
    with pytest.raises(InvalidRequest):
        log.role_history("r", limit=0)


def test_the_audit_of_a_database_is_what_happened_in_it(open_store: Open) -> None:
    """Names compared whole, wildcards as letters; one's own events are there as well."""
    log = _log(open_store())
    for number, (action, on) in enumerate((
        ("scan.start", "a_b.t"),
        ("database.create", "a_b"),
        ("permission.create", "a_b"),
        ("scan.start", "axb.t"),
        ("scan.start", "a_bc.t"),
        ("role.create", "a_b"),
        ("tag.create", "a_b.t"),
        ("permission.create", "catalog"),
    )):  # fmt: skip
        log.record(Event(action, Outcome.ALLOWED, f"user{number}", object=on))
    log.record(Event("session.login", Outcome.ALLOWED, "me"))
    reach = Reach("me", frozenset({"a_b", "catalog"}))
    seen = log.list_events(reach=reach)
    assert [e.user for e in seen] == ["me", "user2", "user1", "user0"]
    assert [reach.about(e) for e in seen] == [False, True, True, True]
    assert log.list_events(reach=Reach("nobody")) == ()
