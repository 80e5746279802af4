"""Attributes through a running server: where they come from, who sees them, and what if not."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pyarrow.flight as fl
import pytest
from typer.testing import CliRunner, Result

from doors.servers import TrialServer, bearer, refused_start
from doors.steward import Steward, unique
from doors.tokens import signed
from privet.cli import app

pytestmark = pytest.mark.service

PROVIDER = """#!{python}
import pathlib, sys
with open({folder!r} + "/asked", "a") as asked:
    asked.write(sys.argv[1] + chr(10))
sys.stdout.write(pathlib.Path({folder!r}, sys.argv[1]).read_text())
"""


class Directory:
    """A folder with a file for each user, and the program that looks into it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.program = folder / "provider"
        self.program.write_text(PROVIDER.format(python=sys.executable, folder=str(folder)))
        self.program.chmod(0o700)
        self.file = folder / "users.toml"
        self.write_file("")

    def says(self, user: str, said: str) -> str:
        """Let it say something of a user."""
        (self.folder / user).write_text(said)
        return user

    def write_file(self, text: str) -> None:
        """Replace the settings' file whole."""
        fresh = self.folder / "fresh"
        fresh.write_text(text)
        fresh.chmod(0o600)
        fresh.replace(self.file)

    def asked(self, user: str) -> int:
        """How often it was asked."""
        return (self.folder / "asked").read_text().split().count(user)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Directory:
    made = Directory(tmp_path_factory.mktemp("users") / "directory")
    made.says("admin", "{}")
    return made


@pytest.fixture(scope="module")
def knowing(
    directory: Directory, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TrialServer]:
    """A server with a settings' file and a program."""
    running = TrialServer(
        tmp_path_factory.mktemp("knowing") / "server",
        PRIVET_USER_ATTRIBUTES_FILE=str(directory.file),
        PRIVET_USER_ATTRIBUTES_COMMAND=json.dumps([str(directory.program)]),
    )
    running.start()
    yield running
    assert running.terminate() == 0


def whoami(server: TrialServer, token: str) -> dict[str, Any]:
    """Who the server says that one is."""
    with server.http(token) as http:
        got = http.get("/v1/whoami")
    assert got.status_code == 200, got.text
    return got.json()


def privet(server: TrialServer, *arguments: str, token: str = "") -> Result:
    """The command, as the admin unless a token is given."""
    mine = {"PRIVET_URL": server.rest_url, "PRIVET_TOKEN": token or server.admin_token}
    return CliRunner().invoke(app, arguments, env=mine)


def test_everything_that_is_known_comes_together(
    knowing: TrialServer, directory: Directory
) -> None:
    """Claims, file and program, at both doors, and in the command."""
    user = directory.says(unique("ada"), '{"Level": 3, "regions": ["n", "s,e"], "whoami": "root"}')
    directory.write_file(f'[{user}]\ndept = "claims"\nlevel = "2"\n')
    token = signed(knowing, user, attributes={"dept": "x", "badge": True})
    attributes = {
        "badge": "true", "dept": "claims", "level": "3", "regions": 'n,"s,e"', "whoami": user,
    }  # fmt: skip
    assert whoami(knowing, token)["attributes"] == attributes
    with knowing.flight() as client:
        (got,) = client.do_action(fl.Action("privet.call", b'{"use": "whoami"}'), bearer(token))
    assert json.loads(got.body.to_pybytes())["result"]["attributes"] == attributes
    said = privet(knowing, "whoami", token=token)
    assert "attributes:" in said.stdout
    assert '"dept": "claims"' in said.stdout
    assert directory.asked(user) == 1


def test_a_change_of_the_file_is_seen_at_once(knowing: TrialServer, directory: Directory) -> None:
    """One that spoils it refuses everybody, until it is mended."""
    user = directory.says(unique("ada"), "{}")
    token = knowing.token(user)
    assert whoami(knowing, token)["attributes"] == {"whoami": user}
    directory.write_file(f"[{user}]\ndept = 1\n")
    assert whoami(knowing, token)["attributes"] == {"dept": "1", "whoami": user}
    directory.write_file(f"[{user}")
    with knowing.http(token) as http:
        is_unavailable(http.get("/v1/whoami"))
        is_unavailable(http.get("/v1/datasets/a/b/scan"))
    directory.write_file("")
    assert whoami(knowing, token)["attributes"] == {"whoami": user}


def is_unavailable(got: httpx2.Response) -> None:
    """A refusal that can be tried again, and is on record."""
    assert (got.status_code, got.json()["code"]) == (503, "attributes_unavailable"), got.text
    assert got.json()["hint"]
    assert got.json()["audit_id"]
    assert "Traceback" not in got.text


