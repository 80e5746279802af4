"""However the blocks of a CSV file fall, its cells are those that Python's csv module reads."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import string
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privet.model.datasets import Column
from privet.scan import csv_blocks, csv_source
from scan.sources import csv_of, engine_over, rows_of, scan, texts

BLOCKS = (1, 2, 3, 5, 7, 16, 64)
Rows = Sequence[Sequence[str]]


@contextmanager
def blocks_of(size: int, head: int) -> Iterator[Path]:
    """A folder whose files are cut into blocks of `size` bytes, behind the first `head` bytes."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as name:
        patch.setattr(csv_blocks, "BLOCK_BYTES", size)
        patch.setattr(csv_blocks, "FIRST_BYTES", head)
        # Arrow's own streaming reader needs room for a record.
        patch.setattr(csv_source, "BLOCK_BYTES", max(size, 256))
        yield Path(name)


def first_record(content: str, delimiter: str = ",", quote: str = '"') -> int:
    """The bytes of the first record with its end, in UTF-8 and with a byte order mark's room."""
    lines = io.StringIO(content, newline="").readlines()
    reader = csv.reader(lines, delimiter=delimiter, quotechar=quote)
    next(reader, None)
    return len("".join(lines[: reader.line_num]).encode()) + 3


def read(
    content: str,
    names: Sequence[str],
    block: int,
    raw: bytes | None = None,
    **options: object,
) -> list[tuple[str, ...]]:
    """A scan of one file, `raw` or the content in UTF-8, with blocks of so many bytes."""
    dialect = [
        str(options.get(name) or mark) for name, mark in (("delimiter", ","), ("quote", '"'))
    ]
    with blocks_of(block, first_record(content, *dialect)) as folder:
        (folder / "part.csv").write_bytes(content.encode() if raw is None else raw)
        with engine_over(folder) as engine:
            return rows_of(scan(engine, csv_of(folder, *texts(*names), **options)))


def python_reads(content: str, delimiter: str = ",", quote: str = '"') -> list[tuple[str, ...]]:
    """The records of a text without its empty lines, the header included."""
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=delimiter, quotechar=quote)
    return [tuple(record) for record in reader if record]


CELLS = st.text(alphabet='ab ,;"\n\r\t0éç|', max_size=6)
NAMES = ("one", "two", "three")


def written(rows: Rows, delimiter: str, quote: str, ending: str, quoting: int) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(
        out,
        delimiter=delimiter,
        quotechar=quote,
        lineterminator=ending,
        quoting=quoting,  # type: ignore[arg-type]
    )
    writer.writerows(rows)
    return out.getvalue()


@given(
    rows=st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=8),
    marks=st.tuples(st.sampled_from(",;\t|ç"), st.sampled_from("\"'")),
    ending=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC]),
    block=st.sampled_from(BLOCKS),
    last_newline=st.booleans(),
)
@settings(deadline=None, max_examples=150)
def test_written_by_python(
    rows: Rows,
    marks: tuple[str, str],
    ending: str,
    quoting: int,
    block: int,
    last_newline: bool,
) -> None:
    """What the csv module writes comes back, cell by cell, in every dialect."""
    delimiter, quote = marks
    if quoting == csv.QUOTE_MINIMAL:
        # The module leaves a lone return unquoted, and reads it as the end of a record.
        rows = [[cell.replace("\r", "\n") for cell in row] for row in rows]
    content = written([NAMES, *rows], delimiter, quote, ending, quoting)
    if not last_newline:
        content = content.removesuffix(ending)
    expected = python_reads(content, delimiter, quote)[1:]
    got = read(content, NAMES, block, delimiter=delimiter, quote=quote)
    assert got == expected == [tuple(row) for row in rows]


FIELDS = st.one_of(
    st.text(alphabet="ab 0é", max_size=4),
    st.text(alphabet='ab,\n"', max_size=5).map(lambda t: '"' + t.replace('"', '""') + '"'),
    st.sampled_from(['a"b', 'a"', "a''", '""', '"a""b"', 'x"y"z', '("', '-"-', '"-\n-,z"', '"\n"']),
    st.text(alphabet='a-("', min_size=1, max_size=3).map(lambda t: "(" + t),
)


