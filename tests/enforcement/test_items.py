"""Filters over fields inside columns and over items of lists, against the reference page."""

from __future__ import annotations

import pyarrow as pa
import pytest

from privet.enforcement import passing_rows
from privet.policy import parse_filter

MARK = pa.struct([("text", pa.string())])
PART = pa.struct([("Code", pa.string()), ("size", pa.int64()), ("marks", pa.list_(MARK))])
ROWS = {
    "name": pa.array(["a", "b", "c", None]),
    "place": pa.array(
        [
            {"Country": "AT", "deep": {"n": 1}},
            {"Country": None, "deep": None},
            None,
            {"Country": "DE", "deep": {"n": 7}},
        ],
        pa.struct([("Country", pa.string()), ("deep", pa.struct([("n", pa.int64())]))]),
    ),
    "parts": pa.array(
        [
            [
                {"Code": "a", "size": 0, "marks": [{"text": "x"}, {"text": "y"}]},
                {"Code": "q", "size": 2, "marks": []},
            ],
            [],
            None,
            [{"Code": "d", "size": 3, "marks": [{"text": "q"}]}, None],
        ],
        pa.list_(PART),
    ),
}
CASES = [
    ("place.country = 'AT'", "T..."),
    ("place.COUNTRY = 'AT'", "T..."),
    ("NOT place.country = 'AT'", "...T"),
    ("place.country IS NULL", ".TT."),
    ("place IS NULL", "..T."),
    ("place.deep.n > 3", "...T"),
    ("place.deep IS NULL", ".TT."),
    # Of each item, and one is enough.
    ("parts.code = 'q'", "T..."),
    ("parts.code != 'q'", "T..T"),
    ("NOT parts.code = 'q'", "T..T"),
    ("parts.code = 'a' AND parts.size = 2", "...."),
    ("parts.code = 'q' AND parts.size = 2", "T..."),
    ("parts.code = name", "T..."),
    ("parts.code = 'q' OR name = 'b'", "TT.."),
    # No items are one that is NULL; so is an item that is NULL itself.
    ("parts.code IS NULL", ".TTT"),
    ("parts.code IS NOT NULL", "T..T"),
    ("parts IS NULL", "..T."),
    # Lists in items: each item of these with the one that it lies in.
    ("parts.marks.text = 'q'", "...T"),
    ("parts.marks.text = 'y' AND parts.code = 'a'", "T..."),
    ("parts.marks.text = 'y' AND parts.code = 'q'", "...."),
    ("parts.marks.text IS NULL AND parts.code = 'q'", "T..."),
    ("parts.marks IS NULL", ".TTT"),
    # What fails for one item fails the row, whichever item would do.
    ("6 / parts.size > 1", "...T"),
    ("parts.code = 'q' OR 6 / parts.size > 1", "...T"),
    # What these values do not have, fails.
    ("place.nowhere IS NULL", "...."),
    ("place.nowhere IS NULL OR name = 'a'", "...."),
    ("name.first = 'a'", "...."),
    ("parts.marks.text.x IS NULL", "...."),
]


def letters(filter_: str, columns: dict[str, pa.Array], rows: int) -> str:
    """`T` for each row that passes."""
    return "".join(".T"[int(each)] for each in passing_rows(parse_filter(filter_), columns, rows))


@pytest.mark.parametrize(("filter_", "expected"), CASES, ids=[c[0] for c in CASES])
def test_fields_and_items_mean_what_the_reference_says(filter_: str, expected: str) -> None:
    """Row by row; and the same of slices, down to one row and none."""
    for start in range(5):
        part = {name: array.slice(start) for name, array in ROWS.items()}
        assert letters(filter_, part, 4 - start) == expected[start:]


def test_what_lies_under_null_is_not_asked() -> None:
    """Readers leave values in structs and lists that are NULL; they are no row's."""
    codes = pa.array(["s", "s", "t"])
    structs = pa.StructArray.from_arrays([codes], ["code"], mask=pa.array([True, False, False]))
    assert letters("p.code = 's'", {"p": structs}, 3) == ".T."
    items = pa.StructArray.from_arrays([codes], ["code"])
    lists = pa.ListArray.from_arrays(pa.array([0, 2, 3]), items, mask=pa.array([True, False]))
    assert letters("p.code = 's'", {"p": lists}, 2) == ".."
    assert letters("p.code IS NULL", {"p": lists}, 2) == "T."
    four = pa.StructArray.from_arrays([pa.array(["s", "s", "t", "u"])], ["code"])
    fixed = pa.FixedSizeListArray.from_arrays(four, 2, mask=pa.array([True, False]))
    assert letters("p.code = 's'", {"p": fixed}, 2) == ".."
    assert letters("p.code = 'u'", {"p": fixed}, 2) == ".T"


def test_of_two_fields_that_are_called_alike_none_is_meant() -> None:
    """Nobody can tell which; so no row passes."""
    twice = pa.StructArray.from_arrays([pa.array(["a"]), pa.array(["b"])], ["Code", "code"])
    assert letters("p.code = 'a'", {"p": twice}, 1) == "."
    assert letters("p.code IS NULL OR TRUE", {"p": twice}, 1) == "."


def test_cells_that_are_no_value_fail_inside_columns_too() -> None:
    """Text that is not UTF-8, in a field and in an item."""
    broken = pa.array([b"\xff", b"a"]).view(pa.string())
    structs = pa.StructArray.from_arrays([broken], ["t"])
    assert letters("p.t = 'a' OR p.t IS NULL", {"p": structs}, 2) == ".T"
    lists = pa.ListArray.from_arrays(pa.array([0, 2, 2]), structs)
    assert letters("p.t = 'a' OR p.t IS NULL", {"p": lists}, 2) == ".T"


def test_many_rows_of_many_items() -> None:
    """More than are taken apart at once."""
    rows = 20_000
    lists = pa.array(
        [[{"n": i}, {"n": -i}] for i in range(rows)], pa.list_(pa.struct([("n", pa.int64())]))
    )
    passing = passing_rows(parse_filter("p.n = -19999 OR p.n = 7"), {"p": lists}, rows)
    assert passing.nonzero()[0].tolist() == [7, 19_999]
