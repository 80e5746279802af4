"""TLS before a PostgreSQL that was built without it, as a pooler has it."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

_ASKS_FOR_TLS = struct.pack("!II", 8, 80877103)


@contextmanager
def tls_before(port: int, certificate: Path, key: Path) -> Generator[int]:
    """A port of loopback that speaks TLS alone, and leads to another; gone at the end."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_accept, args=(listener, context, port), daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=10)


def _accept(listener: socket.socket, context: ssl.SSLContext, port: int) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=_serve, args=(client, context, port), daemon=True).start()


def _serve(client: socket.socket, context: ssl.SSLContext, port: int) -> None:
    with suppress(OSError), client:
        if client.recv(8, socket.MSG_WAITALL) != _ASKS_FOR_TLS:
            return
        client.sendall(b"S")
        with (
            context.wrap_socket(client, server_side=True) as secret,
            socket.create_connection(("127.0.0.1", port)) as server,
        ):
            back = threading.Thread(target=_pump, args=(server, secret), daemon=True)
            back.start()
            _pump(secret, server)
            back.join(timeout=10)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)
