"""Avro, ORC and Arrow IPC as pieces: every value in its place, or an error that tells none."""

from __future__ import annotations

import datetime as dt
import io
import random
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import fastavro
import polars as pl
import psutil
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import orc

from enforcement.plans import column, dataset
from privet.model.datasets import Column, Dataset, Format
from privet.model.errors import SchemaChanged, SourceInvalid, SourceUnavailable
from privet.scan.formats import arrow_ipc, governable
from privet.scan.formats.avro import container
from privet.scan.formats.avro import source as avro_source
from scan.sources import engine_over, failure, rows_of, scan, tell_nothing
from scan.writing import write_arrow, write_avro, write_stream

SECRET = "hidden-cell-4711"
FORMS: dict[str, tuple[Format, Callable[[pa.Table, Path], None]]] = {
    "avro": (Format.AVRO, write_avro),
    "orc": (Format.ORC, orc.write_table),
    "arrow": (Format.ARROW, write_arrow),
    "stream": (Format.ARROW, write_stream),
}
INNER = pa.struct([("city", pa.string()), ("no", pa.list_(pa.int32()))])
SCHEMA = pa.schema(
    [
        ("id", pa.int64()),
        ("at", INNER),
        ("word", pa.string()),
        ("raw", pa.binary()),
        ("day", pa.date32()),
        ("price", pa.decimal128(12, 2)),
        ("on", pa.bool_()),
        ("x", pa.float64()),
    ]
)


def rows(count: int) -> pa.Table:
    """A table in which every fifth cell is NULL."""

    def or_none(at: int, value: Any) -> Any:
        return None if at % 5 == 0 else value

    made = [
        {
            "id": i,
            "at": or_none(i + 1, {"city": f"c{i}", "no": or_none(i, [i, None])}),
            "word": or_none(i + 2, SECRET),
            "raw": or_none(i + 3, bytes([i % 256])),
            "day": or_none(i + 4, dt.date(2024, 1, 1) + dt.timedelta(i % 400)),
            "price": or_none(i, Decimal(i) / 4),
            "on": or_none(i + 1, i % 2 == 0),
            "x": or_none(i + 2, i / 8),
        }
        for i in range(count)
    ]
    return pa.Table.from_pylist(made, SCHEMA)


def files_of(folder: Path, form: str, *columns: Column) -> Dataset:
    """The files of a folder, with these columns or all."""
    kind, _ = FORMS[form]
    held = columns or tuple(column(f.name, f.type) for f in SCHEMA)
    return dataset(*held, uri=f"file://{folder.resolve()}", kind=kind)


@pytest.mark.parametrize("form", FORMS)
def test_cells_are_what_was_written(tmp_path: Path, form: str) -> None:
    """Of all types, in several files, and with few columns, a filter or a limit too."""
    table = rows(3000)
    for name, part in (("a", range(1000)), ("b", range(1000, 3000))):
        # Arrow's writer of ORC puts other cells into slices of structs.
        FORMS[form][1](table.take(list(part)), tmp_path / f"{name}.bin")
    data = files_of(tmp_path, form)
    with engine_over(tmp_path) as engine:
        assert scan(engine, data).to_pylist() == table.to_pylist()
        few = scan(engine, data, "GRANT SELECT ON TABLE db.t WHERE id % 7 = 0", columns=("x", "at"))
        assert few.to_pylist() == [
            {"x": r["x"], "at": r["at"]} for r in table.to_pylist() if r["id"] % 7 == 0
        ]
        assert scan(engine, data, limit=7)["id"].to_pylist() == list(range(7))


@pytest.mark.parametrize("form", FORMS)
def test_columns_that_are_not_wanted(tmp_path: Path, form: str) -> None:
    """Are left out; fields that appeared inside a column too; one that is gone is an error."""
    FORMS[form][1](rows(10), tmp_path / "a.bin")
    narrow = pa.struct([("city", pa.string())])
    with engine_over(tmp_path) as engine:
        out = scan(engine, files_of(tmp_path, form, column("at", narrow)))
        assert out["at"].to_pylist()[1] == {"city": "c1"}
        for gone in (column("none", pa.int64()), column("word", pa.int64())):
            error = failure(engine, files_of(tmp_path, form, gone))
            assert isinstance(error, SchemaChanged)


