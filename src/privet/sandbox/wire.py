"""What the two ends say to each other: JSON messages over a socket pair, and Arrow beside them.

The server trusts nothing of what comes back: messages are bounded and read strictly.
"""

from __future__ import annotations

import base64
import json
import socket
import struct
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, NoReturn, Self

import pyarrow as pa

from privet.model.errors import InvalidRequest
from privet.model.strict_json import read_json

LONGEST_MESSAGE = 16 * 1024 * 1024
"""Bytes. A schema of many thousand columns fits."""
_LENGTH = struct.Struct("!I")


class Closed(Exception):
    """The other end is gone."""


class Channel:
    """One end: whole messages over a connected stream socket."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def fileno(self) -> int:
        """For those who wait on it."""
        return self._end.fileno()

    def send(self, message: dict[str, Any], *, files: tuple[int, ...] = ()) -> None:
        """Send a message, and open files with it.

        Raises:
            Closed: nobody is there to take it.
        """
        body = json.dumps(message).encode()
        try:
            # Files travel with the length, which is never split from them.
            head = _LENGTH.pack(len(body))
            socket.send_fds(self._end, [head], list(files)) if files else self._end.sendall(head)
            self._end.sendall(body)
        except OSError as error:
            raise Closed from error

    def receive(self, *, files: int = 0) -> tuple[dict[str, Any], list[int]]:
        """Wait for a message, and up to `files` open files.

        Raises:
            Closed: the other end closed, or sent what is no message.
        """
        try:
            head, received = self._head(files)
            (length,) = _LENGTH.unpack(head)
            if length > LONGEST_MESSAGE:
                raise Closed
            message = read_json(read_exactly(self._end, length).tobytes())
        except (OSError, InvalidRequest) as error:
            raise Closed from error
        if not isinstance(message, dict):
            raise Closed
        return message, received

    def _head(self, files: int) -> tuple[bytes, list[int]]:
        if not files:
            return read_exactly(self._end, _LENGTH.size).tobytes(), []
        head, received, _, _ = socket.recv_fds(self._end, _LENGTH.size, files)
        if not head:
            raise Closed
        rest = read_exactly(self._end, _LENGTH.size - len(head)).tobytes()
        return head + rest, received

    def close(self) -> None:
        """Close this end."""
        self._end.close()


def read_exactly(end: socket.socket, size: int) -> memoryview:
    """Exactly `size` bytes.

    Raises:
        Closed: the other end closed before.
    """
    return memoryview(read_buffer(end, size))


def read_buffer(end: socket.socket, size: int) -> pa.Buffer:
    """Exactly `size` bytes, in memory that nothing has written before.

    Raises:
        Closed: the other end closed before.
    """
    buffer = pa.allocate_buffer(size)
    view = memoryview(buffer)
    got = 0
    while got < size:
        count = end.recv_into(view[got:], 0, socket.MSG_WAITALL)
        if not count:
            raise Closed
        got += count
    return buffer


@dataclass(frozen=True, slots=True)
class Own:
    """What the functions of one statement are keyed with. It is neither printed nor pickled.

    Attributes:
        secret: of whoever reads.
        shared: of whoever wrote the statement; of a query the same.
        seed: of what is drawn by chance, for this statement alone.
        place: in the key of tokens that no other dataset has: the view that it is the statement of.
        today: the day on which it is asked.
    """

    secret: bytes = field(repr=False)
    shared: bytes = field(repr=False)
    seed: bytes = field(default=b"", repr=False)
    place: str = "own"
    today: date | None = None

    def __reduce__(self) -> NoReturn:
        raise TypeError("keys cannot be copied or pickled")

    def to_json(self) -> dict[str, Any]:
        """As a part of a message."""
        return {
            "secret": pack_bytes(self.secret),
            "shared": pack_bytes(self.shared),
            "seed": pack_bytes(self.seed),
            "place": self.place,
            "today": self.today.isoformat() if self.today else None,
        }

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Self:
        """Out of a message."""
        secret, shared, seed = (unpack_bytes(told[name]) for name in ("secret", "shared", "seed"))
        today = date.fromisoformat(told["today"]) if told["today"] else None
        return cls(secret, shared, seed, told["place"], today)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one statement may use.

    Attributes:
        memory: bytes that the engine may hold; the process may have about twice that.
        seconds: of processor time, over all its threads.
        threads: of the engine.
        spill: bytes on disk, where there is a private place for them.
        user: id of the unprivileged user it becomes, where the server may choose; 0 for none.
        rewrites: whether plans may be rewritten; where one is only looked at, it is as written.
    """

    memory: int
    seconds: int
    threads: int
    spill: int
    user: int = 0
    rewrites: bool = True

    def to_json(self) -> dict[str, int]:
        """As a message has it."""
        return asdict(self)

    @classmethod
    def from_json(cls, message: dict[str, Any]) -> Self:
        """From a message."""
        return cls(**message)


def pack_schema(schema: pa.Schema) -> str:
    """A schema as text."""
    return base64.b64encode(schema.serialize().to_pybytes()).decode("ascii")


def unpack_schema(text: str) -> pa.Schema:
    """A schema from text.

    Raises:
        Closed: it is none.
    """
    try:
        return pa.ipc.read_schema(pa.py_buffer(base64.b64decode(text, validate=True)))
    except (ValueError, pa.ArrowException) as error:
        raise Closed from error


def pack_bytes(data: bytes) -> str:
    """Bytes as text."""
    return base64.b64encode(data).decode("ascii")


def unpack_bytes(text: str) -> bytes:
    """Bytes from text that `pack_bytes` made."""
    return base64.b64decode(text, validate=True)
