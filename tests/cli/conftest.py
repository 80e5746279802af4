"""A real server, and the command line in front of it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from privet.cli import app
from privet.demo.devserver import DevServer
from privet.demo.generate import generate, write_csv

Run = Callable[..., Result]


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[DevServer, Path]]:
    """A server, and a folder of its lake with a CSV file."""
    home: Path = tmp_path_factory.mktemp("cli") / "server"
    with DevServer(home) as server:
        lake = home / "lake" / "medical-costs"
        lake.mkdir()
        write_csv(generate(), lake / "medical_costs.csv")
        yield server, lake


@pytest.fixture(scope="session")
def command(served: tuple[DevServer, Path], tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run `privet` as the server's admin, or with other variables; give what it did."""
    server, _ = served
    home = str(tmp_path_factory.mktemp("home"))
    mine = {
        "PRIVET_URL": server.addresses.rest,
        "PRIVET_CA": str(server.addresses.ca),
        "PRIVET_TOKEN": server.admin_token,
        "HOME": home,
        "XDG_CONFIG_HOME": home,
    }

    def run(*arguments: str, text: str | None = None, **variables: str) -> Result:
        return CliRunner().invoke(app, arguments, input=text, env={**mine, **variables})

    return run


@pytest.fixture(scope="session")
def governed(served: tuple[DevServer, Path], command: Run) -> str:
    """The steward's whole work as scripts write it; gives the analyst's token."""
    grant = (
        "GRANT SELECT ON DATABASE medical_charges HAVING ATTRIBUTE NOT IN (phi.phone_number)"
        " TRANSFORM phi.mrn WITH tokenize() WHERE opted_out != 1"
        " TO ROLE healthcare_analyst_role"
    )
    group = "general_analyst_group"
    steps: tuple[tuple[str, ...], ...] = (
        ("tag", "create", "phi.mrn"),
        ("rule", "create", "mrn", "--tag", "phi.mrn", "--column-name", "mrn"),
        ("rule", "create", "phone", "--tag", "phi.phone_number", "--column-name", "phone"),
        ("role", "grant", "healthcare_analyst_role", "--group", group),
        ("db", "create", "medical_charges"),
        ("sql", grant),
        ("crawl", str(served[1]), "--name", "medical_charges_crawler", "--wait"),
        ("register", "medical_charges_crawler", "medical_costs", "--database", "medical_charges"),
    )
    for step in steps:
        done = command(*step)
        assert done.exit_code == 0, (step, done.output)
    issued = command("token", "issue", "--user", "demo_user2", "--groups", group)
    return issued.stdout.split()[-1]
