"""A TCP proxy between us and a server, that stalls, resets, throttles, denies, and counts."""

from __future__ import annotations

import re
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

_HEAD = 1 << 16
_CHUNK = 1 << 16
SLOW_DOWN, DENIED = (503, "SlowDown"), (403, "AccessDenied")


@dataclass(frozen=True)
class Request:
    """The first line of a request to S3."""

    method: str
    path: str
    query: str

    @property
    def lists(self) -> bool:
        """Whether it asks for a listing."""
        return self.method == "GET" and "list-type" in self.query


Fault = Callable[[Request], "tuple[int, str] | str | None"]
"""Says of a request what happens: None: nothing; `stall`: no answer; `reset`; `cut`: half an answer
and then a reset; or a status and code that S3 answers with."""


@dataclass
class Proxy:
    """A proxy that runs. `requests` is all that came, in order."""

    endpoint: str
    requests: list[Request] = field(default_factory=list[Request])
    fault: Fault = lambda _: None
    released: threading.Event = field(default_factory=threading.Event)

    def let_go(self) -> None:
        """End the connections that stall, now and from now on."""
        self.released.set()

    def reads(self) -> list[str]:
        """The keys that were read from."""
        return [
            r.path.partition("/")[2] for r in self.requests if r.method == "GET" and not r.lists
        ]

    def lists(self) -> list[str]:
        """The queries of listings."""
        return [unquote(r.query) for r in self.requests if r.lists]


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, endpoint: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        parts = urlsplit(endpoint)
        self.target = (parts.hostname, parts.port)
        self.proxy = Proxy(f"http://127.0.0.1:{self.server_address[1]}")


class _Handler(socketserver.BaseRequestHandler):
    """One connection: requests one after the other, each with its fault."""

    server: _Server

    def handle(self) -> None:
        with suppress(OSError), socket.create_connection(self.server.target) as behind:
            while self._one(behind):
                pass

    def _one(self, behind: socket.socket) -> bool:
        head = _head(self.request)
        if not head:
            return False
        request = _request(head)
        self.server.proxy.requests.append(request)
        match self.server.proxy.fault(request):
            case "stall":
                self.server.proxy.released.wait(120)
                return False
            case "reset":
                return _reset(self.request)
            case (int(status), str(code)):
                self.request.sendall(_refusal(status, code))
                return False
            case verdict:
                behind.sendall(head)
                return self._answer(behind, head.startswith(b"HEAD"), cut=verdict == "cut")

    def _answer(self, behind: socket.socket, bare: bool, *, cut: bool) -> bool:
        answer = _head(behind)
        head, _, body = answer.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        if cut and length is not None and not bare:
            body = body[: int(length[1]) // 2]
        self.request.sendall(head + b"\r\n\r\n" + body)
        if bare:
            return True
        if length is None:
            return b"chunked" in head and self._chunks(behind, body)
        return self._body(behind, int(length[1]), len(body), cut=cut)

    def _body(self, behind: socket.socket, total: int, sent: int, *, cut: bool) -> bool:
        while sent < total:
            if cut and sent >= total // 2:
                return _reset(self.request)
            part = behind.recv(min(_CHUNK, max(1, total // 4)))
            if not part:
                return False
            self.request.sendall(part)
            sent += len(part)
        return True

    def _chunks(self, behind: socket.socket, body: bytes) -> bool:
        while not body.endswith(b"0\r\n\r\n"):
            part = behind.recv(_CHUNK)
            if not part:
                return False
            self.request.sendall(part)
            body = (body + part)[-8:]
        return True


@contextmanager
def proxied(endpoint: str) -> Iterator[Proxy]:
    """A proxy on loopback before `endpoint`."""
    with _Server(endpoint) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.proxy
        finally:
            server.proxy.let_go()
            server.shutdown()
            thread.join()


def _head(connection: socket.socket) -> bytes:
    """What comes until the end of a head, and what came with it."""
    read = b""
    while b"\r\n\r\n" not in read and len(read) < _HEAD:
        part = connection.recv(_CHUNK)
        if not part:
            return b""
        read += part
    return read


def _request(head: bytes) -> Request:
    method, target, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
    path, _, query = target.partition("?")
    return Request(method, unquote(path).lstrip("/"), query)


def _reset(connection: socket.socket) -> bool:
    # Closing with a zero linger sends RST instead of FIN.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    connection.close()
    return False


def _refusal(status: int, code: str) -> bytes:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no</Message></Error>".encode()
    head = f"HTTP/1.1 {status} {code}\r\nContent-Type: application/xml\r\n"
    return f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
