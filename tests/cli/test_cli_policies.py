"""Policies as files: exported, compared and applied over a real server; bad files are refused."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from doors.doors import Run
from doors.servers import TrialServer
from doors.steward import Steward, unique
from privet.cli import app
from privet.cli.policies.policies import Policies, PolicyFileWrong
from privet.cli.policies.sql_text import split
from privet.cli.policies.toml_text import read_toml, toml_texts

ROWS = "id,mrn,phone,age\n1,M1,555,30\n2,M2,556,40\n"
FILES = {
    "tags.toml": '[git]\nmrn = "A \\"medical\\" record\\tnumber"\nphone = ""\n',
    "databases.toml": 'gitted = "Kept in git"\n',
    "roles.toml": 'git_analysts = ["analysts", "Ärzte & co"]\n',
    "rules.toml": (
        '[git_mrn]\nmin_rows = 7\npattern = "mrn"\ntag = "git.mrn"\ntargets = ["column_name"]\n'
    ),
    "datasets/clinic.toml": (
        '[people]\ntags = ["GIT.phone"]\n\n[people.columns]\nmrn = ["git.mrn"]\n'
    ),
    "permissions/analysts.sql": (
        "-- Who looks at cohorts; it's for them.\n"
        "GRANT SELECT ON DATABASE clinic HAVING ATTRIBUTE NOT IN (phi.address)\n"
        "  TRANSFORM git.mrn WITH tokenize()\n"
        "  WHERE age > 18 TO ROLE GIT_ANALYSTS;\n"
        "/* Nobody sees the young; */ RESTRICT SELECT ON DATABASE clinic WHERE age > 20\n"
        "  FROM ROLE git_analysts POLICYPROPERTIES('description'='a -- b; c');\n"
    ),
}


def write_files(directory: Path, texts: dict[str, str]) -> Path:
    """A directory of policies."""
    for name, text in texts.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return directory


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """The commands, as the admin of a server of these tests alone, with one dataset."""
    server = TrialServer(tmp_path_factory.mktemp("policies") / "server")
    server.start()
    steward = Steward(server)
    steward.ensure_tag("phi.address")
    folder = server.lake / "people"
    folder.mkdir(parents=True)
    (folder / "part.csv").write_text(ROWS)
    steward.database("clinic")
    steward.register(steward.crawl(folder), "clinic", name="people")
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


@pytest.fixture
def applied(own: Run, tmp_path: Path) -> Iterator[Path]:
    """The files, applied; afterwards the catalog is as it was."""
    empty = tmp_path / "empty"
    assert own("policy", "export", str(empty)).exit_code == 0
    directory = write_files(tmp_path / "policies", FILES)
    done = own("policy", "apply", str(directory), "--yes")
    assert done.exit_code == 0, done.output
    yield directory
    done = own("policy", "apply", str(empty), "--yes", "--prune")
    assert done.exit_code == 0, done.output
    own("db", "delete", "gitted")


@pytest.mark.service
def test_files_become_policies_once(own: Run, applied: Path) -> None:
    """What the files say holds; a second apply has nothing to do, and export says the same."""
    done = own("policy", "diff", str(applied))
    assert (done.exit_code, done.stdout.splitlines()[0]) == (0, "nothing to do")
    again = own("policy", "apply", str(applied), "--yes", "--json")
    assert again.exit_code == 0, again.output
    assert json.loads(again.stdout) | {"kept": []} == {
        "changes": [], "kept": [], "warnings": [], "applied": 0,
    }  # fmt: skip
    exported = applied.parent / "exported"
    assert own("policy", "export", str(exported)).exit_code == 0
    assert own("policy", "diff", str(exported), "--prune").exit_code == 0
    assert (exported / "roles.toml").read_text() == FILES["roles.toml"]
    assert (exported / "rules.toml").read_text() == FILES["rules.toml"]
    sql = (exported / "permissions/git_analysts.sql").read_text()
    assert sql.startswith("-- People with git_analysts can read every dataset in clinic")
    assert "\n  TRANSFORM git.mrn WITH tokenize()\n  WHERE age > 18\n  TO ROLE" in sql
    assert "'a -- b; c'" in sql
    shown = own("explain", "clinic.people", "--user", "ida", "--groups", "analysts")
    assert "only rows where age is more than 18 and age is more than 20" in shown.stdout


@pytest.mark.service
def test_a_plan_reads_like_a_diff(own: Run, applied: Path) -> None:
    """Signs, sentences and places; the exit code says that there is something to do."""
    path = applied / "permissions/analysts.sql"
    path.write_text(FILES["permissions/analysts.sql"].replace("a -- b", "another"))
    (applied / "roles.toml").write_text('git_analysts = ["nurses"]\n')
    done = own("policy", "diff", str(applied))
    assert done.exit_code == 2
    lines = done.stdout.splitlines()
    (changed,) = [line for line in lines if line.startswith("~")]
    assert "whatever else is granted" in changed
    assert "(properties: description = a -- b; c -> description = another; c)" in changed
    assert changed.endswith("[permissions/analysts.sql:5:30]")
    assert "+ group nurses holds role git_analysts  [roles.toml:1:1]" in lines
    assert not [line for line in lines if line.startswith("-")]
    assert any("stays without --prune: group analysts" in line for line in lines)
    pruned = json.loads(own("policy", "diff", str(applied), "--prune", "--json").stdout)
    signs = {(c["sign"], c["sentence"]) for c in pruned["changes"]}
    assert ("-", "group analysts holds role git_analysts") in signs
    assert own("policy", "apply", str(applied), "--yes").exit_code == 0
    assert own("policy", "diff", str(applied)).exit_code == 0


@pytest.mark.service
def test_only_prune_removes(own: Run, applied: Path) -> None:
    """What files no longer have stays in the catalog, is shown, and goes with --prune."""
    shutil.rmtree(applied / "permissions")
    (applied / "rules.toml").unlink()
    done = own("policy", "apply", str(applied), "--yes")
    assert done.stdout.count("stays without --prune") >= 3
    assert "git_analysts" in own("permission", "list", "--role", "git_analysts").stdout
    done = own("policy", "apply", str(applied), "--yes", "--prune")
    assert done.exit_code == 0, done.output
    assert "- rule git_mrn" in done.stdout
    assert own("permission", "list", "--role", "git_analysts").stdout == "no permissions\n"
    assert own("policy", "diff", str(applied), "--prune").exit_code == 0


@pytest.mark.service
def test_tags_of_databases_are_policies(own: Run, applied: Path) -> None:
    """They are applied, also on databases that the files make; exported; and pruned."""
    text = 'clinic = { tags = ["git.phone"] }\n\n[gitted]\ndescription = "x"\ntags = ["git.mrn"]\n'
    (applied / "databases.toml").write_text(text)
    done = own("policy", "apply", str(applied), "--yes")
    assert done.exit_code == 0, done.output
    assert "+ tag git.phone on database clinic" in done.stdout
    held = own("sql", "DESCRIBE DATABASE gitted")
    assert "git.mrn" in held.stdout
    assert own("policy", "diff", str(applied)).exit_code == 0
    exported = applied.parent / "of_databases"
    assert own("policy", "export", str(exported)).exit_code == 0
    assert (
        '[clinic]\ndescription = ""\ntags = ["git.phone"]'
        in (exported / "databases.toml").read_text()
    )
    (applied / "databases.toml").write_text(FILES["databases.toml"])
    pruned = own("policy", "apply", str(applied), "--yes", "--prune")
    assert "- tag git.mrn on database gitted" in pruned.stdout
    assert "git.mrn" not in own("sql", "DESCRIBE DATABASE gitted").stdout


@pytest.mark.service
def test_it_is_asked_for(own: Run, applied: Path) -> None:
    """Without a terminal and without --yes nothing is done."""
    (applied / "roles.toml").write_text('git_analysts = ["others"]\n')
    done = own("policy", "apply", str(applied), text="y\n")
    assert done.exit_code == 2
    assert "standard input is not a terminal" in done.stderr
    assert own("policy", "diff", str(applied)).exit_code == 2


@pytest.mark.service
def test_it_stops_at_the_first_refusal(own: Run, applied: Path) -> None:
    """And says what was applied, and where what was refused is written."""
    (applied / "roles.toml").write_text('git_analysts = ["aa", "user:x"]\n')
    done = own("policy", "apply", str(applied), "--yes")
    assert done.exit_code == 1
    assert "roles.toml:1:24" in done.stderr
    # The public role is everybody's: only the server knows.
    (applied / "roles.toml").write_text('git_analysts = ["aa"]\npublic_role = ["bb"]\n')
    done = own("policy", "apply", str(applied), "--yes")
    assert done.exit_code == 1
    assert "applied 1 of 2 changes, up to this one:" in done.stdout
    assert "error: roles.toml:2:1: everybody holds `public_role`" in done.stderr
    assert "aa" in own("role", "list").stdout


@pytest.mark.service
def test_rights_and_audit_hold(own: Run, applied: Path) -> None:
    """Each change is on record under whoever applied; others are refused as by hand."""
    events = json.loads(own("audit", "list", "--limit", "200", "--json").stdout)
    actions = {e["action"] for e in events}
    assert {"tag.create", "role.grant", "permission.create", "tag.assign"} <= actions
    issued = own("token", "issue", "--user", "eve", "--groups", "analysts")
    token = issued.stdout.split()[-1]
    for command in ("diff", "apply"):
        options = ("--yes",) if command == "apply" else ()
        done = own("policy", command, str(applied), *options, PRIVET_TOKEN=token)
        assert done.exit_code in {1, 4}, done.output
    done = own("policy", "export", str(applied / "x"), PRIVET_TOKEN=token)
    assert done.exit_code in {1, 4}, done.output
    assert not (applied / "x").exists()


@pytest.mark.service
def test_export_replaces_only_when_told(own: Run, tmp_path: Path) -> None:
    """Files that are there stay, and those that are no policies stay in any case."""
    directory = write_files(tmp_path / "d", {"tags.toml": "", "README.md": "mine"})
    done = own("policy", "export", str(directory))
    assert done.exit_code == 1
    assert (directory / "tags.toml").read_text() == ""
    assert own("policy", "export", str(directory), "--replace").exit_code == 0
    assert "[phi]" in (directory / "tags.toml").read_text()
    assert (directory / "README.md").read_text() == "mine"
    outside = tmp_path / "outside.toml"
    outside.write_text("outside")
    (directory / "tags.toml").unlink()
    (directory / "tags.toml").symlink_to(outside)
    assert own("policy", "export", str(directory), "--replace").exit_code == 0
    assert outside.read_text() == "outside"


@pytest.mark.service
def test_what_owners_have_is_no_policy(own: Run, applied: Path) -> None:
    """It is not exported, and what files leave out does not take it away."""
    grant = "GRANT CREATE_AS_OWNER ON CATALOG TO ROLE git_analysts"
    assert own("sql", grant).exit_code == 0
    issued = own("token", "issue", "--user", "ida", "--groups", "analysts")
    token = issued.stdout.split()[-1]
    name = unique("owned")
    done = own("db", "create", name, PRIVET_TOKEN=token)
    assert done.exit_code == 0, done.output
    owned = own("permission", "list", "--database", name).stdout
    assert "_owner_ida" in owned
    exported = applied.parent / "exported"
    assert own("policy", "export", str(exported)).exit_code == 0
    assert "_owner_" not in "".join(p.read_text() for p in exported.rglob("*.*"))
    assert own("policy", "apply", str(exported), "--yes", "--prune").exit_code == 0
    assert own("permission", "list", "--database", name).stdout == owned
    (exported / "permissions" / "o.sql").write_text("GRANT ALL ON CATALOG TO ROLE _owner_ida")
    done = own("policy", "diff", str(exported))
    assert "what owners have is not kept in files" in done.stderr
    assert own("db", "delete", name).exit_code == 0


def test_tags_of_lineage_are_no_policy(own: Run, applied: Path) -> None:
    """They are where they come from: a view is exported without, and nothing differs then."""
    for statement in (
        "GRANT CREATE_AS_OWNER ON DATABASE clinic TO ROLE git_analysts",
        "GRANT SELECT ON TABLE clinic.people TO ROLE git_analysts",
    ):
        assert own("sql", statement).exit_code == 0
    token = own("token", "issue", "--user", "ina", "--groups", "analysts").stdout.split()[-1]
    columns = own("dataset", "show", "clinic.people", "--json").stdout
    tagged = next(c["name"] for c in json.loads(columns)["columns"] if c["tags"])
    text = f"CREATE VIEW clinic.part AS SELECT count({tagged}) AS n, 1 AS one FROM clinic.people"
    done = own("sql", text, PRIVET_TOKEN=token)
    assert done.exit_code == 0, done.output
    exported = applied.parent / "exported"
    assert own("policy", "export", str(exported)).exit_code == 0
    assert own("policy", "diff", str(exported)).exit_code == 0
    assert own("sql", "DROP VIEW clinic.part").exit_code == 0


GRANT = "GRANT SELECT ON DATABASE clinic"
BAD: dict[str, tuple[dict[str, str], str]] = {
    "an unknown tag": (
        {"permissions/a.sql": f"\n{GRANT}\n  HAVING ATTRIBUTE phi.adress TO ROLE public_role"},
        "permissions/a.sql:3:20: unknown tag `phi.adress`",
    ),
    "an unknown tag on a column": (
        {"datasets/clinic.toml": '[people.columns]\nmrn = ["no.tag"]\n'},
        "datasets/clinic.toml:2:9: unknown tag `no.tag`",
    ),
    "an unknown column": (
        {"datasets/clinic.toml": '[people.columns]\nmnr = ["phi.address"]\n'},
        "datasets/clinic.toml:2:1: column `mnr` of dataset `clinic.people` does not exist",
    ),
    "an unknown dataset": (
        {"datasets/clinic.toml": '[peopel]\ntags = ["phi.address"]\n'},
        "dataset `clinic.peopel` does not exist",
    ),
    "a statement that does not parse": (
        {"permissions/a.sql": f"{GRANT} TO ROLE public_role; GRANT SELEC;"},
        "permissions/a.sql:1:65: unexpected end of the statement",
    ),
    "a quote never closed": (
        {"permissions/a.sql": f"{GRANT} WHERE id = 'x TO ROLE public_role;"},
        "a quote is never closed",
    ),
    "a statement that takes away": (
        {"permissions/a.sql": "REVOKE SELECT ON CATALOG FROM ROLE public_role"},
        "files say what is granted",
    ),
    "no statement about a permission": (
        {"permissions/a.sql": "CREATE ROLE x"},
        "permissions/a.sql:1:1: this is no statement about a permission",
    ),
    "two files that say the same": (
        {
            "permissions/a.sql": f"{GRANT} TO ROLE public_role",
            "permissions/deep/b.sql": f"-- again\n{GRANT.lower()} to role PUBLIC_ROLE;",
        },
        "permissions/deep/b.sql:2:1: permissions/a.sql:1:1 says the same",
    ),
    "a contradiction": (
        {
            "permissions/a.sql": f"{GRANT} TO ROLE public_role",
            "permissions/b.sql": f"{GRANT} TO ROLE public_role POLICYPROPERTIES('enabled'='false')",
        },
        "permissions/b.sql:1:1: permissions/a.sql:1:1 contradicts this",
    ),
    "names that differ in case only": (
        {"roles.toml": 'one = []\nOne = ["x"]\n'},
        "roles.toml:2:1: this is said already at roles.toml:1:1",
    ),
    "no TOML": ({"tags.toml": "[phi\n"}, "tags.toml:1:5: "),
    "TOML that says it twice": ({"roles.toml": "a = []\na = []\n"}, "roles.toml:2:"),
    "deep TOML": ({"tags.toml": "a = " + "[" * 100_000}, "tags.toml:"),
    "a name that is none": ({"roles.toml": '"a b" = []\n'}, "roles.toml:1:2: `a b` is not a valid"),
    "another shape": ({"roles.toml": 'a = "b"\n'}, "roles.toml:1:1: `a` has to be a list"),
    "an unknown key": (
        {"rules.toml": '[r]\ntag = "phi.address"\npatern = "x"\n'},
        "rules.toml:3:1: a rule has no `patern`",
    ),
    "a built-in tag": ({"tags.toml": '[phi]\nphone_number = ""\n'}, "is built in"),
    "a file where none belongs": ({"grants.sql": ""}, "grants.sql: there is no place"),
    "a large file": ({"permissions/a.sql": "-- x\n" * 2_000_000}, "permissions/a.sql: larger than"),
}


@pytest.mark.service
@pytest.mark.parametrize("what", sorted(BAD))
def test_bad_files_are_refused(own: Run, tmp_path: Path, what: str) -> None:
    """With file and position where there is one, before anything is applied."""
    files, message = BAD[what]
    directory = write_files(tmp_path, files)
    before = own("audit", "list", "--json", "--limit", "1").stdout
    for arguments in (("diff",), ("apply", "--yes")):
        done = own("policy", arguments[0], str(directory), *arguments[1:])
        assert done.exit_code == 1, done.output
        assert message in done.stderr
        assert "Traceback" not in done.output
    assert before


@pytest.mark.service
def test_files_that_are_no_files(own: Run, tmp_path: Path) -> None:
    """Links, out of the directory or not, pipes, folders and what is no text are refused."""
    secret = tmp_path / "secret.sql"
    secret.write_text("the key is 1234")
    directory = write_files(tmp_path / "d", {"permissions/a.sql": ""})
    link = directory / "permissions" / "b.sql"

    def refused(message: str) -> None:
        done = own("policy", "diff", str(directory))
        assert done.exit_code == 1, done.output
        assert message in done.stderr
        assert "1234" not in done.output

    link.symlink_to(secret)
    refused("permissions/b.sql: cannot be read: it is a link")
    link.unlink()
    (directory / "datasets").symlink_to(tmp_path, target_is_directory=True)
    refused("datasets: there is no place for this file")
    (directory / "datasets").unlink()
    os.mkfifo(link)
    refused("permissions/b.sql: this is no plain file")
    link.unlink()
    link.write_bytes(b"-- fine\nGRANT \xff")
    refused("permissions/b.sql:2:1: this is no UTF-8 text")
    link.unlink()
    (directory / "TAGS.toml").write_text("")
    (directory / "tags.toml").write_text("")
    refused("another file has this name, but for its case")
    assert own("policy", "diff", str(tmp_path / "absent")).exit_code == 1


# ---- the files alone


def test_statements_are_found_in_their_places() -> None:
    """Semicolons and comments within quotes are text; what is left out keeps its room."""
    text = "GRANT 'a;--b' /* ; */ x;\n\n  -- only 'this\n\tDENY `;` ;; RESTRICT"
    found = [(w.text, w.place.line, w.place.column) for w in split(text, "f")]
    assert found == [("GRANT 'a;--b'         x", 1, 1), ("DENY `;`", 4, 2), ("RESTRICT", 4, 14)]
    (written,) = split("\n  GRANT\n x", "f")
    assert str(written.at({"line": 1, "column": 3})) == "f:2:5"
    assert str(written.at({"line": 2, "column": 2})) == "f:3:2"
    assert list(split(" -- nothing\n", "f")) == []


def test_names_survive_their_files() -> None:
    """What is written is read back, whatever characters descriptions and groups have."""
    odd = 'a "b" \\ \t \x7f é 漢 \U0001f600 # = [x]'
    policies = Policies(
        tags={"a.b": odd, "a.c": "", "b.a": "x"},
        databases={"d": odd, "e": odd, "f": ""},
        roles={"r": frozenset({odd.strip().replace("\t", "").replace("\x7f", "")})},
        rules={"x": {"name": "x", "tag": "a.b", "pattern": odd, "targets": ["cell_content"],
                     "match_rate": 0.5, "min_rows": 10, "description": odd}},
        tagged={("d.t", ""): frozenset({"a.b"}), ("d.t", "c"): frozenset({"a.b", "a.c"}),
                ("d.t", "c.inner"): frozenset({"b.a"}), ("e", ""): frozenset({"a.b", "b.a"})},
    )  # fmt: skip
    read = Policies()
    for name, text in toml_texts(policies).items():
        read_toml(name, text, read)
    for part in ("tags", "databases", "roles", "rules", "tagged"):
        assert getattr(read, part) == getattr(policies, part), part


def test_a_directory_of_a_name_of_its_own() -> None:
    """A dataset's file is named after its database, which has to be a name."""
    with pytest.raises(PolicyFileWrong, match="not a valid name"):
        read_toml("datasets/a b.toml", "[t]\n", Policies())
    assert unique("x")


@pytest.mark.service
def test_what_goes_is_not_in_the_way(own: Run, applied: Path) -> None:
    """A grant that another one would refuse is no mistake where that one goes with --prune."""
    path = applied / "permissions/analysts.sql"
    path.write_text(f"{GRANT} WHERE mrn = 'M1' TO ROLE git_analysts;\n")
    done = own("policy", "diff", str(applied))
    assert done.exit_code == 1
    assert "permissions/analysts.sql:1:39: on `clinic.people` the cells shown would" in done.stderr
    done = own("policy", "apply", str(applied), "--yes", "--prune")
    assert done.exit_code == 0, done.output
    assert own("policy", "diff", str(applied), "--prune").exit_code == 0
