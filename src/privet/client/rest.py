"""The REST door from the outside: JSON in, JSON out, problems as the model's errors."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, cast

import httpx2

from privet.client.addresses import Address
from privet.client.credentials import check_token
from privet.client.errors import Unreachable, from_http
from privet.client.trust import CaFile, ssl_context
from privet.model.errors import InvalidRequest

CONNECT_SECONDS = 10.0
READ_SECONDS = 120.0
_CHUNK_BYTES = 1 << 16

Query = Mapping[str, str | int | None]


@dataclass(frozen=True, slots=True)
class Streaming:
    """An answer whose body is still coming: its media type, and the parts as they come."""

    media_type: str
    parts: Iterator[bytes]


class Rest:
    """One HTTP connection pool to a server's REST door. A context manager.

    Args:
        url: `https://host[:port]`, or `http://` on this machine.
        token: sent as bearer token to that address only; None for what needs no credentials.
        ca: a PEM file with further certificate authorities to trust.
        verify: False does not verify the certificate, on this machine only.
        read_timeout: seconds that an answer, or the next part of a stream, may take.

    Raises:
        Insecure: credentials would not be safe on the way there.
        InvalidRequest: not the address of a REST door.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        ca: CaFile | None = None,
        verify: bool = True,
        read_timeout: float = READ_SECONDS,
    ) -> None:
        self.address = Address.parse(url).check_safe(verify=verify)
        if not self.address.http:
            raise InvalidRequest(
                f"`{self.address}` is not a REST address", hint="give one with https://"
            )
        headers = {"authorization": f"Bearer {check_token(token)}"} if token is not None else {}
        self._http = httpx2.Client(
            base_url=str(self.address),
            headers=headers,
            verify=ssl_context(ca, verify=verify) if self.address.encrypted else False,
            timeout=httpx2.Timeout(read_timeout, connect=CONNECT_SECONDS),
            # A proxy of the environment must not see what is meant for this machine.
            trust_env=not self.address.loopback,
        )

    def get(self, path: str, /, **query: str | int | None) -> Any:
        """GET a JSON value. Parameters that are None are left out.

        Raises:
            PrivetError: what the server said, or `Unreachable`.
        """
        return self._call("GET", path, query=query)

    def items(self, path: str, /, **query: str | int | None) -> list[dict[str, Any]]:
        """GET the items of one page of a list."""
        return cast("list[dict[str, Any]]", self.get(path, **query)["items"])

    def post(self, path: str, /, body: object = None, **query: str | int | None) -> Any:
        """POST a JSON value and return the answer, None where it has no content."""
        return self._call("POST", path, body=body, query=query)

    def put(self, path: str, /, **query: str | int | None) -> Any:
        """PUT without content."""
        return self._call("PUT", path, query=query)

    def delete(self, path: str, /, **query: str | int | None) -> Any:
        """DELETE."""
        return self._call("DELETE", path, query=query)

    @contextmanager
    def download(self, path: str, /, **query: str | int | None) -> Generator[Iterator[bytes]]:
        """GET a stream: gives the parts of the body as they come.

        Raises:
            PrivetError: the server refused, or the stream broke before its end.
        """
        with self._stream("GET", path, params=_given(query)) as got:
            yield got.parts

    @contextmanager
    def ask(
        self, path: str, /, body: object, *, accept: str = "*/*", **query: str | int | None
    ) -> Generator[Streaming]:
        """POST a JSON value; gives the answer as it comes, in the form that `accept` prefers.

        Raises:
            PrivetError: the server refused, or the stream broke before its end.
        """
        sent = {"params": _given(query), "json": body, "headers": {"accept": accept}}
        with self._stream("POST", path, **sent) as got:
            yield got

    @contextmanager
    def _stream(self, method: str, path: str, **sent: Any) -> Generator[Streaming]:
        with _reaching(self.address), self._http.stream(method, path, **sent) as got:
            if not got.is_success:
                raise from_http(got.status_code, got.read())
            media_type = got.headers.get("content-type", "").partition(";")[0]
            yield Streaming(media_type, got.iter_bytes(_CHUNK_BYTES))

    def _call(
        self, method: str, path: str, *, query: Query | None = None, body: object = None
    ) -> Any:
        with _reaching(self.address):
            got = self._http.request(method, path, params=_given(query or {}), json=body)
        if not got.is_success:
            raise from_http(got.status_code, got.content)
        if not got.content:
            return None
        try:
            return got.json()
        except ValueError as error:
            raise Unreachable(
                f"what answers at `{self.address}` is not a Privet server",
                hint="check PRIVET_URL: it names the REST door",
            ) from error

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _given(query: Query) -> dict[str, str | int]:
    return {name: value for name, value in query.items() if value is not None}


@contextmanager
def _reaching(address: Address) -> Generator[None]:
    try:
        yield
    except httpx2.HTTPError as error:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            message = f"the certificate of `{address.host}` is not one that you trust"
            hint = "name the server's CA file with PRIVET_CA or `ca`"
        elif isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout):
            message = f"cannot reach the server at `{address}`"
            hint = "check PRIVET_URL and that the server runs"
        else:
            message = f"the connection to `{address}` broke: {str(error) or type(error).__name__}"
            hint = "what was received is incomplete; try again"
        raise Unreachable(message, hint=hint) from error
