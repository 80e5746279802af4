"""Starting a server: both doors over one set of use cases, until it is told to end."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import TextIO

import pyarrow as pa
import uvicorn

from privet.flight import FlightDoor
from privet.model.errors import ConfigurationInvalid, PrivetError
from privet.rest import ServerInfo, create_app
from privet.server import logs
from privet.server.dev import DEV_ADMIN, DEV_LIFETIME, DEV_ROLE, dev_settings, write_private
from privet.server.settings import Settings
from privet.server.wiring import local_identity, prepare_state, services
from privet.service import Services

_GRACE_SECONDS = 5
_LEAVE_SECONDS = 1


def serve(config: Path | None, dev: Path | None, port: int | None, flight_port: int | None) -> int:
    """Run until SIGTERM or SIGINT.

    Args:
        config: a TOML file of settings.
        dev: instead, a directory for a self-contained loopback server.
        port: of the REST door, instead of the settings'; 0 takes a free one.
        flight_port: of the Flight door, likewise.

    Returns:
        0 after a clean end, 1 when the server could not start; the reason is on standard error.
    """
    logs.configure()
    try:
        settings = dev_settings(dev) if dev is not None else Settings.load(config)
        if port is not None:
            settings.rest_port = port
        if flight_port is not None:
            settings.flight_port = flight_port
        with services(settings, (DEV_ROLE,) if dev is not None else ()) as offered:
            doors = _Doors(settings, offered)
            doors.run(lambda urls: _announce(settings, urls, dev))
    except PrivetError as error:
        print(f"privet: {error}", file=sys.stderr)  # noqa: T201 - nobody else is there to tell
        return 1
    doors.leave()
    return 0


def issue_token(config: Path | None, user: str, groups: Iterable[str], lifetime: timedelta) -> str:
    """Sign a token with the server's own keys: how the first administrator gets in.

    Whoever can read the signing keys can do this; nobody else can.

    Raises:
        ConfigurationInvalid, KeyUnavailable, StoreUnavailable, InvalidRequest: as they say.
    """
    settings = Settings.load(config)
    prepare_state(settings.state_dir)
    with local_identity(settings) as identity:
        return identity.issue_token(user, groups, lifetime=lifetime)


class _Doors:
    def __init__(self, settings: Settings, offered: Services) -> None:
        self._settings = settings
        self._offered = offered
        self._ending = threading.Event()
        self._draining: threading.Thread

    def run(self, ready: Callable[[dict[str, str]], None]) -> None:
        settings = self._settings
        flight = self._open_flight()
        host = settings.public_host or settings.flight_host
        flight_url = f"grpc+tls://{host}:{flight.port}"
        app = create_app(self._offered, ServerInfo(flight=flight_url))
        config = uvicorn.Config(
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
        bound = config.bind_socket()
        # Inherited by connections: the event loop sets it on its own sockets only, and without it
        # each answer whose body follows its head waits 40 ms for the client's acknowledgement.
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        scheme = "https" if settings.rest_tls else "http"
        rest_host = settings.public_host or settings.rest_host
        rest_url = f"{scheme}://{rest_host}:{bound.getsockname()[1]}"
        server = _Announcing(
            config, lambda: ready({"rest": rest_url, "flight": flight_url}), self._ending.set
        )
        self._offered.queries.warm_up()
        serving = threading.Thread(target=flight.serve, name="flight", daemon=True)
        draining = threading.Thread(target=self._drain, args=(flight,), name="drain", daemon=True)
        serving.start()
        draining.start()
        try:
            server.run(sockets=[bound])
        finally:
            self._ending.set()
            draining.join(timeout=_GRACE_SECONDS)
        self._draining = draining

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
            raise ConfigurationInvalid(
                f"the Flight door cannot open at {settings.flight_host}:{settings.flight_port}",
                hint="see that tls_cert and tls_key are readable PEM files and the port is free",
            ) from error

    def _drain(self, flight: FlightDoor) -> None:
        self._ending.wait()
        flight.shutdown()

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


def _announce(settings: Settings, urls: dict[str, str], dev: Path | None) -> None:
    out: TextIO = sys.stdout
    if dev is None:
        print(
            f"privet serves REST at {urls['rest']} and Flight at {urls['flight']}",
            file=out,
            flush=True,
        )
        return
    assert settings.tls_cert is not None
    ca = dev.resolve() / "ca.pem"
    with local_identity(settings) as identity:
        token = identity.issue_token(DEV_ADMIN, (), lifetime=DEV_LIFETIME)
    write_private(dev / "admin.token", token)
    lines = (
        "privet serves a trial on this machine only",
        f"  REST    {urls['rest']}",
        f"  Flight  {urls['flight']}",
        f"  CA      {ca}",
        f"  token   {dev / 'admin.token'}  (user {DEV_ADMIN}, administrator)",
        f"  lake    {dev / 'lake'}",
        "try:",
        f"  export PRIVET_URL={urls['rest']} PRIVET_CA={ca}",
        f"  export PRIVET_TOKEN=$(cat {dev / 'admin.token'})",
        "  privet whoami",
    )
    print("\n".join(lines), file=out, flush=True)
    described = json.dumps({**urls, "ca": str(ca)}, indent=2)
    partial = dev / f".urls.{os.getpid()}"
    partial.write_text(described + "\n")
    partial.replace(dev / "urls.json")
