"""Every statement that changes something is decided and on record, like a scan."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from privet.model.errors import Forbidden, NotFound, PrivetError
from privet.model.events import Event, Outcome
from privet.policy import definitions as d
from privet.policy import parse, shows
from privet.policy.language.statements import Statement
from query.platforms import Person, Place, open_place

ROWS = pa.table({"id": [1, 2], "word": ["a", "b"]})
DIAL = "'driver'='postgresql', 'host'='h', 'user'='secret:u', 'password'='secret:p', 'database'='d'"
STATEMENTS = (
    ("CREATE DATABASE IF NOT EXISTS r", "database.create"),
    ("ALTER DATABASE r SET DBPROPERTIES('a'='b')", "database.update"),
    ("CREATE ATTRIBUTE rec.x", "tag.create"),
    ("ALTER DATABASE r ADD ATTRIBUTE rec.x", "tag.assign"),
    ("CREATE TABLE r.t LOCATION '{files}'", "table.create"),
    ("ALTER TABLE r.t ADD ATTRIBUTE rec.x", "tag.assign"),
    ("ALTER TABLE r.t ADD COLUMN ATTRIBUTE word rec.x", "tag.assign"),
    ("ALTER TABLE r.t DROP COLUMN ATTRIBUTE word rec.x", "tag.unassign"),
    ("ALTER TABLE r.t SET TBLPROPERTIES('a'='b')", "dataset.update"),
    ("ALTER TABLE r.t REPLACE COLUMNS (id BIGINT, word STRING)", "dataset.update"),
    ("ALTER TABLE r.t EXECUTE AUTOTAG", "dataset.autotag"),
    ("ALTER TABLE r.t RENAME TO r.u", "dataset.rename"),
    ("CREATE TABLE r.text LOCATION '{text}'", "table.create"),
    ("ALTER TABLE r.text SET SERDEPROPERTIES('quoteChar'='')", "dataset.update"),
    ("CREATE ROLE recorded", "role.create"),
    ("GRANT ROLE recorded TO GROUP g", "role.grant"),
    ("GRANT SELECT ON TABLE r.u TO ROLE recorded", "permission.create"),
    ("DENY SELECT ON TABLE r.u HAVING ATTRIBUTE rec.x FROM ROLE recorded", "permission.create"),
    ("DROP DENY SELECT ON TABLE r.u HAVING ATTRIBUTE rec.x FROM ROLE recorded",
     "permission.delete"),
    ("REVOKE SELECT ON TABLE r.u FROM ROLE recorded", "permission.delete"),
    ("REVOKE ROLE recorded FROM GROUP g", "role.revoke"),
    ("CREATE VIEW r.v AS SELECT id FROM r.u", "view.create"),
    ("ALTER VIEW r.v AS SELECT word FROM r.u", "view.alter"),
    ("CREATE TABLE r.c AS SELECT id FROM r.u", "table.copy"),
    ("INSERT INTO r.c SELECT id FROM r.u", "table.insert"),
    ("DROP VIEW r.v", "dataset.delete"),
    ("DROP TABLE r.u INCLUDING PERMISSIONS", "dataset.delete"),
    ("CREATE CRAWLER walks SOURCE '{files}'", "crawl.start"),
    ("CREATE DATACONNECTION dial CXNPROPERTIES({dial})",
     "connection.create"),
    ("ALTER DATACONNECTION dial CXNPROPERTIES({dial})",
     "connection.update"),
    ("DROP DATACONNECTION dial", "connection.delete"),
    ("DROP CRAWLER walks", "crawl.delete"),
    ("ALTER DATABASE r DROP ATTRIBUTE rec.x", "tag.unassign"),
    ("DROP DATABASE r CASCADE", "database.delete"),
    ("DROP ATTRIBUTE rec.x", "tag.delete"),
    ("DROP ROLE recorded", "role.delete"),
)  # fmt: skip
REFUSED_ALWAYS = (d.SetLocation, d.AlterPartitions)
"""They change nothing for anybody."""
ELSEWHERE = (d.LoadDefinitions,)
"""Tried where there is a database to load from: tests/service/test_connections.py."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A platform with files to make tables of."""
    home = tmp_path_factory.mktemp("recorded")
    copies = home / "lake" / "copies"
    copies.mkdir(parents=True)
    with open_place(home, copy_roots=[str(copies)]) as place:
        pq.write_table(ROWS, made(place.lake / "files") / "part.parquet")
        (made(place.lake / "text") / "part.csv").write_text("id,word\n1,a\n")
        yield place


def made(folder: Path) -> Path:
    """A new folder."""
    folder.mkdir()
    return folder


def events(place: Place, person: Person) -> list[Event]:
    """What is on record of somebody, oldest first."""
    return list(place.platform.audit.list_events(user=person.user, limit=1000))[::-1]


def test_every_statement_is_decided_and_recorded(place: Place) -> None:
    """First that it is allowed and by which grant, then that it was done; every kind there is."""
    boss = place.person("GRANT ALL ON CATALOG", "GRANT MANAGE_GRANTS ON CATALOG", user="boss")
    nobody = place.person(user="nobody")
    kinds: set[type] = set()
    for template, action in STATEMENTS:
        text = template.format(files=place.lake / "files", text=place.lake / "text", dial=DIAL)
        kinds.add(type(parse(text)))
        seen = len(events(place, nobody))
        with pytest.raises((Forbidden, NotFound)) as caught:
            place.services.statements.execute(nobody.caller, text)
        refused = events(place, nobody)[seen:]
        assert refused, text
        assert refused[-1].outcome is Outcome.REFUSED, text
        assert caught.value.audit_id == refused[-1].id, text
        seen = len(events(place, boss))
        place.services.statements.execute(boss.caller, text)
        done = events(place, boss)[seen:]
        fresh = [e for e in done if e.action == action]
        outcomes = [e.outcome for e in fresh]
        assert outcomes[:1] == [Outcome.ALLOWED], (text, [e.action for e in done])
        assert Outcome.COMPLETED in outcomes or action == "crawl.start", text
        first = fresh[0]
        assert first.permissions, text
        assert not first.bypass, text
        assert (first.door, first.user) == ("test", "boss"), text
    every = {k for k in get_args(Statement) if k not in get_args(shows.Show)}
    assert every - kinds == {*REFUSED_ALWAYS, *ELSEWHERE}


def test_what_fails_is_recorded_as_failed(place: Place) -> None:
    """What was allowed and could not be done has an end that says so."""
    name = place.unique("database")
    place.services.statements.execute(place.admin.caller, f"CREATE DATABASE {name}")
    with pytest.raises(PrivetError) as caught:
        place.services.statements.execute(place.admin.caller, f"CREATE DATABASE {name}")
    told = [e for e in events(place, place.admin) if e.object == name]
    assert [e.outcome for e in told][-2:] == [Outcome.ALLOWED, Outcome.FAILED]
    assert told[-1].error == caught.value.code
    assert told[-1].parent == told[-2].id == caught.value.audit_id
