"""Crawls on the command line: reports, schedules, and what is asked of the wrong thing."""

from __future__ import annotations

import json

import pytest

from doors.doors import Run
from doors.servers import TrialServer
from doors.steward import unique

pytestmark = pytest.mark.service


def test_a_crawl_and_its_report(server: TrialServer, command: Run) -> None:
    """What was new, what stayed, what could not be read; as text and as JSON."""
    name, lake = unique("reported"), server.lake / unique("lake")
    (lake / "t").mkdir(parents=True)
    (lake / "t/a.csv").write_text("id\n1\n")
    (lake / "t/_SUCCESS").write_text("")
    (lake / "t/odd\nname.csv").write_text("id\n1\n")
    done = command("crawl", str(lake), "--name", name, "--wait")
    assert done.exit_code == 0, done.output
    assert "3 files seen: 1 new, 0 changed, 0 unchanged; 0 gone" in done.stdout
    assert "1 of them passed over" in done.stdout
    assert "a name that no address can hold" in done.stdout
    (lake / "t/odd\nname.csv").unlink()
    command("crawl", str(lake), "--name", name, "--wait")
    again = command("crawl", str(lake), "--name", name, "--wait")
    assert "since nothing of them changed: 1;" in again.stdout
    assert "files were opened 0 times" in again.stdout
    assert f"next: `privet register {name} t --database DATABASE`" in again.stdout
    shown = json.loads(command("crawler", "show", name, "--json").stdout)
    assert (shown["run"], shown["report"]["unchanged"]) == (3, 1)
    assert command("crawler", "show", name).stdout == again.stdout


def test_a_schedule_is_set_listed_and_taken_away(server: TrialServer, command: Run) -> None:
    """With the moment that it is due; a crawl that does not run cannot be cancelled."""
    name, lake = unique("scheduled"), server.lake / unique("lake")
    lake.mkdir()
    (lake / "a.csv").write_text("id\n1\n")
    command("crawl", str(lake), "--name", name, "--wait")
    due = command("crawler", "schedule", name, "30 4 1 1 *")
    assert due.exit_code == 0, due.output
    assert "-01-01T04:30:00" in due.stdout
    assert "-01-01T04:30:00" in command("crawler", "list").stdout
    wrong = command("crawler", "schedule", name, "now and then")
    assert wrong.exit_code != 0
    assert "0 3 * * *" in wrong.output
    assert command("crawler", "unschedule", name).exit_code == 0
    assert "no schedule" in command("crawler", "unschedule", name).output
    assert "is not running" in command("crawler", "cancel", name).output
    assert command("crawler", "drop", name).exit_code == 0
    assert command("crawler", "show", name).exit_code != 0


def test_registering_tells_of_filters_that_do_not_fit(server: TrialServer, command: Run) -> None:
    """They are over columns of other datasets of the database."""
    name, lake = unique("misfit"), server.lake / unique("lake")
    for folder, header in (("one", "id,opted_out"), ("two", "id,city")):
        (lake / folder).mkdir(parents=True)
        (lake / folder / "a.csv").write_text(f"{header}\n1,2\n")
    command("crawl", str(lake), "--name", name, "--wait")
    first = command("register", name, "one", "--database", name, "--new-database")
    assert (first.exit_code, first.stderr) == (0, "")
    command("role", "create", name)
    command("sql", f"GRANT SELECT ON DATABASE {name} WHERE opted_out != 1 TO ROLE {name}")
    second = command("register", name, "two", "--database", name)
    assert second.exit_code == 0
    assert f"warning: on `{name}.two` GRANT of role `{name}` grants nothing" in second.stderr
    assert "no column `opted_out`" in second.stderr
