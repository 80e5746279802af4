"""The acceptance flow, as `privet demo` plays it, on real services."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.service

SECONDS = 120
RUN = """
import sys
from pathlib import Path
from privet.demo.main import run
sys.exit(run(directory=Path(sys.argv[1])))
"""


def start(directory: Path) -> subprocess.Popen[str]:
    """Run the demo in a process of its own, with its folder below `directory`."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", RUN, str(directory)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"PRIVET_URL": "https://nowhere.invalid", "PRIVET_TOKEN": "not.for.it"},
        start_new_session=True,
    )


def processes_of(directory: Path) -> list[str]:
    """The command lines of running processes that name the directory, the demo's own aside."""
    found: list[str] = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            command = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if any(str(directory) in word for word in command) and "-c" not in command:
            found.append(" ".join(command))
    return found


def test_the_whole_flow_succeeds_and_leaves_nothing_running(tmp_path: Path) -> None:
    """All steps pass; what the flow promises to print is printed; only the heat map is left."""
    began = time.monotonic()
    demo = start(tmp_path)
    output, _ = demo.communicate(timeout=SECONDS)
    assert demo.returncode == 0, output
    assert time.monotonic() - began < SECONDS
    for number in (*range(1, 8), *range(9, 13)):
        assert f"\n{number}. " in output
    for words in (
        "GRANT SELECT ON DATABASE medical_charges",
        "access denied",
        "no row of a patient who opted out",
        "linear regression",
        "The audit trail",
        "refused",
        "How long it took",
    ):
        assert words in output
    assert "\x1b[" not in output
    assert "eyJ" not in output, "no token is printed"
    assert all(len(line) <= 120 or str(tmp_path) in line for line in output.splitlines())
    assert f"{tmp_path / 'heat-map.png'}\n" in output
    assert [path.name for path in tmp_path.iterdir()] == ["heat-map.png"]
    assert processes_of(tmp_path) == []


@pytest.mark.parametrize(
    ("number", "reached"),
    [(signal.SIGINT, "server/urls.json"), (signal.SIGTERM, "objectstore/weed.log")],
)
def test_an_interrupted_demo_stops_its_services(
    tmp_path: Path, number: signal.Signals, reached: str
) -> None:
    """Ctrl-C, or a request to end, at any time leaves no process and no state behind."""
    demo = start(tmp_path)
    deadline = time.monotonic() + SECONDS
    while not list(tmp_path.glob(f"state-*/{reached}")):
        assert demo.poll() is None, demo.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert reached == "objectstore/weed.log" or len(processes_of(tmp_path)) == 2
    demo.send_signal(number)
    demo.communicate(timeout=SECONDS)
    assert demo.returncode == 128 + number
    assert processes_of(tmp_path) == []
    assert not tmp_path.exists(), "nothing is left where nothing was made"
