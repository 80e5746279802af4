"""Ids sort by time and never repeat."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from uuid import UUID

from privet.audit.ids import EventIds

AT = datetime(2026, 3, 1, 12, 0, 0, 123_456, tzinfo=UTC)


def test_an_id_is_a_uuid_of_version_7_with_its_time() -> None:
    """The first 48 bits are milliseconds since 1970."""
    uuid = UUID(EventIds().next(AT))
    assert (uuid.version, uuid.variant) == (7, "specified in RFC 4122")
    assert uuid.int >> 80 == int(AT.timestamp() * 1000)


def test_ids_ascend_whatever_the_clock_does() -> None:
    """While it stands, and when it steps back."""
    ids = EventIds()
    moments = [AT] * 5000 + [AT - timedelta(hours=1)] * 5 + [AT + timedelta(seconds=2)]
    made = [ids.next(at) for at in moments]
    assert made == sorted(set(made))


def test_a_microsecond_is_enough_to_order_two_logs() -> None:
    """Ids of different processes sort by time as well."""
    for micros in range(0, 2000, 7):
        at = AT + timedelta(microseconds=micros)
        assert EventIds().next(at) < EventIds().next(at + timedelta(microseconds=1))


def test_threads_never_get_the_same() -> None:
    """Each of many threads gets its own, all ascending."""
    ids = EventIds()
    made: list[list[str]] = [[] for _ in range(4)]

    def make(into: list[str]) -> None:
        into.extend(ids.next(AT) for _ in range(500))

    threads = [threading.Thread(target=make, args=(into,)) for into in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({one for part in made for one in part}) == 2000
    assert all(part == sorted(part) for part in made)
