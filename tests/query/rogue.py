"""A sandbox that somebody has taken over: the server's side is real, the other end is the test."""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from privet.model.names import DatasetName
from privet.query.asker import Answer, Asker
from privet.query.feeding import Read
from privet.query.processes import Process
from privet.sandbox.wire import Channel, Closed, Own, pack_schema

NAME = DatasetName("db", "t")
SCHEMA = pa.schema([pa.field("id", pa.int64()), pa.field("town", pa.string())])
ROWS = pa.table({"id": [1, 2, 3], "town": ["a", "b", None]}, schema=SCHEMA)
SECRET = b"a secret of tests, of 32 bytes.."
OWN = Own(SECRET, SECRET, SECRET)
Script = Callable[["Rogue"], None]


class Governed:
    """A stream of a few rows; counts how often one was asked for."""

    def __init__(self, read: Read) -> None:
        self.schema = pa.schema([SCHEMA.field(c) for c in read.columns])
        self._batches = ROWS.select(list(read.columns)).to_batches()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        return iter(self._batches)

    def close(self) -> None:
        """Nothing is held."""


class Rogue:
    """The far end of the three channels."""

    def __init__(
        self, control: socket.socket, feeds: socket.socket, results: socket.socket
    ) -> None:
        self.control = Channel(control)
        self.feeds = Channel(feeds)
        self.results = results
        self.raw = control

    def hear(self) -> dict[str, Any]:
        """What the server says next."""
        return self.control.receive()[0]

    def say(self, message: Any) -> None:
        """A message of any kind, framed as it should be."""
        body = json.dumps(message).encode()
        self.raw.sendall(struct.pack("!I", len(body)) + body)

    def read_well(self, **other: Any) -> None:
        """Answer as a sandbox does that was asked to read `SELECT * FROM db.t`."""
        self.hear()
        said = {"datasets": [{"name": list(NAME), "position": None}], "explained": False}
        self.say(said | {"parameters": []} | other)

    def answer(self, schema: pa.Schema, *batches: pa.RecordBatch, **options: Any) -> None:
        """Announce a schema and send a stream."""
        self.hear()
        self.say({"schema": pack_schema(schema)})
        with self.results.makefile("wb", buffering=0) as out:
            writer = pa.ipc.new_stream(out, batches[0].schema if batches else schema, **options)
            for batch in batches:
                writer.write_batch(batch)
            writer.close()


@contextmanager
def taken_over(script: Script, seconds: float = 10) -> Generator[Asker]:
    """An asker whose sandbox follows a script."""
    place = Path(tempfile.mkdtemp())
    pairs = [socket.socketpair() for _ in range(3)]
    # Something that can be killed, and whose end is seen.
    with subprocess.Popen(["sleep", "60"]) as sleeper:
        mine = tuple(pair[0] for pair in pairs)
        process = Process(os.pidfd_open(sleeper.pid), (mine[0], mine[1], mine[2]), place)
        asker = Asker(process, time.monotonic() + seconds, lambda: False)
        rogue = Rogue(pairs[0][1], pairs[1][1], pairs[2][1])

        def follow() -> None:
            try:
                script(rogue)
            except (OSError, Closed):
                pass
            finally:
                for _, end in pairs:
                    end.close()

        thread = threading.Thread(target=follow)
        thread.start()
        try:
            yield asker
        finally:
            asker.close()
            process.end()
            thread.join()
            sleeper.kill()


def asked(asker: Asker, opened: list[Read]) -> Answer:
    """The statement is read, and run over the one dataset."""
    from privet.model.requests import QueryRequest

    def open_(read: Read) -> Governed:
        opened.append(read)
        return Governed(read)

    asker.read(QueryRequest("SELECT * FROM db.t"))
    return asker.run({NAME: SCHEMA}, OWN, open_)
