"""What `connect` refuses before anything is sent, and what a server that is not there gives."""

import socket

import pytest

import privet
from privet.client import Insecure, Rest, Unreachable
from privet.model.errors import InvalidRequest, Unauthenticated

NOWHERE = "grpc+tls://127.0.0.1:1"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PRIVET_URL", "PRIVET_TOKEN", "PRIVET_CA"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def closed_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_without_an_address_or_a_token_nothing_is_tried() -> None:
    """Both are asked for, with a hint."""
    with pytest.raises(InvalidRequest, match="PRIVET_URL"):
        privet.connect()
    with pytest.raises(Unauthenticated, match="PRIVET_TOKEN"):
        privet.connect(NOWHERE)


def test_the_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Address and token come from PRIVET_URL and PRIVET_TOKEN; the token is not shown."""
    monkeypatch.setenv("PRIVET_URL", NOWHERE)
    monkeypatch.setenv("PRIVET_TOKEN", "secret.token.here\n")
    with privet.connect() as client:
        assert NOWHERE in repr(client)
        assert "secret" not in repr(client)


@pytest.mark.parametrize("token", ["", "  ", "a b", "a\nb", "a\r\nx-evil: 1", "tökén", "a\x00b"])
def test_a_token_that_cannot_be_a_header_is_refused(token: str) -> None:
    """No header is smuggled in, and the token is not in the message."""
    with pytest.raises(Unauthenticated) as refused:
        privet.connect(NOWHERE, token)
    assert "evil" not in str(refused.value)


@pytest.mark.parametrize("url", ["http://privet.example.com", "grpc://privet.example.com"])
def test_plain_connections_to_others_are_refused(url: str) -> None:
    """The token would be readable on the way."""
    with pytest.raises(Insecure):
        privet.connect(url, "token")
    with pytest.raises(Insecure):
        privet.connect(url, user="u", password="p")


def test_verification_cannot_be_turned_off_for_others() -> None:
    """`verify=False` is for this machine."""
    with pytest.raises(Insecure):
        privet.connect("grpc+tls://privet.example.com", "token", verify=False)
    with pytest.raises(Insecure):
        Rest("https://privet.example.com", "token", verify=False)


def test_credentials_must_go_together() -> None:
    """A user without a password, or beside a token, is refused."""
    with pytest.raises(InvalidRequest):
        privet.connect(NOWHERE, user="u")
    with pytest.raises(InvalidRequest):
        privet.connect(NOWHERE, password="p")
    with pytest.raises(InvalidRequest):
        privet.connect(NOWHERE, "token", user="u", password="p")


def test_a_scan_is_checked_before_it_is_sent() -> None:
    """Names, columns and limits that cannot be are refused here."""
    with privet.connect(NOWHERE, "token") as client:
        with pytest.raises(InvalidRequest, match="dataset name"):
            client.scan("no_database")
        with pytest.raises(InvalidRequest, match="columns"):
            client.scan("a.b", columns="age")
        with pytest.raises(InvalidRequest, match="columns"):
            client.scan("a.b", columns=[])
        with pytest.raises(InvalidRequest, match="limit"):
            client.scan("a.b", limit=-1)


def test_a_server_that_is_not_there_is_unreachable(closed_port: int) -> None:
    """Over Flight, over REST, and while logging in."""
    flight, rest = f"grpc://127.0.0.1:{closed_port}", f"http://127.0.0.1:{closed_port}"
    with privet.connect(flight, "token") as client, pytest.raises(Unreachable):
        client.scan("a.b")
    with pytest.raises(Unreachable):
        privet.connect(flight, user="u", password="p")
    with pytest.raises(Unreachable):
        privet.connect(rest, "token")
    with Rest(rest, "token") as door, pytest.raises(Unreachable):
        door.get("/v1/whoami")


def test_the_rest_door_has_an_http_address() -> None:
    """A Flight address is refused."""
    with pytest.raises(InvalidRequest):
        Rest(NOWHERE, "token")
