"""The types of CSV columns, from a sample: only what reads back as it was written."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.types as pat

from privet.crawler.dialect import Dialect, Record
from privet.model.errors import SourceInvalid
from privet.scan.delimiters import StandIn, as_written, byte_for

# Leading zeroes, a plus and hexadecimal mean a code (zip, phone, key), though Arrow reads a number.
_CODE = r"^\s*(?:\+|-?0[0-9xX])"
# As 64-bit floats these would lose digits; they are long keys rather than measures.
_LONG_INTEGER = r"^\s*-?[0-9]{16,}\s*$"
_NANOSECONDS = r"\.[0-9]{7,}"
_VALUE = re.compile(
    r"[-+]?[0-9.,]*[0-9][0-9.,]*(?:[eE][-+]?[0-9]+)?%?"
    r"|[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}(?:[T ].*)?"
    r"|(?i:true|false|nan|null|n/a|na|inf)"
)
_NOT_IN_NAMES = re.compile(r"@|://|[0-9]{5}")


def parse_fields(
    lines: Sequence[str], records: Sequence[Record], dialect: Dialect, kinds: Sequence[pa.DataType]
) -> pa.Table:
    """Let Arrow read records, as a scan will; columns are named by their positions.

    Records of another width than `kinds` are left out. A null type means: infer it.

    Raises:
        SourceInvalid: a cell does not fit its column's type.
    """
    names = [str(index) for index in range(len(kinds))]
    if not records:
        return pa.table({n: pa.nulls(0, k) for n, k in zip(names, kinds, strict=True)})
    data = "".join(lines[records[0].first - 1 : records[-1].end - 1]).encode()
    if not dialect.delimiter.isascii():
        data = StandIn(dialect.delimiter).put(data, final=True)
    try:
        table = pacsv.read_csv(
            pa.BufferReader(data),
            read_options=pacsv.ReadOptions(
                use_threads=False, column_names=names, block_size=len(data) + 1
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=byte_for(dialect.delimiter),
                quote_char=dialect.quote or False,
                newlines_in_values=bool(dialect.quote),
                invalid_row_handler=lambda _: "skip",
            ),
            convert_options=pacsv.ConvertOptions(
                column_types={n: k for n, k in zip(names, kinds, strict=True) if not pat.is_null(k)}
            ),
        )
    except pa.ArrowInvalid as error:
        raise SourceInvalid("a cell of the sample does not fit its column's type") from error
    cells = [as_written(column, dialect.delimiter) for column in table.columns]
    return pa.table(cells, names=table.column_names)


def infer_types(
    lines: Sequence[str], records: Sequence[Record], dialect: Dialect, width: int
) -> tuple[pa.DataType, ...]:
    """The types of the columns below the header; null for a column without any value."""
    guessed = parse_fields(lines, records, dialect, [pa.null()] * width)
    texts = parse_fields(lines, records, dialect, [pa.string()] * width)
    return tuple(
        _settle(guess.type, text)
        for guess, text in zip(guessed.columns, texts.columns, strict=True)
    )


def _settle(guess: pa.DataType, texts: pa.ChunkedArray) -> pa.DataType:
    if pat.is_null(guess) or pat.is_boolean(guess) or pat.is_date32(guess):
        return guess
    if pat.is_integer(guess) or pat.is_floating(guess):
        is_code = _any(texts, _CODE) or (pat.is_floating(guess) and _any(texts, _LONG_INTEGER))
        return pa.string() if is_code else guess
    if pat.is_timestamp(guess):
        return pa.timestamp("ns" if _any(texts, _NANOSECONDS) else "us", guess.tz)
    return pa.string()


def widen(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    """The type for a column of which two files look different."""
    if one == other or pat.is_null(other):
        return one
    if pat.is_null(one):
        return other
    both = {one, other}
    if both == {pa.int64(), pa.float64()}:
        return pa.float64()
    stamps = [kind for kind in both if pat.is_timestamp(kind)]
    if len(stamps) == 1 and stamps[0].tz is None and pa.date32() in both:
        return stamps[0]
    return pa.string()


def is_header(first: Record, below: Sequence[Record]) -> bool:
    """Whether a first record names the columns of the records below it.

    Names are no values (numbers, dates, addresses). Where a column below holds values only, text
    above it is its name. Where everything is text, it is a header unless it recurs below.
    """
    names = [field.strip() for field in first.fields]
    if not any(names) or any(_VALUE.fullmatch(n) or _NOT_IN_NAMES.search(n) for n in names if n):
        return False
    columns = [[row.fields[at].strip() for row in below] for at in range(len(names))]
    # An empty first name over values is how data frames write their index.
    index_alone = "" not in names[1:]
    if any(
        (names[at] or (at == 0 and index_alone)) and _holds_values(column)
        for at, column in enumerate(columns)
    ):
        return True
    return all(names) and not any(
        name in column for name, column in zip(names, columns, strict=True)
    )


def _holds_values(column: Sequence[str]) -> bool:
    cells = [cell for cell in column if cell]
    return bool(cells) and all(_VALUE.fullmatch(cell) for cell in cells)


def _any(texts: pa.ChunkedArray, pattern: str) -> bool:
    return bool(pc.any(pc.match_substring_regex(texts, pattern)).as_py())
