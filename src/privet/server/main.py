"""Starting a server: both doors over one set of use cases, until it is told to end."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import TextIO

import uvicorn

from privet.flight import FlightDoor
from privet.identity import AdminRule, Identity, SigningKeys
from privet.model.errors import ConfigurationInvalid, PrivetError
from privet.rest import ServerInfo, create_app
from privet.server import logs
from privet.server.dev import DEV_ADMIN, DEV_LIFETIME, DEV_ROLE, dev_settings, write_private
from privet.server.settings import Settings
from privet.server.wiring import now, prepare_state, services
from privet.service import Services
from privet.store import migrate, open_engine


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
    return 0


def issue_token(config: Path | None, user: str, groups: Iterable[str], lifetime: timedelta) -> str:
    """Sign a token with the server's own keys: how the first administrator gets in.

    Whoever can read the signing keys can do this; nobody else can.

    Raises:
        ConfigurationInvalid, KeyUnavailable, StoreUnavailable, InvalidRequest: as they say.
    """
    settings = Settings.load(config)
    prepare_state(settings.state_dir)
    return _local_identity(settings).issue_token(user, groups, lifetime=lifetime)


def _local_identity(settings: Settings) -> Identity:
    store = open_engine(settings.store_url)
    migrate(store)
    return Identity(
        store,
        SigningKeys.ensure(settings.signing_keys, clock=now),
        issuer=settings.issuer,
        audience=settings.audience,
        admins=AdminRule.parse(settings.catalog_admins),
        token_lifetime=timedelta(seconds=settings.token_lifetime),
        clock=now,
    )


class _Doors:
    def __init__(self, settings: Settings, offered: Services) -> None:
        self._settings = settings
        self._offered = offered

    def run(self, ready: Callable[[dict[str, str]], None]) -> None:
        settings = self._settings
        assert settings.tls_cert is not None
        assert settings.tls_key is not None
        flight = FlightDoor(
            self._offered,
            host=settings.flight_host,
            port=settings.flight_port,
            certificate=settings.tls_cert,
            key=settings.tls_key,
        )
        host = settings.public_host or settings.flight_host
        flight_url = f"grpc+tls://{host}:{flight.port}"
        app = create_app(self._offered, ServerInfo(flight=flight_url))
        config = uvicorn.Config(
            app,
            host=settings.rest_host,
            port=settings.rest_port,
            ssl_certfile=settings.tls_cert if settings.rest_tls else None,
            ssl_keyfile=settings.tls_key if settings.rest_tls else None,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=5,
        )
        bound = config.bind_socket()
        scheme = "https" if settings.rest_tls else "http"
        rest_host = settings.public_host or settings.rest_host
        rest_url = f"{scheme}://{rest_host}:{bound.getsockname()[1]}"
        server = _Announcing(config, lambda: ready({"rest": rest_url, "flight": flight_url}))
        serving = threading.Thread(target=flight.serve, name="flight", daemon=True)
        serving.start()
        try:
            server.run(sockets=[bound])
        finally:
            flight.shutdown()
            serving.join(timeout=5)


class _Announcing(uvicorn.Server):
    """Says so once it answers."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            self._ready()


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
    token = _local_identity(settings).issue_token(DEV_ADMIN, (), lifetime=DEV_LIFETIME)
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


__all__ = ["ConfigurationInvalid", "issue_token", "serve"]
