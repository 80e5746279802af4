"""One governed dataset of some size on the shared server."""

from dataclasses import dataclass

import pytest

from doors.servers import TrialServer
from doors.steward import Steward, write
from privet.demo.generate import generate

ROWS = 200_000
GRANT = (
    "GRANT SELECT ON DATABASE health HAVING ATTRIBUTE NOT IN (phi.phone_number)"
    " TRANSFORM phi.mrn WITH tokenize() WHERE opted_out != 1 TO ROLE health_role"
)


@dataclass(frozen=True)
class Governed:
    """A server with `health.costs`, an analyst's token, and how many rows are opted out."""

    server: TrialServer
    analyst: str
    opted_out: int


@pytest.fixture(scope="session")
def governed(server: TrialServer, governed: str) -> Governed:
    """The analyst sees no phone, a tokenized mrn, and no row that is opted out."""
    table = generate(ROWS)
    path = write(table, server.lake / "costs" / "costs.csv")
    steward = Steward(server)
    steward.rest.post("/v1/roles", {"name": "health_role"})
    steward.rest.put("/v1/roles/health_role/groups/analysts")
    steward.database("health")
    steward.sql(GRANT)
    user = {"user": "ada", "password": "correct horse", "groups": ["analysts"]}
    steward.rest.post("/v1/users", user)
    steward.register(steward.crawl(path.parent), "health")
    opted_out = table.column("opted_out").to_pylist().count(1)
    return Governed(server, server.token("ada", "analysts"), opted_out)
