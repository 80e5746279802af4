"""One port for every door: each client finds its own by what its TLS hello offers."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import adbc_driver_flightsql.dbapi as adbc
import httpx2
import pytest
from adbc_driver_flightsql import DatabaseOptions
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from doors.servers import TrialServer
from doors.thrift_client import log_in, opened
from okera_door import pyokera
from privet.server.hello import NoHello, offered

CLIENT = """
import json, sys
from okera import context

token, host, port, ca = sys.argv[1:5]
ctx = context(retries=1)
ctx.enable_token_auth(token_str=token)
with ctx.connect(host=host, port=int(port), ssl=True, ca_cert=ca) as conn:
    print(json.dumps(conn.scan_as_json("select user() as u")))
"""


BROWSER = shutil.which("chromium")
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TrialServer, str]]:
    """A server with one port for all, and where that is."""
    server = TrialServer(tmp_path_factory.mktemp("one") / "server")
    server.arguments = ("--one-port", "0")
    server.start()
    yield server, json.loads((server.home / "urls.json").read_text())["one_port"]
    assert server.terminate() == 0


@pytest.mark.service
def test_every_client_at_one_port(one: tuple[TrialServer, str]) -> None:
    """The published client, the Flight SQL driver of ADBC, and HTTPS; certificates are checked."""
    server, place = one
    host, _, port = place.rpartition(":")
    told = pyokera.run(CLIENT, server.admin_token, host, port, str(server.ca))
    assert told == [{"u": "admin"}]
    options = {
        DatabaseOptions.TLS_ROOT_CERTS.value: server.ca.read_text(),
        DatabaseOptions.AUTHORIZATION_HEADER.value: f"Bearer {server.admin_token}",
    }
    with (
        adbc.connect(f"grpc+tls://{place}", db_kwargs=options, autocommit=True) as connection,
        closing(connection.cursor()) as cursor,
    ):
        cursor.execute("SELECT 42 AS answer")
        assert cursor.fetchall() == [(42,)]
    headers = {"authorization": f"Bearer {server.admin_token}"}
    trusted = ssl.create_default_context(cafile=str(server.ca))
    with httpx2.Client(verify=trusted, trust_env=False, headers=headers) as http:
        assert http.get(f"https://{place}/v1/whoami").json()["user"] == "admin"


@pytest.mark.service
def test_a_browser_offers_both_and_gets_http(one: tuple[TrialServer, str]) -> None:
    """Whoever offers HTTP/1.1, beside HTTP/2 or not, is led to the REST door."""
    server, place = one
    host, _, port = place.rpartition(":")
    context = ssl.create_default_context(cafile=str(server.ca))
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection((host, int(port)), timeout=10) as raw,
        context.wrap_socket(raw, server_hostname=host) as secured,
    ):
        assert secured.selected_alpn_protocol() in (None, "http/1.1")
        secured.sendall(b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert secured.recv(12).startswith(b"HTTP/1.1 4")


@pytest.mark.service
@pytest.mark.skipif(BROWSER is None, reason="chromium is not installed")
def test_chromium_at_one_port(one: tuple[TrialServer, str], tmp_path: Path) -> None:
    """It is led to the REST door, if it knows the certificate, and to nothing if it does not."""
    server, place = one

    def page(address: str, *options: str) -> str:
        """What Chromium makes of an address."""
        # A page that never comes ends after 30 s, as what came of it; a browser that stands still
        # is none of the server's doing, and begins anew.
        for attempt in range(3):
            profile = f"--user-data-dir={tmp_path / str(attempt)}"
            command = [str(BROWSER), *QUIET, profile, *options, "--timeout=30000", "--dump-dom"]
            with suppress(subprocess.TimeoutExpired):
                return subprocess.run(
                    [*command, f"https://{place}{address}"],
                    capture_output=True,
                    text=True,
                    timeout=60,
                    check=True,
                ).stdout
        pytest.fail("chromium stood still three times")

    certificate = x509.load_pem_x509_certificate((server.home / "server.pem").read_bytes())
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    known = base64.b64encode(hashlib.sha256(key).digest()).decode()
    pinned = f"--ignore-certificate-errors-spki-list={known}"
    assert '"title":"Privet"' in page("/openapi.json", pinned)
    assert '"code":"unauthenticated"' in page("/v1/whoami", pinned)
    assert "unauthenticated" not in page("/v1/whoami")


@pytest.mark.service
@pytest.mark.parametrize("sent", [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\x01\x02", b"\x00"])
def test_other_bytes_end_there(one: tuple[TrialServer, str], sent: bytes) -> None:
    """The connection is closed, and the port goes on serving."""
    server, place = one
    with opened(place) as wire:
        wire.send(sent)
        with pytest.raises((EOFError, ConnectionError)):
            wire.take(1)
    with opened(place, server.ca) as wire:
        log_in(wire, server.admin_token)
        assert wire.call("GetProtocolVersion") == "1.0"


def hello(protocols: list[str]) -> bytes:
    """What a client of this Python says first."""
    context = ssl.create_default_context()
    if protocols:
        context.set_alpn_protocols(protocols)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname="privet.example.org")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


@pytest.mark.parametrize("protocols", [[], ["h2"], ["h2", "http/1.1"], ["http/1.1"]])
def test_a_hello_is_read_from_its_bytes(protocols: list[str]) -> None:
    """All of them in their order; a part of a hello is waited for, byte by byte."""
    data = hello(protocols)
    assert offered(data) == tuple(name.encode() for name in protocols)
    assert {offered(data[:end]) for end in range(len(data))} == {None}
    halves = data[5 : len(data) // 2], data[len(data) // 2 :]
    records = b"".join(data[:3] + len(half).to_bytes(2, "big") + half for half in halves)
    assert offered(records) == offered(data)


@pytest.mark.parametrize(
    "data", [b"\x15\x03\x01\x00\x02ab", b"\x16\x03\x01\x00\x00", b"\x16\x03\x01\xff\xff", b"HTTP/1"]
)
def test_what_is_no_hello(data: bytes) -> None:
    """Other records, empty and oversized ones."""
    with pytest.raises(NoHello):
        offered(data)


def test_a_hello_whose_lengths_lie() -> None:
    """However a length is changed, it is read or refused, and nothing else is raised."""
    data = hello(["h2"])
    for place in range(5, len(data)):
        changed = data[:place] + b"\xff" + data[place + 1 :]
        try:
            offered(changed)
        except NoHello:
            continue


def test_settings_that_do_not_go_together(tmp_path: Path) -> None:
    """One port leads to doors with TLS only, and clear text stays on loopback."""
    from privet.model.errors import ConfigurationInvalid
    from privet.server import Settings

    given = {"state_dir": tmp_path, "tls_cert": tmp_path / "c", "tls_key": tmp_path / "k"}
    Settings.load(None, **given, okera=True, one_port=443)
    for wrong in (
        {"one_port": 443},
        {"one_port": 443, "okera": True, "rest_tls": False},
        {"one_port": 443, "okera": True, "okera_tls": False},
        {"okera_tls": False, "okera_host": "0.0.0.0"},
    ):
        with pytest.raises(ConfigurationInvalid):
            Settings.load(None, **(given | wrong))
