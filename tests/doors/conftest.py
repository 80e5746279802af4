"""A clinic on the shared server."""

import pytest

from doors.clinic import Clinic, open_clinic
from doors.servers import TrialServer
from doors.steward import Steward


@pytest.fixture(scope="session")
def clinic(server: TrialServer, steward: Steward) -> Clinic:
    """Opened once; tests leave it as it is."""
    return open_clinic(server, steward)
