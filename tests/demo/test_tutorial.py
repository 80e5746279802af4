"""The tutorial is true: its blocks run, in their order, against a server of their own."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from privet.demo.objectstore import free_ports

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial.md"
SECONDS = 180
_BLOCK = re.compile(r"^```(bash|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SERVE = "privet serve --dev hedge"


def write_script(directory: Path) -> str:
    """The blocks as one shell script; a line that begins with `!` must fail."""
    rest, flight = free_ports(2)
    parts = ["set -eu -o pipefail", "trap 'kill $server 2>/dev/null || true' EXIT"]
    for number, (language, code) in enumerate(_BLOCK.findall(TUTORIAL.read_text("utf-8"))):
        parts.append(f"echo '--- block {number}'")
        if language == "python":
            (directory / f"block_{number}.py").write_text(code, encoding="utf-8")
            parts.append(f"python block_{number}.py")
            continue
        commands = code.replace(_SERVE, f"{_SERVE} --port {rest} --flight-port {flight}")
        parts.append(re.sub(r"^! (.+)$", r"if \1; then exit 9; fi", commands, flags=re.MULTILINE))
    return "\n".join(parts)


@pytest.mark.service
def test_every_block_of_the_tutorial_runs(tmp_path: Path) -> None:
    """Commands succeed, those marked with `!` are refused, and every assertion in Python holds."""
    script = write_script(tmp_path)
    assert f"{_SERVE} --port" in script
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PRIVET_")}
    paths = os.pathsep.join((str(Path(sys.executable).parent), clean["PATH"]))
    process = subprocess.Popen(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=clean | {"PATH": paths, "HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=SECONDS)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    assert process.returncode == 0, output
    assert (tmp_path / "heat-map.png").read_bytes().startswith(b"\x89PNG")
    (scores,) = re.findall(r"^linear: (0\.\d+)$", output, re.MULTILINE)
    assert 0.7 < float(scores) < 0.8