@given(
    rows=st.lists(st.lists(FIELDS, min_size=2, max_size=2), min_size=1, max_size=8),
    block=st.sampled_from(BLOCKS),
    empty_lines=st.lists(st.integers(0, 8), max_size=3),
    ending=st.sampled_from(["\n", "\r\n"]),
)
@settings(deadline=None, max_examples=150)
def test_stray_quotes_do_not_shift_records(
    rows: Rows, block: int, empty_lines: list[int], ending: str
) -> None:
    """Quotes inside unquoted fields belong to the field, wherever blocks are cut."""
    lines = [",".join(row) for row in rows]
    for at in empty_lines:
        lines.insert(at, "")
    content = "one,two" + ending + ending.join(lines) + ending
    assert read(content, ("one", "two"), block) == python_reads(content)[1:]


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1", "cp1252"]
)
def test_encodings(block: int, encoding: str) -> None:
    """Characters that are cut in the middle of their bytes, with a mark at the beginning or not."""
    content = 'one,two\nä,"é\nü"\n"ß","ö,""ä"""\n'
    expected = [("ä", "é\nü"), ("ß", 'ö,"ä"')]
    registered = "utf-8" if encoding == "utf-8-sig" else encoding
    assert (
        read(content, ("one", "two"), block, content.encode(encoding), encoding=registered)
        == expected
    )


@pytest.mark.parametrize("block", BLOCKS)
def test_compressed(block: int) -> None:
    """Blocks are cut in what was compressed, also where the stream has several members."""
    rows = [(str(i), f'x "{i}",\n') for i in range(200)]
    content = written([("one", "two"), *rows], ",", '"', "\n", csv.QUOTE_MINIMAL)
    parts = (content[:999].encode(), content[999:].encode())
    packed = b"".join(map(gzip.compress, parts))
    assert read(content, ("one", "two"), block, packed, compression="gzip") == rows


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize(
    "content", ["one,two\ra,b\rc,d\r", "one,two\ra,b\rc,d", 'one,two\r"a",b\r\rc,d\r']
)
def test_lone_returns(block: int, content: str) -> None:
    """Files of old machines end their lines with a carriage return alone."""
    assert read(content, ("one", "two"), block) == [("a", "b"), ("c", "d")]


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("order", list(itertools.permutations(NAMES)))
def test_columns_are_bound_by_name(block: int, order: tuple[str, ...]) -> None:
    """A header in another order, with more columns than are registered, shifts nothing."""
    header = ("extra", *order, "last")
    rows = [{name: f"{name} {i}" for name in header} for i in range(9)]
    content = written([header, *(list(r.values()) for r in rows)], ",", '"', "\n", csv.QUOTE_ALL)
    expected = [tuple(r[name] for name in NAMES) for r in rows]
    assert read(content, NAMES, block) == expected


@pytest.mark.parametrize("block", BLOCKS)
def test_headers_over_several_lines(block: int) -> None:
    """A quoted name may hold ends of lines, delimiters and quotes."""
    names = ("a\nb", 'c,"d', "e\r\nf")
    content = written([names, ("1", "2", "3")], ",", '"', "\n", csv.QUOTE_ALL)
    columns = [Column(f"c{i}", pa.string(), name) for i, name in enumerate(names)]
    with blocks_of(block, first_record(content)) as folder:
        (folder / "part.csv").write_bytes(content.encode())
        with engine_over(folder) as engine:
            assert rows_of(scan(engine, csv_of(folder, *columns))) == [("1", "2", "3")]


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("content", ["1,2\n3,4\n", "1,2\n3,4", '1,"2"\n"3",4\n'])
def test_without_header(block: int, content: str) -> None:
    """The first line is data, and columns go by position."""
    assert read(content, ("c1", "c2"), block, header=False) == [("1", "2"), ("3", "4")]


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("content", [b"one,two\n", b"one,two", b"\xef\xbb\xbfone,two\r\n", b""])
def test_no_rows(block: int, content: bytes) -> None:
    """A header alone, and nothing at all beside a file that has rows."""
    with blocks_of(block, 12) as folder:
        (folder / "a.csv").write_bytes(content)
        (folder / "b.csv").write_bytes(b"two,one\nx,y\n")
        with engine_over(folder) as engine:
            assert rows_of(scan(engine, csv_of(folder, *texts("one", "two")))) == [("y", "x")]


@pytest.mark.parametrize("block", BLOCKS)
def test_without_quoting(block: int) -> None:
    """Where a dataset has no quote character, a quote is a character like others."""
    content = 'one,two\n"a,b"\n",c\n'
    assert read(content, ("one", "two"), block, quote="") == [('"a', 'b"'), ('"', "c")]


@given(
    rows=st.lists(st.text(string.ascii_letters + "é ", max_size=30), min_size=1, max_size=40),
    block=st.sampled_from(BLOCKS),
)
@settings(deadline=None, max_examples=50)
def test_one_column(rows: list[str], block: int) -> None:
    """A file without any delimiter; an empty line is no record there, as in Python."""
    content = "word\n" + "\n".join(rows) + "\n"
    assert read(content, ("word",), block) == [(row,) for row in rows if row]