@pytest.mark.parametrize("form", FORMS)
def test_rows_are_counted_without_a_column(tmp_path: Path, form: str) -> None:
    """Where only a partition is asked for."""
    folder = tmp_path / "k=1"
    folder.mkdir()
    FORMS[form][1](rows(3000), folder / "a.bin")
    columns = (column("id", pa.int64()), column("k", pa.int64(), partition=True))
    with engine_over(tmp_path) as engine:
        out = scan(engine, files_of(tmp_path, form, *columns), columns=("k",))
    assert out["k"].to_pylist() == [1] * 3000


@pytest.mark.parametrize("form", FORMS)
def test_no_rows(tmp_path: Path, form: str) -> None:
    """Are no rows."""
    FORMS[form][1](rows(0), tmp_path / "a.bin")
    with engine_over(tmp_path) as engine:
        assert scan(engine, files_of(tmp_path, form)).num_rows == 0


@pytest.mark.parametrize("form", FORMS)
def test_broken_files(tmp_path: Path, form: str) -> None:
    """Cut off, changed anywhere, or another thing: rows as written, or an error without a cell."""
    FORMS[form][1](rows(400), tmp_path / "a.bin")
    whole = (tmp_path / "a.bin").read_bytes()
    chance = random.Random(4711)
    cut = [whole[: int(len(whole) * part)] for part in (0.1, 0.5, 0.9)]
    cut.append(whole[:-1])
    changed: list[bytes] = [b"\0" * 100, b"id,word\n1,x\n", whole[:8] + b"\xff" * 40]
    # A process for each file of ORC takes its time.
    for _ in range(6 if form == "orc" else 60):
        bad = bytearray(whole)
        for _ in range(chance.choice((1, 4))):
            bad[chance.randrange(len(bad))] = chance.randrange(256)
        changed.append(bytes(bad))
    data = files_of(tmp_path, form)
    failed = 0
    with engine_over(tmp_path) as engine:
        for content in (*cut, *changed):
            (tmp_path / "a.bin").write_bytes(content)
            try:
                scan(engine, data)
            except (SourceInvalid, SourceUnavailable, SchemaChanged) as error:
                tell_nothing(error, tmp_path, SECRET)
                failed += 1
    assert failed > len(cut)


def test_files_of_other_writers(tmp_path: Path) -> None:
    """Polars writes what is read here."""
    table = rows(50).select(["id", "word", "x"])
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    frame.write_ipc(tmp_path / "a.bin", compression="lz4")
    frame.write_ipc_stream(tmp_path / "b.bin")
    columns = tuple(column(f.name, f.type) for f in table.schema)
    with engine_over(tmp_path) as engine:
        got = scan(engine, files_of(tmp_path, "arrow", *columns))
    assert rows_of(got) == rows_of(table) * 2
    avro = tmp_path / "avro"
    avro.mkdir()
    for number, codec in enumerate(("uncompressed", "deflate", "snappy")):
        frame.write_avro(avro / f"{number}.bin", compression=codec)
    with engine_over(avro) as engine:
        got = scan(engine, files_of(avro, "avro", *columns))
    assert rows_of(got) == rows_of(table) * 3


# ---- ORC


def test_a_reader_that_dies(tmp_path: Path) -> None:
    """Takes the scan with it, and nothing else: Arrow's reader ends where a decimal has 99 digits.

    The next file is read as ever.
    """
    table = pa.table({"price": pa.array([Decimal("1.25")], pa.decimal128(33, 2))})
    orc.write_table(table, tmp_path / "a.bin")
    whole = (tmp_path / "a.bin").read_bytes()
    digits = b"\x28\x21"  # the field of the precision, and 33
    assert whole.count(digits) == 1
    (tmp_path / "a.bin").write_bytes(whole.replace(digits, b"\x28\x63"))
    data = files_of(tmp_path, "orc", column("price", pa.decimal128(33, 2)))
    with engine_over(tmp_path) as engine:
        assert isinstance(failure(engine, data), SourceInvalid)
        (tmp_path / "a.bin").write_bytes(whole)
        assert scan(engine, data).num_rows == 1


