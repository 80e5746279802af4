"""Every door, as one function: a dataset and a token in, a table or the model's error out.

A door gives the bytes it received too, for those who look for what should not be in them.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

import httpx2
import pyarrow as pa
import pyarrow.flight as fl
from typer.testing import CliRunner, Result

import privet
from doors.reading import READ, read_csv
from doors.servers import TrialServer, bearer
from doors.thrift_client import SaslRefused, fetched, log_in, opened, planned
from okera import context
from privet.cli import app
from privet.client import Scan
from privet.client.errors import from_http
from privet.client.flight_errors import from_flight
from privet.model.errors import PrivetError
from privet.okera.idl import T

Run = Callable[..., Result]
"""Runs a `privet` command in this process."""


@dataclass(frozen=True)
class Wanted:
    """A scan as asked for; `raw` parts are given to doors that can send them."""

    dataset: str
    columns: tuple[str, ...] | None = None
    limit: int | None = None


@dataclass
class Answer:
    """What came: rows under the schema that the scan has, or a code; and all bytes received."""

    table: pa.Table | None = None
    code: str = ""
    message: str = ""
    sizes: tuple[int, ...] = ()
    received: list[bytes] = field(default_factory=list[bytes])


BROKEN = "broken"
"""The code of an answer that ended before its end."""
STATEMENT = "statement"
"""The code of an answer that has no rows, because a policy statement was carried out."""
Door = Callable[[TrialServer, str, Wanted, pa.Schema | None], Answer]


def rest(form: str) -> Door:
    """GET .../scan in one format."""

    def ask(server: TrialServer, token: str, wanted: Wanted, schema: pa.Schema | None) -> Answer:
        query: dict[str, Any] = {"format": form}
        if wanted.columns is not None:
            query["columns"] = ",".join(wanted.columns)
        if wanted.limit is not None:
            query["limit"] = wanted.limit
        path = f"/v1/datasets/{wanted.dataset.replace('.', '/')}/scan"
        return _by_http(server, token, ("GET", path, {"params": query}), form, schema)

    return ask


def _by_http(
    server: TrialServer,
    token: str,
    request: tuple[str, str, Mapping[str, Any]],
    form: str,
    schema: pa.Schema | None,
) -> Answer:
    answer = Answer()
    method, path, sent = request
    with server.http(token) as http, http.stream(method, path, **sent) as got:
        try:
            answer.received += got.iter_bytes()
        except httpx2.RemoteProtocolError as error:
            answer.code, answer.message = BROKEN, str(error)
            return answer
    body = b"".join(answer.received)
    told = [(k, v) for k, v in got.headers.raw if k.lower() != b"date"]
    answer.received = [body, repr(told).encode()]
    if not got.is_success:
        return _refused(answer, from_http(got.status_code, body))
    if form == "json" and body.startswith(b"{"):
        answer.code = STATEMENT
    else:
        answer.table = READ[form](body, schema)
    return answer


def _refused(answer: Answer, error: PrivetError) -> Answer:
    answer.code, answer.message = error.code, error.message
    return answer


def flight_command(server: TrialServer, token: str, wanted: Wanted, _: Any) -> Answer:
    """GetFlightInfo by command, then DoGet with the ticket."""
    columns = None if wanted.columns is None else list(wanted.columns)
    asked = {"dataset": wanted.dataset, "columns": columns, "limit": wanted.limit}
    command = json.dumps({"scan": asked}).encode()
    return _flight(server, token, fl.FlightDescriptor.for_command(command))


def flight_path(server: TrialServer, token: str, wanted: Wanted, _: Any) -> Answer:
    """GetFlightInfo by path: whole datasets only."""
    return _flight(server, token, fl.FlightDescriptor.for_path(*wanted.dataset.split(".")))


def _flight(server: TrialServer, token: str, descriptor: fl.FlightDescriptor) -> Answer:
    answer = Answer()
    with server.flight() as client:
        try:
            info = client.get_flight_info(descriptor, bearer(token))
            assert (info.total_records, info.total_bytes) == (-1, -1)
            (endpoint,) = info.endpoints
            reader = client.do_get(endpoint.ticket, bearer(token))
            batches = [chunk.data for chunk in reader]
        except (fl.FlightError, pa.ArrowException) as error:
            answer.received.append(str(error).encode() + (getattr(error, "extra_info", b"") or b""))
            return _refused(answer, from_flight(error))
    assert info.schema == reader.schema
    answer.table = pa.Table.from_batches(batches, info.schema)
    answer.sizes = tuple(batch.num_rows for batch in batches)
    answer.received += [info.serialize(), *bytes_of(answer.table)]
    return answer


def bytes_of(table: pa.Table) -> Iterator[bytes]:
    """Every byte of the buffers as they came, also outside what the arrays show of them."""
    yield table.schema.serialize().to_pybytes()
    for column in table.columns:
        for chunk in column.chunks:
            for buffer in chunk.buffers():
                if buffer is not None:
                    yield buffer.to_pybytes()


def client(server: TrialServer, token: str, wanted: Wanted, _: Any) -> Answer:
    """The Python client."""
    columns = None if wanted.columns is None else list(wanted.columns)
    return _by_client(
        server, token, lambda c: c.scan(wanted.dataset, columns=columns, limit=wanted.limit)
    )


def _by_client(server: TrialServer, token: str, ask: Callable[[privet.Client], Scan]) -> Answer:
    answer = Answer()
    try:
        with privet.connect(server.rest_url, token, ca=server.ca) as connection:
            answer.table = ask(connection).to_arrow()
    except PrivetError as error:
        answer.received.append(repr(vars(error)).encode())
        return _refused(answer, error)
    answer.received += bytes_of(answer.table)
    return answer


_CODES = {1: "", 3: "unauthenticated", 4: "not_found", 6: BROKEN}


def cli(server: TrialServer, token: str, wanted: Wanted, schema: pa.Schema | None) -> Answer:
    """`privet scan --format csv`; the command's exit code stands for the error."""
    arguments = ["scan", wanted.dataset, "--format", "csv"]
    if wanted.columns is not None:
        arguments += ["--columns", ",".join(wanted.columns)]
    if wanted.limit is not None:
        arguments += ["--limit", str(wanted.limit)]
    return _by_command(server, token, arguments, schema)


