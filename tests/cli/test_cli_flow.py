"""The commands against a real server, as scripts use them."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

pytestmark = pytest.mark.service
DATASET = "medical_charges.medical_costs"


def read(done: Any) -> Any:
    """What a successful command printed as JSON, and nothing else."""
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_the_analyst_gets_the_governed_rows(command: Any, governed: str) -> None:
    """CSV by default for programs: no phone, no opted-out row; the admin gets everything."""
    mine = list(csv.DictReader(io.StringIO(command("scan", DATASET, PRIVET_TOKEN=governed).stdout)))
    every = list(csv.DictReader(io.StringIO(command("scan", DATASET).stdout)))
    assert "phone" not in mine[0]
    assert "phone" in every[0]
    assert len(mine) == sum(row["opted_out"] != "1" for row in every) < len(every)
    assert not {row["mrn"] for row in mine} & {row["mrn"] for row in every}


def test_every_format_has_the_same_rows(command: Any, governed: str, tmp_path: Path) -> None:
    """To a file and to standard output, byte for byte."""
    for form in ("csv", "json", "ndjson", "arrow", "parquet"):
        arguments = ("scan", DATASET, "--format", form, "--limit", "20", "--columns", "age,mrn")
        path = tmp_path / form
        assert command(*arguments, "-o", str(path), PRIVET_TOKEN=governed).exit_code == 0
        assert command(*arguments, PRIVET_TOKEN=governed).stdout_bytes == path.read_bytes()
    table = pq.read_table(tmp_path / "parquet")
    assert table.schema.names == ["age", "mrn"]
    assert pa.ipc.open_stream(tmp_path / "arrow").read_all().equals(table)
    rows = table.to_pylist()
    assert json.loads((tmp_path / "json").read_text()) == rows
    assert [json.loads(line) for line in (tmp_path / "ndjson").read_text().splitlines()] == rows
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "arrow",
        "csv",
        "json",
        "ndjson",
        "parquet",
    ]


def test_a_refused_scan_leaves_no_file(command: Any, governed: str, tmp_path: Path) -> None:
    """And does not touch one that was there."""
    path = tmp_path / "out.csv"
    path.write_text("mine")
    done = command("scan", DATASET, "--columns", "phone", "-o", str(path), PRIVET_TOKEN=governed)
    assert (done.exit_code, done.stdout) == (4, "")
    assert path.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [path]
    done = command("scan", DATASET, "-o", str(tmp_path / "absent" / "x"), PRIVET_TOKEN=governed)
    assert done.exit_code == 2


def test_a_table_shows_the_first_rows(command: Any, governed: str) -> None:
    """And says that there are more."""
    done = command("scan", DATASET, "--format", "table", PRIVET_TOKEN=governed)
    assert done.exit_code == 0
    assert "northeast" in done.stdout
    assert "first 50 rows" in done.stderr
    done = command("scan", DATASET, "--format", "table", "--limit", "0", PRIVET_TOKEN=governed)
    assert done.stdout == "no rows\n"


LISTINGS = (
    "tag list",
    "rule list",
    "role list",
    "db list",
    "db datasets",
    "db datasets medical_charges",
    "permission list",
    "permission list --role healthcare_analyst_role --database medical_charges",
    "crawler list",
    "user list",
    "audit list --limit 3",
)


@pytest.mark.parametrize("listing", LISTINGS)
def test_every_listing_is_a_bare_array(command: Any, governed: str, listing: str) -> None:
    """And a table without --json."""
    items = read(command(*listing.split(), "--json"))
    assert isinstance(items, list)
    assert all(isinstance(item, dict) for item in items)
    table = command(*listing.split())
    assert table.exit_code == 0
    assert table.stdout


def test_the_audit_is_read_page_by_page(
    command: Any, governed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A limit above a page's size gives that many, newest first, each once."""
    monkeypatch.setattr("privet.cli.audits._PAGE_ROWS", 4)
    events = read(command("audit", "list", "--limit", "10", "--json"))
    ids = [event["id"] for event in events]
    assert len(ids) == len(set(ids)) == 10
    assert ids == sorted(ids, reverse=True)
    starts = read(command("audit", "list", "--action", "tag.create", "--json"))
    assert {event["action"] for event in starts} <= {"tag.create"}


def test_explain_says_who_sees_what(command: Any, governed: str) -> None:
    """With the groups last seen, with others, and of oneself."""
    command("scan", DATASET, "--limit", "1", PRIVET_TOKEN=governed)
    seen = read(command("explain", DATASET, "--user", "demo_user2", "--json"))
    verdicts = {column["name"]: column["verdict"] for column in seen["columns"]}
    assert (verdicts["phone"], verdicts["mrn"], verdicts["age"]) == (
        "hidden",
        "transformed",
        "clear",
    )
    nobody = read(command("explain", DATASET, "--user", "demo_user2", "--groups", "", "--json"))
    assert nobody["allowed"] is False
    own = command("explain", DATASET, PRIVET_TOKEN=governed)
    assert own.exit_code == 0
    assert "opted_out is not 1" in own.stdout
    assert "phone" not in own.stdout
    assert "WHY" not in own.stdout
    assert "WHY" in command("explain", DATASET, "--user", "demo_user2").stdout
    assert command("explain", DATASET, "--user", "admin", PRIVET_TOKEN=governed).exit_code == 1


