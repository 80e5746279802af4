"""Real programs and real servers that say what is known of a user, or should."""

from __future__ import annotations

import json
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest

from privet.identity import CommandProvider, TokenFile, UrlProvider
from privet.identity.attributes.answers import MOST_BYTES
from privet.model.errors import AttributesUnavailable, ConfigurationInvalid
from privet.server.certificates import make_loopback_certificate

NAMES = ("ada", "Zoë", "a b", "x&user=root#?%2f", "$(id)`id`;'\"", "x" * 256)


def script(folder: Path, text: str) -> str:
    """A shell script."""
    path = folder / "provider"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o700)
    return str(path)


def refused(ask: Callable[[str], bytes], user: str = "ada") -> str:
    """What is said where there is no answer."""
    with pytest.raises(AttributesUnavailable) as caught:
        ask(user)
    assert caught.value.status == 503
    return caught.value.message


def test_a_program_gets_the_name_as_its_last_argument(tmp_path: Path) -> None:
    """Whole and as it is: no shell reads it."""
    command = script(tmp_path, 'printf \'%s|%s|%s\' $# "$1" "$2"')
    provider = CommandProvider([command, "fixed word"], seconds=5)
    for name in NAMES:
        assert provider.ask(name).decode() == f"2|fixed word|{name}"


def test_a_program_gets_no_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the server's but PATH; no input, no descriptor."""
    monkeypatch.setenv("PRIVET_MASTER_KEY", "s3cret")
    read, write = os.pipe()
    os.set_inheritable(write, True)
    try:
        printed = CommandProvider(["/bin/sh", "-c", "env; cat; ls /proc/self/fd; pwd"], seconds=5)
        lines = printed.ask("ada").decode().split()
    finally:
        os.close(read)
        os.close(write)
    names = {line.partition("=")[0] for line in lines if "=" in line}
    assert "PATH" in names
    # What a shell sets by itself.
    assert names <= {"PATH", "PWD", "OLDPWD", "SHLVL", "_"}
    assert str(write) not in lines
    assert lines[-1] == "/"


def test_a_name_is_no_option(tmp_path: Path) -> None:
    """A user cannot tell the program what to do."""
    provider = CommandProvider([script(tmp_path, "touch ran; echo '{}'")], seconds=5)
    assert "option" in refused(provider.ask, "--help")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("echo '{}'; exit 3", "failed"),
        ("echo '{}'; kill -9 $$", "failed"),
        ("sleep 60", "in time"),
        ("echo '{}'; exec >&-; sleep 60", "in time"),
        ("sleep 60 & echo '{}'", "in time"),
        ("yes", "too long"),
        (f"head -c {MOST_BYTES + 1} /dev/zero", "too long"),
    ],
)
def test_a_program_that_fails_is_no_answer(tmp_path: Path, text: str, said: str) -> None:
    """Soon, and what it started does not go on."""
    provider = CommandProvider([script(tmp_path, f"echo $$ >>{tmp_path}/pids; {text}")], seconds=1)
    began = time.monotonic()
    assert said in refused(provider.ask)
    assert time.monotonic() - began < 20
    for pid in (tmp_path / "pids").read_text().split():
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid), 0)


def test_a_program_that_is_none_stops_the_start(tmp_path: Path) -> None:
    """A typing error is found before anybody logs in; one that goes later is no answer."""
    for command in ([], [str(tmp_path / "absent")], ["no-such-program-here"]):
        with pytest.raises(ConfigurationInvalid, match="user_attributes_command"):
            CommandProvider(command, seconds=1)
    path = script(tmp_path, "echo '{}'")
    provider = CommandProvider([path], seconds=1)
    Path(path).unlink()
    assert "started" in refused(provider.ask)


