"""What a client sends, read within a deadline: nobody holds a thread by sending slowly."""

from __future__ import annotations

import select
import socket
import time

_AT_ONCE = 64 * 1024


class HungUp(ConnectionError):
    """The client closed the connection."""


class Incoming:
    """The bytes of one connection, in order. `limit_time` bounds all reading until the next one."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._held = bytearray()
        self._deadline = time.monotonic()

    def limit_time(self, seconds: float) -> None:
        """Read no longer than so many seconds from now."""
        self._deadline = time.monotonic() + seconds

    def peek(self) -> int:
        """The next byte, which stays where it is.

        Raises:
            TimeoutError, HungUp, OSError: nothing came.
        """
        if not self._held:
            self._fill()
        return self._held[0]

    def take(self, count: int) -> bytes:
        """The next `count` bytes.

        Raises:
            TimeoutError, HungUp, OSError: they did not come.
        """
        while len(self._held) < count:
            self._fill()
        taken = bytes(self._held[:count])
        del self._held[:count]
        return taken

    def skip(self, count: int) -> None:
        """Read `count` bytes and keep none of them.

        Raises:
            TimeoutError, HungUp, OSError: they did not come.
        """
        while count:
            part = min(count, _AT_ONCE)
            self.take(part)
            count -= part

    def _fill(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the client sends too slowly")
        self._socket.settimeout(left)
        received = self._socket.recv(_AT_ONCE)
        if not received:
            raise HungUp("the client closed the connection")
        self._held += received


def has_left(connection: socket.socket) -> bool:
    """Whether the other side has closed a connection, whatever it sent before."""
    poll = select.poll()
    hung_up = select.POLLHUP | select.POLLERR | getattr(select, "POLLRDHUP", 0)
    try:
        poll.register(connection, hung_up)
        return any(events & (hung_up | select.POLLNVAL) for _, events in poll.poll(0))
    except (OSError, ValueError):
        return True
