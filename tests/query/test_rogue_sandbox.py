"""Nothing that comes out of a sandbox is trusted: errors of ours, no data, no harm."""

from __future__ import annotations

import os
import struct
import threading
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from privet.model.errors import InvalidRequest, PrivetError, ResourcesExceeded
from privet.model.requests import QueryRequest
from privet.query.asker import Asker
from privet.query.feeding import Read
from privet.sandbox.wire import LONGEST_MESSAGE, pack_schema
from query.askers import memory_of
from query.rogue import NAME, OWN, ROWS, SCHEMA, Rogue, asked, taken_over

REQUEST = QueryRequest("SELECT 1")
REPLIES: tuple[Any, ...] = (
    *({}, [], 5, None, "x", {"datasets": 5}, {"datasets": [5]}, {"datasets": [{}]}),
    {"datasets": [{"name": "x", "position": None}], "explained": False, "parameters": []},
    {"datasets": [{"name": ["a"], "position": None}], "explained": False, "parameters": []},
    {"datasets": [{"name": ["a", "b", "c"], "position": None}], "explained": 1, "parameters": []},
    {"datasets": [{"name": ["../a", "b"], "position": None}], "explained": 1, "parameters": []},
    {"datasets": [{"name": ["a", "b"], "position": [1]}], "explained": 1, "parameters": []},
    {"datasets": [{"name": ["a", "b"], "position": ["x", {}, 1]}], "explained": 1},
    {"datasets": [], "explained": False, "parameters": 7},
    {"datasets": {"a": 1}, "explained": False, "parameters": []},
    {"datasets": [{"name": [f"d{n}", "t"], "position": None} for n in range(65)]},
    {"fault": None},
    {"fault": 5},
    {"fault": {}},
    {"fault": {"code": "not_found", "message": {"a": 1}, "hint": [], "position": "x"}},
    {"fault": {"code": ["internal"], "message": "x" * 10**6, "position": [1, 2]}},
)


@pytest.mark.parametrize("reply", REPLIES, ids=lambda reply: str(reply)[:50])
def test_reading(reply: Any) -> None:
    """Whatever it says of a statement is an error of ours unless it makes sense."""

    def script(rogue: Rogue) -> None:
        rogue.hear()
        rogue.say(reply)

    with taken_over(script) as asker, pytest.raises(PrivetError) as refused:
        asker.read(QueryRequest("SELECT 1"))
    assert len(refused.value.message) <= 500


RAW = (
    b"",
    b"\x00",
    struct.pack("!I", 0),
    struct.pack("!I", 5) + b"{",
    struct.pack("!I", LONGEST_MESSAGE + 1) + b"{}",
    struct.pack("!I", 2**32 - 1),
    struct.pack("!I", 3) + b"\xff\xff\xff",
    struct.pack("!I", 7) + b'{"a":1}' + b"more",
    struct.pack("!I", 14) + b'{"a":1,"a":2} ',
    struct.pack("!I", 9) + b'{"a":NaN}',
    struct.pack("!I", 4_000) + b"[" * 4_000,
)


@pytest.mark.parametrize("raw", RAW, ids=range(len(RAW)))
def test_messages_that_are_none(raw: bytes) -> None:
    """Of the wrong length, no JSON, without an end, nested without end."""

    def script(rogue: Rogue) -> None:
        rogue.hear()
        rogue.raw.sendall(raw)

    with taken_over(script) as asker, pytest.raises(PrivetError):
        asker.read(QueryRequest("SELECT 1"))


def test_silence_ends_in_time() -> None:
    """A sandbox that says nothing is ended."""
    ended = threading.Event()
    with taken_over(lambda _: ended.wait(20) and None, seconds=0.5) as asker:
        with pytest.raises(ResourcesExceeded):
            asker.read(QueryRequest("SELECT 1"))
        ended.set()


