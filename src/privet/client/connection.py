"""`connect` and the connection it gives: one Flight connection, many scans and queries."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, cast

from pyarrow import flight

from privet.client import credentials
from privet.client.addresses import Address
from privet.client.errors import Insecure, Unreachable
from privet.client.flight_errors import translated
from privet.client.languages import pointing_to_execute, pointing_to_sql
from privet.client.rest import Rest
from privet.client.scans import Query, Scan
from privet.client.statements import Values, label, query_command
from privet.client.trust import CaFile, flight_roots
from privet.client.waiting import Line, patiently
from privet.model.errors import InvalidRequest, PrivetError
from privet.model.names import DatasetName

CALL_SECONDS = 120.0
_ACTION = "privet.call"


@dataclass(frozen=True, slots=True)
class StatementResult:
    """What a statement did: a sentence, and for those that ask something, a table of rows."""

    kind: str
    message: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    warnings: tuple[str, ...] = ()


class Client:
    """A connection to a Privet server, made by `connect`. A context manager; use it for many scans.

    Every method raises `PrivetError`: the server's own error (`NotFound`, `Forbidden`,
    `Unauthenticated`, ...), or `Unreachable`.
    """

    def __init__(self, connection: flight.FlightClient, token: str, address: Address) -> None:
        self.address = address
        header = (b"authorization", f"Bearer {token}".encode("ascii"))
        self._line: Line | None = Line(
            connection,
            calls=flight.FlightCallOptions(timeout=CALL_SECONDS, headers=[header]),
            streams=flight.FlightCallOptions(headers=[header]),
        )

    def scan(
        self,
        dataset: str,
        columns: Sequence[str] | None = None,
        limit: int | None = None,
        progress: bool | None = None,
    ) -> Scan:
        """Plan a scan of what you may see of a dataset.

        Args:
            dataset: `database.dataset`.
            columns: some of the visible columns, in the order wanted; None for all.
            limit: at most that many rows; None for all.
            progress: show a count of rows; None does in notebooks and terminals.

        Raises:
            InvalidRequest: a name, column list or limit that cannot be.
            NotFound: no such dataset, or nothing of it is visible to you.
        """
        name = DatasetName.parse(dataset)
        request = {"dataset": str(name), "columns": _columns(columns), "limit": _limit(limit)}
        info = self._plan(json.dumps({"scan": request}).encode())
        return Scan(self._live(), info, str(name), progress)

    def sql(
        self,
        query: str,
        parameters: Values | None = None,
        *,
        database: str | None = None,
        limit: int | None = None,
        progress: bool | None = None,
    ) -> Query:
        """Plan a query over what you may see; its answer is read as a scan is.

        Args:
            query: one SELECT, WITH, FROM or VALUES statement.
            parameters: values for `?` and `$1` in a list, or for `$name` in a mapping.
            database: where names without a database are looked for.
            limit: at most that many rows; None for all.
            progress: show a count of rows; None does in notebooks and terminals.

        Raises:
            ParseFailed: not a query; `position` says where.
            UnknownName, NotFound: a name of nothing that is visible to you.
            TypeMismatch, StatementFailed: it cannot be computed.
            ResourcesExceeded, Busy: it needs more than one may use, or more than is free now.
        """
        command = query_command(query, parameters, database, _limit(limit))
        with pointing_to_execute(query):
            info = self._plan(command)
        return Query(self._live(), info, label(query), progress)

    def databases(self) -> list[dict[str, Any]]:
        """The databases that you can see something of."""
        return _items(self._call("databases"))

    def datasets(self, database: str | None = None) -> list[dict[str, Any]]:
        """The datasets that you can see something of, with their visible columns."""
        return _items(self._call("datasets", database=database))

    def explain(
        self, dataset: str, user: str | None = None, groups: Iterable[str] | None = None
    ) -> dict[str, Any]:
        """Say what somebody sees of a dataset, and why.

        Args:
            dataset: `database.dataset`.
            user: of whom; None for yourself. Others are for admins.
            groups: with which groups; None for those last seen for that user.
        """
        name = str(DatasetName.parse(dataset))
        listed = None if groups is None else list(groups)
        return self._call("explain", dataset=name, user=user, groups=listed)

    def what_if(self, *statements: str, count: bool = True) -> dict[str, Any]:
        """Say who would see more and who less, if these statements were carried out; nothing is.

        Args:
            statements: GRANT, REVOKE, DENY, RESTRICT, DROP DENY and DROP RESTRICT.
            count: count the rows that would be gained and lost, where that does not take long.

        Raises:
            Forbidden: you lack VIEW_COMPLETE_METADATA on what the statements are on.
        """
        return self._call("what_if", statements=list(statements), count=count)

    def who_can_see(self, dataset: str, column: str) -> dict[str, Any]:
        """Say who sees a column, how, and by which permissions.

        Raises:
            Forbidden: you lack VIEW_COMPLETE_METADATA on the dataset.
            NotFound: no such dataset or column, or you know of none.
        """
        return self._call("who_can_see", dataset=str(DatasetName.parse(dataset)), column=column)

    def detokenize(
        self, domain: str, tokens: Sequence[str], purpose: str, version: int | None = None
    ) -> list[str | None]:
        """Turn format-preserving tokens back into values; None for one that has no way back.

        Args:
            domain: of the tokens; that of a tag is `namespace.key`.
            tokens: at most 1000, integers in decimal.
            purpose: why you need the values; it is on record.
            version: the key version of the tokens, if you know it.

        Raises:
            Forbidden: you lack DETOKENIZE on the domain.
            RateLimited: you may have no more values now.
            KeyVersionRetired: the tokens are of a key version that was rotated away.
        """
        return self._call(
            "detokenize",
            domain=domain,
            tokens=list(tokens),
            purpose=purpose,
            version=version,
        )

    def whoami(self) -> dict[str, Any]:
        """Who you are to the server: user, issuer, groups, roles."""
        return self._call("whoami")

    def execute(self, statement: str) -> StatementResult:
        """Run one policy statement, such as `GRANT SELECT ...` or `SHOW DATABASES`.

        Queries are run with `sql`.

        Raises:
            ParseFailed: not a statement; `position` says where.
            Forbidden: the statement is for admins.
        """
        with pointing_to_sql(statement):
            result = self._call("sql", statement=statement)
        return StatementResult(
            kind=result.get("kind", ""),
            message=result.get("message") or "",
            columns=tuple(result.get("columns") or ()),
            rows=tuple(tuple(row) for row in result.get("rows") or ()),
            warnings=tuple(result.get("warnings") or ()),
        )

    def _plan(self, command: bytes) -> flight.FlightInfo:
        descriptor = flight.FlightDescriptor.for_command(command)
        line = self._live()
        with translated():
            return patiently(lambda: line.connection.get_flight_info(descriptor, line.calls))

    def _call(self, use: str, **arguments: object) -> Any:
        given = {name: value for name, value in arguments.items() if value is not None}
        body = json.dumps({"use": use, **given}).encode()
        line = self._live()
        with translated():
            answers = list(line.connection.do_action(flight.Action(_ACTION, body), line.calls))
        try:
            return json.loads(answers[0].body.to_pybytes())["result"]
        except (IndexError, KeyError, ValueError) as error:
            raise Unreachable(
                f"what answers at `{self.address}` is not a Privet server of this version"
            ) from error

    def _live(self) -> Line:
        if self._line is None:
            raise InvalidRequest("this connection is closed", hint="connect again")
        return self._line

    def close(self) -> None:
        """Close the connection; scans of it end."""
        line, self._line = self._line, None
        if line is not None:
            line.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<privet.Client of {self.address}>"


def connect(
    url: str | None = None,
    token: str | None = None,
    *,
    user: str | None = None,
    password: str | None = None,
    ca: CaFile | None = None,
    verify: bool = True,
) -> Client:
    """Connect to a Privet server.

    Args:
        url: `https://host` (the Flight address is asked for there) or `grpc+tls://host:port`;
            PRIVET_URL by default. Plain http and grpc only on this machine.
        token: yours; PRIVET_TOKEN by default.
        user: with `password`, instead of a token, for users of the server's own.
        password: see `user`.
        ca: a PEM file with certificate authorities to trust besides the system's; PRIVET_CA by
            default.
        verify: False does not verify the server's certificate, on this machine only.

    Raises:
        Unauthenticated: no credentials, or a user and password that do not hold.
        Insecure: credentials would not be safe on the way there.
        Unreachable: the server does not answer.
        InvalidRequest: arguments that do not go together.
    """
    if (user is None) != (password is None) or (user is not None and token is not None):
        raise InvalidRequest("give either a token, or a user with a password")
    ca = credentials.find_ca(ca)
    address = Address.parse(credentials.find_url(url)).check_safe(verify=verify)
    login = {"user": user, "password": password or ""} if user is not None else None
    held = credentials.find_token(token) if login is None else ""
    if address.http:
        with Rest(str(address), ca=ca, verify=verify) as rest:
            address = _discover(rest, verify=verify)
            held = (
                credentials.check_token(rest.post("/v1/login", login)["token"]) if login else held
            )
    connection = _open(address, ca, verify=verify)
    if login and not held:
        held = _log_in(connection, **login)
    return Client(connection, held, address)


def _discover(rest: Rest, *, verify: bool) -> Address:
    about = rest.get("/v1/server")
    named = about.get("flight") if isinstance(about, dict) else None
    if not isinstance(named, str):
        raise Unreachable(f"what answers at `{rest.address}` is not a Privet server")
    found = Address.parse(named)
    if found.http:
        raise Unreachable(f"the server at `{rest.address}` names no Flight address")
    if not rest.address.encrypted and not found.loopback:
        raise Insecure(
            f"`{found}` was learnt over an unencrypted connection and may be anybody's",
            hint="connect to that grpc+tls:// address itself if it is the one you mean",
        )
    return found.check_safe(verify=verify)


def _open(address: Address, ca: CaFile | None, *, verify: bool) -> flight.FlightClient:
    options: list[tuple[str, str | int]] = []
    if address.loopback:
        # A proxy of the environment must not see what is meant for this machine.
        options.append(("grpc.enable_http_proxy", 0))
    with translated():
        return flight.FlightClient(
            str(address),
            tls_root_certs=flight_roots(ca) if address.encrypted and verify else None,
            disable_server_verification=address.encrypted and not verify,
            generic_options=options,
        )


def _log_in(connection: flight.FlightClient, user: str, password: str) -> str:
    try:
        with translated():
            _, value = connection.authenticate_basic_token(user, password)
    except PrivetError as error:
        connection.close()
        if type(error) is not PrivetError:
            raise
        # The handshake has one text for a server that is not there and for one that hangs up.
        raise Unreachable(
            "logging in over Flight did not get an answer",
            hint="check the address, or log in through the server's https:// address",
        ) from error
    return credentials.check_token(value.decode("ascii").removeprefix("Bearer "))


def _columns(columns: Sequence[str] | None) -> list[str] | None:
    if columns is None:
        return None
    if isinstance(columns, str) or not columns:
        raise InvalidRequest(
            "`columns` is a list of column names", hint='such as ["age", "region"]; None for all'
        )
    return list(columns)


def _limit(limit: int | None) -> int | None:
    if limit is not None and limit < 0:
        raise InvalidRequest("`limit` is a number of rows, zero or more; None for all")
    return limit


def _items(result: Any) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", result["items"] if isinstance(result, dict) else result)
