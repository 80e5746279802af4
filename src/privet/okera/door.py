"""The door: a listener, and a bounded number of connections with a thread each."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from contextlib import suppress
from pathlib import Path

import structlog

from privet.model.errors import ConfigurationInvalid
from privet.okera.connections import Connection, House

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_CONNECTIONS = 512
_SETTLED_SECONDS = 60.0
_BACKLOG = 128
_END_SECONDS = 5.0
_KEEPALIVE = ((socket.TCP_KEEPIDLE, 120), (socket.TCP_KEEPINTVL, 30), (socket.TCP_KEEPCNT, 4))

_log = structlog.get_logger("privet.okera")


class OkeraDoor:
    """Planner and worker on one port, from `serve` until `shutdown`. `port` is the one it got."""

    def __init__(
        self, house: House, *, host: str, port: int, connections: int = _CONNECTIONS
    ) -> None:
        """Open the port.

        Raises:
            ConfigurationInvalid: without TLS or tokens it opens on loopback only.
            OSError: it cannot be opened.
        """
        if (house.clear or house.compatibility) and host not in _LOOPBACK:
            raise ConfigurationInvalid(
                f"the okera door opens at `{host}` only with TLS and tokens",
                hint="on loopback it may do without",
            )
        self._house = house
        self._most = connections
        self._open: dict[Connection, threading.Thread] = {}
        self._lock = threading.Lock()
        self._ending = threading.Event()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
        self.port: int = self._listener.getsockname()[1]

    def serve(self) -> None:
        """Take connections until `shutdown`."""
        while not self._ending.is_set():
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                if self._ending.is_set():
                    return
                # Out of descriptors, for instance: some connection will end.
                time.sleep(0.1)
                continue
            self.take(accepted)

    def take(self, accepted: socket.socket) -> None:
        """Serve a connection in a thread of its own; close it if there is no room."""
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in _KEEPALIVE:
            accepted.setsockopt(socket.IPPROTO_TCP, option, value)
        connection = Connection(self._house, accepted)
        thread = threading.Thread(
            target=self._run, args=(connection,), name="okera-connection", daemon=True
        )
        with self._lock:
            if self._ending.is_set() or not self._has_room():
                _log.warning("no room for a connection", connections=len(self._open))
                accepted.close()
                return
            self._open[connection] = thread
        try:
            thread.start()
        except RuntimeError:
            with self._lock:
                del self._open[connection]
            accepted.close()

    def shutdown(self) -> None:
        """Take no more connections, end those that are open, and wait for them briefly."""
        self._ending.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            left = dict(self._open)
        for connection in left:
            connection.stop()
        until = time.monotonic() + _END_SECONDS
        for thread in left.values():
            thread.join(timeout=max(0.0, until - time.monotonic()))

    def _run(self, connection: Connection) -> None:
        try:
            connection.run()
        finally:
            with self._lock:
                self._open.pop(connection, None)

    def _has_room(self) -> bool:
        """Whether one more fits; if not, the one that needs its place least is asked to end."""
        if len(self._open) < self._most:
            return True
        now = time.monotonic()
        strangers = [c for c in self._open if not c.admitted]
        idle = [
            (c.idle_since, c)
            for c in self._open
            if c.idle_since is not None and now - c.idle_since > _SETTLED_SECONDS
        ]
        if strangers:
            # In the order in which they came.
            strangers[0].stop()
        elif idle:
            min(idle, key=lambda one: one[0])[1].stop()
        # They end in a moment: a few beyond the bound are no harm, many are.
        return bool(strangers or idle) and len(self._open) < self._most + self._most // 8


def tls_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """TLS for the door, which remembers the name that a client asked for.

    Raises:
        OSError: the files cannot be read, or are none.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)

    def remember(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        connection.asked_name = name or ""  # type: ignore[attr-defined]

    context.sni_callback = remember  # type: ignore[assignment]
    return context
