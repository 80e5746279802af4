"""A REST catalog over `pyiceberg`'s own SQL catalog, and ones that stall, flood or lie.

It answers what a reader asks, in the words of the protocol; `pyiceberg`'s client reads from it too.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, BinaryIO
from urllib.parse import parse_qs, unquote, urlsplit

from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import NoSuchTableError

TOKEN = "token-of-the-catalog"
CLIENT = ("client-of-the-catalog", "word-of-the-client")
VENDED = "vended-key-4711"
Lie = Callable[[str, dict[str, Any]], Any]
"""Makes another answer of a path and what is true there; bytes are sent as they are."""


class RestCatalogServer:
    """What is served, and what was asked of it."""

    def __init__(self, catalog: SqlCatalog, prefix: str = "") -> None:
        self.catalog = catalog
        self.prefix = prefix
        self.lie: Lie | None = None
        self.stall: threading.Event | None = None
        self.drips = False
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.port = 0

    def answer(self, path: str, query: dict[str, list[str]]) -> tuple[int, Any]:
        """What a reader is told."""
        if path == "/v1/config":
            # What a client must not take from a catalog that it did not choose for that.
            said = {"prefix": self.prefix, "s3.access-key-id": VENDED, "uri": "http://127.0.0.1:1"}
            return 200, {"defaults": {}, "overrides": said if self.prefix else {}}
        front = f"/v1/{self.prefix}/namespaces" if self.prefix else "/v1/namespaces"
        if not path.startswith(front):
            return 404, {}
        parts = [unquote(p) for p in path.removeprefix(front).split("/")[1:]]
        if not parts:
            above = tuple(query.get("parent", [""])[0].split("\x1f")) if "parent" in query else ()
            return 200, {"namespaces": [list(n) for n in self.catalog.list_namespaces(above)]}
        namespace = tuple(parts[0].split("\x1f"))
        if len(parts) == 2:
            return self._page(self.catalog.list_tables(namespace), query)
        try:
            table = self.catalog.load_table((*namespace, parts[2]))
        except NoSuchTableError:
            return 404, {"error": {"message": "no", "type": "NoSuchTableException", "code": 404}}
        return 200, {
            "metadata-location": table.metadata_location,
            "metadata": json.loads(table.metadata.model_dump_json()),
            "config": {"s3.access-key-id": VENDED, "s3.secret-access-key": VENDED},
        }

    def write(self, out: BinaryIO, content: bytes) -> None:
        """Send a body, or let its reader wait: for all of it, or for each byte."""
        if self.stall is None:
            out.write(content)
        elif not self.drips:
            self.stall.wait(60)
        else:
            for at in range(len(content)):
                out.write(content[at : at + 1])
                if self.stall.wait(0.2):
                    break

    def _page(self, tables: list[Any], query: dict[str, list[str]]) -> tuple[int, Any]:
        """Two at a time."""
        start = int(query.get("pageToken", ["0"])[0] or 0)
        named = [{"namespace": list(t[:-1]), "name": t[-1]} for t in sorted(tables)]
        more = {"next-page-token": str(start + 2)} if len(named) > start + 2 else {}
        return 200, {"identifiers": named[start : start + 2], **more}


def _handler(served: RestCatalogServer) -> type[BaseHTTPRequestHandler]:
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name
            """Keep quiet."""

        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["content-length"])).decode()
            form = parse_qs(text)
            given = (form["client_id"][0], form["client_secret"][0])
            if self.path.endswith("/v1/oauth/tokens") and given == CLIENT:
                self._send(200, {"access_token": TOKEN, "token_type": "bearer"})
            else:
                self._send(401, {})

        def do_GET(self) -> None:
            where = urlsplit(self.path)
            served.asked.append(where.path)
            served.headers.append(dict(self.headers))
            if self.headers.get("authorization") != f"Bearer {TOKEN}":
                self._send(401, {})
                return
            with lock:
                status, body = served.answer(where.path, parse_qs(where.query))
            if served.lie is not None and status == 200:
                body = served.lie(where.path, body)
            self._send(status, body)

        def _send(self, status: int, body: Any) -> None:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            with suppress(OSError):
                served.write(self.wfile, content)

    return Handler


@contextmanager
def rest_catalog(catalog: SqlCatalog, prefix: str = "") -> Generator[RestCatalogServer]:
    """A server on loopback, gone at the end."""
    served = RestCatalogServer(catalog, prefix)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(served))
    server.daemon_threads = True
    served.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield served
    finally:
        if served.stall is not None:
            served.stall.set()
        server.shutdown()
        server.server_close()
        thread.join()
