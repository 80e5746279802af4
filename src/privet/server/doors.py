"""The doors of one server: opened together, ended together."""

from __future__ import annotations

import errno
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from types import FrameType
from typing import Any

import pyarrow as pa
import uvicorn

from privet.flight import FlightDoor
from privet.model.errors import ConfigurationInvalid
from privet.okera import House, OkeraDoor, tls_context
from privet.rest import ServerInfo, create_app
from privet.server.front import Front
from privet.server.settings import Settings
from privet.service import Services

_PORTS = {
    "REST door": ("rest_port", "--port"),
    "Flight door": ("flight_port", "--flight-port"),
    "okera door": ("okera_port", "--okera-port"),
    "one port": ("one_port", "--one-port"),
}
"""By which setting and which option each has its port."""
_GRACE_SECONDS = 5
_LEAVE_SECONDS = 1


class Doors:
    """Every door that the settings open, over one set of use cases."""

    def __init__(self, settings: Settings, offered: Services) -> None:
        self._settings = settings
        self._offered = offered
        self._ending = threading.Event()
        self._draining: threading.Thread

    def run(self, ready: Callable[[dict[str, str]], None]) -> None:
        """Open every door, say so, and serve until told to end.

        Args:
            ready: is given where each door answers, by its name.

        Raises:
            ConfigurationInvalid: one cannot open.
        """
        settings = self._settings
        flight = self._open_flight()
        flight_url = f"grpc+tls://{self._reached(settings.flight_host, flight.port)}"
        app = create_app(self._offered, ServerInfo(flight=flight_url))
        config = self._rest_config(app)
        try:
            bound = config.bind_socket()
        except SystemExit as error:
            # The library's own way to say so.
            raise _unopened("REST door", settings.rest_host, settings.rest_port) from error
        # Inherited by connections: the event loop sets it on its own sockets only, and without it
        # each answer whose body follows its head waits 40 ms for the client's acknowledgement.
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        scheme = "https" if settings.rest_tls else "http"
        rest_port: int = bound.getsockname()[1]
        urls = {
            "rest": f"{scheme}://{self._reached(settings.rest_host, rest_port)}",
            "flight": flight_url,
        }
        others = self._open_others(urls, rest_port, flight.port)
        server = _Announcing(config, lambda: ready(urls), self._ending.set)
        self._offered.queries.warm_up()
        for name, door in (("flight", flight), *others):
            threading.Thread(target=door.serve, name=name, daemon=True).start()
        doors = [flight, *(door for _, door in others)]
        draining = threading.Thread(target=self._drain, args=(doors,), name="drain", daemon=True)
        draining.start()
        try:
            server.run(sockets=[bound])
        finally:
            self._ending.set()
            draining.join(timeout=_GRACE_SECONDS)
        self._draining = draining

    def _reached(self, host: str, port: int) -> str:
        return f"{self._settings.public_host or host}:{port}"

    def _rest_config(self, app: Any) -> uvicorn.Config:
        settings = self._settings
        return uvicorn.Config(
            app,
            host=settings.rest_host,
            port=settings.rest_port,
            ssl_certfile=settings.tls_cert if settings.rest_tls else None,
            ssl_keyfile=settings.tls_key if settings.rest_tls else None,
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )

    def _open_others(
        self, urls: dict[str, str], rest_port: int, flight_port: int
    ) -> list[tuple[str, OkeraDoor | Front]]:
        """The okera door and the port for all of them, if they are wanted; named in `urls`."""
        settings = self._settings
        if not settings.okera:
            return []
        # Where there is one port for all, it may be the only one that clients reach.
        one = settings.one_port and self._reached(settings.one_port_host, settings.one_port)
        okera = self._open_okera(f"https://{one}" if one else urls["rest"])
        urls["okera"] = self._reached(settings.okera_host, okera.port)
        if settings.one_port is None:
            return [("okera", okera)]
        front = self._open_front(
            okera, (settings.rest_host, rest_port), (settings.flight_host, flight_port)
        )
        urls["one_port"] = self._reached(settings.one_port_host, front.port)
        return [("okera", okera), ("front", front)]

    def _open_okera(self, files_url: str) -> OkeraDoor:
        settings = self._settings
        assert settings.tls_cert is not None
        assert settings.tls_key is not None
        try:
            house = House(
                services=self._offered,
                tls=tls_context(settings.tls_cert, settings.tls_key),
                clear=not settings.okera_tls,
                compatibility=False,
                public_host=settings.public_host,
                files_url=files_url,
            )
            return OkeraDoor(house, host=settings.okera_host, port=settings.okera_port)
        except OSError as error:
            raise _unopened("okera door", settings.okera_host, settings.okera_port) from error

    def _open_front(
        self, okera: OkeraDoor, rest: tuple[str, int], flight: tuple[str, int]
    ) -> Front:
        settings = self._settings
        assert settings.one_port is not None
        try:
            return Front(
                okera.take,
                rest=rest,
                flight=flight,
                host=settings.one_port_host,
                port=settings.one_port,
            )
        except OSError as error:
            raise _unopened("one port", settings.one_port_host, settings.one_port) from error

    def _open_flight(self) -> FlightDoor:
        settings = self._settings
        assert settings.tls_cert is not None
        assert settings.tls_key is not None
        try:
            return FlightDoor(
                self._offered,
                host=settings.flight_host,
                port=settings.flight_port,
                certificate=settings.tls_cert,
                key=settings.tls_key,
            )
        except (OSError, pa.ArrowException) as error:
            raise _unopened("Flight door", settings.flight_host, settings.flight_port) from error

    def _drain(self, doors: Iterable[FlightDoor | OkeraDoor | Front]) -> None:
        self._ending.wait()
        for door in reversed(list(doors)):
            door.shutdown()

    def leave(self) -> None:
        """End the process at once if some client still holds a call of the Flight door open.

        The library waits for the last of them without an end. By now everything is closed and on
        record; only that client is left.
        """
        self._draining.join(timeout=_LEAVE_SECONDS)
        if self._draining.is_alive():
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(0)


def _unopened(door: str, host: str, port: int) -> ConfigurationInvalid:
    """Why a door did not open: its port is taken, or something else is wrong."""
    setting, option = _PORTS[door]
    message = f"the {door} cannot open at {host}:{port}"
    if _is_taken(host, port):
        return ConfigurationInvalid(
            f"{message}: the port is in use",
            hint=f"end what uses it, or name another: the setting {setting}, or {option}",
        )
    return ConfigurationInvalid(
        message,
        hint=f"see that {setting.replace('port', 'host')} is an address of this machine, and"
        " tls_cert and tls_key are readable PEM files",
    )


def _is_taken(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        try:
            # As servers do: connections that ended a moment ago leave the port free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


class _Announcing(uvicorn.Server):
    """Says so once it answers, and ends without taking the process along."""

    def __init__(
        self, config: uvicorn.Config, ready: Callable[[], None], ending: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._ready = ready
        self._ending = ending

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            self._ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        self._ending()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        # The library raises the signal again when it is done; what is ours to close comes after it.
        before = {s: signal.signal(s, self.handle_exit) for s in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
