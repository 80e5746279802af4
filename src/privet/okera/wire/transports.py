"""Messages on a connection: each with its length before it, or back to back."""

from __future__ import annotations

import socket
import struct
from typing import Protocol

from privet.okera.wire.incoming import Incoming
from privet.okera.wire.wellformed import LARGEST, Malformed, Memory, Walk

MESSAGE_SECONDS = 60.0
"""How long one message may take on its way, either way."""
_LARGEST_SKIPPED = 256 * 2**20
_HEAD = 512


class Transport(Protocol):
    """Whole messages, checked to be well formed."""

    def receive(self, idle_seconds: float) -> tuple[bytes, bool]:
        """The next message, and whether it was too large to be kept whole.

        Raises:
            HungUp: there is none.
            Malformed: it is none.
            OSError: it did not come in time.
        """
        ...

    def send(self, message: bytes) -> None:
        """Send one, all of it.

        Raises:
            OSError: the client did not take it in time.
        """
        ...


class Plain:
    """Messages back to back, as clients without authentication send them."""

    def __init__(
        self, connection: socket.socket, incoming: Incoming, largest: int = LARGEST
    ) -> None:
        self._socket = connection
        self._incoming = incoming
        self._largest = largest

    def receive(self, idle_seconds: float) -> tuple[bytes, bool]:
        """See `Transport`."""
        _await(self._incoming, idle_seconds)
        walk = Walk(self._incoming, self._largest)
        return walk.message(), walk.too_large

    def send(self, message: bytes) -> None:
        """See `Transport`."""
        self._socket.settimeout(MESSAGE_SECONDS)
        self._socket.sendall(message)


class Framed:
    """Messages with their lengths, as they come after SASL."""

    def __init__(
        self, connection: socket.socket, incoming: Incoming, largest: int = LARGEST
    ) -> None:
        self._socket = connection
        self._incoming = incoming
        self._largest = largest

    def receive(self, idle_seconds: float) -> tuple[bytes, bool]:
        """See `Transport`."""
        _await(self._incoming, idle_seconds)
        (length,) = struct.unpack("!I", self._incoming.take(4))
        if length > _LARGEST_SKIPPED:
            raise Malformed("a frame of more bytes than are ever read")
        if length > self._largest:
            head = self._incoming.take(min(length, _HEAD))
            self._incoming.skip(length - len(head))
            return head, True
        framed = self._incoming.take(length)
        memory = Memory(framed)
        Walk(memory, self._largest).message()
        if memory.left:
            raise Malformed("a frame of more than one message")
        return framed, False

    def send(self, message: bytes) -> None:
        """See `Transport`."""
        self._socket.settimeout(MESSAGE_SECONDS)
        self._socket.sendall(struct.pack("!I", len(message)))
        self._socket.sendall(message)


def _await(incoming: Incoming, idle_seconds: float) -> None:
    """Wait for the first byte of a message for long, and for the rest of it briefly."""
    incoming.limit_time(idle_seconds)
    incoming.peek()
    incoming.limit_time(MESSAGE_SECONDS)
