"""A program of this machine that says what is known of a user."""

from __future__ import annotations

import os
import selectors
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from privet.identity.attributes.answers import MOST_BYTES, slow, too_long, unavailable
from privet.model.errors import ConfigurationInvalid

_CHUNK = 64 * 1024


class CommandProvider:
    """Runs a program with the user's name as its last argument, and reads what it prints.

    No shell, no input, and of the environment nothing but PATH.
    """

    def __init__(self, command: Sequence[str], *, seconds: float) -> None:
        """Look for the program.

        Raises:
            ConfigurationInvalid: there is none of that name.
        """
        program = shutil.which(command[0]) if command else None
        if program is None:
            raise ConfigurationInvalid(
                "the first word of user_attributes_command is no program that can be run"
            )
        self._command = (str(Path(program).absolute()), *command[1:])
        self._seconds = seconds

    def ask(self, user: str) -> bytes:
        """What the program prints of a user.

        Raises:
            AttributesUnavailable: it failed, took too long or printed too much; or the name could
                be taken for an option.
        """
        if user.startswith("-"):
            raise unavailable("the user's name could be taken for an option")
        deadline = time.monotonic() + self._seconds
        try:
            process = subprocess.Popen(  # noqa: S603 - the settings' program, without a shell
                [*self._command, user],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={"PATH": os.environ.get("PATH", os.defpath)},
                cwd="/",
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise unavailable("the provider cannot be started") from error
        try:
            assert process.stdout is not None
            printed = _read(process.stdout, deadline)
            code = process.wait(max(0.0, deadline - time.monotonic()))
        except (TimeoutError, subprocess.TimeoutExpired) as error:
            raise slow() from error
        finally:
            _end(process)
        if code:
            raise unavailable("the provider failed")
        return printed


def _read(output: IO[bytes], deadline: float) -> bytes:
    """All that is written until the end.

    Raises:
        TimeoutError: the end did not come in time.
        AttributesUnavailable: it was too much.
    """
    read = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not selector.select(left):
                raise TimeoutError
            chunk = os.read(output.fileno(), _CHUNK)
            if not chunk:
                return bytes(read)
            read += chunk
            if len(read) > MOST_BYTES:
                raise too_long()


def _end(process: subprocess.Popen[bytes]) -> None:
    """Leave nothing behind: what still runs is killed, with all that it started."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
