"""The proof proves something: an engine with a mistake in it is caught.

Takes minutes, so it runs when `PRIVET_PROVE=1`; `PRIVET_ORACLE_MUTANTS` is another number of cases
that each mutant has to survive.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from mutants import MUTANTS, Mutant
from view_mutants import VIEW_MUTANTS

HERE = Path(__file__).parent
SOURCE = HERE.parents[1] / "src" / "privet"
PROVE = os.environ.get("PRIVET_PROVE") == "1"
CASES = os.environ.get("PRIVET_ORACLE_MUTANTS", "1500")
EVERY = (*MUTANTS, *VIEW_MUTANTS)

prove = pytest.mark.skipif(not PROVE, reason="set PRIVET_PROVE=1 for the long proof")


def copy_of(folder: Path, mutant: Mutant | None) -> Path:
    """The package with a mistake in it."""
    package = folder / "privet"
    shutil.copytree(SOURCE, package, ignore=shutil.ignore_patterns("*.pyc", "__pycache__"))
    if mutant is not None:
        file = package / mutant.file
        file.write_text(file.read_text().replace(mutant.right, mutant.wrong))
    return folder


def hunted(folder: Path, cases: str, program: str = "hunt.py") -> subprocess.CompletedProcess[str]:
    """What the hunt says of the package in a folder."""
    path = os.pathsep.join((str(folder), str(HERE)))
    command = [sys.executable, str(HERE / program), cases]
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("mutant", EVERY, ids=[m.name for m in EVERY])
def test_mistakes_are_mistakes_of_this_code(mutant: Mutant) -> None:
    """Each mistake is about a line that is there, once."""
    assert (SOURCE / mutant.file).read_text().count(mutant.right) == 1


@prove
def test_the_engine_as_it_is_survives(tmp_path: Path) -> None:
    """The hunt finds nothing in the code without a mistake."""
    package = copy_of(tmp_path, None)
    for program in ("hunt.py", "hunt_views.py"):
        result = hunted(package, "200", program)
        assert (result.returncode, result.stdout.strip()) == (0, ""), result.stderr


@prove
@pytest.mark.parametrize("mutant", EVERY, ids=[m.name for m in EVERY])
def test_mutants_are_caught(mutant: Mutant, tmp_path: Path) -> None:
    """A package with the mistake in it breaks the law in some case."""
    program = "hunt_views.py" if mutant in VIEW_MUTANTS else "hunt.py"
    result = hunted(copy_of(tmp_path, mutant), CASES, program)
    assert result.returncode == 1, f"it survived {CASES} cases: {result.stderr}"
    assert "Traceback" not in result.stderr, result.stderr
    print(result.stdout.strip()[:200])
