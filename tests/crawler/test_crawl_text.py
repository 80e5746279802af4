"""What a crawl makes of CSV: dialects, encodings, headers, types, and broken files."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from privet.connector import Connectors
from privet.crawler import crawl
from privet.model.crawling.crawls import FoundDataset


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def look(folder: Path, *files: str | bytes) -> FoundDataset:
    """Crawl a folder of these CSV files."""
    for number, content in enumerate(files):
        data = content if isinstance(content, bytes) else content.encode()
        (folder / f"{number}.csv").write_bytes(data)
    (found,) = crawl(Connectors([folder]), str(folder), ())
    return found


def types(found: FoundDataset) -> dict[str, str]:
    return {column.source_name: str(column.type) for column in found.columns}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("quote", ['"', "'"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_dialects(folder: Path, delimiter: str, quote: str, newline: str) -> None:
    """Quoted delimiters, quotes and line ends do not confuse."""
    rows = [["n", "text"], ["1", "a,b;c|d\te"], ["2", "it is"], ["3", f"say {quote}{quote}x"]]
    text = newline.join(delimiter.join((n, f"{quote}{t}{quote}")) for n, t in rows) + newline
    found = look(folder, text)
    assert found.problem == ""
    assert types(found) == {"n": "int64", "text": "string"}
    assert (found.source.options["delimiter"], found.source.options["quote"]) == (delimiter, quote)


@pytest.mark.parametrize("letter", ["ç", "þ"])
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_letters_delimit_where_nothing_else_does(folder: Path, letter: str, encoding: str) -> None:
    """All records have it equally often; else it is a letter."""
    found = look(folder, f"n{letter}word\n1{letter}a\n2{letter}b\n".encode(encoding))
    assert found.source.options["delimiter"] == letter
    assert types(found) == {"n": "int64", "word": "string"}


@pytest.mark.parametrize("text", ["mot\ngarçon\nfille\n", "a,b\nç,1\nç,2\n", "ça\nçb\ncc\n"])
def test_letters_are_letters_elsewhere(folder: Path, text: str) -> None:
    """In words, beside a delimiter, and where some records have none."""
    assert look(folder, text).source.options["delimiter"] == ","


def test_decimal_commas_leave_the_semicolon(folder: Path) -> None:
    """Where both split evenly, the semicolon is the delimiter."""
    found = look(folder, "a;b\n1,5;2,5\n3,5;4,5\n")
    assert found.source.options["delimiter"] == ";"
    assert types(found) == {"a": "string", "b": "string"}


def test_prose_in_a_column_is_no_delimiter(folder: Path) -> None:
    """Commas in some cells do not split the rows."""
    found = look(folder, "id;remark\n1;well, yes\n2;no\n3;a, b, c\n")
    assert found.source.options["delimiter"] == ";"


def test_quoted_newlines_are_noticed(folder: Path) -> None:
    """They are part of a cell, and no broken record."""
    found = look(folder, 'id,text\n1,"two\nlines"\n2,one\n')
    assert found.source.options["multiline"] is True
    assert found.notes == ()
    assert types(found) == {"id": "int64", "text": "string"}


@pytest.mark.parametrize(
    ("data", "encoding", "note"),
    [
        ("näme,n\nü,1\n".encode(), "utf-8", False),
        (b"\xef\xbb\xbf" + "näme,n\nü,1\n".encode(), "utf-8", False),
        ("näme,n\nü,1\n".encode("utf-16"), "utf-16", False),
        (b"\xfe\xff" + "näme,n\nü,1\n".encode("utf-16-be"), "utf-16", False),
        ("näme,n\nü €,1\n".encode("cp1252"), "cp1252", True),
        ("näme,n\nü\x81,1\n".encode("latin-1"), "latin-1", True),
    ],
)
def test_encodings(folder: Path, data: bytes, encoding: str, note: bool) -> None:
    """Marks and valid UTF-8 decide; what is neither is read, with a note."""
    found = look(folder, data)
    assert found.problem == ""
    assert found.source.options["encoding"] == encoding
    assert types(found) == {"näme": "string", "n": "int64"}
    assert [c.name for c in found.columns] == ["n_me", "n"]
    assert bool(found.notes) is note


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "-2", "0"], "int64"),
        (["1", "", "NA"], "int64"),
        (["1", "2.5"], "double"),
        (["1e+05", "2.5"], "double"),
        (["0.5", "-0.5", "0"], "double"),
        (["true", "False"], "bool"),
        (["2024-01-31", "2024-02-01"], "date32[day]"),
        (["2024-01-31 10:00:00", "2024-02-01"], "timestamp[us]"),
        (["2024-01-31T10:00:00.123456"], "timestamp[us]"),
        (["2024-01-31T10:00:00.123456789"], "timestamp[ns]"),
        (["2024-01-31T10:00:00Z"], "timestamp[us, tz=UTC]"),
        (["01234", "94105"], "string"),
        (["007"], "string"),
        (["-01"], "string"),
        (["00.5", "1.5"], "string"),
        (["+15551234567", "+442079460958"], "string"),
        (["+1.5"], "string"),
        (["0x1F"], "string"),
        (["12345678901234567890", "1"], "string"),
        (["1234567890123456", "0.5"], "string"),
        (["12:30", "13:00"], "string"),
        (["1", "2", "x"], "string"),
        (["true", "2"], "string"),
        (["2024-01-31", "31.01.2024"], "string"),
        (["", ""], "string"),
        (["1,5", "2,5"], "string"),
        (["$5", "$6"], "string"),
    ],
)
def test_types_are_only_those_that_keep_every_digit(
    folder: Path, cells: list[str], kind: str
) -> None:
    """A code with leading zeroes or a plus is text, and so is whatever is mixed."""
    rows = "".join(f'{n},"{cell}"\n' for n, cell in enumerate(cells))
    assert types(look(folder, "k,c\n" + rows)) == {"k": "int64", "c": kind}


@pytest.mark.parametrize(
    ("text", "names", "header"),
    [
        ("id,name\n1,ada\n", ["id", "name"], True),
        ("1,ada\n2,bob\n", ["c1", "c2"], False),
        ("first,last\nada,lovelace\n", ["first", "last"], True),
        ("yes,no\nno,no\nyes,yes\n", ["c1", "c2"], False),
        ("a@b.org,x\nc@d.org,y\n", ["c1", "c2"], False),
        ("id,name\n", ["id", "name"], True),
        ("word\n", ["word"], True),
        (",a\n0,x\n1,y\n", ["", "a"], True),
        ("a,b,\n1,2,\n3,4,\n", ["a", "b", ""], True),
        ("2024-01-01,x\n2024-01-02,y\n", ["c1", "c2"], False),
    ],
)
def test_headers(folder: Path, text: str, names: list[str], header: bool) -> None:
    """A first record of names is told from one of values."""
    found = look(folder, text)
    assert found.problem == ""
    assert [column.source_name for column in found.columns] == names
    assert found.source.options["header"] is header


def test_odd_names_are_folded_and_told_apart(folder: Path) -> None:
    """Every column gets an identifier of its own and keeps its source's name."""
    found = look(folder, f"Näme (x),A,a,A_2,,数据,{'L' * 200}\n1,2,3,4,5,6,7\n")
    assert [column.name for column in found.columns] == [
        "n_me__x_",
        "a",
        "a_3",
        "a_2",
        "column_5",
        "column_6",
        "l" * 128,
    ]
    assert found.columns[0].source_name == "Näme (x)"


