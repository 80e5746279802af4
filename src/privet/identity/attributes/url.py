"""An address that says what is known of a user."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from pathlib import Path

import httpx2

from privet.identity.attributes.answers import MOST_BYTES, slow, too_long, unavailable
from privet.identity.guarded_file import OTHERS_READ, check_guarded, read_checked
from privet.model.errors import ConfigurationInvalid

_LONGEST_TOKEN = 16 * 1024
_TOKEN = re.compile(r"[!-~]+")
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class TokenFile:
    """A file with a bearer token, read at each call, so that it can be replaced."""

    def __init__(self, path: Path) -> None:
        """Read it once.

        Raises:
            ConfigurationInvalid: it cannot be read, others may read it, or it holds no token.
        """
        self._path = path
        try:
            self._read()
        except (OSError, ValueError) as error:
            raise ConfigurationInvalid(
                f"user_attributes_token_file `{path}` cannot be used",
                hint="it holds one line, and only the server's user may read it",
            ) from error

    def read(self) -> str:
        """The token now.

        Raises:
            AttributesUnavailable: there is none to be read.
        """
        try:
            return self._read()
        except (OSError, ValueError) as error:
            raise unavailable("the provider's token cannot be read") from error

    def _read(self) -> str:
        check = partial(check_guarded, forbidden=OTHERS_READ, most=_LONGEST_TOKEN)
        token = read_checked(self._path, check)[0].decode("ascii").strip()
        if not _TOKEN.fullmatch(token):
            raise ValueError("not a token")
        return token


class UrlProvider:
    """Asks an address, with the user's name as the parameter `user`.

    Nothing of the environment steers the call: no proxy, no other authorities. Redirects are not
    followed.
    """

    def __init__(
        self,
        url: str,
        *,
        seconds: float,
        tls: ssl.SSLContext,
        token: Callable[[], str] | None = None,
    ) -> None:
        """Look at the address.

        Args:
            url: https, or http on this machine alone.
            seconds: the longest time that a call may take, all in all.
            tls: whom to trust.
            token: gives what to send as the bearer, at each call; it may raise
                AttributesUnavailable.

        Raises:
            ConfigurationInvalid: the address is none, or not encrypted.
        """
        try:
            self._url = httpx2.URL(url)
        except (httpx2.InvalidURL, UnicodeError) as error:
            raise _wrong_url() from error
        plain = self._url.scheme == "http" and self._url.host in _LOOPBACK
        if not self._url.host or not (plain or self._url.scheme == "https"):
            raise _wrong_url()
        self._seconds = seconds
        self._tls = tls
        self._token = token

    def ask(self, user: str) -> bytes:
        """What the address answers of a user.

        Raises:
            AttributesUnavailable: it did not answer in time, with anything but 200, or with too
                much.
        """
        # Compressed answers could be of any size.
        headers = {"accept": "application/json", "accept-encoding": "identity"}
        if self._token is not None:
            headers["authorization"] = f"Bearer {self._token()}"
        url = self._url.copy_merge_params({"user": user})
        try:
            # Only a task can be ended in the middle: a slow peer is otherwise waited for, byte by
            # byte.
            return asyncio.run(self._get(url, headers))
        except (TimeoutError, httpx2.TimeoutException) as error:
            raise slow() from error
        except (httpx2.HTTPError, OSError, ValueError) as error:
            raise unavailable("the provider cannot be reached") from error

    async def _get(self, url: httpx2.URL, headers: dict[str, str]) -> bytes:
        read = bytearray()
        # The library loses a connection that is cancelled in its handshake; so that ends before.
        limits = httpx2.Timeout(None, connect=self._seconds / 3)
        async with (
            asyncio.timeout(self._seconds),
            httpx2.AsyncClient(verify=self._tls, trust_env=False, timeout=limits) as http,
            http.stream("GET", url, headers=headers) as answer,
        ):
            if answer.status_code != HTTPStatus.OK:
                raise unavailable("the provider failed")
            async for chunk in answer.aiter_raw():
                read += chunk
                if len(read) > MOST_BYTES:
                    raise too_long()
        return bytes(read)


def _wrong_url() -> ConfigurationInvalid:
    return ConfigurationInvalid(
        "user_attributes_url is no address that can be asked",
        hint="give one with https://; http:// only on this machine",
    )
