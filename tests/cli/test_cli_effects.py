"""What a steward is told before a permission is saved, and about who sees a column."""

from __future__ import annotations

import json

import pytest

import privet
from doors.doors import Run
from doors.servers import TrialServer
from doors.steward import ROLE, Steward, unique
from privet.model.errors import Forbidden, NotFound

pytestmark = pytest.mark.service
DATASET = "medical_charges.medical_costs"
REVOKE = (
    "REVOKE SELECT ON DATABASE medical_charges HAVING ATTRIBUTE NOT IN (phi.phone_number)"
    f" TRANSFORM phi.mrn WITH tokenize() WHERE opted_out != 1 FROM ROLE {ROLE}"
)


@pytest.fixture
def role(command: Run, governed: str) -> str:
    """A role that nobody was seen with."""
    name = unique("role")
    assert command("role", "create", name).exit_code == 0
    return name


def test_a_steward_sees_who_gains_what(command: Run, role: str) -> None:
    """In a sentence and a table: the rows, their number, and each column before and after."""
    statement = (
        "GRANT SELECT ON DATABASE medical_charges HAVING ATTRIBUTE phi.mrn"
        f" TRANSFORM phi.mrn WITH mask() WHERE opted_out != 1 TO ROLE {role}"
    )
    done = command("what-if", statement)
    assert done.exit_code == 0, done.output
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert lines[0].startswith(f"People with {role} can read every dataset in medical_charges")
    assert f"{DATASET}, for anyone whose only role is {role}" in lines
    assert "+ mrn not at all mask()" in lines
    rows = command("scan", DATASET, "--columns", "opted_out").stdout.split()[1:]
    count = sum(row != "1" for row in rows)
    assert f"rows: none -> where opted_out is not 1 (0 -> {count:,}, +{count:,})" in lines
    assert "not counted" not in done.stdout
    quick = command("what-if", "--no-count", statement)
    assert "rows: none -> where opted_out is not 1\n" in quick.stdout


def test_a_steward_sees_who_loses_what(command: Run, governed: str) -> None:
    """Of those who were seen by name, too."""
    command("scan", DATASET, "--limit", "1", PRIVET_TOKEN=governed)
    done = command("what-if", REVOKE)
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("No longer: People with")
    assert "-> none" in done.stdout
    told = json.loads(command("what-if", REVOKE, "--json").stdout)
    (change,) = told["changes"]
    assert "demo_user2" in [s.get("user") for s in change["subjects"]]
    assert command("what-if", REVOKE.replace("!= 1", "!= 2")).exit_code == 1


def test_a_refusal_is_told_where_it_stands(command: Run, role: str) -> None:
    """As storing would: on standard error, with a hint, and exit code 1; JSON has it as data."""
    wrong = f"GRANT SELECT ON DATABASE medical_charges HAVING ATTRIBUTE phi.mnr TO ROLE {role}"
    done = command("what-if", wrong)
    assert done.exit_code == 1
    assert "it would be refused: unknown tag `phi.mnr`" in done.stderr
    assert "did you mean `phi.mrn`" in done.stderr
    assert "nobody would see" not in done.stdout
    done = command("what-if", "-", "--json", text=wrong)
    assert done.exit_code == 1
    (statement,) = json.loads(done.stdout)["statements"]
    assert statement["problem"]["position"]["column"] == wrong.index("phi.mnr") + 1


def test_who_can_see(command: Run, governed: str, role: str) -> None:
    """A line for each way to see it, the permissions below, and from whom it is hidden."""
    done = command("who-can-see", f"{DATASET}.mrn")
    assert done.exit_code == 0, done.output
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    (line,) = [line for line in lines if f"only role is {ROLE}" in line]
    # The numbers count the permissions of all who can see it, others' too.
    shown, number = line.rsplit(" ", 1)
    assert shown.endswith("tokenize() where opted_out is not 1")
    assert any(line.startswith(f"{number}: People with") for line in lines)
    assert any(line.startswith("hidden from") for line in lines)
    told = json.loads(command("who-can-see", f"{DATASET}.mrn", "--json").stdout)
    assert {"role": role} in told["hidden"]
    assert command("who-can-see", "mrn").exit_code == 2
    assert command("who-can-see", f"{DATASET}.nothing").exit_code == 4
    assert command("who-can-see", f"{DATASET}.mrn", PRIVET_TOKEN=governed).exit_code == 1


def test_the_client_says_the_same(server: TrialServer, command: Run, governed: str) -> None:
    """`client.what_if` and `client.who_can_see` give what the command prints as JSON."""
    statement = f"RESTRICT SELECT ON TABLE {DATASET} WHERE age > 30 FROM ROLE public_role"
    with privet.connect(server.flight_url, server.admin_token, ca=server.ca) as client:
        ahead = client.what_if(statement)
        readers = client.who_can_see(DATASET, "MRN")
        with pytest.raises(NotFound):
            client.who_can_see(DATASET, "nothing")
    assert json.loads(command("what-if", statement, "--json").stdout) == ahead
    assert json.loads(command("who-can-see", f"{DATASET}.mrn", "--json").stdout) == readers
    analyst = privet.connect(server.flight_url, governed, ca=server.ca)
    with analyst as client, pytest.raises(Forbidden):
        client.what_if(statement)


def test_datasets_that_change_alike_are_one_table(steward: Steward, command: Run) -> None:
    """With their rows added up; what differs stands apart."""
    database = steward.database()
    for rows in ("id,age\n1,2\n", "id,age\n1,2\n3,4\n", "id,size\n1,2\n"):
        steward.dataset(rows, database=database)
    reader = steward.reader()
    done = command("what-if", f"GRANT SELECT ON DATABASE {database} TO ROLE {reader.role}")
    assert done.exit_code == 0, done.output
    assert done.stdout.count("rows: none -> all") == 2
    assert "rows: none -> all (0 -> 3, +3)" in done.stdout
    assert "rows: none -> all (0 -> 1, +1)" in done.stdout


def test_views_are_told_of(steward: Steward, command: Run) -> None:
    """What a safeguard does behind a view is in its rows; a column is seen through its views."""
    database, reader = steward.database(), steward.reader()
    dataset = steward.dataset("id,age\n1,2\n3,4\n", database=database)
    view = f"{database}.{unique('view')}"
    for statement in (
        f"GRANT SELECT ON TABLE {dataset} TO ROLE public_role",
        f"CREATE VIEW {view} AS SELECT age FROM {dataset}",
        f"GRANT SELECT ON TABLE {view} TO ROLE {reader.role}",
    ):
        done = command("sql", statement)
        assert done.exit_code == 0, done.output
    done = command(
        "what-if", f"RESTRICT SELECT ON TABLE {dataset} WHERE id < 2 FROM ROLE public_role"
    )
    assert done.exit_code == 0, done.output
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert f"rows: all -> all; of {dataset} where id is less than 2 (2 -> 1, -1)" in lines
    found = command("who-can-see", f"{dataset}.age").stdout
    # Other tests ask the same server what everybody sees.
    ended = command("sql", f"REVOKE SELECT ON TABLE {dataset} FROM ROLE public_role")
    assert ended.exit_code == 0, ended.output
    assert "through a view that is made of it:" in found
    assert f"{view}.age " in found
