"""`context()` and the connection that it makes."""

from __future__ import annotations

import os
import re
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import privet
from okera.values import binary_strings, json_rows
from privet.client.scans import Scan
from privet.client.trust import CaFile
from privet.model.errors import InvalidRequest, Unauthenticated
from privet.model.sql_text import is_query

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_PORT = 8815
_NAME = re.compile(r"\s*(\w+\.\w+)\s*")


def context() -> OkeraContext:
    """A context without credentials yet."""
    return OkeraContext()


class OkeraContext:
    """Holds whom to connect as. Without a token, PRIVET_TOKEN is used."""

    def __init__(self) -> None:
        self._token: str | None = None

    def enable_token_auth(
        self,
        token_str: str | None = None,
        token_file: str | os.PathLike[str] | None = None,
        **unknown: object,
    ) -> None:
        """Connect with a token.

        Args:
            token_str: the token.
            token_file: a file that holds it, instead.
            unknown: refused.

        Raises:
            InvalidRequest: not exactly one of the two, or the file cannot be read.
            Unauthenticated: the token is empty.
        """
        _refuse("enable_token_auth", unknown, "token_str and token_file")
        if (token_str is None) == (token_file is None):
            raise InvalidRequest("give either `token_str` or `token_file`")
        token = token_str if token_file is None else _read(token_file)
        if not token or not token.strip():
            raise Unauthenticated("the token is empty", hint="copy it from your Privet server")
        self._token = token.strip()

    def connect(
        self,
        host: str,
        port: int = DEFAULT_PORT,
        *,
        ssl: bool = True,
        ca_cert: CaFile | None = None,
        **unknown: object,
    ) -> PlannerConnection:
        """Connect to a server's Flight door. The connection is a context manager.

        Args:
            host: its name or address.
            port: the Flight door's port.
            ssl: False connects without encryption, to this machine only.
            ca_cert: a PEM file with certificate authorities to trust besides the system's;
                PRIVET_CA by default.
            unknown: refused.

        Raises:
            Insecure: `ssl=False` and another machine.
            Unauthenticated: no token.
            InvalidRequest: not a host, or arguments that are not known.
        """
        _refuse("connect", unknown, "host, port, ssl and ca_cert")
        bracketed = f"[{host}]" if ":" in host else host
        scheme = "grpc+tls" if ssl else "grpc"
        url = f"{scheme}://{bracketed}:{port}"
        return PlannerConnection(privet.connect(url, self._token, ca=ca_cert))


class PlannerConnection:
    """A connection. Its methods raise the errors of `privet.model.errors`."""

    def __init__(self, client: privet.Client) -> None:
        self._client = client

    def scan_as_pandas(
        self,
        request: str,
        max_records: int | None = None,
        *,
        strings_as_utf8: bool = False,
        **unknown: object,
    ) -> pd.DataFrame:
        """Read what you may see of a dataset, or the answer to a query, into a frame.

        Args:
            request: `database.dataset`, or a SELECT.
            max_records: at most that many rows.
            strings_as_utf8: True gives text as `str`, False as `bytes`.
            unknown: refused.

        Raises:
            InvalidRequest: neither a name nor a query, or arguments that are not known.
            NotFound: no such dataset, or nothing of it is visible to you.
            And what `privet.Client.sql` raises.
        """
        _refuse("scan_as_pandas", unknown, "max_records and strings_as_utf8")
        with self._open(request, max_records) as scan:
            if strings_as_utf8:
                return scan.to_pandas()
            return binary_strings(scan.to_arrow()).to_pandas(self_destruct=True)

    def scan_as_json(
        self,
        request: str,
        max_records: int | None = None,
        *,
        strings_as_utf8: bool = True,
        **unknown: object,
    ) -> list[dict[str, Any]]:
        """Read what you may see of a dataset, or the answer to a query, as a list of rows.

        Dates, times and decimals are text. The arguments are those of `scan_as_pandas`.

        Raises:
            InvalidRequest: neither a name nor a query, or arguments that are not known.
            NotFound: no such dataset, or nothing of it is visible to you.
            And what `privet.Client.sql` raises.
        """
        _refuse("scan_as_json", unknown, "max_records and strings_as_utf8")
        with self._open(request, max_records) as scan:
            return json_rows(scan.to_arrow(), strings_as_utf8=strings_as_utf8)

    def _open(self, request: str, limit: int | None) -> Scan:
        if name := _NAME.fullmatch(request):
            return self._client.scan(name[1], limit=limit)
        if is_query(request):
            return self._client.sql(request, limit=limit)
        raise InvalidRequest(
            "that is neither the name of a dataset nor a query",
            hint="give database.dataset, or a statement that begins with SELECT",
        )

    def list_databases(self) -> list[str]:
        """The names of the databases that you can see something of, sorted."""
        return sorted(item["name"] for item in self._client.databases())

    def list_dataset_names(self, db: str, filter: str | None = None) -> list[str]:  # noqa: A002
        """The datasets of a database that you can see something of, as `database.dataset`, sorted.

        Args:
            db: the database.
            filter: only names that contain this.
        """
        names = (str(item["name"]) for item in self._client.datasets(db))
        wanted = (filter or "").lower()
        return sorted(name for name in names if wanted in name.partition(".")[2])

    def execute_ddl(self, sql: str) -> list[list[str]]:
        """Run one statement, such as `GRANT ...` or `SHOW DATABASES`, and return its rows as text.

        Raises:
            ParseFailed: not a statement.
            Forbidden: the statement is for admins.
        """
        rows = self._client.execute(sql).rows
        return [["" if value is None else str(value) for value in row] for row in rows]

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _refuse(function: str, unknown: dict[str, object], known: str) -> None:
    if unknown:
        names = ", ".join(f"`{name}`" for name in unknown)
        raise InvalidRequest(f"`{function}` does not take {names}", hint=f"it takes {known}")


def _read(path: str | os.PathLike[str]) -> str:
    try:
        return Path(path).expanduser().read_text("utf-8")
    except (OSError, ValueError) as error:
        raise InvalidRequest(f"the token file `{os.fspath(path)}` cannot be read") from error
