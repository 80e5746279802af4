"""Starting a server: every door over one set of use cases, until it is told to end."""

from __future__ import annotations

import gc
import json
import os
import resource
import sys
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TextIO

from privet.model.errors import PrivetError
from privet.server import logs
from privet.server.dev import (
    DEV_ADMIN,
    DEV_LIFETIME,
    DEV_ROLE,
    alone_in,
    dev_settings,
    write_private,
)
from privet.server.doors import Doors
from privet.server.settings import Settings
from privet.server.wiring import local_identity, prepare_state, services

_NAMES = {"rest": "REST", "flight": "Flight", "okera": "Okera", "one_port": "all"}


@dataclass(frozen=True, slots=True)
class Ports:
    """Ports instead of the settings'; 0 takes a free one. `okera` and `one` open these doors."""

    rest: int | None = None
    flight: int | None = None
    okera: int | None = None
    one: int | None = None


def serve(config: Path | None, dev: Path | None, ports: Ports) -> int:
    """Run until SIGTERM or SIGINT.

    Args:
        config: a TOML file of settings.
        dev: instead, a directory for a self-contained loopback server.
        ports: of the doors.

    Returns:
        0 after a clean end, 1 when the server could not start; the reason is on standard error.
    """
    logs.configure()
    collect_less_often()
    leave_no_core()
    try:
        given = _given(ports)
        with alone_in(dev) if dev is not None else nullcontext():
            settings = (
                dev_settings(dev, **given) if dev is not None else Settings.load(config, **given)
            )
            with services(settings, (DEV_ROLE,) if dev is not None else ()) as offered:
                doors = Doors(settings, offered)
                doors.run(lambda urls: _announce(settings, urls, dev))
    except PrivetError as error:
        print(f"privet: {error}", file=sys.stderr)  # noqa: T201 - nobody else is there to tell
        return 1
    doors.leave()
    return 0


def collect_less_often() -> None:
    """Have cycles looked for after more new objects than Python does by itself.

    A large catalog is millions of objects that stay. Looking through them again and again while
    they are made took a third of the time of the first list.
    """
    gc.set_threshold(50_000, 20, 100)


def leave_no_core() -> None:
    """Have no memory of this process written to disk when it breaks: keys and cells are in it."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _given(ports: Ports) -> dict[str, Any]:
    """The settings that ports stand for."""
    given: dict[str, Any] = {
        "rest_port": ports.rest,
        "flight_port": ports.flight,
        "okera_port": ports.okera,
        "one_port": ports.one,
        "okera": True if ports.okera is not None or ports.one is not None else None,
    }
    return {name: value for name, value in given.items() if value is not None}


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


def _announce(settings: Settings, urls: dict[str, str], dev: Path | None) -> None:
    out: TextIO = sys.stdout
    if dev is None:
        told = ", ".join(f"{_NAMES[door]} at {where}" for door, where in urls.items())
        print(f"privet serves {told}", file=out, flush=True)
        return
    assert settings.tls_cert is not None
    ca = dev.resolve() / "ca.pem"
    with local_identity(settings) as identity:
        token = identity.issue_token(DEV_ADMIN, (), lifetime=DEV_LIFETIME)
    write_private(dev / "admin.token", token)
    lines = (
        "privet serves a trial on this machine only",
        *(f"  {_NAMES[door]:<7} {where}" for door, where in urls.items()),
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