class Handler(BaseHTTPRequestHandler):
    """A directory service; the path says how it behaves."""

    protocol_version = "HTTP/1.1"
    headers_seen: ClassVar[list[dict[str, str]]] = []

    def do_GET(self) -> None:
        where = urlsplit(self.path)
        self.headers_seen.append({k.lower(): v for k, v in self.headers.items()})
        with suppress(OSError):
            match where.path:
                case "/slow":
                    time.sleep(2)
                case "/drip":
                    self._drip(b"HTTP/1.1 200 OK\r\nx-long: " + b"x" * 200)
                case "/drip-body":
                    self._drip(b"HTTP/1.1 200 OK\r\ncontent-length: 200\r\n\r\n" + b"x" * 99, at=45)
                case "/away":
                    self._answer(302, b"", location="/users")
                case "/broken":
                    self._answer(500, b"{}")
                case "/endless":
                    self._answer(200, b"x" * (MOST_BYTES + 1))
                case _:
                    self._answer(200, json.dumps(parse_qs(where.query)).encode())

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in (headers | {"content-length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _drip(self, text: bytes, at: int = 0) -> None:
        self.wfile.write(text[:at])
        for place in range(at, len(text)):
            self.wfile.write(text[place : place + 1])
            time.sleep(0.05)

    def log_message(self, *_: object) -> None:
        pass


class Quiet(ThreadingHTTPServer):
    """Says nothing of clients that do not trust it."""

    def handle_error(self, *_: object) -> None:
        pass


@contextmanager
def serving(tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """A running server's address."""
    server = Quiet(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    Handler.headers_seen.clear()
    try:
        scheme = "http" if tls is None else "https"
        yield f"{scheme}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def asking(url: str, seconds: float = 5, **more: object) -> UrlProvider:
    """A provider that trusts what the system trusts."""
    given = {"tls": ssl.create_default_context(), **more}
    return UrlProvider(url, seconds=seconds, **given)  # type: ignore[arg-type]


def test_an_address_gets_the_name_as_a_parameter() -> None:
    """Beside those that the settings have, and no name can add or replace one."""
    with serving() as url:
        provider = asking(f"{url}/users?tenant=a&user=nobody")
        for name in NAMES:
            assert json.loads(provider.ask(name)) == {"tenant": ["a"], "user": [name]}
    assert "authorization" not in Handler.headers_seen[0]


def test_the_token_goes_along_and_can_be_replaced(tmp_path: Path) -> None:
    """It is read at each call; without one nothing is asked."""
    file = tmp_path / "token"
    file.write_text("first\n")
    file.chmod(0o600)
    with serving() as url:
        provider = asking(f"{url}/users", token=TokenFile(file).read)
        provider.ask("ada")
        file.write_text("second")
        provider.ask("ada")
        file.chmod(0o640)
        assert "token" in refused(provider.ask)
    assert [h["authorization"] for h in Handler.headers_seen] == ["Bearer first", "Bearer second"]


@pytest.mark.parametrize("text", ["", "two words", "line\nbreak", "ü"])
def test_a_token_file_holds_a_token(tmp_path: Path, text: str) -> None:
    """Of its owner alone; the message holds none of it."""
    file = tmp_path / "token"
    file.write_text(text)
    file.chmod(0o600)
    with pytest.raises(ConfigurationInvalid, match="user_attributes_token_file"):
        TokenFile(file)
    file.write_text("good")
    file.chmod(0o604)
    with pytest.raises(ConfigurationInvalid):
        TokenFile(file)
    with pytest.raises(ConfigurationInvalid):
        TokenFile(tmp_path / "absent")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/broken", "failed"),
        ("/away", "failed"),
        ("/endless", "too long"),
        ("/slow", "in time"),
        ("/drip", "in time"),
        ("/drip-body", "in time"),
    ],
)
def test_an_address_that_fails_is_no_answer(path: str, said: str) -> None:
    """However slowly it fails, the time is the settings'."""
    with serving() as url:
        provider = asking(url + path, seconds=1)
        began = time.monotonic()
        assert said in refused(provider.ask)
        assert time.monotonic() - began < 6


def test_nobody_there_is_no_answer() -> None:
    """Nor is somebody who never answers at all."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        assert "reached" in refused(asking(f"http://127.0.0.1:{closed.getsockname()[1]}/").ask)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"https://127.0.0.1:{mute.getsockname()[1]}/"
        assert "in time" in refused(asking(url, seconds=0.5).ask)


def test_tls_is_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the named authority counts, and no proxy of the environment is asked."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    make_loopback_certificate(tmp_path)
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    with serving(theirs) as url:
        trusted = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
        assert json.loads(asking(f"{url}/users", tls=trusted).ask("ada")) == {"user": ["ada"]}
        assert "reached" in refused(asking(f"{url}/users").ask)


@pytest.mark.parametrize(
    "url",
    ["http://example.com/", "http://127.0.0.1.example.com/", "ftp://127.0.0.1/", "https:///x", "x",
     "file:///etc/passwd"],
)  # fmt: skip
def test_other_addresses_stop_the_start(url: str) -> None:
    """Names and tokens do not travel unencrypted."""
    with pytest.raises(ConfigurationInvalid, match="user_attributes_url"):
        asking(url)