@pytest.mark.parametrize("said", [None, "", "[]", '{"a": null}', '{"a": 1, "A": 2}', "{} {}"])
def test_without_an_answer_nothing_is_answered(
    knowing: TrialServer, directory: Directory, said: str | None
) -> None:
    """At both doors, for them alone; with an answer, all is well."""
    user = unique("ada")
    token = knowing.token(user)
    if said is not None:
        directory.says(user, said)
    with knowing.http(token) as http:
        for path in ("/v1/whoami", "/v1/datasets", "/v1/datasets/a/b/scan", "/v1/tags"):
            is_unavailable(got := http.get(path))
            assert str(directory.folder) not in got.text
        is_unavailable(http.post("/v1/sql", json={"statement": "SELECT 1"}))
        (event,) = knowing.events(id=got.json()["audit_id"], action="session.authenticate")[:1]
        assert (event["outcome"], event["error"]) == ("refused", "attributes_unavailable")
    with knowing.flight() as client, pytest.raises(fl.FlightUnavailableError):
        list(client.do_action(fl.Action("privet.call", b'{"use": "whoami"}'), bearer(token)))
    assert whoami(knowing, knowing.admin_token)["user"] == "admin"
    directory.says(user, '{"a": "b"}')
    assert whoami(knowing, token)["attributes"] == {"a": "b", "whoami": user}


def test_an_answer_holds_for_a_while(knowing: TrialServer, directory: Directory) -> None:
    """Also when the program is broken meanwhile; and it is that user's alone."""
    user, other = directory.says(unique("ada"), '{"a": 1}'), directory.says(unique("bob"), "{}")
    token = knowing.token(user)
    whoami(knowing, token)
    directory.says(user, "nonsense")
    assert whoami(knowing, token)["attributes"] == {"a": "1", "whoami": user}
    assert whoami(knowing, knowing.token(other))["attributes"] == {"whoami": other}
    assert directory.asked(user) == 1


def test_only_administrators_ask_about_others(knowing: TrialServer, directory: Directory) -> None:
    """It reads as if nothing were there; both are on record."""
    user = directory.says(unique("ada"), '{"badge": 7}')
    path = f"/v1/users/{user}/attributes"
    with knowing.http(knowing.admin_token) as http:
        assert http.get(path).json() == {"user": user, "attributes": {"badge": "7", "whoami": user}}
        is_unavailable(http.get(f"/v1/users/{unique('x')}/attributes"))
        assert http.get("/v1/users/%20/attributes").status_code == 400
    curious = directory.says(unique("eve"), "{}")
    with knowing.http(knowing.token(curious)) as http:
        for asked in (user, curious, unique("x")):
            got = http.get(f"/v1/users/{asked}/attributes")
            assert (got.status_code, got.json()["code"]) == (404, "not_found")
            assert "7" not in got.json()["detail"]
    events = knowing.events(action="user.attributes", object=user)
    assert [(e["user"], e["outcome"]) for e in events if e["object"] == user] == [
        (curious, "refused"), ("admin", "allowed"),
    ]  # fmt: skip


def test_the_command_asks_about_others(knowing: TrialServer, directory: Directory) -> None:
    """As a table, or as JSON; a name with a slash is one name."""
    (directory.folder / "a").mkdir(exist_ok=True)
    user = directory.says(f"a/{unique('ada')}", '{"badge": [1]}')
    assert privet(knowing, "user", "attributes", user).exit_code != 0
    directory.says(user, '{"badge": "7"}')
    told = privet(knowing, "user", "attributes", user, "--json")
    assert json.loads(told.stdout) == {"user": user, "attributes": {"badge": "7", "whoami": user}}
    told = privet(knowing, "user", "attributes", user)
    assert ["badge", "7"] in [line.split() for line in told.stdout.splitlines()]
    refused = privet(knowing, "user", "attributes", user, token=knowing.token("admin2"))
    assert refused.exit_code != 0


def test_a_narrowed_token_is_known_with_all_groups(server: TrialServer) -> None:
    """Those it leaves out give no role, and are there for safeguards."""
    user, password = unique("ada"), "correct horse battery"
    rest = server.rest()
    rest.post("/v1/users", {"user": user, "password": password, "groups": ["a", "b"]})
    role = unique("role")
    rest.post("/v1/roles", {"name": role})
    rest.put(f"/v1/roles/{role}/groups/b")
    for token in (server.token(user, "a"), signed(server, user, "a", all_groups=["a"])):
        known = whoami(server, token)
        assert (known["groups"], known["other_groups"]) == (["a"], ["b"])
        assert role not in known["roles"]
    known = whoami(server, signed(server, user, "a", all_groups=["c"]))
    assert known["other_groups"] == ["b", "c"]
    whole = rest.post("/v1/login", {"user": user, "password": password})["token"]
    known = whoami(server, whole)
    assert (known["groups"], known["other_groups"]) == (["a", "b"], [])
    assert role in known["roles"]


