"""Proposals and tags as CSV from the command line, over a real server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from doors.doors import Run
from doors.servers import TrialServer
from doors.steward import Steward
from privet.cli import app

ROWS = "id,reach,ph_no,note\n" + "".join(
    f"{n},p{n}@example.org,+49 30 90182{n:02d},x{n}\n" for n in range(40)
)
TABLE = "clinic.people"
NESTED = "clinic.nested"
INSIDE = "who.`e.mail at work`"
VISITS = "".join(
    json.dumps({"id": n, "who": {"e.mail at work": f"p{n}@example.org", "First Name": "x"}}) + "\n"
    for n in range(40)
)

pytestmark = pytest.mark.service


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """The commands, as the admin of a server of these tests alone, with one dataset."""
    server = TrialServer(tmp_path_factory.mktemp("tagging") / "server")
    server.start()
    steward = Steward(server)
    folder = server.lake / "people"
    folder.mkdir(parents=True)
    (folder / "part.csv").write_text(ROWS)
    steward.database("clinic")
    steward.register(steward.crawl(folder), "clinic", name="people")
    nested = server.lake / "nested"
    nested.mkdir()
    (nested / "part.json").write_text(VISITS)
    steward.register(steward.crawl(nested), "clinic", name="nested")
    environment = {
        "PRIVET_URL": server.rest_url,
        "PRIVET_TOKEN": server.admin_token,
        "HOME": str(server.home),
        "XDG_CONFIG_HOME": str(server.home),
    }

    def run(*arguments: str, text: str | None = None, **variables: str) -> Result:
        return CliRunner().invoke(app, arguments, input=text, env={**environment, **variables})

    yield run
    server.kill()


def exported(own: Run) -> set[str]:
    done = own("tag", "export")
    assert done.exit_code == 0, done.output
    head, *rows = done.stdout.splitlines()
    assert head == "dataset,field,tag"
    return {*rows}


def test_tags_go_out_and_come_in_as_csv(own: Run, tmp_path: Path) -> None:
    """What is exported imports as nothing to do; a change is shown, made once, and undone."""
    before = exported(own)
    assert {f"{TABLE},reach,pii.email", f"{TABLE},ph_no,phi.phone_number"} <= before
    file = tmp_path / "tags.csv"
    assert own("tag", "export", str(file)).exit_code == 0
    same = own("tag", "import", str(file), "--yes")
    assert (same.exit_code, same.stdout) == (0, "nothing to do\n")
    more = tmp_path / "more.csv"
    more.write_text(
        f"{file.read_text()}{TABLE.upper()},Note,PII:USERNAME\n{TABLE},,pii.person_name\n"
    )
    done = own("tag", "import", str(more), "--yes")
    assert done.exit_code == 0, done.output
    assert f"+ pii.username on {TABLE} note" in done.stdout
    assert exported(own) - before == {f"{TABLE},note,pii.username", f"{TABLE},,pii.person_name"}
    again = own("tag", "import", str(more), "--yes", "--json")
    assert json.loads(again.stdout) == {"changes": []}
    assert own("tag", "import", str(file), "--yes").stdout == "nothing to do\n"
    pruned = own("tag", "import", str(file), "--yes", "--prune")
    assert f"- pii.username on {TABLE} note" in pruned.stdout
    assert exported(own) == before


def test_fields_that_are_no_identifiers_stand_in_back_quotes(own: Run, tmp_path: Path) -> None:
    """In statements, in CSV and in answers to proposals: what is shown can be written."""
    row = f"{NESTED},{INSIDE},pii.username"
    tagged = own("sql", f"ALTER TABLE {NESTED} ADD COLUMN ATTRIBUTE {INSIDE} pii.username")
    assert tagged.exit_code == 0, tagged.output
    assert row in exported(own)
    file = tmp_path / "tags.csv"
    assert own("tag", "export", str(file)).exit_code == 0
    assert own("tag", "import", str(file), "--yes").stdout == "nothing to do\n"
    file.write_text(file.read_text().replace(row, f"{NESTED},who.`First Name`,pii.username"))
    done = own("tag", "import", str(file), "--yes", "--prune")
    assert f"- pii.username on {NESTED} {INSIDE}" in done.stdout
    assert f"{NESTED},who.`first name`,pii.username" in exported(own)
    absent = own("proposal", "reject", NESTED, INSIDE, "pii.username")
    assert "no field" in absent.stderr or "not proposed" in absent.stderr
    wrong = own("proposal", "reject", NESTED, "who.first name", "pii.username")
    assert "stands in back quotes" in wrong.stderr
    assert own("sql", f"ALTER TABLE {NESTED} DROP COLUMN ATTRIBUTE who.`FIRST NAME` pii.username")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "does not begin with the line"),
        ("a,b,c\n", "does not begin with the line"),
        ("dataset,field,tag\nclinic.people,reach\n", "line 2: there are 2 cells"),
        ("dataset,field,tag\nclinic,reach,pii.email\n", "line 2: `clinic` is not a dataset name"),
        ("dataset,field,tag\nclinic.people,note,pii\n", "line 2: `pii` is not a tag"),
        ("dataset,field,tag\nclinic.people,a b,pii.email\n", "line 2: `a b` is not a valid"),
        ("dataset,field,tag\nclinic.nobody,note,pii.email\n", "dataset `clinic.nobody`"),
        ("dataset,field,tag\nclinic.people,no_note,pii.email\n", "column `no_note`"),
        ("dataset,field,tag\nclinic.people,note,pii.no_tag\n", "tag `pii.no_tag`"),
        ('dataset,field,tag\n"clinic.people,note', "line 2:"),
    ],
)
def test_files_that_are_not_so_change_nothing(
    own: Run, tmp_path: Path, text: str, said: str
) -> None:
    """Unknown names and broken lines are refused before anything is changed, saying which."""
    before = exported(own)
    file = tmp_path / "tags.csv"
    file.write_text(f"{text}{TABLE},note,pii.username\n" if text.endswith("\n") else text)
    done = own("tag", "import", str(file), "--yes")
    assert done.exit_code != 0
    assert said in done.stderr
    assert exported(own) == before


def test_nobody_is_asked_without_a_terminal(own: Run, tmp_path: Path) -> None:
    """In a script, changes need --yes."""
    file = tmp_path / "tags.csv"
    file.write_text("dataset,field,tag\n")
    done = own("tag", "import", str(file), text="y\n")
    assert done.exit_code != 0
    assert "--yes" in done.stderr


def test_proposals_are_answered(own: Run) -> None:
    """Evaluated, listed, rejected for good, reconsidered and accepted; each says what it did."""
    untagged = own("dataset", "untag", TABLE, "pii.email", "--column", "reach")
    assert untagged.exit_code == 0, untagged.output
    found = own("proposal", "evaluate", TABLE, "--json")
    assert found.exit_code == 0, found.output
    (item,) = json.loads(found.stdout)["items"]
    assert (item["path"], item["tag"]) == (["reach"], "pii.email")
    assert item["evidence"]["matched"] == item["evidence"]["sampled"] == 40
    assert item["evidence"]["interval"][1] == 1
    assert "example.org" not in found.stdout
    listed = own("proposal", "list")
    assert "40 of 40 cells" in " ".join(listed.stdout.split())
    assert "next: `privet proposal accept DATASET FIELD TAG`" in listed.stdout
    rejected = own("proposal", "reject", TABLE, "reach", "pii.email")
    assert rejected.exit_code == 0, rejected.output
    assert json.loads(own("proposal", "list", "--json").stdout) == []
    (case,) = json.loads(own("proposal", "rejections", "--json").stdout)
    assert (case["column"], case["verdict"], case["dataset"]) == ("reach", "rejected", TABLE)
    made = own("rule", "create", "reach", "--tag", "pii.email", "--column-name", "reach")
    assert "was rejected for `reach`" in made.stderr
    assert own("rule", "delete", "reach").exit_code == 0
    assert own("proposal", "evaluate", TABLE).stdout == "no proposals wait for an answer\n"
    assert own("proposal", "reconsider", TABLE, "reach", "pii.email").exit_code == 0
    assert own("proposal", "evaluate", TABLE).exit_code == 0
    accepted = own("proposal", "accept", TABLE, "reach", "pii.email")
    assert accepted.exit_code == 0, accepted.output
    assert f"{TABLE},reach,pii.email" in exported(own)