def test_a_scan_that_is_left_ends_its_process(tmp_path: Path) -> None:
    """No process of it stays, whether it was read to its end or not."""
    orc.write_table(rows(200_000).select(["id"]), tmp_path / "a.bin")
    me = psutil.Process()
    before = {child.pid for child in me.children()}
    with engine_over(tmp_path) as engine:
        data = files_of(tmp_path, "orc", column("id", pa.int64()))
        assert scan(engine, data, limit=3).num_rows == 3
        assert scan(engine, data).num_rows == 200_000
    assert {child.pid for child in me.children()} <= before


# ---- Avro


def avro_of(folder: Path, schema: Any, records: list[Any], **options: Any) -> pa.Table:
    """What is read of records, whatever the columns."""
    with (folder / "a.avro").open("wb") as file:
        fastavro.writer(file, schema, records, **options)
    with pa.OSFile(str(folder / "a.avro")) as native:
        opened = avro_source.AvroFile(native)
        batches = [b for p in opened.pieces(opened.schema.names) for b in p.load()]
        return pa.Table.from_batches(batches, opened.schema)


def record(*fields: tuple[str, Any], name: str = "r") -> dict[str, Any]:
    """A schema of records."""
    return {"type": "record", "name": name, "fields": [{"name": n, "type": t} for n, t in fields]}


ENUM = {"type": "enum", "name": "E", "symbols": ["A", "B"]}


@pytest.mark.parametrize(
    ("schema", "kind", "given_as", "read"),
    [
        (ENUM, "string", "B", "B"),
        (["null", ENUM], "string", "B", "B"),
        (["int", "long"], "int64", 7, 7),
        (["int", "double"], "double", 7, 7.0),
        (["string", "null"], "string", None, None),
        (["null"], "null", None, None),
        ({"type": "fixed", "name": "F", "size": 2}, "fixed_size_binary[2]", b"ab", b"ab"),
        ({"type": "map", "values": ["null", "long"]}, "map<string, int64>", {"k": 1}, [("k", 1)]),
        ({"type": "long", "logicalType": "unheard-of"}, "int64", 7, 7),
        ({"type": "int", "logicalType": "date"}, "date32[day]", -800_000, None),
        ({"type": "string", "logicalType": "uuid"}, "string", "x", "x"),
        (
            {"type": "long", "logicalType": "timestamp-millis"},
            "timestamp[ms, tz=UTC]",
            1,
            dt.datetime(1970, 1, 1, 0, 0, 0, 1000, dt.UTC),
        ),
        (
            {"type": "bytes", "logicalType": "decimal", "precision": 50, "scale": 1},
            "decimal256(50, 1)",
            Decimal("1.5"),
            Decimal("1.5"),
        ),
    ],
)
def test_avro_types(tmp_path: Path, schema: Any, kind: str, given_as: Any, read: Any) -> None:
    """Each has one type here; a logical type that is not known is what it is made of."""
    plain = schema
    if isinstance(schema, dict) and schema.get("logicalType") in {"date", "timestamp-millis"}:
        plain = schema["type"]
    table = avro_of(tmp_path, record(("x", plain)), [{"x": given_as}])
    if plain != schema:
        content = (tmp_path / "a.avro").read_bytes()
        held = avro_source.AvroFile(pa.BufferReader(content))
        bound, _ = avro_source.fields_of(record(("x", schema)))
        assert str(bound["x"].kind) == kind
        assert held.schema.names == ["x"]
        if read is not None:
            assert pa.array([given_as], bound["x"].kind).to_pylist() == [read]
        return
    assert str(table.schema.field("x").type) == kind
    assert table["x"].to_pylist() == [read]


