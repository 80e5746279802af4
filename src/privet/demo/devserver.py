"""A Privet server of its own, as a separate process: what `privet serve --dev` gives anybody."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from privet.demo.launch import signals_held
from privet.demo.objectstore import free_ports
from privet.model.errors import ConfigurationInvalid

_START_SECONDS = 60.0
_STOP_SECONDS = 10.0
_LOG_LINES = 15


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the server answers, and the file with the authority that signed its certificate."""

    rest: str
    flight: str
    ca: Path

    @property
    def flight_host(self) -> str:
        """The host of the Flight door."""
        return self.flight.rpartition("://")[2].rpartition(":")[0]

    @property
    def flight_port(self) -> int:
        """The port of the Flight door."""
        return int(self.flight.rpartition(":")[2])


class DevServer:
    """A server with its state in `directory`, alive inside the `with` block.

    Attributes:
        addresses: set once it is ready.
        admin_token: the token of its admin, set once it is ready.
    """

    addresses: Addresses
    admin_token: str

    def __init__(self, directory: Path, *, s3: Sequence[Mapping[str, object]] = ()) -> None:
        self._directory = directory
        self._s3 = s3
        self._process: subprocess.Popen[bytes] | None = None
        self._log = directory.with_name(f"{directory.name}.log")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it says that it is ready.

        Raises:
            ConfigurationInvalid: it ended early or was not ready in time; the hint has its last
                words.
        """
        self._directory.mkdir(parents=True, mode=0o700)
        rest, flight = free_ports(2)
        command = [sys.executable, "-m", "privet.cli", "serve", "--dev", str(self._directory)]
        command += ["--port", str(rest), "--flight-port", str(flight)]
        with self._log.open("ab") as log, signals_held():
            self._process = subprocess.Popen(  # noqa: S603 - our own program and arguments
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment(),
                # Ctrl-C is for us; we end the server when our own work is unwound.
                start_new_session=True,
            )
        try:
            self._wait(self._process)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Ask it to end, and end it if it does not; harmless when it does not run."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def last_words(self) -> str:
        """The end of its log."""
        if not self._log.exists():
            return ""
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-_LOG_LINES:])

    def _environment(self) -> dict[str, str]:
        # Settings of the person who runs the demo must not reach into it.
        inherited = {k: v for k, v in os.environ.items() if not k.upper().startswith("PRIVET_")}
        return inherited | {"PRIVET_S3": json.dumps(list(self._s3))}

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        ready = self._directory / "urls.json"
        deadline = time.monotonic() + _START_SECONDS
        while not ready.exists():
            if process.poll() is not None:
                self._fail(f"the server ended with status {process.returncode} while it started")
            if time.monotonic() > deadline:
                self._fail(f"the server was not ready within {_START_SECONDS:.0f} s")
            time.sleep(0.05)
        urls = json.loads(ready.read_text(encoding="utf-8"))
        self.addresses = Addresses(urls["rest"], urls["flight"], Path(urls["ca"]))
        token = self._directory / "admin.token"
        self.admin_token = token.read_text(encoding="utf-8").strip()

    def _fail(self, message: str) -> None:
        raise ConfigurationInvalid(message, hint=f"its last words:\n{self.last_words()}")
