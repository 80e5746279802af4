"""Puts the second distribution on the path, and a real server behind it."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from privet.client import Rest
from privet.demo.devserver import DevServer
from privet.demo.generate import generate, write_csv

sys.path.insert(0, str(Path(__file__).parents[2] / "clients" / "okera" / "src"))

DATABASE = "medical_charges"
GRANT = (
    f"GRANT SELECT ON DATABASE {DATABASE} HAVING ATTRIBUTE NOT IN (phi.phone_number)"
    " TRANSFORM phi.mrn WITH tokenize() WHERE opted_out != 1 TO ROLE healthcare_analyst_role"
)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevServer]:
    """A server with the fictitious patients, governed for analysts."""
    home: Path = tmp_path_factory.mktemp("okera") / "server"
    with DevServer(home) as running:
        lake = home / "lake" / "medical-costs"
        lake.mkdir()
        write_csv(generate(), lake / "medical_costs.csv")
        with Rest(running.addresses.rest, running.admin_token) as rest:
            prepare(rest, str(lake))
        yield running


def prepare(rest: Rest, lake: str) -> None:
    """Do the steward's work."""
    rest.post("/v1/tags", {"tag": "phi.mrn"})
    for name, tag in (("mrn", "phi.mrn"), ("phone", "phi.phone_number")):
        rule = {"name": name, "tag": tag, "pattern": name, "targets": ["column_name"]}
        rest.post("/v1/rules", rule)
    rest.put("/v1/roles/healthcare_analyst_role/groups/general_analyst_group")
    rest.post("/v1/databases", {"name": DATABASE})
    rest.post("/v1/sql", {"statement": GRANT})
    rest.post("/v1/crawls", {"name": "c", "source": lake})
    while rest.get("/v1/crawls/c")["status"] == "running":
        time.sleep(0.05)
    rest.post("/v1/crawls/c/register", {"dataset": "medical_costs", "database": DATABASE})


@pytest.fixture(scope="session")
def analyst(server: DevServer) -> str:
    """The data scientist's token."""
    body = {"user": "demo_user2", "groups": ["general_analyst_group"]}
    with Rest(server.addresses.rest, server.admin_token) as rest:
        return rest.post("/v1/tokens", body)["token"]
