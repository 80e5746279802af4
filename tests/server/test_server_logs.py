"""What is logged: one JSON object a line, with types and places, and without anybody's values."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

SECRET = "hidden-cell-4711"
# In a process of its own, since logging is a matter of the whole process.
WRITES = f"""
import logging, sys, sqlglot, structlog
from privet.server import logs

logs.configure()

def inner(cell):
    raise ValueError(cell)

try:
    inner("{SECRET}")
except ValueError:
    structlog.get_logger().exception("the scan broke", scan="42")
sqlglot.parse("EXPLAIN SELECT '{SECRET}'", read="duckdb")
library = logging.getLogger("some.library")
library.info("chatter")
library.warning("first line\\n{SECRET}")
try:
    {{}}["{SECRET}"]
except KeyError:
    library.exception("it failed")
structlog.get_logger().warning("refused", user='eve\\n{{"event": "forged"}}')
sys.stderr = open("/dev/full", "w")
structlog.get_logger().error("lost")
print("went on", flush=True)
sys.stderr = sys.__stderr__
structlog.get_logger().error("the end")
"""


@pytest.fixture(scope="module")
def lines() -> list[dict[str, Any]]:
    """What the process wrote."""
    done = subprocess.run(
        [sys.executable, "-c", WRITES], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "went on\n"
    assert SECRET not in done.stderr
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_exceptions_without_their_texts(lines: list[dict[str, Any]]) -> None:
    """The type and the way to it are logged; what the exception says is not."""
    (line,) = [line for line in lines if line["event"] == "the scan broke"]
    assert (line["scan"], line["level"], line["exception"]) == ("42", "error", "ValueError")
    assert line["trace"][-1].endswith("inner")


def test_libraries_are_told_in_the_same_form(lines: list[dict[str, Any]]) -> None:
    """Their warnings and errors, by the first line; below that they are silent."""
    told = [line for line in lines if line.get("logger") == "some.library"]
    assert [line["event"] for line in told] == ["first line", "it failed"]
    assert told[1]["exception"] == "KeyError"


def test_values_cannot_forge_lines(lines: list[dict[str, Any]]) -> None:
    """A line end in what is logged does not begin another entry."""
    events = [line["event"] for line in lines]
    assert "refused" in events
    assert "forged" not in events


def test_no_room_for_the_log_stops_nothing(lines: list[dict[str, Any]]) -> None:
    """What a full device does not take is lost; the process goes on and logs again."""
    events = [line["event"] for line in lines]
    assert "lost" not in events
    assert events[-1] == "the end"
