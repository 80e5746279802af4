"""Connections to databases: who defines them, and that no secret is in them or goes astray."""

from __future__ import annotations

import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from behaviours.conftest import PostgresServer
from privet.model.errors import Conflict, Forbidden, InvalidRequest, NotFound, PrivetError
from privet.service.statements.results import StatementResult
from query.platforms import Person, Place, open_place
from services.connected import secrets_in

PASSWORD = "pass-word-of-the-reader"
PROPERTIES = (
    "'driver'='postgresql', 'host'='127.0.0.1', 'user'='secret:user', 'password'='secret:word'"
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A platform with two secrets for loopback."""
    folder = tmp_path_factory.mktemp("connecting")
    secrets = secrets_in(folder, {"user": "reader\n", "word": PASSWORD})
    with open_place(folder / "place", secrets=secrets) as place:
        yield place


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A real PostgreSQL that asks for a password."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="privet-pg-", dir="/tmp"))
    try:
        server = PostgresServer(folder, free)
        server.execute(f"CREATE USER reader PASSWORD '{PASSWORD}'")
        yield free
        server.stop()
    finally:
        shutil.rmtree(folder)


def run(place: Place, person: Person, text: str) -> StatementResult:
    """Carry out a statement."""
    return place.services.statements.execute(person.caller, text)


def create(place: Place, person: Person, properties: str = PROPERTIES) -> str:
    """A new connection."""
    name = place.unique("link")
    run(place, person, f"CREATE DATACONNECTION {name} CXNPROPERTIES({properties})")
    return name


@pytest.mark.service
def test_a_database_lets_us_in(place: Place, port: int) -> None:
    """With the right password, and with no other; what is said then names no secret."""
    good = create(place, place.admin, f"{PROPERTIES}, 'port'='{port}'")
    assert place.services.connections.test(place.admin.caller, good).problem == ""
    swapped = PROPERTIES.replace("secret:word", "secret:user")
    bad = create(place, place.admin, f"{swapped}, 'port'='{port}'")
    problem = place.services.connections.test(place.admin.caller, bad).problem
    assert "did not let us in" in problem
    assert PASSWORD not in problem
    closed = create(place, place.admin, f"{PROPERTIES}, 'port'='1'")
    assert (
        "did not let us in" in place.services.connections.test(place.admin.caller, closed).problem
    )


@pytest.mark.service
def test_trying_before_it_is_defined(place: Place, port: int) -> None:
    """It takes the right to define one, or to change it; nothing is kept of it."""
    connections = place.services.connections
    good = {
        "driver": "postgresql",
        "host": "127.0.0.1",
        "port": str(port),
        "user": "secret:user",
        "password": "secret:word",
    }
    name = place.unique("tried")
    author = place.person("GRANT CREATE_DATACONNECTION_AS_OWNER ON CATALOG")
    assert connections.try_new(author.caller, name, good).problem == ""
    bad = connections.try_new(author.caller, name, {**good, "password": "secret:user"})
    assert "let us in" in bad.problem
    assert name not in {c.name for c in connections.list(place.admin.caller)}
    made = create(place, place.admin)
    with pytest.raises(Conflict):
        connections.try_new(author.caller, made, good)
    stranger = place.person()
    with pytest.raises(Forbidden):
        connections.try_new(stranger.caller, name, good)
    for absent in (made, name):
        with pytest.raises(NotFound):
            connections.try_changed(stranger.caller, absent, good)
    changer = place.person(f"GRANT ALTER ON DATACONNECTION {made}")
    assert connections.try_changed(changer.caller, made, good).problem == ""
    assert connections.get(place.admin.caller, made).port == 0


def test_a_secret_goes_to_its_hosts_alone(place: Place) -> None:
    """A connection of somebody to their own machine is not told it, nor whether there is one."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.2", 0))
        listener.listen()
        listener.settimeout(0.2)
        port = listener.getsockname()[1]
        theirs = PROPERTIES.replace("127.0.0.1", "127.0.0.2") + f", 'port'='{port}'"
        name = create(place, place.admin, theirs)
        known = place.services.connections.test(place.admin.caller, name).problem
        absent = create(place, place.admin, theirs.replace("secret:user", "secret:none"))
        unknown = place.services.connections.test(place.admin.caller, absent).problem
        assert known.replace("secret:user", "") == unknown.replace("secret:none", "")
        with pytest.raises(TimeoutError):
            listener.accept()


