"""The published client of the original, unmodified, in an environment of its own.

It needs libraries of its own time, so it never shares an environment with the product: pyokera
2.9.0, as it is on the package index, goes into `.tools/pyokera-venv`. Python 3.9 runs it as it is;
for 3.10 and 3.11 `pyokera_shim.py` beside this file gives back what Python and numpy dropped since.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PLACE = Path(__file__).parents[2] / ".tools" / "pyokera-venv"
SHIM = Path(__file__).with_name("pyokera_shim.py")
THRIFT = "thriftpy2==0.4.14"
"""Newer ones return bytes where this client expects text."""
CLIENT = "pyokera==2.9.0"
# setuptools: the last with what the client's setup.py asks for; numpy: the last with `numpy.bool`.
RECIPES = {
    "3.9": ("setuptools==57.5.0", "numpy==1.22.4", "pandas==1.4.4"),
    "3.10": ("setuptools==57.5.0", "numpy==1.22.4", "pandas==1.4.4"),
    "3.11": ("setuptools==65.7.0", "numpy==1.23.5", "pandas==1.5.3"),
}
SECONDS = 120


def python() -> Path:
    """The interpreter of the client's environment, which is made if it is not there."""
    PLACE.parent.mkdir(exist_ok=True)
    with PLACE.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        interpreter = PLACE / "bin" / "python"
        if not (PLACE / "complete").exists():
            shutil.rmtree(PLACE, ignore_errors=True)
            _make(interpreter)
            (PLACE / "complete").touch()
        return interpreter


def _make(interpreter: Path) -> None:
    version, base = _base()
    subprocess.run([base, "-m", "venv", str(PLACE)], check=True)
    setuptools, *frames = RECIPES[version]
    _pip(interpreter, setuptools, "wheel")
    if version == "3.11":
        _pip(interpreter, "Cython==0.29.37")
        _install_thrift_anew(interpreter)
    else:
        _pip(interpreter, THRIFT)
    _pip(interpreter, *frames)
    _pip(interpreter, CLIENT)
    if version != "3.9":
        (site,) = PLACE.glob("lib/python3.*/site-packages")
        shutil.copy(SHIM, site)
        (site / "pyokera_shim.pth").write_text("import pyokera_shim\n")


def _base() -> tuple[str, str]:
    """A Python that the client runs on: the oldest there is."""
    for version in RECIPES:
        for found in _pythons(version):
            return version, found
    pytest.skip(f"the client of the original needs Python {', '.join(RECIPES)}; there is none")


def _pythons(version: str) -> Iterator[str]:
    if (on_path := shutil.which(f"python{version}")) and _runs(on_path):
        yield on_path
    managed = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    yield from (str(each) for each in sorted(managed.glob(f"{version}.*/bin/python")))
    if sys.version_info[:2] == tuple(map(int, version.split("."))):
        yield sys.executable


def _runs(interpreter: str) -> bool:
    """Whether it is more than a stand-in that a version manager left on the path."""
    asked = [interpreter, "-c", "import venv"]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0


def _pip(interpreter: Path, *wanted: str, command: str = "install") -> None:
    # Isolated builds would take the newest setuptools, which these packages do not build with.
    arguments = ["--disable-pip-version-check", "--quiet", command, "--no-build-isolation"]
    done = subprocess.run(
        [interpreter, "-m", "pip", *arguments, *wanted], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def _install_thrift_anew(interpreter: Path) -> None:
    """From its source without the C files it ships, which 3.11 cannot compile."""
    with tempfile.TemporaryDirectory() as folder:
        _pip(
            interpreter, "--no-deps", "--no-binary=:all:", "-d", folder, THRIFT, command="download"
        )
        (archive,) = Path(folder).glob("*.tar.gz")
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
        source = archive.with_name(archive.name.removesuffix(".tar.gz"))
        for made in source.rglob("*.c"):
            made.unlink()
        _pip(interpreter, str(source))


def run(script: str, *arguments: str, **variables: str) -> Any:
    """Run a script with the client; what it prints last is JSON, and is returned.

    A client that hangs is ended, with all the processes that it made.
    """
    started = subprocess.Popen(
        [python(), "-W", "ignore", "-c", script, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **variables},
        start_new_session=True,
    )
    try:
        out, errors = started.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(started.pid, 9)
        out, errors = started.communicate()
        pytest.fail(f"the client hangs: {out}{errors}")
    assert started.returncode == 0, errors
    return json.loads(out.splitlines()[-1])
