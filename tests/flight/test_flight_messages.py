"""The messages themselves: as the .proto says, and told from everything else that may arrive."""

from __future__ import annotations

import ast
import time
from pathlib import Path

import pyarrow.flight as fl
import pytest
from grpc_tools import protoc

from flight.raw import field
from privet.flight import flight_sql_pb2 as pb
from privet.flight.messages import METADATA, pack, requested, unpack
from privet.flight.metadata import like
from privet.flight.sql_info import SQL_INFO, sql_info
from privet.flight.type_info import type_info
from privet.model.errors import InvalidRequest
from privet.model.requests import ScanRequest

FOLDER = Path(pb.__file__).parent
PREFIX = "type.googleapis.com/arrow.flight.protocol.sql."


def test_the_generated_module_is_of_the_proto(tmp_path: Path) -> None:
    """What is committed describes what the .proto describes; its head says how to write it anew."""
    arguments = [f"--python_out={tmp_path}", f"-I{FOLDER}", "flight_sql.proto"]
    assert protoc.main(["protoc", *arguments]) == 0
    tree = ast.parse((tmp_path / "flight_sql_pb2.py").read_text())
    described = [
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("AddSerializedFile")
    ]
    assert described == [pb.DESCRIPTOR.serialized_pb]
    typed = (FOLDER / "flight_sql_pb2.pyi").read_text()
    for name, message in pb.DESCRIPTOR.message_types_by_name.items():
        assert f"class {name}(_message.Message):" in typed
        for part in message.fields:
            assert f"    {part.name}: " in typed


@pytest.mark.parametrize("kind", METADATA, ids=lambda kind: kind.__name__)
def test_messages_come_back_as_they_went(kind: type) -> None:
    """Packed and unpacked, whatever stands before the name of the type."""
    sent = pack(kind())
    assert unpack(sent) == kind()
    assert isinstance(unpack(field(1, f"/{PREFIX[20:]}{kind.__name__}".encode())), kind)


OTHERS = (
    b"",
    b"\x00",
    b"{}",
    b"gAAAAABm",
    b'\n{"scan": {"dataset": "a.b"}}',
    b'\n {"scan": {"dataset": "' + b"a" * 200 + b'.b"}}',
    b"\xff" * 100,
    field(1, b"no_slash"),
    field(1, b"\xff\xfe/x"),
    field(7, b"something else"),
)


@pytest.mark.parametrize("data", OTHERS, ids=range(len(OTHERS)))
def test_other_kinds_are_left_to_others(data: bytes) -> None:
    """Scans and garbage are no messages of Flight SQL, also where they begin like one."""
    assert unpack(data) is None


def test_a_scan_may_begin_like_a_message() -> None:
    """A line feed is the tag of a first field."""
    sent = b'\n {"scan": {"dataset": "' + b"a" * 100 + b'.b"}}'
    assert isinstance(requested(fl.FlightDescriptor.for_command(sent)), ScanRequest)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (field(1, f"{PREFIX}CommandStatementUpdate".encode()), "only reads"),
        (field(1, f"{PREFIX}CommandPreparedStatementUpdate".encode()), "only reads"),
        (field(1, f"{PREFIX}CommandStatementIngest".encode()), "only reads"),
        (field(1, f"{PREFIX}CommandStatementSubstraitPlan".encode()), "Substrait"),
        (field(1, f"{PREFIX}CommandOfTheFuture".encode()), "is no command"),
        (field(1, f"{PREFIX}DESCRIPTOR".encode()), "is no command"),
        (field(1, b"type.googleapis.com/google.protobuf.Duration"), "is no command"),
        (field(1, b"x/" + b"y" * 100_000), "is no command"),
        (field(1, f"{PREFIX}CommandGetTables".encode()) + field(2, b"\xff"), "this is no"),
        (
            field(1, f"{PREFIX}CommandGetTables".encode()) + field(2, field(1, b"\xff")),
            "this is no",
        ),
        (pack(pb.CommandStatementQuery(query="x", transaction_id=b"t")), "transactions"),
        (pack(pb.CommandStatementQuery(query="x", transaction_id=b"")), "transactions"),
    ],
    ids=range(12),
)
def test_what_is_not_served_is_refused(data: bytes, text: str) -> None:
    """In words that say which."""
    with pytest.raises(InvalidRequest, match=text) as refused:
        unpack(data)
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    ("pattern", "fits", "others"),
    [
        ("", ("",), ("a",)),
        ("%", ("", "a", "a\nb"), ()),
        ("_", ("a", "\n"), ("", "ab")),
        ("a%", ("a", "ab"), ("ba", "")),
        ("%a", ("a", "ba", "aba"), ("ab",)),
        ("%a%b%", ("ab", "xaxbx", "aab"), ("ba", "a")),
        ("a%a", ("aa", "aba"), ("a",)),
        ("%ab_", ("abc", "ababc", "ababx"), ("ab", "abcd")),
        ("%a_c%c", ("abcc", "aabcabcc"), ("abc",)),
        ("t\\_1", ("t_1",), ("tx1",)),
        ("t_1", ("t_1", "tx1"), ("t1",)),
        ("100\\%", ("100%",), ("1000",)),
        ("a\\\\b", ("a\\b",), ("ab",)),
        ("a\\", ("a\\",), ("a",)),
        ("a.c", ("a.c",), ("abc",)),
        ("(a|b)*[c]", ("(a|b)*[c]",), ("a", "c")),
        ("MiXed", ("mixed", "MIXED"), ("mix",)),
    ],
)
def test_patterns_are_those_of_like(
    pattern: str, fits: tuple[str, ...], others: tuple[str, ...]
) -> None:
    """`%` and `_` stand for text and a character, a backslash takes that away, case is nothing."""
    matches = like(pattern)
    assert [name for name in fits if not matches(name)] == []
    assert [name for name in others if matches(name)] == []


def test_a_pattern_takes_no_longer_than_it_is() -> None:
    """Not even one made for backtracking; a huge one is refused."""
    began = time.thread_time()
    assert not like("%a" * 500)("a" * 128 + "b")
    assert like("%a%" * 128)("a" * 128)
    assert not like("%_" * 400)("a" * 128)
    assert time.thread_time() - began < 10
    with pytest.raises(InvalidRequest, match="too long"):
        like("%" * 2000)


def test_sql_info_is_complete() -> None:
    """All of it without numbers, each by its number, unknown numbers are left out."""
    every = sql_info([])
    numbers = sorted(every["info_name"].to_pylist())
    assert numbers == [*range(12), 100, 101, *range(500, 577)]
    every.validate(full=True)
    by_number = {row["info_name"]: row["value"] for row in every.to_pylist()}
    assert by_number[0] == "Privet"
    assert (by_number[3], by_number[8], by_number[9], by_number[504]) == (True, 0, True, '"')
    assert by_number[557] == 128 * 1024
    for number in numbers:
        (row,) = sql_info([number, 9_999, 4_000_000_000]).to_pylist()
        assert row == {"info_name": number, "value": by_number[number]}
    assert sql_info([9_999]).num_rows == 0
    assert sql_info([9_999]).schema == SQL_INFO


def test_types_are_in_order() -> None:
    """By code, then by name; of one code if asked."""
    rows = type_info(None)
    assert rows == sorted(rows, key=lambda row: (row["data_type"], row["type_name"]))
    assert [row["type_name"] for row in type_info(93)] == ["TIMESTAMP", "TIMESTAMP WITH TIME ZONE"]
    assert type_info(4711) == []
