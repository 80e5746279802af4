"""Addresses of a server's doors, and which of them credentials may be sent to."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from privet.client.errors import Insecure
from privet.model.errors import InvalidRequest

FLIGHT_PORT = 8815
_HTTP = frozenset({"http", "https"})
_PLAIN = frozenset({"http", "grpc"})
_SCHEMES = (*sorted(_HTTP), "grpc", "grpc+tls")
_EXAMPLES = "such as https://privet.example.com or grpc+tls://privet.example.com:8815"


@dataclass(frozen=True, slots=True)
class Address:
    """`scheme://host[:port][/path]`; only http(s) addresses have a path, as a proxy may add one."""

    scheme: str
    host: str
    port: int | None = None
    path: str = ""

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read an address.

        Raises:
            InvalidRequest: not an address of a server, or one that holds credentials.
        """
        try:
            parts = urlsplit(url.strip())
            host, port = parts.hostname or "", parts.port
        except ValueError as error:
            raise InvalidRequest("the server address is not a URL", hint=_EXAMPLES) from error
        if parts.username is not None or parts.password is not None:
            raise InvalidRequest(
                "the server address holds a user name or password",
                hint="give them as `user` and `password`, or better a token",
            )
        scheme, path = parts.scheme.lower(), parts.path.rstrip("/")
        misplaced = parts.query or parts.fragment or (path and scheme not in _HTTP)
        if scheme not in _SCHEMES or not host or misplaced:
            raise InvalidRequest(f"`{url[:128]}` is not a server address", hint=_EXAMPLES)
        return cls(scheme, host, port or (None if scheme in _HTTP else FLIGHT_PORT), path)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port is None else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path}"

    @property
    def http(self) -> bool:
        """Whether this is the REST door's address."""
        return self.scheme in _HTTP

    @property
    def encrypted(self) -> bool:
        """Whether the scheme is one over TLS."""
        return self.scheme not in _PLAIN

    @property
    def loopback(self) -> bool:
        """Whether what is sent there stays on this machine."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def check_safe(self, *, verify: bool) -> Self:
        """Return self if credentials may be sent there.

        Raises:
            Insecure: unencrypted, or not to be verified, and not on this machine.
        """
        if self.loopback:
            return self
        if not self.encrypted:
            raise Insecure(
                f"`{self}` is not encrypted, and your token would be readable on the way",
                hint="use https:// or grpc+tls://; plain connections are for this machine only",
            )
        if not verify:
            raise Insecure(
                f"the certificate of `{self.host}` has to be verified",
                hint="name the server's CA file with `ca` or PRIVET_CA instead of verify=False",
            )
        return self