def rows(server: TrialServer, dataset: str, token: str) -> list[str]:
    """The lines of a scan, without the head."""
    with server.http(token) as http:
        got = http.get(f"/v1/datasets/{dataset.replace('.', '/')}/scan", params={"format": "csv"})
    return (
        got.text.replace(chr(34), "").split()[1:]
        if got.status_code == 200
        else [got.json()["code"]]
    )


def test_one_grant_shows_each_user_their_own(knowing: TrialServer, directory: Directory) -> None:
    """Readers of one role in turn, several times: nobody gets what another's attributes show."""
    steward = Steward(knowing)
    dataset = steward.dataset("region\nnorth\nsouth\neast\n")
    grant = f"GRANT SELECT ON TABLE {dataset} WHERE in_set(region, user_attribute('Regions'))"
    group = steward.reader(grant).group
    shown = {
        directory.says(unique("n"), '{"regions": "north"}'): ["north"],
        directory.says(unique("se"), '{"regions": ["south", "east"]}'): ["south", "east"],
        directory.says(unique("none"), "{}"): ["not_found"],
        unique("unknown"): ["attributes_unavailable"],
    }
    tokens = {user: knowing.token(user, group) for user in shown}
    for _ in range(3):
        for user, expected in shown.items():
            assert rows(knowing, dataset, tokens[user]) == expected
    steward.sql(
        f"GRANT SELECT ON TABLE {dataset} WHERE user_attribute('barred') IS NULL"
        f" AND region = 'east' TO ROLE public_role"
    )
    assert rows(knowing, dataset, knowing.token(unique("unknown"))) == ["attributes_unavailable"]
    barred = directory.says(unique("barred"), '{"barred": true}')
    assert rows(knowing, dataset, knowing.token(barred)) == ["not_found"]
    assert rows(knowing, dataset, knowing.token(directory.says(unique("free"), "{}"))) == ["east"]


def test_a_narrowed_token_stays_restricted(server: TrialServer, steward: Steward) -> None:
    """The role of a group that the token leaves out gives nothing, and its safeguard binds."""
    dataset = steward.dataset("region\nnorth\nsouth\n")
    reader = steward.reader(f"GRANT SELECT ON TABLE {dataset}")
    bound = steward.reader()
    steward.sql(f"RESTRICT SELECT ON TABLE {dataset} WHERE region = 'north' FROM ROLE {bound.role}")
    user, password = unique("ada"), "correct horse battery"
    groups = [reader.group, bound.group]
    steward.rest.post("/v1/users", {"user": user, "password": password, "groups": groups})
    assert rows(server, dataset, server.token(unique("other"), reader.group)) == ["north", "south"]
    assert rows(server, dataset, server.token(user, *groups)) == ["north"]
    assert rows(server, dataset, server.token(user, reader.group)) == ["north"]
    assert rows(server, dataset, server.token(user, bound.group)) == ["not_found"]
    told = signed(server, unique("eve"), reader.group, all_groups=groups)
    assert rows(server, dataset, told) == ["north"]


def test_claims_that_cannot_be_read_are_no_credentials(server: TrialServer) -> None:
    """As any other token that says nonsense."""
    for claims in ({"attributes": [1]}, {"attributes": {"a": None}}, {"all_groups": "a"}):
        with server.http(signed(server, unique("ada"), **claims)) as http:
            got = http.get("/v1/whoami")
        assert (got.status_code, got.json()["code"]) == (401, "unauthenticated")


def test_a_server_does_not_start_with_sources_it_cannot_use(tmp_path: Path) -> None:
    """It says which setting it is, in one sentence."""
    for said, variables in (
        ("user_attributes_file", {"FILE": str(tmp_path / "absent.toml")}),
        ("user_attributes_url", {"URL": "http://example.com/"}),
    ):
        given = {f"PRIVET_USER_ATTRIBUTES_{name}": value for name, value in variables.items()}
        code, printed = refused_start("--dev", str(tmp_path / "server"), **given)
        assert code == 1
        assert said in printed
        assert "Traceback" not in printed
        assert len(printed.strip().splitlines()) == 1
