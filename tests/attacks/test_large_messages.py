"""Messages far beyond what any request needs, at the Flight door."""

from __future__ import annotations

from collections.abc import Callable

import psutil
import pyarrow as pa
import pyarrow.flight as fl
import pytest

from doors.servers import TrialServer, bearer

pytestmark = pytest.mark.service
LARGE = 60_000_000
Send = Callable[[fl.FlightClient, fl.FlightCallOptions], object]


def _action(client: fl.FlightClient, options: fl.FlightCallOptions) -> object:
    body = b'{"use": "sql", "statement": "' + b"[" * LARGE + b'"}'
    return list(client.do_action(fl.Action("privet.call", body), options))


def _command(client: fl.FlightClient, options: fl.FlightCallOptions) -> object:
    return client.get_flight_info(fl.FlightDescriptor.for_command(b"[" * LARGE), options)


def _ticket(client: fl.FlightClient, options: fl.FlightCallOptions) -> object:
    return client.do_get(fl.Ticket(b"A" * LARGE), options).read_all()


SENT: dict[str, Send] = {"action": _action, "command": _command, "ticket": _ticket}


@pytest.mark.parametrize("what", SENT)
def test_strangers_are_refused_before_anything_is_read(server: TrialServer, what: str) -> None:
    """Without credentials the answer is about these, whatever was sent, and it is on record."""
    refused = len(server.events(action="session.authenticate"))
    with server.flight() as client, pytest.raises(fl.FlightUnauthenticatedError):
        SENT[what](client, bearer(None))
    assert len(server.events(action="session.authenticate")) == refused + 1


@pytest.mark.parametrize("what", SENT)
def test_what_is_too_large_is_not_read(server: TrialServer, what: str) -> None:
    """A reader is told so; the server holds no copies of it and parses nothing."""
    process = psutil.Process(server.pid)
    before = process.memory_info().rss
    with server.flight() as client, pytest.raises(pa.ArrowException) as refused:
        SENT[what](client, bearer(server.admin_token))
    assert "too large" in str(refused.value)
    assert process.memory_info().rss - before < 4 * LARGE


def test_a_stranger_does_not_learn_what_the_server_does(server: TrialServer) -> None:
    """Listing actions needs credentials like everything else."""
    with server.flight() as client, pytest.raises(fl.FlightUnauthenticatedError):
        client.list_actions(bearer(None))
