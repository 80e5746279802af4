"""The template process: what it must be before it is forked."""

from __future__ import annotations

import subprocess
import sys

from privet.query.processes import ENVIRONMENT

READY = """
import os
from privet.sandbox.template import make_ready
make_ready()
print(len(os.listdir("/proc/self/task")))
"""


def test_one_thread_runs_in_what_is_forked() -> None:
    """A fork has one thread only: another's locks and work would be lost in it.

    A module-level function of the engine would start a second database with threads of its own.
    """
    done = subprocess.run(
        [sys.executable, "-c", READY],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.split() == ["1"]