@pytest.mark.parametrize("text", ["a,b,a\n1,2,3\n", "id,x,x\np,q,r\n", ",,\n1,2,3\n"])
def test_a_name_that_occurs_twice_is_a_problem(folder: Path, text: str) -> None:
    """Columns are bound by name, so a repeated name cannot be registered."""
    found = look(folder, text)
    if text.startswith(","):
        assert found.source.options["header"] is False
    else:
        assert found.problem.startswith("duplicate column name")


@pytest.mark.parametrize("text", ["", "\n\n", "  \n", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_files_of_nothing_are_empty(folder: Path, text: str | bytes) -> None:
    """Blank lines and byte order marks are nothing."""
    assert look(folder, text).problem == "is empty"


def test_a_header_alone_can_be_registered(folder: Path) -> None:
    """A table without rows is a table; its columns are text."""
    found = look(folder, "id,name\n")
    assert found.problem == ""
    assert types(found) == {"id": "string", "name": "string"}
    assert "no rows" in found.notes[0]


def test_a_few_broken_records_are_noted_with_their_lines(folder: Path) -> None:
    """Lines, not records: newlines inside quotes count."""
    rows = [f"{n},x" for n in range(20)]
    rows[3] = "3,x,y"
    rows[5] = '5,"two\nlines"'
    rows[9] = "9"
    found = look(folder, "id,t\n" + "\n".join(rows) + "\n")
    assert found.problem == ""
    (note,) = found.notes
    assert note.startswith("2 of 21 records do not have 2 fields, see line 5, 12:")
    assert types(found) == {"id": "int64", "t": "string"}


@pytest.mark.parametrize(
    "text",
    ["a,b\n1,2,3\n1\n1,2\n4,5,6,7\n", "title of the report\na,b,c\n1,2,3\n4,5,6\n7,8,9\n"],
)
def test_many_broken_records_are_a_problem(folder: Path, text: str) -> None:
    """A file that is no table is not taken for one."""
    problem = look(folder, text).problem
    assert "records do not have" in problem
    assert "line" in problem


def test_a_quote_that_is_never_closed_ends_in_words(folder: Path) -> None:
    """It swallows the file, and the crawl says so."""
    found = look(folder, 'a,b\n1,"x\n' + "2,y\n" * 50_000)
    assert found.problem


def test_a_line_without_end_is_a_problem(folder: Path) -> None:
    """A sample must hold a whole line."""
    assert "too long" in look(folder, "x" * (2 << 20)).problem


def test_a_leading_empty_line_is_a_problem(folder: Path) -> None:
    """A scan takes the header from the first record."""
    assert "empty line" in look(folder, "\na,b\n1,2\n").problem


def test_only_the_beginning_is_looked_at(folder: Path) -> None:
    """Cut after a whole line, however long the file."""
    found = look(folder, "id,text\n" + "".join(f'{n},"a\nb"\n' for n in range(200_000)) + "x,y\n")
    assert (found.problem, found.notes) == ("", ())
    assert types(found) == {"id": "int64", "text": "string"}


def test_several_files_are_one_table(folder: Path) -> None:
    """Columns in any order; types widened to what fits all; the encoding that fits all."""
    found = look(
        folder,
        "a,b,c,d\n1,2,2024-01-01,\n",
        "b,a,d,c\n1.5,01,x,2024-01-01 10:00:00\n",
        "a,b,c,d\n2,3,2024-01-01,ü\n".encode("cp1252"),
    )
    assert found.problem == ""
    assert types(found) == {"a": "string", "b": "double", "c": "timestamp[us]", "d": "string"}
    assert found.source.options["encoding"] == "cp1252"


@pytest.mark.parametrize(
    ("second", "says"),
    [
        ("a\n1\n", "records do not have 2 fields"),
        ("a,c\n1,2\n", "lacks `b`"),
        ("Ada,Secret\nx,y\n", "lacks `a`"),
        ("a;b\n1;2\n", "records do not have 2 fields"),
        ("a,ü\n1,2\n".encode("utf-16"), "lacks `b`"),
        ("a,b\n1,ü\n".encode("utf-16"), "conflicting encodings"),
    ],
)
def test_conflicting_files_are_a_problem_that_names_no_cell(
    folder: Path, second: str | bytes, says: str
) -> None:
    """Without a header, the names of a file would be cells."""
    problem = look(folder, "a,b\n1,é\n", second).problem
    assert problem.startswith("`1.csv`: ")
    assert says in problem
    assert "Secret" not in problem


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(st.binary(max_size=300) | st.text("a1,;\"'\n\r\té=", max_size=80).map(str.encode))
def test_no_content_can_break_a_crawl(tmp_path: Path, data: bytes) -> None:
    """Whatever a file holds, it is found, with columns or with a problem."""
    found = look(tmp_path, data)
    assert bool(found.columns) != bool(found.problem)
    assert "no cells" not in "".join(found.notes)
