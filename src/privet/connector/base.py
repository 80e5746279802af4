"""What every connector can do, and how its errors are told.

Everything opened here is opened for reading. An address (URI) is taken literally: nothing in it is
percent-decoded, so that one object has one spelling.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import pyarrow as pa

from privet.model.errors import InvalidRequest, NotFound, PrivetError, SourceUnavailable

OnError = Callable[[str, PrivetError], None]
"""Takes the address of a folder that could not be listed, and why."""

Enter = Callable[[str], bool]
"""Says of the address of a folder whether anything below it is wanted."""


def everything(folder: str) -> bool:  # noqa: ARG001 - the signature of `Enter`
    """Walk into every folder."""
    return True


_SHOWN = 200
_CREDENTIALS = re.compile(r"(?<=://)(?:[^/]*@|.*:.*@)")

_DENIED = (
    "ACCESS_DENIED",
    "INVALID_ACCESS_KEY_ID",
    "INVALID_CLIENT_TOKEN_ID",
    "SIGNATURE_DOES_NOT_MATCH",
    "EXPIRED_TOKEN",
    "REQUEST_EXPIRED",
    "HTTP status 401",
    "HTTP status 403",
    "Azure Error: [Authorization",
    "Azure Error: [Authentication",
    "PERMISSION_DENIED",
    "UNAUTHENTICATED",
)
_MISSING = ("NO_SUCH_BUCKET", "NO_SUCH_KEY", "RESOURCE_NOT_FOUND")
_UNREACHABLE = (
    "NETWORK_CONNECTION",
    "REQUEST_TIMEOUT",
    "SLOW_DOWN",
    "SERVICE_UNAVAILABLE",
    "Fail to get a new connection",
    "UNAVAILABLE: Retry policy",
)


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """A file or object: its canonical URI, its size in bytes, and when it was last written.

    `etag` is what its store says changes with its content; empty where there is no such thing.
    """

    uri: str
    size: int
    modified: datetime | None
    etag: str = ""


class Connector(Protocol):
    """Opens what lies at the addresses of one scheme.

    Every method may raise InvalidRequest for an address that is malformed or outside what the
    settings allow, NotFound for one where nothing is, and SourceUnavailable for a source that
    refuses us, cannot be reached or breaks.
    """

    def canonical(self, uri: str) -> str:
        """The one spelling of an address, without looking whether anything is there."""
        ...

    def walk(
        self, uri: str, *, on_error: OnError | None = None, enter: Enter = everything
    ) -> Iterator[ObjectInfo]:
        """The files below `uri`, or the one at it, in an order that is the same each time.

        All of a folder come together. Lazy; holds a page of a listing, or the listing of one folder
        per level. Hides nothing. A folder below `uri` that cannot be listed is told to `on_error`
        and passed over; without `on_error`, and where a store lists all folders at once, it is
        raised. What `enter` does not want is neither listed nor given.
        """
        ...

    def open_file(self, uri: str) -> pa.NativeFile:
        """Open for random access."""
        ...

    def open_stream(self, uri: str) -> pa.NativeFile:
        """Open for reading from the beginning; bytes as stored, never decompressed."""
        ...


def shown(uri: str) -> str:
    """An address as messages show it: cut, printable, without credentials before an `@`."""
    text = _CREDENTIALS.sub("", uri)[:_SHOWN]
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def walk_folders(
    top: str,
    list_folder: Callable[[str], Iterable[ObjectInfo | str]],
    on_error: OnError | None = None,
    enter: Enter = everything,
) -> Iterator[ObjectInfo]:
    """Walk depth first from the folder `top`; without recursion, folders may be nested deeply.

    `list_folder` gives a folder's files and the addresses of its folders, in order of their names.
    """
    levels = [iter(list_folder(top))]
    while levels:
        entry = next(levels[-1], None)
        if entry is None:
            levels.pop()
        elif isinstance(entry, ObjectInfo):
            yield entry
        elif enter(entry):
            try:
                levels.append(iter(list_folder(entry)))
            except PrivetError as error:
                if on_error is None:
                    raise
                on_error(entry, error)


def check_characters(uri: str) -> None:
    """Refuse what no address of ours may hold.

    Raises:
        InvalidRequest: a backslash, or a character that cannot be printed.
    """
    if "\\" in uri or not uri.isprintable():
        raise InvalidRequest(
            f"`{shown(uri)}` holds a backslash or a character that cannot be printed",
            hint="rename it at the source",
        )


def check_suffixes(uri: str) -> None:
    """Refuse queries and fragments in an address that somebody wrote.

    Names of objects may hold `?` and `#`, and these can be walked and opened; as a dataset's
    address they are more likely options meant for some other library.

    Raises:
        InvalidRequest: there is a `?` or a `#`.
    """
    if "?" in uri or "#" in uri:
        path = uri.partition("?")[0].partition("#")[0]
        raise InvalidRequest(
            f"`{shown(path)}` is followed by a query or fragment",
            hint="write the path alone; how a source is reached belongs in the server's settings",
        )


@contextmanager
def source_errors(uri: str) -> Generator[None]:
    """Tell the errors of the libraries beneath as ours, without their words.

    Their texts may hold keys, request identifiers, paths of the machine or cell values.

    Raises:
        NotFound: nothing is there.
        SourceUnavailable: refused, unreachable or broken.
    """
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise _translate(uri, error) from error


def _translate(uri: str, error: OSError | pa.ArrowException) -> PrivetError:
    text = str(error)
    where = shown(uri)
    if isinstance(error, FileNotFoundError | NotADirectoryError) or _any(text, _MISSING):
        return NotFound(f"`{where}` does not exist", hint="check the path for typing errors")
    if isinstance(error, PermissionError) or _any(text, _DENIED):
        return SourceUnavailable(
            f"access was denied to `{where}`",
            hint="check the credentials of this location in the server's settings",
        )
    if isinstance(error, TimeoutError | ConnectionError) or _any(text, _UNREACHABLE):
        return SourceUnavailable(
            f"the source of `{where}` cannot be reached",
            hint="check its endpoint in the server's settings, and whether it runs",
        )
    return SourceUnavailable(
        f"`{where}` could not be read", hint="look at the source; the server's log has the cause"
    )


def _any(text: str, marks: tuple[str, ...]) -> bool:
    return any(mark in text for mark in marks)
