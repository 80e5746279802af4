"""How a text is cut into records and fields, guessed from its beginning."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from privet.crawler.heads import Text
from privet.model.errors import SourceInvalid

_LOOKED_AT = 64 * 1024
"""Characters that a guess looks at; a pass over the whole sample follows with the one dialect."""

# Where two delimiters split equally well, the one that is rarer inside values comes first.
_DELIMITERS = ("\t", ";", "|", ",")
_LETTERS = ("\u00e7", "\u00fe")
"""Letters that some write for delimiters: believed only where nothing else delimits."""
_DOUBLE, _SINGLE = '"', "'"
_SINGLE_QUOTED = re.compile(r"(?:^|[\t;|,])'[^'\n]*'(?=[\t;|,]|$)")
_DOUBLE_QUOTED = re.compile(r'(?:^|[\t;|,])"[^"\n]*"(?=[\t;|,]|$)')


@dataclass(frozen=True, slots=True)
class Dialect:
    """The characters that delimit and quote fields; a quote inside quotes is doubled.

    Without a quote, every character is one of a field.
    """

    delimiter: str = ","
    quote: str = _DOUBLE


@dataclass(frozen=True, slots=True)
class Record:
    """A record's fields, and the lines it stands on: `first` is 1-based, `end` the line after."""

    fields: tuple[str, ...]
    first: int
    end: int


_LONGEST_FIELD = 131_072
"""Characters. The csv module has the same limit, unless something in the process has moved it."""


def lines_of(text: str) -> list[str]:
    """The lines with their ends: a line feed, a carriage return, or both, as in CSV."""
    return list(io.StringIO(text, newline=""))


def split(lines: Sequence[str], dialect: Dialect, *, whole: bool = True) -> list[Record]:
    """Cut lines into records, leaving out empty lines.

    Where more lines follow (not `whole`), a last record over several lines is left out: it may
    have been cut inside quotes.

    Raises:
        SourceInvalid: a field is too long, which mostly means a quote that is never closed.
    """
    quoting = csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE
    quote = dialect.quote or None
    reader = csv.reader(lines, delimiter=dialect.delimiter, quotechar=quote, quoting=quoting)
    records: list[Record] = []
    start = 1
    try:
        for fields in reader:
            _check_lengths(fields)
            if fields:
                records.append(Record(tuple(fields), start, reader.line_num + 1))
            start = reader.line_num + 1
    except csv.Error as error:
        raise SourceInvalid(
            f"line {start} cannot be cut into fields", hint="look for a quote that is never closed"
        ) from error
    if not whole and records and records[-1].end - records[-1].first > 1:
        records.pop()
    return records


def _check_lengths(fields: list[str]) -> None:
    if any(len(field) > _LONGEST_FIELD for field in fields):
        raise csv.Error


def guess_dialect(text: Text, delimiter: str | None = None, quote: str | None = None) -> Dialect:
    """The dialect in which most records have the same number of fields, of at least two.

    A text that no delimiter splits has one column. What is given is not guessed.
    """
    lines = lines_of(text.text[:_LOOKED_AT])
    if len(text.text) > _LOOKED_AT and len(lines) > 1:
        lines.pop()
    quote = _guess_quote(lines) if quote is None else quote
    if delimiter is not None:
        return Dialect(delimiter, quote)
    best, best_score = Dialect(quote=quote), _NOTHING
    for each in _DELIMITERS:
        score = _score(lines, Dialect(each, quote))
        if score > best_score:
            best, best_score = Dialect(each, quote), score
    letters = (Dialect(each, quote) for each in _LETTERS if best_score == _NOTHING)
    return next((each for each in letters if _score(lines, each) == _CERTAIN), best)


_NOTHING, _CERTAIN = (0.0, False), (1.0, True)


def _guess_quote(lines: Sequence[str]) -> str:
    single = sum(bool(_SINGLE_QUOTED.search(line.rstrip("\r\n"))) for line in lines)
    double = sum(bool(_DOUBLE_QUOTED.search(line.rstrip("\r\n"))) for line in lines)
    return _SINGLE if single > double and 2 * single >= len(lines) else _DOUBLE


def _score(lines: Sequence[str], dialect: Dialect) -> tuple[float, bool]:
    """The share of records of the usual width, and whether the first is one; zero for width 1."""
    try:
        records = split(lines, dialect, whole=False)
    except SourceInvalid:
        return _NOTHING
    widths = Counter(len(record.fields) for record in records)
    if not widths:
        return _NOTHING
    width, count = widths.most_common(1)[0]
    if width == 1:
        return _NOTHING
    return round(count / len(records), 2), len(records[0].fields) == width
