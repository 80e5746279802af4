"""The Makefile is a menu that tells the truth, and the benchmark runner judges bounds."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

PROMISED = (
    "help", "demo", "test", "check", "fix", "serve", "trial", "bench", "bench-classifier",
    "conformance", "conformance-server", "chaos", "prove",
)  # fmt: skip
NOT_BUILT = ("trial", "chaos")


def make(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make as somebody at a terminal would, even where make runs the tests."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    return subprocess.run(
        ["make", *arguments], cwd=root, env=inherited, capture_output=True, text=True, check=False
    )


def test_make_alone_prints_the_menu(root: Path) -> None:
    """`make` lists every promised command with what it does, and changes nothing."""
    done = make(root)
    listed = {line.split()[1] for line in done.stdout.splitlines() if line.startswith("  make ")}
    assert done.returncode == 0
    assert listed == {*PROMISED}


@pytest.mark.parametrize("target", NOT_BUILT)
def test_what_is_not_built_says_so(root: Path, target: str) -> None:
    """A command that is not built yet says so in a sentence and exits with 2."""
    done = make(root, target)
    assert done.returncode == 2
    assert "not built yet" in done.stderr


@pytest.fixture
def measure(root: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module that benchmarks are made with; it is not installed, so it is found from here."""
    monkeypatch.syspath_prepend(root)
    return importlib.import_module("benchmarks.measure")


def test_bounds_are_judged_on_the_right_side(measure: ModuleType) -> None:
    """A bound is a most, or where said a least; NaN holds none."""
    figure = measure.Figure
    assert figure("", 0.75, bound=0.75).holds
    assert not figure("", 0.76, bound=0.75).holds
    assert figure("", 3.2, bound=3.0, at_least=True).holds
    assert not figure("", 2.9, bound=3.0, at_least=True).holds
    assert not figure("", float("nan"), bound=1.0).holds
    assert figure("", float("nan")).holds


def test_ratios_are_paired(measure: ModuleType) -> None:
    """A ratio is taken round by round, so that a slow round slows both sides of it."""
    assert measure.ratio([1, 20, 3], [2, 40, 6]) == 0.5
    with pytest.raises(ValueError, match="shorter"):
        measure.ratio([1, 2], [1])


def test_an_unknown_benchmark_is_refused(root: Path) -> None:
    """`python -m benchmarks NAME` refuses a name that is not there, and says which are."""
    command = [sys.executable, "-m", "benchmarks", "no_such"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "there is no benchmark `no_such`; there are: " in done.stderr
