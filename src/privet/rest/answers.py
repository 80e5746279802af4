"""Answers that begin on a thread and leave part by part, for as long as the client is there."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import chain

from anyio import CancelScope, CapacityLimiter, to_thread
from fastapi import Response
from starlette.types import Receive, Scope, Send

Gone = Callable[[], bool]
"""Whether the client has left; asked by threads."""
_OK = 200
# Apart from the threads of other requests: statements may wait long, for their turn and for rows.
_THREADS = CapacityLimiter(128)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer whose first part is there already, so that the status says how it began."""

    media_type: str
    chunks: Iterator[bytes]
    close: Callable[[], None]
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


def begun(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks, those up to the first that is not empty made now: what fails at once fails here.

    Raises:
        PrivetError: what making them raises.
    """
    first = next((chunk for chunk in chunks if chunk), b"")
    return chain([first], chunks)


class Streamed(Response):
    """A response that is worked out while it is sent.

    Errors before the first part become problems, as those of any handler; later ones break the
    answer off, which every HTTP client can tell from its end.
    """

    def __init__(self, begin: Callable[[Gone], Answer]) -> None:
        super().__init__()
        self._begin = begin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Work it out and send it; a client who leaves ends the work."""
        async with _departure(receive) as gone:
            answer = await to_thread.run_sync(self._begin, gone, limiter=_THREADS)
            try:
                await _send(answer, gone, send)
            finally:
                with CancelScope(shield=True):
                    await to_thread.run_sync(answer.close)


@asynccontextmanager
async def _departure(receive: Receive) -> AsyncGenerator[Gone]:
    """Give a function that threads ask whether the client has left.

    The body of the request has to be read already: what comes now is the end of the connection.
    """
    left = threading.Event()

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        left.set()

    watching = asyncio.create_task(watch())
    try:
        yield left.is_set
    except asyncio.CancelledError:
        # The server ends without waiting for this answer; threads at work on it must not go on.
        left.set()
        raise
    finally:
        watching.cancel()


async def _send(answer: Answer, gone: Gone, send: Send) -> None:
    headers = {"content-type": answer.media_type, **answer.headers}
    raw = [(name.encode("ascii"), value.encode("ascii")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": _OK, "headers": raw})
    more = True
    while more and not gone():
        chunk = await to_thread.run_sync(next, answer.chunks, None, limiter=_THREADS)
        more = chunk is not None
        await send({"type": "http.response.body", "body": chunk or b"", "more_body": more})