def test_a_statement_that_does_not_parse_is_pointed_at(command: Any) -> None:
    """The line, a caret, what to do; nothing on standard output."""
    done = command("sql", "-", text="GRANT SELECT ON\nDATABSE x TO ROLE y")
    assert (done.exit_code, done.stdout) == (1, "")
    lines = done.stderr.splitlines()
    assert lines[0].startswith("error: ")
    assert lines[1:3] == ["  DATABSE x TO ROLE y", "  ^"]


def test_statements_answer_with_rows_or_a_sentence(command: Any, governed: str) -> None:
    """As a table or as JSON."""
    answer = read(command("sql", "SHOW DATABASES", "--json"))
    assert ["medical_charges"] in [row[:1] for row in answer["rows"]]
    assert "medical_charges" in command("sql", "SHOW DATABASES").stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("tag create phi.phone_number", 5),
        ("tag delete phi.phone_number", 5),
        ("tag delete phi.absent", 4),
        ("db delete medical_charges", 5),
        ("role create healthcare_analyst_role", 5),
        ("dataset show medical_charges.absent", 4),
        ("permission delete absent", 4),
        ("rule create bad --tag phi.phone_number --column-name (", 1),
        ("rule create two --tag phi.phone_number --column-name a --cell-content b", 2),
        ("crawl /etc --name etc --wait", 1),
        ("register absent x --database medical_charges", 4),
        ("token issue --user u --lifetime never", 2),
        ("--token a.b.c whoami", 3),
    ],
)
def test_failures_have_their_code(command: Any, governed: str, arguments: str, code: int) -> None:
    """With the reason on stderr and nothing on stdout."""
    done = command(*arguments.split())
    assert (done.exit_code, done.stdout) == (code, ""), done.output
    assert done.stderr.startswith("error: ")


def test_administration_is_for_admins(command: Any, governed: str) -> None:
    """An analyst is refused, whatever it is."""
    for arguments in ("tag create phi.mine", "token issue --user admin", "db create mine"):
        assert command(*arguments.split(), PRIVET_TOKEN=governed).exit_code in {1, 4}


def test_things_come_and_go(command: Any, governed: str) -> None:
    """Each noun can be created, shown, changed and deleted, and says so as JSON too."""
    steps = (
        "tag create phi.passing --description passing",
        "rule create passing --tag phi.passing --cell-content [0-9]{5} --match-rate 0.9",
        "rule delete passing",
        f"dataset tag {DATASET} phi.passing --column region",
        f"dataset show {DATASET}",
        f"dataset untag {DATASET} phi.passing --column region",
        f"dataset review {DATASET}",
        "tag delete phi.passing",
        "role create passing",
        "role grant passing --group some/group",
        "role revoke passing --group some/group",
        "role delete passing",
        "db create passing --description passing",
        "db delete passing",
        "crawler show medical_charges_crawler",
    )
    for step in steps:
        assert isinstance(read(command(*step.split(), "--json")), dict), step
    for step in steps:
        assert command(*step.split()).exit_code == 0, step


def test_users_log_in_and_out(command: Any, governed: str) -> None:
    """The token is kept for that server; --password-stdin keeps it off the command line."""
    password = "correct horse battery\n"
    made = command("user", "create", "ida", "--groups", "a,b", "--password-stdin", text=password)
    assert made.exit_code == 0, made.output
    assert command("login", "--user", "ida", "--password-stdin", text="x\n").exit_code == 3
    done = command("login", "--user", "ida", "--password-stdin", text=password)
    assert done.exit_code == 0, done.output
    me = read(command("whoami", "--json", PRIVET_TOKEN=""))
    assert (me["user"], me["groups"]) == ("ida", ["a", "b"])
    assert command("logout").exit_code == 0
    assert command("whoami", PRIVET_TOKEN="").exit_code == 3
    assert command("user", "delete", "ida").exit_code == 0


def test_a_token_is_the_last_word(command: Any) -> None:
    """And works; with JSON it is a member."""
    issued = command("token", "issue", "--user", "eve", "--groups", "g", "--lifetime", "5m")
    me = read(command("whoami", "--json", PRIVET_TOKEN=issued.stdout.split()[-1]))
    assert (me["user"], me["groups"], me["admin"]) == ("eve", ["g"], False)
    token = read(command("token", "issue", "--user", "eve", "--json"))["token"]
    assert read(command("whoami", "--json", PRIVET_TOKEN=token))["groups"] == []
