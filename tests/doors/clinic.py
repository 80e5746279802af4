"""What the doors are tried on: a small clinic, an analyst, a visitor, and what they may not see."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from doors.servers import TrialServer
from doors.steward import Reader, Steward, unique

CASES = Path(__file__).parents[1] / "cases" / "doors"
ACCEPTANCE = (
    "GRANT SELECT ON DATABASE {} HAVING ATTRIBUTE NOT IN (phi.phone_number)"
    " TRANSFORM phi.mrn WITH tokenize() WHERE opted_out != 1"
)
TAGS = {
    "mrn": ["phi.mrn"],
    "phone": ["phi.phone_number"],
    "age": ["case_doors.age"],
    "charges": ["case_doors.charges"],
}


@dataclass(frozen=True)
class Clinic:
    """Two datasets in two databases, and who reads them.

    Attributes:
        patients: within the acceptance policy for the analyst.
        vault: holds the same, and is visible to administrators only.
        visitor: a token of somebody who holds no role but the public one.
    """

    server: TrialServer
    steward: Steward
    patients: str
    vault: str
    analyst: Reader
    visitor: str

    @property
    def database(self) -> str:
        """Where the patients are."""
        return self.patients.partition(".")[0]

    def path(self, dataset: str = "") -> str:
        """The address of a dataset; of the patients by default."""
        return f"/v1/datasets/{(dataset or self.patients).replace('.', '/')}"


def open_clinic(server: TrialServer, steward: Steward) -> Clinic:
    """Register both, and grant."""
    for tag in ("phi.mrn", "case_doors.age", "case_doors.charges"):
        steward.ensure_tag(tag)
    rows = (CASES / "patients.csv").read_text()
    patients = steward.dataset(rows, tags=TAGS)
    vault = steward.dataset(rows, tags=TAGS)
    analyst = steward.reader(ACCEPTANCE.format(patients.partition(".")[0]))
    visitor = server.token(unique("visitor"))
    return Clinic(server, steward, patients, vault, analyst, visitor)
