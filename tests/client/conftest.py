"""A real server with one governed dataset."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from privet.client import Rest
from privet.demo.devserver import DevServer
from privet.demo.generate import generate, write_csv

ROWS = 200_000
GRANT = (
    "GRANT SELECT ON DATABASE health HAVING ATTRIBUTE NOT IN (phi.phone_number)"
    " TRANSFORM phi.mrn WITH tokenize() WHERE opted_out != 1 TO ROLE healthcare_analyst_role"
)


@dataclass(frozen=True)
class Governed:
    """A server with `health.costs`, an analyst's token, and how many rows are opted out."""

    server: DevServer
    analyst: str
    opted_out: int


@pytest.fixture(scope="session")
def governed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Governed]:
    """The analyst sees no phone, a tokenized mrn, and no row that is opted out."""
    home: Path = tmp_path_factory.mktemp("client") / "server"
    table = generate(ROWS)
    with DevServer(home) as server:
        lake = home / "lake" / "costs"
        lake.mkdir()
        write_csv(table, lake / "costs.csv")
        with Rest(server.addresses.rest, server.admin_token) as rest:
            analyst = prepare(rest, str(lake))
        opted_out = table.column("opted_out").to_pylist().count(1)
        yield Governed(server, analyst, opted_out)


def prepare(rest: Rest, lake: str) -> str:
    """Do the steward's work, and return a token for an analyst."""
    rest.post("/v1/tags", {"tag": "phi.mrn"})
    for name, tag in (("mrn", "phi.mrn"), ("phone", "phi.phone_number")):
        rule = {"name": name, "tag": tag, "pattern": name, "targets": ["column_name"]}
        rest.post("/v1/rules", rule)
    rest.put("/v1/roles/healthcare_analyst_role/groups/analysts")
    rest.post("/v1/databases", {"name": "health"})
    rest.post("/v1/sql", {"statement": GRANT})
    rest.post("/v1/users", {"user": "ada", "password": "correct horse", "groups": ["analysts"]})
    rest.post("/v1/crawls", {"name": "c", "source": lake})
    while rest.get("/v1/crawls/c")["status"] == "running":
        time.sleep(0.05)
    rest.post("/v1/crawls/c/register", {"dataset": "costs", "database": "health"})
    return rest.post("/v1/tokens", {"user": "ada", "groups": ["analysts"]})["token"]