WANTS: tuple[Any, ...] = (
    *(None, 5, [], {}, {"dataset": 0}, {"dataset": 1, "columns": [0], "where": []}),
    {"dataset": -1, "columns": [0], "where": []},
    {"dataset": True, "columns": [0], "where": []},
    {"dataset": "0", "columns": [0], "where": []},
    {"dataset": 0, "columns": [2], "where": []},
    {"dataset": 0, "columns": [-1], "where": []},
    {"dataset": 0, "columns": ["id"], "where": []},
    {"dataset": 0, "columns": [0.0], "where": []},
    {"dataset": 0, "columns": 0, "where": []},
    {"dataset": 0, "columns": [0], "where": [["=", "phone", 1]]},
    {"dataset": 0, "columns": [0], "where": [["=", 0, 1]]},
    {"dataset": 0, "columns": [0], "where": [["=", ["id"], 1]]},
    {"dataset": 0, "columns": [0], "where": [["~", "id", 1]]},
    {"dataset": 0, "columns": [0], "where": [["=", "id", "1"]]},
    {"dataset": 0, "columns": [0], "where": [["=", "id", True]]},
    {"dataset": 0, "columns": [0], "where": [["=", "id", None]]},
    {"dataset": 0, "columns": [0], "where": [["=", "id", 2**70]]},
    {"dataset": 0, "columns": [0], "where": [["in", "id", []]]},
    {"dataset": 0, "columns": [0], "where": [["in", "id", 5]]},
    {"dataset": 0, "columns": [0], "where": [["in", "town", "abc"]]},
    {"dataset": 0, "columns": [0], "where": [["in", "id", [1, "x"]]]},
    {"dataset": 0, "columns": [0], "where": [["=", "id"]]},
    {"dataset": 0, "columns": [0], "where": "x"},
    {"dataset": 0, "columns": [0], "where": [{"column": "id"}]},
    {"dataset": 0, "columns": [0], "where": [], "limit": -1},
    {"dataset": 0, "columns": [0], "where": [], "limit": True},
    {"dataset": 0, "columns": [0], "where": [], "limit": "1"},
)


@pytest.mark.parametrize("wanted", WANTS, ids=lambda wanted: str(wanted)[:60])
def test_reads_that_were_not_shown(wanted: Any) -> None:
    """Nothing is opened for what does not fit what the sandbox was told; it is ended."""
    opened: list[Read] = []

    def script(rogue: Rogue) -> None:
        rogue.read_well()
        rogue.hear()
        rogue.feeds.send({"read": wanted})
        rogue.feeds.receive(files=1)

    with taken_over(script) as asker, pytest.raises(PrivetError) as refused:
        asked(asker, opened)
    assert opened == []
    assert isinstance(refused.value, InvalidRequest | ResourcesExceeded)


@pytest.mark.parametrize("wanted", WANTS, ids=lambda wanted: str(wanted)[:60])
def test_scans_that_were_not_shown(wanted: Any) -> None:
    """The same for an answer that is said to be no more than a scan."""
    opened: list[Read] = []

    def script(rogue: Rogue) -> None:
        rogue.read_well()
        rogue.hear()
        rogue.say({"schema": pack_schema(SCHEMA), "scan": wanted})

    with taken_over(script) as asker, pytest.raises(PrivetError):
        asked(asker, opened)
    assert opened == []


def test_a_scan_under_another_schema() -> None:
    """Columns that are not of the announced types are no answer."""
    wanted = {"dataset": 0, "columns": [0, 1], "where": [], "limit": None}
    wrong = pa.schema([pa.field("a", pa.string()), pa.field("b", pa.int64())])
    for schema in (wrong, pa.schema([pa.field("a", pa.int64())]), pa.schema([])):

        def script(rogue: Rogue, schema: pa.Schema = schema) -> None:
            rogue.read_well()
            rogue.hear()
            rogue.say({"schema": pack_schema(schema), "scan": wanted})

        with taken_over(script) as asker, pytest.raises(PrivetError):
            list(asked(asker, []).batches)


def test_a_flood_of_reads_is_bounded() -> None:
    """However many streams it wants, the server makes so many threads, and ends it."""
    most = 0

    def script(rogue: Rogue) -> None:
        nonlocal most
        rogue.read_well()
        rogue.hear()
        kept: list[int] = []
        for _ in range(20_000):
            rogue.feeds.send({"read": {"dataset": 0, "columns": [0], "where": []}})
            _, files = rogue.feeds.receive(files=1)
            kept += files
            most = max(most, threading.active_count())
            if len(kept) > 100:
                os.close(kept.pop(0))

    with taken_over(script) as asker, pytest.raises(PrivetError):
        asked(asker, [])
    assert most < 1_200


BATCH = ROWS.to_batches()[0]


def streams() -> dict[str, tuple[pa.Schema, pa.RecordBatch]]:
    """Announced schemas, and batches that do not hold what they say."""
    offsets = pa.array([0, 2**30, 5], pa.int32()).buffers()[1]
    text = pa.StringArray.from_buffers(2, offsets, pa.py_buffer(b"short"))
    indices = pa.array([0, 99], pa.int32())
    outside = pa.DictionaryArray.from_arrays(indices, pa.array(["a"]), safe=False)
    bad = pa.array([b"\xff\xfe"], pa.binary()).cast(pa.binary())
    not_text = pa.StringArray.from_buffers(1, bad.buffers()[1], bad.buffers()[2])
    made = {"offsets": text, "dictionary": outside, "utf8": not_text}
    found = {
        name: (pa.schema([pa.field("a", array.type)]), pa.record_batch({"a": array}))
        for name, array in made.items()
    }
    other = pa.schema([pa.field("id", pa.string())])
    return {**found, "another schema": (other, BATCH)}


