"""REST catalogs: the few questions of the Iceberg REST protocol that reading a table takes.

Nothing of the environment steers a call: no proxy, no other authorities. Redirects are not
followed, and of what a catalog says about its clients' configuration only the prefix is taken.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import quote

import httpx2

from privet.connector.databases.dialing import LOOPBACK
from privet.connector.lake_catalogs.base import (
    LONGEST_ADDRESS,
    MOST_TABLES,
    SECONDS,
    CatalogEndpoint,
    CatalogName,
    lies,
    name_of,
    slow,
)
from privet.model.errors import NotFound, PrivetError, SourceUnavailable

_T = TypeVar("_T")
_LARGEST = 8 << 20
_MOST_PAGES = 1_000
_MOST_NAMESPACES = 1_000
_DEEPEST = 16
_PREFIX = re.compile(r"[A-Za-z0-9._~/-]{0,256}")
_TOKEN = re.compile(r"[!-~]{1,16384}")
_BETWEEN_LEVELS = "\x1f"

Answer = Mapping[str, Any]


class RestTables:
    """The tables of a REST catalog."""

    def __init__(self, endpoint: CatalogEndpoint, ca: Path | None) -> None:
        """Nobody is asked yet.

        Args:
            endpoint: where, and who.
            ca: PEM file of the authorities that its certificate is checked against; without it,
                those of the system.
        """
        self._endpoint = endpoint
        self._ca = ca

    def check(self) -> None:
        """Ask for what needs to be let in.

        Raises:
            As `names`.
        """

        async def first(asking: _Asking) -> None:
            await asking.get("/namespaces")

        self._ask(first)

    def names(self) -> tuple[CatalogName, ...]:
        """The tables of all namespaces, by name.

        Raises:
            SourceUnavailable: it is away, denies access, or takes too long.
            SourceInvalid: it says what cannot be, or has too many tables.
        """
        return tuple(sorted(self._ask(_listed), key=lambda n: (n.namespace, n.table)))

    def metadata_of(self, name: CatalogName) -> str:
        """The address of the current metadata of a table.

        Raises:
            NotFound: the catalog has no such table, or says so.
            As `names`.
        """

        async def loaded(asking: _Asking) -> Answer:
            path = f"/namespaces/{_levels(name.namespace)}/tables/{quote(name.table, safe='')}"
            return await asking.get(path, {"snapshots": "refs"})

        location = self._ask(loaded).get("metadata-location")
        if not isinstance(location, str) or not 0 < len(location) <= LONGEST_ADDRESS:
            raise lies("a table without metadata")
        return location

    def _ask(self, questions: Callable[[_Asking], Coroutine[Any, Any, _T]]) -> _T:
        async def all_of_them() -> _T:
            # Only a task can be ended in the middle: a slow peer is otherwise waited for, byte by
            # byte.
            async with asyncio.timeout(SECONDS), _opened(self._endpoint, self._ca) as asking:
                return await questions(asking)

        try:
            return asyncio.run(all_of_them())
        except (TimeoutError, httpx2.TimeoutException) as error:
            raise slow() from error
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            raise SourceUnavailable(
                "the catalog cannot be reached",
                hint="check host, port, path and sslmode, and the setting database_ca_file",
            ) from error


class _Asking:
    """A client that was let in."""

    def __init__(self, http: httpx2.AsyncClient, base: httpx2.URL, token: str) -> None:
        self._http = http
        self._base = base
        self._token = token
        self.prefix = ""

    async def get(self, path: str, parameters: Mapping[str, str] | None = None) -> Answer:
        """What stands at a path below the prefix."""
        where = f"/v1/{self.prefix}{path}" if self.prefix else f"/v1{path}"
        url = _below(self._base, where)
        request = self._http.build_request(
            "GET", url, params=dict(parameters or {}), headers=_headers(self._token)
        )
        return await _answer(self._http, request)


@asynccontextmanager
async def _opened(endpoint: CatalogEndpoint, ca: Path | None) -> AsyncGenerator[_Asking]:
    server = endpoint.server
    plain = server.sslmode == "disable" or (not server.sslmode and server.host in LOOPBACK)
    tls = ssl.create_default_context(cafile=None if ca is None else str(ca))
    if server.sslmode in {"require", "verify-ca"}:
        tls.check_hostname = False
    if server.sslmode == "require":
        tls.verify_mode = ssl.CERT_NONE
    base = httpx2.URL(
        scheme="http" if plain else "https",
        host=server.host,
        port=server.port or None,
        path=f"/{endpoint.path.strip('/')}".rstrip("/") or "/",
    )
    # The library loses a connection that is cancelled in its handshake; so that ends before.
    limits = httpx2.Timeout(None, connect=SECONDS / 3)
    async with httpx2.AsyncClient(verify=tls, trust_env=False, timeout=limits) as http:
        token = await _token(http, base, endpoint)
        asking = _Asking(http, base, token)
        asked = {"warehouse": endpoint.catalog} if endpoint.catalog else None
        asking.prefix = _prefix(await asking.get("/config", asked), endpoint.prefix)
        yield asking


async def _token(http: httpx2.AsyncClient, base: httpx2.URL, endpoint: CatalogEndpoint) -> str:
    """The token of the connection, or one that its name and password are exchanged for."""
    server = endpoint.server
    token: object = server.password
    if server.user:
        form = {
            "grant_type": "client_credentials",
            "client_id": server.user,
            "client_secret": server.password,
            "scope": endpoint.scope or "catalog",
        }
        url = _below(base, "/v1/oauth/tokens")
        request = http.build_request("POST", url, data=form, headers=_headers(""))
        token = (await _answer(http, request)).get("access_token")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise lies("a token that is none")
    return token


async def _answer(http: httpx2.AsyncClient, request: httpx2.Request) -> Answer:
    read = bytearray()
    answer = await http.send(request, stream=True, follow_redirects=False)
    try:
        if answer.status_code != HTTPStatus.OK:
            raise _refused(answer.status_code)
        async for chunk in answer.aiter_raw():
            read += chunk
            if len(read) > _LARGEST:
                raise lies(f"more than {_LARGEST >> 20} MiB")
    finally:
        await answer.aclose()
    try:
        found = json.loads(bytes(read))
    except (ValueError, RecursionError) as error:
        raise lies("no JSON") from error
    if not isinstance(found, dict):
        raise lies("no JSON object")
    return cast("Answer", found)


def _refused(status: int) -> PrivetError:
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return SourceUnavailable(
            "the catalog did not let us in", hint="check the secrets of the connection"
        )
    if status == HTTPStatus.NOT_FOUND:
        return NotFound("the catalog has nothing of that name", hint="it may have been renamed")
    return SourceUnavailable(
        f"the catalog failed with status {status}", hint="its own log says what was wrong"
    )


async def _listed(asking: _Asking) -> list[CatalogName]:
    found: list[CatalogName] = []
    waiting: list[tuple[str, ...]] = [()]
    seen: set[tuple[str, ...]] = set()
    while waiting:
        parent = waiting.pop()
        about = {"parent": _BETWEEN_LEVELS.join(parent)} if parent else {}
        for levels in await _paged(asking, "/namespaces", "namespaces", about):
            namespace = name_of(levels, "t").namespace
            if namespace[: len(parent)] != parent or not len(parent) < len(namespace) <= _DEEPEST:
                raise lies("a namespace that is none, or in another one")
            if namespace in seen:
                # Some give all that is below, and not only the next level.
                continue
            seen.add(namespace)
            waiting.append(namespace)
            if len(seen) > _MOST_NAMESPACES:
                raise lies(f"more than {_MOST_NAMESPACES} namespaces")
            path = f"/namespaces/{_levels(namespace)}/tables"
            for entry in await _paged(asking, path, "identifiers", {}):
                table = cast("Answer", entry).get("name") if isinstance(entry, dict) else None
                found.append(name_of(namespace, table))
            if len(found) > MOST_TABLES:
                raise lies(f"more than {MOST_TABLES} tables")
    return found


async def _paged(asking: _Asking, path: str, key: str, about: Mapping[str, str]) -> list[Any]:
    """All entries of a listing."""
    found: list[Any] = []
    token: object = ""
    for _ in range(_MOST_PAGES):
        more = {"pageToken": str(token)} if token else {}
        answer = await asking.get(path, {**about, **more})
        entries = answer.get(key)
        if not isinstance(entries, list):
            raise lies("a listing that is none")
        found += cast("list[Any]", entries)
        token = answer.get("next-page-token")
        if not token or len(found) > MOST_TABLES:
            return found
    raise lies("a listing without end")


def _prefix(config: Answer, own: str) -> str:
    """What stands in front of the catalog's paths; the rest of what it says is not taken.

    Args:
        config: what the catalog says.
        own: what the connection says, which counts for more than its defaults.
    """
    prefix: object = own or _said(config, "defaults", "")
    prefix = _said(config, "overrides", prefix)
    text = prefix if isinstance(prefix, str) else "?"
    if not _PREFIX.fullmatch(text) or ".." in text:
        raise lies("a prefix that is none")
    return text.strip("/")


def _said(config: Answer, part: str, otherwise: object) -> object:
    said = config.get(part)
    return cast("Answer", said).get("prefix", otherwise) if isinstance(said, dict) else otherwise


def _levels(namespace: tuple[str, ...]) -> str:
    return quote(_BETWEEN_LEVELS.join(namespace), safe="")


def _below(base: httpx2.URL, path: str) -> httpx2.URL:
    # As bytes: the parts are quoted already, and stay so.
    return base.copy_with(raw_path=f"{base.path.rstrip('/')}{path}".encode())


def _headers(token: str) -> dict[str, str]:
    # Compressed answers could be of any size. No access is asked to be delegated to us.
    headers = {"accept": "application/json", "accept-encoding": "identity"}
    return {**headers, "authorization": f"Bearer {token}"} if token else headers
