"""A server in compatibility mode, on loopback, with what the original client's tests read."""

from __future__ import annotations

import argparse
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import uvicorn

from conformance import databases
from conformance.fixtures import BUCKETS, define, write_lake
from conformance.naming import NamingIdentity
from privet.catalog import LineageRule
from privet.okera import House, OkeraDoor
from privet.rest import ServerInfo, create_app
from privet.server import logs
from privet.server.dev import dev_settings
from privet.server.wiring import Instead, local_identity, services
from privet.service import Services

_TABLES_OVER_ONE_PATH = 24


@contextmanager
def serving(directory: Path, port: int = 0) -> Generator[int]:
    """Serve below a fresh directory; yields the one port of planner and worker."""
    lake = directory / "buckets"
    write_lake(lake)
    mirrors = {
        name: lake / bucket
        for bucket in BUCKETS
        for name in (bucket, *(f"{bucket}--{n}" for n in range(1, _TABLES_OVER_ONE_PATH)))
    }
    settings = dev_settings(
        directory / "state",
        mirrors=mirrors,
        query_workers=2,
        catalog_admins=["okera", "root"],
        secrets=databases.secrets(directory / "secrets"),
    )
    with (
        databases.standing_in() as redirect,
        services(
            settings, ("admin_role",), Instead(NamingIdentity, redirect, LineageRule.PLAIN)
        ) as offered,
    ):
        define(offered)
        offered.queries.warm_up()
        with _files(offered) as url:
            house = House(
                offered, tls=None, clear=True, compatibility=True, public_host="", files_url=url
            )
            yield from _opened(OkeraDoor(house, host="127.0.0.1", port=port))


@contextmanager
def serving_tokens(directory: Path) -> Generator[tuple[int, Path]]:
    """Serve as everywhere, but on loopback without TLS; yields the port, and a token in a file."""
    settings = dev_settings(directory / "state", query_workers=1)
    token = directory / "token"
    with services(settings, ("admin_role",)) as offered:
        with local_identity(settings) as identity:
            token.write_text(identity.issue_token("root", (), lifetime=timedelta(hours=1)))
        house = House(offered, tls=None, clear=True, compatibility=False, public_host="")
        for port in _opened(OkeraDoor(house, host="127.0.0.1", port=0)):
            yield port, token


def _opened(door: OkeraDoor) -> Generator[int]:
    thread = threading.Thread(target=door.serve, daemon=True)
    thread.start()
    try:
        yield door.port
    finally:
        door.shutdown()
        thread.join(timeout=10)


@contextmanager
def _files(offered: Services) -> Generator[str]:
    """The HTTP door, for files by their address."""
    app = create_app(offered, ServerInfo(flight=""))
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)


def main() -> int:
    """Serve in the foreground until told to end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=12050)
    given = parser.parse_args()
    logs.configure()
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with tempfile.TemporaryDirectory() as place, serving(Path(place), given.port) as port:
        print(f"COMPATIBILITY MODE: everybody is whom they say, at 127.0.0.1:{port}", flush=True)
        ended.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
