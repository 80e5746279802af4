"""`privet demo`: the acceptance flow on real services, from an empty folder to the audit trail."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

from rich.console import Console
from rich.text import Text

from privet.client.rest import Rest
from privet.demo import officer, scientist, steward
from privet.demo.checks import ClaimBroken
from privet.demo.devserver import DevServer
from privet.demo.generate import generate, write_csv
from privet.demo.objectstore import ObjectStore
from privet.demo.stage import KEY, Clock, Stage
from privet.demo.views import open_console, print_block, print_table
from privet.model.errors import PrivetError

FAILED = 1
INTERRUPTED = 130


def run(keep: bool = False, directory: Path | None = None) -> int:
    """Play the acceptance flow through the public doors, and print it.

    Args:
        keep: leave the state of the server and of the object store on disk afterwards.
        directory: where to put that state and the heat map; a new temporary one by default.

    Returns:
        0; 1 when something that the demo says of Privet did not hold or a service failed; 130
        when it was interrupted. No process outlives the call.
    """
    console = open_console()
    output = directory or Path(tempfile.mkdtemp(prefix="privet-demo-"))
    output.mkdir(parents=True, exist_ok=True)
    state = Path(tempfile.mkdtemp(prefix="state-", dir=output))
    try:
        with _ending_on_sigterm():
            _play(console, output, state)
    except (ClaimBroken, PrivetError) as error:
        console.print(Text(f"\nThe demo failed: {error}", "bold red"))
        print_block(console, DevServer(state / "server").last_words())
        return FAILED
    except KeyboardInterrupt:
        console.print("\nInterrupted; everything that was started has been stopped.")
        return INTERRUPTED
    finally:
        if keep:
            console.print(f"The state was kept in {state}")
        else:
            shutil.rmtree(state, ignore_errors=True)
            with suppress(OSError):
                output.rmdir()  # only if there is nothing in it, not even a heat map
    return 0


def _play(console: Console, output: Path, state: Path) -> None:
    clock = Clock()
    with ExitStack() as services, clock.lap("everything"):
        with clock.lap("start the object store and the server"):
            stage = _set_up(services, console, clock, output=output, state=state)
        steward.prepare(stage)
        scientist.work(stage)
        officer.review(stage)
    laps = [(title, f"{seconds:.1f}") for title, seconds in clock.laps.items()]
    console.print(Text("\nHow long it took", "bold"))
    print_table(console, ("what", "seconds#"), laps)


def _set_up(
    services: ExitStack, console: Console, clock: Clock, *, output: Path, state: Path
) -> Stage:
    """Generate the data, put it into an object store, and start a server that may read it."""
    console.print(Text("Privet: from a bucket to a governed data frame", "bold"))
    table = generate()
    path = state / "medical_costs.csv"
    write_csv(table, path)
    store = services.enter_context(ObjectStore(state / "objectstore"))
    source = store.upload(path, KEY)
    path.unlink()
    console.print(f"  {table.num_rows:,} fictitious patients are in {source} ({store.endpoint})")
    server = services.enter_context(DevServer(state / "server", s3=[store.location(store.reader)]))
    console.print(f"  a Privet server answers at {server.addresses.rest}")
    console.print(f"  and, encrypted, at {server.addresses.flight}")
    admin = services.enter_context(Rest(server.addresses.rest, server.admin_token))
    return Stage(console, clock, output, table, store, server.addresses, admin)


@contextmanager
def _ending_on_sigterm() -> Generator[None]:
    """Let a request to end unwind the stack, so that what was started is stopped."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _raise_exit)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _raise_exit(number: int, frame: FrameType | None) -> NoReturn:
    del frame
    sys.exit(128 + number)