def _by_command(
    server: TrialServer,
    token: str,
    arguments: Sequence[str],
    schema: pa.Schema | None,
    text: str | None = None,
) -> Answer:
    variables = {"PRIVET_URL": server.rest_url, "PRIVET_TOKEN": token, "PRIVET_CA": str(server.ca)}
    done = CliRunner().invoke(app, list(arguments), input=text, env=variables)
    answer = Answer(received=[done.stdout_bytes, done.stderr_bytes])
    if done.exit_code == 0:
        answer.table = read_csv(done.stdout_bytes, schema)
    else:
        answer.code = _CODES[done.exit_code]
        answer.message = done.stderr.splitlines()[0].removeprefix("error: ")
    return answer


def okera(server: TrialServer, token: str, wanted: Wanted, schema: pa.Schema | None) -> Answer:
    """The notebook interface of the original: whole datasets only."""
    return _by_notebook(server, token, wanted.dataset, wanted.limit, schema)


def _by_notebook(
    server: TrialServer, token: str, request: str, limit: int | None, schema: pa.Schema | None
) -> Answer:
    answer = Answer()
    host, _, port = server.flight_url.rpartition("://")[2].rpartition(":")
    notebook = context()
    notebook.enable_token_auth(token_str=token)
    try:
        with notebook.connect(host=host, port=int(port), ca_cert=server.ca) as connection:
            frame = connection.scan_as_pandas(request, max_records=limit, strings_as_utf8=True)
    except PrivetError as error:
        answer.received.append(repr(vars(error)).encode())
        return _refused(answer, error)
    answer.received.append(frame.to_csv().encode())
    answer.table = pa.Table.from_pandas(frame, schema=schema, preserve_index=False)
    return answer


_TOLD = re.compile(r"\[(\w+)(?:, audit [^\]]*)?\]$")


def thrift(server: TrialServer, token: str, wanted: Wanted, _: Any) -> Answer:
    """The okera door, byte by byte: whole datasets only."""
    return by_thrift(server, token, f"SELECT * FROM {wanted.dataset}", wanted.limit)


def by_thrift(server: TrialServer, token: str, sql: str, limit: int | None = None) -> Answer:
    """A statement at the okera door."""
    answer = Answer()
    with opened(server.okera, server.ca) as wire:
        try:
            log_in(wire, token)
            answer.table = fetched(wire, planned(wire, sql), limit)
        except SaslRefused as error:
            answer.code, answer.message = "unauthenticated", error.args[1]
        except T.TRecordServiceException as error:
            told = _TOLD.search(error.detail)
            assert told is not None
            answer.code, answer.message = told[1], error.message
        answer.received.append(bytes(wire.received))
    return answer