def test_a_union_of_unlike_types(tmp_path: Path) -> None:
    """Is a struct of which one field has the value: nothing of it is lost, and tags can be put."""
    inner = record(("z", "int"), name="ns.Q")
    schema = record(("x", ["null", "string", "long", inner, ENUM, {"type": "array", "items": "Q"}]))
    schema["namespace"] = "ns"
    values = [None, "s", 5, {"z": 1}, ("ns.E", "A"), [{"z": 2}]]
    table = avro_of(tmp_path, schema, [{"x": v} for v in values])
    found = [
        None if v is None else {k: each for k, each in v.items() if each is not None}
        for v in table["x"].to_pylist()
    ]
    assert found == [
        None,
        {"string": "s"},
        {"long": 5},
        {"Q": {"z": 1}},
        {"E": "A"},
        {"array": [{"z": 2}]},
    ]


@pytest.mark.parametrize(
    "schema",
    [
        "string",
        ["null", "string"],
        {"type": "array", "items": "int"},
        record(("x", "null")),
        record(),
        record(("x", {"type": "array", "items": "null"})),
        record(("x", {"type": "array", "items": record(name="empty")})),
        record(("x", {"type": "array", "items": {"type": "fixed", "name": "F", "size": 0}})),
        record(("x", ["null", "r"])),
        record(("x", record(("y", {"type": "array", "items": "r"}), name="s"))),
        record(("x", "unheard_of")),
    ],
)
def test_avro_that_cannot_be_columns(schema: Any) -> None:
    """Schemas of other things, of nothing, or within themselves, are refused before any record."""
    with pytest.raises(SourceInvalid):
        avro_source.fields_of(schema)


def bomb(codec: str, data: bytes, count: int) -> bytes:
    """A container with one block that becomes `data`."""
    out = io.BytesIO()
    schema = record(("x", "string"))
    fastavro.writer(out, schema, [], codec=codec)
    head = out.getvalue()
    import zlib

    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(data) + packer.flush()
    number = container._text_of
    return head + number(count) + number(len(packed)) + packed + head[-16:]


