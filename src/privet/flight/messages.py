"""Commands, tickets and actions: what came in, as a request of ours or a Flight SQL message.

Flight SQL wraps its messages in a `google.protobuf.Any`; our own requests are JSON or a path.
Whatever is neither is refused here.
"""

from __future__ import annotations

from typing import TypeVar

import pyarrow as pa
import pyarrow.flight as fl
from google.protobuf.any_pb2 import Any as Packed
from google.protobuf.message import DecodeError, Message

from privet.flight import flight_sql_pb2 as pb
from privet.flight.json_commands import read_command
from privet.model.errors import InvalidRequest
from privet.model.names import DatasetName, fold
from privet.model.requests import QueryRequest, ScanRequest

_LARGEST = 4 * 2**20
Bytes = TypeVar("Bytes", bytes, pa.Buffer)

M = TypeVar("M", bound=Message)
KEYS = (
    pb.CommandGetPrimaryKeys,
    pb.CommandGetImportedKeys,
    pb.CommandGetExportedKeys,
    pb.CommandGetCrossReference,
)
METADATA = (
    pb.CommandGetCatalogs,
    pb.CommandGetDbSchemas,
    pb.CommandGetTables,
    pb.CommandGetTableTypes,
    pb.CommandGetSqlInfo,
    pb.CommandGetXdbcTypeInfo,
    *KEYS,
)
_COMMANDS: dict[str, type[Message]] = {
    kind.DESCRIPTOR.full_name: kind
    for kind in (
        pb.CommandStatementQuery,
        pb.CommandPreparedStatementQuery,
        pb.TicketStatementQuery,
        *METADATA,
    )
}
_PACKAGE = pb.DESCRIPTOR.package
_WRITES = {
    f"{_PACKAGE}.{name}"
    for name in (
        "CommandStatementUpdate",
        "CommandPreparedStatementUpdate",
        "CommandStatementIngest",
    )
}


def pack(message: Message) -> bytes:
    """A message as Flight SQL sends it."""
    packed = Packed()
    packed.Pack(message)
    return packed.SerializeToString()


def unpack(data: bytes) -> Message | None:
    """The Flight SQL message that a command or ticket holds; None if it is of another kind.

    Raises:
        InvalidRequest: a message that this server does not know, or a damaged one.
    """
    packed = Packed()
    try:
        packed.ParseFromString(data)
    except DecodeError:
        return None
    _, slash, name = packed.type_url.rpartition("/")
    if not slash:
        return None
    if name in _WRITES:
        raise only_reads()
    if "Substrait" in name:
        raise InvalidRequest("Substrait plans are not supported", hint="send SQL")
    if name not in _COMMANDS:
        raise InvalidRequest(f"`{name[:128]!a}` is no command of this server", hint="send SQL")
    return parse(_COMMANDS[name], packed.value)


def unpack_body(kind: type[M], body: bytes) -> M:
    """The message that an action's body wraps.

    Raises:
        InvalidRequest: another one, or a damaged one.
    """
    packed = parse(Packed, body)
    if packed.type_url.rpartition("/")[2] != kind.DESCRIPTOR.full_name:
        raise InvalidRequest(
            f"the action needs `{kind.DESCRIPTOR.name}` as its body",
            hint="pack it in a google.protobuf.Any",
        )
    return parse(kind, packed.value)


def parse(kind: type[M], data: bytes) -> M:
    """A message that is not wrapped.

    Raises:
        InvalidRequest: the bytes are no such message, or it belongs to a transaction.
    """
    message = kind()
    try:
        message.ParseFromString(data)
    except DecodeError as error:
        raise InvalidRequest(
            f"this is no `{kind.DESCRIPTOR.name}`", hint="send it as Flight SQL describes it"
        ) from error
    if "transaction_id" in kind.DESCRIPTOR.fields_by_name and message.HasField("transaction_id"):
        raise no_transactions()
    return message


def no_transactions() -> InvalidRequest:
    """The refusal of everything about transactions."""
    return InvalidRequest("transactions are not supported", hint="connect with autocommit")


def only_reads() -> InvalidRequest:
    """The refusal of everything that writes."""
    return InvalidRequest("this server only reads", hint="data is registered by crawling")


def tickets_in(info: bytes) -> list[bytes]:
    """The tickets of a serialized FlightInfo.

    Raises:
        InvalidRequest: it is none, or has no ticket.
    """
    try:
        tickets = [end.ticket.ticket for end in fl.FlightInfo.deserialize(info).endpoints]
    except (pa.ArrowException, OSError) as error:
        raise InvalidRequest("this is no FlightInfo", hint="send it as it was given") from error
    if not tickets:
        raise InvalidRequest("the FlightInfo names no statement", hint="send it as it was given")
    return tickets


def requested(descriptor: fl.FlightDescriptor) -> ScanRequest | QueryRequest | Message:
    """What a descriptor asks for.

    Raises:
        InvalidRequest: nothing that this server knows.
    """
    if descriptor.descriptor_type == fl.DescriptorType.PATH:
        parts = [part.decode(errors="replace") for part in descriptor.path]
        if len(parts) != len(DatasetName._fields):
            raise InvalidRequest("a path is a database and a dataset")
        database, name = parts
        return ScanRequest(DatasetName(fold(database, "database name"), fold(name, "dataset name")))
    if descriptor.descriptor_type != fl.DescriptorType.CMD:
        raise InvalidRequest("a descriptor is a path or a command")
    command = within_bounds(descriptor.command)
    message = unpack(command)
    return read_command(command) if message is None else message


def within_bounds(sent: Bytes) -> Bytes:
    """What was sent, if it may be read: a statement with its parameters, sealed, fits.

    Raises:
        InvalidRequest: it is larger.
    """
    if len(sent) > _LARGEST:
        raise InvalidRequest("what was sent is too large", hint=f"{_LARGEST // 2**20} MB at most")
    return sent