@pytest.mark.parametrize(
    "properties",
    [
        PROPERTIES.replace("secret:word", "hunter2"),
        PROPERTIES + ", 'sslpassword'='hunter2'",
        PROPERTIES + ", 'api_token'='hunter2'",
        PROPERTIES.replace("'host'='127.0.0.1', ", ""),
        PROPERTIES.replace("127.0.0.1", "/var/run/hunter2"),
        PROPERTIES.replace("127.0.0.1", "a b"),
        PROPERTIES.replace("'driver'='postgresql', ", ""),
        PROPERTIES + ", 'port'='65536'",
        PROPERTIES + ", 'user_key'='secret:hunter2'",
        PROPERTIES + ", 'connection_type'='FTP'",
    ],
)
def test_what_is_no_connection_is_refused(place: Place, properties: str) -> None:
    """By what is wrong, without repeating what may be a secret."""
    with pytest.raises(InvalidRequest) as told:
        create(place, place.admin, properties)
    assert "hunter2" not in f"{told.value} {told.value.hint}"


def test_the_names_of_the_original(place: Place) -> None:
    """Its statements define the same connection; its references are kept, not resolved."""
    name = create(
        place,
        place.admin,
        "'connection_type'='JDBC', 'jdbc_driver'='mysql', 'host'='db.example.org', 'port'='3306', "
        "'user_key'='awsps:///mysql/username', 'password_key'='awsps:///mysql/password', "
        "'jdbc.db.name'='jdbc_test', 'foo'='bar'",
    )
    made = place.services.connections.get(place.admin.caller, name)
    assert (made.driver, made.port, made.database) == ("mysql", 3306, "jdbc_test")
    assert made.properties == {"foo": "bar"}
    assert "no secret" in place.services.connections.test(place.admin.caller, name).problem


def test_rights(place: Place) -> None:
    """Each act takes its own; what one has no right on is not there."""
    name = create(place, place.admin)
    alter = f"ALTER DATACONNECTION {name} CXNPROPERTIES({PROPERTIES}, 'port'='1')"
    drop = f"DROP DATACONNECTION {name}"
    stranger = place.person()
    for text in (alter, drop, alter.replace(name, "nothing"), drop.replace(name, "nothing")):
        with pytest.raises(NotFound):
            run(place, stranger, text)
    with pytest.raises(PrivetError) as told:
        create(place, stranger)
    assert isinstance(told.value, Forbidden)
    assert place.services.connections.list(stranger.caller) == ()
    user = place.person(f"GRANT USE ON DATACONNECTION {name}")
    assert [c.name for c in place.services.connections.list(user.caller)] == [name]
    place.services.connections.test(user.caller, name)
    for text in (alter, drop):
        with pytest.raises(Forbidden):
            run(place, user, text)
    shown = place.person(f"GRANT SHOW ON DATACONNECTION {name}")
    with pytest.raises(Forbidden):
        place.services.connections.test(shown.caller, name)
    steward = place.person("GRANT CREATE_DATACONNECTION_AS_OWNER ON CATALOG")
    own = create(place, steward)
    run(place, steward, alter.replace(name, own))
    run(place, steward, f"DROP DATACONNECTION {own}")
    with pytest.raises(NotFound):
        run(place, steward, alter)


def test_lenient_statements(place: Place) -> None:
    """IF NOT EXISTS and IF EXISTS say that nothing is to do."""
    name = create(place, place.admin)
    text = f"CREATE DATACONNECTION IF NOT EXISTS {name} CXNPROPERTIES({PROPERTIES})"
    assert run(place, place.admin, text).message == "nothing to do"
    with pytest.raises(Conflict):
        run(place, place.admin, text.replace("IF NOT EXISTS ", ""))
    assert (name, "postgresql") in {
        row[:2] for row in run(place, place.admin, "SHOW DATACONNECTIONS").rows
    }
    run(place, place.admin, f"DROP DATACONNECTION {name}")
    gone = f"DROP DATACONNECTION IF EXISTS {name}"
    assert run(place, place.admin, gone).message == "nothing to do"


def test_a_secret_that_is_gone_is_told_without_its_place(tmp_path: Path) -> None:
    """Neither the file's path nor the variable's name is anybody's business."""
    secrets = [
        {"name": "user", "hosts": ["127.0.0.1"], "variable": "NO_SUCH_VARIABLE"},
        {"name": "word", "hosts": ["127.0.0.1"], "file": str(tmp_path / "gone")},
    ]
    with open_place(tmp_path / "place", secrets=secrets) as place:
        name = create(place, place.admin)
        problem = place.services.connections.test(place.admin.caller, name).problem
        assert problem.startswith("secret `user` cannot be read")
        assert "NO_SUCH" not in problem