DOORS: Mapping[str, Door] = {
    "flight command": flight_command,
    "flight path": flight_path,
    **{f"rest {form}": rest(form) for form in READ},
    "client": client,
    "cli": cli,
    "okera": okera,
    "thrift": thrift,
}
WHOLE_ONLY = frozenset({"flight path", "okera", "thrift"})
"""Doors that cannot ask for some columns."""
NO_LIMIT = frozenset({"flight path"})


def doors_for(wanted: Wanted) -> Iterator[tuple[str, Door]]:
    """The doors that can ask for this."""
    for name, door in DOORS.items():
        if wanted.columns is not None and name in WHOLE_ONLY:
            continue
        if wanted.limit is not None and name in NO_LIMIT:
            continue
        yield name, door


def every_answer(server: TrialServer, token: str, wanted: Wanted) -> dict[str, Answer]:
    """Ask at every door; Flight's schema is what the others' text is read with."""
    answers: dict[str, Answer] = {}
    schema: pa.Schema | None = None
    for name, door in doors_for(wanted):
        answers[name] = door(server, token, wanted, schema)
        if schema is None and (table := answers[name].table) is not None:
            schema = pa.schema([pa.field(f.name, f.type) for f in table.schema])
    return answers


Values = Sequence[Any] | Mapping[str, Any]
"""Parameters of a statement: a list for `?` and `$1`, a mapping for `$name`."""


class SqlDoor(Protocol):
    """A door as a function of a query; text formats are read under the schema, where given."""

    def __call__(
        self,
        server: TrialServer,
        token: str,
        text: str,
        parameters: Values | None = None,
        schema: pa.Schema | None = None,
    ) -> Answer:
        """Ask, and give what came."""
        ...


def rest_sql(form: str) -> SqlDoor:
    """POST /v1/sql in one format."""

    def ask(
        server: TrialServer,
        token: str,
        text: str,
        parameters: Values | None = None,
        schema: pa.Schema | None = None,
    ) -> Answer:
        body = {"statement": text, "parameters": as_json(parameters)}
        sent = {"json": body, "params": {"format": form}}
        return _by_http(server, token, ("POST", "/v1/sql", sent), form, schema)

    return ask


def as_json(value: Any) -> Any:
    """Values as JSON has them: what it lacks is text, as users are told to send it."""
    match value:
        case dt.date() | dt.time() | Decimal():
            return str(value)
        case Mapping():
            return {name: as_json(item) for name, item in value.items()}
        case list() | tuple():
            return [as_json(item) for item in value]
        case _:
            return value


def client_sql(
    server: TrialServer,
    token: str,
    text: str,
    parameters: Values | None = None,
    schema: pa.Schema | None = None,
) -> Answer:
    """`client.sql`."""
    return _by_client(server, token, lambda c: c.sql(text, parameters))


def cli_sql(
    server: TrialServer,
    token: str,
    text: str,
    parameters: Values | None = None,
    schema: pa.Schema | None = None,
) -> Answer:
    """`privet sql -`, into another program; the command's exit code stands for the error."""
    sent = as_json(parameters or [])
    named = sent.items() if isinstance(sent, dict) else ((None, value) for value in sent)
    given = (json.dumps(v) if name is None else f"{name}={json.dumps(v)}" for name, v in named)
    arguments = ["sql", "-", "--format", "csv", *(f"--parameter={value}" for value in given)]
    return _by_command(server, token, arguments, schema, text)


def okera_sql(
    server: TrialServer,
    token: str,
    text: str,
    parameters: Values | None = None,
    schema: pa.Schema | None = None,
) -> Answer:
    """`scan_as_pandas`, which takes no parameters."""
    assert not parameters
    return _by_notebook(server, token, text, None, schema)


SQL_DOORS: Mapping[str, SqlDoor] = {
    **{f"rest {form}": rest_sql(form) for form in READ},
    "client": client_sql,
    "cli": cli_sql,
    "okera": okera_sql,
}
NO_PARAMETERS = frozenset({"okera"})
"""Doors that cannot send values for parameters."""
