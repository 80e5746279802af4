"""One real server for all rooms, a fresh one for those who break it, and who reads from it.

What a test registers on the shared server has names of its own (`unique`), so that order does not
matter.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from doors.doors import Run
from doors.servers import TrialServer
from doors.steward import GROUP, ROLE, Steward, write
from privet.cli import app
from privet.demo.generate import generate

GRANT = (
    "GRANT SELECT ON DATABASE medical_charges HAVING ATTRIBUTE NOT IN (phi.phone_number)"
    f" TRANSFORM phi.mrn WITH tokenize() WHERE opted_out != 1 TO ROLE {ROLE}"
)


@pytest.fixture(scope="session", autouse=True)
def _no_settings() -> Iterator[None]:
    """Settings of the person who runs the tests do not reach them."""
    kept = {k: os.environ.pop(k) for k in list(os.environ) if k.upper().startswith("PRIVET_")}
    yield
    os.environ.update(kept)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrialServer]:
    """A running server, shared by all; in the end it is told to stop, and does so cleanly."""
    running = TrialServer(tmp_path_factory.mktemp("shared") / "server")
    running.start()
    yield running
    assert running.running, running.log.read_text()
    assert running.terminate() == 0


@pytest.fixture
def fresh_server(tmp_path: Path) -> Iterator[Callable[..., TrialServer]]:
    """Makes servers of one's own, to be stopped, killed and starved."""
    made: list[TrialServer] = []

    def make(name: str = "server", **variables: str) -> TrialServer:
        made.append(TrialServer(tmp_path / name, **variables))
        made[-1].start()
        return made[-1]

    yield make
    for server in made:
        server.kill()


@pytest.fixture(scope="session")
def command(server: TrialServer, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run `privet` as the shared server's admin, or with other variables; give what it did."""
    home = str(tmp_path_factory.mktemp("home"))
    mine = {
        "PRIVET_URL": server.rest_url,
        "PRIVET_CA": str(server.ca),
        "PRIVET_TOKEN": server.admin_token,
        "HOME": home,
        "XDG_CONFIG_HOME": home,
    }

    def run(*arguments: str, text: str | None = None, **variables: str) -> Result:
        return CliRunner().invoke(app, arguments, input=text, env={**mine, **variables})

    return run


@pytest.fixture(scope="session")
def governed(server: TrialServer, command: Run) -> str:
    """The steward's part of the acceptance flow, as scripts write it; gives the analyst's token."""
    lake = server.lake / "medical-costs"
    write(generate(), lake / "medical_costs.csv")
    steps: tuple[tuple[str, ...], ...] = (
        ("tag", "create", "phi.mrn"),
        ("rule", "create", "mrn", "--tag", "phi.mrn", "--column-name", "mrn"),
        ("rule", "create", "phone", "--tag", "phi.phone_number", "--column-name", "phone"),
        ("role", "grant", ROLE, "--group", GROUP),
        ("db", "create", "medical_charges"),
        ("sql", GRANT),
        ("crawl", str(lake), "--name", "medical_charges_crawler", "--wait"),
        ("register", "medical_charges_crawler", "medical_costs", "--database", "medical_charges"),
    )
    for step in steps:
        done = command(*step)
        assert done.exit_code == 0, (step, done.output)
    issued = command("token", "issue", "--user", "demo_user2", "--groups", GROUP)
    return issued.stdout.split()[-1]


@pytest.fixture(scope="session")
def steward(server: TrialServer, governed: str) -> Steward:
    """The shared server's administrator, after the acceptance flow."""
    return Steward(server)
