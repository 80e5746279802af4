"""One port for every door: where a connection goes is what its TLS ClientHello offers.

No ALPN goes to the okera door, whose clients know none; `h2` alone is gRPC; whoever offers
`http/1.1` speaks HTTP. Nothing is decrypted here: the bytes go on as they came, and the door at the
other end answers the handshake.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import structlog

from privet.server.hello import LARGEST, NoHello, offered

_HELLO_SECONDS = 10.0
_LOOK_AGAIN_SECONDS = 0.01
_BACKLOG = 128
_MOST = 1024
_AT_ONCE = 256 * 1024

_log = structlog.get_logger("privet.front")
Address = tuple[str, int]


class Front:
    """Listens until `shutdown`. `port` is the one it got."""

    def __init__(
        self,
        okera: Callable[[socket.socket], None],
        *,
        rest: Address,
        flight: Address,
        host: str,
        port: int,
    ) -> None:
        """Open the port.

        Args:
            okera: takes a connection over, nothing of which was read.
            rest: where the REST door listens.
            flight: where the Flight door listens.
            host: where to listen.
            port: where to listen.

        Raises:
            OSError: it cannot be opened.
        """
        self._okera = okera
        self._rest = rest
        self._flight = flight
        self._room = threading.BoundedSemaphore(_MOST)
        self._ending = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._pumps = threading.Thread(target=self._loop.run_forever, name="front", daemon=True)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
        self.port: int = self._listener.getsockname()[1]

    def serve(self) -> None:
        """Take connections until `shutdown`."""
        self._pumps.start()
        while not self._ending.is_set():
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                if not self._ending.is_set():
                    time.sleep(_LOOK_AGAIN_SECONDS)
                continue
            if not self._room.acquire(blocking=False):
                accepted.close()
                continue
            threading.Thread(
                target=self._lead, args=(accepted,), name="front-hello", daemon=True
            ).start()

    def shutdown(self) -> None:
        """Take no more connections, and end those that are led on."""
        self._ending.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        if self._pumps.is_alive():
            asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(timeout=2)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._pumps.join(timeout=2)

    def _lead(self, accepted: socket.socket) -> None:
        try:
            protocols = hello_of(accepted)
        except (NoHello, OSError) as error:
            _log.info("connection ended", why=type(error).__name__)
            accepted.close()
            self._room.release()
            return
        if protocols is not None and b"http/1.1" in protocols:
            self._splice(accepted, self._rest)
        elif protocols is not None and b"h2" in protocols:
            self._splice(accepted, self._flight)
        else:
            self._room.release()
            if protocols:
                accepted.close()
            else:
                self._okera(accepted)

    def _splice(self, accepted: socket.socket, target: Address) -> None:
        led = asyncio.run_coroutine_threadsafe(_between(accepted, target), self._loop)
        led.add_done_callback(lambda _: self._room.release())

    async def _end(self) -> None:
        own = asyncio.current_task()
        led = [task for task in asyncio.all_tasks() if task is not own]
        for task in led:
            task.cancel()
        await asyncio.gather(*led, return_exceptions=True)


def hello_of(accepted: socket.socket) -> tuple[bytes, ...] | None:
    """The protocols that a client offers; None if it does not begin with TLS. Nothing is consumed.

    Raises:
        NoHello: it begins with other bytes of TLS, or sends none in time.
        OSError: it left.
    """
    until = time.monotonic() + _HELLO_SECONDS
    seen = 0
    while (left := until - time.monotonic()) > 0:
        accepted.settimeout(left)
        data = accepted.recv(LARGEST, socket.MSG_PEEK)
        if not data:
            raise NoHello("nothing was said")
        if data[0] != 0x16:  # noqa: PLR2004 - a handshake of TLS
            return None
        protocols = offered(data)
        if protocols is not None:
            return protocols
        if len(data) == seen:
            # What was seen stays readable, so there is nothing to wait on but time.
            time.sleep(_LOOK_AGAIN_SECONDS)
        seen = len(data)
    raise NoHello("too slow")


async def _between(accepted: socket.socket, target: Address) -> None:
    accepted.setblocking(False)
    near_reader, near = await asyncio.open_connection(sock=accepted, limit=_AT_ONCE)
    try:
        far_reader, far = await asyncio.open_connection(*target, limit=_AT_ONCE)
    except OSError:
        near.close()
        return
    try:
        await asyncio.gather(_pump(near_reader, far), _pump(far_reader, near))
    except OSError:
        pass
    finally:
        near.close()
        far.close()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(_AT_ONCE):
        sink.write(data)
        await sink.drain()
    if sink.can_write_eof():
        sink.write_eof()
