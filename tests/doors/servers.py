"""A server as anybody starts one: a process of its own, with its state in one directory."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2
import pyarrow.flight as fl

from privet.client import Rest
from privet.demo.devserver import Addresses

START_SECONDS = 60.0
STOP_SECONDS = 20.0
COMMAND = (sys.executable, "-m", "privet.cli", "serve")


class StartFailed(Exception):
    """The server ended before it was ready; the text is what it said."""


def environment(variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """Ours without settings of the person who runs the tests, and with `variables`."""
    inherited = {k: v for k, v in os.environ.items() if not k.upper().startswith("PRIVET_")}
    return inherited | dict(variables or {})


def refused_start(*arguments: str, **variables: str) -> tuple[int, str]:
    """Start a server that must not start; its exit code and what it printed."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        env=environment(variables),
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


class TrialServer:
    """`privet serve --dev`, started and stopped as often as one likes on the same directory.

    Attributes:
        home: its directory; `home / "lake"` holds the data it may read.
        log: everything it printed, over all its lives.
        rest_url, flight_url, okera, ca, admin_token: known once it is ready.
    """

    rest_url: str
    flight_url: str
    okera: str
    ca: Path
    admin_token: str

    arguments: tuple[str, ...] = ()
    """More of the command line, for a server that is not started yet."""

    def __init__(self, home: Path, **variables: str) -> None:
        self.home = home
        self.log = home.with_name(f"{home.name}.log")
        self._variables = variables
        self._process: subprocess.Popen[bytes] | None = None
        self._opened: list[Rest] = []

    @property
    def lake(self) -> Path:
        """The folder that it may crawl."""
        return self.home / "lake"

    @property
    def addresses(self) -> Addresses:
        """Where it answers, as clients are told."""
        return Addresses(self.rest_url, self.flight_url, self.ca)

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start and wait until it says that it is ready."""
        (self.home / "urls.json").unlink(missing_ok=True)
        ports = ("--port", "0", "--flight-port", "0")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*COMMAND, "--dev", str(self.home), *ports, *self.arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment(self._variables),
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while not (self.home / "urls.json").exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise StartFailed(self.log.read_text())
            time.sleep(0.02)
        urls = json.loads((self.home / "urls.json").read_text())
        self.rest_url, self.flight_url, self.ca = urls["rest"], urls["flight"], Path(urls["ca"])
        self.okera = urls["okera"]
        self.admin_token = (self.home / "admin.token").read_text().strip()

    def terminate(self) -> int | None:
        """Ask it to end, as an init system does; its exit code, or None if it had to be killed."""
        assert self._process is not None
        for opened in self._opened:
            opened.close()
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    def kill(self) -> None:
        """End it without warning, and close what `rest` gave."""
        for opened in self._opened:
            opened.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def limit_files(self, size: int) -> None:
        """No file of the server may grow beyond `size` bytes, as on a full disk; -1 lifts it."""
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def rest(self, token: str | None = None) -> Rest:
        """Calls over HTTP, as the admin unless a token is given; closed with the server."""
        self._opened.append(Rest(self.rest_url, token or self.admin_token))
        return self._opened[-1]

    def http(self, token: str | None = None, **headers: str) -> httpx2.Client:
        """Raw HTTP; without a token there are no credentials."""
        sent = {"authorization": f"Bearer {token}"} if token else {}
        return httpx2.Client(
            base_url=self.rest_url,
            headers={**sent, **headers},
            trust_env=False,
            timeout=30,
            # Plain HTTP on this machine: certificates need not be loaded.
            verify=False,
        )

    def flight(self) -> fl.FlightClient:
        """A raw Flight connection."""
        return fl.FlightClient(self.flight_url, tls_root_certs=self.ca.read_bytes())

    def token(self, user: str, *groups: str, lifetime: int | None = None) -> str:
        """A token that the admin issues."""
        body = {"user": user, "groups": list(groups), "lifetime": lifetime}
        with self.rest() as rest:
            return rest.post("/v1/tokens", body)["token"]

    def events(self, **filters: Any) -> list[dict[str, Any]]:
        """Audit events, newest first."""
        with self.rest() as rest:
            return rest.items("/v1/audit", **{"limit": 1000, **filters})


def bearer(token: str | None) -> fl.FlightCallOptions:
    """Options of a Flight call with a token."""
    headers = [(b"authorization", f"Bearer {token}".encode())] if token else []
    return fl.FlightCallOptions(headers=headers, timeout=60)