def test_a_block_that_becomes_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is not unpacked to its end."""
    monkeypatch.setattr(container, "LARGEST", 1 << 20)
    (tmp_path / "a.avro").write_bytes(bomb("deflate", b"\0" * 50_000_000, 50_000_000))
    with engine_over(tmp_path) as engine:
        error = failure(engine, files_of(tmp_path, "avro", column("x", pa.string())))
    assert "more than can be held" in error.message


@pytest.mark.parametrize("count", [1, 3, 10**9, 2**62])
def test_a_block_that_lies_about_its_rows(tmp_path: Path, count: int) -> None:
    """Gives an error, or the rows that are there; it is not believed."""
    (tmp_path / "a.avro").write_bytes(bomb("deflate", b"\x02a\x02b", count))
    with engine_over(tmp_path) as engine:
        data = files_of(tmp_path, "avro", column("x", pa.string()))
        if count == 1:
            assert scan(engine, data)["x"].to_pylist() == ["a"]
        else:
            assert isinstance(failure(engine, data), SourceInvalid)


_VALUE = st.none() | st.text() | st.integers(-(2**63), 2**63 - 1) | st.lists(st.text())


@settings(deadline=None, max_examples=40)
@given(values=st.lists(_VALUE, min_size=1), codec=st.sampled_from(["null", "deflate", "xz"]))
def test_any_values_in_avro(
    tmp_path_factory: pytest.TempPathFactory, values: list[Any], codec: str
) -> None:
    """What fastavro wrote is read, in any branch of a union and any codec."""
    folder = tmp_path_factory.mktemp("avro")
    kinds = ["null", "string", "long", {"type": "array", "items": "string"}]
    out = avro_of(
        folder, record(("x", kinds)), [{"x": v} for v in values], codec=codec, sync_interval=50
    )
    found = [
        None if v is None else next((e for e in v.values() if e is not None), None)
        for v in out["x"].to_pylist()
    ]
    assert found == values


# ---- Arrow IPC


def test_dictionaries_come_out_plain(tmp_path: Path) -> None:
    """Also where they are replaced between batches, and no word of another row with them."""
    kind = pa.dictionary(pa.int32(), pa.string())
    schema = pa.schema([("id", pa.int64()), ("word", kind)])
    with pa.ipc.new_stream(tmp_path / "a.arrows", schema) as writer:
        for words in (["a", SECRET], ["b", SECRET], ["a", "b"]):
            array = pa.array(words).dictionary_encode()
            writer.write_batch(pa.RecordBatch.from_arrays([pa.array([1, 2]), array], schema=schema))
    columns = (column("id", pa.int64()), column("word", kind))
    grant = "GRANT SELECT ON TABLE db.t WHERE id = 1"
    with engine_over(tmp_path) as engine:
        out = scan(engine, files_of(tmp_path, "stream", *columns), grant)
    assert out.schema.field("word").type == pa.string()
    assert out["word"].to_pylist() == ["a", "b", "a"]


@pytest.mark.parametrize("codec", ["lz4", "zstd"])
def test_a_batch_that_becomes_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, codec: str
) -> None:
    """Is refused before it is unpacked, by what its buffers say."""
    monkeypatch.setattr(arrow_ipc, "LARGEST", 1 << 20)
    table = pa.table({"id": pa.array([0] * 5_000_000, pa.int64())})
    options = pa.ipc.IpcWriteOptions(compression=codec)
    with pa.ipc.new_file(tmp_path / "a.arrow", table.schema, options=options) as writer:
        writer.write_table(table)
    with engine_over(tmp_path) as engine:
        error = failure(engine, files_of(tmp_path, "arrow", column("id", pa.int64())))
    assert "more than can be held" in error.message


def test_offsets_that_point_elsewhere(tmp_path: Path) -> None:
    """Are found before a cell is looked at: what lies there in memory is nobody's."""
    batch = pa.record_batch({"word": ["abc" * 7]})
    with pa.ipc.new_stream(tmp_path / "a.arrows", batch.schema) as writer:
        writer.write_batch(batch)
    content = (tmp_path / "a.arrows").read_bytes()
    offsets = (0).to_bytes(4, "little") + (21).to_bytes(4, "little")
    place = content.rindex(offsets)
    lying = content[: place + 4] + (1 << 20).to_bytes(4, "little") + content[place + 8 :]
    (tmp_path / "a.arrows").write_bytes(lying)
    with engine_over(tmp_path) as engine:
        error = failure(engine, files_of(tmp_path, "stream", column("word", pa.string())))
    assert isinstance(error, SourceInvalid)


def test_text_that_is_none(tmp_path: Path) -> None:
    """Is an error that does not show it."""
    raw = pa.array([b"\xff\xfe hidden-cell-4711"], pa.binary())
    word = pa.Array.from_buffers(pa.string(), 1, raw.buffers())
    batch = pa.RecordBatch.from_arrays([word], names=["word"])
    with pa.ipc.new_stream(tmp_path / "a.arrows", batch.schema) as writer:
        writer.write_batch(batch)
    with engine_over(tmp_path) as engine:
        error = failure(engine, files_of(tmp_path, "stream", column("word", pa.string())))
    tell_nothing(error, tmp_path, SECRET)


@pytest.mark.parametrize(
    ("kind", "can"),
    [
        (pa.int64(), True),
        (pa.dictionary(pa.int8(), pa.large_string()), True),
        (pa.list_(pa.struct([("a", pa.map_(pa.string(), pa.date32()))])), True),
        (pa.decimal256(60, 2), True),
        (pa.dense_union([pa.field("a", pa.int64())]), False),
        (pa.list_(pa.sparse_union([pa.field("a", pa.int64())])), False),
        (pa.run_end_encoded(pa.int32(), pa.int64()), False),
        (pa.month_day_nano_interval(), False),
        (pa.list_view(pa.int64()), False),
        (pa.struct([]), False),
        (pa.struct([("a", pa.int64()), ("a", pa.int64())]), False),
    ],
)
def test_types_that_can_be_governed(kind: pa.DataType, *, can: bool) -> None:
    """Others are refused at the crawl."""
    assert governable(kind) is can
