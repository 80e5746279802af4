"""The log and the machine: full disks, kill -9, and hands that would change the record."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

BUSY = """
import os, sys, threading
from datetime import UTC, datetime
from privet.audit import AuditLog
from privet.model.events import Event, Outcome
from privet.store import open_engine

log = AuditLog(open_engine(f"sqlite:///{sys.argv[1]}"), clock=lambda: datetime.now(UTC))

def work():
    while True:
        event = log.record(Event("scan.start", Outcome.ALLOWED, "ada", statement="x" * 500))
        os.write(1, (event.id + "\\n").encode())

for _ in range(8):
    threading.Thread(target=work).start()
"""

FULL_DISK = """
import os, resource, sys, threading
from datetime import UTC, datetime
from pathlib import Path
from privet.audit import AuditLog
from privet.model.errors import AuditUnavailable
from privet.model.events import Event, Outcome
from privet.store import open_engine

path = Path(sys.argv[1])
log = AuditLog(open_engine(f"sqlite:///{path}"), clock=lambda: datetime.now(UTC))
event = Event("scan.start", Outcome.ALLOWED, "ada", statement="x" * 60_000)
small = Event("scan.start", Outcome.ALLOWED, "ada")
returned = [log.record(small).id]
wal = Path(f"{path}-wal")
room = wal.stat().st_size + 300_000
resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
refused = 0
lock = threading.Lock()

def work():
    global refused
    for _ in range(10):
        try:
            written = log.record(event)
        except AuditUnavailable as error:
            assert error.__cause__ is not None
            with lock:
                refused += 1
        else:
            with lock:
                returned.append(written.id)

threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert refused > 20, refused
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
returned.append(log.record(event).id)
print(*returned, sep="\\n")
"""


def run(code: str, database: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code, str(database)],
        stdout=subprocess.PIPE,
        text=True,
    )


def stored_ids(database: Path) -> set[str]:
    """The ids in a database that is whole."""
    connection = sqlite3.connect(database)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return {row[0] for row in connection.execute("SELECT id FROM audit_events")}
    finally:
        connection.close()


def test_a_full_disk_refuses_and_what_was_promised_is_kept(database: Path) -> None:
    """Each event that returned is there, each that was refused is not, and room brings it back."""
    process = run(FULL_DISK, database)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert stored_ids(database) == set(output.split())


@pytest.mark.parametrize("pause", [0.1, 0.35])
def test_kill_9_loses_nothing_that_returned(database: Path, pause: float) -> None:
    """Eight threads record while the process dies; the database is whole and holds all of them."""
    process = run(BUSY, database)
    assert process.stdout is not None
    # Past the buffer of the stream, whose content the rest would come without.
    first = os.read(process.stdout.fileno(), 65_536).decode()
    time.sleep(pause)
    os.kill(process.pid, signal.SIGKILL)
    rest, _ = process.communicate(timeout=30)
    complete = (first + rest).rpartition("\n")[0].split()
    assert len(complete) > 8
    stored = stored_ids(database)
    assert stored >= set(complete)
    assert len(stored) <= len(complete) + 8


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_events SET user = 'eve'",
        "UPDATE audit_events SET seq = 99",
        "DELETE FROM audit_events",
        "REPLACE INTO audit_events SELECT * FROM audit_events",
    ],
)
def test_nobody_changes_the_record(database: Path, statement: str) -> None:
    """The database itself refuses what is not an addition."""
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute(
        "INSERT INTO audit_events VALUES (1, 'i', '2026-03-01', 'a', 'allowed', 'ada', '', '[]',"
        " '', '', '', 0, '[]', 0, NULL, NULL, NULL, '', '', '{}')"
    )
    with pytest.raises(sqlite3.IntegrityError, match="audit events are never"):
        connection.execute(statement)
    assert connection.execute("SELECT seq, user FROM audit_events").fetchall() == [(1, "ada")]
    connection.close()
