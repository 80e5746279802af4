"""Messages to calls, results to messages."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from thriftpy2.protocol import TCyBinaryProtocol
from thriftpy2.thrift import TApplicationException, TMessageType, TPayload
from thriftpy2.transport.memory import TCyMemoryBuffer

from privet.okera.idl import METHODS, Method
from privet.okera.wire.wellformed import Malformed

_HEAD = struct.Struct("!HHi")


@dataclass(frozen=True, slots=True)
class Head:
    """How a message begins."""

    name: str
    kind: int
    number: int
    size: int

    @property
    def method(self) -> Method | None:
        """The method it calls, if there is such a one."""
        return METHODS.get(self.name)

    @property
    def one_way(self) -> bool:
        """Whether nobody waits for an answer."""
        return self.kind == TMessageType.ONEWAY


def head_of(message: bytes) -> Head:
    """The beginning of a well-formed message, or of one that was cut off.

    Raises:
        Malformed: it calls nothing.
    """
    try:
        _, kind, length = _HEAD.unpack_from(message)
        name = message[_HEAD.size : _HEAD.size + length].decode("ascii")
        (number,) = struct.unpack_from("!i", message, _HEAD.size + length)
    except (struct.error, UnicodeDecodeError) as error:
        raise Malformed("a message without a name") from error
    if kind not in (TMessageType.CALL, TMessageType.ONEWAY):
        raise Malformed("a message that calls nothing")
    return Head(name, kind, number, _HEAD.size + length + 4)


def arguments_of(message: bytes, head: Head, method: Method) -> TPayload:
    """The arguments that a well-formed message carries.

    Raises:
        Malformed: texts that are none.
    """
    arguments = method.arguments()
    protocol = TCyBinaryProtocol(TCyMemoryBuffer(message[head.size :]), strict_decode=True)
    try:
        protocol.read_struct(arguments)
    except (UnicodeDecodeError, RecursionError, TypeError, EOFError) as error:
        raise Malformed("arguments that cannot be read") from error
    return arguments


def reply(head: Head, result: TPayload) -> bytes:
    """A result as a message."""
    return _message(head, TMessageType.REPLY, result)


def failure(head: Head, text: str, *, unknown: bool = False) -> bytes:
    """What is said where a result has no room for an error."""
    kind = TApplicationException.UNKNOWN_METHOD if unknown else TApplicationException.INTERNAL_ERROR
    return _message(head, TMessageType.EXCEPTION, TApplicationException(kind, text))


def _message(head: Head, kind: int, body: TPayload) -> bytes:
    sink = TCyMemoryBuffer()
    protocol = TCyBinaryProtocol(sink)
    protocol.write_message_begin(head.name, kind, head.number)
    protocol.write_struct(body)
    protocol.write_message_end()
    return sink.getvalue()


__all__ = ["Head", "arguments_of", "failure", "head_of", "reply"]
