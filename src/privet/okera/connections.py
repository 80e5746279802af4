"""One connection: which transport it speaks, whose it is, and its calls one after another."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass

import structlog

from privet.model.principals import BearerToken, NamedUser
from privet.okera.calls import DOOR, Address, Call
from privet.okera.dispatch import Unsaid, answer
from privet.okera.errors import RequestTooLarge, raised
from privet.okera.idl import T
from privet.okera.tasks import Tasks
from privet.okera.wire import sasl
from privet.okera.wire.incoming import HungUp, Incoming, has_left
from privet.okera.wire.messages import Head, arguments_of, failure, head_of, reply
from privet.okera.wire.transports import Framed, Plain, Transport
from privet.okera.wire.wellformed import Malformed
from privet.service import Caller, Services

_HANDSHAKE_SECONDS = 15.0
_IDLE_SECONDS = 3600.0
_REFUSAL_BYTES = 64 * 1024
_TRUSTED_BYTES = 64 * 2**20
_LINGER_SECONDS = 1.0
_LINGER_BYTES = 2**20
_TLS, _SASL, _PLAIN = 0x16, 0x01, 0x80

_NO_TOKEN = "Client does not have authentication enabled: connect with a token"  # noqa: S105 - a text
_NO_TLS = "this port speaks TLS only: connect with ssl=True"
_TOO_LARGE = "Request is larger than the maximum allowed size."
_log = structlog.get_logger("privet.okera")


@dataclass(frozen=True, slots=True)
class House:
    """What all connections of a door share.

    Attributes:
        services: the use cases.
        tls: for clients that begin with TLS; None where only clear text is spoken.
        clear: whether clear text is taken as well; only on loopback.
        compatibility: whether nobody is authenticated; only on loopback.
        public_host: the name to reach the door by, if clients should be told another than theirs.
        files_url: where files are handed out by HTTP; empty where they are not.
        bytes_at_once: about how many bytes of rows one answer holds.
    """

    services: Services
    tls: ssl.SSLContext | None
    clear: bool
    compatibility: bool
    public_host: str
    files_url: str = ""
    bytes_at_once: int = 2**20


class Connection:
    """Serves one client until it leaves.

    Attributes:
        admitted: whether its token held.
        idle_since: when it began to wait for a call (`time.monotonic`); None while it works.
    """

    def __init__(self, house: House, connection: socket.socket) -> None:
        self.admitted = False
        self.idle_since: float | None = time.monotonic()
        self._house = house
        self._socket = connection
        self._raw = connection
        self._name = ""
        self._tasks = Tasks()
        self._closing = threading.Event()

    def run(self) -> None:
        """Serve it; nothing that a client does raises."""
        with ExitStack() as stack:
            stack.callback(self._close)
            stack.callback(self._tasks.close)
            try:
                self._serve()
            except HungUp:
                return
            except (Malformed, sasl.Refused, OSError) as error:
                _log.info("connection ended", why=type(error).__name__)
            except Exception as error:  # noqa: BLE001 - the door: a stranger's bytes end here
                _log.error("unexpected error", kind=type(error).__name__, exc_info=error)

    def stop(self) -> None:
        """End it, from another thread."""
        self._closing.set()
        with suppress(OSError):
            _shut(self._raw, socket.SHUT_RDWR)

    def gone(self) -> bool:
        """Whether nobody waits for an answer any more; any thread may ask."""
        return self._closing.is_set() or has_left(self._raw)

    def _serve(self) -> None:
        self._raw.settimeout(_HANDSHAKE_SECONDS)
        first = self._raw.recv(1, socket.MSG_PEEK)
        secured = first == bytes([_TLS]) and self._house.tls is not None
        if secured:
            self._secure()
        incoming = Incoming(self._socket)
        incoming.limit_time(_HANDSHAKE_SECONDS)
        opening = incoming.peek()
        if opening not in (_SASL, _PLAIN):
            raise Malformed("no transport begins so")
        if not secured and not self._house.clear:
            self._refuse(incoming, opening, _NO_TLS)
        elif self._house.compatibility:
            self._trust(incoming, opening)
        elif opening == _PLAIN:
            self._refuse(incoming, opening, _NO_TOKEN)
        else:
            self._admit(incoming)

    def _secure(self) -> None:
        assert self._house.tls is not None
        self._socket = self._house.tls.wrap_socket(
            self._raw, server_side=True, do_handshake_on_connect=False
        )
        # What is wrapped gives its descriptor away; later questions are about that one.
        self._raw = self._socket
        self._socket.settimeout(_HANDSHAKE_SECONDS)
        assert isinstance(self._socket, ssl.SSLSocket)
        self._socket.do_handshake()
        self._name = getattr(self._socket, "asked_name", "")

    def _refuse(self, incoming: Incoming, opening: int, text: str) -> None:
        if opening == _SASL:
            sasl.refuse(self._socket, incoming, text)
            return
        transport = Plain(self._socket, incoming, _REFUSAL_BYTES)
        message, _ = transport.receive(_HANDSHAKE_SECONDS)
        head = head_of(message)
        method = head.method
        if method is None or not method.raises:
            transport.send(failure(head, text))
            return
        result = method.result()
        result.ex = T.TRecordServiceException(
            code=T.TErrorCode.AUTHENTICATION_ERROR,
            message=text,
            detail=f"AuthorizationException: {text}",
        )
        transport.send(reply(head, result))

    def _trust(self, incoming: Incoming, opening: int) -> None:
        if opening == _SASL:
            sasl.drop(incoming)
            return
        self._answer_all(Plain(self._socket, incoming, _TRUSTED_BYTES), Caller(NamedUser(""), DOOR))

    def _admit(self, incoming: Incoming) -> None:
        def check(token: str) -> None:
            self._house.services.sessions.identify(Caller(BearerToken(token), DOOR))

        token = sasl.negotiate(self._socket, incoming, check)
        self._answer_all(Framed(self._socket, incoming), Caller(BearerToken(token), DOOR))

    def _answer_all(self, transport: Transport, caller: Caller) -> None:
        self.admitted = True
        call = Call(
            services=self._house.services,
            caller=caller,
            compatibility=self._house.compatibility,
            tasks=self._tasks,
            address=self._address(),
            gone=self.gone,
            files_url=self._house.files_url,
            bytes_at_once=self._house.bytes_at_once,
        )
        while not self._closing.is_set():
            self.idle_since = time.monotonic()
            message, too_large = transport.receive(_IDLE_SECONDS)
            self.idle_since = None
            head = head_of(message)
            answered = _too_large(head) if too_large else _answered(call, head, message)
            if not head.one_way:
                transport.send(answered)

    def _address(self) -> Address:
        """Where the client has just reached us, unless it is told another name."""
        own = self._raw.getsockname()
        return Address(self._house.public_host or self._name or str(own[0]), int(own[1]))

    def _close(self) -> None:
        """Close so that what was sent last is read, also by a client that was still sending."""
        with suppress(OSError, ValueError):
            self._raw.settimeout(_LINGER_SECONDS)
            _shut(self._raw, socket.SHUT_WR)
            left, until = _LINGER_BYTES, time.monotonic() + _LINGER_SECONDS
            while left > 0 and time.monotonic() < until and (read := _rest(self._raw)):
                left -= read
        with suppress(OSError):
            self._raw.close()


def _shut(connection: socket.socket, how: int) -> None:
    # Not the method of a TLS socket: that forgets its session first, and what another thread sends
    # a moment later would leave in the clear.
    socket.socket.shutdown(connection, how)


def _rest(connection: socket.socket) -> int:
    """How much more a connection had to say, which nobody reads."""
    # As it came, also from a TLS socket: there is nothing to decrypt it for.
    return len(socket.socket.recv(connection, _REFUSAL_BYTES))


def _answered(call: Call, head: Head, message: bytes) -> bytes:
    method = head.method
    if method is None:
        return failure(head, f"no such method: {head.name!a}", unknown=True)
    arguments = arguments_of(message, head, method)
    try:
        return reply(head, answer(call, method, arguments))
    except Unsaid as error:
        return failure(head, str(error))


def _too_large(head: Head) -> bytes:
    method = head.method
    if method is None or not method.raises:
        return failure(head, _TOO_LARGE)
    result = method.result()
    result.ex = raised(RequestTooLarge(_TOO_LARGE))
    return reply(head, result)