@pytest.mark.parametrize("what", ["offsets", "dictionary", "utf8", "another schema"])
def test_answers_that_are_not_arrow(what: str) -> None:
    """What would make a reader look outside of its memory does not pass."""
    schema, batch = streams()[what]

    def script(rogue: Rogue) -> None:
        rogue.read_well()
        rogue.answer(schema, batch)
        rogue.say({"done": 1})

    with taken_over(script) as asker, pytest.raises(PrivetError):
        list(asked(asker, []).batches)


ENDS: tuple[Any, ...] = ({}, {"done": 0, "fault": {"code": "internal"}}, {"schema": 1}, [], None)


@pytest.mark.parametrize("end", ENDS, ids=str)
def test_answers_without_a_good_end(end: Any) -> None:
    """A whole stream alone is no whole answer."""

    def script(rogue: Rogue) -> None:
        rogue.read_well()
        rogue.answer(SCHEMA, BATCH)
        rogue.say(end)

    with taken_over(script) as asker, pytest.raises(PrivetError):
        list(asked(asker, []).batches)


def test_bytes_that_are_no_stream() -> None:
    """Garbage, and a stream that breaks off."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, SCHEMA) as writer:
        writer.write_batch(BATCH)
    whole = sink.getvalue().to_pybytes()
    for data in (b"", b"\x00" * 64, b"x" * 999, whole[:40], whole[:-9], whole[::-1], b"\xff" * 64):

        def script(rogue: Rogue, data: bytes = data) -> None:
            rogue.read_well()
            rogue.hear()
            rogue.say({"schema": pack_schema(SCHEMA)})
            rogue.results.sendall(data)
            rogue.results.shutdown(1)
            rogue.say({"done": 3})

        with taken_over(script) as asker, pytest.raises(PrivetError):
            list(asked(asker, []).batches)


@pytest.mark.parametrize("codec", ["zstd", "lz4"])
def test_an_answer_that_grows(codec: str) -> None:
    """A few kilobytes do not become gigabytes of the server's memory."""
    huge = pa.record_batch({"a": pa.array([0] * 60_000_000, pa.int64())})
    schema = huge.schema
    before = memory_of(os.getpid())
    grown: list[int] = []

    def script(rogue: Rogue) -> None:
        rogue.read_well()
        options = pa.ipc.IpcWriteOptions(compression=codec)
        rogue.answer(schema, huge, options=options)
        rogue.say({"done": 1})

    with taken_over(script) as asker:
        answer = asked(asker, [])
        with pytest.raises(PrivetError):
            grown.extend(batch.nbytes for batch in answer.batches)
    assert grown == []
    assert memory_of(os.getpid()) - before < 2**30


@pytest.mark.parametrize(
    "told", [{}, {"schema": 5}, {"schema": "x"}, {"schema": ""}, {"schema": "AAAA"}]
)
def test_schemas_that_are_none(told: Any) -> None:
    """Neither described nor answered."""
    ways: tuple[Callable[[Asker], object], ...] = (
        lambda asker: asked(asker, []),
        lambda asker: (asker.read(REQUEST), asker.describe({NAME: SCHEMA}, OWN)),
    )
    for way in ways:

        def script(rogue: Rogue) -> None:
            rogue.read_well()
            rogue.hear()
            rogue.say(told)

        with taken_over(script) as asker, pytest.raises(PrivetError):
            way(asker)


PLANS: tuple[Any, ...] = (
    *({}, {"plan": 5}, {"plan": [5]}, {"plan": [{}]}, {"plan": [{"name": ["db", "t"]}]}),
    {"plan": [{"name": ["db"], "columns": [], "where": []}]},
    {"plan": [{"name": ["db", "other"], "columns": ["x"], "where": []}]},
    {"plan": [{"name": ["db", "t"], "columns": ["phone"], "where": []}]},
)


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: str(plan)[:60])
def test_plans_that_are_none(plan: Any) -> None:
    """An explanation names what the sandbox was told of, and nothing else."""

    def script(rogue: Rogue) -> None:
        rogue.read_well()
        rogue.hear()
        rogue.say(plan)

    with taken_over(script) as asker:
        asker.read(QueryRequest("EXPLAIN SELECT * FROM db.t"))
        with pytest.raises(PrivetError):
            asker.explain({NAME: SCHEMA}, OWN)
