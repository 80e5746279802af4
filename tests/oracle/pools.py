"""Columns of many types, and the cells that trouble each of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from random import Random

import pyarrow as pa
import pyarrow.types as pat
from cells import Cell, Day, Moment, from_date, from_datetime

NOW = datetime(2026, 3, 1, 10, 30, 0, 250_000, tzinfo=UTC)

TYPES: Mapping[str, pa.DataType] = {
    "i": pa.int64(),
    "j": pa.int32(),
    "k": pa.int64(),
    "tiny": pa.int8(),
    "word": pa.uint32(),
    "huge": pa.uint64(),
    "f": pa.float64(),
    "g": pa.float32(),
    "price": pa.decimal128(10, 2),
    "exact": pa.decimal128(38, 9),
    "mrn": pa.string(),
    "t": pa.string(),
    "u": pa.large_string(),
    "v": pa.string_view(),
    "digits": pa.string(),
    "x": pa.bool_(),
    "y": pa.bool_(),
    "day": pa.date32(),
    "day64": pa.date64(),
    "at": pa.timestamp("us", tz="UTC"),
    "at_ns": pa.timestamp("ns"),
    "at_s": pa.timestamp("s"),
    "at_ms": pa.timestamp("ms", tz="Europe/Berlin"),
    "raw": pa.binary(),
    "many": pa.list_(pa.int64()),
    "clock": pa.time64("us"),
}

TEXTS = (
    *("", " ", "abc", "ABC", " x ", "a_b%c", "A\\b", "demo_user2", "stra\u00dfe", "\u00c9t\u00e9"),
    *("\u03a3\u03c3\u03c2", "\u65e5\u672c", "\U0001f600!", "e\u0301", "x\ny", "1", "01", "1.0"),
    *("-7", "nan", "NULL", "2024-01-31", "2024-02-30", "0001-01-01", "9999-12-31", "\u0661"),
)
DIGITS = (
    *("0", "1", "01", "1.0", "-0", "-7", "7.50", "0.1", "+1", " 1", "1 ", "", "1e3", "abc", "1."),
    *("9007199254740993", "9223372036854775807", "9223372036854775808", "-9223372036854775808"),
    *("18446744073709551615", "99999999999999999999", "123456789012345678901", "12345678"),
    *("0.000000000000000001", "0.1000000000000000001"),
)
MRNS = ("MRN-00012345", "AB12-3456789", "mrn99887766", "12345678", "0012345678", "short", "\u00e9")
FLOATS = (
    *(0.0, -0.0, 1.0, -1.0, 0.5, 1.5, 0.1, 7.0, 2.0**53, 2.0**53 + 2, 2.0**63, -(2.0**63), 1e308),
    *(-1e308, 5e-324, math.inf, -math.inf, 18.0, math.nan, math.nan, math.nan),
)
PRICES = tuple(map(Decimal, ("0.00", "1.00", "1.50", "-2.25", "0.10", "99999999.99", "7.00")))
EXACT = (
    *map(Decimal, ("0.000000000", "1.000000000", "0.100000000", "-7.000000000")),
    Decimal("9007199254740993.000000000"),
    Decimal("99999999999999999999999999999.999999999"),
    Decimal("9223372036854775808.000000000"),
)
DAYS = tuple(
    from_date(date(*d))
    for d in ((1970, 1, 1), (2024, 1, 31), (2024, 2, 29), (1969, 12, 31), (2026, 3, 1), (1, 1, 1))
)
TIMES = tuple(
    from_datetime(t)
    for t in (
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(2024, 1, 31, tzinfo=UTC),
        datetime(2024, 1, 31, 23, 59, 59, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC),
        datetime(2026, 3, 1, 10, 30, tzinfo=UTC),
    )
)
_FAR = {"s": 2**40, "ms": 2**53, "us": 2**63 - 1, "ns": 2**63 - 1}


def pool_of(name: str) -> tuple[Cell, ...]:
    """The cells that a column of the pool holds, NULL aside."""
    return POOLS[name]


def _integers(kind: pa.DataType) -> tuple[Cell, ...]:
    bits = kind.bit_width
    low, high = (
        (-(2 ** (bits - 1)), 2 ** (bits - 1)) if pat.is_signed_integer(kind) else (0, 2**bits)
    )
    wanted = (0, 1, 2, 7, 18, -1, -7, 2**53, 2**53 + 1, 2**63 - 1, 2**63, low, high - 1, 12345678)
    return tuple(dict.fromkeys(n for n in wanted if low <= n < high))


def _moments(unit: str) -> tuple[Cell, ...]:
    scale = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}[unit]
    far = _FAR[unit]
    own = tuple(Moment((10**18 + d * 123_456_789) // scale * scale) for d in (0, 1))
    return (
        *TIMES,
        *own,
        from_datetime(NOW.replace(microsecond=0)),
        Moment(far * scale),
        Moment(-far * scale),
    )


def _cells(name: str, kind: pa.DataType) -> tuple[Cell, ...]:
    named = {"mrn": MRNS, "digits": DIGITS, "price": PRICES, "exact": EXACT}
    if name in named:
        return named[name]
    if pat.is_integer(kind):
        return _integers(kind)
    if pat.is_floating(kind):
        return FLOATS if kind == pa.float64() else tuple(f for f in FLOATS if _single(f))
    if pat.is_boolean(kind):
        return True, False
    if pat.is_date(kind):
        return *DAYS, Day(2**31 - 1), Day(-(2**31))
    if pat.is_timestamp(kind):
        return _moments(kind.unit)
    return TEXTS


def _single(value: float) -> bool:
    return not math.isfinite(value) or (abs(value) < 3e38 and (value == 0 or abs(value) > 1e-37))


_OTHER = {
    "raw": (b"", b"secret", b"\xff"),
    "many": ([], [1, None], [2**53 + 1]),
    "clock": (0, 1, 86_399_999_999),
}
POOLS: Mapping[str, tuple[object, ...]] = {
    **{name: _cells(name, kind) for name, kind in TYPES.items()},
    **_OTHER,
}


def column_of(random: Random, name: str, rows: int) -> pa.Array:
    """A column of the pool with some of its cells; float32 cells are rounded by Arrow."""
    from cells import to_array

    nulls = random.choice((0.0, 0.15, 0.15, 0.5))
    few = random.sample(POOLS[name], min(len(POOLS[name]), random.choice((2, 4, 20))))
    cells = [None if random.random() < nulls else random.choice(few) for _ in range(rows)]
    return to_array(cells, TYPES[name])


def listed(random: Random, cells: Sequence[Cell]) -> str:
    """A set as text: some of the cells, written in one way or another."""
    some = [c for c in cells if isinstance(c, str | int) and not isinstance(c, bool)] or [*TEXTS]
    elements = [str(random.choice(some)) for _ in range(random.choice((0, 1, 2, 2, 3)))]
    if random.random() < 0.3:
        others = ("", "a,b", "b", '"') if isinstance(some[0], str) else ("", " ", "7", "01", "1.0")
        elements += random.sample(others, 2)
    return random.choice((",", ",", " , ")).join(_element(random, e) for e in elements)


def _element(random: Random, text: str) -> str:
    quoted = '"' in text or "," in text or random.random() < 0.2
    return '"' + text.replace('"', '""') + '"' if quoted else text
