"""Lakana: a REST catalog that nobody here wrote, as somebody's server."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest
from pyiceberg.catalog.rest import RestCatalog

from services.postgres import free_port

_PROGRAM = Path(__file__).parents[2] / ".tools/lakana/bin/lakana-server"
_START_SECONDS = 60.0
ENVIRONMENT = "dev"
"""What stands in front of its paths; it does not say so itself."""
NAMESPACE = "gold"
"""One of the few that it lets tables be in."""


class Lakana:
    """A server that runs, and the token of its administrator."""

    def __init__(self, port: int, token: str) -> None:
        self.port = port
        self.token = token

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def client(self) -> RestCatalog:
        """The library's client, for writing."""
        return RestCatalog("lakana", uri=self.url, token=self.token, prefix=ENVIRONMENT)

    def make_environment(self, root: Path) -> None:
        """Let it keep tables in a folder."""
        storage = {"scheme": "file", "root": f"file://{root}", "options": {}}
        request = Request(
            f"{self.url}/api/v1/environments",
            json.dumps({"name": ENVIRONMENT, "storage": storage}).encode(),
            {"authorization": f"Bearer {self.token}", "content-type": "application/json"},
        )
        with urlopen(request) as answer:
            assert answer.status == 201


@contextmanager
def lakana(folder: Path, tables: Path) -> Iterator[Lakana]:
    """A server with its state in a folder, and its tables in another."""
    if not _PROGRAM.exists():
        pytest.skip("Lakana is not installed: `make test` does that")
    port, token = free_port(), folder / "token"
    settings = {
        "LAKANA_DATABASE__URL": f"sqlite:///{folder / 'lakana.db'}",
        "LAKANA_BOOTSTRAP_TOKEN_FILE": str(token),
        "LAKANA_PORT": str(port),
        "LAKANA_LOG__LEVEL": "ERROR",
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
    }
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([str(_PROGRAM), "migrate"], env=settings, check=True, **quiet)
    process = subprocess.Popen([str(_PROGRAM)], env=settings, **quiet)
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not _answers(port):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.2)
        server = Lakana(port, token.read_text().strip())
        server.make_environment(tables)
        yield server
    finally:
        process.kill()
        process.wait()


def _answers(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/v1/config") as answer:
            return bool(answer.status == 200)
    except URLError:
        return False
